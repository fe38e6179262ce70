"""A backend for tests: sessions in memory that outlive the store, so that one command sees what another wrote."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sessionkit.errors import CorruptSessionError
from sessionkit.hookspecs import hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.plugins.descriptors import BackendPlugin
from sessionkit.plugins.options import option
from sessionkit.plugins.urls import StoreURL
from sessionkit.sessions import Session, SessionPage


@attrs.frozen(kw_only=True)
class SharedOptions:
    name: str = option(default="", help="which of the stores of this process")
    token: str | None = option(default=None, secret=True, help="opens nothing")


class SharedBackend(MemoryBackend):
    """Sessions whose key begins with ``corrupt`` cannot be read, and ``unlisted`` ones not even be listed."""

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        if key.startswith("corrupt"):
            raise CorruptSessionError(f"session {key!r} cannot be read")
        return super().sessionkit_get_session(key, limit)

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        page = super().sessionkit_list_sessions(prefix, cursor, limit)
        left_out = [info.key for info in page.sessions if info.key.startswith("unlisted")]
        return attrs.evolve(
            page,
            sessions=[info for info in page.sessions if info.key not in left_out],
            unreadable=[f"the document of {key} is damaged" for key in left_out],
        )


_stores: dict[str, SharedBackend] = {}


def _make(options: SharedOptions) -> SharedBackend:
    return _stores.setdefault(options.name, SharedBackend())


def _read_url(url: StoreURL) -> Mapping[str, str]:
    return {"name": url.rest} if url.rest else {}


plugin = BackendPlugin(options=SharedOptions, factory=_make, read_url=_read_url)
