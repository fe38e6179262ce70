"""The layers that files make: found, trusted or not, read, and parsed.

Files that are found by walking upwards lie in directories that others may write to, such as a shared scratch
directory. They count only when they belong to the user of this process or to the administrator.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sessionkit.config.directories import config_directory, home_directory
from sessionkit.config.environment import variable
from sessionkit.config.layers import Layer, mapping_layer
from sessionkit.errors import ConfigError

_log = logging.getLogger("sessionkit.config")

FILE_NAME: Final = "sessionkit.toml"


def file_layers(environ: Mapping[str, str], cwd: Path | None) -> Iterator[Layer]:
    """What the configuration files say, the one that counts most first.

    Raises:
        ConfigError: a file that cannot be read, is not TOML, or says something unknown.
    """
    if named := environ.get("SESSIONKIT_CONFIG"):
        yield _named_file(named, environ, cwd)
    if cwd is not None:
        yield from _project_file(cwd)
        yield from _pyproject_file(cwd)
    directory = config_directory(environ)
    if directory is not None and _is_file(directory / FILE_NAME):
        path = directory / FILE_NAME
        yield _layer(path, _parse(_read_with_owner(path)[0], path))


def _named_file(named: str, environ: Mapping[str, str], cwd: Path | None) -> Layer:
    path = Path(named)
    home = home_directory(environ)
    if path.parts[:1] == ("~",) and home is not None:
        path = home.joinpath(*path.parts[1:])
    if not path.is_absolute():
        if cwd is None:
            raise ConfigError(
                f"{variable('SESSIONKIT_CONFIG')}: the path {named} is relative, and the working directory is gone"
            )
        path = cwd / path
    if not _is_file(path):
        raise ConfigError(f"{variable('SESSIONKIT_CONFIG')}: there is no file {path}")
    return _layer(path, _parse(_read_with_owner(path)[0], path))


def _project_file(cwd: Path) -> Iterator[Layer]:
    for directory in (cwd, *cwd.parents):
        path = directory / FILE_NAME
        # Asked before reading, so that a file of somebody else need not be readable, and again of what was opened,
        # because the name can be given to another file in between.
        if _is_file(path) and _is_trusted(path):
            content, owner = _read_with_owner(path)
            if _is_trusted(path, owner):
                yield _layer(path, _parse(content, path))
                return


def _pyproject_file(cwd: Path) -> Iterator[Layer]:
    """The nearest ``pyproject.toml`` that speaks of sessionkit; one that does not is not even parsed."""
    for directory in (cwd, *cwd.parents):
        path = directory / "pyproject.toml"
        if not _is_file(path):
            continue
        try:
            content, owner = _read_with_owner(path)
        except ConfigError as error:  # of another tool, most likely: no reason to fail
            _log.warning("ignoring %s", error)
            continue
        if b"sessionkit" not in content or not _is_trusted(path, owner):
            continue
        tool = _parse(content, path).get("tool")
        if not isinstance(tool, dict) or "sessionkit" not in tool:
            continue
        if not isinstance(tool["sessionkit"], dict):
            raise ConfigError(f"{path}: tool.sessionkit is not a table")
        yield mapping_layer(tool["sessionkit"], f"{path} [tool.sessionkit]", path.parent)
        return


def _layer(path: Path, document: dict[str, Any]) -> Layer:
    return mapping_layer(document, str(path), path.parent)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):  # not there, or in a directory that may not be searched; or no path at all
        return False


def _is_trusted(path: Path, *opened: int) -> bool:
    """Whether the file (what was opened of it, and a link that leads to it) belongs to this user or to root."""
    if not hasattr(os, "geteuid"):
        return True  # Windows keeps others out by other means
    try:
        owners = {*opened, os.stat(path).st_uid, os.lstat(path).st_uid} - {0, os.geteuid()}
    except OSError:  # it vanished meanwhile
        return False
    if owners:
        _log.warning("ignoring %s: it belongs to another user (uid %s)", path, min(owners))
    return not owners


def _read_with_owner(path: Path) -> tuple[bytes, int]:
    problem = ""
    try:
        with path.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_uid
    except OSError as error:
        problem = error.strerror or type(error).__name__
    raise ConfigError(f"{path}: the file cannot be read ({problem})")


def _parse(content: bytes, path: Path) -> dict[str, Any]:
    document = _document(content)
    if isinstance(document, str):
        raise ConfigError(f"{path}: {document}")
    return document


@lru_cache(maxsize=16)
def _document(content: bytes) -> dict[str, Any] | str:
    """The TOML document (shared: not to be changed), or what is wrong with it.

    Parsing costs a millisecond and reading does not, so the cache goes by the content and is never out of date.
    """
    import tomllib  # only when there is a file

    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"line {line} is not UTF-8"
    except tomllib.TOMLDecodeError as error:
        text = str(error)  # quotes at most a key
    place = re.search(r"\(at line (\d+), column \d+\)", text)
    where = f"line {place[1]}" if place else "the end of the file"
    hint = ""
    if re.search(rb"^\s*\[extensions\.", content, re.MULTILINE):
        hint = "; extensions is a list, the options of one stand in [extension.NAME]"
    return f"{where} is not valid TOML: {re.sub(r' [(]at .*', '', text, flags=re.DOTALL)}{hint}"
