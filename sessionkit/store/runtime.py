"""``Runtime``: what an open store is made of. A forked child makes another one, from the same options."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import count
from typing import Final

from msgspec import Struct, field

from sessionkit.errors import BackendUnavailableError, PluginLoadError, SessionKitError
from sessionkit.hookspecs import API_VERSION, Backend
from sessionkit.plugins.manager import assemble
from sessionkit.plugins.transforms import Transform
from sessionkit.store import process
from sessionkit.store.activity import Activity
from sessionkit.store.content import ContentChain
from sessionkit.store.hooks import Hooks
from sessionkit.store.writes import OnWriteError, WritePolicy


class Runtime(Struct, kw_only=True, eq=False):
    """An open backend with everything around it; it belongs to the process that made it."""

    name: str
    hooks: Hooks
    content: ContentChain
    activity: Activity
    writes: WritePolicy
    epoch: int
    _nonce: str = field(default_factory=lambda: os.urandom(8).hex())
    _writes_counter: count[int] = field(default_factory=count)

    def new_write_id(self) -> str:
        """A string that no other write has."""
        return f"{self._nonce}-{next(self._writes_counter)}"


class Recipe(Struct, frozen=True, kw_only=True):
    """How to make a :class:`Runtime`, as often as it takes.

    Attributes:
        name: the backend's name in the configuration.
        source: where the backend's code comes from, for errors.
        backend: makes the backend.
        extensions: names, and what makes the extension; outermost observer and first encoder first.
        on_write_error: the policy for writes that fail.
        api_version: the version of the plugin API that the backend was written for.
    """

    name: str
    source: str
    backend: Callable[[], Backend]
    extensions: Sequence[tuple[str, Callable[[], object]]] = ()
    on_write_error: OnWriteError = "log"
    api_version: tuple[int, int] = API_VERSION

    def make(self) -> Runtime:
        """Open the backend and put everything together.

        Raises:
            PluginLoadError: the backend or an extension does not fit.
            BackendUnavailableError: the storage cannot be reached.
        """
        transforms: list[tuple[str, Transform]] = []
        observers: list[tuple[str, object]] = []
        with ExitStack() as undo:
            for name, make in self.extensions:
                made = _made(f"extension {name!r}", make)
                if isinstance(made, Transform):
                    transforms.append((name, made))
                    undo.callback(made.close)
                else:
                    observers.append((name, made))
            backend = _made(f"backend {self.name!r} ({self.source})", self.backend)
            undo.callback(_release, backend)
            assembly = assemble(self.name, backend, self.api_version, observers)
            undo.pop_all()
        activity = Activity(self.name)
        return Runtime(
            name=self.name,
            hooks=Hooks(self.name, assembly),
            content=ContentChain(transforms),
            activity=activity,
            writes=WritePolicy(self.on_write_error, activity),
            epoch=process.current.epoch,
        )


def _made(what: str, make: Callable[[], object]) -> object:
    try:
        return make()
    except SessionKitError:
        raise
    except OSError as error:
        raise BackendUnavailableError(f"{what} could not be opened: {error}") from error
    except Exception as error:  # the plugin's code may raise anything
        raise PluginLoadError(f"{what} could not be made: {type(error).__name__}: {error}") from error


_CLOSE: Final = "sessionkit_close"


def _release(backend: object) -> None:
    """A backend that was opened and then refused must not keep its files and connections."""
    close = getattr(backend, _CLOSE, None)
    if callable(close) and getattr(type(backend), _CLOSE, None) is not Backend.sessionkit_close:
        close()
