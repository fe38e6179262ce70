"""``sessionkit config``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run, json_lines


def test_each_setting_is_shown_with_the_place_where_it_was_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sessionkit.toml").write_text('backend = "shared"\n[backends.shared]\nname = "n"\n')
    settings = {item["name"]: item for item in json_lines(run("config", "--json").stdout)}
    file = str(tmp_path / "sessionkit.toml")
    assert (settings["backend"]["value"], settings["backend"]["where"]) == ("shared", file)
    assert (settings["backends.shared.name"]["value"], settings["backends.shared.name"]["where"]) == ("n", file)
    assert settings["on_write_error"]["value"] == "log"
    assert settings["extensions"]["value"] == []


def test_the_environment_and_the_option_come_before_the_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sessionkit.toml").write_text('backend = "memory"\n')
    monkeypatch.setenv("SESSIONKIT_BACKEND", "shared")
    assert "SESSIONKIT_BACKEND" in run("config").stdout
    assert json_lines(run("config", "--json", "--store", "memory:").stdout)[0]["where"] == "argument"


def test_secrets_are_masked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONKIT_BACKEND", "shared")
    monkeypatch.setenv("SESSIONKIT_SHARED__TOKEN", "hunter2")
    for arguments in (("config",), ("config", "--json")):
        result = run(*arguments)
        assert "backends.shared.token" in result.stdout
        assert "hunter2" not in result.output


def test_columns_have_headings(run: Run) -> None:
    assert run("config", "--store", "memory:").stdout.splitlines()[0].split() == ["SETTING", "VALUE", "SAID", "IN"]


def test_a_configuration_that_cannot_be_used_ends_with_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sessionkit.toml").write_text("backend = 5\n")
    result = run("config", status=2)
    assert result.stderr.startswith("Error: ")
    assert str(tmp_path / "sessionkit.toml") in result.stderr
    assert len(result.stderr.splitlines()) == 1
