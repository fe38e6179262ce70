"""The backend behind ``open_store``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sessionkit_json import JsonOptions, SessionManager, plugin

import sessionkit
from sessionkit.errors import BackendUnavailableError, WriteFailedError
from sessionkit.plugins.descriptors import Capability

KEY = "cli:direct"


def test_the_plugin_promises_persistence_and_no_durability() -> None:
    assert plugin.capabilities == {Capability.PERSISTENT}
    assert isinstance(plugin.factory(JsonOptions(path=Path("unused"), autosave=False)), SessionManager)


@pytest.mark.parametrize("url", ["json://{}", "json:{}", "json:sessions", "json:sessions?autosave=true"])
def test_a_url_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    with sessionkit.open_store(url.format(tmp_path / "sessions")) as store:
        store.add_message(KEY, "user", "hello")
    assert (tmp_path / "sessions" / "cli_direct.json").is_file()


def test_without_a_path_the_user_has_a_directory_of_the_backends_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with sessionkit.open_store("json:") as store:
        store.add_message(KEY, "user", "hello")
    found = list(Path(os.environ["XDG_DATA_HOME"]).rglob("cli_direct.json"))
    assert len(found) == 1
    assert "json" in found[0].parent.name


def test_a_store_writes_at_save(tmp_path: Path) -> None:
    with sessionkit.open_store(f"json:{tmp_path}") as store:
        store.add_message(KEY, "user", "hello")
        assert not (tmp_path / "cli_direct.json").exists()
        store.save(KEY)
        assert (tmp_path / "cli_direct.json").exists()
        session = store.get_session(KEY)
        store.summarize(KEY, session, 1, "so far")
        store.save(KEY)
        assert store.delete_session(KEY)
        assert not (tmp_path / "cli_direct.json").exists()


def test_a_store_that_cannot_save_says_so_and_keeps_the_session(tmp_path: Path) -> None:
    store = sessionkit.open_store(f"json:{tmp_path / 'sessions'}")
    store.add_message(KEY, "user", "hello")
    (tmp_path / "sessions").rename(tmp_path / "elsewhere")
    with pytest.raises(BackendUnavailableError, match=KEY):
        store.save(KEY)
    assert len(store.get_history(KEY)) == 1
    with pytest.raises(WriteFailedError, match=KEY):
        store.close()


def test_a_forked_child_writes_nothing_of_its_parents(tmp_path: Path) -> None:
    store = sessionkit.open_store(f"json:{tmp_path}")
    store.add_message(KEY, "user", "unsaved")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = len(store.get_history(KEY))
            store.close()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not (tmp_path / "cli_direct.json").exists()
    store.close()
    assert (tmp_path / "cli_direct.json").exists()


def test_a_strangers_package_in_place_of_the_core_is_told(tmp_path: Path) -> None:
    (tmp_path / "sessionkit").mkdir()
    (tmp_path / "sessionkit" / "__init__.py").write_text("")
    imported = subprocess.run(
        [sys.executable, "-c", "import sessionkit_json"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.returncode == 1
    assert "pip uninstall sessionkit" in imported.stderr.splitlines()[-1]
