"""From what was said to the type that an option has.

msgspec converts; what it cannot (paths, and objects that only a program can hand over) is done here. A value that
does not fit becomes :data:`REFUSED`, not an exception: msgspec quotes values, and an exception would keep its text
alive as the context of ours.
"""

from __future__ import annotations

import enum
import math
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from sessionkit.config.directories import home_directory
from sessionkit.config.layers import Said


class _Refused(enum.Enum):
    REFUSED = enum.auto()


REFUSED: Final = _Refused.REFUSED
"""The value is not one that the type allows."""


def convert(said: Said, wanted: Any, environ: Mapping[str, str]) -> Any:
    """The value as ``wanted``, or :data:`REFUSED`.

    Text (of the environment, of a URL) is read as what the type wants: ``"8"`` for a number, ``"true"`` or ``"1"``
    for a truth value, ``"null"`` for none. Other values must be of the type.

    >>> convert(Said(value="8", where="argument", base=None, text=True), int, {})
    8
    >>> convert(Said(value="8", where="argument", base=None), int, {})
    <_Refused.REFUSED: 1>
    """
    value = said.value
    if Path in members(wanted) and isinstance(value, (str, Path)):
        return _path(value, said.base, environ)
    try:
        converted = msgspec.convert(value, wanted, strict=not said.text)
    except msgspec.ValidationError:
        return REFUSED
    except TypeError:  # a type that msgspec does not know what to do with
        return value if _is_instance(value, wanted) else REFUSED
    if isinstance(converted, float) and math.isnan(converted):
        return REFUSED
    return converted


def allowed(wanted: Any) -> str:
    """What a type allows, for people.

    >>> allowed(Annotated[int, msgspec.Meta(ge=1)] | None)
    'a whole number of at least 1'
    >>> allowed(Literal["always", "interval", "os"])
    'one of always, interval, os'
    """
    origin = get_origin(wanted)
    if origin is Annotated:
        inner, *metadata = get_args(wanted)
        bounds = [bound for meta in metadata if isinstance(meta, msgspec.Meta) for bound in _bounds(meta)]
        return " ".join([allowed(inner), " and ".join(bounds)]).rstrip()
    if origin in (Union, types.UnionType):
        return " or ".join(allowed(member) for member in get_args(wanted) if member is not types.NoneType)
    if origin is Literal:
        return f"one of {', '.join(str(value) for value in get_args(wanted))}"
    if wanted in _NAMES:
        return _NAMES[wanted]
    if origin in (list, tuple, set, frozenset):
        items = [allowed(item) for item in get_args(wanted) if item is not ...]
        return f"a list of {' and '.join(items)}" if items else "a list"
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return f"one of {', '.join(str(member.value) for member in wanted)}"
    if wanted in (dict, Mapping) or origin in (dict, Mapping):
        return "a table"
    return f"an object of the type {getattr(wanted, '__name__', wanted)}, which only a mapping in the program can hold"


def members(wanted: Any) -> tuple[Any, ...]:
    """The types of a union, or the one type, without annotations.

    >>> members(Annotated[int | None, msgspec.Meta()])
    (<class 'int'>, <class 'NoneType'>)
    """
    if get_origin(wanted) is Annotated:
        return members(get_args(wanted)[0])
    if get_origin(wanted) in (Union, types.UnionType):
        return tuple(inner for member in get_args(wanted) for inner in members(member))
    return (wanted,)


_NAMES: Final[dict[Any, str]] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
    list: "a list",
}


def _bounds(meta: msgspec.Meta) -> list[str]:
    said = {
        "of at least {}": meta.ge,
        "greater than {}": meta.gt,
        "of at most {}": meta.le,
        "less than {}": meta.lt,
        "that is a multiple of {}": meta.multiple_of,
        "that matches {}": meta.pattern,
        "with a length of at least {}": meta.min_length,
        "with a length of at most {}": meta.max_length,
    }
    return [text.format(bound) for text, bound in said.items() if bound is not None]


def _path(value: str | Path, base: Path | None, environ: Mapping[str, str]) -> Any:
    if not str(value) or "\0" in str(value):
        return REFUSED
    path = Path(value)
    if path.parts[:1] == ("~",):
        home = home_directory(environ)
        return REFUSED if home is None else home.joinpath(*path.parts[1:])
    if str(path).startswith("~"):
        try:
            path = path.expanduser()
        except RuntimeError:  # there is no such user
            return REFUSED
    if path.is_absolute():
        return path
    return REFUSED if base is None else base / path


def _is_instance(value: Any, wanted: Any) -> bool:
    for member in members(wanted):
        try:
            if isinstance(value, get_origin(member) or member):
                return True
        except TypeError:  # a type of which nothing is an instance, such as a protocol that cannot be checked
            continue
    return False
