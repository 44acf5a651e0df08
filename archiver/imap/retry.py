"""A MailSource that survives its connections.

Wraps a maker of sources: reconnects, opens the mailbox again, makes sure that it is still the same one (UIDVALIDITY),
and goes on behind what has arrived. Knows no IMAP. Tries are counted without progress: a bad line that gives a hundred
messages between two breaks is slow, not broken. A message at which connections break is asked for last and alone, on
fresh connections, and then given up, so that it never stands before the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from archiver.core.ports import Fetched, FetchOutcome, MailSource, Unfetchable
from archiver.errors import MailboxRefusedError, ServerBusyError, ServerUnreachableError
from archiver.imap.faults import ConnectFailedError, ConnectionBrokenError, ThrottledError, TransientRefusalError
from archiver.model.mailbox import MailboxState, MessageEntry, RemoteMailbox, Uid

ATTEMPTS = 8
"""Tries without progress before a run gives up."""
FIRST_ATTEMPTS = 3
"""The same before the first connection was ever made: a wrong host name should be told soon."""
UNANSWERED_LOGINS = 2
"""Times that a password is sent without an answer: a server that refuses by hanging up counts them all the same."""
ALONE = 3
"""Tries for one message alone, and for opening one mailbox."""
LONGEST_WAIT = 300.0
"""Seconds that a throttling server is waited for, all waits without progress together."""
HOPELESS = 40
"""Messages given up one after the other, after which the rest is not tried in this run."""

_T = TypeVar("_T")


class RetryingSource:
    """See `ports.MailSource`. `sleep` takes seconds, `random` gives numbers in [0, 1).

    Once `stopped` says yes, no wait begins and no further connection is made.
    """

    def __init__(
        self,
        make: Callable[[], MailSource],
        *,
        sleep: Callable[[float], object],
        random: Callable[[], float],
        on_close: Callable[[], None] = lambda: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._make = make
        self._sleep = sleep
        self._random = random
        self._on_close = on_close
        self._stopped = stopped
        self._source: MailSource | None = None
        self._mailbox: RemoteMailbox | None = None
        self._state: MailboxState | None = None
        self._ever_connected = False
        self._closed = False
        self._failures = 0
        self._unanswered = 0
        self._waited = 0.0

    def mailboxes(self) -> Sequence[RemoteMailbox]:
        """List, over as many connections as it takes."""
        self._mailbox = self._state = None
        return self._persistently(lambda source: source.mailboxes())

    def examine(self, mailbox: RemoteMailbox) -> MailboxState:
        """Open a mailbox. A mailbox at which connections end is refused, so that the others are still read."""
        self._mailbox = self._state = None
        tries = 0

        def open_it(source: MailSource) -> MailboxState:
            nonlocal tries
            try:
                return source.examine(mailbox)
            except (ConnectionBrokenError, TransientRefusalError) as error:
                tries += 1
                if tries >= ALONE and not isinstance(error, ThrottledError):
                    self._drop()
                    raise MailboxRefusedError(
                        f"this mailbox cannot be opened: {error.message}",
                        hint="the next run tries again; or exclude it",
                    ) from None
                raise

        state = self._persistently(open_it)
        self._mailbox, self._state = mailbox, state
        return state

    def entries(self, first: Uid, last: Uid | None = None) -> Iterator[MessageEntry]:
        """List; after a break it goes on behind the last message listed."""
        low = first
        while True:
            try:
                for entry in self._ready().entries(low, last):
                    low = Uid(entry.uid + 1)
                    self._progress()
                    yield entry
            except ServerUnreachableError as error:
                self._recover(error)
            else:
                return
            if last is not None and low > last:
                return

    def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        """Give one outcome for each entry, over as many connections as it takes; raises without progress."""
        remaining = {entry.uid: entry for entry in entries}
        alone: dict[Uid, int] = {}
        given_up = 0
        while remaining:
            crowd = [entry for uid, entry in remaining.items() if uid not in alone]
            group = crowd or [remaining[next(iter(alone))]]
            try:
                for outcome in self._ready().fetch(group):
                    if remaining.pop(outcome.uid, None) is None:
                        _close(outcome)
                        continue
                    alone.pop(outcome.uid, None)
                    given_up = 0
                    self._progress()
                    yield outcome
            except ServerUnreachableError as error:
                for uid in self._blame(error, group, remaining, alone):
                    given_up += 1
                    del remaining[uid]
                    yield Unfetchable(uid, f"the message does not come through: {error.message}")
                if given_up >= HOPELESS:
                    for uid in remaining:
                        yield Unfetchable(uid, "not tried: the server ended the connection at too many messages")
                    return
            else:
                for entry in group:
                    if remaining.pop(entry.uid, None) is not None:
                        alone.pop(entry.uid, None)
                        yield Unfetchable(entry.uid, "the server gave no answer about it")

    def close(self) -> None:
        """Close the connection and what was kept over connections; never raises."""
        self._closed = True
        self._drop()
        with contextlib.suppress(Exception):
            self._on_close()

    # --- recovery -----------------------------------------------------------------------------------------------------

    def _blame(
        self,
        error: ServerUnreachableError,
        group: Sequence[MessageEntry],
        remaining: dict[Uid, MessageEntry],
        alone: dict[Uid, int],
    ) -> list[Uid]:
        """Recover from a break while fetching `group`; count it against a message, and return those to give up.

        Given up is a message that failed alone often enough, or all suspects when nothing else gets through either.
        """
        suspect = _suspect(error, group, remaining)
        self._recover(error, patient=suspect is not None)
        if suspect is None:
            return []
        in_crowd = suspect not in alone
        alone[suspect] = alone.get(suspect, -1) + 1
        if in_crowd:
            verdicts = list(alone) if self._failures >= ATTEMPTS else []
        else:
            verdicts = [uid for uid, tries in alone.items() if tries >= ALONE]
        for uid in verdicts:
            del alone[uid]
        if verdicts:
            self._failures = 0
        return verdicts

    def _persistently(self, step: Callable[[MailSource], _T]) -> _T:
        while True:
            try:
                result = step(self._ready())
            except ServerUnreachableError as error:
                self._recover(error)
            else:
                self._progress()
                return result

    def _ready(self) -> MailSource:
        """Return a source on which the mailbox of the last `examine` is open."""
        if self._closed:
            raise ConnectFailedError("this source is closed", permanent=True)
        if self._source is None:
            source = self._source = self._make()
            if self._mailbox is not None and self._state is not None:
                again = source.examine(self._mailbox)
                if again.uid_validity != self._state.uid_validity or again.uid_validity == 0:
                    raise MailboxRefusedError(
                        "the connection broke, and the server has renumbered this mailbox since (UIDVALIDITY)",
                        hint="nothing is lost: the next run reads it anew",
                    )
        return self._source

    def _recover(self, error: ServerUnreachableError, *, patient: bool = False) -> None:
        """Drop the connection and wait, or raise what is left to say; `patient` leaves the counting to the caller."""
        self._drop()
        if self._stopped():
            raise error
        if isinstance(error, ThrottledError):
            self._wait_for_throttle(error)
            return
        if isinstance(error, ConnectFailedError):
            self._unanswered += error.unanswered_login
            if error.permanent or self._unanswered >= UNANSWERED_LOGINS:
                raise error
        else:
            self._ever_connected = True
        if isinstance(error, ConnectionBrokenError) and error.progressed:
            self._progress()
        self._failures += 1
        if self._failures >= (ATTEMPTS if self._ever_connected else FIRST_ATTEMPTS) and not patient:
            raise error
        longest = min(60.0, 0.05 * 3 ** (self._failures - 1))
        self._sleep(longest * (0.5 + self._random() / 2))
        if self._stopped():
            raise error

    def _wait_for_throttle(self, error: ThrottledError) -> None:
        wait = error.wait if error.wait is not None else max(30.0, self._waited)
        if self._waited + wait > LONGEST_WAIT:
            raise ServerBusyError(
                "the server limits how much this account may read for now",
                hint="nothing is lost: later runs go on where this one stopped",
                wait=error.wait,
            ) from None
        self._waited += wait
        self._sleep(wait * (1 + self._random() / 10))
        if self._stopped():
            raise error

    def _progress(self) -> None:
        self._failures = self._unanswered = 0
        self._waited = 0.0
        self._ever_connected = True

    def _drop(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()


def _suspect(
    error: ServerUnreachableError, group: Sequence[MessageEntry], remaining: dict[Uid, MessageEntry]
) -> Uid | None:
    """Return the message at which the connection broke; None when the break has nothing to do with a message."""
    if isinstance(error, ConnectFailedError | ThrottledError):
        return None
    if isinstance(error, ConnectionBrokenError) and error.progressed:
        return None
    named = getattr(error, "in_transit", None)
    if named in remaining:
        return Uid(named)
    return next((entry.uid for entry in group if entry.uid in remaining), None)


def _close(outcome: FetchOutcome) -> None:
    if isinstance(outcome, Fetched):
        outcome.octets.close()
