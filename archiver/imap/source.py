"""An IMAP account as a MailSource: which mailboxes, what is in them, and their octets.

One connection, made when first needed; when it breaks this object is finished and `archiver.imap.retry` makes another.
Commands sent are LIST, STATUS, EXAMINE, UID FETCH with BODY.PEEK[], ID, LOGOUT: nothing that changes a server's state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from archiver.core.ports import FetchOutcome, Spool
from archiver.errors import MailboxRefusedError
from archiver.imap import names
from archiver.imap.bodies import BodyFetcher, check_refusal
from archiver.imap.credentials import resolve_password as from_configuration
from archiver.imap.faults import ConnectFailedError, ConnectionBrokenError
from archiver.imap.partials import Partials
from archiver.imap.reader import Reader, quotable
from archiver.imap.responses import Condition, Counted, Exists, FetchItems, Listed, Response
from archiver.imap.session import PasswordResolver, Session, connect
from archiver.model.account import Account
from archiver.model.mailbox import MailboxState, MessageEntry, RemoteMailbox, Uid, UidValidity

WINDOW = 5000
"""UIDs listed by one command: some servers run out of memory or time on 200,000."""
_LINE = 200
"""Bytes of one listing line, generously."""
_COUNTERS = b"(MESSAGES UIDNEXT UIDVALIDITY)"
_STATUS_AHEAD = 20
_NOT_SELECTABLE = frozenset({"\\noselect", "\\nonexistent"})
_HIGHEST_UID = (1 << 32) - 1


class ImapSource:
    """One account on one connection (see `ports.MailSource`); not for use by several threads."""

    def __init__(
        self,
        account: Account,
        *,
        new_spool: Callable[[], Spool],
        resolve_password: PasswordResolver = from_configuration,
        partials: Partials | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        received: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._account = account
        self._new_spool = new_spool
        self._resolve_password = resolve_password
        self._owns_partials = partials is None
        self._partials = partials if partials is not None else Partials(new_spool)
        self._monotonic = monotonic
        self._received = received
        self._session: Session | None = None
        self._reader: Reader | None = None
        self._open: tuple[RemoteMailbox, MailboxState] | None = None
        self._finished = False

    def connect(self) -> None:
        """Connect and log in now rather than at the first call; does nothing when connected.

        Raises ConnectFailedError, TransientRefusalError, LoginRefusedError, ConfigurationError.
        """
        self._connected()

    # --- mailboxes ----------------------------------------------------------------------------------------------------

    def mailboxes(self) -> Sequence[RemoteMailbox]:
        """List the selectable mailboxes that the configuration chooses, with counters; INBOX first, then by name."""
        reader = self._connected()
        listed, counted = self._list(reader)
        found = [
            RemoteMailbox(
                name=item.name,
                display=names.decode(item.name),
                delimiter=item.delimiter,
                attributes=frozenset(item.attributes),
            )
            for item in listed
        ]
        chosen = [
            mailbox
            for mailbox in names.choose(names.with_special_use(found), self._account.mailboxes, self._account.exclude)
            if not _NOT_SELECTABLE & {attribute.lower() for attribute in mailbox.attributes}
        ]
        chosen.sort(key=lambda mailbox: (mailbox.special_use != "\\Inbox", mailbox.name))
        self._count(reader, [mailbox for mailbox in chosen if _canonical(mailbox.name) not in counted], counted)
        return [_with_counters(mailbox, counted) for mailbox in chosen]

    def _list(self, reader: Reader) -> tuple[list[Listed], dict[bytes, Counted]]:
        """LIST, with counters in the same reply where the server can (RFC 5819), else without."""
        for options in self._list_options():
            listed: dict[bytes, Listed] = {}
            counted: dict[bytes, Counted] = {}
            answer = None
            for response in self._run(reader, b'LIST "" "*"' + options):
                if isinstance(response, Listed):
                    listed.setdefault(response.name, response)
                elif isinstance(response, Counted):
                    counted[_canonical(response.name)] = response
                elif isinstance(response, Condition):
                    answer = response
            if answer is not None and answer.status == b"OK":
                return list(listed.values()), counted
            if answer is not None:
                check_refusal(answer, None)
        raise ConnectFailedError("the server refuses to list the account's mailboxes", permanent=True)

    def _list_options(self) -> list[bytes]:
        offered = self._session.capabilities if self._session else frozenset()
        special = b"SPECIAL-USE" if "SPECIAL-USE" in offered else b""
        options = []
        if {"LIST-EXTENDED", "LIST-STATUS"} <= offered:
            options.append(b" RETURN (" + (special + b" " if special else b"") + b"STATUS " + _COUNTERS + b")")
        elif special and "LIST-EXTENDED" in offered:
            options.append(b" RETURN (" + special + b")")
        return [*options, b""]

    def _count(self, reader: Reader, mailboxes: Sequence[RemoteMailbox], counted: dict[bytes, Counted]) -> None:
        """STATUS, many commands ahead: one round trip instead of one for each mailbox. A refusal leaves it unknown."""
        waiting = [mailbox.name for mailbox in mailboxes]
        flying: set[bytes] = set()
        while waiting or flying:
            while waiting and len(flying) < _STATUS_AHEAD and (quotable(waiting[0]) or not flying):
                flying.add(reader.send_naming(b"STATUS", waiting.pop(0), b" " + _COUNTERS))
            response = reader.receive(())
            if isinstance(response, Counted):
                counted[_canonical(response.name)] = response
            elif isinstance(response, Condition) and response.tag is not None:
                flying.discard(response.tag)

    def examine(self, mailbox: RemoteMailbox) -> MailboxState:
        """Open a mailbox read-only (RFC 3501 §6.3.2). Raises MailboxRefusedError."""
        reader = self._connected()
        self._open = None
        tag = reader.send_naming(b"EXAMINE", mailbox.name)
        messages = uid_validity = 0
        uid_next: int | None = None
        mod_seq: int | None = None
        for response in self._answers(reader, tag):
            if isinstance(response, Exists):
                # Some servers count upwards while they load: several EXISTS, the largest is the truth.
                messages = max(messages, response.messages)
            elif isinstance(response, Condition):
                if response.tag == tag and response.status != b"OK":
                    check_refusal(response, None)
                    raise MailboxRefusedError(
                        "the server does not open this mailbox", hint="the next run tries again; or exclude it"
                    )
                match response.code:
                    case b"UIDVALIDITY":
                        uid_validity = response.number or 0
                    case b"UIDNEXT":
                        uid_next = response.number or None
                    case b"HIGHESTMODSEQ":
                        mod_seq = response.number or None
        state = MailboxState(messages, UidValidity(uid_validity), uid_next, mod_seq)
        self._open = (mailbox, state)
        return state

    # --- listing ------------------------------------------------------------------------------------------------------

    def entries(self, first: Uid, last: Uid | None = None) -> Iterator[MessageEntry]:
        """List messages with first ≤ UID (≤ last), ascending, each once; see `ports.MailSource.entries`."""
        reader = self._connected()
        _, state = self._opened()
        low = max(1, first)
        if state.messages == 0:
            return
        known_end = (state.uid_next or 0) - 1
        width = WINDOW
        while last is None or low <= last:
            high: int | None = min(low + width - 1, _HIGHEST_UID)
            if last is not None:
                high = min(high or last, last)
            elif low + width > known_end:
                # Without an end: also for what arrived since EXAMINE, or when the server gave no UIDNEXT.
                high = None
            found = self._window(reader, low, high, state.messages)
            yield from found
            if high is None:
                return
            low = high + 1
            width = width * 2 if len(found) < WINDOW // 4 else WINDOW

    def _window(self, reader: Reader, low: int, high: int | None, messages: int) -> list[MessageEntry]:
        """List one range, ascending. `n:*` also gives the last message when its UID is below n (RFC 3501 §6.4.8)."""
        span = b"%d:%s" % (low, b"*" if high is None else b"%d" % high)
        lines = messages if high is None else min(messages, high - low + 1)
        command = b"UID FETCH " + span + b" (UID RFC822.SIZE INTERNALDATE FLAGS)"
        found: dict[int, MessageEntry] = {}
        complete: set[int] = set()
        for response in self._run(reader, command, expect=lines * _LINE):
            if isinstance(response, FetchItems):
                uid = response.uid
                if uid is None or not low <= uid <= (high or _HIGHEST_UID) or uid in complete:
                    continue
                if b"RFC822.SIZE" in response.items:
                    complete.add(uid)
                    found[uid] = _entry(uid, response)
                else:
                    # News of a flag, or a server that leaves the size out: either way the message is there.
                    found.setdefault(uid, _entry(uid, response))
            elif isinstance(response, Condition) and response.status != b"OK" and not found:
                check_refusal(response, None)
                raise MailboxRefusedError(
                    "the server does not list this mailbox", hint="the next run tries again; or exclude it"
                )
        return [found[uid] for uid in sorted(found)]

    # --- octets -------------------------------------------------------------------------------------------------------

    def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        """Give one outcome for each entry; see `ports.MailSource.fetch`."""
        reader = self._connected()
        mailbox, state = self._opened()
        fetcher = BodyFetcher(reader, mailbox.name, state.uid_validity, self._partials)
        try:
            yield from fetcher.fetch(entries)
        finally:
            if not fetcher.idle:
                # Stopped in the middle: replies are still coming, so the connection serves nothing else.
                self._abandon()

    def close(self) -> None:
        """Log out without waiting; never raises."""
        session, self._session, self._reader = self._session, None, None
        self._finished = True
        if session is not None:
            session.close()
        if self._owns_partials:
            self._partials.close()

    # --- the connection -----------------------------------------------------------------------------------------------

    def _connected(self) -> Reader:
        if self._finished:
            raise ConnectionBrokenError("this connection has ended")
        if self._reader is None:
            session = connect(
                self._account,
                resolve_password=self._resolve_password,
                monotonic=self._monotonic,
                received=self._received,
            )
            self._session = session
            self._reader = Reader(
                session.wire, new_spool=self._new_spool, literal_limit=self._account.max_message_bytes
            )
            if "ID" in session.capabilities:
                # Some servers refuse EXAMINE to programs that do not say who they are (RFC 2971).
                for _ in self._run(self._reader, b'ID ("name" "archiver")'):
                    pass
        return self._reader

    def _opened(self) -> tuple[RemoteMailbox, MailboxState]:
        if self._open is None:
            raise ConnectionBrokenError("no mailbox is open on this connection")
        return self._open

    def _run(self, reader: Reader, command: bytes, *, expect: int = 0) -> Iterator[Response]:
        return self._answers(reader, reader.send(command, expect=expect))

    def _answers(self, reader: Reader, tag: bytes) -> Iterator[Response]:
        """Yield responses up to and with the tagged one; left early, the connection is given up."""
        ended = False
        try:
            while not ended:
                response = reader.receive(())
                ended = isinstance(response, Condition) and response.tag == tag
                yield response
        finally:
            if not ended:
                self._abandon()

    def _abandon(self) -> None:
        self._finished = True
        if self._session is not None:
            self._session.wire.abandon()


def _entry(uid: int, response: FetchItems) -> MessageEntry:
    size = response.items.get(b"RFC822.SIZE")
    date = response.items.get(b"INTERNALDATE")
    flags = response.items.get(b"FLAGS")
    return MessageEntry(
        uid=Uid(uid),
        size=int(size) if isinstance(size, bytes) and size.isdigit() and len(size) <= 20 else 0,
        received_at=date.decode("ascii", "replace") if isinstance(date, bytes) else None,
        keywords=tuple(
            flag.decode("utf-8", "replace")
            for flag in (flags if isinstance(flags, list) else ())
            if isinstance(flag, bytes) and flag.lower() != b"\\recent"
        ),
    )


def _canonical(name: bytes) -> bytes:
    return b"INBOX" if name.upper() == b"INBOX" else name


def _with_counters(mailbox: RemoteMailbox, counted: dict[bytes, Counted]) -> RemoteMailbox:
    found = counted.get(_canonical(mailbox.name))
    if found is None:
        return mailbox
    return replace(
        mailbox,
        messages=found.items.get(b"MESSAGES"),
        uid_next=found.items.get(b"UIDNEXT") or None,
        uid_validity=found.items.get(b"UIDVALIDITY") or None,
    )
