"""The options of the json backend."""

from __future__ import annotations

from pathlib import Path

import attrs

from sessionkit.plugins.options import directory_option, option


@attrs.frozen(kw_only=True)
class JsonOptions:
    """Where the documents are, and when they are written."""

    path: Path = directory_option(  # noqa: RUF009 - it makes a field
        help="directory of the documents; made (mode 0700) when there is none"
    )
    autosave: bool = option(
        default=False, help="write the whole document after each change, instead of at save() and close()"
    )
