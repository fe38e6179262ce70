"""Why sessionkit is not first somewhere, and what it would take: printed only where the figures say that it is so."""

from __future__ import annotations

from typing import Final

_LOOK_ANEW: Final = (
    "a read asks the file each time whether another process wrote to it; who keeps the history in a list of its own "
    "process answers at once, and does not see what others wrote. It would take giving that up"
)

_FIRST: Final = (
    "the first opening in a process looks for plugins among the installed packages and imports the one it needs, and "
    "the first reading checks each line; nanobot decodes one file. It would take a cache of what was found"
)

_SCRIPT: Final = (
    "an append is a script, which also keeps the count, the version, the time and the ids of the last writes; a bare "
    "push is one command that keeps none of them, and a lost reply then stores a message twice. With four processes it "
    "is the server's time that counts. It would take a push that does none of this"
)

REASONS: Final[dict[tuple[str, str], str]] = {
    ("system", "read"): _LOOK_ANEW,
    ("system", "last"): _LOOK_ANEW,
    ("synced", "read"): _LOOK_ANEW,
    ("synced", "last"): _LOOK_ANEW,
    ("system", "append"): (
        "an append of jsonl takes a lock that other processes heed and looks whether the file changed. "
        "It would take appending without either, as a program can that has its file alone"
    ),
    ("server", "append"): (
        "an append sends a script that also checks the generation, counts the message and knows a repetition; "
        "a bare push is one command. Both wait for the server's sync. It would take a push that does none of this"
    ),
    ("synced", "opening"): _FIRST,
    ("system", "opening"): _FIRST,
    ("server", "processes"): _SCRIPT,
    ("server", "one session"): _SCRIPT,
    ("synced", "one session"): (
        "processes that append to one session wait for each other's syncs, here and in SQLite: the disk decides, and "
        "the two are near each other. It would take one sync for the appends of several processes"
    ),
    ("server", "turn"): "the same as for its four appends",
    ("system", "turn"): (
        "the save at the end syncs, which nobody else in this group ever does. It would take a save that does not"
    ),
    ("system", "replay"): (
        "each append takes a lock that other processes heed, and the save at the end of a conversation syncs, which "
        "nobody else in this group does. It would take giving up either"
    ),
    ("synced", "reopen"): (
        "opening discovers the installed plugins and checks the backend's hooks, once in a process. "
        "It would take a cache of what was found"
    ),
    ("system", "reopen"): (
        "opening discovers the installed plugins and checks the backend's hooks, once in a process. "
        "It would take a cache of what was found"
    ),
    ("synced", "threads"): (
        "threads that append to different sessions each wait for a sync of their own file; a database has one log, "
        "and one sync may serve several. It would take a log that sessions share"
    ),
    ("synced", "processes"): (
        "processes that append to different sessions each wait for a sync of their own file; a database has one log, "
        "and one sync may serve several. It would take a log that sessions share"
    ),
    ("system", "threads"): "the same as for an append, by threads that share one interpreter",
    ("system", "processes"): "the same as for an append; a process that has its file alone needs no lock",
    ("system", "one session"): (
        "four processes take turns on one file, by a lock; who takes none is faster, and see what it kept"
    ),
}

UNKNOWN: Final = "the reason is not known yet"


def reason(durability: str, work: str) -> str:
    """What is known; `work` is the name of a piece of work, without its length."""
    return REASONS.get((durability, work), UNKNOWN)
