"""JSON in and out: msgspec at C speed, and an exact slower path for what msgspec refuses.

msgspec turns NaN into null and refuses lone surrogates. The rule here is one: **what goes in comes out**.
NaN and infinities are refused where a value enters (:func:`copy_json`), and text with lone surrogates takes
the standard library's codec, which escapes them.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import msgspec

from sessionkit.errors import DecodeError, InvalidMessageError

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_decode_lines = msgspec.json.Decoder().decode_lines


def encode(value: Any) -> bytes:
    """Encode a value that :func:`copy_json` (or :func:`decode`) returned as compact JSON, in one line.

    >>> encode({"role": "user", "content": "hé\\n"})
    b'{"role":"user","content":"h\\xc3\\xa9\\\\n"}'
    """
    try:
        return _encode(value)
    except UnicodeEncodeError:  # a lone surrogate: valid in JSON only as an escape
        text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
        return text.encode("ascii")


def encode_pretty(value: Any) -> bytes:
    """Encode with two-space indent, as the documents of picoclaw are written."""
    compact = encode(value)
    try:
        return msgspec.json.format(compact, indent=2)
    except msgspec.DecodeError:  # the escape of a lone surrogate, which msgspec takes for malformed
        return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False).encode("ascii")


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


def decode_lines(data: bytes) -> list[Any]:
    """Decode JSON Lines at full speed. Blank lines are passed over.

    Raises:
        DecodeError: some line is not valid JSON. Decode line by line to find out which.
    """
    try:
        return _decode_lines(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DecodeError(f"a line is not JSON: {type(error).__name__}") from None


def _decode_exactly(data: bytes | str) -> Any:
    """Decode what msgspec refuses and JSON allows: escapes of lone surrogates."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_parse_float)
    except UnicodeDecodeError as error:
        raise DecodeError(f"invalid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise DecodeError(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise DecodeError("nested too deeply") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", "", 0)


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise json.JSONDecodeError("number out of range", "", 0)
    return number


def copy_json(value: Any, path: str = "") -> Any:
    """Copy a JSON value deeply, in the plain types of the decoder (tuples become lists).

    Args:
        value: made of dicts with string keys, lists, tuples, strings, numbers, booleans and None.
        path: how to call the value in an error.

    Raises:
        InvalidMessageError: something in it is not JSON (NaN, infinities, other types); the path is named.

    >>> copy_json({"a": (1, 2)})
    {'a': [1, 2]}
    """
    try:
        return _copy(value, path)
    except RecursionError:
        raise InvalidMessageError(f"{path or 'the value'} is nested too deeply to be JSON") from None


def _copy(value: Any, path: str) -> Any:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int:
        return value
    if kind is float:
        if not math.isfinite(value):
            raise InvalidMessageError(f"{path or 'the value'} is {value}, which JSON cannot hold")
        return value
    if kind is dict:
        return {_copy_name(name, path): _copy(item, f"{path}.{name}") for name, item in value.items()}
    if kind is list or kind is tuple:
        return [_copy(item, f"{path}[{index}]") for index, item in enumerate(value)]
    return _copy_subclass(value, path)


def _copy_name(name: Any, path: str) -> str:
    if type(name) is str:
        return name
    if isinstance(name, str):
        return str.__str__(name)
    raise InvalidMessageError(f"{path or 'the value'} has a key of type {type(name).__name__}; JSON keys are strings")


def _copy_subclass(value: Any, path: str) -> Any:
    """Reduce a subclass (an enum of strings, an OrderedDict, …) to the plain type that the decoder gives."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _copy(float(value), path)
    if isinstance(value, dict):
        return _copy(dict(value), path)
    if isinstance(value, (list, tuple)):
        return _copy(list(value), path)
    raise InvalidMessageError(
        f"{path or 'the value'} is of type {type(value).__name__}; JSON holds "
        "objects, arrays, strings, numbers, booleans and null"
    )
