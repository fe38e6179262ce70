"""What the driver's errors mean for a session, and which of them may pass."""

from __future__ import annotations

import socket
from typing import Final

from redis import exceptions

from sessionkit.errors import BackendUnavailableError, CorruptSessionError, StoreError

FAILURES: Final = (exceptions.RedisError, exceptions.RedisClusterException, OSError)
"""Everything that the driver raises: some of its errors are no ``RedisError``."""

_CREDENTIALS: Final = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.AuthenticationWrongNumberOfArgsError,
    exceptions.ExternalAuthProviderError,
)
_PASSING: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterError,
    exceptions.TryAgainError,
    exceptions.ReadOnlyError,
    exceptions.AskError,
    exceptions.RedisClusterException,
    OSError,
)
_NO_WRITES: Final = (exceptions.ReadOnlyError, exceptions.ClusterDownError, exceptions.BusyLoadingError)
_PASSING_CODES: Final = ("NOREPLICAS", "MASTERDOWN", "LOADING", "CLUSTERDOWN", "TRYAGAIN", "READONLY")
_NEVER_SENT: Final = (ConnectionRefusedError, FileNotFoundError, socket.gaierror, PermissionError)


def may_pass(error: Exception) -> bool:
    """Whether the same call may succeed a moment later."""
    if isinstance(error, _CREDENTIALS):
        return False
    return isinstance(error, _PASSING) or _says(error, *_PASSING_CODES)


def was_refused(error: Exception) -> bool:
    """Whether the server surely did nothing: it answered with an error, or was never reached."""
    if isinstance(error, (exceptions.ResponseError, *_CREDENTIALS)):
        return True
    if isinstance(error, (exceptions.BusyLoadingError, exceptions.MaxConnectionsError)):
        return True
    return isinstance(error.__context__, _NEVER_SENT) or str(error) == "Timeout connecting to server"


def explain(key: str | None, server: str, error: Exception) -> StoreError:
    """The store's error for one of the driver, with what to do."""
    what = f"session {key!r}: " if key is not None else ""
    if isinstance(error, _CREDENTIALS) or _says(error, "NOAUTH", "WRONGPASS"):
        return BackendUnavailableError(f"{what}{server} refuses the user name or password; correct the options")
    if isinstance(error, exceptions.NoPermissionError) or _says(error, "NOPERM", "ACL failure"):
        return BackendUnavailableError(
            f"{what}{server} does not allow this user what the backend needs ({_shown(error)}); extend its rules"
        )
    if isinstance(error, exceptions.OutOfMemoryError) or _says(error, "OOM"):
        return BackendUnavailableError(
            f"{what}{server} is full (maxmemory); nothing was written. Give it more memory or remove sessions"
        )
    if _says(error, "WRONGTYPE"):
        return CorruptSessionError(
            f"{what}a key of this session in {server} holds something of another kind: another program uses the same "
            "prefix. Remove that key, or choose another prefix"
        )
    if isinstance(error, _NO_WRITES) or _says(error, "MISCONF", *_PASSING_CODES):
        return BackendUnavailableError(f"{what}{server} takes no writes now: {_shown(error)}")
    if may_pass(error):
        return BackendUnavailableError(f"{what}{server} cannot be reached: {_shown(error)}")
    return StoreError(f"{what}{server} answered with an error: {_shown(error)}")


def _says(error: Exception, *codes: str) -> bool:
    """Whether the server's error has one of these codes; older servers put what happens in a script behind a prefix."""
    text = str(error)
    return any(code in text for code in codes)


def _shown(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__
