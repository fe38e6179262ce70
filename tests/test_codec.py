"""JSON in and out: what goes in comes out."""

from __future__ import annotations

import json

import pytest

from sessionkit import codec


@pytest.mark.parametrize("value", [{"a": [1, {}], "b": []}, {"text": "\ud800 alone"}, ["\ud83d\ude00", 1e22]])
def test_pretty_json_has_picoclaws_layout_and_the_same_value(value: object) -> None:
    written = codec.encode_pretty(value)
    assert codec.decode(written) == codec.decode(codec.encode(value))
    assert json.loads(written) == json.loads(json.dumps(value))
    assert b"\n  " in written
