"""How the backend is named and set up."""

from __future__ import annotations

from pathlib import Path

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions, plugin

from sessionkit import ConfigError, open_store
from sessionkit.plugins import Capability


def test_the_plugin_says_what_it_is() -> None:
    assert plugin.options is JSONLOptions
    assert plugin.factory is JSONLBackend
    assert plugin.capabilities == {Capability.PERSISTENT, Capability.DURABLE, Capability.MULTI_PROCESS}


def test_a_url_names_directory_and_options(directory: Path) -> None:
    with open_store(f"jsonl:{directory}?durability=os&compact_threshold=0") as store:
        store.add_message("k", "user", "hi")
    assert (directory / "k.jsonl").is_file()


@pytest.mark.parametrize("query", ["durability=never", "interval=0", "max_message_bytes=0", "compact_threshold=-1"])
def test_impossible_values_are_refused(directory: Path, query: str) -> None:
    with pytest.raises(ConfigError, match=query.partition("=")[0]):
        open_store(f"jsonl:{directory}?{query}")


def test_missing_directories_are_made_private(tmp_path: Path) -> None:
    with open_store(f"jsonl:{tmp_path}/a/b/c") as store:
        store.add_message("k", "user", "hi")
    for path in ("a", "a/b", "a/b/c"):
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o700
