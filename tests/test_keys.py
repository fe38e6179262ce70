"""What may name a session."""

from __future__ import annotations

import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit.errors import InvalidKeyError
from sessionkit.keys import MAX_KEY_BYTES, check_key


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=256))
def test_any_text_of_at_most_1024_bytes_is_a_key(key: str) -> None:
    assert check_key(key) is key


@given(st.text(st.characters(exclude_categories=()), max_size=8) | st.integers(340, 345).map("€".__mul__))
def test_a_key_is_taken_or_refused_by_the_rule(key: str) -> None:
    try:
        check_key(key)
    except InvalidKeyError:
        assert not key or "\0" in key or any("\ud800" <= c <= "\udfff" for c in key) or len(key.encode()) > 1024
    else:
        assert "\0" not in key
        assert 1 <= len(key.encode("utf-8")) <= 1024


@pytest.mark.parametrize("key", ["x", "x" * 1024, "é" * 512, "😀" * 256, " ", "\n", "..", "a/b\\c", "\x7f", "\ufeff"])
def test_keys_up_to_the_limit_are_taken(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "a session key cannot be empty"),
        ("a\0b", r"session key 'a\x00b' contains a NUL character"),
        ("a\ud800", r"session key 'a\ud800' contains a lone surrogate, which is not Unicode text"),
        ("x" * 1025, "is 1,025 bytes of UTF-8 long; at most 1,024 are allowed"),
        ("é" * 513, "is 1,026 bytes of UTF-8 long; at most 1,024 are allowed"),
        ("😀" * 256 + "x", "is 1,025 bytes of UTF-8 long; at most 1,024 are allowed"),
    ],
)
def test_a_key_beyond_the_rule_is_refused_with_the_reason(key: str, complaint: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        check_key(key)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("key", ["x" * 100_000, "\0" * 100_000, "\ud800" * 100_000])
def test_a_long_key_is_shortened_in_the_error(key: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        check_key(key)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", [None, 5, b"key", ["key"]])
def test_what_is_no_string_is_a_type_error(key: object) -> None:
    with pytest.raises(TypeError, match="a session key is a string, not "):
        check_key(key)  # type: ignore[arg-type]


class Room(str, enum.Enum):  # noqa: UP042 - what programs have that are older than StrEnum
    MAIN = "main"


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "LOUD"

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(("key", "plain"), [(Room.MAIN, "main"), (Loud("quiet"), "quiet")])
def test_a_key_of_a_subclass_is_taken_for_its_text(key: str, plain: str) -> None:
    checked = check_key(key)
    assert type(checked) is str
    assert checked == plain


def test_a_subclass_is_held_to_the_rule() -> None:
    with pytest.raises(InvalidKeyError):
        check_key(Loud("\0"))
    with pytest.raises(InvalidKeyError):
        check_key(Loud("x" * (MAX_KEY_BYTES + 1)))
