"""Let nanobot write a session: ``python nanobot_sessions.py WORKSPACE ROOT``. Prints where, and what it reads back."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nanobot.session.manager import SessionManager


def main(workspace: str, root: str) -> None:
    """A session with a call and its result, a summary and a title."""
    manager = SessionManager(Path(workspace), sessions_root=Path(root))
    session = manager.get_or_create("telegram:42")
    session.add_message("user", "hello", media=["a.png"])
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    session.add_message("assistant", "", tool_calls=[call])
    session.add_message("tool", "a cat", tool_call_id="c1", name="look")
    session.add_message("assistant", "It is a cat.")
    session.commit_summary_checkpoint("They looked at a cat.")
    session.metadata["title"] = "Cats"
    manager.save(session)
    print(json.dumps({"directory": str(manager.sessions_dir), "read": manager.read_session_file("telegram:42")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
