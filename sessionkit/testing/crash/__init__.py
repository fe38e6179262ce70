"""Cutting the power under a file backend: does everything that was acknowledged survive?

>>> from sessionkit import open_store
>>> checker = CrashChecker(open=lambda path: open_store("memory:"), second_states=0)
>>> report = checker.check([lambda store: store.add_message("cli:direct", "user", "hello")])
>>> print(report.violations[-1].found)
session 'cli:direct': no such session
"""

from sessionkit.testing.crash.checker import CrashChecker
from sessionkit.testing.crash.recording import UnrecordedChangeError
from sessionkit.testing.crash.report import Report, Violation
from sessionkit.testing.crash.running import StepError

__all__ = ["CrashChecker", "Report", "StepError", "UnrecordedChangeError", "Violation"]
