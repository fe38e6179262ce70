"""What is put into rows comes out of them, and what is damaged is an error that names the session."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit.errors import CorruptSessionError
from sessionkit.messages import Message
from sessionkit.rows import dump_info, load_info, load_messages
from sessionkit.sessions import SessionInfo

from .json_values import exact, texts, values


@given(texts, st.dictionaries(texts, values, max_size=3), st.lists(texts, max_size=3))
def test_a_session_comes_out_of_its_row_as_it_went_in(text: str, metadata: dict[str, Any], aliases: list[str]) -> None:
    session = SessionInfo(
        key="k",
        count=3,
        summary=text,
        created="2026-01-01T00:00:00Z",
        updated="2026-01-02T00:00:00Z",
        metadata=metadata,
        aliases=aliases,
        version="v",
        generation="g",
    )
    loaded = load_info("k", dump_info(session))
    assert loaded == session
    assert exact(loaded.metadata) == exact(session.metadata)


def test_the_key_is_not_in_the_row_but_beside_it() -> None:
    assert b"telegram:42" not in dump_info(SessionInfo(key="telegram:42"))
    assert load_info("other", dump_info(SessionInfo(key="telegram:42"))).key == "other"


def test_a_field_that_a_later_version_adds_is_passed_over() -> None:
    assert load_info("k", b'{"version":"v","mood":"good"}') == SessionInfo(key="k", version="v")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"count":"many"}', b'{"summary":null}', b'{"aliases":[1]}', b"\xff"]
)
def test_a_row_that_is_no_session_is_an_error_that_names_it(data: bytes) -> None:
    with pytest.raises(CorruptSessionError, match=r"session 'k' cannot be read \(.+\); restore it from a backup"):
        load_info("k", data)


def test_messages_come_out_of_their_rows_as_they_went_in() -> None:
    messages = [Message.simple("user", "é\ud800"), Message.simple("assistant", "\0")]
    assert load_messages("k", [message.to_json() for message in messages]) == messages


@pytest.mark.parametrize("data", [b'{"role":"user","content":"secret', b'["secret"]', b"secret"])
def test_a_row_that_is_no_message_is_an_error_that_names_the_session_and_not_what_is_said(data: bytes) -> None:
    with pytest.raises(CorruptSessionError, match="session 'k' cannot be read") as caught:
        load_messages("k", [b'{"role":"user","content":""}', data])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("data", [b'{"summary":["secret"]}', b'{"version":{"secret":1}}', b'{"aliases":["secret",1]}'])
def test_an_error_about_a_session_does_not_say_what_stands_in_it(data: bytes) -> None:
    with pytest.raises(CorruptSessionError) as caught:
        load_info("k", data)
    assert "secret" not in str(caught.value)
