"""What pluggy accepts in silence, and the core must not: each check here is for a fault that lost data.

pluggy passes an implementation only the arguments that it names. One that lacks ``if_version``, misspells it,
gives it a default or takes ``**kwargs`` never gets it, and overwrites what it was told not to.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sessionkit.errors import PluginLoadError
from sessionkit.hookspecs import PROJECT, REQUIRED_HOOKS, SINCE, Backend

_PREFIX: Final = f"{PROJECT}_"
_MARK: Final = f"{PROJECT}_impl"

PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(inspect.signature(function).parameters)[1:]
    for name, function in vars(Backend).items()
    if name.startswith(_PREFIX)
}
"""The hooks, and the arguments that each is called with."""


def hook_attributes(who: str, plugin: object) -> Iterator[tuple[str, Callable[..., Any], Mapping[str, Any]]]:
    """Each hook that a plugin implements: its name, the bound function and the marks of ``hookimpl``.

    Raises:
        PluginLoadError: an attribute named like a hook that is none, or lacks its mark.
    """
    for name in dir(plugin):
        if not name.startswith(_PREFIX) or name in (_MARK, f"{PROJECT}_spec"):
            continue
        static = inspect.getattr_static(plugin, name)
        if static is vars(Backend).get(name):
            continue
        if name not in PARAMETERS:
            raise PluginLoadError(f"{who}: {name} is no hook{_meant(name)}")
        marks = _marks(static)
        if marks is None:
            raise PluginLoadError(f"{who}: {name} lacks its mark; put @hookimpl above it")
        if marks.get("specname"):
            raise PluginLoadError(f"{who}: {name} uses specname; name the method for the hook it implements")
        if marks.get("hookwrapper"):
            raise PluginLoadError(f"{who}: {name} is an old-style hookwrapper; use @hookimpl(wrapper=True)")
        yield name, getattr(plugin, name), marks


def check_backend(who: str, backend: object, api_version: tuple[int, int]) -> dict[str, dict[str, Any]]:
    """Hold a backend against the hook specification.

    Args:
        who: how to call it in an error.
        backend: the object that implements the hooks.
        api_version: the version of the plugin API that it was written for.

    Returns:
        For each hook that it implements: the arguments added since then that it lacks, with the value that is
        the same as lacking them.

    Raises:
        PluginLoadError: something does not fit; the error says what, and what to write.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, function, marks in hook_attributes(who, backend):
        if marks.get("wrapper"):
            raise PluginLoadError(f"{who}: {name} is a wrapper; a backend implements hooks, an extension wraps them")
        found[name] = _check_function(f"{who}: {name}", name, function, api_version)
    missing = sorted(REQUIRED_HOOKS - found.keys())
    if missing:
        raise PluginLoadError(f"{who} does not implement {', '.join(missing)}")
    return found


def _check_function(what: str, hook: str, function: Callable[..., Any], api: tuple[int, int]) -> dict[str, Any]:
    if not inspect.isroutine(function):
        raise PluginLoadError(f"{what} is no plain function, and pluggy passes over it; write a method")
    plain = inspect.unwrap(function)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        raise PluginLoadError(f"{what} is async; hooks are plain functions, called in a thread")
    if inspect.isgeneratorfunction(plain):
        raise PluginLoadError(f"{what} is a generator; return the value instead of yielding it")
    parameters = check_parameters(what, hook, function)
    missing = [name for name in PARAMETERS[hook] if name not in parameters]
    lacking = [name for name in missing if _since(hook, name)[0] <= api]
    if lacking:
        raise PluginLoadError(
            f"{what} lacks the argument{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}; "
            f"it is called with {', '.join(PARAMETERS[hook])}"
        )
    return {name: _since(hook, name)[1] for name in missing}


def check_parameters(what: str, hook: str, function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of an implementation, each of which gets its argument.

    Raises:
        PluginLoadError: one of them would not; pluggy leaves it out in silence.
    """
    parameters = inspect.signature(function).parameters
    for parameter in parameters.values():
        _check_parameter(what, hook, parameter)
    return parameters


def _check_parameter(what: str, hook: str, parameter: inspect.Parameter) -> None:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
        raise PluginLoadError(f"{what} takes {stars}{name}, which gets nothing; name the arguments")
    if name not in PARAMETERS[hook]:
        raise PluginLoadError(f"{what} has an argument {name} that the hook does not pass{_meant(name, hook)}")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise PluginLoadError(f"{what} makes {name} positional-only, and hooks are called by name; remove the /")
    if parameter.kind is parameter.KEYWORD_ONLY:
        raise PluginLoadError(f"{what} makes {name} keyword-only, so that it never gets it; remove the *")
    if parameter.default is not parameter.empty:
        raise PluginLoadError(f"{what} gives {name} a default, so that it may never get it; remove the default")


def _since(hook: str, argument: str) -> tuple[tuple[int, int], Any]:
    return SINCE.get((hook, argument), ((1, 0), None))


def _marks(static: object) -> Mapping[str, Any] | None:
    inner = static.__func__ if isinstance(static, (staticmethod, classmethod)) else static
    marks: Mapping[str, Any] | None = getattr(inner, _MARK, None) or getattr(static, _MARK, None)
    return marks


def _meant(name: str, hook: str | None = None) -> str:
    import difflib

    known = list(PARAMETERS) if hook is None else list(PARAMETERS[hook])
    close = difflib.get_close_matches(name, known, n=1)
    return f"; {close[0]} was probably meant" if close else ""
