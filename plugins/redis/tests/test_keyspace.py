"""Keys that no session shares, in the slot that its bucket has."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot
from sessionkit_redis.keyspace import BUCKETS, Keyspace

from sessionkit import ConfigError

SESSION_KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
HOSTILE = ["{}", "{0}", "}{", "a{b}c", "\r\n", "*", "m:", ":i", "🦊", " ", "x" * 1000]


def _names(key: str) -> list[bytes]:
    keys = Keyspace("sk").session(key)
    return [keys.data, keys.messages, keys.index, keys.staging("0a"), keys.tombstone("0a")]


@given(SESSION_KEYS | st.sampled_from(HOSTILE))
def test_all_keys_of_a_session_are_in_the_slot_of_its_bucket(key: str) -> None:
    bucket = re.match(rb"sk:\{([0-9]+)\}:", Keyspace("sk").session(key).data)
    assert bucket is not None
    assert int(bucket[1]) < BUCKETS
    assert {key_slot(name) for name in _names(key)} == {key_slot(bucket[1])}


@given(st.lists(SESSION_KEYS | st.sampled_from(HOSTILE), min_size=2, max_size=2, unique=True))
def test_no_two_sessions_share_a_key(pair: list[str]) -> None:
    keyspace = Keyspace("sk")
    first, second = (keyspace.session(key) for key in pair)
    assert {first.data, first.messages}.isdisjoint({second.data, second.messages})
    assert first.data != first.messages


def test_the_index_of_every_bucket_is_another_key() -> None:
    assert len(set(Keyspace("sk").indexes())) == BUCKETS
    assert Keyspace("sk").session("k").index in Keyspace("sk").indexes()


@pytest.mark.parametrize("prefix", ["", "a{b", "}", "a b", "a\nb", "a\0", "x" * 129])
def test_a_prefix_that_would_move_keys_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="prefix"):
        Keyspace(prefix)
