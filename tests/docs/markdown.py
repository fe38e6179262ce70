"""The Markdown files of this repository, and what the tests look for in them: code blocks, links, anchors.

The info string of a block is its language, and at most one of these words:

- ``no-run: REASON`` the block is not run;
- ``file: NAME`` the block is written to a file, for the blocks that follow it;
- ``output`` what the Python block before it prints (``...`` stands for anything);
- ``real`` the block is run on real conversations, and skipped where they do not lie beside the project;
- ``exit: STATUS`` the status that the last command of the block ends with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import attrs
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
CONVERSATIONS = ROOT.parent / "shared" / "data" / "airline-conversations.jsonl"
"""Two hundred real conversations, which are no part of the project."""

_PATTERNS = ("*.md", "docs/**/*.md", "plugins/*/*.md", "benchmarks/*.md", "examples/**/*.md")
_MARKER = re.compile(r"(no-run|file|exit): (.+)|(output|real)")


def markdown_files() -> list[Path]:
    """All Markdown files that people read."""
    return sorted({path for pattern in _PATTERNS for path in ROOT.glob(pattern)})


def shown(path: Path) -> str:
    """A path as people write it: from the root of the repository."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


@attrs.frozen
class Block:
    """A fenced block of code.

    Attributes:
        path: the file that it stands in.
        line: the line of its opening fence, from 1.
        language: the first word of its info string.
        marker: the word that follows, ``""`` when there is none.
        value: what the marker says.
        text: the code.
    """

    path: Path
    line: int
    language: str
    marker: str
    value: str
    text: str = attrs.field(repr=False)

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}"


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a file, in order."""
    return [_block(path, token) for token in _parse(path) if token.type == "fence"]


def _block(path: Path, token: Token) -> Block:
    assert token.map is not None
    line = token.map[0] + 1
    language, _, rest = token.info.strip().partition(" ")
    match = _MARKER.fullmatch(rest)
    if rest and match is None:
        raise ValueError(f"{shown(path)}:{line}: unknown words after the language: {rest!r}")
    marker, value = ((match[1] or match[3]), match[2] or "") if match else ("", "")
    return Block(path, line, language, marker, value, token.content)


@attrs.frozen
class Link:
    """A link or an image, with the first line of the paragraph that it stands in."""

    path: Path
    line: int
    target: str

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}:{self.target}"


def links(path: Path) -> Iterator[Link]:
    """The links and images of a file."""
    for token in _parse(path):
        for child in token.children or ():
            target = child.attrGet({"link_open": "href", "image": "src"}.get(child.type, ""))
            if target is not None:
                yield Link(path, (token.map or [0])[0] + 1, str(target))


def anchors(path: Path) -> set[str]:
    """The fragments that a link to the file may have: those that GitHub makes of its headings."""
    found: dict[str, int] = {}
    tokens = _parse(path)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{number}" if number else slug for slug, last in found.items() for number in range(last + 1)}


def _parse(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))
