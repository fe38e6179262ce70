"""The options of the jsonl backend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import attrs
import msgspec

from sessionkit.plugins import directory_option, option

PICOCLAW_LINE_BYTES: Final = 10 * 1024 * 1024
"""A line of this many bytes makes a whole session unreadable to picoclaw."""

_Bytes = Annotated[int, msgspec.Meta(ge=1)]
_BytesOrNone = Annotated[int, msgspec.Meta(ge=0)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]


@attrs.frozen(kw_only=True)
class JSONLOptions:
    """Where sessions are kept, and what a write waits for."""

    path: Path = directory_option(help="the directory of the sessions; made when it is not there")
    durability: Literal["always", "interval", "os"] = option(
        default="always",
        help="when an append is synced to disk: before it returns, in the background, or when the system likes",
    )
    interval: _Seconds = option(
        default=1.0, help="seconds between two syncs in the background, with durability = interval"
    )
    max_message_bytes: _Bytes = option(
        default=PICOCLAW_LINE_BYTES - 1,
        help="the longest line that is written; picoclaw cannot read a session with one of 10 MiB",
    )
    foreign_writers: bool = option(
        default=False, help="a picoclaw writes to the directory at the same time: never cut back what was written"
    )
    compact_threshold: _BytesOrNone = option(
        default=65_536, help="bytes of truncated messages from which save rewrites a session's file; 0: always"
    )
    cache: _BytesOrNone = option(
        default=32 * 1024 * 1024,
        help="bytes of messages that are kept decoded in memory, so that they are not read again; 0: none",
    )
    archive: bool = option(
        default=False, help="keep the messages that leave a session's file, in another file beside it"
    )
    network: bool = option(
        default=False, help="accept a directory on a network file system, whose locks and syncs may not hold"
    )
