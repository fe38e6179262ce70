"""``sessionkit doctor``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run, json_lines

SECTIONS = ["environment", "configuration", "plugins", "store"]


def test_a_sound_store_has_no_problem_and_the_status_is_0(run: Run) -> None:
    lines = run("doctor", "--store", "memory:").stdout.splitlines()
    assert [line for line in lines if line in SECTIONS] == SECTIONS
    assert any(line.split()[:2] == ["ok", "keeping"] for line in lines)
    assert lines[-1].startswith("0 problems, ")


def test_a_warning_says_what_to_do_and_leaves_the_status_at_0(run: Run) -> None:
    lines = run("doctor", "--store", "memory:").stdout.splitlines()
    (number,) = [number for number, line in enumerate(lines) if line.split()[:3] == ["warning", "backend", "broken"]]
    assert lines[number + 1].strip() == "→ reinstall, upgrade or uninstall shared-backend"


def test_a_problem_makes_the_status_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sessionkit.toml").write_text('backend = "nowhere"\n')
    result = run("doctor", status=1)
    assert "1 problem, " in result.stdout.splitlines()[-1]
    assert "'nowhere'" in result.stdout


def test_json_has_an_object_for_each_finding(run: Run) -> None:
    findings = json_lines(run("doctor", "--store", "memory:", "--json").stdout)
    assert {tuple(finding) for finding in findings} == {("section", "level", "check", "found", "advice")}
    assert list(dict.fromkeys(finding["section"] for finding in findings)) == SECTIONS
    assert [f["level"] for f in findings if f["check"] == "keeping"] == ["ok"]


def test_the_value_of_a_secret_option_is_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONKIT_SHARED__TOKEN", "s3cret")
    for arguments in (["doctor", "--store", "shared:tests"], ["doctor", "--store", "shared:tests", "--json"]):
        output = run(*arguments).output
        assert "backends.shared.token" in output
        assert "s3cret" not in output


def test_what_is_found_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "evil\x1b[2J"
    directory.mkdir()
    (directory / "sessionkit.toml").write_text('backend = "memory"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        for arguments in (["doctor"], ["doctor", "--json"]):
            assert "\x1b" not in run(*arguments).stdout
