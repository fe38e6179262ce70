"""Where a conversation may be cut: at a turn, and never between a tool's result and its call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessionkit.messages import Message
from sessionkit.turns import turn_start

_INSIDE = ("assistant", "tool", "function", "")


def say(role: str) -> Message:
    return Message.simple(role, "…")


def call(*ids: str) -> Message:
    return Message.from_dict({"role": "assistant", "content": None, "tool_calls": [{"id": each} for each in ids]})


def result(of: str) -> Message:
    return Message.from_dict({"role": "tool", "tool_call_id": of, "content": "…"})


def turns(*roles_or_messages: str | Message) -> list[Message]:
    return [say(item) if isinstance(item, str) else item for item in roles_or_messages]


_ODD: list[dict[str, Any]] = [
    {"role": "tool"},
    {"role": "tool", "tool_call_id": None},
    {"role": "tool", "tool_call_id": ""},
    {"role": "assistant", "tool_calls": [{}, None, "x"]},
    {"role": "assistant", "tool_calls": None},
    {"role": None, "tool_calls": "x"},
    {"type": "function_call_output", "call_id": "call_0"},
]
_ids = st.sampled_from(["call_0", "call_1", "call_2"])  # few, so that they repeat from turn to turn
_messages = st.one_of(
    st.sampled_from(["user", "user", "assistant", "system", "developer", "function", "", "x"]).map(say),
    st.lists(_ids, max_size=3).map(lambda ids: call(*ids)),
    _ids.map(result),
    _ids.map(result),
    st.sampled_from(_ODD).map(Message.from_dict),
)
conversations = st.lists(_messages, max_size=14)


def _is_answer(messages: Sequence[Message], position: int, since: int) -> bool:
    """Whether it is a result, of a call that stands before it and not earlier than ``since``."""
    message = messages[position]
    of = message.tool_call_id if message.role == "tool" else message.get("call_id")
    return any(call.id == of for message in messages[since:position] for call in message.tool_calls)


# --- the promises ------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(conversations, st.integers(-2, 16))
@example([say("user"), call("call_0"), say("user"), result("call_0"), say("user")], 2)
def test_no_result_is_left_without_a_call_that_it_had(messages: list[Message], wanted: int) -> None:
    cut = turn_start(messages, wanted)
    for position in range(cut, len(messages)):
        if _is_answer(messages, position, 0):
            assert _is_answer(messages, position, cut)


@settings(max_examples=150)
@given(conversations, st.integers(-2, 16))
def test_a_cut_is_at_most_where_it_was_wanted_and_at_a_turn(messages: list[Message], wanted: int) -> None:
    cut = turn_start(messages, wanted)
    assert 0 <= cut <= max(min(wanted, len(messages)), 0)
    assert cut in (0, len(messages)) or messages[cut].role not in _INSIDE


@settings(max_examples=150)
@given(conversations, st.integers(0, 16))
@example([call("call_0"), say("user"), Message.from_dict({"type": "function_call_output", "call_id": "call_0"})], 1)
def test_no_later_cut_would_have_done(messages: list[Message], wanted: int) -> None:
    cut = turn_start(messages, wanted)
    for later in range(cut + 1, min(wanted, len(messages) - 1) + 1):
        orphans = [
            position
            for position in range(later, len(messages))
            if _is_answer(messages, position, 0) and not _is_answer(messages, position, later)
        ]
        assert messages[later].role in _INSIDE or orphans


@given(conversations, st.integers(0, 16))
def test_a_cut_stays_where_it_is_when_it_is_wanted_there(messages: list[Message], wanted: int) -> None:
    cut = turn_start(messages, wanted)
    assert turn_start(messages, cut) == cut


@given(conversations, st.integers(0, 16), st.integers(0, 16))
def test_who_wants_more_cut_never_gets_less(messages: list[Message], one: int, other: int) -> None:
    assert turn_start(messages, min(one, other)) <= turn_start(messages, max(one, other))


# --- the formats of other providers ---------------------------------------------------------------------------------


def responses(message: Message) -> dict[str, Any]:
    """A message of one call or result as an item of OpenAI's responses."""
    if message.role == "tool":
        return {"type": "function_call_output", "call_id": message.tool_call_id, "output": "…"}
    return {"type": "function_call", "call_id": message.tool_calls[0].id, "name": "f", "arguments": "{}"}


def anthropic(message: Message) -> dict[str, Any]:
    """A message of calls or a result as Anthropic's API has it."""
    if message.role == "tool":
        answer = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": "…"}
        return {"role": "user", "content": [answer, {"type": "text", "text": "and then?"}]}
    uses = [{"type": "tool_use", "id": each.id, "name": "f", "input": {}} for each in message.tool_calls]
    return {"role": "assistant", "content": [{"type": "text", "text": "…"}, *uses]}


def bedrock(message: Message) -> dict[str, Any]:
    """A message of calls or a result as Bedrock's API has it."""
    if message.role == "tool":
        return {"role": "user", "content": [{"toolResult": {"toolUseId": message.tool_call_id, "content": []}}]}
    uses = [{"toolUse": {"toolUseId": each.id, "name": "f", "input": {}}} for each in message.tool_calls]
    return {"role": "assistant", "content": uses}


@settings(max_examples=100)
@given(
    st.lists(st.one_of(st.sampled_from(["user", "assistant"]).map(say), _ids.map(call), _ids.map(result)), max_size=14),
    st.integers(0, 16),
    st.sampled_from([responses, anthropic, bedrock]),
)
def test_a_conversation_is_cut_at_the_same_place_in_every_format(
    messages: list[Message], wanted: int, translate: Callable[[Message], dict[str, Any]]
) -> None:
    translated = [
        Message.from_dict(translate(message)) if message.tool_calls or message.tool_call_id else message
        for message in messages
    ]
    assert turn_start(translated, wanted) == turn_start(messages, wanted)


@pytest.mark.parametrize("translate", [responses, anthropic, bedrock])
def test_a_result_in_another_format_keeps_its_call(translate: Callable[[Message], dict[str, Any]]) -> None:
    turn = [say("user"), *(Message.from_dict(translate(message)) for message in (call("a"), result("a")))]
    assert [turn_start([*turn, *turn], wanted) for wanted in (1, 2, 3, 4, 5)] == [0, 0, 3, 3, 3]


def test_a_users_message_that_brings_a_result_begins_no_turn_though_its_call_is_gone() -> None:
    orphan = Message.from_dict(anthropic(result("gone")))
    assert turn_start([say("user"), say("assistant"), orphan, say("assistant")], 2) == 0


# --- what others got wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [3, 4, 5])
def test_a_cut_between_calls_and_results_moves_to_the_beginning_of_their_turn(wanted: int) -> None:
    messages = turns("user", "assistant", "user", call("a", "b"), result("a"), result("b"), "assistant")
    assert turn_start(messages, wanted) == 2


def test_ids_that_repeat_from_turn_to_turn_do_not_chain_the_turns_together() -> None:
    turn = turns("user", call("call_0"), result("call_0"), "assistant")
    assert [turn_start(turn * 3, wanted) for wanted in range(13)] == [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12]


def test_results_may_come_in_any_order() -> None:
    messages = turns("user", call("a", "b"), result("b"), result("a"), "user", "assistant")
    assert [turn_start(messages, wanted) for wanted in (2, 3, 4, 5)] == [0, 0, 4, 4]


def test_a_user_who_speaks_between_a_call_and_its_result_begins_no_turn() -> None:
    messages = turns("user", call("a", "b"), result("a"), "user", result("b"), "assistant", "user")
    assert [turn_start(messages, wanted) for wanted in (3, 4, 5, 6)] == [0, 0, 0, 6]


def test_a_result_that_comes_late_holds_its_turn_together_though_a_later_call_was_answered_before() -> None:
    messages = turns("user", call("a"), call("b"), result("b"), "user", result("a"), "user")
    assert [turn_start(messages, wanted) for wanted in (3, 4, 5, 6)] == [0, 0, 0, 6]


def test_several_calls_one_after_the_other_belong_to_one_turn() -> None:
    messages = turns("user", call("call_0"), result("call_0"), call("call_0"), result("call_0"), "assistant", "user")
    assert [turn_start(messages, wanted) for wanted in (2, 3, 5, 6)] == [0, 0, 0, 6]


def test_a_result_that_never_had_a_call_hinders_nothing() -> None:
    messages = turns(result("x"), "assistant", "user", result("y"), "user", "assistant")
    assert [turn_start(messages, wanted) for wanted in (1, 2, 3, 4)] == [0, 2, 2, 4]


def test_a_call_that_never_got_a_result_hinders_nothing() -> None:
    messages = turns("user", call("a"), "user", "assistant")
    assert turn_start(messages, 3) == 2


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_a_turn_begins_with_whoever_is_neither_model_nor_tool(role: str) -> None:
    assert turn_start(turns("user", "assistant", role, "assistant"), 3) == 2


@pytest.mark.parametrize("role", ["assistant", "tool", "function", ""])
def test_a_turn_never_begins_with_the_model_a_tool_or_nobody(role: str) -> None:
    assert turn_start(turns("user", "assistant", role, "assistant"), 2) == 0


def test_a_history_without_a_turn_is_never_emptied_by_a_repair() -> None:
    assert turn_start(turns("assistant", result("a"), "assistant"), 2) == 0


@pytest.mark.parametrize("wanted", [0, -1, -100])
def test_nothing_goes_when_nothing_is_wanted_to_go(wanted: int) -> None:
    assert turn_start(turns("user", "user"), wanted) == 0


@pytest.mark.parametrize("wanted", [2, 3, 100])
def test_all_may_go_at_once(wanted: int) -> None:
    assert turn_start(turns("user", call("a")), wanted) == 2
    assert turn_start([], wanted) == 0
