"""What a part of the core logs as a warning while it is asked for something."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Listener(logging.Handler):
    """Keeps what one thread logs. Other threads of the program may use the same loggers meanwhile."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(record.getMessage())


@contextmanager
def hearing(*names: str) -> Iterator[list[str]]:
    """The warnings that this thread logs to these loggers inside the block. They go to other handlers as always.

    >>> with hearing("sessionkit.config") as heard:
    ...     logging.getLogger("sessionkit.config").warning("ignoring %s", "a file")
    >>> heard
    ['ignoring a file']
    """
    listener = _Listener()
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield listener.lines
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
