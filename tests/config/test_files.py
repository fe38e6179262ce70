"""Which files are read, which are not trusted, and what is said of one that cannot be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from sessionkit.config import resolve
from sessionkit.errors import ConfigError

CHOICE = 'backend = "probe"\n'


def refused(world: Any, source: Any = None) -> str:
    with pytest.raises(ConfigError) as error:
        world.resolve(source)
    assert error.value.__context__ is None
    return str(error.value)


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Make a file belong to somebody else than this process's user, and return to whom."""
    if os.geteuid() == 0:
        os.chown(path, 12345, -1, follow_symlinks=False)
        return 12345
    monkeypatch.setattr(os, "geteuid", lambda: 12345)  # then everything that this user has belongs to another
    return os.getuid()


# Which one


def test_the_nearest_project_file_counts_alone(world: Any) -> None:
    world.write(world.top / "sessionkit.toml", "[backends.probe]\nretries = 5\n")
    world.write(world.project / "sessionkit.toml", CHOICE)

    assert world.settings()["backends.probe.retries"] == (3, "built-in default")


def test_the_nearest_pyproject_that_has_the_table_counts(world: Any) -> None:
    table = '[tool.sessionkit]\nbackend = "probe"\n'
    top = world.write(world.top / "pyproject.toml", table)
    world.write(
        world.project.parent / "pyproject.toml", '[project]\nname = "bot"\ndependencies = ["sessionkit-core"]\n'
    )
    world.write(world.project / "pyproject.toml", '[project]\nname = "src"\n')

    assert world.settings()["backend"] == ("probe", f"{top} [tool.sessionkit]")


def test_a_pyproject_of_which_nothing_is_ours_is_not_even_parsed(world: Any) -> None:
    world.write(world.project / "pyproject.toml", "this is no TOML")

    assert world.resolve("memory:").backend.value == "memory"


@pytest.mark.parametrize("text", ["tool = 1 # sessionkit\n", "[tool]\nother = 'sessionkit'\n"])
def test_a_pyproject_that_only_mentions_the_name_is_passed_over(world: Any, text: str) -> None:
    world.write(world.project / "pyproject.toml", text)

    assert world.resolve("memory:").backend.value == "memory"


def test_a_directory_of_the_name_is_passed_over(world: Any) -> None:
    (world.project / "sessionkit.toml").mkdir()
    path = world.write(world.top / "sessionkit.toml", CHOICE)

    assert world.settings()["backend"] == ("probe", str(path))


def test_a_pipe_of_the_name_is_passed_over(world: Any) -> None:
    os.mkfifo(world.project / "sessionkit.toml")

    assert world.resolve("memory:").backend.value == "memory"


def test_the_named_file_may_be_relative_to_the_working_directory(world: Any) -> None:
    path = world.write(world.project / "conf" / "bot.toml", CHOICE + '[backends.probe]\npath = "x"\n')
    world.environ["SESSIONKIT_CONFIG"] = "conf/bot.toml"

    assert world.settings()["backend"] == ("probe", str(path))
    assert world.settings()["backends.probe.path"] == (path.parent / "x", str(path))


def test_the_named_file_may_be_in_the_home_directory(world: Any) -> None:
    path = world.write(world.home / "bot.toml", CHOICE)
    world.environ["SESSIONKIT_CONFIG"] = "~/bot.toml"

    assert world.settings()["backend"] == ("probe", str(path))


def test_the_named_file_must_be_there(world: Any) -> None:
    world.environ["SESSIONKIT_CONFIG"] = "/no/such/file.toml"

    assert refused(world) == "environment variable SESSIONKIT_CONFIG: there is no file /no/such/file.toml"


def test_the_named_file_is_missed_even_when_nothing_is_left_to_say(world: Any) -> None:
    world.environ["SESSIONKIT_CONFIG"] = "/no/such/file.toml"

    assert "there is no file" in refused(world, "memory:")


def test_the_users_file_is_found_in_the_users_config_directory(world: Any) -> None:
    world.environ["XDG_CONFIG_HOME"] = str(world.home / "xdg")
    path = world.write(world.home / "xdg" / "sessionkit" / "sessionkit.toml", CHOICE)

    assert world.settings()["backend"] == ("probe", str(path))


# A deleted working directory


@pytest.fixture
def gone(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = world.home / "gone"
    directory.mkdir()
    monkeypatch.chdir(directory)
    directory.rmdir()


@pytest.mark.usefixtures("gone")
def test_a_deleted_working_directory_hurts_nobody_who_does_not_need_it(world: Any) -> None:
    assert resolve("probe:/var/lib/bot", environ=world.environ).options.path == Path("/var/lib/bot")


@pytest.mark.usefixtures("gone")
def test_a_relative_path_in_a_deleted_working_directory_is_refused(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        resolve("probe:sessions", environ=world.environ)

    assert str(error.value) == (
        'argument: backends.probe.path is "sessions"; allowed: a path (an absolute one, because the working '
        "directory was deleted)"
    )


@pytest.mark.usefixtures("gone")
def test_a_relative_named_file_in_a_deleted_working_directory_is_refused(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        resolve("memory:", environ={**world.environ, "SESSIONKIT_CONFIG": "bot.toml"})

    assert str(error.value) == (
        "environment variable SESSIONKIT_CONFIG: the path bot.toml is relative, and the working directory is gone"
    )


# Trust


@pytest.mark.parametrize(
    ("name", "text"),
    [("sessionkit.toml", CHOICE), ("pyproject.toml", f"[tool.sessionkit]\n{CHOICE}")],
)
def test_a_project_file_of_another_user_is_ignored_with_a_warning_and_the_search_goes_on(
    world: Any, name: str, text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the administrator can give one file of two to somebody else")
    ours = world.write(world.top / name, text)
    theirs = world.write(world.project / name, text.replace("probe", "vault"))
    owner = give_away(theirs, monkeypatch)

    backend = world.resolve().backend

    assert (backend.value, backend.where.split(" [")[0]) == ("probe", str(ours))
    assert caplog.record_tuples == [
        ("sessionkit.config", 30, f"ignoring {theirs}: it belongs to another user (uid {owner})")
    ]


def test_a_project_file_of_another_user_does_not_even_break(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(world.write(world.project / "sessionkit.toml", "nonsense"), monkeypatch)

    assert world.resolve("memory:").backend.value == "memory"


def test_a_link_of_another_user_is_not_followed(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    target = world.write(world.home / "ours.toml", 'backend = "vault"\n')
    link = world.project / "sessionkit.toml"
    link.symlink_to(target)
    give_away(link, monkeypatch)

    assert world.resolve({"backend": "memory"}).backend.value == "memory"
    assert world.resolve("probe:", on_write_error="log").settings[0].where == "argument"
    with pytest.raises(ConfigError, match="built-in default"):
        world.resolve()


def test_a_pyproject_of_another_user_that_says_nothing_of_us_is_no_reason_to_warn(
    world: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    give_away(world.write(world.project / "pyproject.toml", "[project]\n"), monkeypatch)

    world.resolve("memory:")

    assert caplog.records == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can give a file to somebody else")
def test_a_file_that_another_user_puts_in_place_before_it_is_opened_is_not_read(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = world.write(world.project / "sessionkit.toml", "nonsense")
    open_as_always = Path.open

    def exchange_and_open(path: Path, *arguments: Any, **keywords: Any) -> Any:
        if path == target:
            os.chown(path, 12345, -1)
        return open_as_always(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", exchange_and_open)

    assert world.resolve("memory:").backend.value == "memory"


def test_files_of_the_administrator_are_trusted(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.write(world.project / "sessionkit.toml", CHOICE)
    if path.stat().st_uid != 0:
        pytest.skip("only the administrator can write a file that belongs to the administrator")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    assert world.settings()["backend"] == ("probe", str(path))


def test_a_file_named_in_the_environment_may_belong_to_anybody(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.write(world.home / "named.toml", CHOICE)
    world.environ["SESSIONKIT_CONFIG"] = str(path)
    give_away(path, monkeypatch)

    assert world.settings()["backend"] == ("probe", str(path))


# What cannot be used


def test_invalid_toml_names_file_and_line(world: Any) -> None:
    path = world.write(world.project / "sessionkit.toml", 'backend = "probe"\n\nretries 3\n')

    assert refused(world) == f"{path}: line 3 is not valid TOML: Expected '=' after a key in a key/value pair"


def test_toml_that_ends_early_says_so(world: Any) -> None:
    path = world.write(world.project / "sessionkit.toml", 'backend = "pro')

    assert refused(world) == f"{path}: the end of the file is not valid TOML: Unterminated string"


def test_invalid_toml_in_a_pyproject_that_speaks_of_us_is_an_error(world: Any) -> None:
    path = world.write(world.project / "pyproject.toml", "[tool.sessionkit]\nbackend = \n")

    assert refused(world) == f"{path}: line 2 is not valid TOML: Invalid value"


def test_a_list_and_a_table_of_extensions_in_one_file_are_explained(world: Any) -> None:
    path = world.write(world.project / "sessionkit.toml", 'extensions = ["stamp"]\n[extensions.stamp]\nwidth = 4\n')

    message = refused(world)

    assert message.startswith(f"{path}: line 2 is not valid TOML: ")
    assert message.endswith("; extensions is a list, the options of one stand in [extension.NAME]")


def test_text_that_is_not_utf_8_names_file_and_line(world: Any) -> None:
    path = world.project / "sessionkit.toml"
    path.write_bytes(b'backend = "probe"\n# caf\xe9\n')

    assert refused(world) == f"{path}: line 2 is not UTF-8"


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read every file")
def test_a_file_that_may_not_be_read_is_an_error(world: Any) -> None:
    path = world.write(world.project / "sessionkit.toml", CHOICE)
    path.chmod(stat.S_IWUSR)

    assert refused(world) == f"{path}: the file cannot be read (Permission denied)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'bakend = "probe"',
            (
                "unknown key bakend; did you mean 'backend'? (known: backend, on_write_error, extensions, backends, "
                "extension; options of a backend stand in [backends.NAME])"
            ),
        ),
        (
            'xyz = "probe"',
            (
                "unknown key xyz (known: backend, on_write_error, extensions, backends, extension; options of a "
                "backend stand in [backends.NAME])"
            ),
        ),
        ("backends = 3", "backends is not a table; options stand in [backends.NAME]"),
        ("[backends]\nprobe = 3", "backends.probe is not a table; options stand in [backends.NAME]"),
        ("extension = 3", "extension is not a table; options stand in [extension.NAME]"),
        (
            "[extensions.stamp]\nwidth = 3",
            (
                "extensions is a list of names, in the order in which they are used; the options of one stand in "
                "[extension.NAME]"
            ),
        ),
        ("backend = 3", "backend is 3; allowed: the name of a backend"),
        (
            'backend = "redis://localhost"',
            "backend is a name, such as jsonl; a URL is said in SESSIONKIT_URL or to open_store()",
        ),
        ('on_write_error = "ignore"', 'on_write_error is "ignore"; allowed: one of log, raise'),
        ("on_write_error = true", "on_write_error is true; allowed: one of log, raise"),
        ('extensions = "stamp"', 'extensions is "stamp"; allowed: a list of names'),
        ('extensions = ["Stamp"]', 'extensions is ["Stamp"]; allowed: a list of names'),
        ("extensions = [1]", "extensions is [1]; allowed: a list of names"),
        ('extensions = ["stamp", "stamp"]', "extensions names stamp twice; an extension is used once"),
        ("[backends.probe]\ndistribution = 3", "backends.probe.distribution is 3; allowed: text"),
        (
            "[backends.probe]\nretrys = 3",
            (
                "unknown key backends.probe.retrys; did you mean 'retries'? (options: cache, client, durability, "
                "fsync, interval, label, path, retries, tags, ttl)"
            ),
        ),
        (
            "[backends.prob]\nretries = 3",
            (
                "options of the backend prob, which is not installed; did you mean 'probe'? (installed: memory, "
                "my-probe, probe, strict, twin, unreadable, vault)"
            ),
        ),
        (
            "[extension.stampp]\nwidth = 3",
            "options of the extension stampp, which is not installed; did you mean 'stamp'? (installed: shade, stamp)",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_the_file(world: Any, text: str, message: str) -> None:
    rest = "" if text.startswith("backend =") else CHOICE
    path = world.write(world.project / "sessionkit.toml", f"{rest}{text}\n")

    assert refused(world) == f"{path}: {message}"


def test_the_table_of_a_pyproject_must_be_a_table(world: Any) -> None:
    path = world.write(world.project / "pyproject.toml", "[tool]\nsessionkit = 3\n")

    assert refused(world) == f"{path}: tool.sessionkit is not a table"


def test_unknown_keys_are_told_before_wrong_values_and_missing_ones(world: Any) -> None:
    world.write(
        world.project / "sessionkit.toml", 'backend = "vault"\n[backends.vault]\ndatabase = "x"\nadress = "y"\n'
    )

    assert "unknown key backends.vault.adress; did you mean 'address'?" in refused(world)


def test_an_unknown_key_is_told_in_whatever_source_it_is(world: Any) -> None:
    path = world.write(world.user_file, "[backends.probe]\nnothing = 3\n")

    assert refused(world, "probe:?retries=3").startswith(f"{path}: unknown key backends.probe.nothing")


def test_options_of_a_backend_that_is_installed_elsewhere_are_no_error(world: Any) -> None:
    world.write(world.project / "sessionkit.toml", '[backends.mongo]\nhost = "h"\n[backends.redis]\nhost = "h"\n')

    assert world.resolve("memory:").backend.value == "memory"


def test_options_of_a_backend_that_the_file_chose_are_no_error_when_it_is_overruled(world: Any) -> None:
    world.write(world.project / "sessionkit.toml", 'backend = "probes"\n[backends.probes]\nhost = "h"\n')

    assert world.resolve("memory:").backend.value == "memory"


def test_a_file_that_was_changed_is_read_anew(world: Any) -> None:
    path = world.write(world.project / "sessionkit.toml", 'backend = "probe"\n[backends.probe]\nretries = 4\n')
    world.resolve()
    path.write_text(path.read_text().replace("4", "5"))

    assert world.resolve().options.retries == 5
