"""The command ``sessionkit``, also as ``python -m sessionkit``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command and end the program with its exit status."""
    try:
        from sessionkit.cli.app import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"rich_click", "click", "rich"}:
            raise
        print(
            'The sessionkit command needs the extra "cli". Install it with: pip install "sessionkit-core[cli]"',
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character gets its escape
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="sessionkit")


if __name__ == "__main__":
    main()
