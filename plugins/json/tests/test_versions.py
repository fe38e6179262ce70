"""Tokens of version and generation: never repeated, and as lasting as the documents."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sessionkit_json import SessionManager

from sessionkit.errors import VersionConflict
from sessionkit.sessions import ABSENT, UNCHANGED, Version

from .conftest import Reopen

KEY = "cli:direct"
NAME = "cli_direct.json"


def _version(manager: SessionManager) -> Version:
    return manager.sessionkit_get_session(KEY, 0).version


def _set_summary(manager: SessionManager, if_version: Version) -> Version:
    return manager.sessionkit_update_session(
        KEY, UNCHANGED, "so far", UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, if_version, ""
    )


def _rewrite(directory: Path, **changes: Any) -> None:
    path = directory / NAME
    fields = json.loads(path.read_bytes())
    fields.update(changes)
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))


def test_saving_and_opening_again_is_no_change(manager: SessionManager, reopen: Reopen) -> None:
    version = manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    assert _version(manager) == version
    assert reopen().sessionkit_get_session(KEY, None) == manager.sessionkit_get_session(KEY, None)
    _set_summary(reopen(), if_version=version)


def test_a_version_is_never_repeated_not_even_after_deletion(manager: SessionManager, reopen: Reopen) -> None:
    seen = {ABSENT}
    current = manager
    for round_ in range(3):
        for version in (
            current.add_message(KEY, "user", "one"),
            current.set_history(KEY, []),
            current.set_summary(KEY, "same"),
            current.set_summary(KEY, "same"),
        ):
            assert version not in seen
            seen.add(version)
        current.close()
        current = reopen()
        if round_ == 1:
            current.sessionkit_delete_session(KEY, None)


def test_the_version_of_an_unsaved_state_that_was_lost_is_not_given_again(
    manager: SessionManager, reopen: Reopen
) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    lost = manager.add_message(KEY, "user", "two")
    other = reopen()
    assert other.add_message(KEY, "user", "two") != lost
    with pytest.raises(VersionConflict):
        _set_summary(other, if_version=lost)


def test_the_generation_outlives_appends_and_reopening(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "one")
    generation = manager.sessionkit_get_session(KEY, 0).generation
    manager.close()
    other = reopen()
    other.add_message(KEY, "user", "two")
    other.close()
    assert reopen().sessionkit_get_session(KEY, 0).generation == generation
    other = reopen()
    other.truncate_history(KEY, 1)
    other.close()
    assert reopen().sessionkit_get_session(KEY, 0).generation != generation


@pytest.mark.parametrize(
    "changes",
    [
        {"sessionkit": None},
        {"sessionkit": "mine"},
        {"summary": "by hand"},
        {"messages": [{"role": "user", "content": "by hand"}]},
        {"x": 1},
    ],
    ids=["by a program that drops our field", "our field destroyed", "summary", "messages", "a field added"],
)
def test_a_document_rewritten_by_others_is_another_version(
    directory: Path, manager: SessionManager, reopen: Reopen, changes: dict[str, Any]
) -> None:
    version = manager.add_message(KEY, "user", "one")
    generation = manager.sessionkit_get_session(KEY, 0).generation
    manager.close()
    _rewrite(directory, **changes)
    for look in (manager, reopen()):
        session = look.sessionkit_get_session(KEY, 0)
        assert session.version != version
        assert session.generation != generation
        with pytest.raises(VersionConflict):
            _set_summary(look, if_version=version)


def test_the_version_of_a_foreign_document_lasts_until_it_changes(
    directory: Path, manager: SessionManager, reopen: Reopen
) -> None:
    manager.add_message(KEY, "user", "one")
    manager.close()
    _rewrite(directory, sessionkit=None)
    version = _version(reopen())
    assert _version(reopen()) == version
    _rewrite(directory, summary="changed")
    assert _version(reopen()) != version


def test_other_white_space_is_no_change(directory: Path, manager: SessionManager, reopen: Reopen) -> None:
    version = manager.add_full_message(KEY, {"role": "user", "content": "one", "x": [1e22, "\ud800", {}]})
    manager.close()
    _rewrite(directory)
    assert _version(reopen()) == version


def test_a_deletion_on_condition_heeds_what_another_process_saved(manager: SessionManager, reopen: Reopen) -> None:
    version = manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    other = reopen()
    other.add_message(KEY, "user", "two")
    other.save(KEY)
    with pytest.raises(VersionConflict):
        manager.sessionkit_delete_session(KEY, version)
    assert [message.text for message in reopen().get_history(KEY)] == ["one", "two"]


def test_a_deletion_of_an_unsaved_state_heeds_what_another_process_saved(
    manager: SessionManager, reopen: Reopen
) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    unsaved = manager.add_message(KEY, "user", "mine")
    other = reopen()
    other.add_message(KEY, "user", "theirs")
    other.save(KEY)
    with pytest.raises(VersionConflict):
        manager.sessionkit_delete_session(KEY, unsaved)
    manager.save(KEY)
    assert [message.text for message in reopen().get_history(KEY)] == ["one", "theirs", "mine"]


def test_a_deletion_on_condition_trusts_no_fingerprint(directory: Path, manager: SessionManager) -> None:
    version = manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    path = directory / NAME
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"one", b"two"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(VersionConflict):
        manager.sessionkit_delete_session(KEY, version)
    assert path.exists()


@pytest.mark.parametrize("saved", [True, False])
def test_a_deletion_in_the_state_that_was_read_is_done(directory: Path, manager: SessionManager, saved: bool) -> None:
    version = manager.add_message(KEY, "user", "one")
    if saved:
        manager.save(KEY)
    assert manager.sessionkit_delete_session(KEY, version)
    assert not (directory / NAME).exists()
    assert not manager.get_history(KEY)


def test_a_deletion_on_condition_without_a_directory() -> None:
    manager = SessionManager()
    version = manager.add_message(KEY, "user", "one")
    with pytest.raises(VersionConflict):
        manager.sessionkit_delete_session(KEY, ABSENT)
    assert manager.sessionkit_delete_session(KEY, version)


def test_the_time_of_creation_is_kept_for_ever(manager: SessionManager, reopen: Reopen) -> None:
    created = manager.get_or_create(KEY).created
    manager.close()
    other = reopen()
    other.add_message(KEY, "user", "one")
    other.set_history(KEY, [])
    other.close()
    assert reopen().get_or_create(KEY).created == created
