"""picoclaw's session directories as a format of the import, with the backend that reads its logs."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from sessionkit import open_store
from sessionkit.transfer import Placed, TransferReport, Unreadable, import_sessions
from sessionkit.transfer.formats import Source, read_conversations, recognise

pytest.importorskip("sessionkit_jsonl", reason="needs the jsonl backend")

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"


def _contents(directory: Path) -> dict[str, tuple[int, int, str]]:
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in directory.iterdir()
    }


def _import(directory: Path) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str], TransferReport]:
    with open_store("memory:", on_write_error="raise", extensions=[]) as store:
        report = import_sessions(store, read_conversations(directory))
        infos = list(store.list_sessions())
        histories = {info.key: [message.to_dict() for message in store.get_history(info.key)] for info in infos}
        return histories, {info.key: info.summary for info in infos}, report


@pytest.mark.skipif(not FIXTURES.exists(), reason="the directories that picoclaw wrote are not there")
@pytest.mark.parametrize("version", ["v0.2.2", "main"])
@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_a_directory_of_picoclaw_is_read_as_picoclaw_reads_it(tmp_path: Path, version: str, kind: str) -> None:
    fixture = FIXTURES / f"picoclaw-{version}-{kind}"
    expected = json.loads((fixture / "expected.json").read_bytes())
    directory = tmp_path / "sessions"
    shutil.copytree(fixture / "sessions", directory)
    directory.chmod(0o700)
    before = _contents(directory)
    with Source.opened(directory) as source:
        assert recognise(source).name == "picoclaw"
    histories, summaries, report = _import(directory)
    assert report.complete
    assert histories == {key: session["history"] or [] for key, session in expected.items()}
    assert summaries == {key: session["summary"] for key, session in expected.items()}
    assert _contents(directory) == before


@pytest.mark.skipif(not FIXTURES.exists(), reason="the directories that picoclaw wrote are not there")
@pytest.mark.parametrize("version", ["v0.2.2", "main"])
@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_what_picoclaw_wrote_is_sound_and_a_repair_leaves_it(tmp_path: Path, version: str, kind: str) -> None:
    directory = tmp_path / "sessions"
    shutil.copytree(FIXTURES / f"picoclaw-{version}-{kind}" / "sessions", directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    with open_store(f"{kind}:{directory}") as store:
        assert not any(damage.stays for damage in store.verify())
        assert not any(damage.mended for damage in store.repair())
    assert {name: (directory / name).read_bytes() for name in before} == before


def _log(directory: Path, name: str, *lines: str, **meta: Any) -> None:
    (directory / f"{name}.jsonl").write_text("".join(line + "\n" for line in lines))
    if meta:
        (directory / f"{name}.meta.json").write_text(json.dumps(meta))


HELLO, HOW, FINE = (json.dumps({"role": "user", "content": text}) for text in ("hello", "how are you", "fine"))


def test_truncated_messages_stay_away_and_the_metadata_comes_along(tmp_path: Path) -> None:
    meta = {"skip": 1, "count": 3, "summary": "They met.", "scope": {"a": 1}, "aliases": ["ann"]}
    times = {"created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z"}
    _log(tmp_path, "a_b", HELLO, HOW, FINE, key="a:b", **meta, **times)
    (placed,) = read_conversations(tmp_path)
    assert isinstance(placed, Placed)
    document = placed.document
    assert (document.key, document.summary, document.aliases) == ("a:b", "They met.", ("ann",))
    assert (document.metadata, document.created) == ({"scope": {"a": 1}}, "2026-01-02T03:04:05Z")
    assert [message.content for message in document.messages] == ["how are you", "fine"]


def test_damaged_lines_are_told_with_their_session(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _log(tmp_path, "a", HELLO, '{"role": "us', FINE, key="a")
    _log(tmp_path, "b", HELLO, key="b")
    with caplog.at_level(logging.DEBUG):
        a, b = read_conversations(tmp_path)
    assert isinstance(a, Placed)
    assert isinstance(b, Placed)
    assert a.damage == (f"1 damaged lines in {tmp_path}/a.jsonl are passed over",)
    assert b.damage == ()
    assert len(a.document.messages) == 2
    assert caplog.messages == []


def test_both_kinds_in_one_directory_are_read(tmp_path: Path) -> None:
    _log(tmp_path, "a", HELLO, key="a")
    (tmp_path / "a.json").write_text(json.dumps({"key": "a", "messages": [json.loads(HELLO)]}))
    (tmp_path / "b.json").write_text(json.dumps({"key": "b", "messages": [json.loads(HELLO)]}))
    histories, _, report = _import(tmp_path)
    assert histories.keys() == {"a", "b"}
    assert (report.imported, report.already_there) == (2, 1)


def test_the_older_document_of_a_session_never_replaces_its_log(tmp_path: Path) -> None:
    _log(tmp_path, "a", HELLO, HOW, key="a")
    (tmp_path / "a.json").write_text(json.dumps({"key": "a", "messages": [json.loads(HELLO)]}))
    histories, _, report = _import(tmp_path)
    assert len(histories["a"]) == 2
    assert report.different == ["a"]


def test_a_session_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    _log(tmp_path, "a", HELLO, key="a")
    (tmp_path / "b.jsonl").mkdir()
    (tmp_path / "c.meta.json").write_text(json.dumps({"key": "a\0b"}))
    (tmp_path / "c.jsonl").write_text(HELLO + "\n")
    read = list(read_conversations(tmp_path))
    told = [str(item) for item in read if isinstance(item, Unreadable)]
    assert [item.document.key for item in read if isinstance(item, Placed)] == ["a"]
    assert len(told) == 1
    assert f"{tmp_path}/c is left out of listings" in told[0]


def test_extensions_of_the_configuration_do_not_touch_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _log(tmp_path, "a", HELLO, key="a")
    monkeypatch.setenv("SESSIONKIT_EXTENSIONS", "encrypt")
    monkeypatch.setenv("SESSIONKIT_BACKEND", "nothing")
    (placed,) = read_conversations(tmp_path)
    assert isinstance(placed, Placed)
