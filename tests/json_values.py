"""JSON values of all kinds for property tests, and how to compare them: as they are written, not as Python does."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

HOSTILE_TEXTS = (
    "",
    "\0",
    "\ud800",
    "\udfff\ud800",
    "\u2028\u2029",
    "\x00\x1f\x7f\x85",
    '"\\/</script>',
    "\ufeff",
    "😀",
    "e\u0301",
    "\r\n",
)
EXTREME_NUMBERS = (0, -1, 2**63, 2**64, -(2**63) - 1, 10**300, -0.0, 1.0, 1e22, 5e-324, 1.7976931348623157e308, 0.1)

texts = (
    st.sampled_from(HOSTILE_TEXTS)
    | st.text(max_size=8)
    | st.text(st.characters(exclude_categories=()), max_size=4).map(lambda text: _PAIR.sub("", text))
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(EXTREME_NUMBERS)
    | texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)

_calls = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": scalars,
            "type": scalars,
            "function": st.dictionaries(st.sampled_from(("name", "arguments")), texts),
        },
    )
    | scalars,
    max_size=3,
)
_FIELDS = (
    "role",
    "content",
    "tool_calls",
    "tool_call_id",
    "name",
    "media",
    "attachments",
    "reasoning_content",
    "system_parts",
    "model_name",
    "created_at",
)
_known: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(_FIELDS, values | _calls)
objects = st.tuples(st.dictionaries(texts, values, max_size=3), st.fixed_dictionaries({}, optional=_known)).map(
    lambda parts: {**parts[0], **parts[1]}
)
"""Objects that look like messages, more or less: the known fields have values of all kinds."""


def exact(value: Any) -> str:
    """A value as Python writes it: 1, 1.0 and True differ, as do -0.0 and 0.0, and the order of names counts."""
    return repr(value)


def nested(levels: int) -> list[Any]:
    """Arrays in arrays, so many."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value
