"""What is configured: which files were found, which settings count, and what is passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sessionkit.config import Configuration, resolve
from sessionkit.config.environment import PREFIX
from sessionkit.config.files import file_layers
from sessionkit.config.settings import DEFAULT
from sessionkit.doctor.hearing import hearing
from sessionkit.errors import ConfigError
from sessionkit.findings import Finding

_LOGGER: Final = "sessionkit.config"


def check_configuration(
    source: str | Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> tuple[list[Finding], Configuration | None]:
    """What is configured, and the configuration when it can be used; arguments as of :func:`resolve`."""
    environ = os.environ if environ is None else environ
    with hearing(_LOGGER) as heard:
        try:
            configuration = resolve(source, environ=environ, cwd=cwd)
            files = [layer.where for layer in file_layers(environ, cwd or _working_directory())]
        except ConfigError as error:
            problem = Finding.problem("configuration", str(error), "correct it where it was said")
            return [*_ignored(heard), problem], None
    return [
        *_files(configuration, files),
        *_ignored(heard),
        *_variables(environ),
        *_settings(configuration),
    ], configuration


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted
        return None


def _files(configuration: Configuration, files: list[str]) -> Iterator[Finding]:
    if not files:
        yield Finding.ok("files", "there is no sessionkit.toml; what nobody says elsewhere has its default")
    for file in files:
        count = sum(setting.where == file for setting in configuration.settings)
        said = {0: "nothing of it counts here", 1: "one setting of it counts"}.get(
            count, f"{count} settings of it count"
        )
        yield Finding.ok("file", f"{file}: {said}")


def _ignored(heard: list[str]) -> Iterator[Finding]:
    for line in dict.fromkeys(heard):
        yield Finding.warning(
            "ignored file", line, "if it is meant to count, give it to the user of this process (chown, chmod)"
        )


def _variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    names = sorted(name for name in environ if name.startswith(PREFIX) and environ[name])
    if names:
        yield Finding.ok("variables", ", ".join(names))


def _settings(configuration: Configuration) -> Iterator[Finding]:
    said = [setting for setting in configuration.settings if setting.where != DEFAULT]
    for setting in said:
        yield Finding.ok("setting", f"{setting.name} = {setting.shown} ({setting.where})")
    if configuration.backend.where == DEFAULT:
        yield Finding.ok("setting", f"backend = {configuration.backend.shown} ({DEFAULT})")
    others = len(configuration.settings) - len(said)
    yield Finding.ok("defaults", f"{others} settings have their defaults; sessionkit config shows them all")
