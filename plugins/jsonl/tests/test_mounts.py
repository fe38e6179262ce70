"""Network file systems."""

from __future__ import annotations

from pathlib import Path

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions, mounts

from sessionkit.errors import BackendUnavailableError

TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:30 / /srv rw - nfs4 host:/srv rw
31 30 0:31 / /srv/local\\040disk rw - xfs /dev/vdb rw
32 22 0:32 / /over rw - ext4 /dev/vdc rw
33 22 0:33 / /over rw - fuse.sshfs host: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x", "ext4"),
        ("/srv", "nfs4"),
        ("/srv/bot/sessions", "nfs4"),
        ("/srv/local disk/sessions", "xfs"),
        ("/srvx", "ext4"),
        ("/over/sessions", "fuse.sshfs"),
    ],
)
def test_the_mount_nearest_to_a_path_tells_its_file_system(path: str, kind: str) -> None:
    assert mounts.kind_of(Path(path), TABLE) == kind


@pytest.fixture
def on_nfs(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / {directory.resolve()} rw - nfs4 host:/ rw\n")
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    return directory


def test_a_network_file_system_is_refused_unless_it_is_asked_for(on_nfs: Path) -> None:
    with pytest.raises(BackendUnavailableError, match=r"network file system \(nfs4\).*network = true"):
        JSONLBackend(JSONLOptions(path=on_nfs))
    JSONLBackend(JSONLOptions(path=on_nfs, network=True))
