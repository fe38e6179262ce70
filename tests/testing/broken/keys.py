"""Stores that make two keys one, or one key another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import attrs

from sessionkit.hookspecs import hookimpl
from sessionkit.sessions import SessionPage, Version
from sessionkit.state import SessionState

from .registry import caught_by
from .stores import MemoryStore


class Naming(MemoryStore):
    """Keeps each session under the name that :meth:`name` makes of its key."""

    def name(self, key: str) -> str:
        return key

    @contextmanager
    def reading(self, key: str) -> Iterator[SessionState]:
        with super().reading(self.name(key)) as state:
            yield state

    @contextmanager
    def writing(self, key: str) -> Iterator[SessionState]:
        with super().writing(self.name(key)) as state:
            yield state

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        return super().sessionkit_delete_session(self.name(key), if_version)


@caught_by("test_hostile_keys_do_not_share_a_session")
class UnderscoresForSeparators(Naming):
    """Names files by the key, with an underscore for each character that means something in a path."""

    def name(self, key: str) -> str:
        return re.sub(r"[:/\\]", "_", key)


@caught_by("test_hostile_keys_do_not_share_a_session")
class IgnoresCase(Naming):
    """Keeps files where case makes no difference."""

    def name(self, key: str) -> str:
        return key.casefold()


@caught_by("test_hostile_keys_do_not_share_a_session")
class NormalisesKeys(Naming):
    """Keeps files where composed and decomposed characters are the same."""

    def name(self, key: str) -> str:
        return unicodedata.normalize("NFC", key)


@caught_by("test_hostile_keys_do_not_share_a_session")
class CutsLongKeys(Naming):
    """Cuts keys to the length of a file's name."""

    def name(self, key: str) -> str:
        return key[:255]


@caught_by("test_hostile_keys_do_not_share_a_session")
class DropsDotsAtTheEnd(Naming):
    """Keeps files where dots and spaces at the end of a name do not count."""

    def name(self, key: str) -> str:
        return key.rstrip(". ")


@caught_by("test_a_listing_gives_every_key_as_it_was_written")
class ListsFileNames(MemoryStore):
    """Lists keys decoded from the names of files, those that never were encoded too."""

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        page = super().sessionkit_list_sessions(prefix, cursor, limit)
        return attrs.evolve(page, sessions=[attrs.evolve(info, key=unquote(info.key)) for info in page.sessions])


@caught_by("test_deleting_one_of_two_similar_keys_leaves_the_other")
class DeletesInAnyCase(MemoryStore):
    """Looks for what to delete without regard to case."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        gone = [name for name in self._states if name.casefold() == key.casefold()]
        for name in gone:
            super().sessionkit_delete_session(name, if_version)
        return bool(gone)


@caught_by("test_any_keys_are_kept_apart")
class NamesInAscii(Naming):
    """Names files by the ASCII characters of the key."""

    def name(self, key: str) -> str:
        return key.encode("ascii", "ignore").decode()
