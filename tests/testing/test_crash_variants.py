"""What a power cut may leave: everything that is synced, and any part of the rest."""

from __future__ import annotations

from sessionkit.testing.crash.calls import ROOT, Call, Entry, Renamed, Resized, Synced, Wrote
from sessionkit.testing.crash.disk import Disk, State
from sessionkit.testing.crash.variants import content_variants, remains

A, B = 10, 11


def _created(name: str, number: int) -> Renamed:
    return Renamed(f"creation of {name}", added=((Entry(ROOT, name), number),), new="file")


def _renamed(source: str, target: str, number: int) -> Renamed:
    what = f"rename of {source} to {target}"
    return Renamed(what, removed=(Entry(ROOT, source),), added=((Entry(ROOT, target), number),))


def _left(*calls: Call) -> set[str]:
    """The states after some calls, as ``name=content`` of each file."""
    disk = Disk(State())
    for call in calls:
        disk.take(call)
    return {
        " ".join(
            name if number is None else f"{name}={left.state.contents[number].decode()}"
            for name, number in left.state.names
        )
        for left in remains(disk)
    }


def _appended(durable: bytes, *data: bytes) -> dict[bytes, str]:
    calls, end = [], len(durable)
    for part in data:
        calls.append(Wrote(A, "a", end, part))
        end += len(part)
    return content_variants(durable, calls)


def test_what_is_synced_is_there() -> None:
    calls: list[Call] = [_created("a", A), Wrote(A, "a", 0, b"x"), Synced(A, "a"), Synced(ROOT, ".")]
    assert _left(*calls) == {"a=x"}


def test_a_synced_file_without_synced_entry_may_be_missing() -> None:
    assert _left(_created("a", A), Wrote(A, "a", 0, b"x"), Synced(A, "a")) == {"a=x", ""}


def test_a_file_renamed_without_a_sync_may_be_empty_under_its_new_name() -> None:
    calls: list[Call] = [_created("b", B), Wrote(B, "b", 0, b"x"), _renamed("b", "a", B), Synced(ROOT, ".")]
    assert _left(*calls) == {"a=x", "a=", "a=\0"}


def test_pending_changes_of_entries_may_be_there_in_any_combination() -> None:
    calls: list[Call] = [_created("a", A), _created("b", B), Renamed("removal of a", removed=(Entry(ROOT, "a"),))]
    assert _left(*calls) == {"", "a=", "b=", "a= b="}


def test_many_pending_changes_of_entries_may_be_there_up_to_each_and_but_for_each() -> None:
    left = _left(*(_created(f"f{number}", number) for number in range(1, 10)))
    names = [f"f{number}=" for number in range(1, 10)]
    assert {" ".join(names[:count]) for count in range(10)} <= left
    assert {" ".join(names[:at] + names[at + 1 :]) for at in range(9)} <= left
    assert set(names) <= left


def test_a_directory_that_is_not_there_has_nothing_in_it() -> None:
    made = Renamed("creation of the directory d", added=((Entry(ROOT, "d"), B),), new="directory")
    inside = Renamed("creation of a", added=((Entry(B, "a"), A),), new="file")
    assert _left(made, inside, Synced(B, "d")) == {"", "d d/a="}


def test_the_sync_of_one_directory_makes_a_move_between_two_durable_with_what_it_rests_on() -> None:
    made = Renamed("creation of the directory d", added=((Entry(ROOT, "d"), B),), new="directory")
    move = Renamed("rename of a to a", removed=(Entry(ROOT, "a"),), added=((Entry(B, "a"), A),))
    assert _left(made, _created("a", A), move, Synced(B, "d")) == {"d d/a="}


def test_an_append_may_be_lost_torn_or_zeroed() -> None:
    found = set(_appended(b"old\n", b"record\n"))
    assert {b"old\n", b"old\nrecord\n", b"old\nr", b"old\nrecord", b"old\n\0\0\0\0\0\0\0", b"old\nrecord\0"} <= found
    assert all(content.startswith(b"old\n") for content in found)


def test_several_lines_in_one_write_may_be_torn_between_two() -> None:
    assert b"one\n" in _appended(b"", b"one\ntwo\n")


def test_a_long_write_may_be_torn_at_sectors_and_miss_some_of_them() -> None:
    data = b"1" * 400 + b"2" * 512 + b"3" * 512
    found = _appended(b"0" * 112, data)
    whole = b"0" * 112 + data
    assert whole[:512] in found
    assert whole[:1024] in found
    assert whole[:512] + bytes(512) + whole[1024:] in found
    assert whole[:112] + bytes(400) + whole[512:] in found


def test_a_later_write_may_be_there_without_an_earlier_one() -> None:
    assert (
        _appended(b"", b"one\n", b"two\n")[bytes(4) + b"two\n"]
        == "the write of 4 bytes at 0 of a, but not what followed it"
    )
    found = content_variants(b"abcd", [Resized(A, "a", 0), Wrote(A, "a", 0, b"xy")])
    assert {b"abcd", b"", b"xy", b"xycd"} <= set(found)


def test_writing_over_what_is_durable_never_leaves_zeros() -> None:
    found = content_variants(b"abcdef", [Wrote(A, "a", 1, b"1234")])
    assert {b"abcdef", b"a1234f", b"a1cdef", b"a123ef"} <= set(found)
    assert all(0 not in content for content in found)


def test_what_is_lost_is_told() -> None:
    disk = Disk(State())
    for call in (_created("a", A), Wrote(A, "a", 0, b"xyz")):
        disk.take(call)
    told = {str(left.state): left.lost for left in remains(disk)}
    assert told["an empty directory"] == ("creation of a",)
    lost = [left.lost for left in remains(disk)]
    assert () in lost
    assert ("the write of 3 bytes at 0 of a",) in lost
    assert ("all but the first 1 bytes of the write of 3 bytes at 0 of a",) in lost
