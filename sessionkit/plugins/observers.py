"""Guards around observers: they may watch every operation, and can change none.

An observer is an object with hook wrappers: generator functions marked ``@hookimpl(wrapper=True)``. Each is
wrapped once more here, because a wrapper of pluggy's could swallow a backend's error (and make ``save`` lie),
replace a result, or fail after its ``yield`` (and get a stored write repeated).
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any

import attrs

from sessionkit.codec import copy_json
from sessionkit.errors import PluginLoadError
from sessionkit.plugins.implementations import check_parameters, hook_attributes
from sessionkit.sessions import HeadingPage, History, SessionPage

logger = logging.getLogger("sessionkit.observers")

_Observation = Generator[None, Any, Any]


def guarded(name: str, observer: object) -> SimpleNamespace:
    """A plugin for pluggy that runs the observer's wrappers, each behind a guard.

    Raises:
        PluginLoadError: the observer has something else than plain hook wrappers.
    """
    guards = SimpleNamespace()
    for hook, function, marks in hook_attributes(f"extension {name!r}", observer):
        if not marks.get("wrapper"):
            raise PluginLoadError(
                f"extension {name!r}: {hook} is not a wrapper; an observer marks its hooks with @hookimpl(wrapper=True)"
            )
        if marks.get("tryfirst") or marks.get("trylast"):
            raise PluginLoadError(
                f"extension {name!r}: {hook} asks for tryfirst or trylast; the order of extensions is configuration"
            )
        if not inspect.isgeneratorfunction(inspect.unwrap(function)):
            raise PluginLoadError(f"extension {name!r}: {hook} does not yield; a wrapper is a plain generator function")
        check_parameters(f"extension {name!r}: {hook}", hook, function)
        setattr(guards, hook, _guard(name, hook, function))
    if not vars(guards):
        raise PluginLoadError(
            f"extension {name!r} is neither a Transform nor an observer: "
            "it has no method marked with @hookimpl(wrapper=True)"
        )
    return guards


def _guard(name: str, hook: str, function: Callable[..., _Observation]) -> Callable[..., _Observation]:
    @functools.wraps(function)  # pluggy reads the parameters through it
    def guard(*args: Any) -> _Observation:
        observation = _begin(name, hook, function, args)
        try:
            result = yield
        except BaseException as error:
            _tell_error(name, hook, observation, error)
            raise
        _tell_result(name, hook, observation, result)
        return result

    return guard


def _begin(name: str, hook: str, function: Callable[..., _Observation], args: tuple[Any, ...]) -> _Observation | None:
    try:
        observation = function(*(copy_json(arg) if type(arg) is dict else arg for arg in args))
        next(observation)
    except StopIteration:
        logger.error("extension %r: %s returned before its yield; it yields exactly once", name, hook)  # noqa: TRY400
    except Exception:  # an observer's fault is never the caller's
        logger.exception("extension %r failed before %s; the operation goes on", name, hook)
    else:
        return observation
    return None


def _tell_result(name: str, hook: str, observation: _Observation | None, result: object) -> None:
    if observation is None:
        return
    try:
        observation.send(_unchangeable(result))
    except StopIteration:
        return
    except Exception:  # an observer's fault is never the caller's
        logger.exception("extension %r failed after %s; the operation's result stands", name, hook)
        return
    _finish(name, hook, observation)


def _unchangeable(result: object) -> object:
    """What an observer is shown in place of a result that it could change."""
    if isinstance(result, History):
        return attrs.evolve(result, messages=tuple(result.messages))
    if isinstance(result, SessionPage):
        return attrs.evolve(result, sessions=tuple(result.sessions))
    if isinstance(result, HeadingPage):
        return attrs.evolve(result, headings=tuple(result.headings))
    return result


def _tell_error(name: str, hook: str, observation: _Observation | None, error: BaseException) -> None:
    if observation is None:
        return
    try:
        observation.throw(error)
    except StopIteration:
        return  # it swallowed the error: the guard raises it all the same
    except Exception as raised:  # an observer's fault is never the caller's
        if raised is not error:
            logger.exception("extension %r failed after %s; the operation's own error stands", name, hook)
        return
    except BaseException as raised:
        if raised is not error:
            raise  # somebody interrupts the program, and an observer happened to be running
        return
    _finish(name, hook, observation)


def _finish(name: str, hook: str, observation: _Observation) -> None:
    logger.error("extension %r: %s yields a second time; it has to yield exactly once", name, hook)
    try:
        observation.close()
    except Exception:  # an observer's fault is never the caller's
        logger.exception("extension %r failed while %s was ended", name, hook)
