"""What a configuration is once it is resolved: every value, with the place where it was said."""

from __future__ import annotations

import os
from typing import Any, Final

import attrs
import msgspec

from sessionkit.plugins.descriptors import BackendPlugin, ExtensionPlugin
from sessionkit.plugins.discovery import LoadedPlugin

MASK: Final = "********"
DEFAULT: Final = "built-in default"


@attrs.frozen(kw_only=True, repr=False)
class Setting:
    """One value and where it comes from.

    Attributes:
        name: such as ``backend`` or ``backends.jsonl.path``.
        value: the value, converted to the type that its option has.
        where: such as ``argument``, ``environment variable SESSIONKIT_BACKEND``, the path of a file, or
            ``built-in default``.
        secret: it is never shown.
    """

    name: str
    value: Any = attrs.field(repr=False)
    where: str
    secret: bool = False

    @property
    def shown(self) -> str:
        """The value for people, as a TOML file would say it; a mask when it is secret.

        >>> Setting(name="backend", value="jsonl", where="argument").shown
        '"jsonl"'
        >>> Setting(name="backends.redis.password", value="xyzzy", where="argument", secret=True).shown
        '********'
        """
        return MASK if self.secret and self.value is not None else show(self.value)

    def __repr__(self) -> str:
        return f"Setting(name={self.name!r}, value={self.shown}, where={self.where!r})"


@attrs.frozen(kw_only=True)
class ConfiguredExtension:
    """An extension that was chosen, imported, with its options checked.

    Attributes:
        name: its name.
        plugin: where it comes from, and its descriptor.
        options: an instance of its options class.
    """

    name: str
    plugin: LoadedPlugin[ExtensionPlugin]
    options: Any = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Configuration:
    """All that is needed to open a store.

    Attributes:
        backend: the name of the backend.
        on_write_error: ``"log"`` or ``"raise"``.
        extensions: the names of the extensions, outermost first.
        settings: every value: these three, each option, each default.
        plugin: the backend's plugin.
        options: an instance of its options class.
        extension_plugins: the extensions, in the order of ``extensions``.
    """

    backend: Setting
    on_write_error: Setting
    extensions: Setting
    settings: tuple[Setting, ...]
    plugin: LoadedPlugin[BackendPlugin]
    options: Any = attrs.field(repr=False)
    extension_plugins: tuple[ConfiguredExtension, ...] = ()


def show(value: Any) -> str:
    """A value for people. Of an object that is no plain value only the type: its text may hold a password.

    >>> show(True), show(None), show(1.5), show(["otel"]), show(object())
    ('true', 'not set', '1.5', '["otel"]', '<object>')
    """
    if value is None:
        return "not set"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, (str, bool, int, float)):
        return _json(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, bool, int, float)) for item in value):
        return _json(list(value))
    return f"<{type(value).__name__}>"


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, msgspec.MsgspecError):  # a lone surrogate, as file names can have them
        return repr(value)
