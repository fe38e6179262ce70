"""Looks at everything that a store depends on: where it runs, what is configured, what is installed, the storage."""

from sessionkit.doctor.examining import Section, examine

__all__ = ["Section", "examine"]
