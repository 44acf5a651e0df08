"""Ingest: damage is kept as a defect, octets are kept once, and the index follows whatever happened to it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from archiver.core import ingest
from archiver.core.documents import document, octets_held, octets_parsed
from archiver.core.ingest import IngestPorts, IngestReport, catch_up, take_in
from archiver.core.verify import verify_messages
from archiver.errors import DiskError, IntegrityError
from archiver.model.catalogue import IndexDocument, Ingested
from archiver.model.delivery import Delivery
from archiver.model.identity import Identity
from archiver.model.message import AttachedText, BlobId, Defect, Direction, Message
from archiver.model.octets import BytesOctets
from tests.twins.archive import INBOX, Clock, entry, mail
from tests.twins.stores import (
    MemoryCatalogue,
    MemoryCollectStore,
    MemoryDeliveries,
    MemoryDisk,
    MemoryIndex,
    MemoryVault,
)


class FirstLine:
    """A parser whose messages have the first line as their subject; it reads ahead as the real one does."""

    def __init__(self, ahead: int = 3) -> None:
        self._ahead = ahead

    def parse(self, octets: Iterable[bytes]) -> Iterator[Message]:
        waiting: list[Message] = []
        for each in octets:
            subject = each.split(b"\r\n", 1)[0].decode()
            defects = (Defect("broken"),) if b"broken" in each else ()
            waiting.append(Message(subject=subject, text=each.decode(), defects=defects))
            if len(waiting) > self._ahead:
                yield waiting.pop(0)
        yield from waiting

    def close(self) -> None:
        """Nothing runs."""


class Dutch(FirstLine):
    """A parser of a later release: it tells the language, and what an attachment says."""

    def __init__(self, attached: str = "") -> None:
        super().__init__()
        self._attached = (AttachedText("2", attached),) if attached else ()

    def parse(self, octets: Iterable[bytes]) -> Iterator[Message]:
        for message in super().parse(octets):
            yield replace(message, language="nl", attached=self._attached)


class Damaged(MemoryDeliveries):
    """Deliveries of which some do not open."""

    def __init__(self, disk: MemoryDisk, names: frozenset[str], *, gone: bool = False) -> None:
        super().__init__(disk)
        self._names = names
        self._gone = gone

    def open(self, name: str) -> Delivery:
        if name in self._names:
            raise FileNotFoundError(name) if self._gone else IntegrityError("damaged", what=f"pending/{name}")
        return super().open(name)


@dataclass
class World:
    """Collector and archive in memory."""

    disk: MemoryDisk = field(default_factory=MemoryDisk)

    def __post_init__(self) -> None:
        self.store = MemoryCollectStore(self.disk, Clock())
        self.catalogue, self.index = MemoryCatalogue(), MemoryIndex()
        self.epoch = self.store.open_epoch("info", INBOX, 7)
        self.uid = 0

    def collect(self, *messages: bytes) -> None:
        """One delivery with these messages."""
        for octets in messages:
            self.uid += 1
            self.store.add(self.epoch, entry(self.uid, octets), BytesOctets(octets))
        self.store.flush()

    @property
    def ports(self) -> IngestPorts:
        deliveries, vault = MemoryDeliveries(self.disk), MemoryVault(self.disk)
        return IngestPorts(deliveries, vault, FirstLine(), self.catalogue, self.index, Identity())

    def ingest(self, *, set_aside: bool = False, **changed: object) -> IngestReport:
        return take_in(replace(self.ports, **changed), set_aside=set_aside)

    def subjects(self) -> list[str]:
        rows = [row for _, row in self.catalogue.unindexed(0, 1000)]
        return sorted(summary.subject for summary in self.catalogue.summaries(rows))

    def indexed(self) -> list[str]:
        return sorted(document.subject for document in self.index.documents.values())


class SlowIndex(MemoryIndex):
    """An index that is still writing when ingest has gone on; `writing` says whether it is."""

    writing = False

    def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
        self.writing = True
        time.sleep(0.05)
        super().add(documents, watermark)
        self.writing = False


class SettledBeside(MemoryCatalogue):
    """A catalogue that remembers whether the index was writing when its log was moved."""

    def __init__(self, index: SlowIndex) -> None:
        super().__init__()
        self._index = index
        self.beside: list[bool] = []

    def settle(self) -> bool:
        self.beside.append(self._index.writing)
        return super().settle()


class FullDisk(MemoryIndex):
    """An index that cannot be written."""

    def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
        raise DiskError("index.db: the disk is full")


def damage(disk: MemoryDisk, octets: bytes) -> None:
    for pack in disk.packs.values():
        for offset, kept in pack.items():
            if kept == octets:
                pack[offset] = b"noise"


def test_every_delivery_is_taken_in_and_indexed() -> None:
    world = World()
    world.collect(mail(1), mail(2))
    world.collect(mail(3))
    report = world.ingest()
    assert (report.messages, report.indexed, report.waiting, report.damaged) == (3, 3, 0, ())
    assert world.subjects() == world.indexed() == ["Subject: message 1", "Subject: message 2", "Subject: message 3"]


def test_a_damaged_record_becomes_a_defect_and_does_not_stop_the_next() -> None:
    world = World()
    world.collect(mail(1), mail(2), mail(3))
    damage(world.disk, mail(2))
    report = world.ingest()
    assert (report.messages, report.defects, report.waiting, len(report.damaged)) == (3, 1, 0, 1)
    assert [defect.code for _, defect in world.catalogue.defects(10)] == ["unreadable"]
    assert "message 3" in world.subjects()[-1]


def test_a_message_that_comes_again_mends_an_unreadable_one() -> None:
    world = World()
    world.collect(mail(1))
    damage(world.disk, mail(1))
    world.ingest()
    world.store = MemoryCollectStore(world.disk, Clock())  # a collector that has forgotten: it is fetched again
    world.epoch = world.store.open_epoch("info", INBOX, 7)
    world.collect(mail(1))
    assert world.ingest().messages == 1
    assert world.catalogue.defects(10) == []
    assert world.subjects() == world.indexed() == ["Subject: message 1"]


@pytest.mark.parametrize("set_aside", [True, False])
def test_a_damaged_delivery_is_named_and_set_aside_by_who_tells_of_it(*, set_aside: bool) -> None:
    world = World()
    world.collect(mail(1))
    world.collect(mail(2))
    first = MemoryDeliveries(world.disk).waiting()[0]
    report = world.ingest(deliveries=Damaged(world.disk, frozenset({first})), set_aside=set_aside)
    assert report.damaged == (f"pending/{first}",)
    assert (report.messages, report.waiting) == (1, int(not set_aside))
    assert set(world.disk.set_aside) == ({first} if set_aside else set())


def test_a_delivery_that_somebody_else_took_over_is_no_damage() -> None:
    world = World()
    world.collect(mail(1))
    names = frozenset(MemoryDeliveries(world.disk).waiting())
    report = world.ingest(deliveries=Damaged(world.disk, names, gone=True))
    assert (report.messages, report.damaged) == (0, ())


def test_two_deliveries_with_the_same_octets_make_one_message_with_both_places() -> None:
    world = World()
    world.collect(mail(1))
    world.store = MemoryCollectStore(world.disk, Clock())
    world.epoch = world.store.open_epoch("info", INBOX, 8)
    world.collect(mail(2), mail(1))
    report = world.ingest()
    assert (report.messages, report.waiting) == (2, 0)
    row = world.catalogue.row(blob_of(world, mail(1)))
    assert row is not None
    details = world.catalogue.details(row)
    assert details is not None
    assert {seen.uid_validity for seen in details.seen} == {7, 8}


def blob_of(world: World, octets: bytes) -> BlobId:
    vault = MemoryVault(world.disk)
    for pack, record in world.catalogue.sealed_records():
        if vault.read(pack, record) == octets:
            return record.blob_id
    raise AssertionError("not kept")


class KilledError(BaseException):
    """The process ends here."""


def test_a_kill_between_catalogue_and_pending_file_doubles_nothing() -> None:
    world = World()
    world.collect(mail(1), mail(2))

    class Killed(MemoryDeliveries):
        def done(self, name: str) -> None:
            raise KilledError

    try:
        world.ingest(deliveries=Killed(world.disk))
    except KilledError:
        pass
    else:
        raise AssertionError("it was to be killed")
    assert world.catalogue.counts().messages == 2
    report = world.ingest()
    assert report.waiting == 0
    assert len(world.subjects()) == len(world.indexed()) == 2


def test_an_index_that_lags_is_brought_up_from_the_packs() -> None:
    world = World()
    world.collect(mail(1), mail(2))
    world.ingest()
    world.index.clear()
    assert catch_up(world.ports) == 2
    assert world.indexed() == world.subjects()
    assert catch_up(world.ports) == 0


def test_an_index_that_is_ahead_of_the_catalogue_is_built_anew() -> None:
    """An older archive.db was put back: its numbers stand for other messages by now."""
    world = World()
    world.collect(mail(1))
    world.ingest()
    world.collect(mail(2))
    lost = World(world.disk)
    lost.index = world.index
    lost.index.add([], 99)
    lost.ingest()
    assert lost.indexed() == lost.subjects()


def test_a_damaged_message_does_not_keep_the_index_from_catching_up() -> None:
    world = World()
    world.collect(mail(1), mail(2))
    world.ingest()
    world.index.clear()
    damage(world.disk, mail(1))
    assert catch_up(world.ports) == 2
    assert "Subject: message 2" in world.indexed()


def test_new_deliveries_are_waited_for_while_the_collector_works() -> None:
    world = World()
    still = [mail(3), mail(2), mail(1)]

    def more() -> bool:
        if still:
            world.collect(still.pop())
        return bool(still)

    report = take_in(world.ports, more=more)
    assert (report.messages, report.indexed, report.waiting) == (3, 3, 0)


def test_a_pause_leaves_what_is_not_begun_for_another_call() -> None:
    world = World()
    for number in range(1, 5):
        world.collect(mail(number))
    answers = [False, False, True]
    report = take_in(world.ports, more=lambda: True, pause=lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    assert (report.messages, report.indexed, report.waiting) == (2, 2, 2)
    assert world.ingest().messages == 2
    assert world.indexed() == world.subjects()
    assert len(world.subjects()) == 4


def test_a_pause_is_heeded_while_there_is_nothing_to_take_in_but_more_to_come() -> None:
    assert take_in(World().ports, more=lambda: True, pause=lambda: True).messages == 0


def test_verify_names_each_message_that_does_not_open_and_a_pack_that_is_missing() -> None:
    world = World()
    world.collect(mail(1), mail(2))
    world.collect(mail(3))
    world.ingest()
    assert problems(world) == []
    damage(world.disk, mail(1))
    assert [what for what, _ in problems(world)] == [f"pack {next(iter(world.disk.packs))}, message {hex_of(mail(1))}"]
    (lost,) = [name for name, pack in world.disk.packs.items() if mail(3) in pack.values()]
    del world.disk.packs[lost]
    assert (f"pack {lost}", "the pack is missing") in problems(world)


def test_verify_tells_an_index_that_lacks_messages_from_an_archive_that_is_too_old() -> None:
    world = World()
    world.collect(mail(1))
    world.ingest()
    world.index.clear()
    assert [what for what, _ in problems(world)] == ["index.db"]
    world.index.add([], 99)
    assert [what for what, _ in problems(world)] == ["archive.db"]


def hex_of(octets: bytes) -> str:
    from hashlib import sha256

    return sha256(octets).hexdigest()[:12]


def problems(world: World) -> list[tuple[str, str]]:
    class Packs:
        def names(self) -> list[str]:
            return sorted(world.disk.packs)

        def check(self, name: str) -> tuple[int, int]:
            return len(world.disk.packs[name]), 0

        def exists(self, name: str) -> bool:
            return name in world.disk.packs

        def reread(self, name: str) -> None:
            """Memory has no other copy."""

    found = verify_messages(world.catalogue, Packs(), MemoryVault(world.disk), world.index)
    return [(problem.what, problem.message) for problem in found]


def test_the_log_is_moved_only_while_the_index_is_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_INDEX_BATCH", 1)
    monkeypatch.setattr(ingest, "_SETTLE_EVERY", 2)
    world = World()
    world.index = index = SlowIndex()
    world.catalogue = catalogue = SettledBeside(index)
    for number in range(5):
        world.collect(mail(number))
    assert world.ingest().indexed == 5
    assert catalogue.beside == [False, False, False]
    assert len(world.indexed()) == 5


def test_an_index_that_cannot_be_written_ends_the_run_and_loses_nothing() -> None:
    world = World()
    world.collect(mail(1))
    good, world.index = world.index, FullDisk()
    with pytest.raises(DiskError):
        world.ingest()
    world.index = good
    assert world.ingest().indexed == 1
    assert world.subjects() == world.indexed() == ["Subject: message 1"]


def test_what_attached_messages_say_can_be_searched_even_where_the_quoted_text_lacks_it() -> None:
    message = Message(text="zie onder", quoted="> iets", forwarded_text="licentie LND-1")
    assert "licentie LND-1" in document(7, message, Direction.INCOMING).quoted
    assert document(7, replace(message, quoted="licentie LND-1"), Direction.INCOMING).quoted == "licentie LND-1"


def test_messages_that_are_read_again_get_what_this_reading_finds() -> None:
    world = World()
    world.collect(b"one", b"two broken")
    world.ingest()
    rows = {summary.subject: summary.row for summary in world.catalogue.summaries(list(world.catalogue.messages))}
    for row in rows.values():
        world.catalogue.replace_message(row, Message(subject="of an earlier release", defects=(Defect("older"),)))
    world.index.clear()
    assert catch_up(replace(world.ports, parser=Dutch())) == 2
    found = {name: world.catalogue.details(row) for name, row in rows.items()}
    assert {name: each and (each.summary.language, each.defects) for name, each in found.items()} == {
        "one": ("nl", ()), "two broken": ("nl", (Defect("broken"),)),
    }  # fmt: skip
    assert {document.language for document in world.index.documents.values()} == {"nl"}


def test_a_message_that_cannot_be_opened_again_keeps_what_is_known_of_it() -> None:
    world = World()
    world.collect(b"one broken")
    world.ingest()
    (row,) = world.catalogue.messages
    for pack in world.disk.packs.values():
        pack.clear()
    world.index.clear()
    assert catch_up(replace(world.ports, parser=Dutch())) == 1
    found = world.catalogue.details(row)
    assert found is not None
    assert (found.summary.language, found.defects) == (None, (Defect("broken"),))


def test_long_texts_are_indexed_in_smaller_batches_and_attachments_count(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.collect(*(b"message %d" % number for number in range(6)))
    world.ingest()
    world.index.clear()
    monkeypatch.setattr(ingest, "_INDEX_TEXT", 100)
    batches: list[int] = []

    class Counted(MemoryIndex):
        def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
            batches.append(len(documents))
            super().add(documents, watermark)

    index = Counted()
    assert catch_up(replace(world.ports, parser=Dutch(attached="x" * 50), index=index)) == 6
    assert batches == [2, 2, 2]
    assert index.watermark() == world.catalogue.last_sequence()


class Counting(MemoryCatalogue):
    """A catalogue that remembers how many messages came at a time; it may be killed after so many times."""

    def __init__(self, *, killed_after: int = 100) -> None:
        super().__init__()
        self.taken: list[int] = []
        self.killed_after = killed_after

    def take_in(self, delivery: Delivery, messages: Sequence[Ingested]) -> Mapping[BlobId, int]:
        if len(self.taken) == self.killed_after:
            raise KilledError
        self.taken.append(len(messages))
        return super().take_in(delivery, messages)


def test_a_delivery_with_much_text_is_taken_in_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_PARSED_TEXT", 1000)
    world = World()
    world.catalogue = catalogue = Counting()
    world.collect(*(mail(number) for number in range(7)))
    world.collect(mail(7), mail(3))
    report = world.ingest(parser=Dutch(attached="x" * 500))
    assert catalogue.taken == [2, 2, 2, 1, 1]
    assert (report.messages, report.indexed, report.waiting) == (8, 8, 0)
    assert len(world.subjects()) == len(world.indexed()) == 8
    found = [catalogue.details(row) for _, row in catalogue.unindexed(0, 100)]
    assert sum(len(each.seen) for each in found if each is not None) == 9


def test_a_kill_between_the_pieces_of_a_delivery_loses_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_PARSED_TEXT", 1000)
    world = World()
    world.catalogue = catalogue = Counting(killed_after=2)
    world.collect(*(mail(number) for number in range(7)))
    parser = Dutch(attached="x" * 500)
    with pytest.raises(KilledError):
        world.ingest(parser=parser)
    assert catalogue.counts().messages == 4
    catalogue.killed_after = 100
    report = world.ingest(parser=parser)
    assert (report.messages, report.waiting) == (3, 0)
    assert len(set(world.subjects())) == len(world.indexed()) == 7


def test_texts_with_wide_characters_count_as_the_memory_they_take() -> None:
    wide = Message(text="x" * 999 + "\U0001f600", attached=(AttachedText("2", "y" * 500),))
    assert 4500 <= octets_parsed(wide) <= 4700
    assert 4500 <= octets_held(document(1, wide, Direction.OTHER)) <= 4700
