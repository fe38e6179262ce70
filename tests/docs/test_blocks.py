"""Whatever the documentation shows is run: what it says is so."""

from __future__ import annotations

import pytest

from .conftest import Walkthroughs
from .markdown import CONVERSATIONS, Block, blocks, markdown_files
from .walkthrough import LANGUAGES

BLOCKS = [block for path in markdown_files() for block in blocks(path)]


@pytest.mark.parametrize(
    "block",
    [pytest.param(block, marks=[pytest.mark.slow] if block.marker == "real" else []) for block in BLOCKS],
    ids=str,
)
def test_a_block_does_what_it_shows(block: Block, walkthroughs: Walkthroughs) -> None:
    assert block.language in LANGUAGES, f"{block}: one of {sorted(LANGUAGES)} must follow the fence"
    if block.marker == "no-run":
        pytest.skip(f"{block} is not run: {block.value}")
    if block.marker == "real" and not CONVERSATIONS.exists():
        pytest.skip(f"{block} is not run: {CONVERSATIONS.name} does not lie beside the project")
    walkthroughs.of(block.path).reach(block)


def test_there_are_blocks_to_run() -> None:
    assert {block.path.name for block in BLOCKS} >= {"README.md", "tutorial.md"}
