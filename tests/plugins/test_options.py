"""The fields of an options class."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from sessionkit.plugins.options import OptionInfo, directory_option, option, option_info


@attrs.frozen(kw_only=True)
class Options:
    path: Path = directory_option(help="where")  # noqa: RUF009 - it makes a field
    password: str = option(secret=True)
    ttl: int = option(default=7, help="days", validator=attrs.validators.ge(1))
    plain: str = attrs.field(default="x")


def test_what_is_known_of_an_option_is_found() -> None:
    assert {field.name: option_info(field) for field in attrs.fields(Options)} == {
        "path": OptionInfo(help="where", directory=True),
        "password": OptionInfo(secret=True),
        "ttl": OptionInfo(help="days"),
        "plain": OptionInfo(),
    }


def test_a_secret_is_not_shown() -> None:
    options = Options(path=Path("p"), password="hunter2")
    assert "hunter2" not in repr(options)
    assert "ttl=7" in repr(options)


def test_an_option_without_a_default_must_be_said() -> None:
    with pytest.raises(TypeError, match="password"):
        Options(path=Path("p"))


def test_a_validator_refuses() -> None:
    with pytest.raises(ValueError, match="ttl"):
        Options(path=Path("p"), password="", ttl=0)
