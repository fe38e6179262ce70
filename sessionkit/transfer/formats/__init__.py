"""Formats that conversations come in, and go out in: one module each, and the registry."""

from sessionkit.transfer.formats.format import Format, Losses, Writer
from sessionkit.transfer.formats.registry import FORMATS, find_format, read_conversations, read_source, recognise
from sessionkit.transfer.formats.source import Source

__all__ = [
    "FORMATS",
    "Format",
    "Losses",
    "Source",
    "Writer",
    "find_format",
    "read_conversations",
    "read_source",
    "recognise",
]
