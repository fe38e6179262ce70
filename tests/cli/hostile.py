"""Texts that try to steer a terminal, or the eye of its reader."""

from __future__ import annotations

HOSTILE = {
    "OSC 52, which writes to the clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "OSC 8, a hyperlink": "\x1b]8;;https://example.com\x1b\\click\x1b]8;;\x1b\\",
    "OSC 0, the window's title": "\x1b]0;title\x07",
    "CSI, colours": "\x1b[31mred\x1b[0m",
    "CSI, clears the screen": "\x1b[2J\x1b[H",
    "DCS": "\x1bP1;1|17/41\x1b\\",
    "C1 CSI": "\x9b31m",
    "C1 OSC": "\x9d52;c;cm0=\x9c",
    "a carriage return, which overwrites the line": "real\rfake",
    "backspaces, which overwrite": "real\x08\x08\x08\x08fake",
    "NUL, BEL, DEL": "\x00\x07\x7f",
    "vertical tab and form feed": "\x0b\x0c",
    "bidirectional overrides": "\u202e\u2066txt.exe\u2069\u202c",
    "bidirectional marks": "\u200e\u200f\u061c",
    "line and paragraph separators": "\u2028\u2029\x85",
    "invisible characters": "\u200b\u2060\ufeff\u00ad",
    "invisible tags": "\U000e0041\U000e0042",
    "a lone surrogate": "\ud800",
}

MARKUP = "[red]red[/red] [/] [link=https://example.com]here[/link] \\[bold] :smile: [b"
"""Text that rich would take for markup. It is harmless, and must appear as it is."""

FORBIDDEN = frozenset("".join(HOSTILE.values())) - frozenset(map(chr, range(0x20, 0x7F)))
"""Characters that never reach a terminal."""
