"""``SessionStoreConformance``: the whole contract as pytest items."""

from __future__ import annotations

from sessionkit.testing.clauses.contents import ContentsClauses
from sessionkit.testing.clauses.diagnosis import DiagnosisClauses
from sessionkit.testing.clauses.faults import FaultClauses
from sessionkit.testing.clauses.keys import KeyClauses
from sessionkit.testing.clauses.listing import ListingClauses
from sessionkit.testing.clauses.mending import MendingClauses
from sessionkit.testing.clauses.model import ModelClauses
from sessionkit.testing.clauses.persistence import PersistenceClauses
from sessionkit.testing.clauses.processes import ProcessClauses
from sessionkit.testing.clauses.reading import ReadingClauses
from sessionkit.testing.clauses.searching import SearchingClauses
from sessionkit.testing.clauses.threads import ThreadClauses
from sessionkit.testing.clauses.versions import VersionClauses
from sessionkit.testing.clauses.writing import WritingClauses


class SessionStoreConformance(
    WritingClauses,
    ReadingClauses,
    ContentsClauses,
    KeyClauses,
    VersionClauses,
    ListingClauses,
    PersistenceClauses,
    ThreadClauses,
    ProcessClauses,
    FaultClauses,
    DiagnosisClauses,
    MendingClauses,
    SearchingClauses,
    ModelClauses,
):
    """Derive from it, override the fixture ``source``, and pytest runs every clause of the contract.

    ::

        from sessionkit.testing import SessionStoreConformance

        class TestAcme(SessionStoreConformance):
            @pytest.fixture
            def source(self, tmp_path):
                return f"acme:{tmp_path}/sessions"

    The capabilities that the plugin declares decide what runs; what does not run is skipped and says why. With
    :meth:`read_raw`, :meth:`write_raw`, :meth:`break_storage`, :meth:`damage` and :meth:`unreachable` an author
    lets more run.
    """
