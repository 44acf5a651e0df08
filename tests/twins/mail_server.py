"""A mail server in memory that can be told to lie: the MailSource twin for collecting.

It knows what the truth is (`octets` of every mailbox), and what it pretends: counts too high, listings too short, UIDs
twice, connections that break half-way, messages it never gives, mailboxes renumbered, no UIDVALIDITY at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archiver.core.ports import Fetched, FetchOutcome, Unfetchable, Vanished
from archiver.errors import MailboxRefusedError, ServerUnreachableError
from archiver.model.mailbox import MailboxState, MessageEntry, RemoteMailbox, Uid, UidValidity
from archiver.model.octets import BytesOctets


@dataclass
class Box:
    """One mailbox: the truth."""

    uid_validity: int
    uid_next: int = 1
    messages: dict[int, bytes] = field(default_factory=dict)
    special_use: str | None = None

    def deliver(self, octets: bytes) -> int:
        uid = self.uid_next
        self.messages[uid] = octets
        self.uid_next += 1
        return uid


@dataclass
class Lies:
    """What goes wrong during the next run; an instance with defaults is an honest server."""

    breaks_after: int | None = None  # the connection is lost after so many bodies
    poison: frozenset[bytes] = frozenset()  # octets that are never given
    listing_loses: int = 0  # so many entries are missing from every listing, the lowest first
    listing_loses_last: int = 0  # the same, the highest first: new mail that is counted and not listed
    listing_invents: int = 0  # so many UIDs are listed that do not exist
    counts_more: int = 0  # EXISTS is that much too high
    counts_less: int = 0  # EXISTS is that much too low
    no_uid_next: bool = False
    hides: frozenset[bytes] = frozenset()  # mailboxes missing from LIST
    denies: frozenset[bytes] = frozenset()  # octets said to have vanished, though they are there
    no_uid_validity: bool = False
    no_counters: bool = True
    refuses: frozenset[bytes] = frozenset()  # EXAMINE says NO
    wrong_sizes: bool = False
    expunges_while_fetching: int = 0
    backwards: bool = False  # bodies arrive in descending order


class Server:
    """A server with one account; `source()` is a connection to it."""

    def __init__(self) -> None:
        self.boxes: dict[bytes, Box] = {}
        self.lies = Lies()
        self.bodies_sent = 0
        self._validity = 1000

    def create(self, name: bytes) -> Box:
        self._validity += 1
        self.boxes[name] = Box(self._validity)
        return self.boxes[name]

    def renumber(self, name: bytes) -> None:
        """A new UIDVALIDITY, and every message gets another UID."""
        old = self.boxes[name]
        new = self.create(name)
        for octets in reversed(list(old.messages.values())):
            new.deliver(octets)

    def rename(self, name: bytes, new: bytes) -> None:
        """The mailbox keeps its UIDVALIDITY and UIDs under another name (RFC 3501 §6.3.5)."""
        self.boxes[new] = self.boxes.pop(name)

    def move(self, uid: int, source: bytes, target: bytes) -> int:
        """The message leaves one mailbox and comes last in another (RFC 6851)."""
        return self.boxes[target].deliver(self.boxes[source].messages.pop(uid))

    def source(self) -> Source:
        return Source(self)


class Source:
    """One connection, an `archiver.core.ports.MailSource`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._name: bytes | None = None
        self._sent = 0
        self.closed = False

    def mailboxes(self) -> Sequence[RemoteMailbox]:
        lies = self._server.lies
        return [
            RemoteMailbox(
                name=name,
                display=name.decode(),
                special_use=box.special_use,
                messages=None if lies.no_counters else len(box.messages),
                uid_next=None if lies.no_counters or lies.no_uid_next else box.uid_next,
                uid_validity=None if lies.no_counters or lies.no_uid_validity else box.uid_validity,
            )
            for name, box in self._server.boxes.items()
            if name not in lies.hides
        ]

    def examine(self, mailbox: RemoteMailbox) -> MailboxState:
        lies = self._server.lies
        if mailbox.name in lies.refuses or mailbox.name not in self._server.boxes:
            raise MailboxRefusedError("the server refused to open the mailbox")
        self._name = mailbox.name
        box = self._server.boxes[mailbox.name]
        return MailboxState(
            messages=max(0, len(box.messages) + lies.counts_more - lies.counts_less),
            uid_validity=UidValidity(0 if lies.no_uid_validity else box.uid_validity),
            uid_next=None if lies.no_uid_next else box.uid_next,
        )

    def entries(self, first: Uid, last: Uid | None = None) -> Iterator[MessageEntry]:
        lies = self._server.lies
        box = self._box()
        listed = sorted(box.messages)[lies.listing_loses :]
        listed = listed[: len(listed) - lies.listing_loses_last] if lies.listing_loses_last else listed
        listed += [box.uid_next + 5 + number for number in range(lies.listing_invents)]
        for uid in listed:
            if first <= uid and (last is None or uid <= last):
                yield MessageEntry(Uid(uid), 1 if lies.wrong_sizes else len(box.messages.get(uid, b"")))

    def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        lies = self._server.lies
        box = self._box()
        for _ in range(min(lies.expunges_while_fetching, len(entries))):
            box.messages.pop(entries[-1 - _].uid, None)
        for entry in reversed(entries) if lies.backwards else entries:
            if lies.breaks_after is not None and self._sent >= lies.breaks_after:
                raise ServerUnreachableError("the connection broke")
            octets = box.messages.get(entry.uid)
            if octets is None or octets in lies.denies:
                yield Vanished(entry.uid)
            elif octets in lies.poison:
                yield Unfetchable(entry.uid, "the server does not give it")
            else:
                self._sent += 1
                self._server.bodies_sent += 1
                yield Fetched(entry.uid, BytesOctets(octets))

    def close(self) -> None:
        self.closed = True

    def _box(self) -> Box:
        assert self._name is not None
        return self._server.boxes[self._name]
