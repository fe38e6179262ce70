"""The checks of the documentation find what they are there to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from .markdown import Block, anchors, blocks
from .walkthrough import Walkthrough


def _walk(tmp_path: Path, text: str) -> tuple[Walkthrough, list[Block]]:
    path = tmp_path / "page.md"
    path.write_text(text)
    return Walkthrough(path, tmp_path), blocks(path)


def test_blocks_of_a_page_share_a_namespace_and_a_directory(tmp_path: Path) -> None:
    text = """
```python
from pathlib import Path
word = "hello"
```
```toml file: conf/a.toml
a = 1
```
```python
print(word, Path("conf/a.toml").read_text())
```
```text output
hello a = 1
```
```console
$ cat conf/a.toml \\
    | tr a b
b = 1
$ false
```
"""
    walk, found = _walk(tmp_path, text)
    with pytest.raises(AssertionError, match="'false' ended with 1"):
        walk.reach(found[-1])
    for block in found[:-1]:
        walk.reach(block)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n```\n```text output\n2\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python\n1 / 0\n```\n",
        "```python file: a.py\nif:\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```console exit: 3\n$ exit 2\n```\n",
        "```bash\nfalse\ntrue\n```\n",
        "```toml\na =\n```\n",
        "```json\n{a: 1}\n```\n",
    ],
)
def test_a_block_that_does_not_do_what_it_shows_fails(tmp_path: Path, text: str) -> None:
    walk, found = _walk(tmp_path, text)
    with pytest.raises((AssertionError, ArithmeticError, SyntaxError, ValueError)):
        walk.reach(found[-1])


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint('a', 17, 'b')\n```\n```text output\na ... b\n```\n",
        "```python\nx = 1\n```\n```python\n>>> x\n1\n>>> y = x + 1\n```\n```python\nassert y == 2\n```\n",
        "```console exit: 2\n$ echo one; exit 2\none\n```\n",
        "```bash no-run: it never ends\nfalse\n```\n",
    ],
)
def test_a_block_that_does_what_it_shows_passes(tmp_path: Path, text: str) -> None:
    walk, found = _walk(tmp_path, text)
    for block in found:
        walk.reach(block)


def test_a_misspelt_marker_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"page.md:1: unknown words"):
        _walk(tmp_path, "```bash norun: it never ends\nfalse\n```\n")


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("# The `json` backend, in short\n\n## Again\n\n## Again\n")
    assert anchors(path) == {"the-json-backend-in-short", "again", "again-1"}
