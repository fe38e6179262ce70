"""Which file system a path is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionkit import mounts

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


def test_where_nobody_tells_what_is_mounted_the_kind_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "TABLE", tmp_path / "nothing")
    assert mounts.file_system(tmp_path) == ""
