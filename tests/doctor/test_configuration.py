"""What is configured: files, variables, settings, and what is passed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sessionkit.doctor.configuration import check_configuration
from sessionkit.findings import Finding, Level


def found(findings: list[Finding], check: str) -> list[str]:
    return [finding.found for finding in findings if finding.check == check]


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), **variables}


def test_without_any_configuration_the_default_is_told(tmp_path: Path) -> None:
    findings, configuration = check_configuration("memory:", environ=environment(tmp_path), cwd=tmp_path)
    assert configuration is not None
    assert found(findings, "files")[0].startswith("there is no sessionkit.toml")
    assert {finding.level for finding in findings} == {Level.OK}


def test_each_file_is_told_with_how_much_of_it_counts(tmp_path: Path) -> None:
    file = tmp_path / "sessionkit.toml"
    file.write_text('backend = "memory"\non_write_error = "raise"\n')
    findings, _ = check_configuration(None, environ=environment(tmp_path), cwd=tmp_path)
    assert found(findings, "file") == [f"{file}: 2 settings of it count"]
    assert f'backend = "memory" ({file})' in found(findings, "setting")


def test_a_file_that_something_else_covers_is_told(tmp_path: Path) -> None:
    file = tmp_path / "sessionkit.toml"
    file.write_text('backend = "memory"\n')
    findings, _ = check_configuration("memory:", environ=environment(tmp_path), cwd=tmp_path)
    assert found(findings, "file") == [f"{file}: nothing of it counts here"]


def test_variables_are_named_without_their_values(tmp_path: Path) -> None:
    environ = environment(tmp_path, SESSIONKIT_ON_WRITE_ERROR="raise", SESSIONKIT_EXTENSIONS="", OTHER="x")
    findings, _ = check_configuration("memory:", environ=environ, cwd=tmp_path)
    assert found(findings, "variables") == ["SESSIONKIT_ON_WRITE_ERROR"]


def test_a_configuration_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "sessionkit.toml").write_text('backend = "memory"\non_write_error = "hope"\n')
    findings, configuration = check_configuration(None, environ=environment(tmp_path), cwd=tmp_path)
    assert configuration is None
    assert [finding.level for finding in findings] == [Level.PROBLEM]
    assert "on_write_error is" in findings[0].found


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_told_as_ignored(tmp_path: Path) -> None:
    file = tmp_path / "sessionkit.toml"
    file.write_text('backend = "memory"\n')
    os.chown(file, 12345, -1)
    findings, _ = check_configuration("memory:", environ=environment(tmp_path), cwd=tmp_path)
    (ignored,) = [finding for finding in findings if finding.check == "ignored file"]
    assert ignored.level is Level.WARNING
    assert ignored.found == f"ignoring {file}: it belongs to another user (uid 12345)"
