"""From bytes to messages, whatever happened to the bytes."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sessionkit_jsonl import marks
from sessionkit_jsonl.lines import parse, split
from sessionkit_jsonl.stretch import Stretch

A = b'{"role":"user","content":"a"}'
B = b'{"role":"user","content":"b"}'
A_VALUE = {"role": "user", "content": "a"}
HEADER = marks.Header("00")


def contents(data: bytes, **kwargs: Any) -> list[Any]:
    settled, rest = parse(data, final=True, **kwargs)
    return [value.get("content") for value in settled.values + rest.values]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (A + b"\n" + B + b"\n", ["a", "b"]),
        (A + b"\r\n" + B + b"\r\n", ["a", "b"]),
        (A + b"\n\n\r\n" + B + b"\n", ["a", "b"]),
        (A + b"\n" + B, ["a", "b"]),
        (A + b"\n" + B[:-3], ["a"]),
        (A + b"\n" + B[:-3] + b"\n" + A + b"\n", ["a", "a"]),
        (A + b"\n0\nnull\n[1]\n#\n" + B + b"\n", ["a", "b"]),
        (A + B + b'\n{"x":\n' + A + b"}\n", ["a", "b", "a"]),
        (b"", []),
    ],
)
def test_lines_that_hold_no_message_are_passed_over(data: bytes, expected: list[str]) -> None:
    assert contents(data) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (A + B, ["a", "b"]),
        (A[:12] + B, ["b"]),
        (A + B[:9], ["a"]),
        (b"\0\0\0" + A + b"\0\0", ["a"]),
        (A[:12] + b"\0\0" + B, ["b"]),
        (A + b"\0" + B, ["a", "b"]),
        (b"#" + A, ["a"]),
        (A[:20] + A[:9] + B, ["b"]),
    ],
)
def test_what_was_glued_together_is_taken_apart(line: bytes, expected: list[str]) -> None:
    assert contents(line + b"\n" + B + b"\n") == [*expected, "b"]


@pytest.mark.parametrize(
    "torn",
    [
        b'{"role":"tool","content":[{"role":"user","content":"x"},{"role":"user","content":"y"}',
        b'{"message":{"role":"user","content":"x"}',
        b'{"a":[ \t{"role":"user","content":"x"}',
        b'{"role":"user","content":"{\\"role\\":\\"user\\",\\"content\\":\\"x\\"}',
        b'{"role":"user","content":"a {} b',
        b'{"id":"c1","function":{"name":"f"}}x',
        b"[" + A + b"," + B + b"]",
    ],
)
def test_no_message_is_invented_from_the_inside_of_another(torn: bytes) -> None:
    assert contents(torn + b"\n" + B + b"\n") == ["b"]


def test_bytes_that_are_not_utf8_read_as_replacement_characters() -> None:
    assert contents(b'{"role":"user","content":"a\xff"}\n') == ["a\ufffd"]


@pytest.mark.parametrize("number", ["1e999", "-1E+400", "7" * 5000])
def test_a_number_that_python_lacks_is_read_as_its_digits(number: str) -> None:
    line = f'{{"role":"user","content":"a","n":[{number},1.5,2]}}\n'.encode()
    settled, _ = parse(line, final=True)
    assert [value["n"] for value in settled.values] == [[number, 1.5, 2]]
    assert parse(line, final=True, decode=False)[0].count == 1


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "01", "1.", '"\\q"', '"\x01"', "nul", "1}{", "[" * 50_000 + "]" * 50_000]
)
@pytest.mark.parametrize("decode", [True, False])
def test_what_is_no_json_is_no_message_whether_it_is_decoded_or_counted(text: str, *, decode: bool) -> None:
    settled, rest = parse(b'{"role":' + text.encode() + b"}\n" + A + b"\n", final=True, decode=decode)
    assert settled.count + rest.count == 1


@given(st.binary(max_size=20), st.integers(0, 60), st.integers(0, 3))
def test_what_is_counted_can_be_decoded(junk: bytes, position: int, cut: int) -> None:
    text = b'{"a":[1,-2.5e3,"x\\n\\u00e9",null,true],"b":{"c":{},"d":"\\\\"}}'
    data = text[:position] + junk + text[position + cut :] + b"\n" + B + b"\n"
    counted, decoded = parse(data, final=False, decode=False)[0], parse(data, final=False)[0]
    assert counted.count == decoded.count == len(decoded.values)
    assert (counted.size, counted.lines, counted.last, counted.dead) == (
        decoded.size,
        decoded.lines,
        decoded.last,
        decoded.dead,
    )


def test_a_field_that_looks_like_a_mark_is_a_message_s_own() -> None:
    for own in (b'"c=000000000000"', b"null", b'""', b'"h=00,+000000000000000,"'):
        first, last = b'{"_sk":' + own + b',"role":"user"}', b'{"role":"user","_sk":' + own + b"}"
        stored = [marks.as_line(first), last + b"\n", marks.as_batch([A, first, last]), marks.as_batch([first], HEADER)]
        for line in stored:
            values = parse(line, final=True)[0].values
            assert parse(line, final=True, decode=False)[0].count == len(values) > 0
            assert [value["_sk"] for value in values if value != A_VALUE] == [json.loads(own)] * (
                2 - (len(values) == 1)
            )


def test_lone_surrogates_are_read() -> None:
    assert contents(b'{"role":"user","content":"\\ud83d"}\n') == ["\ud83d"]


BATCH = marks.as_batch([A, B, A])


def test_a_batch_is_read_whole() -> None:
    assert contents(BATCH) == ["a", "b", "a"]


@pytest.mark.parametrize("size", range(len(BATCH)))
def test_a_batch_that_is_cut_anywhere_is_no_batch(size: int) -> None:
    assert contents(B + b"\n" + BATCH[:size]) == ["b"]
    sealed = B + b"\n" + BATCH[:size] + (b"" if BATCH[:size].endswith(b"\n") or not size else b"#\n")
    assert contents(sealed + A + b"\n") == ["b", "a"]
    assert contents(sealed + BATCH) == ["b", "a", "b", "a"]


@pytest.mark.parametrize("position", range(len(BATCH)))
def test_a_batch_with_a_lost_byte_is_no_batch(position: int) -> None:
    damaged = BATCH[:position] + b"\0" + BATCH[position + 1 :]
    assert contents(damaged + B + b"\n") == ["b"]


def test_a_batch_behind_a_record_that_was_lost_with_its_newline_is_no_batch() -> None:
    batch = marks.as_batch([A, B])
    settled, rest = parse(b"\0" * 40 + batch + A + b"\n", final=True)
    assert settled.values + rest.values == [{"role": "user", "content": "a"}]
    lost = b"\0" * 40 + marks.as_batch([A], marks.Header("ab"))
    assert parse(lost, final=True)[0].values == [{"role": "user", "content": "a"}]


def test_what_another_program_glued_to_a_torn_batch_is_read() -> None:
    assert contents(BATCH[:-9] + B + b"\n" + A + b"\n") == ["b", "a"]
    assert contents(BATCH[:-9] + B) == ["b"]


def test_a_batch_that_began_before_the_history_shows_the_rest_of_it() -> None:
    rest = BATCH[BATCH.index(b"\n") + 1 :]
    assert contents(rest + B + b"\n", orphans=True) == ["b", "a", "b"]
    assert contents(B + b"\n" + rest, orphans=True) == ["b"]


def test_dead_lines_at_the_end_may_still_change_their_meaning() -> None:
    settled, rest = parse(A + b"\nx\n" + B + b"\nx\ny\n", final=True)
    assert (settled.lines, settled.dead, len(settled.values)) == (3, 1, 2)
    assert (rest.lines, rest.dead, rest.values) == (2, 2, [])


PIECES = st.sampled_from(
    [A, B, b"{}", b"0", b"\r", b"", b"null", b"x", A[:9], A + b"\r", b"\0\0", b'"_sk h=00,+000000000000000,"', b" " + A]
).map(lambda text: text + b"\n")


FOLLOWERS = BATCH[BATCH.index(b"\n") + 1 :]
HEADED = marks.as_batch([B, A], marks.Header("00")) + marks.as_line(b'{"_sk":1,"role":"user"}')
RUNS = st.sampled_from([BATCH, BATCH[:-5], FOLLOWERS, HEADED, A + b"\n", B + b"\n", A, BATCH[: BATCH.index(b"\n") + 1]])


@settings(max_examples=400)
@given(
    st.lists(PIECES | RUNS, max_size=6) | st.lists(RUNS, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_decoding_in_bulk_and_line_by_line_agree(pieces: list[bytes], final: bool, orphans: bool) -> None:
    data = b"".join(pieces)
    settled, rest = parse(data, final=final, orphans=orphans)
    counted, _ = parse(data, final=final, orphans=orphans, decode=False)
    assert replace(counted, values=settled.values) == settled
    lines, complete = split(data, orphans=orphans)
    total = lines if final else [line for line in lines[:complete] if line.end <= settled.size]
    assert final or bool(total) == bool(complete)  # it may take less at once, and it goes on
    assert settled.values + rest.values == [value for line in total for _, value in line.records]
    assert settled.lines + rest.lines == sum(line.counted for line in total)
    assert settled.size + rest.size == (total[-1].end if total else 0)
    last = next((line for line in reversed(total) if line.records), None)
    if last is not None:
        found = rest.last if rest.last is not None else settled.last
        assert found is not None
        assert found.end + (settled.size if rest.last else 0) == last.text_end
        assert found.checksum == zlib.crc32(last.records[-1][0])
    if not final:
        assert settled.orphaned == (bool(total) and all(line.inside for line in total))


def test_a_long_batch_can_be_entered_in_its_middle() -> None:
    batch = marks.as_batch([A[:-2] + b"x" * 2000 + b'"}' for _ in range(40)])
    settled, _ = parse(batch, final=True)
    assert len(settled.points) == 4
    for position, lines, values, _ in settled.points:
        assert batch.count(b"\n", 0, position) == lines == values
        inner, _ = parse(batch[position:], final=True, orphans=True)
        assert len(inner.values) == 40 - values
        assert inner.orphaned


@settings(max_examples=200)
@given(st.lists(PIECES | st.just(BATCH), max_size=6), st.lists(PIECES | st.just(BATCH), max_size=4))
def test_what_is_settled_stays_settled(first: list[bytes], second: list[bytes]) -> None:
    before, after = b"".join(first), b"".join(first + second)
    settled, _ = parse(before, final=True)
    rest = parse(after[settled.size :], final=True)
    whole = parse(after, final=True)
    assert settled.values + rest[0].values + rest[1].values == whole[0].values + whole[1].values
    assert isinstance(settled, Stretch)
