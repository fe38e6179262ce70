"""How settings are shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sessionkit.config import Setting


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("jsonl", '"jsonl"'),
        ('a"b', '"a\\"b"'),
        ("café", '"café"'),
        (Path("/var/lib"), '"/var/lib"'),
        (True, "true"),
        (8, "8"),
        (0.5, "0.5"),
        (None, "not set"),
        ((), "[]"),
        (("a", "b"), '["a","b"]'),
        ({"password": "x"}, "<dict>"),
        ([{"password": "x"}], "<list>"),
        ("a\udc80", "'a\\udc80'"),
    ],
)
def test_a_value_is_shown_as_a_file_would_say_it(value: Any, shown: str) -> None:
    setting = Setting(name="x", value=value, where="argument")

    assert setting.shown == shown
    assert repr(setting) == f"Setting(name='x', value={shown}, where='argument')"


def test_importing_configuration_imports_nothing_that_only_files_or_errors_need() -> None:
    code = (
        "import sys, sessionkit.config\n"
        "print([name for name in ('tomllib', 'importlib_metadata', 'difflib', 'email') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"


def test_resolving_without_an_error_imports_neither_difflib_nor_the_parser_of_mails() -> None:
    code = (
        "import sys, sessionkit.config; sessionkit.config.resolve('memory:', environ={'HOME': '/'})\n"
        "print([name for name in ('difflib', 'email.message') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"
