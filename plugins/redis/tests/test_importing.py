"""The package can be imported where a system lacks what only the embedded server needs."""

from __future__ import annotations

import subprocess
import sys


def test_a_system_without_file_locks_can_use_a_server_elsewhere() -> None:
    program = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from sessionkit import BackendUnavailableError, open_store\n"
        "try: open_store('redis://127.0.0.1:1?deadline=0.01')\n"
        "except BackendUnavailableError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "the server at 127.0.0.1:1 cannot be reached" in result.stdout, result.stderr
