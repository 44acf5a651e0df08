"""Collect: bring an account's mailboxes into the collector's store, complete, read-only, resumable.

Knows cursors, completeness and what to do when one message, one mailbox or a whole server fails. Knows no IMAP syntax,
no cryptography, no SQL, and parses no mail: octets in, sealed octets out.

The cursor is the set of UIDs accounted for, never a single highest UID or a date: a listing cut short, messages
stored out of order and mail moved in later are all seen as a difference between the server's count and ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from archiver.core.ports import CollectStore, Fetched, MailSource, Unfetchable, Vanished
from archiver.core.progress import OnProgress, Progress, silent
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    LoginRefusedError,
    MailboxRefusedError,
    ServerBusyError,
    ServerUnreachableError,
)
from archiver.model.account import Account
from archiver.model.mailbox import MailboxState, MessageEntry, RemoteMailbox, Uid

_SHORT_RETRY = 50
"""Up to this many failed UIDs are listed one by one; more, and one full listing is cheaper."""

_TRY_AGAIN = frozenset({"failed", "excluded"})
"""States that a full listing looks at again: a failure may have passed, a size limit may have been raised."""

_WINDOW = 1000
"""UIDs asked for at a time when a server does not list everything at once."""

_PASSES = 3
"""Times that a mailbox is counted and listed in one run, while messages leave it before they can be fetched."""

_MAX_WINDOWS = 5000
"""A listing by windows is given up beyond this: a UIDNEXT in the billions would otherwise never end."""


class AccountOutcome(Struct, frozen=True):
    """What one account's run did: `new` messages whose octets were not kept before, `known` seen in one more place.

    `exit_code` is 0, 3 (the password cannot be had), 4 (something is missing and will be tried again), 20 or 21;
    `problem` says why, with no content of mail in it, and `hint` what to do. `incomplete` names mailboxes, each with
    its reason. `busy` says that the server limits the account, for `wait` seconds where it named a time.
    """

    account: str
    new: int = 0
    known: int = 0
    octets: int = 0
    failed: int = 0
    excluded: int = 0
    problem: str | None = None
    exit_code: int = 0
    incomplete: tuple[str, ...] = ()
    hint: str | None = None
    busy: bool = False
    wait: float | None = None


class _Tally:
    """Counts of one account's run while it goes on."""

    def __init__(self) -> None:
        self.new = self.known = self.octets = self.failed = self.excluded = 0
        self.incomplete: list[str] = []


def collect_account(
    account: Account,
    source: MailSource,
    store: CollectStore,
    *,
    on_progress: OnProgress = silent,
    stopped: Callable[[], bool] = lambda: False,
    ended: Callable[[], str | None] = lambda: None,
) -> AccountOutcome:
    """Collect every chosen mailbox of one account; errors of the server end up in the outcome, not as exceptions.

    Errors of our own store (disk full, damaged file) do raise: going on would only lose time. `stopped` and `ended` (a
    reason) are asked between messages; when one says yes, what has arrived is made durable and the run is incomplete.
    """
    tally = _Tally()
    trouble: ArchiverError | None = None
    exit_code = 0
    try:
        _collect_mailboxes(account, source, store, tally, on_progress, _halt(stopped, ended))
    except (LoginRefusedError, ConfigurationError) as error:
        trouble, exit_code = error, error.exit_code
    except (ServerUnreachableError, MailboxRefusedError) as error:
        trouble, exit_code = error, ServerUnreachableError.exit_code
        if stopped():
            # Somebody ended the run: that the server was not waited for any longer is no failure of the server.
            tally.incomplete.append(f"{account.name}: stopped before the end; {error.message}")
            trouble, exit_code = None, 4
    except BaseException:
        # What has arrived is kept where that is possible; a store that refuses must not hide why.
        with suppress(ArchiverError):
            store.flush()
        raise
    store.flush()
    if trouble is not None:
        store.note_problem(account.name, None, trouble.message)
        store.flush()
    elif tally.incomplete or tally.failed:
        exit_code = 4
    return AccountOutcome(
        account=account.name,
        new=tally.new,
        known=tally.known,
        octets=tally.octets,
        failed=tally.failed,
        excluded=tally.excluded,
        problem=trouble.message if trouble else None,
        exit_code=exit_code,
        incomplete=tuple(tally.incomplete),
        hint=trouble.hint if trouble else None,
        busy=isinstance(trouble, ServerBusyError),
        wait=trouble.wait if isinstance(trouble, ServerBusyError) else None,
    )


def _halt(stopped: Callable[[], bool], ended: Callable[[], str | None]) -> Callable[[], str | None]:
    """Join what may end a run to one question, whose answer is the reason."""
    return lambda: "stopped before the end" if stopped() else ended()


def _collect_mailboxes(
    account: Account,
    source: MailSource,
    store: CollectStore,
    tally: _Tally,
    on_progress: OnProgress,
    halted: Callable[[], str | None],
) -> None:
    mailboxes = source.mailboxes()
    if not mailboxes:
        # A server that suddenly has nothing is more likely broken than empty: nothing is marked as gone.
        nothing = "the server lists no mailbox that the configuration chooses"
        store.note_problem(account.name, None, nothing)
        tally.incomplete.append(f"{account.name}: {nothing}")
        return
    store.note_listed(account.name, mailboxes)
    left_out = {status.mailbox for status in store.statuses() if status.account == account.name and status.excluded}
    for mailbox in mailboxes:
        # What a rule left out is looked at again: the rule may have changed.
        if mailbox.display not in left_out and _unchanged(store, account, mailbox):
            continue
        if (reason := halted()) is not None:
            store.note_problem(account.name, mailbox, f"not read: {reason}")
            tally.incomplete.append(f"{account.name}/{mailbox.display}: not read: {reason}")
            continue
        run = _MailboxRun(account, mailbox, source, store, tally, on_progress, halted)
        try:
            run.collect()
        except MailboxRefusedError as error:
            store.note_problem(account.name, mailbox, error.message)
            tally.incomplete.append(f"{account.name}/{mailbox.display}: {error.message}")
        except ServerUnreachableError as error:
            run.abandon(error.message)
            raise


def _unchanged(store: CollectStore, account: Account, mailbox: RemoteMailbox) -> bool:
    """Tell whether nothing can be new: all three counters known and those of the last complete run."""
    if not mailbox.uid_validity or mailbox.uid_next is None or mailbox.messages is None:
        return False
    epoch = store.open_epoch(account.name, mailbox, mailbox.uid_validity)
    messages, uid_next, complete = store.counters(epoch)
    if not (complete and messages == mailbox.messages and uid_next == mailbox.uid_next) or store.listing_due(epoch):
        return False
    store.finish(epoch, server=messages, uid_next=uid_next, complete=True, problem=None)
    return True


class _MailboxRun:
    """One mailbox, once."""

    def __init__(
        self,
        account: Account,
        mailbox: RemoteMailbox,
        source: MailSource,
        store: CollectStore,
        tally: _Tally,
        on_progress: OnProgress,
        halted: Callable[[], str | None],
    ) -> None:
        self._account = account
        self._mailbox = mailbox
        self._source = source
        self._store = store
        self._tally = tally
        self._on_progress = on_progress
        self._halted = halted
        self._epoch: int | None = None
        self._server = 0
        self._uid_next: int | None = None
        self._tried: set[int] = set()
        self._listed_all = False
        self._cut_short: str | None = None

    def collect(self) -> None:
        """List, fetch, store; then compare the server's count with ours."""
        state = self._source.examine(self._mailbox)
        self._epoch = epoch = self._store.open_epoch(self._account.name, self._mailbox, state.uid_validity)
        for passed in range(1, _PASSES + 1):
            self._server, self._uid_next = state.messages, state.uid_next
            wanted, listing_problem = self._discover(epoch, state, self._store.accounted(epoch))
            vanished = self._fetch(epoch, [entry for entry in wanted if entry.uid not in self._tried])
            if not vanished or passed == _PASSES or self._halted() is not None:
                break
            # Counted, and gone before it came: only a new count can tell whether that is all that is missing.
            state = self._examine_again(state)
        self._conclude(epoch, listing_problem)

    def abandon(self, problem: str) -> None:
        """Record that the connection was lost in the middle; what had arrived counts."""
        if self._epoch is not None:
            self._store.finish(
                self._epoch, server=self._server, uid_next=self._uid_next, complete=False, problem=problem
            )
        else:
            self._store.note_problem(self._account.name, self._mailbox, problem)

    def _conclude(self, epoch: int, listing_problem: str | None) -> None:
        self._store.flush()
        states = list(self._store.accounted(epoch).values())
        failed = states.count("failed")
        problem = listing_problem
        if problem is None and self._cut_short is not None:
            problem = f"{self._cut_short}; {len(states)} of {self._server} messages are accounted for"
        if problem is None and len(states) != self._server:
            problem = f"the server counts {self._server} messages, {len(states)} are accounted for"
        complete = problem is None and failed == 0
        self._store.finish(
            epoch,
            server=self._server,
            uid_next=self._uid_next,
            complete=complete,
            problem=problem,
            listed_all=self._listed_all,
        )
        if problem is not None:
            self._tally.incomplete.append(f"{self._account.name}/{self._mailbox.display}: {problem}")
        elif failed:
            self._tally.incomplete.append(
                f"{self._account.name}/{self._mailbox.display}: {failed} message(s) could not be fetched"
            )

    # --- listing --------------------------------------------------------------------------------------------------

    def _discover(
        self, epoch: int, state: MailboxState, accounted: Mapping[int, str]
    ) -> tuple[list[MessageEntry], str | None]:
        """Return what to fetch, and a problem when the server's listing stays short of its own count."""
        again = sorted(uid for uid, kept in accounted.items() if kept in _TRY_AGAIN)
        counted_before, next_before, _ = self._store.counters(epoch)
        whole = counted_before == len(accounted) and not self._store.listing_due(epoch)
        if whole and state.uid_next is not None and len(again) <= _SHORT_RETRY:
            # The last run left no gap, so only UIDs above ours can be new. They are all there when UIDNEXT leaves no
            # room for another one; a count alone can be right by chance, when as many have left as are not listed.
            above = max(accounted, default=0) + 1
            fresh = list(self._source.entries(Uid(above)))
            room = state.uid_next - max(above, next_before or 0)
            if len(accounted) + len(fresh) == state.messages and len(fresh) == room:
                for uid in again:
                    fresh.extend(self._source.entries(Uid(uid), Uid(uid)))
                return fresh, None
        return self._enumerate(epoch, state, accounted)

    def _enumerate(
        self, epoch: int, state: MailboxState, accounted: Mapping[int, str]
    ) -> tuple[list[MessageEntry], str | None]:
        """List everything; a listing shorter than EXISTS is checked again, then asked for in windows."""
        found: dict[int, MessageEntry] = {}
        for attempt in range(3):
            if state.messages:
                found.update((entry.uid, entry) for entry in self._source.entries(Uid(1)))
            if len(found) >= state.messages:
                break
            if attempt == 1:
                self._by_windows(state, found)
                if len(found) >= state.messages:
                    break
            state = self._examine_again(state)
            self._server, self._uid_next = state.messages, state.uid_next
            if len(found) >= state.messages:
                break
        problem = None
        if len(found) < state.messages:
            problem = f"the server counts {state.messages} messages and lists {len(found)}"
        else:
            # Only a listing as long as the server's own count is evidence that a message has left.
            self._store.note_gone(epoch, [uid for uid in accounted if uid not in found])
            self._server = max(self._server, len(found))
            self._listed_all = True
        wanted = [entry for uid, entry in sorted(found.items()) if accounted.get(uid, "failed") in _TRY_AGAIN]
        return wanted, problem

    def _examine_again(self, state: MailboxState) -> MailboxState:
        again = self._source.examine(self._mailbox)
        if again.uid_validity != state.uid_validity:
            raise MailboxRefusedError(
                "the server renumbered this mailbox while it was read (UIDVALIDITY changed)",
                hint="nothing is lost: the next sync reads it anew",
            )
        return again

    def _by_windows(self, state: MailboxState, found: dict[int, MessageEntry]) -> None:
        last = (state.uid_next - 1) if state.uid_next else max(found, default=0) + _WINDOW
        if last // _WINDOW > _MAX_WINDOWS:
            return
        for first in range(1, last + 1, _WINDOW):
            found.update((entry.uid, entry) for entry in self._source.entries(Uid(first), Uid(first + _WINDOW - 1)))

    # --- fetching -------------------------------------------------------------------------------------------------

    def _fetch(self, epoch: int, wanted: Sequence[MessageEntry]) -> int:
        """Fetch and stage; return how many messages had left in the meantime."""
        limit = self._account.max_message_bytes
        entries: dict[int, MessageEntry] = {}
        self._tried.update(entry.uid for entry in wanted)
        for entry in wanted:
            if entry.size > limit:
                self._store.note_excluded(epoch, entry.uid, f"larger than {limit} bytes")
                self._tally.excluded += 1
            else:
                entries[entry.uid] = entry
        self._progress(0, len(entries))
        if not entries:
            return 0
        vanished = octets = 0
        for done, outcome in enumerate(self._source.fetch(list(entries.values())), start=1):
            match outcome:
                case Fetched(uid, fetched):
                    try:
                        new = self._store.add(epoch, entries[uid], fetched)
                        octets += fetched.size
                    finally:
                        fetched.close()
                    self._tally.new += new
                    self._tally.known += not new
                    self._tally.octets += fetched.size
                case Vanished(uid):
                    vanished += 1
                    self._store.note_gone(epoch, [uid])
                case Unfetchable(uid, reason):
                    self._tally.failed += 1
                    self._store.note_failed(epoch, uid, reason)
            self._progress(done, len(entries), octets)
            if (halt := self._halted()) is not None:
                self._cut_short = halt if done < len(entries) else None
                break
        return vanished

    def _progress(self, done: int, total: int, octets: int = 0) -> None:
        self._on_progress(
            Progress("collect", self._account.name, self._mailbox.display, done=done, total=total, octets=octets)
        )
