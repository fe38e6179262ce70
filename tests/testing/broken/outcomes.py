"""A pytest plugin that writes down how each clause ended on each store, and which hooks it called with what.

Loaded before anything else, it also makes hypothesis repeat itself, and stop at the first example that fails.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "broken",
    deadline=None,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    report_multiple_bugs=False,
)
hypothesis.settings.load_profile("broken")

_NEUTRAL = ("None", "UNCHANGED")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, required=True, help="the file to write")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Outcomes(config.getoption("--outcomes")))


class Outcomes:
    """Collects the outcomes of one run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: list[dict[str, Any]] = []
        self._uses: dict[str, set[str]] = {}
        self._store = ""
        self._watch_hooks()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "call" or report.outcome != "passed":
            self._outcomes.append(
                {
                    "store": self._store,
                    "clause": getattr(item, "originalname", item.name),
                    "when": report.when,
                    "outcome": report.outcome,
                    "error": call.excinfo.typename if call.excinfo else "",
                    "message": str(report.longrepr),
                }
            )
        return report

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._store = item.cls.kind.__name__  # type: ignore[attr-defined] # only suites are collected

    def pytest_sessionfinish(self) -> None:
        uses = {store: sorted(found) for store, found in self._uses.items()}
        self._path.write_text(json.dumps({"outcomes": self._outcomes, "uses": uses}))

    def _watch_hooks(self) -> None:
        from sessionkit.plugins.implementations import PARAMETERS
        from sessionkit.store.hooks import Hooks

        for hook in PARAMETERS:
            name = hook.removeprefix("sessionkit_")
            setattr(Hooks, name, self._watched(hook, getattr(Hooks, name)))

    def _watched(self, hook: str, function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            uses = self._uses.setdefault(self._store, set())
            uses.add(hook)
            for name, value in signature.bind(*args, **kwargs).arguments.items():
                if repr(value) not in _NEUTRAL:
                    uses.add(f"{hook}({name})")
            return function(*args, **kwargs)

        return call
