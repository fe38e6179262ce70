"""What importing sessionkit costs on top of the bare interpreter."""

from __future__ import annotations

import sys

from comparing import Comparison

if __name__ == "__main__":
    Comparison().commands(
        "a Python process",
        {
            "the bare interpreter": [sys.executable, "-c", "pass"],
            "import sessionkit": [sys.executable, "-c", "import sessionkit"],
            "from sessionkit import Message": [sys.executable, "-c", "from sessionkit import Message"],
            "from sessionkit import open_store": [sys.executable, "-c", "from sessionkit import open_store"],
        },
    )
