"""Collecting an account: what a server gets wrong is told, and one bad mailbox or message stops no other."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from archiver.core.collect import AccountOutcome, collect_account
from archiver.core.ports import Octets
from archiver.errors import ArchiverError, DiskError, LoginRefusedError
from archiver.model.account import Account
from archiver.model.mailbox import MessageEntry, RemoteMailbox
from tests.twins.archive import Clock, mail
from tests.twins.mail_server import Lies, Server, Source
from tests.twins.stores import MemoryCollectStore, MemoryDisk

ACCOUNT = Account(name="info", host="imap.example.test", username="info")


class World:
    """A server with two mailboxes and a collector."""

    def __init__(self) -> None:
        self.server = Server()
        self.inbox, self.sent = self.server.create(b"INBOX"), self.server.create(b"Sent")
        self.disk = MemoryDisk()
        self.clock = Clock()
        self.store = MemoryCollectStore(self.disk, self.clock)

    def run(self, account: Account = ACCOUNT, **lies: object) -> AccountOutcome:
        self.server.lies = Lies(**lies)  # type: ignore[arg-type]
        return collect_account(account, self.server.source(), self.store)

    def complete(self) -> dict[str, bool]:
        return {status.mailbox: status.complete for status in self.store.statuses()}

    def kept(self) -> set[bytes]:
        return {octets for pack in self.disk.packs.values() for octets in pack.values()}


@pytest.fixture
def world() -> World:
    world = World()
    for number in (1, 2, 3):
        world.inbox.deliver(mail(number))
    world.sent.deliver(mail(4))
    return world


def test_everything_comes_in_and_a_second_run_fetches_nothing(world: World) -> None:
    outcome = world.run()
    assert (outcome.new, outcome.exit_code, world.complete()) == (4, 0, {"INBOX": True, "Sent": True})
    for no_counters in (True, False):
        again = world.run(no_counters=no_counters)
        assert (again.new, again.known, again.exit_code) == (0, 0, 0)
    assert world.server.bodies_sent == 4


def test_a_mailbox_whose_counters_have_not_moved_is_not_even_opened(world: World) -> None:
    world.run()
    assert world.run(no_counters=False, refuses=frozenset({b"INBOX", b"Sent"})).exit_code == 0


def test_a_refused_mailbox_does_not_stop_the_others(world: World) -> None:
    outcome = world.run(refuses=frozenset({b"INBOX"}))
    assert (outcome.new, outcome.exit_code) == (1, 4)
    assert world.complete() == {"INBOX": False, "Sent": True}
    assert "info/INBOX" in outcome.incomplete[0]


def test_a_message_that_is_never_given_is_counted_and_tried_again(world: World) -> None:
    outcome = world.run(poison=frozenset({mail(2)}))
    assert (outcome.new, outcome.failed, outcome.exit_code) == (3, 1, 4)
    assert world.complete()["INBOX"] is False
    assert [failure.uid for failure in world.store.failures()] == [2]
    assert (world.run().new, world.complete()["INBOX"], world.store.failures()) == (1, True, [])


def test_a_broken_connection_keeps_what_came_and_says_so(world: World) -> None:
    outcome = world.run(breaks_after=2)
    assert (outcome.new, outcome.exit_code) == (2, 20)
    assert len(world.kept()) == 2
    assert not all(world.complete().values())
    assert (world.run().new, set(world.complete().values())) == (2, {True})


def test_a_listing_shorter_than_the_count_is_incomplete(world: World) -> None:
    outcome = world.run(listing_loses=1)
    assert outcome.exit_code == 4
    assert "counts 3 messages and lists 2" in outcome.incomplete[0]
    assert (world.run().exit_code, world.complete()["INBOX"]) == (0, True)


def test_new_mail_hidden_by_a_listing_while_old_mail_left_is_not_complete(world: World) -> None:
    """The count is right by chance: one message left, one that came is not listed."""
    world.run()
    del world.inbox.messages[3]
    world.inbox.deliver(mail(5))
    assert world.run(listing_loses_last=1).exit_code == 4
    assert world.complete()["INBOX"] is False
    assert (world.run(no_counters=False).new, world.complete()["INBOX"]) == (1, True)


def test_listed_messages_that_do_not_exist_do_not_stand_in_for_those_that_do(world: World) -> None:
    outcome = world.run(listing_invents=1, listing_loses_last=1)
    assert outcome.exit_code == 4
    assert world.complete()["INBOX"] is False


def test_messages_that_leave_while_they_are_fetched_are_counted_anew(world: World) -> None:
    outcome = world.run(expunges_while_fetching=1)
    assert outcome.exit_code == 0
    assert world.complete() == {"INBOX": True, "Sent": True}
    assert {status.mailbox: status.server for status in world.store.statuses()} == {"INBOX": 2, "Sent": 0}


def test_a_renumbered_mailbox_is_read_again_and_nothing_is_kept_twice(world: World) -> None:
    world.run()
    world.server.renumber(b"INBOX")
    outcome = world.run()
    assert (outcome.new, outcome.known, outcome.exit_code) == (0, 3, 0)
    assert len(world.kept()) == 4


def test_a_server_without_stable_uids_is_read_whole_each_time(world: World) -> None:
    world.run(no_uid_validity=True)
    outcome = world.run(no_uid_validity=True)
    assert (outcome.new, outcome.known, outcome.exit_code) == (0, 4, 0)


def test_what_the_limit_left_out_comes_in_when_the_limit_is_raised(world: World) -> None:
    world.inbox.deliver(mail(9, size=5000))
    small = replace(ACCOUNT, max_message_bytes=1000)
    outcome = world.run(small, no_counters=False)
    assert (outcome.new, outcome.excluded, outcome.exit_code) == (4, 1, 0)
    assert world.run(small, no_counters=False).new == 0
    assert world.run(no_counters=False).new == 1
    assert mail(9, size=5000) in world.kept()


def test_a_server_that_suddenly_has_nothing_loses_nothing_and_is_told(world: World) -> None:
    world.run()
    outcome = world.run(hides=frozenset({b"INBOX", b"Sent"}))
    assert outcome.exit_code == 4
    assert not all(status.complete for status in world.store.statuses())
    assert (world.run().exit_code, world.complete()) == (0, {"INBOX": True, "Sent": True})


def test_a_refused_login_is_the_accounts_problem_and_its_exit_code(world: World) -> None:
    class Refusing(Source):
        def mailboxes(self) -> list[RemoteMailbox]:
            raise LoginRefusedError("the server refused the login")

    outcome = collect_account(ACCOUNT, Refusing(world.server), world.store)
    assert (outcome.exit_code, outcome.problem) == (21, "the server refused the login")
    assert not all(status.complete for status in world.store.statuses())


def test_a_run_that_is_stopped_keeps_what_came_and_is_not_complete(world: World) -> None:
    asked = iter([False, True])
    outcome = collect_account(ACCOUNT, world.server.source(), world.store, stopped=lambda: next(asked, True))
    assert outcome.new == 1
    assert outcome.exit_code == 4
    assert not any(world.complete().values())
    assert (world.run().new, world.complete()) == (3, {"INBOX": True, "Sent": True})


def test_a_full_disk_is_said_and_not_hidden_behind_what_follows_it(world: World) -> None:
    class Full(MemoryCollectStore):
        broken = False

        def add(self, epoch: int, entry: MessageEntry, octets: Octets) -> bool:
            self.broken = True
            raise DiskError("the disk is full")

        def flush(self) -> None:
            if self.broken:
                raise ArchiverError("the store has stopped after an error")

    with pytest.raises(DiskError, match="the disk is full"):
        collect_account(ACCOUNT, world.server.source(), Full(MemoryDisk(), Clock()))


@pytest.mark.parametrize("no_counters", [True, False])
def test_what_a_servers_counters_hide_is_found_by_the_whole_listing_of_the_week(
    world: World, *, no_counters: bool
) -> None:
    world.run()
    del world.inbox.messages[2]
    world.run()
    # A message comes in below UIDs that were given out long ago, and another leaves: no counter of the mailbox moves.
    world.inbox.messages[2] = mail(9)
    del world.inbox.messages[1]
    assert world.run(no_counters=no_counters).new == 0
    world.clock.advance(8 * 86_400)
    assert world.run(no_counters=no_counters).new == 1
    assert mail(9) in world.kept()
    assert world.complete()["INBOX"]
