"""``sessionkit migrate``: directories of json documents, those of picoclaw too, into jsonl; also when it is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sessionkit import open_store
from sessionkit.transfer import export_sessions
from sessionkit.transfer.documents import same_json

from .killed import count_calls, run_until_killed

pytest.importorskip("rich_click", reason='the command needs the extra "cli"')
pytest.importorskip("sessionkit_json", reason="needs the json backend")
pytest.importorskip("sessionkit_jsonl", reason="needs the jsonl backend")

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"
ROUNDS = int(os.environ.get("SESSIONKIT_KILL_ROUNDS", "1"))
SEED = os.environ.get("SESSIONKIT_KILL_SEED", "2026")
MIGRATE = """
import sys
from sessionkit import open_store
from sessionkit_json.migration import migrate_documents
with open_store("jsonl:" + sys.argv[1], on_write_error="raise") as store:
    migrate_documents(sys.argv[1], store)
"""


def migrate(*arguments: str, status: int = 0) -> Result:
    from sessionkit.cli.app import cli

    result = CliRunner().invoke(cli, ["migrate", *arguments], prog_name="sessionkit")
    assert result.exit_code == status, result.output
    return result


def exported(url: str) -> dict[str, Any]:
    with open_store(url) as store:
        return {document["key"]: document for document in export_sessions(store)}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three documents, one of them damaged."""
    directory = tmp_path / "sessions"
    with open_store(f"json:{directory}") as store:
        store.update_session("a:1", messages=[{"role": "user", "content": None, "x": 1}], metadata={"m": True})
        store.update_session("a/1", messages=[{"role": "user", "content": "b"}] * 3, summary="s", aliases=["b"])
    (directory / "damaged.json").write_text('{"key": "damaged", "mess')
    return directory


@pytest.fixture(params=["picoclaw-v0.2.2-json", "picoclaw-main-json"])
def fixture(request: pytest.FixtureRequest) -> Path:
    path: Path = FIXTURES / request.param
    if not path.is_dir():
        pytest.skip(f"no picoclaw fixtures in {FIXTURES}")
    return path


@pytest.fixture
def copied(fixture: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "copied"
    shutil.copytree(fixture / "sessions", directory, copy_function=shutil.copy)
    directory.chmod(0o755)
    for path in directory.iterdir():
        path.chmod(0o644)
    return directory


def expected_of(fixture: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((fixture / "expected.json").read_bytes())
    return content


def as_picoclaw_reads(directory: Path, key: str) -> dict[str, Any]:
    """A second reader, made from the description of the format alone."""
    base = directory / key.translate(str.maketrans(":/\\", "___"))
    meta = json.loads(base.with_name(f"{base.name}.meta.json").read_bytes())
    assert (meta["key"], type(meta["skip"])) == (key, int)
    lines = [line for line in base.with_name(f"{base.name}.jsonl").read_bytes().split(b"\n") if line]
    messages = [json.loads(line) for line in lines[meta["skip"] :]]
    for message in messages:
        message.pop("_sk", None)  # picoclaw knows no such field
    return {"history": messages, "summary": meta["summary"]}


def test_the_documents_of_picoclaw_become_what_its_jsonl_store_reads(fixture: Path, copied: Path) -> None:
    expected = expected_of(fixture)
    messages = sum(len(session["history"]) for session in expected.values())
    assert migrate(str(copied)).output == f"Migrated {len(expected)} sessions ({messages} messages).\n"
    assert {key: as_picoclaw_reads(copied, key) for key in expected} == expected
    with open_store(f"jsonl:{copied}") as store:
        for path in (fixture / "sessions").iterdir():
            document = json.loads(path.read_bytes())
            session = store.get_session(document["key"])
            assert (session.created, session.updated) == (document["created"], document["updated"])
            assert (copied / f"{path.name}.migrated").read_bytes() == path.read_bytes()
            assert not (copied / path.name).exists()


def test_a_second_migration_changes_no_byte(copied: Path) -> None:
    migrate(str(copied))
    before = {path.name: path.read_bytes() for path in copied.iterdir() if path.is_file()}
    assert migrate(str(copied)).output == "Migrated 0 sessions (0 messages).\n"
    assert {path.name: path.read_bytes() for path in copied.iterdir() if path.is_file()} == before


def test_sessions_that_are_jsonl_already_lose_nothing(fixture: Path, copied: Path) -> None:
    """The directory of a picoclaw that migrated, went on, and got documents of the same keys again."""
    jsonl = Path(f"{fixture}l") / "sessions"
    if not jsonl.is_dir():
        pytest.skip(f"no picoclaw fixtures in {jsonl}")
    for path in jsonl.iterdir():
        shutil.copy(path, copied)
        (copied / path.name).chmod(0o644)
    with open_store(f"jsonl:{copied}") as store:
        store.add_message("cli:direct", "user", "one more")
    before = exported(f"jsonl:{copied}")
    result = migrate(str(copied), "--json", status=1 if "main" in fixture.name else 0)
    report = json.loads(result.stdout)
    assert report["migrated"] == 0
    assert exported(f"jsonl:{copied}") == before
    kept = {path.name for path in copied.iterdir()}
    assert all(f"{path.name}.migrated" in kept or path.name in kept for path in (fixture / "sessions").iterdir())


def test_our_own_documents_come_with_metadata_and_aliases_and_what_is_damaged_is_told(directory: Path) -> None:
    before = exported(f"json:{directory}")
    result = migrate(str(directory), status=1)
    assert result.stdout == "Migrated 2 sessions (4 messages).\n"
    assert result.stderr.startswith("Error: 1 document not migrated:\n  damaged.json: ")
    assert exported(f"jsonl:{directory}") == before
    assert exported(f"json:{directory}") == {}
    assert (directory / "damaged.json").exists()


def test_another_store_may_get_the_sessions(directory: Path, tmp_path: Path) -> None:
    before = exported(f"json:{directory}")
    migrate(str(directory), "--to", f"json:{tmp_path / 'other'}", status=1)
    assert exported(f"json:{tmp_path / 'other'}") == before


def test_documents_are_not_migrated_to_themselves(directory: Path) -> None:
    assert "sessions of that store already" in migrate(str(directory), "--to", f"json:{directory}", status=2).stderr
    assert len(exported(f"json:{directory}")) == 2


def test_a_dry_run_tells_what_would_be_done(directory: Path) -> None:
    assert migrate(str(directory), "--dry-run", status=1).stdout == "Would migrate 2 sessions (4 messages).\n"
    assert exported(f"jsonl:{directory}") == {}


def test_a_directory_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert "does not exist" in migrate(str(tmp_path / "nowhere"), status=2).stderr


def test_a_migration_that_is_killed_and_run_again_loses_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}, {ROUNDS} rounds; SESSIONKIT_KILL_SEED and SESSIONKIT_KILL_ROUNDS say others")
    chance = random.Random(SEED)
    template = tmp_path / "template"
    with open_store(f"json:{template}") as store:
        for number in range(5):
            key = f"chat:{number}" if number else "chat/1"  # two of them want one file
            messages = [{"role": "user", "content": f"{key} {n}"} for n in range(number * 400)]
            store.update_session(key, messages=messages, summary=key, aliases=[f"alias-{number}"])
    expected = exported(f"json:{template}")
    shutil.copytree(template, tmp_path / "whole")
    calls = count_calls(tmp_path / "calls", MIGRATE, str(tmp_path / "whole"))
    kills = 0
    for round_ in range(ROUNDS):
        directory = tmp_path / str(round_)
        shutil.copytree(template, directory)
        survived = chance.randrange(1, calls)
        while run_until_killed(survived, MIGRATE, str(directory)):
            kills += 1
            documents, sessions = exported(f"json:{directory}"), exported(f"jsonl:{directory}")
            assert documents.keys() | sessions.keys() == expected.keys()
            assert all(same_json(found[key], expected[key]) for found in (documents, sessions) for key in found)
            survived = chance.randrange(1, 2 * calls)
        assert exported(f"jsonl:{directory}") == expected
        assert exported(f"json:{directory}") == {}
        assert len([path for path in directory.iterdir() if path.name.endswith(".json.migrated")]) == len(expected)
    print(f"{kills} kills before one of {calls} calls")
    assert kills >= ROUNDS
