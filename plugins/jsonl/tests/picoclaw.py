"""picoclaw, as far as these tests need it: what it reads, and what it writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

# What picoclaw decodes a message into: names and types. It knows no other fields.
STRINGS = ("role", "content", "reasoning_content", "tool_call_id", "model_name", "created_at")
LISTS = ("media", "system_parts", "tool_calls", "attachments")
ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
LONGEST = 10 * 1024 * 1024


class Picoclaw:
    """A second reader of the format, made from its description and from nothing of this package."""

    def __init__(self, directory: Path, name: str) -> None:
        self.meta = json.loads((directory / f"{name}.meta.json").read_bytes())
        assert {name: type(self.meta[name]) for name in ("key", "summary", "skip", "count")} == {
            "key": str,
            "summary": str,
            "skip": int,
            "count": int,
        }
        for name_ in ("created_at", "updated_at"):
            assert ZONED.fullmatch(self.meta[name_])
        path = directory / f"{name}.jsonl"
        raw = path.read_bytes().split(b"\n") if path.exists() else []
        self.lines = [line for line in (line.removesuffix(b"\r") for line in raw) if line]
        assert all(len(line) < LONGEST for line in self.lines)
        self.history = [
            message for line in self.lines[self.meta["skip"] :] if (message := self.decode(line)) is not None
        ]

    @staticmethod
    def decode(line: bytes) -> dict[str, Any] | None:
        try:
            value = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            return None
        if value is None:
            return {"role": "", "content": ""}
        if not isinstance(value, dict):
            return None
        message: dict[str, Any] = {"role": "", "content": ""}
        for names, kind in ((STRINGS, str), (LISTS, list)):
            for name in names:
                if value.get(name) is not None:
                    if not isinstance(value[name], kind):
                        return None
                    message[name] = value[name]
        return {name: item for name, item in message.items() if item or name in ("role", "content")}


class PicoclawWriter:
    """What picoclaw does to a session's files: it drops what it does not know, and takes no locks."""

    FIELDS = ("key", "summary", "skip", "count", "created_at", "updated_at", "scope", "aliases")

    def __init__(self, directory: Path, name: str, *, main: bool) -> None:
        self._directory, self._name, self._main = directory, name, main
        self._log = directory / f"{name}.jsonl"

    def append(self, message: dict[str, Any]) -> None:
        with self._log.open("ab") as file:
            file.write(self._encoded(message))
        self._change(count=self._seen().meta["count"] + 1)

    def truncate(self, keep: int) -> None:
        seen = self._seen()
        lines, skip = len(seen.lines), seen.meta["skip"]
        if keep <= 0:
            skip = lines
        elif self._main:
            retained = [at for at, line in enumerate(seen.lines) if at >= skip and Picoclaw.decode(line) is not None]
            skip = retained[-keep] if keep < len(retained) else skip
        elif keep < lines - skip:
            skip = lines - keep
        self._change(skip=skip, count=lines)

    def set_history(self, messages: list[dict[str, Any]]) -> None:
        self._change(skip=0, count=len(messages))
        temporary = self._directory / f"{self._name}.jsonl.tmp"
        temporary.write_bytes(b"".join(map(self._encoded, messages)))
        temporary.rename(self._log)

    def compact(self) -> None:
        self.set_history(self._seen().history)

    def summarise(self, summary: str) -> None:
        self._change(summary=summary)

    def _seen(self) -> Picoclaw:
        return Picoclaw(self._directory, self._name)

    @staticmethod
    def _encoded(message: dict[str, Any]) -> bytes:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text.encode() + b"\n"

    def _change(self, **fields: Any) -> None:
        path = self._directory / f"{self._name}.meta.json"
        document = json.loads(path.read_bytes()) | fields | {"updated_at": "2026-12-01T10:11:12.123456789+02:00"}
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({name: document[name] for name in self.FIELDS if name in document}, indent=2))
        temporary.rename(path)


def name_of(key: str) -> str:
    return key.translate(str.maketrans(":/\\", "___"))
