"""Import: every run is an epoch of its own, the same octets are kept once, and a stop or a break keeps what came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from archiver.core.importing import import_items
from archiver.errors import DiskError, FormatError, IncompleteError
from archiver.mail.files import ImportItem
from archiver.model.account import IMPORTED
from tests.twins.archive import START, Clock, mail
from tests.twins.stores import MemoryCollectStore, MemoryDeliveries, MemoryDisk


def item(number: int, mailbox: bytes = b"old.mbox") -> ImportItem:
    return ImportItem(mailbox, mailbox.decode(), "01-Mar-2025 09:00:00 +0000", ("\\Seen",), mail(number))


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def store(disk: MemoryDisk) -> MemoryCollectStore:
    return MemoryCollectStore(disk, Clock())


def kept(disk: MemoryDisk) -> list[bytes]:
    return sorted(octets for pack in disk.packs.values() for octets in pack.values())


def test_each_file_is_a_mailbox_and_each_message_has_a_place_in_it(store: MemoryCollectStore, disk: MemoryDisk) -> None:
    outcome = import_items([item(1), item(2), item(3, b"new.mbox")], store, now=START)
    assert (outcome.new, outcome.known, outcome.exit_code) == (3, 0, 0)
    deliveries = MemoryDeliveries(disk)
    arrivals = [arrival for name in deliveries.waiting() for arrival in deliveries.open(name).arrivals]
    assert [(a.account, a.mailbox, a.uid, a.keywords) for a in arrivals] == [
        (IMPORTED, b"old.mbox", 1, ("\\Seen",)),
        (IMPORTED, b"old.mbox", 2, ("\\Seen",)),
        (IMPORTED, b"new.mbox", 1, ("\\Seen",)),
    ]
    assert {a.received_at for a in arrivals} == {"01-Mar-2025 09:00:00 +0000"}
    assert all(status.complete for status in store.statuses())


def test_a_second_import_of_a_changed_file_adds_only_what_is_new(store: MemoryCollectStore, disk: MemoryDisk) -> None:
    import_items([item(1), item(2)], store, now=START)
    outcome = import_items([item(3), item(1), item(2)], store, now=START + timedelta(days=1))
    assert (outcome.new, outcome.known) == (1, 2)
    assert kept(disk) == sorted([mail(1), mail(2), mail(3)])


def test_a_stop_keeps_what_came_and_is_not_complete(store: MemoryCollectStore, disk: MemoryDisk) -> None:
    outcome = import_items([item(1), item(2)], store, now=START, stopped=lambda: True)
    assert (outcome.new, outcome.exit_code) == (1, 4)
    assert kept(disk) == [mail(1)]
    assert not any(status.complete for status in store.statuses())


def test_a_file_that_breaks_off_keeps_what_came_before(store: MemoryCollectStore, disk: MemoryDisk) -> None:
    def items() -> Iterator[ImportItem]:
        yield item(1)
        raise FormatError("not a mailbox after all")

    with pytest.raises(FormatError):
        import_items(items(), store, now=START)
    assert kept(disk) == [mail(1)]


def test_the_first_error_of_the_store_is_told_though_it_fails_again_at_the_end(disk: MemoryDisk) -> None:
    class Full(MemoryCollectStore):
        def add(self, *_: object, **__: object) -> bool:
            raise DiskError("the disk is full")

        def flush(self) -> None:
            raise IncompleteError("the collector's store has stopped after an error")

    with pytest.raises(DiskError):
        import_items([item(1)], Full(disk, Clock()), now=START)
