"""The reference is complete: what is public is told."""

from __future__ import annotations

import re

from sessionkit import errors

from .markdown import ROOT


def test_the_page_of_errors_has_one_line_for_each_error() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/reference/errors.md").read_text("utf-8"), re.MULTILINE)
    known = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert sorted(rows) == sorted(known - {"SessionKitError", "StoreError"})
