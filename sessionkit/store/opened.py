"""The open store of a process, on which the parts of ``SessionStore`` stand."""

from __future__ import annotations

from sessionkit.errors import StoreClosedError
from sessionkit.store import process
from sessionkit.store.runtime import Recipe, Runtime


class OpenedStore:
    """A store that belongs to its process: in a forked child its first use opens another backend.

    Args:
        recipe: how it is made.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._runtime = recipe.make()

    def _open_runtime(self) -> Runtime:
        runtime = self._runtime
        return runtime if runtime.epoch == process.current.epoch else self._reopen()

    def _reopen(self) -> Runtime:
        """In a forked child: make a backend of the child's own. The parent's is kept, so that nothing ends it."""
        with process.current.lock:
            runtime = self._runtime
            if runtime.epoch == process.current.epoch:
                return runtime
            if runtime.activity.closed:
                raise StoreClosedError(f"the {runtime.name} store is closed; open another one with open_store()")
            self._runtime = self._recipe.make()
            process.current.inherited.append(runtime)
            return self._runtime
