"""Messages are views over JSON objects: lossless, immutable, equal by value."""

from __future__ import annotations

import copy
import json
import pickle
from collections import UserDict
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidMessageError
from sessionkit.messages import (
    Attachment,
    FunctionCall,
    Message,
    SystemPart,
    ToolCall,
    as_message,
    as_messages,
)

from .json_values import exact, nested, objects, values

FULL: dict[str, Any] = {
    "role": "assistant",
    "content": [{"type": "text", "text": "look: "}, {"type": "image_url", "image_url": {"url": "u"}}, {"text": "so"}],
    "tool_calls": [
        {"id": "call_0", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}, "x": 1},
        {"id": "call_1", "type": "function", "function": {"name": "sub", "arguments": ""}},
    ],
    "tool_call_id": "call_9",
    "name": "calculator",
    "media": ["media://1"],
    "attachments": [
        {"type": "file", "ref": "r", "url": "https://example.org", "filename": "f.txt", "content_type": "text/plain"}
    ],
    "reasoning_content": "hm",
    "system_parts": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral"}}],
    "model_name": "m-1",
    "created_at": "2026-01-31T12:00:00.123456789+02:00",
    "unknown": {"deep": [None, True, 1.0]},
}
PROPERTIES = [name for name, value in vars(Message).items() if isinstance(value, property)]
VIEWS = (Message, ToolCall, FunctionCall, Attachment, SystemPart)


# --- lossless ----------------------------------------------------------------------------------------------------


@given(objects)
def test_any_json_object_comes_out_of_a_message_as_it_went_in(data: dict[str, Any]) -> None:
    assert exact(Message.from_dict(data).to_dict()) == exact(data)
    assert exact(Message(data).to_dict()) == exact(data)


@given(objects)
def test_any_json_object_goes_through_json_unchanged(data: dict[str, Any]) -> None:
    message = Message.from_dict(data)
    assert exact(Message.from_json(message.to_json()).to_dict()) == exact(data)
    assert Message.from_json(message.to_json().decode("utf-8")) == message


@settings(max_examples=50)
@given(objects)
def test_json_written_by_others_goes_through_a_message_unchanged(data: dict[str, Any]) -> None:
    assert exact(json.loads(Message.from_json(json.dumps(data)).to_json())) == exact(data)


@settings(max_examples=50)
@given(objects)
def test_each_field_is_got_as_it_went_in(data: dict[str, Any]) -> None:
    message = Message.from_dict(data)
    for name, value in data.items():
        assert exact(message.get(name, "default")) == exact(value)
    assert message.get("no such field") is None
    assert message.get("no such field", 7) == 7


@settings(max_examples=50)
@given(objects)
def test_reading_every_property_loses_nothing(data: dict[str, Any]) -> None:
    message = Message.from_dict(data)
    for name in PROPERTIES:
        getattr(message, name)
    assert exact(message.to_dict()) == exact(data)


def test_null_is_not_absent() -> None:
    assert Message.from_dict({"content": None, "tool_calls": None}).to_json() == b'{"content":null,"tool_calls":null}'
    assert Message.from_dict({}).to_json() == b"{}"


def test_real_conversations_go_through_unchanged() -> None:
    path = Path(__file__).parents[2] / "shared/data/airline-conversations.jsonl"
    if not path.exists():
        pytest.skip("the real conversations are not beside the project")
    for line in path.read_text("utf-8").splitlines():
        for data in json.loads(line)["messages"]:
            message = Message.from_dict(data)
            assert exact(Message.from_json(message.to_json()).to_dict()) == exact(data)


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"content": [{"n": float("nan")}]}, "message.content[0].n is nan, which JSON cannot hold"),
        ({"content": b"x"}, "message.content is of type bytes; JSON holds"),
        ({"tool_calls": [{1: 2}]}, "message.tool_calls[0] has a key of type int"),
        ({"content": nested(codec.MAX_DEPTH)}, "message is nested too deeply"),
        ([("role", "user")], "message is of type list; a Message is made of a JSON object"),
        ("text", "message is of type str; a Message is made of a JSON object"),
        (None, "message is of type NoneType; a Message is made of a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_place(data: Any, complaint: str) -> None:
    for make in (Message, Message.from_dict, as_message):
        with pytest.raises(InvalidMessageError) as caught:
            make(data)
        assert str(caught.value).startswith(complaint)


def test_a_view_names_itself_in_an_error() -> None:
    with pytest.raises(InvalidMessageError, match=r"^toolcall\.id is of type set"):
        ToolCall.from_dict({"id": {1}})


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'"text"', b"null", b"1", b'{"secret": NaN}', b'{"secret": 1e999}', b'{"secret":', b'{"a":"\xff"}'],
)
def test_what_is_no_json_object_does_not_decode(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        Message.from_json(data)
    assert "secret" not in str(caught.value)


def test_a_message_that_could_not_enter_as_a_dict_does_not_as_json_either() -> None:
    allowed = codec.encode({"content": nested(codec.MAX_DEPTH - 1)})
    assert Message.from_json(allowed).to_json() == allowed
    for levels in (codec.MAX_DEPTH, 100_000):
        with pytest.raises(DecodeError, match="nested too deeply"):
            Message.from_json(b'{"content":' + b"[" * levels + b"]" * levels + b"}")
        with pytest.raises(DecodeError, match="nested too deeply"):
            Message.from_json('{"content":' + "[" * levels + "]" * levels + "}")


@pytest.mark.parametrize("mapping", [MappingProxyType(FULL), UserDict(FULL)])
def test_a_mapping_that_is_no_dict_is_taken(mapping: Any) -> None:
    assert Message.from_dict(mapping).to_dict() == FULL
    assert as_messages([mapping])[0].to_dict() == FULL


def test_a_simple_message_has_a_role_and_a_text() -> None:
    assert Message.simple("user", "hé").to_json() == '{"role":"user","content":"hé"}'.encode()


@pytest.mark.parametrize(("role", "content"), [(None, "x"), ("user", None), ("user", ["x"]), ("user", b"x")])
def test_a_simple_message_of_other_types_is_a_type_error(role: Any, content: Any) -> None:
    with pytest.raises(TypeError, match="role and content are strings; use add_full_message"):
        Message.simple(role, content)


def test_a_simple_message_holds_plain_text() -> None:
    class Text(str):
        __slots__ = ()

    message = Message.simple(Text("user"), Text("hé"))
    assert {type(value) for value in message.to_dict().values()} == {str}
    assert Message.simple("user", "\ud83d" + "\ude00").content == "😀"


# --- nothing is shared -------------------------------------------------------------------------------------------


def _spoil(value: Any) -> None:
    """Change a value everywhere."""
    if isinstance(value, dict):
        for item in value.values():
            _spoil(item)
        value["spoilt"] = True
    elif isinstance(value, (list, tuple)):
        for item in value:
            _spoil(item)
        if isinstance(value, list):
            value.append("spoilt")
    elif isinstance(value, VIEWS):
        _spoil(value.to_dict())


@pytest.mark.parametrize(
    "make",
    [
        Message,
        Message.from_dict,
        as_message,
        lambda data: as_messages([data])[0],
        lambda data: Message({}).evolve(**data),
    ],
)
def test_changing_what_was_passed_in_does_not_change_the_message(make: Callable[..., Message]) -> None:
    data = copy.deepcopy(FULL)
    message = make(data)
    _spoil(data)
    assert message.to_dict() == FULL


@pytest.mark.parametrize("name", PROPERTIES)
def test_changing_what_a_property_gave_does_not_change_the_message(name: str) -> None:
    message = Message.from_dict(FULL)
    before = exact(getattr(message, name))
    _spoil(getattr(message, name))
    assert exact(getattr(message, name)) == before
    assert message.to_dict() == FULL


@pytest.mark.parametrize("name", FULL)
def test_changing_what_get_gave_does_not_change_the_message(name: str) -> None:
    message = Message.from_dict(FULL)
    _spoil(message.get(name))
    assert message.to_dict() == FULL


def test_changing_what_a_part_gave_does_not_change_the_message() -> None:
    message = Message.from_dict(FULL)
    for part in (*message.tool_calls, message.tool_calls[0].function, *message.attachments, *message.system_parts):
        _spoil(part.to_dict())
        _spoil(part.get("function"))
        _spoil(part.get("cache_control"))
    assert message.to_dict() == FULL


def test_a_default_is_handed_back_as_it_is() -> None:
    default: list[int] = []
    assert Message.from_dict({}).get("name", default) is default


# --- the typed fields --------------------------------------------------------------------------------------------


def test_the_typed_fields_read_a_full_message() -> None:
    message = Message.from_dict(FULL)
    assert (message.role, message.name, message.tool_call_id) == ("assistant", "calculator", "call_9")
    assert (message.content, message.text) == (FULL["content"], "look: so")
    assert (message.media, message.reasoning_content, message.model_name) == (("media://1",), "hm", "m-1")
    assert message.created_at == "2026-01-31T12:00:00.123456789+02:00"
    first, second = message.tool_calls
    assert (first.id, first.type, first.name, first.arguments) == ("call_0", "function", "add", '{"a": 1}')
    assert (second.function.name, second.function.arguments) == ("sub", "")
    attachment = message.attachments[0]
    assert (attachment.type, attachment.ref, attachment.url) == ("file", "r", "https://example.org")
    assert (attachment.filename, attachment.content_type) == ("f.txt", "text/plain")
    assert [(part.type, part.text) for part in message.system_parts] == [("text", "be kind")]


ABSENT_FIELDS: dict[str, Any] = {
    "role": "",
    "content": None,
    "text": "",
    "tool_calls": (),
    "tool_call_id": None,
    "name": None,
    "media": (),
    "attachments": (),
    "reasoning_content": None,
    "system_parts": (),
    "model_name": None,
    "created_at": None,
}


def test_absent_fields_read_as_nothing() -> None:
    message = Message.from_dict({})
    assert {name: getattr(message, name) for name in PROPERTIES} == ABSENT_FIELDS


@pytest.mark.parametrize("odd", [None, 5, True, 0.5, {"a": 1}])
@pytest.mark.parametrize("name", [name for name in PROPERTIES if name != "text"])
def test_a_field_of_an_odd_type_reads_as_absent_and_is_kept(name: str, odd: object) -> None:
    message = Message.from_dict({name: odd})
    assert getattr(message, name) == ABSENT_FIELDS[name]
    assert message.text == ""
    assert exact(message.to_dict()) == exact({name: odd})


@pytest.mark.parametrize("name", ["tool_calls", "media", "attachments", "system_parts"])
def test_a_text_in_place_of_a_list_reads_as_absent(name: str) -> None:
    assert getattr(Message.from_dict({name: "text"}), name) == ()


def test_of_a_mixed_list_the_items_of_the_right_type_are_read_and_all_are_kept() -> None:
    data = {
        "content": ["x", {"text": "a"}, {"text": 5}, None, {"type": "image"}, {"text": "b"}],
        "tool_calls": [None, {"id": "c"}, "x", [], {"id": 5, "type": None, "function": "f"}],
        "media": ["m", 5, None],
        "attachments": [None, {"ref": "r"}],
        "system_parts": ["x", {"text": "t"}],
    }
    message = Message.from_dict(data)
    assert message.text == "ab"
    assert message.content == data["content"]
    assert [(call.id, call.type, call.name, call.arguments) for call in message.tool_calls] == [
        ("c", "", "", ""),
        ("", "", "", ""),
    ]
    assert message.media == ("m",)
    assert [attachment.ref for attachment in message.attachments] == ["r"]
    assert [part.text for part in message.system_parts] == ["t"]
    assert message.to_dict() == data


@given(values)
def test_a_property_has_its_type_whatever_the_field_holds(value: object) -> None:
    message = Message.from_dict(dict.fromkeys(PROPERTIES, value))
    assert isinstance(message.role, str)
    assert isinstance(message.text, str)
    assert message.content is None or isinstance(message.content, (str, list))
    for name in ("tool_call_id", "name", "reasoning_content", "model_name", "created_at"):
        assert getattr(message, name) is None or isinstance(getattr(message, name), str)
    for name, kind in (("media", str), ("tool_calls", ToolCall), ("attachments", Attachment)):
        assert all(isinstance(item, kind) for item in getattr(message, name))
    for call in message.tool_calls:
        assert all(isinstance(text, str) for text in (call.id, call.type, call.name, call.arguments))


# --- values ------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(objects, objects)
def test_messages_are_equal_when_their_objects_are_and_then_hash_alike(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    for left, right in ((one, copy.deepcopy(one)), (one, other), (one, dict(reversed(one.items())))):
        assert (Message(left) == Message(right)) == (left == right)
        if left == right:
            assert hash(Message(left)) == hash(Message(right))
            assert hash(ToolCall(left)) == hash(ToolCall(right))


def test_numbers_that_python_calls_equal_are_equal_and_hash_alike() -> None:
    messages = {Message.from_dict({"role": "user", "n": n}) for n in (1, 1.0, True)}
    assert len(messages) == 1


def test_a_message_equals_nothing_but_a_message() -> None:
    message = Message.simple("user", "x")
    others: list[object] = [message.to_dict(), ToolCall.from_dict(message.to_dict()), "x", None]
    assert [other for other in others if other == message or message == other] == []


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_a_view_can_be_assigned_or_deleted(view: type[Message]) -> None:
    made = view.from_dict(FULL)
    names = [name for name, value in vars(view).items() if isinstance(value, property)]
    for name in ("_data", "new", *names):
        with pytest.raises(AttributeError):
            setattr(made, name, "x")
        with pytest.raises(AttributeError):
            delattr(made, name)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made._data = {}  # type: ignore[misc]
    assert made.to_dict() == FULL


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, *(lambda v, p=p: pickle.loads(pickle.dumps(v, p)) for p in range(2, 6))],
)
def test_copies_and_pickles_are_equal(view: type[Message], duplicate: Callable[[Any], Any]) -> None:
    made = view.from_dict(FULL)
    same = duplicate(made)
    assert same == made
    assert type(same) is view
    assert hash(same) == hash(made)
    assert exact(same.to_dict()) == exact(FULL)


def test_the_representation_is_the_expression_that_makes_it() -> None:
    message = Message.from_dict(FULL)
    assert eval(repr(message), {"Message": Message}) == message


def test_evolve_changes_a_copy() -> None:
    message = Message.from_dict({"role": "user", "x": 1, "content": "a"})
    assert exact(message.evolve(content=None, new=[1]).to_dict()) == exact(
        {"role": "user", "x": 1, "content": None, "new": [1]}
    )
    assert message.content == "a"


def test_evolve_sets_any_field() -> None:
    assert Message.from_dict({}).evolve(**{"self": 1, "a-b": 2, "": 3}).to_dict() == {"self": 1, "a-b": 2, "": 3}


def test_evolve_takes_what_the_properties_gave() -> None:
    message = Message.from_dict(FULL)
    evolved = message.evolve(
        tool_calls=message.tool_calls, attachments=list(message.attachments), system_parts=message.system_parts
    )
    assert exact(evolved.to_dict()) == exact(FULL)
    assert message.evolve(x=message.tool_calls[0]).get("x") == FULL["tool_calls"][0]


def test_evolve_refuses_what_is_not_json() -> None:
    with pytest.raises(InvalidMessageError, match=r"^message\.x is nan"):
        Message.simple("user", "").evolve(x=float("nan"))


# --- batches -----------------------------------------------------------------------------------------------------


def test_a_batch_takes_messages_and_objects_from_any_iterable() -> None:
    message = Message.simple("user", "a")
    batch: list[Message | dict[str, Any]] = [message, {"role": "user"}]
    assert as_messages(iter(batch)) == (message, Message.from_dict({"role": "user"}))
    assert as_messages([message])[0] is message
    assert as_messages(()) == ()


def test_a_message_of_a_subclass_becomes_the_plain_one_that_every_process_reads() -> None:
    class Loud(Message):
        __slots__ = ()

        @property
        def text(self) -> str:
            return super().text.upper()

    for taken in (as_message(Loud.simple("user", "hello")), as_messages([Loud.simple("user", "hello")])[0]):
        assert type(taken) is Message
        assert taken == Message.simple("user", "hello")


@pytest.mark.parametrize("single", [Message.simple("user", "x"), {"role": "user"}, "text", b"bytes", UserDict()])
def test_one_message_in_place_of_a_batch_is_a_type_error(single: Any) -> None:
    with pytest.raises(TypeError, match="messages is a list of messages, not one"):
        as_messages(single)


def test_a_bad_message_in_a_batch_is_named_by_its_position() -> None:
    with pytest.raises(InvalidMessageError, match=r"^messages\[1\]\.content is of type set"):
        as_messages([{"content": "good"}, {"content": {1}}])
    with pytest.raises(InvalidMessageError, match=r"^messages\[0\] is of type int"):
        as_messages([5])  # type: ignore[list-item]


def test_many_messages_are_made_of_decoded_objects_at_once() -> None:
    data = [{"role": "user", "content": str(number)} for number in range(3)]
    assert Message.adopt_all(data) == [Message.adopt(item) for item in data]
    assert Message.adopt_all([]) == []
