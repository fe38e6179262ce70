"""The command as a process: entry points, pipes, colours, Ctrl-C, and the extra that it needs."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sessionkit import __version__, open_store

MODULE = [sys.executable, "-m", "sessionkit"]
COLOURS = ("\x1b[31m", "\x1b[36m", "\x1b[1;31m")


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(command), env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )


def _on_a_terminal(*command: str, **environment: str) -> str:
    """What a program prints to a terminal of 80 columns."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        list(command),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"} | environment,
    )
    os.close(terminal)
    printed = b""
    with contextlib.suppress(OSError):  # how Linux says that the program has closed the terminal
        while chunk := os.read(controller, 65536):
            printed += chunk
    os.close(controller)
    process.wait(60)
    return printed.decode("utf-8")


def test_the_module_and_the_script_are_the_same_command() -> None:
    script = Path(sys.executable).with_name("sessionkit")
    if not script.exists():
        pytest.skip("the script is not installed beside this Python")
    assert _run(str(script), "--version").stdout == _run(*MODULE, "--version").stdout == f"sessionkit {__version__}\n"


@pytest.mark.parametrize("missing", ["rich_click", "rich", "click"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from sessionkit.__main__ import main; main()"
    done = _run(sys.executable, "-c", code)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'pip install "sessionkit-core[cli]"' in done.stderr


def test_a_pipe_gets_no_colour() -> None:
    done = _run(*MODULE, "--help", TERM="xterm-256color")
    assert "\x1b" not in done.stdout


def test_a_terminal_gets_colour() -> None:
    assert any(colour in _on_a_terminal(*MODULE, "config", "--store", "memory:") for colour in COLOURS)


@pytest.mark.parametrize("arguments", [("config", "--store", "memory:"), ("show", "x", "--store", "memory:")])
def test_no_color_is_respected_on_a_terminal(arguments: tuple[str, ...]) -> None:
    printed = _on_a_terminal(*MODULE, *arguments, NO_COLOR="1")
    assert printed
    assert not any(colour in printed for colour in COLOURS)


def test_an_import_on_a_terminal_shows_its_progress(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text(json.dumps({"key": "a", "messages": []}))
    printed = _on_a_terminal(*MODULE, "import", str(tmp_path / "f.jsonl"), "--store", "memory:")
    assert "Importing" in printed
    assert "Imported 1 session (0 messages)." in printed


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("list", "--help"), ("backends",)])
def test_a_full_disk_is_told(arguments: tuple[str, ...]) -> None:
    command = [*MODULE, *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, f"Error: {os.strerror(errno.ENOSPC)}\n")


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the stream")
def test_without_standard_error_nothing_is_told_on_standard_output() -> None:
    done = _run("sh", "-c", 'exec "$0" "$@" 2>&-', *MODULE, "--nonsense")
    assert (done.returncode, done.stdout) == (2, "")


def test_help_for_a_pipe_has_colour_where_it_is_forced() -> None:
    assert "\x1b[" in _run(*MODULE, "list", "--help", FORCE_COLOR="1").stdout
    assert "\x1b" not in _run(*MODULE, "list", "--help").stdout


def test_a_closed_pipe_is_quiet() -> None:
    process = subprocess.Popen([*MODULE, "completion", "bash"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait(60) == 1


def test_a_terminal_that_cannot_show_a_character_gets_its_escape(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text(json.dumps({"key": "日", "messages": 5}), "utf-8")
    done = _run(*MODULE, "import", str(tmp_path / "f.jsonl"), "--store", "memory:", PYTHONIOENCODING="latin-1")
    assert done.returncode == 1
    assert "session '\\u65e5'" in done.stderr


def test_a_listing_for_a_pipe_escapes_what_the_encoding_of_the_pipe_cannot_hold(tmp_path: Path) -> None:
    pytest.importorskip("sessionkit_jsonl")
    with open_store(f"jsonl:{tmp_path}") as store:
        store.add_message("日", "user", "hello")
    done = _run(*MODULE, "list", "--store", f"jsonl:{tmp_path}", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith("\\u65e5 ")


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the output")
@pytest.mark.parametrize(
    ("command", "status", "told"), [("list", 0, ""), ("export a", 2, "standard output is closed; say with --output")]
)
def test_where_the_output_was_closed_before_nothing_is_listed_nor_exported(
    tmp_path: Path, command: str, status: int, told: str
) -> None:
    pytest.importorskip("sessionkit_jsonl")
    with open_store(f"jsonl:{tmp_path}") as store:
        store.add_message("a", "user", "hello")
    done = _run("sh", "-c", '"$@" >&-', "sh", *MODULE, *command.split(), "--store", f"jsonl:{tmp_path}")
    assert done.returncode == status
    assert (told in done.stderr) if told else not done.stderr


def test_ctrl_c_ends_an_import_with_130_and_tells_how_far_it_came(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [*MODULE, "import", str(tmp_path / "pipe"), "--store", "memory:"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - it touches nothing that a thread could hold
    )
    with (tmp_path / "pipe").open("wb", buffering=0) as pipe:
        pipe.write(b'{"key": "a", "messages": []}\n')
        _wait_until_it_reads(process, pipe)
        process.send_signal(signal.SIGINT)
        printed, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert told.splitlines() == [
        "Until then: imported 1 session (0 messages). Import the file again to complete it.",
        "Error: interrupted",
    ]


def _heed_interrupts() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _wait_until_it_reads(process: subprocess.Popen[Any], pipe: Any) -> None:
    """A pipe takes a megabyte more than it holds only from a writer whose reader reads on: past the first line."""
    pipe.write(b"\n" * 1_000_000)
    assert process.poll() is None


def test_a_listing_for_a_pipe_loads_nothing_to_draw_with_and_no_other_command() -> None:
    code = (
        "import sys; from sessionkit.cli.app import cli; "
        "cli(['list', '--store', 'memory:'], standalone_mode=False); "
        "needless = {'rich', 'rich_click', 'sessionkit.cli.exporting', 'sessionkit.cli.search'} & set(sys.modules); "
        "sys.exit(f'loaded: {needless}' if needless else 0)"
    )
    done = _run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr


def test_help_loads_no_store() -> None:
    code = (
        "import sys; from sessionkit.cli.app import cli; cli(['--help'], standalone_mode=False); "
        "heavy = {'sessionkit.store', 'sessionkit.transfer', 'sessionkit.config'} & set(sys.modules); "
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = _run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
