"""Draws the pictures of the documentation anew, from the conversations beside it.

    python docs/pictures/make.py

Terminals are drawn from what the commands print, ``browse`` by itself, and the page by a headless Chromium, which must
be installed (``chromium`` in the search path); without one the pictures of the page stay as they are.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from sessionkit import open_store
from sessionkit.cli.browse.app import BrowseApp

HERE: Final = Path(__file__).parent
CONVERSATIONS: Final = HERE / "conversations.jsonl"
COLUMNS: Final = 92

TERMINALS: Final = {
    "list": ("list",),
    "show": ("show", "web:ann", "--tail", "7"),
    "search": ("search", "lighthouse"),
}
"""Name of a picture, and the command whose output it shows."""

SIZES: Final = {"phone": (412, 915), "desktop": (900, 900)}
SCHEMES: Final = {"dark": 0, "light": 1}
_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Draw all pictures of a store with the made-up conversations."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        store = f"jsonl:{directory / 'sessions'}"
        run("import", str(CONVERSATIONS), "--store", store)
        for picture, arguments in TERMINALS.items():
            draw_terminal(picture, arguments, store)
        asyncio.run(draw_browse(store))
        page = directory / "page.html"
        run("export", "web:ann", "--format", "html", "-o", str(page), "--store", store)
        draw_page(page)


def run(*arguments: str) -> str:
    """What a command prints, as on a terminal with colours."""
    environment = os.environ | {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "COLUMNS": str(COLUMNS), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "sessionkit", *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def draw_terminal(picture: str, arguments: tuple[str, ...], store: str) -> None:
    """Draw a command and what it prints."""
    printed = run(*arguments, "--store", store)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.assemble(("$ ", "bold green"), f"sessionkit {' '.join(arguments)}"))
    console.print(Text.from_ansi(printed))
    write(picture, console.export_svg(title=f"sessionkit {arguments[0]}", theme=MONOKAI))


async def draw_browse(store: str) -> None:
    """Draw the full-screen program as it is once a session is open."""
    with open_store(store) as opened:
        app = BrowseApp(opened, "web:ann")
        async with app.run_test(size=(118, 36)) as pilot:
            while app.query_one("#right").border_title is None or not app.query_one("#left").border_subtitle:
                await pilot.pause(0.05)
            await pilot.press("tab")
            await pilot.pause()
            write("browse", app.export_screenshot(title="sessionkit browse"))


def write(picture: str, svg: str) -> None:
    """Write an SVG that loads nothing: fonts are the reader's own."""
    lines = [line.rstrip() for line in _FONTS.sub("", svg).splitlines()]
    (HERE / f"{picture}.svg").write_text("\n".join(lines).strip() + "\n", "utf-8")


def draw_page(page: Path) -> None:
    """Draw the page as a phone and a desktop show it, dark and light."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("There is no chromium: the pictures of the page are left as they are.", file=sys.stderr)
        return
    for device, (width, height) in SIZES.items():
        for scheme, number in SCHEMES.items():
            options = [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--window-size={width},{height}",
            ]
            options.append(f"--blink-settings=preferredColorScheme={number}")
            target = HERE / f"page-{device}-{scheme}.png"
            subprocess.run(
                [chromium, *options, f"--screenshot={target}", page.as_uri()], stderr=subprocess.DEVNULL, check=True
            )


if __name__ == "__main__":
    main()
