"""Random schedules of several processes on one directory: does each see what some order of their operations gives?"""

from sessionkit.testing.schedules.checker import Report, ScheduleChecker, Violation

__all__ = ["Report", "ScheduleChecker", "Violation"]
