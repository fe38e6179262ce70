"""``sessionkit backends``."""

from __future__ import annotations

from .conftest import Run, json_lines


def test_each_backend_is_listed_with_its_distribution(run: Run) -> None:
    lines = run("backends", status=1).stdout.splitlines()
    assert lines[0].split() == ["BACKEND", "DISTRIBUTION", "VERSION", "PROMISES"]
    assert ["shared", "shared-backend", "1.0"] in [line.split() for line in lines]
    assert ["memory", "sessionkit-core"] in [line.split()[:2] for line in lines]


def test_a_broken_one_is_told_with_its_error_and_the_others_stay(run: Run) -> None:
    result = run("backends", status=1)
    assert "broken, see below" in next(line for line in result.stdout.splitlines() if line.startswith("broken"))
    assert "shared_backend_that_is_not_there" in result.stderr
    assert "ModuleNotFoundError" in result.stderr


def test_json_tells_the_same(run: Run) -> None:
    backends = {backend["name"]: backend for backend in json_lines(run("backends", "--json", status=1).stdout)}
    assert backends["shared"] == {
        "name": "shared",
        "distribution": "shared-backend",
        "version": "1.0",
        "entry_point": "shared_backend:plugin",
        "capabilities": [],
        "error": None,
    }
    assert "shared_backend_that_is_not_there" in backends["broken"]["error"]
