"""The hooks as programs see them."""

from __future__ import annotations

import typing

import pytest

from sessionkit import SessionStore
from sessionkit.hookspecs import Backend


@pytest.mark.parametrize("name", [name for name in vars(Backend) if name.startswith("sessionkit_")])
def test_the_types_of_a_hook_can_be_read_at_run_time(name: str) -> None:
    assert "return" in typing.get_type_hints(getattr(Backend, name))


@pytest.mark.parametrize("name", ["get_history", "diagnose", "verify", "repair"])
def test_the_types_of_an_operation_can_be_read_at_run_time(name: str) -> None:
    assert "return" in typing.get_type_hints(getattr(SessionStore, name))
