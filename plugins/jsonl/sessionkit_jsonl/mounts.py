"""Where a directory really is: on a network file system, locks and syncs may not hold."""

from __future__ import annotations

from pathlib import Path

from sessionkit.errors import BackendUnavailableError
from sessionkit.mounts import LOCAL, NETWORK, file_system


def is_local(path: Path) -> bool:
    """Whether a directory is known to be on a file system of this machine alone."""
    return file_system(path) in LOCAL


def refuse_network(path: Path) -> None:
    """Refuse a directory on a network file system. Where nobody tells what is mounted, everything passes.

    Raises:
        BackendUnavailableError: the file system and the option that accepts it are named.
    """
    kind = file_system(path)
    if kind in NETWORK:
        raise BackendUnavailableError(
            f"{path} is on a network file system ({kind}), where locks and syncs may not hold: sessions that several "
            "machines write would be damaged. Use a local directory, or set network = true if only one machine uses it"
        )
