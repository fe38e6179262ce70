"""Cutting the power under a file backend: does everything that was acknowledged survive?

>>> from sessionkit import open_store
>>> from sessionkit.testing.crash import CrashChecker
>>> checker = CrashChecker(open=lambda path: open_store("memory:"), acknowledged="save")
>>> report = checker.check([lambda store: store.add_message("cli:direct", "user", "hello")])
>>> len(report.violations)  # closing the store should have saved the message; memory forgets
1
"""

from sessionkit.testing.crash.checker import CrashChecker
from sessionkit.testing.crash.recording import UnrecordedChangeError
from sessionkit.testing.crash.report import Report, Violation
from sessionkit.testing.crash.running import StepError

__all__ = ["CrashChecker", "Report", "StepError", "UnrecordedChangeError", "Violation"]
