"""How what was said becomes a value of an option's type, and what a value that does not fit is answered with."""

from __future__ import annotations

import enum
import math
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import msgspec
import pytest

from sessionkit.config.convert import REFUSED, allowed, convert
from sessionkit.config.layers import Said
from sessionkit.errors import ConfigError

AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Client:
    pass


class Unchecked(Protocol):
    def call(self) -> None: ...


def text(value: str, wanted: Any) -> Any:
    return convert(Said(value=value, where="x", base=Path("/base"), text=True), wanted, {"HOME": "/home/ada"})


def strict(value: Any, wanted: Any, base: Path | None = Path("/base")) -> Any:
    return convert(Said(value=value, where="x", base=base), wanted, {"HOME": "/home/ada"})


@pytest.mark.parametrize(
    ("value", "wanted", "result"),
    [
        ("8", int, 8),
        ("-8", int, -8),
        ("0.5", float, 0.5),
        ("2", float, 2.0),
        ("true", bool, True),
        ("FALSE", bool, False),
        ("1", bool, True),
        ("0", bool, False),
        ("8", str, "8"),
        ("", str, ""),
        ("null", str | None, "null"),
        ("null", int | None, None),
        ("8", int | None, 8),
        ("os", Literal["always", "os"], "os"),
        ("2", Literal[1, 2], 2),
        ("blue", Colour, Colour.BLUE),
        ("x", Any, "x"),
        ("3", AtLeastOne, 3),
    ],
)
def test_text_is_read_as_what_the_type_wants(value: str, wanted: Any, result: Any) -> None:
    assert text(value, wanted) == result
    assert type(text(value, wanted)) is type(result)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("eight", int),
        ("", int),
        (" 8", int),
        ("1_000", int),
        ("8.5", int),
        ("nan", float),
        ("maybe", bool),
        ("", bool),
        ("never", Literal["always", "os"]),
        ("0", AtLeastOne),
        ("x", Client),
        ("x", Client | None),
        ("a,b", list[str]),
    ],
)
def test_text_that_does_not_fit_is_refused(value: str, wanted: Any) -> None:
    assert text(value, wanted) is REFUSED


@pytest.mark.parametrize(
    ("value", "wanted", "result"),
    [
        (8, int, 8),
        (8, float, 8.0),
        (True, bool, True),
        (None, int | None, None),
        ("x", str | None, "x"),
        (["a"], list[str], ["a"]),
        (("a",), list[str], ["a"]),
        ({"a": 1}, dict[str, int], {"a": 1}),
        (math.inf, float, math.inf),
    ],
)
def test_a_value_of_the_type_is_taken(value: Any, wanted: Any, result: Any) -> None:
    assert strict(value, wanted) == result


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("8", int),
        (8, str),
        (8.0, int),
        (True, int),
        (1, bool),
        ("true", bool),
        (None, int),
        (0, AtLeastOne),
        (math.nan, float),
        (["a", 1], list[str]),
        ("a", list[str]),
        (8, Path),
        (True, Path | None),
    ],
)
def test_a_value_of_another_type_is_refused(value: Any, wanted: Any) -> None:
    assert strict(value, wanted) is REFUSED


def test_an_object_of_the_program_is_taken_when_it_is_of_the_type() -> None:
    client = Client()

    assert strict(client, Client) is client
    assert strict(client, Client | None) is client
    assert strict(client, Client | str) is client
    assert strict(client, Client | Path) is client
    assert strict(object(), Client | str) is REFUSED
    assert strict(client, Unchecked) is REFUSED


@pytest.mark.parametrize("read", [text, strict])
@pytest.mark.parametrize("wanted", [Path, Path | None, Annotated[Path, msgspec.Meta()]])
@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("sessions", "/base/sessions"),
        ("./sessions", "/base/sessions"),
        ("../sessions", "/base/../sessions"),
        ("/var/lib/bot", "/var/lib/bot"),
        ("~/sessions", "/home/ada/sessions"),
        ("~", "/home/ada"),
        ("a~b", "/base/a~b"),
    ],
)
def test_a_path_is_made_absolute(read: Any, wanted: Any, value: str, result: str) -> None:
    assert read(value, wanted) == Path(result)


def test_a_path_object_is_made_absolute_too() -> None:
    assert strict(Path("sessions"), Path) == Path("/base/sessions")


@pytest.mark.parametrize("value", ["", "a\0b", "~nobody-of-this-name/x"])
def test_what_names_no_place_is_no_path(value: str) -> None:
    assert strict(value, Path) is REFUSED


def test_a_relative_path_without_a_working_directory_is_refused() -> None:
    assert strict("sessions", Path, None) is REFUSED
    assert strict("/sessions", Path, None) == Path("/sessions")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (int, "a whole number"),
        (AtLeastOne, "a whole number of at least 1"),
        (AtLeastOne | None, "a whole number of at least 1"),
        (Annotated[int, msgspec.Meta(ge=1, le=10)], "a whole number of at least 1 and of at most 10"),
        (Annotated[float, msgspec.Meta(gt=0, lt=1)], "a number greater than 0 and less than 1"),
        (Annotated[int, msgspec.Meta(multiple_of=4)], "a whole number that is a multiple of 4"),
        (Annotated[str, msgspec.Meta(min_length=2)], "text with a length of at least 2"),
        (Annotated[str, msgspec.Meta(max_length=9)], "text with a length of at most 9"),
        (Annotated[str, msgspec.Meta(pattern="^a")], "text that matches ^a"),
        (Annotated[int, "of no meaning here"], "a whole number"),
        (bool, "true or false"),
        (int | str, "a whole number or text"),
        (Literal["always", "os"], "one of always, os"),
        (Colour, "one of red, blue"),
        (Path | None, "a path"),
        (list[str], "a list of text"),
        (tuple[int, ...], "a list of a whole number"),
        (list, "a list"),
        (dict[str, int], "a table"),
        (Client, "an object of the type Client, which only a mapping in the program can hold"),
    ],
)
def test_what_is_allowed_is_said_in_words(wanted: Any, said: str) -> None:
    assert allowed(wanted) == said


# In a configuration


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("durability", '"sometimes"', 'durability is "sometimes"; allowed: one of always, interval, os'),
        ("retries", "0", "retries is 0; allowed: a whole number of at least 1"),
        ("retries", '"3"', 'retries is "3"; allowed: a whole number of at least 1'),
        ("interval", "61", "interval is 61; allowed: a number greater than 0 and of at most 60"),
        ("fsync", "1", "fsync is 1; allowed: true or false"),
        ("label", "[1]", "label is [1]; allowed: text"),
        ("path", '""', 'path is ""; allowed: a path'),
        ("label", "{ a = 1 }", "label is <dict>; allowed: text"),
    ],
)
def test_a_wrong_value_in_a_file_is_named_with_what_is_allowed(
    world: Any, option: str, value: str, message: str
) -> None:
    path = world.write(world.project / "sessionkit.toml", f"[backends.probe]\n{option} = {value}\n")

    with pytest.raises(ConfigError) as error:
        world.resolve("probe:")

    assert str(error.value) == f"{path}: backends.probe.{message}"


def test_a_wrong_value_in_a_url_is_named_with_what_is_allowed(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        world.resolve("probe:?retries=none")

    assert str(error.value) == ('argument: backends.probe.retries is "none"; allowed: a whole number of at least 1')


def test_a_wrong_value_in_a_variable_is_named_with_what_is_allowed(world: Any) -> None:
    world.environ["SESSIONKIT_PROBE__FSYNC"] = "perhaps"

    with pytest.raises(ConfigError) as error:
        world.resolve("probe:")

    assert str(error.value) == (
        'environment variable SESSIONKIT_PROBE__FSYNC: backends.probe.fsync is "perhaps"; allowed: true or false'
    )


def test_a_wrong_value_that_a_higher_source_overrules_hurts_nobody(world: Any) -> None:
    world.write(world.project / "sessionkit.toml", "[backends.probe]\nretries = 0\n")

    assert world.settings("probe:?retries=2")["backends.probe.retries"] == (2, "argument")


def test_a_ready_object_is_passed_in_a_mapping(world: Any) -> None:
    world.resolve("probe:")  # imports the plugin
    client = sys.modules["probe_plugins"].Client()
    options = world.resolve({"backend": "probe", "backends": {"probe": {"client": client}}}).options

    assert options.client is client


def test_an_object_of_another_type_is_refused_without_being_shown(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        world.resolve({"backend": "probe", "backends": {"probe": {"client": Client()}}})

    assert str(error.value) == (
        "argument: backends.probe.client is <Client>; allowed: an object of the type Client, which only a mapping in "
        "the program can hold"
    )


def test_paths_of_a_file_are_relative_to_the_file(world: Any) -> None:
    world.write(world.top / "sessionkit.toml", '[backends.probe]\npath = "./sessions"\ncache = "../cache"\n')

    options = world.resolve("probe:").options

    assert (options.path, options.cache) == (world.top / "sessions", world.top / ".." / "cache")


@pytest.mark.parametrize(
    "source", ["probe:sessions", {"backend": "probe", "backends": {"probe": {"path": "sessions"}}}]
)
def test_paths_of_an_argument_are_relative_to_the_working_directory(world: Any, source: Any) -> None:
    assert world.resolve(source).options.path == world.project / "sessions"


def test_paths_of_a_variable_are_relative_to_the_working_directory(world: Any) -> None:
    world.environ["SESSIONKIT_PROBE__PATH"] = "sessions"

    assert world.resolve("probe:").options.path == world.project / "sessions"


def test_each_backend_has_a_default_directory_of_its_own(world: Any) -> None:
    settings = world.settings("my-probe:")

    assert settings["backends.my-probe.path"] == (
        world.home / ".local/share/sessionkit/my-probe",
        "built-in default",
    )


# Missing, refused, unreadable


def test_a_missing_option_says_what_it_is_and_where_to_say_it(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        world.resolve({"backend": "vault"})

    assert str(error.value) == (
        "the backend vault needs the option address (host and port of the server), and nothing says it; say "
        "backends.vault.address in sessionkit.toml, or set SESSIONKIT_VAULT__ADDRESS"
    )


def test_a_missing_option_of_an_extension_names_its_own_variable(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        world.resolve("memory:", extensions=["shade"])

    assert str(error.value) == (
        "the extension shade needs the option key, and nothing says it; say extension.shade.key in sessionkit.toml, "
        "or set SESSIONKIT_EXTENSION__SHADE__KEY"
    )


def test_without_a_home_directory_the_path_must_be_said(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessionkit.config.fill.data_directory", lambda environ: None)

    with pytest.raises(ConfigError) as error:
        world.resolve("my-probe:")

    assert str(error.value) == (
        "the backend my-probe finds no home directory to keep its files in; say backends.my-probe.path in "
        "sessionkit.toml, or set SESSIONKIT_MY_PROBE__PATH"
    )


def test_what_a_validator_says_is_shown_when_no_option_is_secret(world: Any) -> None:
    world.environ["SESSIONKIT_STRICT__EVEN"] = "3"

    with pytest.raises(ConfigError) as error:
        world.resolve("strict:")

    assert str(error.value) == (
        "the backend strict refuses its options: even is 3, which is odd (said: backends.strict.even by environment "
        "variable SESSIONKIT_STRICT__EVEN)"
    )
    assert error.value.__cause__ is None
    assert error.value.__context__ is None


def test_what_a_validator_says_is_not_shown_when_an_option_is_secret(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        world.resolve("vault://host/3")

    assert str(error.value) == (
        "the backend vault refuses its options: why is not shown, because some of them are secret (said: "
        "backends.vault.address by argument, backends.vault.database by argument)"
    )


def test_types_that_cannot_be_read_are_the_plugins_fault(world: Any) -> None:
    with pytest.raises(ConfigError) as error:
        world.resolve("unreadable:")

    assert str(error.value) == (
        "the backend unreadable: the types of its options cannot be read (name 'Missing' is not defined); report it "
        "to its authors"
    )
