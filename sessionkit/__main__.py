"""The command ``sessionkit``, also as ``python -m sessionkit``."""

from __future__ import annotations

import gc
import sys
from importlib.util import find_spec

_EXTRA = ("click", "rich", "rich_click")
"""Of what the extra brings, what every command may need: it is missed before one begins, not in the middle."""

_OBJECTS_BEFORE_COLLECTION = 50_000
"""Of what a command makes until it does its work nearly everything stays: looking through it again and again, as Python
does after each 700 objects, takes a twentieth of the time until then."""


def main() -> None:
    """Run the command and end the program with its exit status."""
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    if any(find_spec(name) is None for name in _EXTRA):
        print(
            'The sessionkit command needs the extra "cli". Install it with: pip install "sessionkit-core[cli]"',
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        from sessionkit.cli.app import cli
    except KeyboardInterrupt:
        sys.exit(130)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character gets its escape
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="sessionkit")


if __name__ == "__main__":
    main()
