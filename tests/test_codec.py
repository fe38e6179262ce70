"""JSON in and out: what goes in comes out."""

from __future__ import annotations

import enum
import json
from collections import OrderedDict, UserDict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidMessageError

from .json_values import exact, nested, objects, texts, values


class Colour(str, enum.Enum):  # noqa: UP042 - what programs have that are older than StrEnum
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


class Number(float):
    __slots__ = ()


class Pair(NamedTuple):
    left: int
    right: str


# --- both ways ---------------------------------------------------------------------------------------------------


@given(values)
def test_what_is_encoded_decodes_to_the_same(value: object) -> None:
    assert exact(codec.decode(codec.encode(codec.copy_json(value)))) == exact(value)


@given(values)
def test_text_decodes_as_its_bytes_do(value: object) -> None:
    data = codec.encode(value)
    assert exact(codec.decode(data.decode("utf-8"))) == exact(codec.decode(data))


@given(values)
def test_an_encoded_value_is_one_line_that_the_standard_library_reads_alike(value: object) -> None:
    data = codec.encode(value)
    assert b"\n" not in data
    assert exact(json.loads(data)) == exact(value)


@given(values)
def test_what_the_standard_library_writes_decodes_alike(value: object) -> None:
    assert exact(codec.decode(json.dumps(value))) == exact(value)
    assert exact(codec.decode(json.dumps(value, indent=1, ensure_ascii=True).encode())) == exact(value)


@given(values)
def test_pretty_json_has_the_same_value(value: object) -> None:
    assert exact(codec.decode(codec.encode_pretty(value))) == exact(value)


@pytest.mark.parametrize("value", [{"a": [1, {}], "b": []}, {"text": "\ud800 alone"}, ["\ud83d\ude00", 1e22]])
def test_pretty_json_has_picoclaws_layout_and_the_same_value(value: object) -> None:
    written = codec.encode_pretty(value)
    assert codec.decode(written) == codec.decode(codec.encode(value))
    assert json.loads(written) == json.loads(json.dumps(value))
    assert b"\n  " in written


@given(values)
def test_compact_json_that_is_indented_is_pretty_json(value: object) -> None:
    assert codec.indent(codec.encode(value)) == codec.encode_pretty(value)


@given(values)
def test_json_in_a_buffer_is_that_of_encode_and_what_was_there_is_gone(value: object) -> None:
    buffer = bytearray(b"what was there before")
    codec.encode_into(value, buffer)
    assert bytes(buffer) == codec.encode(value)


def test_pretty_json_is_laid_out_alike_with_a_lone_surrogate_and_without() -> None:
    def document(text: str) -> bytes:
        return codec.encode_pretty({"a": [text, 1, {}, []], "b": {"c": None}})

    assert document("\ud800") == document("x").replace(b'"x"', b'"\\ud800"')


@hypothesis.settings(max_examples=40)
@given(st.lists(objects, max_size=3))
def test_many_texts_decode_to_what_each_of_them_decodes_to(items: list[dict[str, Any]]) -> None:
    texts = [codec.encode(item) for item in items]
    try:
        assert exact(codec.decode_each(texts)) == exact(items)
    except DecodeError:  # in bulk no text with a lone surrogate is read; each by itself is
        assert any("\\ud" in repr(item) for item in items)


# --- decoding ----------------------------------------------------------------------------------------------------

BAD = {
    "nothing": b"",
    "white space": b" \n",
    "NaN": b'{"secret": NaN}',
    "Infinity": b'["secret", -Infinity]',
    "a number out of range": b'["secret", 1e400]',
    "a number out of range beside a lone surrogate": b'["secret \\ud800", -1e400]',
    "NaN beside a lone surrogate": b'["secret \\ud800", NaN]',
    "too many digits": b'["secret", ' + b"7" * 5000 + b"]",
    "invalid UTF-8": b'["secret \xff"]',
    "a surrogate in UTF-8": b'["secret \xed\xa0\x80"]',
    "a BOM": b'\xef\xbb\xbf["secret"]',
    "UTF-16": '["secret"]'.encode("utf-16"),
    "a truncated value": b'{"secret": "secr',
    "a truncated escape": b'"secret \\ud8',
    "two values": b'"secret" "secret"',
    "a control character": b'"secret\x01"',
    "a newline in a string": b'"secret\n"',
    "single quotes": b"{'secret': 1}",
    "a trailing comma": b'["secret",]',
    "a comment": b'["secret"] // secret',
    "a name that is no string": b"{1: 2}",
    "a leading zero": b"[01]",
    "a leading plus": b"[+1]",
    "a bare point": b"[.5, 1.]",
    "a NUL": b'["secret"]\0',
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "deep nesting that does not end": b'{"secret":' * 100_000,
    "deep nesting around a lone surrogate": b"[" * 100_000 + b'"\\ud800"' + b"]" * 100_000,
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_bad_input_is_a_decode_error_that_does_not_quote_it(data: bytes) -> None:
    for bad in (data, data.decode("utf-8", "surrogateescape")):
        with pytest.raises(DecodeError) as caught:
            codec.decode(bad)
        assert "secr" not in str(caught.value)
        assert len(str(caught.value)) < 100


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_text_among_many_is_a_decode_error_that_does_not_quote_it(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode_each([b'{"a": 1}', data, b'{"b": 2}'])
    assert "secr" not in str(caught.value)


@given(st.binary(max_size=30) | st.text(st.characters(exclude_categories=()), max_size=30))
def test_anything_decodes_or_is_a_decode_error(data: bytes | str) -> None:
    try:
        value = codec.decode(data)
    except DecodeError:
        return
    assert exact(codec.decode(codec.encode(value))) == exact(value)


@hypothesis.settings(max_examples=50)
@given(objects, st.data())
def test_a_truncated_object_is_a_decode_error(value: dict[str, Any], data: st.DataObject) -> None:
    written = codec.encode(value)
    cut = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(DecodeError):
        codec.decode(written[:cut])


def test_of_a_name_that_stands_twice_the_last_counts() -> None:
    assert codec.decode(b'{"a": 1, "a": 2}') == codec.decode(b'{"a": "\\ud800", "a": 2}') == {"a": 2}


def test_a_pair_of_escaped_surrogates_is_one_character() -> None:
    assert codec.decode(b'"\\ud83d\\ude00"') == codec.decode(b'["\\ud83d\\ude00", "\\ud800"]')[0] == "😀"


# --- what may enter ----------------------------------------------------------------------------------------------


@given(values)
def test_a_copy_is_the_same_value(value: object) -> None:
    assert exact(codec.copy_json(value)) == exact(codec.copy_decoded(value)) == exact(value)


@given(values)
def test_a_copy_shares_no_container(value: object) -> None:
    for copied in (codec.copy_json(value), codec.copy_decoded(value)):
        assert not _containers(copied) & _containers(value)


def _containers(value: object) -> set[int]:
    found: set[int] = set()
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        found = {id(value)}.union(*(_containers(item) for item in inner))
    return found


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Text("text"), "text"),
        (Number(0.5), 0.5),
        (Pair(1, "x"), [1, "x"]),
        ((), []),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (UserDict({"a": 1}), {"a": 1}),
        ({Text("name"): 1, Colour.RED: 2}, {"name": 1, "red": 2}),
    ],
)
def test_subclasses_are_reduced_to_plain_types(value: object, plain: object) -> None:
    copied = codec.copy_json([{"deep": value}])[0]["deep"]
    assert exact(copied) == exact(plain)
    assert type(copied) is type(plain)
    if isinstance(copied, dict):
        assert {type(name) for name in copied} == {str}


@given(st.text(st.characters(exclude_categories=()), max_size=6) | texts)
def test_two_surrogates_that_make_one_character_enter_as_that_character(text: str) -> None:
    entered = codec.copy_json([text, {text: None}])
    assert exact(codec.decode(codec.encode(entered))) == exact(entered)
    assert entered[0] == codec.plain_text(text) == json.loads(json.dumps(text))


def test_halves_of_a_character_that_were_joined_become_the_character() -> None:
    assert codec.copy_json({"\ud83d" + "\ude00": "\ud83d" + "\ude00\ud83d"}) == {"😀": "😀\ud83d"}


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"a": [0, float("nan")]}, "metadata.a[1] is nan, which JSON cannot hold"),
        ({"a": float("-inf")}, "metadata.a is -inf, which JSON cannot hold"),
        (Number("inf"), "metadata is inf, which JSON cannot hold"),
        ({"a": {"b": {1, 2}}}, "metadata.a.b is of type set; JSON holds"),
        ([b"bytes"], "metadata[0] is of type bytes; JSON holds"),
        ([datetime.now(UTC)], "metadata[0] is of type datetime; JSON holds"),
        ([object()], "metadata[0] is of type object; JSON holds"),
        ([1j], "metadata[0] is of type complex; JSON holds"),
        ({"a": {1: 2}}, "metadata.a has a key of type int; JSON keys are strings"),
        ({None: 2}, "metadata has a key of type NoneType; JSON keys are strings"),
        ([10**4300], "metadata[0] is an integer of more than 4,300 digits"),
        ([-(10**4300)], "metadata[0] is an integer of more than 4,300 digits"),
        ({"a": MappingProxyType({"b": {1}})}, "metadata.a.b is of type set; JSON holds"),
        ({"a.b": {"": {1}}}, "metadata['a.b'][''] is of type set; JSON holds"),
        ({"\ud800": {1}}, "metadata['\\ud800'] is of type set; JSON holds"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(value: object, complaint: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        codec.copy_json(value, "metadata")
    assert str(caught.value).startswith(complaint)
    assert str(caught.value).isprintable()


def test_a_long_name_is_shortened_in_an_error() -> None:
    with pytest.raises(InvalidMessageError) as caught:
        codec.copy_json({"x" * 10_000: {1}})
    assert len(str(caught.value)) < 200


def test_the_value_itself_has_a_name_in_an_error() -> None:
    with pytest.raises(InvalidMessageError, match=r"^the value is nan"):
        codec.copy_json(float("nan"))


@given(values, st.sampled_from([float("nan"), float("inf"), b"", {1}, 10**4300]), st.data())
def test_one_bad_leaf_anywhere_is_found(value: object, bad: object, data: st.DataObject) -> None:
    wrapped: object = bad
    for _ in range(data.draw(st.integers(0, 4))):
        wrapped = data.draw(st.sampled_from([[value, wrapped], {"good": value, "bad": wrapped}, (wrapped, value)]))
    with pytest.raises(InvalidMessageError):
        codec.copy_json(wrapped)


# --- depth -------------------------------------------------------------------------------------------------------


def test_as_many_levels_as_allowed_go_both_ways() -> None:
    value = codec.copy_json({"a": nested(codec.MAX_DEPTH - 1)})
    assert codec.decode(codec.encode(value)) == codec.decode(codec.encode_pretty(value)) == value
    codec.check_depth(value, codec.encode(value))


@pytest.mark.parametrize("levels", [codec.MAX_DEPTH + 1, 100_000])
def test_more_levels_than_allowed_are_refused(levels: int) -> None:
    value = nested(levels)
    with pytest.raises(InvalidMessageError, match="at most 200 levels are allowed"):
        codec.copy_json(value)
    with pytest.raises(DecodeError, match="at most 200 levels are allowed"):
        codec.check_depth({"a": value[0]}, b"[" * levels)


@pytest.mark.parametrize("leaf", [[], {}, None, {"a": 1}])
def test_depth_is_counted_alike_where_values_enter_and_where_they_are_decoded(leaf: object) -> None:
    levels = codec.MAX_DEPTH - isinstance(leaf, (dict, list))
    for value, fits in ((_around(leaf, levels), True), (_around(leaf, levels + 1), False)):
        for check in (codec.copy_json, lambda value: codec.check_depth(value, codec.encode(value) + b"[")):
            try:
                check(value)
            except (InvalidMessageError, DecodeError):
                assert not fits
            else:
                assert fits


def _around(leaf: object, levels: int) -> object:
    for level in range(levels):
        leaf = [leaf] if level % 2 else {"a": leaf}
    return leaf


def test_depth_is_told_from_breadth() -> None:
    wide: list[Any] = [{"a": []} for _ in range(1000)]
    codec.check_depth(wide, codec.encode(wide))
    codec.check_depth(wide, codec.encode(wide).decode())


def test_a_value_that_contains_itself_is_refused_at_once() -> None:
    loop: list[Any] = []
    loop.extend([loop, loop])
    ring: dict[str, Any] = {"a": [1]}
    ring["ring"] = ring
    for value in (loop, ring):
        with pytest.raises(InvalidMessageError, match=r"^metadata is nested too deeply"):
            codec.copy_json(value, "metadata")


def test_what_was_decoded_elsewhere_and_is_too_deep_is_an_error_and_no_crash() -> None:
    value = nested(100_000)
    for refuse in (codec.encode, codec.encode_pretty, codec.copy_decoded):
        with pytest.raises(InvalidMessageError, match="nested too deeply"):
            refuse(value)
    innermost = value
    while innermost:
        innermost = innermost[0]
    innermost.append("\ud800")
    with pytest.raises(InvalidMessageError, match="nested too deeply"):
        codec.encode(value)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b'{"text":"\x01"}', "Invalid control character at character 9"),
        (b'"abc', "Unterminated string starting at character 0"),
        (b"[1,nul]", "Expecting value at character 3"),
    ],
)
def test_an_error_tells_the_place_once(data: bytes, complaint: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(data)
    assert str(caught.value) == complaint
