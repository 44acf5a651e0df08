"""Relinking: which messages a change of customers touches, and making their links what the rules say now.

Knows what can change a verdict: the identifiers of customers, the set of customers, the rules themselves. After every
step here the stored links are those that `decide` gives for the stored evidence and all customers, as if everything
had been linked from nothing. Knows no SQL and no query language; transactions are the caller's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from archiver.core.documents import document
from archiver.core.linking.mentions import REACH, search_phrases, words_before
from archiver.core.linking.rules import decide, evidence_of, touched_by
from archiver.core.placing import is_automatic
from archiver.core.progress import OnProgress, Progress, silent
from archiver.errors import IntegrityError
from archiver.model.link import Decision, Link, LinkChanges, Standing

if TYPE_CHECKING:
    from archiver.core.customer_ports import Links
    from archiver.core.linking.directory import Directory
    from archiver.core.ports import Catalogue, Parser, Vault
    from archiver.model.catalogue import IndexDocument
    from archiver.model.customer import Customer
    from archiver.model.message import BlobId, Direction, Message

T = TypeVar("T")

_BATCH = 500
"""Messages decided between two writes."""

_EXAMINED = 200
"""Messages of an earlier release that are completed in one transaction."""

LINKED_AS = "linked_as"
"""The fact that says by which identity, shared domains and rules the stored links were made."""


class Words(Protocol):
    """The full-text index, as far as looking for numbers in it goes."""

    def rows_with(
        self, phrases: Collection[str], *, behind: Collection[str] = frozenset(), within: int = 0
    ) -> set[int]:
        """Return messages whose subject or text holds one of these runs of words.

        With `behind`, one of those words stands near it as well, with at most `within` tokens between.
        """
        ...

    def watermark(self) -> int:
        """Return the last catalogue sequence number that is indexed."""
        ...

    def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
        """Index documents; re-adding a row replaces it."""
        ...


class Facts(Protocol):
    """Facts about the archive as a whole."""

    def meta(self, key: str) -> bytes | str | int | None:
        """Return a fact, or None."""
        ...

    def set_meta(self, key: str, value: bytes | str | int) -> None:
        """Record a fact, in the transaction that is open."""
        ...


class RelinkPorts(Struct, frozen=True):
    """What an archive opened for writing gives to relinking."""

    links: Links
    catalogue: Catalogue
    facts: Facts
    vault: Vault
    parser: Parser
    words: Words


class Linker:
    """Links new messages as they are taken in, for the customers and the decisions of the moment of the first.

    `directory` is asked for then: most runs find nothing new, and it takes long to make.
    """

    def __init__(self, directory: Callable[[], Directory], links: Links) -> None:
        self._make = directory
        self._links = links

    @cached_property
    def _directory(self) -> Directory:
        return self._make()

    @cached_property
    def _standing(self) -> Mapping[BlobId, Sequence[Decision]]:
        return self._links.standing()

    def of(self, blob_id: BlobId, message: Message, direction: Direction) -> tuple[tuple[str, ...], tuple[Link, ...]]:
        """Return the codes found in a message, and its links.

        A message may be new to the catalogue and decided on already: it was unreadable before, say.
        """
        codes = tuple(self._directory.code_book.found_in(message))
        evidence = evidence_of(message, direction, codes, self._standing.get(blob_id, ()))
        return codes, tuple(decide(evidence, self._directory).links)


# --- what changed -----------------------------------------------------------------------------------------------------


class Tally(Struct):
    """Counts what became of messages, by customer."""

    messages: int = 0
    _gained: Counter[int] = field(default_factory=Counter)
    _lost: Counter[int] = field(default_factory=Counter)
    _candidates_gained: Counter[int] = field(default_factory=Counter)
    _candidates_lost: Counter[int] = field(default_factory=Counter)

    def note(self, before: Iterable[Link], after: Iterable[Link]) -> None:
        """Count one message; a link that only has another rule now is neither gained nor lost."""
        (linked, candidates), (linked_now, candidates_now) = _sides(before), _sides(after)
        if linked == linked_now and candidates == candidates_now:
            return
        self.messages += 1
        self._gained.update(linked_now - linked)
        self._lost.update(linked - linked_now)
        self._candidates_gained.update(candidates_now - candidates)
        self._candidates_lost.update(candidates - candidates_now)

    def changes(self) -> LinkChanges:
        """Return the counts, by customer id."""
        return LinkChanges(
            self.messages,
            gained=tuple(sorted(self._gained.items())),
            lost=tuple(sorted(self._lost.items())),
            candidates_gained=tuple(sorted(self._candidates_gained.items())),
            candidates_lost=tuple(sorted(self._candidates_lost.items())),
        )


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def _sides(links: Iterable[Link]) -> tuple[set[int], set[int]]:
    linked: set[int] = set()
    candidates: set[int] = set()
    for link in links:
        (linked if link.standing is Standing.LINKED else candidates).add(link.customer)
    return linked, candidates


def relink(
    links: Links,
    directory: Directory,
    rows: Collection[int] | None = None,
    *,
    tally: Tally | None = None,
    on_progress: OnProgress = silent,
    total: int | None = None,
) -> LinkChanges:
    """Make the links of these messages, or of all, what the rules say; write only those that differ."""
    counted = tally if tally is not None else Tally()
    done = 0
    for changed, looked_at in differing(links, directory, rows):
        for before, after in changed.values():
            counted.note(before, after)
        if changed:
            links.set_links({row: after for row, (_, after) in changed.items()})
        done += looked_at
        on_progress(Progress("link", None, None, done=done, total=total))
    return counted.changes()


Differing = dict[int, tuple[Sequence[Link], Sequence[Link]]]
"""By row: the links that are stored, and those that the rules make."""


def differing(
    links: Links, directory: Directory, rows: Collection[int] | None = None
) -> Iterator[tuple[Differing, int]]:
    """Yield, batch by batch, what is stored otherwise than the rules say, and how many messages were looked at."""
    if rows is not None and not rows:
        return
    for batch in _batches(links.evidence(rows), _BATCH):
        stored = links.links([row for row, _ in batch])
        found: Differing = {}
        for row, evidence in batch:
            before, after = stored.get(row, ()), decide(evidence, directory).links
            if len(before) != len(after) or set(before) != set(after):
                found[row] = (before, after)
        yield found, len(batch)


# --- what a change touches --------------------------------------------------------------------------------------------


def relink_touched(
    ports: RelinkPorts,
    before: Mapping[int, Customer],
    after: Mapping[int, Customer],
    directory: Directory,
    *,
    moved: Collection[int] = (),
    had: Callable[[], Collection[str]],
    have: Callable[[], Collection[str]],
) -> LinkChanges:
    """Relink the messages in which anything takes part that these customers gained or lost.

    `before` and `after` are the changed customers by id, absent where they were not or are no longer; `directory` is of
    all customers as they are now. `moved` are those whose messages now belong to another id: merged ones. All messages
    were looked through for the licence and reference numbers that any customer `had`; `have` gives those of now.
    """
    keys: set[str] = set()
    domains: set[str] = set()
    vat_numbers: set[str] = set()
    codes: set[str] = set()
    for customer in before.keys() | after.keys():
        changed = touched_by(before.get(customer), after.get(customer))
        keys |= changed.addresses
        domains |= changed.domains
        vat_numbers |= changed.vat_numbers
        codes |= changed.codes
    rows = ports.links.rows_of_customers(moved) if moved else set()
    if codes:
        rows |= ports.links.rows_with_numbers((), codes)
        held = have()
        find_codes(ports, codes.intersection(held).difference(had()), directory)
        forget_codes(ports, codes.difference(held))
    if keys or domains:
        rows |= ports.links.rows_with_addresses(keys, domains)
    if vat_numbers or codes:
        rows |= ports.links.rows_with_numbers(vat_numbers, codes)
    return relink(ports.links, directory, rows)


def find_codes(ports: RelinkPorts, codes: Collection[str], directory: Directory) -> None:
    """Look through the archive for licence and reference numbers that nobody had when its messages came.

    The index names the messages that may hold one; these are opened and read as a new message is.
    """
    phrases: dict[frozenset[str], set[str]] = {}
    for code in codes:
        phrases.setdefault(words_before(code), set()).update(search_phrases(code))
    rows: set[int] = set()
    for behind, some in phrases.items():
        rows |= ports.words.rows_with(some, behind=behind, within=REACH)
    _read_again(ports, rows, directory)


def forget_codes(ports: RelinkPorts, codes: Collection[str]) -> None:
    """Forget numbers that nobody has any longer; what else a message holds was found independently of them."""
    rows = ports.links.rows_with_numbers((), codes)
    if rows:
        gone = frozenset(codes)
        ports.links.set_codes(
            {row: [code for code in evidence.codes if code not in gone] for row, evidence in ports.links.evidence(rows)}
        )


def _read_again(ports: RelinkPorts, rows: Collection[int], directory: Directory) -> None:
    if not rows:
        return
    found = directory.code_book.found_in
    for batch in _batches(sorted(rows, reverse=True), _BATCH):
        readable, messages = _parsed(ports, batch)
        ports.links.set_codes({row: found(message) for row, message in zip(readable, messages, strict=True)})


def _parsed(ports: RelinkPorts, rows: Iterable[int]) -> tuple[list[int], Iterator[Message]]:
    """Open and parse messages; those that cannot be opened are left out, `archiver verify` names them."""
    readable: list[int] = []
    octets: list[bytes] = []
    for row in rows:
        sealed = ports.catalogue.sealed(row)
        if sealed is None:
            continue
        try:
            octets.append(ports.vault.read(*sealed))
        except IntegrityError:
            continue
        readable.append(row)
    return readable, ports.parser.parse(octets)


# --- everything -------------------------------------------------------------------------------------------------------


def relink_all(ports: RelinkPorts, directory: Directory, *, on_progress: OnProgress = silent) -> LinkChanges:
    """Make all links what the rules say, and remember by which identity, shared domains and rules they were made."""
    total = ports.catalogue.counts().messages
    changes = relink(ports.links, directory, on_progress=on_progress, total=total)
    ports.facts.set_meta(LINKED_AS, directory.fingerprint)
    return changes


def is_stale(facts: Facts, directory: Directory) -> bool:
    """Tell whether the stored links were made by another identity, other shared domains or other rules."""
    return facts.meta(LINKED_AS) != directory.fingerprint


def complete(ports: RelinkPorts, directory: Directory, *, on_progress: OnProgress = silent) -> tuple[int, LinkChanges]:
    """Gather the evidence of messages that an earlier release took in, and link them; return how many, and the changes.

    A transaction every few hundred messages, so that a run that is stopped loses little. What cannot be opened stays as
    it is and is tried again by the next run.
    """
    tally, done = Tally(), 0
    unreadable: set[int] = set()
    while True:
        asked = ports.links.unexamined(_EXAMINED + len(unreadable))
        rows = [row for row in asked if row not in unreadable][:_EXAMINED]
        if not rows:
            return done, tally.changes()
        readable, messages = _parsed(ports, rows)
        unreadable.update(set(rows) - set(readable))
        with ports.links.transaction():
            _examine(ports, readable, messages, directory, tally)
        done += len(readable)
        on_progress(Progress("link", None, None, done=done, total=None))


def _examine(
    ports: RelinkPorts, rows: Sequence[int], messages: Iterable[Message], directory: Directory, tally: Tally
) -> None:
    stored = dict(ports.links.evidence(rows)) if rows else {}
    documents = []
    for row, message in zip(rows, messages, strict=True):
        evidence = replace(
            stored[row],
            author=message.author,
            forwarded=message.forwarded,
            reported=message.reported,
            vat_numbers=message.vat_numbers,
            codes=tuple(directory.code_book.found_in(message)),
        )
        ports.links.add_evidence(row, evidence, automatic=is_automatic(message, directory.identity))
        if message.forwarded_text and message.forwarded_text not in message.quoted:
            # Of a forwarded attachment the index may know nothing yet.
            documents.append(document(row, message, evidence.direction))
    if documents:
        ports.words.add(documents, ports.words.watermark())
    relink(ports.links, directory, rows, tally=tally)
