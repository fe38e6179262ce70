"""How the command ends when something goes wrong: one readable message, and an exit status that tells the kind."""

from __future__ import annotations

import errno
from typing import Any

import rich_click as click

from sessionkit.cli.output import print_error
from sessionkit.errors import ConfigError, FormatError, InvalidKeyError, SessionKitError

FAILED = 1
USAGE = 2
INTERRUPTED = 130


class ReportingGroup(click.RichGroup):
    """A group of commands whose foreseeable errors are told without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; exit with 1 for a failure, 2 for wrong usage or configuration, 130 for Ctrl-C."""
        try:
            return super().invoke(ctx)
        except (ConfigError, FormatError, InvalidKeyError) as error:
            print_error(str(error))
            ctx.exit(USAGE)
        except SessionKitError as error:
            print_error(str(error))
            ctx.exit(FAILED)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # click ends quietly: the reader of our output has seen enough
            print_error(_describe(error))
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            print_error("interrupted")
            ctx.exit(INTERRUPTED)


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason
