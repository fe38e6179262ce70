"""Each broken store is caught by the clauses that are meant for it, and the correct stores by none.

All that needs the run of the whole suite stands in this one file: it takes most of a minute, once for each process.
"""

from __future__ import annotations

import pytest

from sessionkit.plugins.descriptors import Capability
from sessionkit.plugins.implementations import PARAMETERS

from .broken.registry import CORRECT, BrokenStore, broken_stores
from .broken.stores import Steps
from .broken.suites import clauses
from .running import Results

FAILURES = {"AssertionError", "Failed"}
"""What a clause that finds a fault ends with, as a rule: a failed assertion, or an error that was not raised."""


@pytest.mark.slow
@pytest.mark.parametrize("broken", broken_stores().values(), ids=lambda broken: broken.store.__name__)
def test_a_broken_store_is_caught_by_the_clauses_that_are_meant_for_it(broken: BrokenStore, results: Results) -> None:
    for clause in broken.clauses:
        outcomes = results.outcomes[broken.store.__name__][clause]
        failed = [outcome for outcome in outcomes if outcome.outcome == "failed"]
        assert failed, f"{clause} lets it pass: {outcomes}"
        for outcome in failed:
            assert outcome.when == "call", outcome.message
            assert outcome.error in FAILURES | set(broken.raises), outcome.message


@pytest.mark.slow
@pytest.mark.parametrize("store", CORRECT, ids=lambda store: store.__name__)
def test_a_correct_store_passes_every_clause(store: type[Steps], results: Results) -> None:
    outcomes = results.outcomes[store.__name__]
    assert set(outcomes) == set(clauses())
    failed = [outcome for found in outcomes.values() for outcome in found if outcome.outcome == "failed"]
    assert not failed, failed[0].message


@pytest.mark.slow
def test_a_store_that_promises_and_offers_everything_skips_no_clause(results: Results) -> None:
    (everything,) = [store for store in CORRECT if {*Capability} - store.capabilities == {Capability.EXPIRY}]
    outcomes = results.outcomes[everything.__name__]
    assert [
        clause for clause, found in outcomes.items() if any(outcome.outcome == "skipped" for outcome in found)
    ] == []


@pytest.mark.slow
def test_the_clauses_of_a_broken_store_run_on_it_and_no_others(results: Results) -> None:
    for name, broken in broken_stores().items():
        assert set(results.outcomes[name]) == set(broken.clauses)


@pytest.mark.slow
@pytest.mark.parametrize("hook", PARAMETERS)
def test_clauses_call_each_hook_with_each_of_its_arguments(hook: str, results: Results) -> None:
    expected = {hook, *(f"{hook}({name})" for name in PARAMETERS[hook])}
    assert expected - results.uses["SqliteStore"] == set()


@pytest.mark.parametrize("broken", broken_stores().values(), ids=lambda broken: broken.store.__name__)
def test_the_fault_of_a_broken_store_is_told_in_one_sentence(broken: BrokenStore) -> None:
    assert broken.store.__doc__ == broken.fault
    assert broken.fault.endswith(".")
