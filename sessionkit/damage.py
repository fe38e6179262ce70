"""``Damage``: what a check of a store finds."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Damage:
    """One thing in a store that is not as it should be. Contents of conversations are never quoted.

    Attributes:
        kind: what it is, for programs: a short name such as ``"torn-tail"``.
        key: the session; None when it is no session's, or nobody knows whose.
        place: the file, or the key of the server.
        problem: what it is, for people.
        remedy: what a repair does about it; when ``mendable`` is false, what a person can do.
        mendable: whether a repair can do something about it.
        harmless: nothing is lost or hidden by it: worth knowing, and no reason to call the store damaged.
        mended: whether a repair has done something about it.

    >>> print(Damage(kind="torn-tail", key="cli:direct", problem="the last line is torn", remedy="it is put aside"))
    session 'cli:direct': the last line is torn; it is put aside
    """

    kind: str
    key: str | None = None
    place: str = ""
    problem: str
    remedy: str
    mendable: bool = True
    harmless: bool = False
    mended: bool = False

    @property
    def stays(self) -> bool:
        """Whether it is damage, and still there."""
        return not (self.harmless or self.mended)

    def __str__(self) -> str:
        where = [f"session {self.key!r}"] if self.key is not None else []
        where += [self.place] if self.place else []
        return f"{', '.join(where) or 'the store'}: {self.problem}; {self.remedy}"
