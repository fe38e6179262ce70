"""Help, version, completion, and how every command ends when something goes wrong."""

from __future__ import annotations

import errno
import re
from typing import NoReturn

import click
import pytest
from click.testing import CliRunner

from sessionkit import BackendUnavailableError, ConfigError, StoreError, __version__
from sessionkit.cli.app import cli
from sessionkit.cli.errors import ReportingGroup

from .conftest import Run

COMMANDS = (
    "backends",
    "browse",
    "compact",
    "completion",
    "config",
    "copy",
    "delete",
    "demo",
    "doctor",
    "export",
    "fork",
    "import",
    "list",
    "new-backend",
    "repair",
    "search",
    "show",
    "stats",
    "summary",
    "truncate",
    "verify",
)


def test_help_names_every_command(run: Run) -> None:
    assert set(cli.commands) == set(COMMANDS)
    text = run("--help").stdout
    assert all(re.search(rf"^ {name} ", text, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_has_examples_that_it_understands(run: Run, name: str) -> None:
    help_text = run(name, "--help").stdout
    examples = re.findall(rf"^ \$ .*\bsessionkit {name}\b(?! -\))([^|>\n\")]*)", help_text, re.MULTILINE)
    assert examples
    for example in examples:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        with command.make_context(name, example.split(), resilient_parsing=True):
            pass


@pytest.mark.parametrize(
    "name",
    [
        *(
            "compact",
            "config",
            "delete",
            "doctor",
            "export",
            "fork",
            "import",
            "list",
            "repair",
            "show",
            "truncate",
            "verify",
        ),
        "summary get",
    ],
)
def test_every_command_that_opens_a_store_takes_one(run: Run, name: str) -> None:
    assert "--store" in run(*name.split(), "--help").stdout


def test_the_version_is_that_of_the_distribution(run: Run) -> None:
    assert run("--version").stdout == f"sessionkit {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.filterwarnings("ignore:Shell completion is not supported")
def test_completion_prints_a_script_for_each_shell(run: Run, shell: str) -> None:
    assert f"_SESSIONKIT_COMPLETE={shell}_complete" in run("completion", shell).stdout


def test_commands_are_completed() -> None:
    environment = {"_SESSIONKIT_COMPLETE": "bash_complete", "COMP_WORDS": "sessionkit ex", "COMP_CWORD": "1"}
    result = CliRunner().invoke(cli, [], prog_name="sessionkit", env=environment)
    assert result.stdout == "plain,export\n"


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    assert "lisst" in run("lisst", status=2).stderr


@pytest.mark.skipif(not hasattr(click, "NoSuchCommand"), reason="this click suggests nothing")
def test_the_command_that_was_meant_is_suggested(run: Run) -> None:
    assert "Did you mean 'list'?" in run("lisst", status=2).stderr


def test_an_unknown_backend_is_a_configuration_error(run: Run) -> None:
    result = run("list", "--store", "shred:x", status=2)
    assert "shared" in result.stderr
    assert result.stderr.startswith("Error: ")


def _ends_with(error: BaseException) -> tuple[int, str]:
    @click.group(cls=ReportingGroup)
    def group() -> None:
        pass

    @group.command()
    def fail() -> NoReturn:
        raise error

    result = CliRunner().invoke(group, ["fail"])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (StoreError("session 'a' is broken"), 1, "Error: session 'a' is broken\n"),
        (BackendUnavailableError("no server"), 1, "Error: no server\n"),
        (ConfigError("a\nb"), 2, "Error: a\\nb\n"),
        (PermissionError(errno.EACCES, "Permission denied", "f"), 1, "Error: f: Permission denied\n"),
        (OSError("the disk is gone"), 1, "Error: the disk is gone\n"),
        (KeyboardInterrupt(), 130, "Error: interrupted\n"),
        (EOFError(), 1, "Aborted.\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, ""),
    ],
    ids=["store", "unavailable", "configuration", "system", "system-bare", "ctrl-c", "no-answer", "pipe"],
)
def test_an_error_is_one_message_and_a_status(error: BaseException, status: int, said: str) -> None:
    assert _ends_with(error) == (status, said)


def test_an_error_of_the_program_itself_keeps_its_traceback() -> None:
    @click.group(cls=ReportingGroup)
    def group() -> None:
        pass

    @group.command()
    def fail() -> NoReturn:
        raise RuntimeError("a fault")

    assert isinstance(CliRunner().invoke(group, ["fail"]).exception, RuntimeError)
