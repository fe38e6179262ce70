"""Where a directory really is: on a network file system, locks and syncs may not hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sessionkit.errors import BackendUnavailableError

_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs"}
    | {"smb3", "smbfs", "fuse.ceph", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)
_LOCAL: Final = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "tmpfs", "xfs", "zfs"})
"""File systems whose changes all go through the kernel of this machine."""


def is_local(path: Path) -> bool:
    """Whether a directory is known to be on a file system of this machine alone."""
    try:
        return _kind(path) in _LOCAL
    except OSError:
        return False


def refuse_network(path: Path) -> None:
    """Refuse a directory on a network file system. Where nobody tells what is mounted, everything passes.

    Raises:
        BackendUnavailableError: the file system and the option that accepts it are named.
    """
    try:
        kind = _kind(path)
    except OSError:
        return
    if kind in _NETWORK:
        raise BackendUnavailableError(
            f"{path} is on a network file system ({kind}), where locks and syncs may not hold: sessions that several "
            "machines write would be damaged. Use a local directory, or set network = true if only one machine uses it"
        )


def _kind(path: Path) -> str:
    return kind_of(path.resolve(), _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"))


def kind_of(path: Path, mounts: str) -> str:
    """The kind of the file system that holds a path, by the text of ``/proc/self/mountinfo``; ``""`` when unknown.

    >>> kind_of(Path("/srv/bot"), "1 0 0:1 / / rw - ext4 /dev/a rw\\n2 1 0:2 / /srv rw shared:1 - nfs4 host:/srv rw\\n")
    'nfs4'
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        if len(point.parts) >= best and path.is_relative_to(point):  # a later mount covers an earlier one
            best, kind = len(point.parts), after.split(" ")[0]
    return kind
