"""The Lua scripts: each operation is one of them, which the server runs in one step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

import attrs
from redis.exceptions import NoScriptError

from sessionkit_redis.commands import Commands


@attrs.frozen
class Script:
    """A script as the server knows it: by the digest of its text."""

    text: str = attrs.field(repr=False)
    digest: str

    @classmethod
    def of(cls, *names: str) -> Script:
        """The script in these files of the package, one after the other."""
        text = "\n".join(files(__name__).joinpath(f"{name}.lua").read_text(encoding="utf-8") for name in names)
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())

    def run(self, commands: Commands, keys: Sequence[bytes], arguments: Sequence[Any]) -> Any:
        """Run it. A server that does not know it yet gets its text, once."""
        try:
            return commands.call(keys[0], "EVALSHA", self.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return commands.call(keys[0], "EVAL", self.text, len(keys), *keys, *arguments)


APPEND: Final = Script.of("begin", "append", "finish")
UPDATE: Final = Script.of("begin", "update", "finish")
TRUNCATE: Final = Script.of("begin", "truncate", "finish")
DELETE: Final = Script.of("delete")
FORGET: Final = Script.of("forget")
REPAIR: Final = Script.of("repair")
