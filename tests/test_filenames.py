"""The names of a session's files."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import filenames
from sessionkit.filenames import folded, hashed_name, must_be_hashed, plain_name

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
    lambda key: len(key.encode()) <= 1024
)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("agent:main:main", "agent_main_main"),
        ("slack:C01/1700000000.0001", "slack_C01_1700000000.0001"),
        ("a\\b", "a_b"),
        ("discord:общий-чат", "discord_общий-чат"),
        ("a b?*", "a b?*"),
    ],
)
def test_the_plain_name_is_picoclaws(key: str, name: str) -> None:
    assert plain_name(key) == name
    assert not must_be_hashed(key)


@pytest.mark.parametrize(
    "key",
    [
        ".",
        "..",
        "ends in a dot.",
        "ends in a space ",
        ".meta",
        "bot.meta",
        "bot.META",
        "two\nlines",
        "tab\there",
        "\x7f",
        "\x85",
        "x" * 246,
        "ю" * 123,
        hashed_name("a:b"),
        hashed_name("a:b").upper(),
    ],
)
def test_a_name_that_no_file_system_keeps_apart_must_be_hashed(key: str) -> None:
    assert must_be_hashed(key)


@pytest.mark.parametrize("key", ["x" * 245, "ю" * 122, "a~b", "meta", "bot.meta2", ".hidden", "a" + "~" * 40])
def test_other_names_stay_plain(key: str) -> None:
    assert not must_be_hashed(key)


@given(KEYS)
def test_both_names_leave_room_for_every_suffix(key: str) -> None:
    room = filenames.NAME_BYTES - max(len(suffix) for suffix in (".json", ".jsonl", ".meta.json", ".archive"))
    assert len(hashed_name(key).encode()) <= 160 <= room
    assert must_be_hashed(key) or len(plain_name(key).encode()) <= room


@given(KEYS)
def test_the_hashed_name_is_one_that_a_file_can_have(key: str) -> None:
    name = hashed_name(key)
    assert not set(name) & set("\0\n\r/\\:")
    assert not name.endswith((".", " "))
    assert must_be_hashed(name)


@given(KEYS, KEYS)
def test_hashed_names_differ_wherever_the_keys_do(one: str, other: str) -> None:
    assert (folded(hashed_name(one)) == folded(hashed_name(other))) == (one == other)


@pytest.mark.parametrize(("one", "other"), [("a:b", "a/b"), ("a_b", "A_B"), ("é", "e\u0301"), ("ß", "ss")])
def test_keys_that_share_a_plain_name_have_hashed_names_of_their_own(one: str, other: str) -> None:
    assert folded(plain_name(one)) == folded(plain_name(other))
    assert folded(hashed_name(one)) != folded(hashed_name(other))


def test_a_long_key_is_cut_between_characters() -> None:
    readable, _, digest = hashed_name("😀" * 200).partition("~")
    assert readable == "😀" * 30
    assert len(digest) == 32


@given(KEYS)
def test_folding_is_the_same_for_every_spelling_of_a_name(name: str) -> None:
    spellings = {name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name), folded(name)}
    assert len({folded(spelling) for spelling in spellings}) == 1


def test_the_hash_of_a_key_never_changes() -> None:
    assert hashed_name("a:b") == "a_b~6783a31eabf68ccc0660f935c0826282"
