"""Where the user's configuration and the backends' files are, on each platform."""

from __future__ import annotations

import os
import pwd

import pytest

from sessionkit.config.directories import config_directory, data_directory, home_directory


@pytest.mark.parametrize(
    ("environ", "platform", "config", "data"),
    [
        ({"HOME": "/h"}, "linux", "/h/.config/sessionkit", "/h/.local/share/sessionkit"),
        (
            {"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"},
            "linux",
            "/c/sessionkit",
            "/d/sessionkit",
        ),
        (
            {"HOME": "/h", "XDG_CONFIG_HOME": "relative", "XDG_DATA_HOME": ""},
            "linux",
            "/h/.config/sessionkit",
            "/h/.local/share/sessionkit",
        ),
        (
            {"HOME": "/h"},
            "darwin",
            "/h/Library/Application Support/sessionkit",
            "/h/Library/Application Support/sessionkit",
        ),
        ({"HOME": "/h", "XDG_DATA_HOME": "/d"}, "darwin", "/h/Library/Application Support/sessionkit", "/d/sessionkit"),
        ({"APPDATA": "/roaming", "LOCALAPPDATA": "/local"}, "win32", "/roaming/sessionkit", "/local/sessionkit"),
        ({"USERPROFILE": "/u"}, "win32", "/u/AppData/Roaming/sessionkit", "/u/AppData/Local/sessionkit"),
    ],
)
def test_each_platform_has_its_directories(environ: dict[str, str], platform: str, config: str, data: str) -> None:
    assert str(config_directory(environ, platform)) == config
    assert str(data_directory(environ, platform)) == data


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_usable_home_the_systems_list_of_users_is_asked(environ: dict[str, str]) -> None:
    assert str(home_directory(environ)) == pwd.getpwuid(os.getuid()).pw_dir


def test_a_user_that_nobody_entered_has_no_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)

    assert home_directory({}) is None
    assert config_directory({}) is None
    assert data_directory({}) is None
    assert str(data_directory({"XDG_DATA_HOME": "/d"})) == "/d/sessionkit"


def test_windows_without_a_profile_has_no_directories() -> None:
    assert config_directory({}, "win32") is None
