"""Mailboxes, UIDs and what a server says of them (RFC 3501 §2.3.1, RFC 6154).

A mailbox is identified by the raw bytes of its name as LIST sent them, because names that do not survive a round trip
through modified UTF-7 exist; `display` is for people only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NewType

from msgspec import Struct, field

Uid = NewType("Uid", int)
"""1 ≤ uid < 2**32."""
UidValidity = NewType("UidValidity", int)
"""0 where the server gives none: UIDs then hold for one session only."""


class RemoteMailbox(Struct, frozen=True):
    r"""One selectable mailbox of an account, as LIST (and LIST-STATUS or STATUS) told it.

    `special_use` is one of \Inbox, \Sent, \Drafts, \Trash, \Junk, \Archive, \All, \Flagged, or None;
    `messages`, `uid_next`, `uid_validity` are None when unknown, which never equals anything.
    """

    name: bytes
    display: str
    delimiter: str | None = None
    attributes: frozenset[str] = frozenset()
    special_use: str | None = None
    messages: int | None = None
    uid_next: int | None = None
    uid_validity: int | None = None


class MailboxState(Struct, frozen=True):
    """What EXAMINE answered: `messages` is the largest EXISTS seen; uid_validity 0 means "no stable UIDs"."""

    messages: int
    uid_validity: UidValidity
    uid_next: int | None = None
    mod_seq: int | None = None


class MessageEntry(Struct, frozen=True):
    """One line of a mailbox listing: `size` is RFC822.SIZE (a hint), `received_at` INTERNALDATE as sent."""

    uid: Uid
    size: int
    received_at: str | None = None
    keywords: tuple[str, ...] = ()


class Location(Struct, frozen=True):
    """Where a message was seen: the same octets may have several."""

    account: str
    mailbox: bytes
    uid_validity: UidValidity
    uid: Uid


class UidSet(Struct):
    """A set of UIDs kept as sorted, disjoint, inclusive ranges: a million consecutive UIDs cost one tuple."""

    ranges: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, uids: Iterable[int]) -> UidSet:
        """Build a set from UIDs in any order, duplicates allowed."""
        ranges: list[tuple[int, int]] = []
        for uid in sorted(set(uids)):
            if ranges and uid == ranges[-1][1] + 1:
                ranges[-1] = (ranges[-1][0], uid)
            else:
                ranges.append((uid, uid))
        return cls(ranges)

    def __contains__(self, uid: int) -> bool:
        """Binary search over the ranges."""
        from bisect import bisect_right

        at = bisect_right(self.ranges, (uid, 1 << 62)) - 1
        return at >= 0 and self.ranges[at][0] <= uid <= self.ranges[at][1]

    def __iter__(self) -> Iterator[int]:
        """Ascending."""
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __len__(self) -> int:
        """Count UIDs, not ranges."""
        return sum(high - low + 1 for low, high in self.ranges)

    def imap(self) -> str:
        """Render as an IMAP sequence-set (RFC 3501 §9), ascending: some servers refuse anything else."""
        return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in self.ranges)
