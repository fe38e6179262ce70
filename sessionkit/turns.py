"""Where a conversation may be cut, so that no tool result is left without its call."""

from __future__ import annotations

from collections.abc import Sequence

from sessionkit.calls import calls_in, results_in
from sessionkit.messages import Message

_INSIDE_A_TURN = frozenset({"assistant", "tool", "function", ""})


def turn_start(messages: Sequence[Message], wanted: int) -> int:
    """The last position up to ``wanted`` where a turn begins: what stands before it may go.

    A turn begins with a message of a role that is neither the model's nor a tool's; one without a role begins
    none, nor does one that brings a tool's result, whoever speaks. Nor does a position between a call and its
    result, whatever stands there. More is kept rather than less: when no turn begins up to ``wanted``, the answer
    is 0 and nothing goes. All may go at once, so that the answer is the number of messages when ``wanted`` is that
    many or more.

    >>> messages = [Message.simple(role, "") for role in ("user", "assistant", "user", "assistant")]
    >>> turn_start(messages, 3), turn_start(messages, 1), turn_start(messages, 4)
    (2, 0, 4)
    """
    if wanted >= len(messages):
        return len(messages)
    results = [[result.id for result in results_in(message)] for message in messages]
    open_until = _last_result_of_each_position(messages, results)
    for position in range(wanted, 0, -1):
        if messages[position].role in _INSIDE_A_TURN or results[position]:
            continue
        if open_until[position] < position:
            return position
    return 0


def _last_result_of_each_position(messages: Sequence[Message], results: Sequence[Sequence[str | None]]) -> list[int]:
    """For each position: the last position of a result whose call stands before it (-1 when there is none).

    Ids repeat from turn to turn, so that a result belongs to the nearest call before it that carries its id.
    """
    call_of: dict[str, int] = {}
    last_result: dict[int, int] = {}
    for position, message in enumerate(messages):
        for call in calls_in(message):
            call_of[call.id] = position
        for result in results[position]:
            if result in call_of:
                last_result[call_of[result]] = position
    reach, furthest = [], -1
    for position in range(len(messages)):
        reach.append(furthest)
        furthest = max(furthest, last_result.get(position, -1))
    return reach
