"""Where this runs: Python, the core, the user."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from typing import Final

import sessionkit
from sessionkit.config.directories import home_directory
from sessionkit.findings import Finding
from sessionkit.hookspecs import API_VERSION
from sessionkit.plugins.installed import identify

_CORE: Final = "sessionkit-core"
_FEW_FILES: Final = 256
"""Each session that is being read or written holds a file or two open, and each connection one."""


def check_environment(environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """What of the surroundings matters.

    Args:
        environ: the environment variables, those of the process when None.
    """
    yield Finding.ok(
        "python", f"{platform.python_implementation()} {platform.python_version()} on {platform.system() or 'unknown'}"
    )
    yield from _core()
    if home_directory(os.environ if environ is None else environ) is None:
        yield Finding.warning(
            "home directory",
            "this user has none, so that there is no place for the user's sessionkit.toml, nor for sessions by default",
            "name the store's directory or address in the configuration, or set HOME",
        )
    yield from _open_files()


def _core() -> Iterator[Finding]:
    import importlib_metadata

    where = os.path.dirname(os.path.abspath(sessionkit.__file__))
    api = ".".join(map(str, API_VERSION))
    try:
        installed = importlib_metadata.version(_CORE)
    except importlib_metadata.PackageNotFoundError:
        yield Finding.warning(
            "core",
            f"sessionkit {sessionkit.__version__} in {where} is not installed as a distribution, so that no plugin "
            "of its own is found",
            f"install it: pip install {_CORE}",
        )
        return
    if installed != sessionkit.__version__:
        yield Finding.warning(
            "core",
            f"{_CORE} {installed} is installed, and what is imported is {sessionkit.__version__} in {where}",
            f"reinstall it: pip install --force-reinstall {_CORE}",
        )
    else:
        yield Finding.ok("core", f"{_CORE} {installed}, plugin API {api}, in {where}")
    yield from _foreign()


def _foreign() -> Iterator[Finding]:
    """A stranger's distribution has the name of our package, and puts its files over ours."""
    import importlib_metadata

    try:
        foreign = importlib_metadata.distribution("sessionkit")
    except importlib_metadata.PackageNotFoundError:
        return
    yield Finding.problem(
        "foreign package",
        f"the distribution sessionkit {identify(foreign)[1]} is not ours, and its files replace those of {_CORE}",
        f"pip uninstall sessionkit, then pip install --force-reinstall {_CORE}",
    )


def _open_files() -> Iterator[Finding]:
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit <= _FEW_FILES:
        yield Finding.warning(
            "open files",
            f"this process may have {limit} files open at once",
            "raise the limit (ulimit -n 4096, or LimitNOFILE= in a unit of systemd) if many sessions are used at once",
        )
