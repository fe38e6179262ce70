"""JSON in and out: msgspec at C speed, and an exact slower path for what msgspec refuses.

msgspec turns NaN into null and refuses lone surrogates. The rule here is one: **what goes in comes out**.
What JSON cannot hold (NaN, infinities, values without an end) is refused where a value enters
(:func:`copy_json`), and text with lone surrogates takes the standard library's codec, which escapes them.

Equal means equal as values: ``1e2`` and ``100.0`` are one number, which is written as ``100.0``. Of a name that
an object has twice, the last one counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn

import msgspec

from sessionkit.errors import DecodeError, InvalidMessageError

MAX_DEPTH: Final = 200
"""How deeply objects and arrays may be nested in a value that enters. More than this, some Python could write
and another one not read."""

MAX_INTEGER: Final = 10**4300 - 1
"""The largest integer that may enter, and its negative the smallest: the longest that Python reads by default."""

_encoder = msgspec.json.Encoder()
_encode = _encoder.encode
_decode = msgspec.json.Decoder().decode


def encode(value: Any) -> bytes:
    """Encode a value that :func:`copy_json` (or :func:`decode`) returned as compact JSON, in one line.

    Raises:
        InvalidMessageError: it was decoded elsewhere, and is nested too deeply to be written here.

    >>> encode({"role": "user", "content": "hé\\n"})
    b'{"role":"user","content":"h\\xc3\\xa9\\\\n"}'
    """
    try:
        return _encode(value)
    except UnicodeEncodeError:  # a lone surrogate: valid in JSON only as an escape
        return _encode_exactly(value, indent=None)
    except RecursionError:
        raise InvalidMessageError(_TOO_DEEP.format("the value")) from None


def encode_into(value: Any, buffer: bytearray) -> None:
    """As :func:`encode`, into a buffer in place of what is in it: for whoever goes on writing there.

    Raises:
        InvalidMessageError: it was decoded elsewhere, and is nested too deeply to be written here.
    """
    try:
        _encoder.encode_into(value, buffer)
    except UnicodeEncodeError:
        buffer[:] = _encode_exactly(value, indent=None)
    except RecursionError:
        raise InvalidMessageError(_TOO_DEEP.format("the value")) from None


def encode_pretty(value: Any) -> bytes:
    """Encode with two-space indent, as the documents of picoclaw are written; otherwise as :func:`encode`."""
    return indent(encode(value))


def indent(compact: bytes | bytearray) -> bytes:
    """Lay out what :func:`encode` returned with two-space indent: for whoever needs the compact bytes, too.

    Raises:
        InvalidMessageError: it is nested too deeply to be laid out here.

    >>> print(indent(b'{"role":"user"}').decode())
    {
      "role": "user"
    }
    """
    try:
        return msgspec.json.format(compact, indent=2)
    except msgspec.DecodeError:  # the escape of a lone surrogate, which msgspec takes for malformed
        return _encode_exactly(_decode_exactly(bytes(compact)), indent=2)
    except RecursionError:
        raise InvalidMessageError(_TOO_DEEP.format("the value")) from None


def _encode_exactly(value: Any, indent: int | None) -> bytes:
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        text = json.dumps(value, ensure_ascii=True, indent=indent, separators=separators, allow_nan=False)
    except RecursionError:
        raise InvalidMessageError(_TOO_DEEP.format("the value")) from None
    return text.encode("ascii")


def decode(data: bytes | str) -> Any:
    """Decode one JSON value.

    Raises:
        DecodeError: the data is not one valid JSON value; the message does not quote it.

    >>> decode(b'{"a": [1, null]}')
    {'a': [1, None]}
    """
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        return _decode_exactly(data)
    except RecursionError:
        raise DecodeError("nested too deeply") from None


def decode_each(texts: Iterable[bytes]) -> list[Any]:
    """Decode many values, each from a text of its own, at full speed.

    Raises:
        DecodeError: some text is not one valid JSON value, or has the escape of a lone surrogate. :func:`decode`
            the texts one by one to find out which.

    >>> decode_each([b'{"a": 1}', b"[null]"])
    [{'a': 1}, [None]]
    """
    try:
        return list(map(_decode, texts))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DecodeError(f"a line is not JSON: {type(error).__name__}") from None


def _decode_exactly(data: bytes | str) -> Any:
    """Decode what msgspec refuses and JSON allows: escapes of lone surrogates."""
    try:
        text = data.encode("utf-8").decode("utf-8") if isinstance(data, str) else data.decode("utf-8")
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_parse_float)
    except UnicodeDecodeError as error:
        raise DecodeError(f"invalid UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError as error:
        raise DecodeError(f"a lone surrogate that is not escaped at character {error.start}") from None
    except json.JSONDecodeError as error:
        raise DecodeError(f"{error.msg.removesuffix(' at')} at character {error.pos}") from None
    except RecursionError:
        raise DecodeError("nested too deeply") from None
    except DecodeError:
        raise
    except ValueError:  # Python's limit on the digits of an integer
        raise DecodeError("an integer has too many digits") from None


def _refuse_constant(name: str) -> NoReturn:
    raise DecodeError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise DecodeError("a number is out of range")
    return number


def check_depth(value: Any, data: bytes | str) -> None:
    """Refuse a value decoded from ``data`` that :func:`copy_json` would refuse for its depth.

    Raises:
        DecodeError: it has more than :data:`MAX_DEPTH` levels.
    """
    opened = data.count("{") + data.count("[") if isinstance(data, str) else data.count(b"{") + data.count(b"[")
    if opened <= MAX_DEPTH:
        return
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [inner for each in level for inner in _containers(each.values() if type(each) is dict else each)]
    if level:
        raise DecodeError(f"nested too deeply; at most {MAX_DEPTH} levels are allowed")


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if type(value) is dict or type(value) is list]


def copy_json(value: Any, path: str = "") -> Any:
    """Copy a JSON value deeply, in the plain types of the decoder.

    Tuples become lists, mappings become dicts, members of an enum of strings become strings. Two surrogates that
    make one character become that character, as they do when JSON is read.

    Args:
        value: made of mappings with string keys, lists, tuples, strings, numbers, booleans and None.
        path: how to call the value in an error.

    Raises:
        InvalidMessageError: something in it is not JSON: NaN, infinities, other types, more than
            :data:`MAX_DEPTH` levels, an integer beyond :data:`MAX_INTEGER`. The path is named.

    >>> copy_json({"a": (1, 2)})
    {'a': [1, 2]}
    """
    try:
        return _copy(value, MAX_DEPTH)
    except (_NotJsonError, RecursionError):
        raise InvalidMessageError(_complaint(value, path or "the value")) from None


def copy_decoded(value: Any) -> Any:
    """Copy a value that :func:`copy_json` or :func:`decode` returned: the same, three times as fast.

    Raises:
        InvalidMessageError: it was decoded elsewhere, and is nested too deeply to be copied here.
    """
    try:
        return msgspec.to_builtins(value)
    except RecursionError:
        raise InvalidMessageError(_TOO_DEEP.format("the value")) from None


def plain_text(text: str) -> str:
    """A string of a subclass as a plain one; surrogates that make one character as that character."""
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text if type(text) is str else str.__str__(text)


class _NotJsonError(Exception):
    """Something in a value is not JSON. Where, is looked for only then: keeping the path costs half the time."""


_TOO_DEEP = f"{{}} is nested too deeply; at most {MAX_DEPTH} levels are allowed"


def _copy(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else plain_text(value)
    if kind is dict:
        return _copy_items(value, depth)
    if kind is list or kind is tuple:
        if not depth:
            raise _NotJsonError
        return [_copy(item, depth - 1) for item in value]
    if value is None or kind is bool:
        return value
    if kind is int and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    if kind is float and math.isfinite(value):
        return value
    return _copy(_reduce(value), depth)


def _copy_items(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    """A loop, and plain texts without a call: most of a message is such, and it takes half the time."""
    if not depth:
        raise _NotJsonError
    copied = {}
    for name, item in value.items():
        if type(name) is not str or not name.isascii():
            name = _copy_name(name)  # noqa: PLW2901
        copied[name] = item if type(item) is str and item.isascii() else _copy(item, depth - 1)
    return copied


def _copy_name(name: Any) -> str:
    if isinstance(name, str):
        return plain_text(name)
    raise _NotJsonError


def _reduce(value: Any) -> Any:
    """Reduce a subclass (an enum of strings, an OrderedDict, …) to the plain type that the decoder gives."""
    kind = type(value)
    if kind is int or kind is float:
        raise _NotJsonError  # out of range
    for plain, reduce in _REDUCERS:
        if isinstance(value, plain):
            return reduce(value)
    raise _NotJsonError


_REDUCERS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (Mapping, dict),
    (list, list),
    (tuple, list),
)


def _complaint(value: Any, path: str) -> str:
    """What is wrong with a value that is not JSON, and where."""
    try:
        fault = _find_fault(value, path, MAX_DEPTH)
    except RecursionError:
        fault = None
    return fault or _TOO_DEEP.format(path)


def _find_fault(value: Any, path: str, depth: int) -> str | None:
    if isinstance(value, (list, tuple, Mapping)):
        if not depth:
            raise RecursionError
        return _find_fault_inside(value, path, depth - 1)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{path} is {float.__repr__(value)}, which JSON cannot hold"
    if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
        return f"{path} is an integer of more than 4,300 digits"
    if value is None or isinstance(value, (str, int, float)):
        return None
    return f"{path} is of type {type(value).__name__}; JSON holds objects, arrays, strings, numbers, booleans and null"


def _find_fault_inside(value: Any, path: str, depth: int) -> str | None:
    if not isinstance(value, Mapping):
        faults = (_find_fault(item, f"{path}[{index}]", depth) for index, item in enumerate(value))
        return next((fault for fault in faults if fault), None)
    for name, item in value.items():
        if not isinstance(name, str):
            return f"{path} has a key of type {type(name).__name__}; JSON keys are strings"
        fault = _find_fault(item, f"{path}{_step(name)}", depth)
        if fault:
            return fault
    return None


def _step(name: str) -> str:
    """A name in a path, as people write it; an unusual one as a string in brackets, shortened."""
    if len(name) <= 60 and name.isprintable() and name and "." not in name:
        return f".{str.__str__(name)}"
    return f"[{str.__str__(name[:60])!r}]"
