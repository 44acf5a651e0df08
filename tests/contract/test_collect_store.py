"""What every CollectStore promises; run by the twin in memory and by the sealed one on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.core.footing import Footing
from archiver.core.ports import CollectStore, Deliveries, Vault
from archiver.model.delivery import Arrival
from archiver.model.mailbox import RemoteMailbox
from archiver.model.octets import BytesOctets
from archiver.store.collect import SealedCollectStore
from tests.twins.archive import INBOX, Archive, Clock, entry, mail
from tests.twins.stores import MemoryCollectStore, MemoryDeliveries, MemoryDisk, MemoryVault

SENT = RemoteMailbox(b"Sent", "Sent", special_use="\\Sent")


class World:
    """A store with the other side of it: what an unlocked archive would read."""

    def __init__(
        self, store: SealedCollectStore | MemoryCollectStore, deliveries: Deliveries, vault: Vault, clock: Clock
    ) -> None:
        self.store = store
        self.deliveries = deliveries
        self.vault = vault
        self.clock = clock

    def add(self, epoch: int, uid: int, octets: bytes) -> bool:
        return self.store.add(epoch, entry(uid, octets), BytesOctets(octets))

    def received(self) -> list[bytes]:
        opened = [self.deliveries.open(name) for name in self.deliveries.waiting()]
        return [self.vault.read(each.pack or "", record) for each in opened for record in each.records]

    def arrivals(self) -> list[Arrival]:
        opened = [self.deliveries.open(name) for name in self.deliveries.waiting()]
        return [arrival for each in opened for arrival in each.arrivals]


@pytest.fixture(params=["memory", "sealed"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        disk, clock = MemoryDisk(), Clock()
        yield World(MemoryCollectStore(disk, clock), MemoryDeliveries(disk), MemoryVault(disk), clock)
        return
    archive = Archive(tmp_path / "archive").create()
    vault = archive.vault()
    store = archive.collect()
    yield World(store, archive.deliveries(), vault, archive.clock)
    store.close()
    vault.close()


def test_both_satisfy_the_port(world: World) -> None:
    port: CollectStore = world.store
    assert port.statuses() == []


def test_octets_come_out_as_they_went_in_with_where_they_were_seen(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    assert world.add(epoch, 1, mail(1))
    assert world.add(epoch, 2, b"\x00\xff not mail at all")
    assert world.add(epoch, 3, b"")
    world.store.flush()
    assert world.received() == [mail(1), b"\x00\xff not mail at all", b""]
    first = world.arrivals()[0]
    assert (first.account, first.mailbox, first.special_use, first.uid_validity, first.uid) == (
        "info", b"INBOX", "\\Inbox", 7, 1,
    )  # fmt: skip
    assert first.received_at == "01-Mar-2025 09:00:00 +0000"
    assert first.archived_at == int(world.clock().timestamp())


def test_the_same_octets_are_kept_once_within_a_batch_and_across_batches_and_accounts(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    assert world.add(epoch, 1, mail(1))
    assert not world.add(epoch, 2, mail(1))
    world.store.flush()
    other = world.store.open_epoch("sales", SENT, 9)
    assert not world.add(other, 1, mail(1))
    world.store.flush()
    assert world.received() == [mail(1)]
    assert [(a.account, a.uid) for a in world.arrivals()] == [("info", 1), ("info", 2), ("sales", 1)]


def test_what_is_forgotten_is_new_again_and_what_was_erased_stays_so(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    for uid in (1, 2, 3):
        world.add(epoch, uid, mail(uid))
    one, two, three = (arrival.blob_id for arrival in _flushed(world))
    world.store.finish(epoch, server=3, uid_next=4, complete=True, problem=None)
    world.store.mark_erased([three])
    assert world.store.forget([one, three]) == 1
    assert dict(world.store.accounted(epoch)) == {2: "archived", 3: "erased"}
    assert world.store.counters(epoch) == (-1, None, False), "or nobody would look"
    assert world.store.forget([one]) == 0
    assert world.add(epoch, 1, mail(1))
    assert not world.add(epoch, 4, mail(3))
    assert not world.add(epoch, 5, mail(2))
    assert two not in {one, three}


def test_uids_are_accounted_for_by_state(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 1, mail(1))
    world.store.note_excluded(epoch, 2, "too large")
    world.store.note_failed(epoch, 3, "no answer")
    world.add(epoch, 4, mail(4))
    world.store.mark_erased([a.blob_id for a in _flushed(world) if a.uid == 4])
    assert dict(world.store.accounted(epoch)) == {1: "archived", 2: "excluded", 3: "failed", 4: "erased"}


def test_reading_sees_what_is_only_staged(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 5, mail(5))
    assert dict(world.store.accounted(epoch)) == {5: "archived"}


def test_a_failure_counts_attempts_until_the_message_comes(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.store.note_failed(epoch, 3, "no answer")
    world.clock.advance(60)
    world.store.note_failed(epoch, 3, "still none")
    world.store.flush()
    (failure,) = world.store.failures()
    assert (failure.uid, failure.attempts, failure.reason, failure.last_try) == (3, 2, "still none", world.clock())
    world.add(epoch, 3, mail(3))
    world.store.flush()
    assert world.store.failures() == []
    assert dict(world.store.accounted(epoch)) == {3: "archived"}


def test_a_failure_never_takes_an_archived_message_back(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 1, mail(1))
    world.store.note_failed(epoch, 1, "listed twice, and refused the second time")
    world.store.flush()
    assert dict(world.store.accounted(epoch)) == {1: "archived"}
    assert world.store.failures() == []


def test_a_message_that_left_the_server_no_longer_counts_and_stays_kept(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 1, mail(1))
    world.add(epoch, 2, mail(2))
    world.store.note_gone(epoch, [1])
    world.store.flush()
    assert dict(world.store.accounted(epoch)) == {2: "archived"}
    assert world.received() == [mail(1), mail(2)]


def test_a_new_uid_validity_starts_an_epoch_of_its_own_without_a_second_copy(world: World) -> None:
    old = world.store.open_epoch("info", INBOX, 7)
    world.add(old, 1, mail(1))
    new = world.store.open_epoch("info", INBOX, 8)
    assert new != old
    assert dict(world.store.accounted(new)) == {}
    assert not world.add(new, 1, mail(1))
    world.store.finish(new, server=1, uid_next=2, complete=True, problem=None)
    world.store.flush()
    (status,) = world.store.statuses()
    assert (status.server, status.archived, status.complete) == (1, 1, True)
    assert world.store.open_epoch("info", INBOX, 7) == old


def test_without_uid_validity_the_uids_of_earlier_runs_are_forgotten(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 0)
    world.add(epoch, 1, mail(1))
    world.store.flush()
    again = world.store.open_epoch("info", INBOX, 0)
    assert dict(world.store.accounted(again)) == {}
    assert not world.add(again, 1, mail(1))


def test_counters_tell_the_last_finished_run_and_nothing_of_an_unfinished_one(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    assert world.store.counters(epoch) == (0, None, False)
    world.add(epoch, 1, mail(1))
    world.store.flush()
    assert world.store.counters(epoch) == (-1, None, False)
    world.store.finish(epoch, server=1, uid_next=2, complete=True, problem=None)
    world.store.flush()
    assert world.store.counters(epoch) == (1, 2, True)
    assert world.store.open_epoch("info", INBOX, 7) == epoch
    assert world.store.counters(epoch) == (1, 2, True)
    world.store.finish(epoch, server=1, uid_next=2, complete=False, problem="the connection was lost")
    world.store.flush()
    assert world.store.counters(epoch) == (-1, None, False)


def test_a_run_that_never_finished_is_not_complete(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 1, mail(1))
    world.store.finish(epoch, server=1, uid_next=2, complete=True, problem=None)
    world.store.flush()
    world.store.note_gone(epoch, [1])
    world.store.flush()
    (status,) = world.store.statuses()
    assert not status.complete
    assert status.problem is not None


def test_problems_of_a_mailbox_and_of_an_account_are_shown_until_they_pass(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.store.finish(epoch, server=0, uid_next=1, complete=True, problem=None)
    world.store.note_problem("info", SENT, "refused")
    world.store.note_problem("info", None, "login refused")
    world.store.flush()
    assert {(s.mailbox, s.problem) for s in world.store.statuses()} == {
        ("", "login refused"), ("INBOX", None), ("Sent", "refused"),
    }  # fmt: skip
    world.store.note_listed("info", [INBOX, SENT])
    sent = world.store.open_epoch("info", SENT, 3)
    world.store.finish(sent, server=0, uid_next=1, complete=True, problem=None)
    world.store.flush()
    assert {(s.mailbox, s.problem) for s in world.store.statuses()} == {("INBOX", None), ("Sent", None)}


def test_a_mailbox_that_left_the_server_no_longer_counts(world: World) -> None:
    for box in (INBOX, SENT):
        epoch = world.store.open_epoch("info", box, 7)
        world.add(epoch, 1, mail(1))
        world.store.finish(epoch, server=1, uid_next=2, complete=True, problem=None)
    other = world.store.open_epoch("sales", SENT, 7)
    world.store.finish(other, server=0, uid_next=1, complete=True, problem=None)
    world.store.note_listed("info", [INBOX])
    world.store.flush()
    assert [(s.account, s.mailbox) for s in world.store.statuses()] == [("info", "INBOX"), ("sales", "Sent")]
    world.store.open_epoch("info", SENT, 7)
    assert ("info", "Sent") in [(s.account, s.mailbox) for s in world.store.statuses()]


def test_a_mailbox_that_was_listed_and_never_read_is_not_complete(world: World) -> None:
    world.store.note_listed("info", [INBOX, SENT])
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.store.finish(epoch, server=0, uid_next=1, complete=True, problem=None)
    world.store.flush()
    assert {(s.mailbox, s.complete) for s in world.store.statuses()} == {("INBOX", True), ("Sent", False)}


def test_a_renamed_display_and_special_use_are_taken_over(world: World) -> None:
    epoch = world.store.open_epoch("info", SENT, 7)
    world.store.open_epoch("info", replace(SENT, display="Verzonden"), 7)
    world.add(epoch, 1, mail(1))
    world.store.flush()
    assert world.arrivals()[0].mailbox_display == "Verzonden"


def test_erased_octets_are_never_stored_again(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 1, mail(1))
    erased = _flushed(world)[0].blob_id
    world.store.mark_erased([erased])
    assert not world.add(epoch, 2, mail(1))
    world.store.flush()
    assert dict(world.store.accounted(epoch)) == {1: "erased", 2: "erased"}
    assert len(world.received()) == 1
    assert list(world.store.erased_digests()) == [erased]


def test_seeded_digests_are_not_stored_again(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 1, mail(1))
    world.store.seed([_flushed(world)[0].blob_id])
    assert not world.add(epoch, 2, mail(1))


def _flushed(world: World) -> list[Arrival]:
    world.store.flush()
    return world.arrivals()


def test_a_delivery_set_aside_waits_no_longer_and_is_not_deleted(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    world.add(epoch, 1, mail(1))
    world.store.flush()
    (name,) = world.deliveries.waiting()
    world.deliveries.set_aside(name)
    world.deliveries.set_aside(name)
    assert list(world.deliveries.waiting()) == []
    with pytest.raises(FileNotFoundError):
        world.deliveries.open(name)


def test_how_an_account_stands_with_its_server_is_remembered_as_it_was_noted(world: World) -> None:
    until = world.clock().replace(microsecond=0)
    footing = Footing(place=b"p", failures=3, not_before=until, reason="busy", refused=b"r")
    assert world.store.footing("info") == Footing()
    world.store.note_footing("info", footing)
    world.store.note_footing("sales", Footing(failures=1))
    assert world.store.footing("info") == footing
    world.store.note_footing("info", Footing())
    assert (world.store.footing("info"), world.store.footing("sales")) == (Footing(), Footing(failures=1))


def test_octets_of_a_day_add_up_and_a_new_day_begins_at_nothing(world: World) -> None:
    world.store.note_received("info", 20_000, 70)
    world.store.note_received("info", 20_000, 30)
    world.store.note_footing("info", Footing(failures=1))
    assert world.store.octets_received("info", 20_000) == 100
    assert world.store.octets_received("info", 20_001) == 0
    assert world.store.octets_received("sales", 20_000) == 0
    world.store.note_received("info", 20_001, 5)
    assert (world.store.octets_received("info", 20_000), world.store.octets_received("info", 20_001)) == (0, 5)
    assert world.store.footing("info") == Footing(failures=1)


def test_a_listing_is_due_after_a_while_and_after_a_clock_that_was_ahead(world: World) -> None:
    epoch = world.store.open_epoch("info", INBOX, 7)
    assert world.store.listing_due(epoch)
    world.store.finish(epoch, server=0, uid_next=1, complete=True, problem=None, listed_all=True)
    assert not world.store.listing_due(epoch)
    world.clock.advance(-86_400 * 3650)
    assert world.store.listing_due(epoch)
