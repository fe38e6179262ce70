"""``sessionkit new-backend``: writes the project of a backend plugin, from the templates in ``scaffold/``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import click

from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples
from sessionkit.cli.output import make_console
from sessionkit.cli.rich_help import Command

# The templates end in .in: they are no Python, TOML or Markdown before their names are filled in.
FILES: Final = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "LICENSE": "LICENSE",
    "tox.ini": "tox.ini",
    "gitignore": ".gitignore",
    "tests.yml": ".github/workflows/tests.yml",
    "__init__.py": "@package@/__init__.py",
    "backend.py": "@package@/backend.py",
    "options.py": "@package@/options.py",
    "py.typed": "@package@/py.typed",
    "test_conformance.py": "tests/test_conformance.py",
    "test_backend.py": "tests/test_backend.py",
}
"""The templates, and where in the project each goes."""

_PLACEHOLDER: Final = re.compile(r"@([a-z_]+)@")
_RESERVED: Final = frozenset({"core", "sessionkit"})
"""Names that are no backend's, but whose distribution or entry point would be taken for one of ours."""


def _check_name(ctx: click.Context, parameter: click.Parameter, name: str) -> str:
    from sessionkit.plugins.discovery import KNOWN_BACKENDS
    from sessionkit.plugins.urls import NAME_PATTERN

    if not NAME_PATTERN.fullmatch(name):
        raise click.BadParameter(
            f"{name!r} cannot be the name of a backend: it begins with a letter, and has lower-case letters, digits "
            f"and single dashes"
        )
    if name in _RESERVED or name in KNOWN_BACKENDS:
        raise click.BadParameter(f"{name!r} is a name of sessionkit's own; choose another one")
    return name


@click.command(
    "new-backend",
    cls=Command,
    epilog=examples("sessionkit new-backend acme", "sessionkit new-backend acme --dir ../acme-sessions"),
)
@click.argument("name", callback=_check_name)
@click.option(
    "--dir",
    "directory",
    metavar="DIRECTORY",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the project goes: a new or an empty directory. Without it: sessionkit-NAME.",
)
def command(name: str, directory: Path | None) -> None:
    """Write the project of a new backend: a plugin that is complete, tested and yours to change.

    NAME is how the backend is chosen, as in open_store("NAME:..."). It keeps sessions in SQLite and keeps the whole
    contract; put your storage in its place, and the tests tell when you are done.
    """
    values = placeholders(name)
    place = directory or Path(values["distribution"])
    if place.is_dir() and any(place.iterdir()):
        raise click.UsageError(f"{place} is not empty; name a new or an empty directory with --dir")
    written = write_project(place, values)
    console = make_console()
    console.print(f"The backend {name} is in {visible(str(place))}:")
    for path in written:
        console.print(f"  {visible(str(path.relative_to(place)))}")
    console.print("Install it, run its tests, and use it:")
    console.print(f"  cd {visible(_quoted(place))}")
    console.print('  python -m pip install -e ".[test]"')
    console.print("  python -m pytest")
    console.print(f"  sessionkit list --store {name}:sessions")


def placeholders(name: str) -> dict[str, str]:
    """What stands for each ``@placeholder@`` in the project of a backend.

    >>> values = placeholders("acme-sql")
    >>> values["distribution"], values["package"], values["class"]
    ('sessionkit-acme-sql', 'sessionkit_acme_sql', 'AcmeSql')
    """
    from datetime import UTC, datetime

    from sessionkit import __version__
    from sessionkit.hookspecs import API_VERSION

    return {
        "name": name,
        "distribution": f"sessionkit-{name}",
        "package": f"sessionkit_{name.replace('-', '_')}",
        "class": "".join(word.capitalize() for word in name.split("-")),
        "version": __version__,
        "api_version": repr(API_VERSION),
        "year": str(datetime.now(UTC).year),
    }


def write_project(place: Path, values: Mapping[str, str]) -> list[Path]:
    """Write every file of the project, and overwrite none.

    Args:
        place: its directory, which is made when it is not there.
        values: from :func:`placeholders`.

    Returns:
        The files, in the order of :data:`FILES`.

    Raises:
        FileExistsError: one of the files is there already.
    """
    scaffold = resources.files("sessionkit.cli").joinpath("scaffold")
    written = []
    for template, target in FILES.items():
        text = scaffold.joinpath(f"{template}.in").read_text("utf-8")
        path = place / _filled(target, values)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_filled(text, values))
        written.append(path)
    return written


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _quoted(place: Path) -> str:
    import shlex

    return shlex.quote(str(place))
