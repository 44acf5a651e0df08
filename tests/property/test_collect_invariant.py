"""Servers lie, break, renumber and lose mail, machines crash: what is archived stays, and "complete" is true.

The machine under test is the core over the real store; the server is in memory and knows the truth. After every step:
nothing that was committed is lost, no octets are kept twice. After every run: "complete" is said of a mailbox only when
everything that is in it then is kept. After an honest run: complete, and everything on the server is kept.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from archiver.store.durable import Disk
from tests.twins.archive import Archive, mail
from tests.twins.mail_server import Lies, Server
from tests.twins.power_cut import PowerCut, PowerCutError
from tests.twins.whole_path import ACCOUNT, collect, ingest, look, statuses

NAMES = (b"INBOX", b"Sent", b"Archive/2024")
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where there is a disk in memory, the tests need not wait for a real one: what is durable is modelled here."""
EXAMPLES = int(os.environ.get("ARCHIVER_EXAMPLES", "25"))
"""`benchmarks/reliability.py` tries hundreds."""
LIMIT = 2_000
"""Messages larger than this are excluded, until the limit is raised."""

numbers = st.integers(min_value=1, max_value=8)
small = st.integers(min_value=0, max_value=2)

lies = st.builds(
    Lies,
    breaks_after=st.none() | st.integers(min_value=0, max_value=5),
    poison=st.frozensets(numbers.map(mail), max_size=2),
    denies=st.frozensets(numbers.map(mail), max_size=1),
    listing_loses=small,
    listing_loses_last=small,
    listing_invents=small,
    counts_more=small,
    # A count that is too low agrees with a listing that is too short: such a lie cannot be seen while it lasts.
    no_uid_validity=st.booleans(),
    no_uid_next=st.booleans(),
    no_counters=st.booleans(),
    refuses=st.frozensets(st.sampled_from(NAMES), max_size=1),
    hides=st.frozensets(st.sampled_from(NAMES), max_size=2),
    expunges_while_fetching=small,
    backwards=st.booleans(),
)
honest = st.builds(Lies, no_counters=st.booleans(), backwards=st.booleans())


class Collecting(RuleBasedStateMachine):
    """Rules change the server or run archiver; `committed` is what a run that ended has promised to keep."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="collecting", dir=MEMORY))
        self.archive = Archive(self.folder / "archive").create()
        self.server = Server()
        self.committed: set[bytes] = set()
        self.limit = LIMIT
        self.waiting = False

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize()
    def an_inbox(self) -> None:
        self.server.create(b"INBOX")

    # --- what happens on the server -------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES), wanted=st.lists(numbers, min_size=1, max_size=4))
    def deliver(self, name: bytes, wanted: list[int]) -> None:
        box = self.server.boxes.get(name) or self.server.create(name)
        for number in wanted:
            box.deliver(mail(number))

    @rule(name=st.sampled_from(NAMES), number=numbers)
    def deliver_a_large_one(self, name: bytes, number: int) -> None:
        box = self.server.boxes.get(name) or self.server.create(name)
        box.deliver(mail(number, size=LIMIT))

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def expunge(self, name: bytes, data: st.DataObject) -> None:
        box = self.server.boxes.get(name)
        if box is not None and box.messages:
            del box.messages[data.draw(st.sampled_from(sorted(box.messages)))]

    @rule(source=st.sampled_from(NAMES), into=st.sampled_from(NAMES), data=st.data())
    def move(self, source: bytes, into: bytes, data: st.DataObject) -> None:
        box = self.server.boxes.get(source)
        if box is not None and box.messages and into in self.server.boxes:
            self.server.move(data.draw(st.sampled_from(sorted(box.messages))), source, into)

    @rule(name=st.sampled_from(NAMES))
    def renumber(self, name: bytes) -> None:
        if name in self.server.boxes:
            self.server.renumber(name)

    @rule(name=st.sampled_from(NAMES[1:]), wanted=st.lists(numbers, max_size=3))
    def delete_and_create_again(self, name: bytes, wanted: list[int]) -> None:
        self.server.boxes.pop(name, None)
        box = self.server.create(name)
        for number in wanted:
            box.deliver(mail(number))

    @rule(name=st.sampled_from(NAMES[1:]), new=st.sampled_from(NAMES[1:]))
    def rename(self, name: bytes, new: bytes) -> None:
        if name in self.server.boxes and new not in self.server.boxes:
            self.server.rename(name, new)

    @rule()
    def raise_the_limit(self) -> None:
        self.limit = 1 << 30

    # --- runs of archiver -----------------------------------------------------------------------------------------

    @rule(told=lies)
    def sync_with_a_liar(self, told: Lies) -> None:
        self.server.lies = told
        self._collect()

    @rule(told=honest)
    def sync_honestly(self, told: Lies) -> None:
        self.server.lies = told
        self._collect()
        outcome = self._collect()
        assert outcome == 0
        assert all(status.complete for status in statuses(self.archive))
        assert self._wanted() <= self.committed | self._excluded()

    @rule(told=st.one_of(honest, lies), at=st.integers(min_value=1, max_value=14), after=st.booleans())
    def crash_while_syncing(self, told: Lies, at: int, after: bool) -> None:
        self.server.lies = told
        self.archive.disk = PowerCut(at=at, after=after)
        try:
            self._collect()
        except PowerCutError:
            note(f"crashed at step {at}")
        finally:
            self.archive.disk = Disk()
            self.waiting = True
            self._look_again()

    @rule()
    def take_in(self) -> None:
        ingest(self.archive)
        self.waiting = False
        self._look_again()
        kept = look(self.archive)
        assert kept.indexed == len(kept.octets)

    @precondition(lambda self: self.waiting)
    @rule(at=st.integers(min_value=1, max_value=4), after=st.booleans())
    def crash_while_taking_in(self, at: int, after: bool) -> None:
        self.archive.disk = PowerCut(at=at, after=after)
        try:
            ingest(self.archive)
        except PowerCutError:
            note(f"crashed at step {at}")
        finally:
            self.archive.disk = Disk()
            self._look_again()

    # --- what must hold -------------------------------------------------------------------------------------------

    def _collect(self) -> int:
        outcome = collect(self.archive, self.server, account=replace(ACCOUNT, max_message_bytes=self.limit))
        self.waiting = True
        self._believe_what_is_said()
        return outcome.exit_code

    def _believe_what_is_said(self) -> None:
        """ "complete" and "archived" are promises: hold the store to them."""
        kept = self._kept()
        figures = statuses(self.archive)
        whole_account = all(status.mailbox for status in figures)  # else one line says that it could not be read
        for status in figures if whole_account else ():
            box = self.server.boxes.get(status.mailbox.encode())
            if box is None or not status.complete:
                continue
            limit = {octets for octets in box.messages.values() if len(octets) > LIMIT}
            missing = set(box.messages.values()) - kept
            if missing:
                assert len(missing) <= status.excluded, f"{status.mailbox} is said to be complete"
                assert missing <= limit
            assert status.server == len(box.messages)
        assert self.committed <= kept, "something archived is lost"
        self.committed |= kept

    def _kept(self) -> set[bytes]:
        """Everything kept, in the catalogue or waiting sealed; also proves that it opens."""
        kept = look(self.archive)
        assert set(kept.octets.values()) <= {1}, "octets are kept twice"
        found = set(kept.octets)
        deliveries, vault = self.archive.deliveries(), self.archive.vault()
        try:
            for name in deliveries.waiting():
                delivery = deliveries.open(name)
                for record in delivery.records:
                    assert delivery.pack is not None
                    found.add(vault.read(delivery.pack, record))
        finally:
            vault.close()
        return found

    def _wanted(self) -> set[bytes]:
        return {octets for box in self.server.boxes.values() for octets in box.messages.values()}

    def _excluded(self) -> set[bytes]:
        return {octets for octets in self._wanted() if len(octets) > self.limit}

    def _look_again(self) -> None:
        assert self.committed <= self._kept(), "something archived is lost"


@pytest.mark.hypothesis
def test_whatever_a_server_does_and_whenever_it_crashes_nothing_is_lost_or_falsely_complete() -> None:
    run_state_machine_as_test(Collecting, settings=settings(max_examples=EXAMPLES, stateful_step_count=20))
