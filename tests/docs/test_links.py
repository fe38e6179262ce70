"""Links lead somewhere, and to the same place on every machine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .markdown import ROOT, Link, anchors, links, markdown_files, shown

FILES = markdown_files()

LINKS = [link for path in FILES for link in links(path)]

MACHINE_PATHS = (f"{ROOT}/", f"{Path.home()}/", "/home/", "/Users/", "file://")
"""Beginnings of paths that mean something on one machine only."""


@pytest.mark.parametrize("link", [link for link in LINKS if not urlsplit(link.target).scheme], ids=str)
def test_a_relative_link_leads_to_a_file_and_a_heading(link: Link) -> None:
    file, _, fragment = unquote(link.target).partition("#")
    assert not file.startswith("/"), "a link within the repository is relative"
    target = (link.path.parent / file).resolve() if file else link.path
    assert target.is_relative_to(ROOT), "the link leaves the repository"
    assert target.exists(), f"there is no {shown(target)}"
    if fragment:
        assert fragment in anchors(target), f"{shown(target)} has no heading #{fragment}"


@pytest.mark.parametrize("link", [link for link in LINKS if urlsplit(link.target).scheme], ids=str)
def test_a_link_to_elsewhere_is_secure(link: Link) -> None:
    assert urlsplit(link.target).scheme in {"https", "mailto"}


@pytest.mark.parametrize("path", FILES, ids=shown)
def test_a_page_names_no_path_of_one_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert [beginning for beginning in MACHINE_PATHS if beginning in text] == []
