"""Any sequence of operations on several keys, with reopening at any point, equals a model."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionkit.plugins.descriptors import Capability
from sessionkit.sessions import ABSENT
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, Source, simple

_NAMES = count()
_SUFFIXES = ("a:b", "a/b", "a_b", "A_B", "..", ".meta", "x" * 300, "\U0001f600", "a\nb", "\u202ea", "e\u0301", "\u00e9")

_texts = st.text("ab", max_size=2)
_steps = st.one_of(
    st.tuples(st.just("add"), st.lists(_texts, min_size=1, max_size=3)),
    st.tuples(st.just("set"), st.lists(_texts, max_size=4)),
    st.tuples(st.just("truncate"), st.integers(-1, 5), st.none() | _texts),
    st.tuples(st.just("update"), st.dictionaries(st.sampled_from("mn"), st.integers(0, 2), max_size=2), _texts),
    st.tuples(st.just("pop"), st.integers(0, 3)),
    st.tuples(st.just("delete")),
    st.tuples(st.just("save")),
    st.tuples(st.just("fork"), st.integers(0, 2)),
    st.tuples(st.just("reopen")),
)

Model = dict[str, dict[str, Any]]


class ModelClauses(ConformanceBase):
    """Rule: all of them together."""

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        suffixes=st.lists(st.sampled_from(_SUFFIXES), min_size=3, max_size=3, unique=True),
        steps=st.lists(st.tuples(st.sampled_from((0, 0, 0, 0, 1, 2)), _steps), min_size=15, max_size=25),
    )
    def test_any_sequence_of_operations_equals_the_model(
        self, source: Source, suffixes: list[str], steps: list[tuple[int, tuple[Any, ...]]]
    ) -> None:
        """Messages, summary, metadata, existence, versions and the listing, after every step."""
        prefix = f"{next(_NAMES)}-"
        keys = [prefix + suffix for suffix in suffixes]
        model: Model = {}
        versions: dict[str, set[str]] = {key: set() for key in keys}
        persistent = Capability.PERSISTENT in self.capabilities(source)
        store = self.open(source)
        try:
            for place, step in steps:
                if step[0] == "reopen":
                    if persistent:
                        store.close()
                        store = self.open(source)
                else:
                    before = {key: store.get_session(key).version for key in keys}
                    _apply(store, model, keys, keys[place], step)
                    _check_versions(store, keys, before, versions)
                _check(store, model, keys, prefix)
        finally:
            store.close()


def _apply(store: SessionStore, model: Model, keys: list[str], key: str, step: tuple[Any, ...]) -> None:
    """Do a step to the store and to the model."""
    name, *arguments = step
    new = {"messages": [], "summary": "", "metadata": {}}
    if name == "add":
        store.add_messages(key, simple(*arguments[0]))
        model.setdefault(key, new)["messages"] = [*model.get(key, new)["messages"], *arguments[0]]
    elif name == "set":
        store.set_history(key, simple(*arguments[0]))
        model.setdefault(key, new)["messages"] = arguments[0]
    elif name == "truncate":
        keep, summary = arguments
        store.truncate_history(key, keep, summary=summary)
        if summary is not None:
            model.setdefault(key, new)["summary"] = summary
        if key in model:
            model[key]["messages"] = model[key]["messages"][-keep:] if keep > 0 else []
    elif name == "update":
        store.update_session(key, metadata=arguments[0], summary=arguments[1])
        model.setdefault(key, new).update(metadata=arguments[0], summary=arguments[1])
    elif name == "pop":
        gone = arguments[0]
        kept = model.get(key, new)["messages"]
        assert [m.text for m in store.pop_messages(key, gone)] == (kept[-gone:] if gone else [])
        if key in model:
            model[key]["messages"] = kept[: len(kept) - gone] if gone <= len(kept) else []
    elif name == "delete":
        assert store.delete_session(key) == (model.pop(key, None) is not None)
    elif name == "save":
        store.save(key)
    elif key in model and keys[arguments[0]] not in model:
        store.fork_session(key, keys[arguments[0]])
        model[keys[arguments[0]]] = {**model[key]}


def _check(store: SessionStore, model: Model, keys: list[str], prefix: str) -> None:
    for key in keys:
        expected = model.get(key, {"messages": [], "summary": "", "metadata": {}})
        session = store.get_session(key)
        assert session.exists == (key in model)
        found = {
            "messages": [message.text for message in session.messages],
            "summary": session.summary,
            "metadata": session.metadata,
        }
        assert found == expected
        assert [message.text for message in store.get_history(key, 2)] == expected["messages"][-2:]
    assert sorted(info.key for info in store.list_sessions(prefix)) == sorted(model)


def _check_versions(
    store: SessionStore, keys: list[str], before: dict[str, str], versions: dict[str, set[str]]
) -> None:
    """A version that a key once had and has no more never comes back."""
    for key in keys:
        version = store.get_session(key).version
        if version not in (before[key], ABSENT):
            assert version not in versions[key]
        versions[key].add(before[key])
