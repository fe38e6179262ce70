"""Items of the Responses API as chat messages."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sessionkit.transfer.formats.responses import REST, messages_of

TEXT = st.text(min_size=1, max_size=3)
EXTRA = st.dictionaries(st.sampled_from(["id", "status", "phase", "namespace"]), TEXT | st.none(), max_size=2)
PARTS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["input_text", "output_text", "refusal", "odd"]), "text": TEXT})
    | st.fixed_dictionaries(
        {"type": st.just("input_image"), "image_url": TEXT | st.none()}, optional={"detail": TEXT, "file_id": TEXT}
    )
    | st.fixed_dictionaries(
        {"type": st.just("input_file")}, optional={"file_id": TEXT, "filename": TEXT, "file_url": TEXT}
    ),
    max_size=3,
)
ROLES = st.sampled_from(["user", "assistant", "system"])


def _items(kind: str, fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fixed = st.fixed_dictionaries({"type": st.just(kind), **fields})
    return st.builds(lambda item, extra: {**extra, **item}, fixed, EXTRA)


ITEMS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": ROLES, "content": TEXT}),
        _items("message", {"role": ROLES, "content": TEXT | PARTS}),
        _items("message", {"role": ROLES}),
        _items("function_call", {"call_id": TEXT, "name": TEXT, "arguments": TEXT}),
        _items("function_call", {"call_id": TEXT}),
        _items("custom_tool_call", {"call_id": TEXT, "name": TEXT, "input": TEXT}),
        _items("function_call_output", {"call_id": TEXT | st.none(), "output": TEXT | PARTS}),
        _items("custom_tool_call_output", {"call_id": TEXT, "output": TEXT}),
        _items("reasoning", {"summary": st.lists(st.fixed_dictionaries({"text": TEXT}), max_size=2)}),
        _items("web_search_call", {"action": st.dictionaries(TEXT, TEXT, max_size=2)}),
        st.dictionaries(TEXT, TEXT, max_size=2),
    ),
    max_size=8,
)


def _messages(*items: dict[str, Any]) -> list[dict[str, Any]]:
    return list(messages_of((copy.deepcopy(item), "") for item in items))


def _leaves(value: Any) -> Iterator[Any]:
    """Every text and null inside a value, but the names that parts and items have in one API or the other.

    Neither do roles count: texts that join a message share its role.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from () if name in {"type", "role"} else _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


@settings(max_examples=60)
@given(ITEMS)
def test_nothing_that_an_item_says_is_lost(items: list[dict[str, Any]]) -> None:
    remaining = list(_leaves(_messages(*items)))
    for leaf in _leaves(items):
        assert leaf in remaining
        remaining.remove(leaf)


@settings(max_examples=60)
@given(ITEMS)
def test_results_stand_behind_the_message_with_their_calls(items: list[dict[str, Any]]) -> None:
    """What chat models demand, of items in which every call is answered before another message."""
    calls: list[str] = []
    answered: list[dict[str, Any]] = []
    for item in items:
        if item.get("type") in {"function_call", "custom_tool_call"} and {"input", "arguments"} & item.keys():
            calls.append(item["call_id"])
        elif item.get("type") in {"function_call_output", "custom_tool_call_output"}:
            continue
        elif item.get("role") in {"user", "system"} and "content" in item:
            answered += [{"type": "function_call_output", "call_id": call, "output": "done"} for call in calls]
            calls = []
        answered.append(item)
    expected: list[str] = []
    for message in _messages(*answered):
        if message["role"] == "tool":
            assert message["tool_call_id"] == expected.pop(0)
        else:
            assert expected == []
            expected = [call["id"] for call in message.get("tool_calls", [])]


def test_calls_of_one_answer_share_a_message_with_its_text() -> None:
    assert _messages(
        {"role": "assistant", "content": "Wait."},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "b", "name": "g", "input": "raw"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
    ) == [
        {
            "role": "assistant",
            "content": "Wait.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "custom", "custom": {"name": "g", "input": "raw"}},
            ],
        },
        {"role": "tool", "content": "1", "tool_call_id": "a"},
    ]


def test_a_text_behind_calls_joins_them() -> None:
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    (message,) = _messages({"role": "assistant", "content": "x"}, call, {"role": "assistant", "content": "y"})
    assert message["content"] == [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]
    assert len(message["tool_calls"]) == 1


def test_two_texts_are_two_messages() -> None:
    read = _messages({"role": "assistant", "content": "x"}, {"role": "assistant", "content": "y"})
    assert [message["content"] for message in read] == ["x", "y"]


def test_reasoning_behind_a_text_begins_another_message() -> None:
    reasoning = {"type": "reasoning", "summary": [{"text": "Hm."}]}
    first, second = _messages({"role": "assistant", "content": "x"}, reasoning, {"role": "assistant", "content": "y"})
    assert (first["content"], "reasoning_content" in first) == ("x", False)
    assert (second["content"], second["reasoning_content"]) == ("y", "Hm.")


def test_the_rest_of_an_item_stays_in_a_field_of_its_own() -> None:
    (message,) = _messages(
        {
            "type": "reasoning",
            "id": "rs",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "x",
        },
        {
            "type": "message",
            "id": "msg",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi.", "annotations": [], "logprobs": []}],
        },
    )
    assert message["content"] == "Hi."
    assert message["reasoning_content"] == "Hm."
    assert message[REST] == [
        {
            "type": "reasoning",
            "id": "rs",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "x",
        },
        {"type": "message", "id": "msg", "status": "completed"},
    ]


def test_parts_become_those_of_chat_messages() -> None:
    parts = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "data:", "detail": "low"},
        {"type": "input_file", "file_data": "AA==", "filename": "a.pdf"},
        {"type": "input_image", "file_id": "f1"},
    ]
    (message,) = _messages({"role": "user", "content": parts})
    assert message["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:", "detail": "low"}},
        {"type": "file", "file": {"file_data": "AA==", "filename": "a.pdf"}},
        {"type": "input_image", "file_id": "f1"},
    ]


def test_items_that_chats_do_not_know_stay_whole() -> None:
    items: list[dict[str, Any]] = [
        {"type": "compaction", "encrypted_content": "x"},
        {"type": "computer_call_output", "output": {}},
    ]
    assert _messages(*items, {"role": "user", "content": "go on"}) == [
        {"role": "assistant", "content": "", REST: items},
        {"role": "user", "content": "go on"},
    ]


def test_the_first_time_of_a_message_is_its_time() -> None:
    items = [
        ({"role": "user", "content": "a"}, "1"),
        ({"type": "x"}, "2"),
        ({"role": "assistant", "content": "b"}, "3"),
    ]
    assert [message["created_at"] for message in messages_of(items)] == ["1", "2"]
