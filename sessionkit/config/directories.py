"""The directories of a user: where the user's own configuration is, and where backends keep files by default."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def config_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The directory of the user's ``sessionkit.toml``; None when the user has no home directory.

    >>> config_directory({"HOME": "/home/ada"}, "linux").as_posix()
    '/home/ada/.config/sessionkit'
    """
    return _directory(environ, platform, "XDG_CONFIG_HOME", ".config", "APPDATA")


def data_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The directory below which each backend has one of its own; None when the user has no home directory.

    >>> data_directory({"HOME": "/home/ada"}, "linux").as_posix()
    '/home/ada/.local/share/sessionkit'
    """
    return _directory(environ, platform, "XDG_DATA_HOME", ".local/share", "LOCALAPPDATA")


def home_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The user's home directory, from the environment or else from the system's list of users."""
    said = environ.get("USERPROFILE" if platform == "win32" else "HOME", "")
    if said and os.path.isabs(said):
        return Path(said)
    if platform == "win32":
        return None
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a container may run as a user that nobody entered
        return None


def _directory(environ: Mapping[str, str], platform: str, xdg: str, below_home: str, windows: str) -> Path | None:
    chosen = environ.get(windows if platform == "win32" else xdg, "")
    if chosen and os.path.isabs(chosen):  # the XDG specification has relative ones ignored
        return Path(chosen) / "sessionkit"
    home = home_directory(environ, platform)
    if home is None or platform == "win32":
        return home and home / "AppData" / ("Roaming" if windows == "APPDATA" else "Local") / "sessionkit"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "sessionkit"
    return home / below_home / "sessionkit"
