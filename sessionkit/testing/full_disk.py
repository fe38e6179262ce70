"""A disk without room, for the tests of file backends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process take another byte: every write fails with EFBIG, as on a full disk with ENOSPC.

    What an author of a file backend returns from ``break_storage``. It needs a POSIX system.

    >>> import tempfile
    >>> with tempfile.TemporaryFile(buffering=0) as file, full_disk():
    ...     file.write(b"x")
    Traceback (most recent call last):
    OSError: [Errno 27] File too large
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
