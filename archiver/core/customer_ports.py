"""What the use cases around customers need of the outside, as protocols; the others are in ports.py.

All of these are archive.db. One writer at a time, under the "archive" lock; readers work meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from archiver.model.address import EmailAddress
from archiver.model.customer import Customer, CustomerRecord
from archiver.model.link import Decision, Evidence, Link
from archiver.model.message import BlobId, Direction


class Customers(Protocol):
    """The customer records. Internal ids are never used again, so a link can never come to mean another customer."""

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction, or take part in the one that is open: all of it holds afterwards, or nothing."""
        ...

    def all(self) -> Sequence[CustomerRecord]:
        """Return every record, by id; those merged into others too."""
        ...

    def get(self, customer: int) -> CustomerRecord | None: ...

    def by_reference(self, reference: str) -> CustomerRecord | None:
        """Return the record with exactly this reference (without case), be it merged or not."""
        ...

    def add(self, customer: Customer, *, now: datetime) -> int:
        """Add a record and return its id; raises UsageError when the reference is taken."""
        ...

    def replace(self, identifier: int, customer: Customer, *, now: datetime) -> None:
        """Replace a record's contents; raises UsageError when it has another's reference."""
        ...

    def remove(self, identifier: int) -> None:
        """Delete a record for good, with its links and decisions; what it was merged from goes with it."""
        ...

    def merge(self, loser: int, winner: int, merged: Customer, *, now: datetime) -> None:
        """Give the winner its merged contents and mark the loser, keeping what is needed to undo it."""
        ...

    def merge_states(self, loser: int) -> tuple[Customer, Customer] | None:
        """Return the winner's contents before and after the loser was merged into it; None when it is not merged."""
        ...

    def unmerge(self, loser: int, winner: Customer, *, now: datetime) -> None:
        """Make the loser a customer of its own again, and give the winner these contents."""
        ...


class Links(Protocol):
    """Evidence of messages, and the links that the rules made of it. `row` is the catalogue's number of a message."""

    def transaction(self) -> AbstractContextManager[None]: ...

    def evidence(self, rows: Collection[int] | None = None) -> Iterator[tuple[int, Evidence]]:
        """Yield the evidence of these messages, or of all of them, with the decisions that stand; newest first."""
        ...

    def rows_of_customers(self, customers: Collection[int]) -> set[int]:
        """Return messages that have a link, a candidate or a decision of one of these."""
        ...

    def rows_with_addresses(self, keys: Collection[str], domains: Collection[str]) -> set[int]:
        """Return messages in which an address takes part, in any role of Evidence.

        `keys` are as `archiver.core.linking.directory.address_key` makes them of an addr-spec, `domains` lower-case and
        ASCII: an address within a domain or below it counts.
        """
        ...

    def rows_with_numbers(self, vat_numbers: Collection[str], codes: Collection[str]) -> set[int]: ...

    def links(self, rows: Collection[int]) -> Mapping[int, Sequence[Link]]:
        """Return what is stored; rows without any are left out."""
        ...

    def set_links(self, changes: Mapping[int, Sequence[Link]]) -> None:
        """Replace the links of these messages, in one transaction."""
        ...

    def add_codes(self, found: Iterable[tuple[int, str]]) -> None:
        """Remember licence and reference numbers found in messages, as (row, code); known ones are left."""
        ...

    def set_codes(self, found: Mapping[int, Collection[str]]) -> None:
        """Replace the licence and reference numbers of these messages; what no message has any longer is forgotten."""
        ...

    def decide(self, blob_id: BlobId, customer: int, *, links: bool, who: str, at: datetime, why: str) -> Decision:
        """Record a decision by hand; one about the same message and customer that still stood is undone by it."""
        ...

    def undo(self, blob_id: BlobId, customer: int, *, who: str, at: datetime) -> Decision | None:
        """Take back the decision that stands; None when there is none. It stays on record as undone."""
        ...

    def decisions(self, blob_id: BlobId) -> Sequence[Decision]:
        """Return all decisions about a message, oldest first, those undone included."""
        ...

    def standing(self) -> Mapping[BlobId, Sequence[Decision]]:
        """Return all decisions that stand, by message."""
        ...

    def unexamined(self, limit: int) -> Sequence[int]:
        """Return messages that were taken in by a release that gathered no evidence, newest first."""
        ...

    def add_evidence(self, row: int, evidence: Evidence, *, automatic: bool) -> None:
        """Complete a message of an earlier release; it is examined then."""
        ...


class Entry(Struct, frozen=True):
    """One linked message as history walks over it: cheap to read, before anything is shown."""

    row: int
    thread: int
    direction: Direction
    link: Link


class Correspondent(Struct, frozen=True):
    """How much unlinked mail there is with one address, by direction.

    `newest` is the row of the newest, `name` the newest display name that the address was given; `automatic` says how
    many of the incoming ones programs sent.
    """

    address: str
    name: str
    incoming: int
    outgoing: int
    other: int
    newest: int
    automatic: int = 0


class Correspondents(Struct, frozen=True):
    """How much unlinked mail there is with a group of addresses; each message counts once, however many take part."""

    name: str
    addresses: tuple[Correspondent, ...]
    incoming: int
    outgoing: int
    other: int
    newest: int
    automatic: int = 0


class Correspondence(Protocol):
    """Reading mail by customer; all newest first, streamed, so that a page costs a page."""

    def entries(
        self,
        customer: int,
        *,
        low: int | None = None,
        high: int | None = None,
        candidates: bool = False,
        direction: Direction | None = None,
        who: Callable[[EmailAddress], bool] | None = None,
        threads: Collection[int] | None = None,
    ) -> Iterator[Entry]:
        """Yield a customer's messages with low ≤ row < high; with `candidates`, those that might be theirs instead.

        Only those that went in this direction, in which an address takes part (in any role of Evidence) of which `who`
        says yes, and that are in these threads.
        """
        ...

    def count(
        self,
        customer: int,
        *,
        low: int | None = None,
        high: int | None = None,
        candidates: bool = False,
        direction: Direction | None = None,
        who: Callable[[EmailAddress], bool] | None = None,
    ) -> int:
        """Return how many `entries` would yield."""
        ...

    def span(self, customer: int) -> tuple[int, int] | None:
        """Return the rows of the oldest and the newest message linked to a customer; None when there is none."""
        ...

    def unanswered(
        self, *, low: int | None = None, customer: int | None = None, linked: bool = False
    ) -> Iterator[tuple[int, int]]:
        """Yield (thread, row) of threads whose last word, internal and automatic mail aside, is an incoming message.

        `row` is the oldest incoming message that nobody has answered since; oldest first. Only those linked to this
        customer; with `linked`, only those that are some customer's, or that several fit equally.
        """
        ...

    def unlinked(self) -> Sequence[Correspondent]:
        """Count mail that fits nobody, by external address that takes part in it."""
        ...

    def unlinked_groups(self, group_of: Callable[[str], str | None]) -> tuple[int, Sequence[Correspondents]]:
        """Count the same by group, and all of it; told an address, lower case, `group_of` names its group.

        None leaves the address out. The addresses of a group come with most mail first, the groups in no order.
        """
        ...

    def unlinked_rows(self, addresses: Collection[str], *, limit: int) -> Sequence[int]:
        """Return such messages with one of these addresses, newest first."""
        ...

    def ambiguous(self, *, limit: int, offset: int = 0) -> tuple[int, Sequence[int]]:
        """Return how many messages several customers fit equally, and some of their rows."""
        ...

    def thread_customers(self, rows: Collection[int]) -> Mapping[int, Sequence[int]]:
        """Return, for messages without any link, the customers that others of their thread are linked to."""
        ...
