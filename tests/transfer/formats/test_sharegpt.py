"""ShareGPT conversations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionkit import codec
from sessionkit.transfer.formats import FORMATS, Losses, Source

from .reading import documents, messages, problems

TEXT = st.text(max_size=5)
NAMES = st.lists(st.text(min_size=1, max_size=3), max_size=3)


def _written(items: list[dict[str, Any]], **session: Any) -> tuple[Any, Losses]:
    writer = FORMATS["sharegpt"].writer
    assert writer is not None
    losses = Losses()
    document = {"key": "a", "messages": items, **session}
    dump = lambda value: codec.encode(value).decode()  # noqa: E731
    return json.loads("".join(writer.write([document], dump=dump, losses=losses))), losses


def _read(value: Any) -> list[list[dict[str, Any]]]:
    source = Source("written", [json.dumps(value).encode()])
    return [messages(read.document) for read in FORMATS["sharegpt"].read(source)]  # type: ignore[union-attr]


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Turns of a user, of whom some are answered with calls, their results and a text."""
    made: list[dict[str, Any]] = []
    calls = 0
    if draw(st.booleans()):
        made.append({"role": "system", "content": draw(TEXT)})
    for names in draw(st.lists(NAMES, max_size=3)):
        made.append({"role": "user", "content": draw(TEXT)})
        if names:
            ids = [f"call_{calls + number}" for number in range(1, len(names) + 1)]
            calls += len(ids)
            functions = [{"name": name, "arguments": '{"a":"é\\n"}'} for name in names]
            pairs = zip(ids, functions, strict=True)
            asked = [{"id": call, "type": "function", "function": function} for call, function in pairs]
            content = draw(st.none() | st.text(min_size=1, max_size=4))
            made.append({"role": "assistant", "content": content, "tool_calls": asked})
            made += [{"role": "tool", "content": draw(TEXT), "tool_call_id": call} for call in ids]
        made.append({"role": "assistant", "content": draw(TEXT)})
    return made


@settings(max_examples=40)
@given(conversations())
def test_what_is_written_is_read_again(items: list[dict[str, Any]]) -> None:
    written, losses = _written(items)
    assert _read(written) == [items]
    assert losses.messages.keys() <= {"tool_calls.id", "tool_call_id"}
    assert losses.sessions == {}


def test_turns_are_named_as_usual() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    written, _ = _written(
        [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "u"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "t", "tool_call_id": "c"},
            {"role": "assistant", "content": "a"},
        ]
    )
    assert written == [
        {
            "id": "a",
            "conversations": [
                {"from": "system", "value": "s"},
                {"from": "human", "value": "u"},
                {"from": "function_call", "value": '{"name":"f","arguments":{"x":1}}'},
                {"from": "observation", "value": "t"},
                {"from": "gpt", "value": "a"},
            ],
        }
    ]


def test_what_has_no_place_is_counted() -> None:
    image = {"type": "image_url", "image_url": {"url": "u"}}
    items: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "look"}, image], "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}], "from": "human"},
        {"role": "developer", "content": "d", "tool_calls": 5},
    ]
    written, losses = _written(items, summary="s", metadata={"a": 1})
    assert written[0]["conversations"] == [
        {"from": "human", "value": "look"},
        {"from": "gpt", "value": ""},
        {"from": "developer", "value": "d"},
    ]
    assert losses.sessions == {"summary": 1, "metadata": 1}
    assert losses.messages == {"content": 1, "name": 1, "tool_calls": 2, "from": 1}


def test_no_session_is_an_empty_array() -> None:
    writer = FORMATS["sharegpt"].writer
    assert writer is not None
    assert json.loads("".join(writer.write([], dump=json.dumps, losses=Losses()))) == []


def test_other_names_of_the_parties_are_understood_and_kept() -> None:
    turns = [
        {"from": "user", "value": "a"},
        {"from": "chatgpt", "value": "b", "weight": 0},
        {"from": "narrator", "value": "c"},
    ]
    (read,) = _read({"conversations": turns})
    assert read == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 0, "from": "chatgpt"},
        {"role": "narrator", "content": "c"},
    ]
    assert _written(read)[0][0]["conversations"][1]["from"] == "chatgpt"


def test_turns_with_the_names_of_openai_are_messages() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert _read({"conversations": turns}) == [turns]


def test_a_system_prompt_beside_the_turns_comes_first() -> None:
    (read,) = _read({"conversations": [{"from": "human", "value": "a"}], "system": "Be short."})
    assert read[0] == {"role": "system", "content": "Be short."}


def test_a_call_that_is_none_stays_text() -> None:
    turns = [{"from": "function_call", "value": "look it up"}, {"from": "observation", "value": "b"}]
    (read,) = _read({"conversations": turns})
    assert read == [
        {"role": "assistant", "content": "look it up", "from": "function_call"},
        {"role": "tool", "content": "b"},
    ]
    assert _written(read)[0][0]["conversations"] == turns


def test_results_answer_the_calls_in_order() -> None:
    calls = json.dumps([{"name": "f", "arguments": {"x": 1}}, {"name": "g", "arguments": "raw"}])
    turns = [{"from": "gpt", "value": "Wait."}, {"from": "function_call", "value": calls}]
    turns += [{"from": "tool", "value": value} for value in ("1", "2")]
    (read,) = _read({"conversations": turns})
    assert [call["function"] for call in read[0]["tool_calls"]] == [
        {"name": "f", "arguments": '{"x":1}'},
        {"name": "g", "arguments": "raw"},
    ]
    assert read[0]["content"] == "Wait."
    assert [message["tool_call_id"] for message in read[1:]] == ["call_1", "call_2"]


def test_a_result_never_answers_a_call_of_an_earlier_turn() -> None:
    f, g = ({"from": "function_call", "value": json.dumps({"name": name})} for name in "fg")
    (read,) = _read({"conversations": [f, {"from": "human", "value": "?"}, g, {"from": "observation", "value": "1"}]})
    assert read[-1]["tool_call_id"] == read[-2]["tool_calls"][0]["id"] == "call_2"


@pytest.mark.parametrize("arguments", ["5", "[1]", "not json", ""])
def test_arguments_that_are_no_object_stay_text(arguments: str) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    written, _ = _written([{"role": "assistant", "content": None, "tool_calls": [call]}])
    assert json.loads(written[0]["conversations"][0]["value"])["arguments"] == arguments
    assert _read(written)[0][0]["tool_calls"] == [call]


def test_ids_are_keys_and_other_fields_are_told(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(
        '{"id": 7, "conversations": [], "tools": "[]"}\n{"id": "x_0", "conversations": []}\n{"conversations": []}\n'
    )
    read = documents(tmp_path / "train.jsonl")
    assert [document.key for document in read] == ["7", "x_0", "train:3"]
    assert read[0].unknown_fields == ("tools",)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"conversations": 5}, "no conversation; expected"),
        ({"conversations": [5]}, '"conversations"[0] is no object'),
        ({"conversations": [{"from": "human"}]}, '"conversations"[0] lacks "from" or "value"'),
        ({"conversations": [{"from": "human", "value": "a", "role": "user"}]}, "fields of two formats"),
        (5, "no conversation; expected"),
    ],
)
def test_a_conversation_that_is_none_is_told_with_its_place(tmp_path: Path, value: Any, reason: str) -> None:
    (tmp_path / "train.json").write_text(json.dumps([{"conversations": []}, value]))
    (problem,) = problems(tmp_path / "train.json")
    assert "train.json, line 1, item 2: " in problem
    assert reason in problem
