"""The Lua scripts: each operation is one of them, which the server runs in one step."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any, Final

import attrs
from redis.exceptions import NoScriptError


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

    def run(self, client: Any, keys: list[bytes], arguments: list[Any]) -> Any:
        """Run it. A server that does not know it yet gets its text, once."""
        try:
            return client.execute_command("EVALSHA", self.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return client.execute_command("EVAL", self.text, len(keys), *keys, *arguments)


APPEND: Final = Script.of("common", "append")
UPDATE: Final = Script.of("common", "update")
TRUNCATE: Final = Script.of("common", "truncate")
DELETE: Final = Script.of("delete")
READ: Final = Script.of("read")
