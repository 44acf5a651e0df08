"""Surviving connections: nothing lost, nothing twice, no message before the others, no end without progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.core.ports import Fetched, FetchOutcome, Unfetchable, Vanished
from archiver.errors import LoginRefusedError, MailboxRefusedError, ServerUnreachableError
from archiver.imap.faults import ConnectFailedError, ConnectionBrokenError, ThrottledError, TransientRefusalError
from archiver.imap.retry import ATTEMPTS, FIRST_ATTEMPTS, RetryingSource
from archiver.model.mailbox import MailboxState, MessageEntry, RemoteMailbox, Uid, UidValidity
from archiver.model.octets import BytesOctets
from tests.fakes.imap_account import INBOX, entry, local_account, octets_of, retrying_on
from tests.fakes.imap_server import Asked, Cut, FakeImapServer, body, uids_asked


class World:
    """A server and its connections: what they do is decided by `trouble`, asked before each message is given."""

    def __init__(self, uids: Sequence[int]) -> None:
        self.uids = sorted(uids)
        self.uid_validity = 7
        self.connections = 0
        self.open = 0
        self.slept: list[float] = []
        self.asked: list[list[int]] = []
        self.trouble: Callable[[int], Exception | None] = lambda _: None
        self.on_connect: Callable[[int], Exception | None] = lambda _: None
        self.on_examine: Callable[[int], Exception | None] = lambda _: None

    def source(self) -> RetryingSource:
        source = RetryingSource(lambda: Connection(self), sleep=self.slept.append, random=lambda: 1.0)
        source.examine(INBOX)
        return source


class Connection:
    """One connection to the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.connections += 1
        world.open += 1
        self._ended = False

    def mailboxes(self) -> Sequence[RemoteMailbox]:
        self._check(self._world.on_connect(self._world.connections))
        return [INBOX]

    def examine(self, mailbox: RemoteMailbox) -> MailboxState:
        self._check(self._world.on_connect(self._world.connections))
        self._check(self._world.on_examine(self._world.connections))
        return MailboxState(len(self._world.uids), UidValidity(self._world.uid_validity))

    def entries(self, first: Uid, last: Uid | None = None) -> Iterator[MessageEntry]:
        for uid in self._world.uids:
            if uid >= first and (last is None or uid <= last):
                self._check(self._world.trouble(uid))
                yield entry(uid)

    def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        self._world.asked.append([each.uid for each in entries])
        for each in entries:
            self._check(self._world.trouble(each.uid))
            yield Fetched(each.uid, BytesOctets(b"m%d" % each.uid))

    def close(self) -> None:
        if not self._ended:
            self._world.open -= 1
        self._ended = True

    @staticmethod
    def _check(trouble: Exception | None) -> None:
        if trouble is not None:
            raise trouble


def outcomes(source: RetryingSource, uids: Sequence[int]) -> dict[int, FetchOutcome]:
    found: dict[int, FetchOutcome] = {}
    for outcome in source.fetch([entry(uid) for uid in uids]):
        assert outcome.uid not in found
        found[outcome.uid] = outcome
    return found


def test_what_arrived_before_a_break_is_not_asked_for_again() -> None:
    world = World(range(1, 11))
    breaks = iter([False] * 4 + [True] + [False] * 100)
    world.trouble = lambda _: ConnectionBrokenError("cut") if next(breaks) else None
    found = outcomes(world.source(), world.uids)
    assert all(isinstance(outcome, Fetched) for outcome in found.values())
    assert len(found) == 10
    # The suspect goes last, the rest before it.
    assert world.asked == [list(range(1, 11)), [6, 7, 8, 9, 10], [5]]


@pytest.mark.parametrize("poison", [[3], [1, 2], [10], list(range(3, 8)), list(range(2, 30)), list(range(1, 31))])
def test_poison_messages_are_named_and_everything_else_arrives(poison: list[int]) -> None:
    world = World(range(1, 31))
    world.trouble = lambda uid: ConnectionBrokenError("cut", in_transit=Uid(uid)) if uid in poison else None
    found = outcomes(world.source(), world.uids)
    assert set(found) == set(world.uids)
    assert [uid for uid, outcome in found.items() if isinstance(outcome, Unfetchable)] == sorted(
        poison, key=list(found).index
    )
    assert {uid for uid, outcome in found.items() if isinstance(outcome, Fetched)} == set(world.uids) - set(poison)
    assert world.connections <= 6 + 4 * len(poison)


def test_a_poison_message_is_tried_three_times_alone_on_fresh_connections() -> None:
    world = World([1, 2, 3])
    world.trouble = lambda uid: TransientRefusalError("no", in_transit=Uid(2)) if uid == 2 else None
    found = outcomes(world.source(), world.uids)
    assert isinstance(found[2], Unfetchable)
    assert world.asked == [[1, 2, 3], [3], [2], [2], [2]]
    assert world.connections == 4


def test_a_suspect_that_comes_through_alone_is_no_poison() -> None:
    world = World([1, 2, 3])
    breaks = iter([False, True, False, True, True, False])
    world.trouble = lambda uid: ConnectionBrokenError("cut", in_transit=Uid(uid)) if next(breaks) else None
    assert all(isinstance(outcome, Fetched) for outcome in outcomes(world.source(), world.uids).values())


@given(st.sets(st.integers(1, 60)), st.data())
def test_every_entry_gets_one_outcome_whatever_breaks(uids: set[int], data: st.DataObject) -> None:
    world = World(sorted(uids))
    poison = data.draw(st.sets(st.sampled_from(sorted(uids)))) if uids else set()
    luck = data.draw(st.randoms(use_true_random=False))

    def trouble(uid: int) -> Exception | None:
        if uid in poison or luck.random() < 0.1:
            return ConnectionBrokenError("cut", in_transit=luck.choice([None, Uid(uid)]))
        return None

    world.trouble = trouble
    found = outcomes(world.source(), world.uids)
    assert set(found) == uids
    assert not any(isinstance(found[uid], Fetched) for uid in poison)
    assert world.open <= 1


def test_a_server_that_breaks_at_every_message_ends_with_verdicts_in_bounded_tries() -> None:
    world = World(range(1, 2001))
    world.trouble = lambda _: ConnectionBrokenError("cut")
    found = outcomes(world.source(), world.uids)
    assert len(found) == 2000
    assert world.connections < 100


def test_a_server_that_is_gone_ends_the_run_after_eight_tries_without_progress() -> None:
    world = World([1, 2, 3])
    world.trouble = lambda uid: ConnectionBrokenError("cut") if uid == 2 else None
    source = world.source()
    world.on_connect = lambda _: ConnectFailedError("refused")
    fetching = source.fetch([entry(uid) for uid in world.uids])
    assert next(fetching).uid == 1
    with pytest.raises(ServerUnreachableError):
        list(fetching)
    assert world.connections == ATTEMPTS
    assert len(world.slept) == ATTEMPTS - 1


def test_a_first_connection_that_fails_is_told_sooner() -> None:
    world = World([1])
    world.on_connect = lambda _: ConnectFailedError("refused")
    with pytest.raises(ServerUnreachableError):
        world.source()
    assert world.connections == FIRST_ATTEMPTS


@pytest.mark.parametrize("final", [LoginRefusedError("no"), ConnectFailedError("certificate", permanent=True)])
def test_a_refused_login_and_a_wrong_certificate_are_not_tried_again(final: Exception) -> None:
    world = World([1])
    world.on_connect = lambda _: final
    with pytest.raises(type(final)):
        world.source()
    assert world.connections == 1
    assert world.slept == []


def test_a_login_refused_on_a_later_connection_ends_the_run() -> None:
    world = World([1, 2])
    source = world.source()
    world.trouble = lambda _: ConnectionBrokenError("cut")
    world.on_connect = lambda _: LoginRefusedError("no")
    with pytest.raises(LoginRefusedError):
        list(source.fetch([entry(1)]))
    assert world.connections == 2


def test_waits_grow_without_progress_and_carry_jitter() -> None:
    world = World([1])
    source = RetryingSource(lambda: Connection(world), sleep=world.slept.append, random=lambda: 0.0)
    source.examine(INBOX)
    world.on_connect = lambda _: ConnectFailedError("refused")
    source.close()
    source = RetryingSource(lambda: Connection(world), sleep=world.slept.append, random=lambda: 0.0)
    with pytest.raises(ServerUnreachableError):
        source.mailboxes()
    assert world.slept == sorted(world.slept)
    assert world.slept[-1] >= 2 * world.slept[0]


def test_progress_between_breaks_means_that_no_number_of_breaks_ends_the_run() -> None:
    world = World(range(1, 101))
    given: set[int] = set()

    def trouble(uid: int) -> Exception | None:
        if uid in given:
            return None
        given.add(uid)
        return ConnectionBrokenError("cut")

    world.trouble = trouble
    source = world.source()
    assert [found.uid for found in source.entries(Uid(1))] == world.uids
    assert world.connections == 101


def test_a_listing_goes_on_behind_the_last_entry_and_gives_each_once() -> None:
    world = World(range(1, 21))
    breaks = iter([False] * 7 + [True, True] + [False] * 100)
    world.trouble = lambda _: ConnectionBrokenError("cut") if next(breaks) else None
    assert [found.uid for found in world.source().entries(Uid(1), Uid(15))] == list(range(1, 16))


def test_a_mailbox_renumbered_between_two_connections_is_left_for_the_next_run() -> None:
    world = World([1, 2])
    source = world.source()

    def trouble(uid: int) -> Exception | None:
        world.uid_validity = 8
        return ConnectionBrokenError("cut")

    world.trouble = trouble
    with pytest.raises(MailboxRefusedError, match="UIDVALIDITY"):
        list(source.fetch([entry(1)]))


def test_without_uidvalidity_nothing_is_fetched_by_uid_over_another_connection() -> None:
    world = World([1, 2])
    world.uid_validity = 0
    source = world.source()
    breaks = iter([True, False, False])
    world.trouble = lambda _: ConnectionBrokenError("cut") if next(breaks) else None
    with pytest.raises(MailboxRefusedError):
        list(source.fetch([entry(1)]))


def test_a_mailbox_at_which_every_connection_ends_is_refused_alone() -> None:
    world = World([1])
    source = RetryingSource(lambda: Connection(world), sleep=world.slept.append, random=lambda: 0.0)
    source.mailboxes()
    world.on_examine = lambda _: ConnectionBrokenError("closed")
    with pytest.raises(MailboxRefusedError):
        source.examine(INBOX)
    world.on_examine = lambda _: None
    assert source.examine(INBOX).messages == 1


def test_throttling_is_waited_for_as_long_as_the_server_says() -> None:
    world = World([1, 2])
    waits: Iterator[Exception | None] = iter([ThrottledError("slow", wait=92.0), None, None])
    world.trouble = lambda _: next(waits)
    assert len(outcomes(world.source(), world.uids)) == 2
    assert world.slept[0] >= 92.0


def test_a_wait_beyond_five_minutes_ends_the_account_with_a_hint() -> None:
    world = World([1])
    source = world.source()
    world.trouble = lambda _: ThrottledError("slow", wait=301.0)
    with pytest.raises(ServerUnreachableError) as caught:
        list(source.fetch([entry(1)]))
    assert world.slept == []
    assert caught.value.hint is not None
    assert "later" in caught.value.hint


def test_throttling_without_end_ends_the_account() -> None:
    world = World([1])
    source = world.source()
    world.trouble = lambda _: ThrottledError("slow")
    with pytest.raises(ServerUnreachableError):
        list(source.fetch([entry(1)]))
    assert sum(world.slept) < 400


def test_an_entry_that_a_source_forgets_is_unfetchable_and_not_lost() -> None:
    class Forgetful(Connection):
        def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
            yield Vanished(entries[0].uid)

    world = World([1, 2])
    source = RetryingSource(lambda: Forgetful(world), sleep=world.slept.append, random=lambda: 0.0)
    source.examine(INBOX)
    found = outcomes(source, [1, 2])
    assert isinstance(found[1], Vanished)
    assert isinstance(found[2], Unfetchable)


def test_errors_of_our_own_side_are_not_retried() -> None:
    world = World([1])
    source = world.source()
    world.trouble = lambda _: OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        list(source.fetch([entry(1)]))
    assert world.connections == 1


def test_close_ends_the_connection_and_runs_what_was_asked_for_the_end() -> None:
    world = World([1])
    closed: list[bool] = []
    source = RetryingSource(
        lambda: Connection(world), sleep=world.slept.append, random=lambda: 0.0, on_close=lambda: closed.append(True)
    )
    source.examine(INBOX)
    source.close()
    source.close()
    assert world.open == 0
    assert closed
    with pytest.raises(ServerUnreachableError):
        source.mailboxes()


# --- with real connections to a scripted server -----------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[FakeImapServer]:
    fake = FakeImapServer(exists=30)
    yield fake
    fake.close()


def test_a_server_that_drops_the_connection_within_one_message_gives_all_the_others(server: FakeImapServer) -> None:
    def answer(asked: Asked) -> bytes:
        out = b""
        for uid in uids_asked(asked):
            if uid == 5:
                return Cut(out + b"* 5 FETCH (UID 5 BODY[] {500}\r\nhalf")
            out += body(uid, b"m%d" % uid)
        return out + b"%T OK done\r\n"

    server.on(b"UID FETCH", answer)
    source = retrying_on(local_account(server.port))
    source.examine(INBOX)
    found = outcomes(source, range(1, 31))
    source.close()
    assert isinstance(found.pop(5), Unfetchable)
    assert {uid: octets_of(outcome) for uid, outcome in found.items()} == {
        uid: b"m%d" % uid for uid in range(1, 31) if uid != 5
    }
    assert server.connections == 4


def test_a_message_of_wrong_announced_size_is_never_kept(server: FakeImapServer) -> None:
    def answer(asked: Asked) -> bytes:
        out = b""
        for uid in uids_asked(asked):
            out += b"* 1 FETCH (UID 2 BODY[] {3}\r\nlonger)\r\n" if uid == 2 else body(uid, b"m%d" % uid)
        return out + b"%T OK done\r\n"

    server.on(b"UID FETCH", answer)
    source = retrying_on(local_account(server.port))
    source.examine(INBOX)
    found = outcomes(source, [1, 2, 3])
    source.close()
    assert isinstance(found[2], Unfetchable)
    assert (octets_of(found[1]), octets_of(found[3])) == (b"m1", b"m3")


def test_a_fetch_stopped_half_way_leaves_a_source_that_can_be_used(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", lambda asked: b"".join(body(uid, b"m") for uid in uids_asked(asked)) + b"%T OK done\r\n")
    source = retrying_on(local_account(server.port))
    source.examine(INBOX)
    fetching = source.fetch([entry(uid) for uid in range(1, 31)])
    next(fetching)
    fetching.close()  # type: ignore[attr-defined]
    assert source.examine(INBOX).messages == 30
    assert len(outcomes(source, [1, 2])) == 2
    source.close()
