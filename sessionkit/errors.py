"""Every error that sessionkit raises.

Each message says what happened, to which session or setting, and what to do about it. Values of secret
options and contents of conversations never appear in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs


class SessionKitError(Exception):
    """Base class of all errors of this package."""


class InvalidKeyError(SessionKitError, ValueError):
    """A session key that no backend may be asked for (see :func:`sessionkit.keys.check_key`)."""


class InvalidMessageError(SessionKitError, ValueError):
    """A message, or another field of a session, that cannot be stored: the error names the place inside it."""


class DecodeError(SessionKitError, ValueError):
    """Bytes that are not one JSON value. The message never quotes them."""


class FormatError(SessionKitError, ValueError):
    """A file of conversations that is in none of the known formats, in several, or not in the one that was said."""


class ConfigError(SessionKitError, ValueError):
    """A setting that cannot be used: the message names where it was said, the key and what is allowed."""


class UnknownBackendError(ConfigError, LookupError):
    """No installed distribution offers the backend (or extension) that was asked for."""


class PluginLoadError(ConfigError):
    """The chosen plugin is broken: it cannot be imported, or does not fit the hooks it implements."""


class PluginVersionError(ConfigError):
    """The chosen plugin speaks another version of the plugin API than this core."""


class DuplicatePluginError(ConfigError):
    """Two installed distributions offer the chosen name, and the configuration does not say which."""


class StoreError(SessionKitError):
    """Base class of what can go wrong with an open store."""


class VersionConflict(StoreError):  # noqa: N818 - the field's term, as in HTTP and in databases
    """The session is not in the state that the caller said it was: somebody else wrote in between."""


class SessionNotFoundError(StoreError, LookupError):
    """The operation needs a session that exists, and there is none of this key."""


class AmbiguousAliasError(StoreError, LookupError):
    """Several sessions carry the alias, so that it names none of them."""


class SessionExistsError(StoreError):
    """The target of a fork or an import already exists."""


class CorruptSessionError(StoreError):
    """What is stored cannot be read. Never answered with an empty history."""


class MissingTransformError(StoreError):
    """A stored item was encoded by a transform that this store does not have, so it cannot be shown."""


class BackendUnavailableError(StoreError):
    """The storage cannot be reached now. The write did not happen; trying again later is safe."""


class OutcomeUnknownError(StoreError):
    """The write may or may not have happened. Look, then decide.

    Attributes:
        repeatable: the backend knows the write again by its ``write_id``, so that the store may repeat it; any
            other is never repeated by itself.
    """

    def __init__(self, message: str, *, repeatable: bool = False) -> None:
        super().__init__(message)
        self.repeatable = repeatable


class MessageTooLargeError(StoreError, ValueError):
    """A message is larger than the backend stores."""


class HeldWritesFullError(StoreError):
    """Too much is held for a session whose storage keeps failing; this write was not taken."""


class StoreClosedError(StoreError):
    """The store was closed; open another one with :func:`sessionkit.open_store`."""


class UnsupportedOperationError(StoreError, NotImplementedError):
    """The backend does not offer this operation."""


@attrs.frozen(kw_only=True)
class HeldWrite:
    """A write that was taken and is not stored.

    Attributes:
        key: the session.
        operation: what was called, such as ``"add_messages"``.
        arguments: with what, by name (messages, summary, …).
        error: why it is not stored; None when it waits behind another one and was not tried.
    """

    key: str
    operation: str
    arguments: Mapping[str, Any] = attrs.field(repr=False, hash=False)
    error: BaseException | None


class WriteFailedError(StoreError):
    """Writes that were taken are not stored.

    Attributes:
        held: the writes that wait, oldest first; each later write, ``save`` and ``close`` tries them again.
        unknown: writes of which nobody knows whether they happened; they are told once and never repeated.
    """

    def __init__(self, message: str, *, held: Sequence[HeldWrite] = (), unknown: Sequence[HeldWrite] = ()) -> None:
        super().__init__(message)
        self.held = tuple(held)
        self.unknown = tuple(unknown)
