"""A customer's mail as staff read it: threads folded, newest first; and the conversations that nobody answered.

Knows how messages are folded and which person at the customer a message was exchanged with. Deliberately lazy: the
store is asked for so many of the newest entries as fill the page, and a thread's messages are loaded when they are
looked at. Knows nothing of dates as people type them, and decides no link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import overload

from msgspec import Struct

from archiver.core.customer_ports import Correspondence, Links
from archiver.core.customers.naming import has_words, words
from archiver.core.linking.directory import address_key
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Summary
from archiver.model.customer import Customer
from archiver.model.message import Direction

Summaries = Callable[[Sequence[int]], Sequence[Summary]]
"""Returns lines in the order asked; rows that are gone are left out."""

_AT_ONCE = 100
"""Messages of a thread that are loaded together."""


class Asked(Struct, frozen=True):
    """What is asked for of a customer's mail: `low` ≤ row < `high`, a direction, a person (see `takes_part`).

    With `candidates`, the messages that might be the customer's instead of those that are.
    """

    low: int | None = None
    high: int | None = None
    direction: Direction | None = None
    who: Callable[[EmailAddress], bool] | None = None
    candidates: bool = False


class Messages(Sequence[Summary]):
    """A thread's messages, newest first; all but the first are loaded when they are looked at, from the open archive.

    One that is erased between is left out of what a slice or an iteration gives.
    """

    def __init__(self, first: Summary, rows: Sequence[int], summaries: Summaries) -> None:
        self._rows = tuple(rows)
        self._summaries = summaries
        self._loaded = {first.row: first}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Sequence[int]:
        """Their rows, of which nothing is loaded."""
        return self._rows

    def __iter__(self) -> Iterator[Summary]:
        for start in range(0, len(self._rows), _AT_ONCE):
            yield from self._load(self._rows[start : start + _AT_ONCE])

    @overload
    def __getitem__(self, index: int) -> Summary: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Summary]: ...
    def __getitem__(self, index: int | slice) -> Summary | Sequence[Summary]:
        """Return one or some of them; raises IndexError for one that is gone."""
        if isinstance(index, slice):
            return self._load(self._rows[index])
        return self._load([self._rows[index]])[0]

    def _load(self, rows: Sequence[int]) -> Sequence[Summary]:
        if lacking := [row for row in rows if row not in self._loaded]:
            self._loaded.update((summary.row, summary) for summary in self._summaries(lacking))
        return [self._loaded[row] for row in rows if row in self._loaded]


class HistoryThread(Struct, frozen=True):
    """A conversation with a customer; `contact` is the customer's side of the newest message, "" when nobody is."""

    messages: Messages
    contact: str


class History(Struct, frozen=True):
    """A page of a customer's history. `total` counts messages asked for; `candidates` those that might be theirs."""

    total: int
    threads: tuple[HistoryThread, ...]
    more: bool
    candidates: int


class WaitingThread(Struct, frozen=True):
    """A conversation that nobody answered: since `message`; `messages` counts those of the whole thread."""

    message: Summary
    messages: int
    age: timedelta


class WaitingPage(Struct, frozen=True):
    """Some of `total` conversations, oldest first."""

    total: int
    items: tuple[WaitingThread, ...]


def history(
    correspondence: Correspondence,
    links: Links,
    summaries: Summaries,
    customer: Customer,
    identifier: int,
    asked: Asked,
    *,
    is_ours: Callable[[EmailAddress], bool],
    limit: int,
    offset: int = 0,
) -> History:
    """Return a page of threads, each at its newest message; a thread holds what is asked for of it and no more."""

    def entries(threads: Sequence[int] | None = None) -> Iterator[tuple[int, int]]:
        found = correspondence.entries(
            identifier,
            low=asked.low,
            high=asked.high,
            candidates=asked.candidates,
            direction=asked.direction,
            who=asked.who,
            threads=threads,
        )
        return ((entry.thread, entry.row) for entry in found)

    first = list(islice(_newest(entries()), offset, offset + limit + 1))
    page = dict(first[:limit])
    rows: dict[int, list[int]] = {thread: [] for thread in page}
    for thread, row in entries(tuple(page)) if page else ():
        rows[thread].append(row)
    newest = {summary.row: summary for summary in summaries(list(page.values()))}
    contacts = _contacts(customer, newest.values(), links, is_ours)
    return History(
        total=correspondence.count(
            identifier,
            low=asked.low,
            high=asked.high,
            candidates=asked.candidates,
            direction=asked.direction,
            who=asked.who,
        ),
        threads=tuple(
            HistoryThread(Messages(newest[row], rows[thread], summaries), contacts[row])
            for thread, row in page.items()
            if row in newest
        ),
        more=len(first) > limit,
        candidates=correspondence.count(identifier, candidates=True),
    )


def _newest(entries: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield each thread once, with its newest row."""
    seen: set[int] = set()
    for thread, row in entries:
        if thread not in seen:
            seen.add(thread)
            yield thread, row


def _contacts(
    customer: Customer, newest: Iterable[Summary], links: Links, is_ours: Callable[[EmailAddress], bool]
) -> dict[int, str]:
    """Return the customer's side of messages, by row.

    A colleague's forward and our web form's mail have it where a summary does not say: in the evidence.
    """
    found: dict[int, str] = {}
    strangers: dict[int, tuple[EmailAddress, ...]] = {}
    for summary in newest:
        people = (
            (*summary.to, *summary.cc, *summary.from_)
            if summary.direction is Direction.OUTGOING
            else (*summary.from_, *summary.to, *summary.cc)
        )
        theirs = contact_of(customer, people, is_ours=is_ours)
        if theirs is None:
            strangers[summary.row] = people
        else:
            found[summary.row] = theirs
    for row, evidence in links.evidence(strangers) if strangers else ():
        people = (
            *evidence.author, *evidence.reply_to, *evidence.forwarded, *evidence.reported, *evidence.bcc,
            *strangers[row],
        )  # fmt: skip
        theirs = contact_of(customer, people, is_ours=is_ours)
        found[row] = theirs or next((person.addr_spec for person in people if not is_ours(person)), "")
    return {row: found.get(row, "") for row in (*found, *strangers)}


def contact_of(
    customer: Customer, people: Sequence[EmailAddress], *, is_ours: Callable[[EmailAddress], bool]
) -> str | None:
    """Return who of these is the customer's: the first contact's name, else the first address in one of its domains.

    A contact without a name is its address; None when nobody is.
    """
    theirs = [person for person in people if not is_ours(person)]
    by_key = {address_key(email): contact for contact in customer.contacts for email in contact.emails}
    for person in theirs:
        if (contact := by_key.get(address_key(person.addr_spec))) is not None:
            return contact.name or person.addr_spec
    for person in theirs:
        if any(person.domain == domain or person.domain.endswith(f".{domain}") for domain in customer.domains):
            return person.addr_spec
    return None


def takes_part(
    customer: Customer, text: str, *, is_ours: Callable[[EmailAddress], bool]
) -> Callable[[EmailAddress], bool]:
    """Return what tells whether an address is the person meant: an address or part of one, or words of a name.

    Words are looked for, from their beginnings, in the names of the customer's contacts, in display names and in
    addresses. Colleagues of our own are never meant.
    """
    if "@" in text:
        return _address_is(text.strip().lower(), is_ours)
    wanted = words(text)
    keys = {
        address_key(email)
        for contact in customer.contacts
        if _begins(words(contact.name), wanted)
        for email in contact.emails
    }

    def named(address: EmailAddress) -> bool:
        if address_key(address.addr_spec) not in keys and not _begins(
            (*words(address.name), *words(address.addr_spec)), wanted
        ):
            return False
        return not is_ours(address)

    return named


def _address_is(text: str, is_ours: Callable[[EmailAddress], bool]) -> Callable[[EmailAddress], bool]:
    if text.startswith("@") or text.endswith("@"):
        return lambda address: text in address.key and not is_ours(address)
    key = address_key(text)
    return lambda address: address_key(address.addr_spec) == key and not is_ours(address)


def _begins(there: Sequence[str], wanted: Sequence[str]) -> bool:
    return bool(wanted) and all(has_words(there, (word,), prefix=True) for word in wanted)


def waiting(
    correspondence: Correspondence,
    summaries: Summaries,
    sizes: Callable[[int], int],
    *,
    now: datetime,
    customer: int | None = None,
    everyone: bool = False,
    low: int | None = None,
    limit: int,
    offset: int = 0,
) -> WaitingPage:
    """Return conversations whose last word is an incoming message, oldest first.

    Of a customer, else of all customers (those that several fit equally too), else with `everyone` all there are.
    `sizes` tells how many messages the thread of a row has.
    """
    linked = customer is None and not everyone
    rows = [row for _, row in correspondence.unanswered(low=low, customer=customer, linked=linked)]
    found = {summary.row: summary for summary in summaries(rows[offset : offset + limit])}
    return WaitingPage(
        total=len(rows),
        items=tuple(
            WaitingThread(found[row], sizes(row), now - found[row].at)
            for row in rows[offset : offset + limit]
            if row in found
        ),
    )
