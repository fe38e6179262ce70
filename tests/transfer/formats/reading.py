"""What the tests of formats share."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sessionkit.transfer import Placed, SessionDocument, Unreadable
from sessionkit.transfer.formats import read_conversations


def documents(path: Path, format_name: str | None = None, **options: Any) -> list[SessionDocument]:
    """The conversations of a source in which everything can be read."""
    read = list(read_conversations(path, format_name, **options))
    assert [str(item) for item in read if isinstance(item, Unreadable)] == []
    placed = [item for item in read if isinstance(item, Placed)]
    assert [item.damage for item in placed if item.damage] == []
    return [item.document for item in placed]


def problems(path: Path, format_name: str | None = None, **options: Any) -> list[str]:
    """What of a source cannot be read."""
    return [str(item) for item in read_conversations(path, format_name, **options) if isinstance(item, Unreadable)]


def messages(document: SessionDocument) -> list[dict[str, Any]]:
    return [message.to_dict() for message in document.messages]


def contents(directory: Path) -> dict[str, tuple[int, str]]:
    """Every file below a directory, with the time of its last change and a hash of what it holds."""
    return {
        str(path.relative_to(directory)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in [*directory.rglob("*")]
        if path.is_file()
    }
