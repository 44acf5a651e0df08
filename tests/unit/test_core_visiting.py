"""An account's turn: no packet to a server that said no, none with a refused password, and an end to every budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from archiver.core.collect import AccountOutcome
from archiver.core.ports import FetchOutcome, MailSource
from archiver.core.visiting import Insistence, visit_account
from archiver.errors import ConfigurationError, LoginRefusedError, ServerBusyError, ServerUnreachableError
from archiver.model.account import Account
from archiver.model.mailbox import MailboxState, MessageEntry, RemoteMailbox, Uid
from tests.twins.mail_server import Server
from tests.twins.stores import MemoryCollectStore, MemoryDisk

ACCOUNT = Account(name="info", host="imap.example.be", username="info")


@dataclass
class Logins:
    """A password as it is now; a digest is the word itself."""

    server: bytes = b"here"
    password: bytes = b"old"
    used: bytes | None = None

    def place(self) -> bytes:
        return self.server

    def current(self) -> bytes:
        if not self.password:
            raise ConfigurationError("the password file cannot be read")
        return self.server + self.password

    def tried(self) -> bytes | None:
        return self.used


class Connection:
    """The twin's connection with what a real one adds: a login, octets counted, a clock that runs."""

    def __init__(self, world: World, ended: Callable[[], bool], received: Callable[[int], object]) -> None:
        self._world = world
        self._source = world.server.source()
        self._received = received

    def mailboxes(self) -> Sequence[RemoteMailbox]:
        world = self._world
        if world.asks_password:
            world.logins.used = world.logins.current()
            if world.logins.password != world.right:
                raise LoginRefusedError("the server refused the login")
        if world.error is not None:
            world.seconds += world.seconds_each
            raise world.error
        return self._source.mailboxes()

    def examine(self, mailbox: RemoteMailbox) -> MailboxState:
        return self._source.examine(mailbox)

    def entries(self, first: Uid, last: Uid | None = None) -> Iterator[MessageEntry]:
        return self._source.entries(first, last)

    def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        for outcome in self._source.fetch(entries):
            self._received(1000)
            self._world.seconds += self._world.seconds_each
            yield outcome

    def close(self) -> None:
        self._source.close()


@dataclass
class World:
    """A server with ten messages, a store, a clock, and what to go wrong."""

    account: Account = ACCOUNT
    now: datetime = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    seconds: float = 0.0
    seconds_each: float = 0.0
    right: bytes = b"old"
    asks_password: bool = True
    error: Exception | None = None
    connections: int = 0
    stopped: bool = False
    logins: Logins = field(default_factory=Logins)
    server: Server = field(default_factory=Server)

    def __post_init__(self) -> None:
        self.store = MemoryCollectStore(MemoryDisk(), lambda: self.now)
        for name in (b"INBOX", b"Sent"):
            self.server.create(name)
            for number in range(5):
                self.deliver(name, b"%b %d" % (name, number))

    def deliver(self, name: bytes, octets: bytes) -> None:
        self.server.boxes[name].deliver(octets)

    def visit(self, *, now: bool = False, login: bool = False) -> AccountOutcome:
        self.logins.used = None
        return visit_account(
            self.account,
            self.connect,
            self.store,
            self.logins,
            clock=lambda: self.now,
            monotonic=lambda: self.seconds,
            random=lambda: 1.0,
            insistence=Insistence(now=now, login=login),
            stopped=lambda: self.stopped,
        )

    def connect(self, ended: Callable[[], bool], received: Callable[[int], object]) -> MailSource:
        self.connections += 1
        return Connection(self, ended, received)


@pytest.fixture
def world() -> World:
    return World()


# --- a refused login --------------------------------------------------------------------------------------------------


def test_a_refused_login_is_not_tried_again_by_later_runs(world: World) -> None:
    world.right = b"other"
    assert (world.visit().exit_code, world.connections) == (21, 1)
    for _ in range(20):
        world.now += timedelta(minutes=5)
        outcome = world.visit()
        assert (outcome.exit_code, world.connections) == (21, 1)
    assert outcome.hint is not None
    assert "--retry-login" in outcome.hint
    assert [status.problem for status in world.store.statuses() if status.mailbox == ""] == [outcome.problem]


def test_neither_naming_the_account_nor_now_sends_a_refused_password_again(world: World) -> None:
    world.right = b"other"
    world.visit()
    assert (world.visit(now=True).exit_code, world.connections) == (21, 1)


def test_a_changed_password_is_noticed_by_itself_and_then_all_is_well(world: World) -> None:
    world.right = b"new"
    world.visit()
    world.logins.password = b"new"
    assert (world.visit().new, world.connections) == (10, 2)
    assert world.store.footing("info").good


def test_a_changed_server_or_username_is_noticed_by_itself(world: World) -> None:
    world.right = b"other"
    world.visit()
    world.logins.server = b"elsewhere"
    assert (world.visit().exit_code, world.connections) == (21, 2)


def test_a_person_can_have_the_same_password_tried_again(world: World) -> None:
    world.right = b"other"
    world.visit()
    world.right = b"old"
    assert (world.visit(login=True).new, world.connections) == (10, 2)
    assert (world.visit().exit_code, world.connections) == (0, 3)


def test_a_refusal_for_which_no_password_was_sent_locks_nobody_out_and_is_asked_again(world: World) -> None:
    world.asks_password = False
    world.error = LoginRefusedError("the server takes no passwords on this connection")
    assert world.visit().exit_code == 21
    world.error = None
    assert (world.visit().new, world.connections) == (10, 2)


def test_a_password_that_cannot_be_had_is_this_accounts_problem_and_remembers_the_refusal(world: World) -> None:
    world.right = b"other"
    world.visit()
    world.logins.password = b""
    assert (world.visit().exit_code, world.connections) == (3, 1)
    world.logins.password = b"old"
    assert (world.visit().exit_code, world.connections) == (21, 1)


def test_a_password_that_cannot_be_had_at_login_leaves_the_other_accounts_alone(world: World) -> None:
    world.logins.password = b""
    outcome = world.visit()
    assert (outcome.exit_code, outcome.problem) == (3, "the password file cannot be read")


# --- a server that says no --------------------------------------------------------------------------------------------


def test_a_timer_asks_a_server_that_is_gone_less_and_less_often(world: World) -> None:
    world.error = ServerUnreachableError("the server cannot be reached")
    for _ in range(24 * 12):
        assert world.visit().exit_code == 20
        world.now += timedelta(minutes=5)
    assert world.connections < 35


def test_a_server_that_limits_the_account_is_left_alone_from_the_first_time_on(world: World) -> None:
    world.error = ServerBusyError("the server limits the account", wait=1800.0)
    first = world.visit()
    assert (first.exit_code, first.busy, first.wait) == (20, True, 1800.0)
    world.now += timedelta(minutes=29)
    outcome = world.visit()
    assert (outcome.exit_code, world.connections) == (20, 1)
    assert "left alone until" in (outcome.problem or "")
    world.error = None
    world.now += timedelta(minutes=2)
    assert (world.visit().new, world.connections) == (10, 2)
    assert world.store.footing("info").good


def test_a_server_at_rest_is_asked_when_a_person_says_so(world: World) -> None:
    world.error = ServerBusyError("the server limits the account")
    world.visit()
    world.error = None
    assert (world.visit().exit_code, world.connections) == (20, 1)
    assert (world.visit(now=True).new, world.connections) == (10, 2)


def test_another_server_in_the_configuration_does_not_inherit_the_rest(world: World) -> None:
    world.error = ServerBusyError("the server limits the account")
    world.visit()
    world.error = None
    world.logins.server = b"elsewhere"
    assert world.visit().new == 10


# --- budgets ----------------------------------------------------------------------------------------------------------


def test_a_run_ends_when_its_time_is_up_and_the_next_goes_on_there(world: World) -> None:
    world.account = replace(ACCOUNT, max_run_seconds=3)
    world.seconds_each = 1.0
    first = world.visit()
    assert (first.new, first.exit_code, first.problem) == (3, 4, None)
    assert first.incomplete == (
        "info/INBOX: the time for one run is used up (max_run_seconds); 3 of 5 messages are accounted for",
        "info/Sent: not read: the time for one run is used up (max_run_seconds)",
    )
    assert [status.complete for status in world.store.statuses()] == [False, False]
    assert [world.visit().new for _ in range(3)] == [3, 3, 1]
    assert world.server.bodies_sent == 10
    assert (world.visit().exit_code, world.connections) == (0, 5)
    assert all(status.complete for status in world.store.statuses())


def test_a_days_octets_are_counted_over_runs_and_the_next_day_goes_on(world: World) -> None:
    world.account = replace(ACCOUNT, max_bytes_per_day=4000)
    assert (world.visit().new, world.connections) == (4, 1)
    spent = world.visit()
    assert (spent.exit_code, spent.new, world.connections) == (4, 0, 1)
    assert "max_bytes_per_day" in spent.incomplete[0]
    assert any("max_bytes_per_day" in (status.problem or "") for status in world.store.statuses())
    world.now += timedelta(days=1)
    assert (world.visit().new, world.connections) == (4, 2)
    world.now += timedelta(days=1)
    assert (world.visit().new, world.visit().exit_code) == (2, 0)
    assert world.server.bodies_sent == 10


def test_a_server_that_is_not_reached_before_the_time_is_up_has_failed_all_the_same(world: World) -> None:
    world.account = replace(ACCOUNT, max_run_seconds=3)
    world.seconds_each = 5.0
    world.error = ServerUnreachableError("the server cannot be reached")
    assert (world.visit().exit_code, world.store.footing("info").failures) == (20, 1)


def test_a_run_that_a_person_stopped_says_nothing_about_the_server(world: World) -> None:
    world.error = ServerUnreachableError("the server cannot be reached")
    world.visit()
    world.stopped = True
    outcome = world.visit()
    assert (outcome.exit_code, outcome.problem, world.store.footing("info").failures) == (4, None, 1)
    world.error = None
    assert (world.visit().exit_code, world.store.footing("info").failures) == (4, 1)
