"""How a plugin describes its options: an attrs class, frozen, whose fields are made with :func:`option`.

Types say what is allowed: ``int``, ``float``, ``bool``, ``str``, ``Literal["a", "b"]``, unions with None,
``Annotated[int, msgspec.Meta(ge=1)]`` and ``pathlib.Path`` (relative to the file that says it, ``~`` expanded,
made absolute).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from msgspec import Struct

_METADATA = "sessionkit"


class OptionInfo(Struct, frozen=True, kw_only=True):
    """What is known of an option beyond its type.

    Attributes:
        help: one line for people.
        secret: its value is never shown.
        directory: it names the directory where the backend keeps its files; without one said, the backend
            gets a directory of its own in the user's data directory.
    """

    help: str = ""
    secret: bool = False
    directory: bool = False


def option(
    *, default: Any = attrs.NOTHING, help: str = "", secret: bool = False, validator: Callable[..., Any] | None = None
) -> Any:
    """A field of an options class. Without a default it must be said.

    Args:
        default: the value when nobody says one.
        help: one line for people: meaning, unit, cost.
        secret: never show the value (passwords, tokens).
        validator: as in :func:`attrs.field`; what the type says need not be said again.
    """
    return attrs.field(
        default=default,
        validator=validator,
        repr=not secret,
        metadata={_METADATA: OptionInfo(help=help, secret=secret)},
    )


def directory_option(*, help: str = "") -> Any:
    """The field, of type ``pathlib.Path``, for the directory where a backend keeps its files."""
    return attrs.field(metadata={_METADATA: OptionInfo(help=help, directory=True)})


def option_info(attribute: attrs.Attribute[Any]) -> OptionInfo:
    """What is known of an option."""
    info: OptionInfo = attribute.metadata.get(_METADATA, OptionInfo())
    return info
