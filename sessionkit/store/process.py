"""Which process this is: a number that changes in a forked child, at no cost for whoever compares it."""

from __future__ import annotations

import os
import threading


class _Process:
    """The current process. Code compares ``epoch`` with the one it remembers."""

    def __init__(self) -> None:
        self.epoch = 0
        self.lock = threading.RLock()  # what a store is made of may use another inherited store
        self.inherited: list[object] = []

    def begin_again(self) -> None:
        """In a forked child: locks may have been held by threads that are not there."""
        self.epoch += 1
        self.lock = threading.RLock()


current = _Process()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=current.begin_again)
