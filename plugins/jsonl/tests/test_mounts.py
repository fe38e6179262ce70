"""Network file systems."""

from __future__ import annotations

from pathlib import Path

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions

from sessionkit import mounts
from sessionkit.errors import BackendUnavailableError


@pytest.fixture
def on_nfs(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / {directory.resolve()} rw - nfs4 host:/ rw\n")
    monkeypatch.setattr(mounts, "TABLE", table)
    return directory


def test_a_network_file_system_is_refused_unless_it_is_asked_for(on_nfs: Path) -> None:
    with pytest.raises(BackendUnavailableError, match=r"network file system \(nfs4\).*network = true"):
        JSONLBackend(JSONLOptions(path=on_nfs))
    JSONLBackend(JSONLOptions(path=on_nfs, network=True))
