"""On which file system a directory is: what its locks and syncs are worth, and how long its files last."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

TABLE: Final = Path("/proc/self/mountinfo")
"""Where Linux tells what is mounted."""

NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs"}
    | {"smb3", "smbfs", "fuse.ceph", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)
"""File systems of other machines: locks and syncs may not hold."""

LOCAL: Final = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "tmpfs", "xfs", "zfs"})
"""File systems whose changes all go through the kernel of this machine."""

IN_MEMORY: Final = frozenset({"ramfs", "tmpfs"})
"""File systems that are empty after a restart."""

_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


def file_system(path: Path) -> str:
    """The kind of the file system that holds a path, such as ``ext4``; ``""`` where nobody tells."""
    try:
        return kind_of(path.resolve(), TABLE.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return ""


def kind_of(path: Path, mounts: str) -> str:
    """The kind of the file system that holds a path, by the text of ``/proc/self/mountinfo``; ``""`` when unknown.

    >>> kind_of(Path("/srv/bot"), "1 0 0:1 / / rw - ext4 /dev/a rw\\n2 1 0:2 / /srv rw shared:1 - nfs4 host:/srv rw\\n")
    'nfs4'
    """
    text = f"{path}/"
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4]).rstrip("/")
        if len(point) >= best and text.startswith(f"{point}/"):  # a later mount covers an earlier one
            best, kind = len(point), after.split(" ")[0]
    return kind
