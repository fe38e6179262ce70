"""Conversations as pages for people: ``sessionkit export --format html`` and ``--format markdown``.

What stands in a conversation was written by models and strangers. A page takes none of it for its own: no element, no
attribute and no link scheme comes from there, and what an eye could be deceived by is shown as an escape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from sessionkit.messages import Message
from sessionkit.sessions import Session


class Page(Protocol):
    """A file that shows conversations, written bit by bit."""

    def begin(self, title: str) -> str:
        """What stands before the first conversation."""

    def conversation(self, session: Session, batches: Iterable[list[Message]]) -> Iterator[str]:
        """One conversation.

        Args:
            session: what is known of it without its messages.
            batches: its messages, oldest first.
        """

    def end(self) -> str:
        """What stands behind the last conversation."""


def make_page(name: str) -> Page:
    """The page of a format, ``"html"`` or ``"markdown"``."""
    if name == "html":
        from sessionkit.cli.pages.html import HtmlPage

        return HtmlPage()
    from sessionkit.cli.pages.markdown import MarkdownPage

    return MarkdownPage()
