"""How the command ends when something goes wrong: one readable message, and an exit status that tells the kind."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from sessionkit.cli.output import print_error
from sessionkit.cli.rich_help import Group, draw_abort, draw_error
from sessionkit.errors import ConfigError, FormatError, InvalidKeyError, SessionKitError

FAILED = 1
USAGE = 2
INTERRUPTED = 130


class ReportingGroup(Group):
    """A group of commands whose foreseeable errors are told without a traceback.

    The exit status is 1 for a failure, 2 for wrong usage or configuration, 130 for Ctrl-C.
    """

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments of the group itself."""
        with _reported():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _reported():
            return super().invoke(ctx)


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.message, flush=True)
        status = error.exit_code
    except click.ClickException as error:
        draw_error(error)
        status = error.exit_code
    except (click.Abort, EOFError):
        draw_abort()
        status = FAILED
    except (ConfigError, FormatError, InvalidKeyError) as error:
        print_error(str(error))
        status = USAGE
    except SessionKitError as error:
        print_error(str(error))
        status = FAILED
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # click ends quietly: the reader of our output has seen enough
        print_error(_describe(error))
        _give_up_a_broken_output()
        status = FAILED
    except KeyboardInterrupt:
        print_error("interrupted")
        status = INTERRUPTED
    else:
        return
    raise click.exceptions.Exit(status)


def _give_up_a_broken_output() -> None:
    """What standard output did not take would be offered to it again when the program ends, and spoil its status."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason
