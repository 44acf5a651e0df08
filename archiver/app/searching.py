"""A search in an unlocked archive: pages of hits with the passage that matched, counts, and the searches that are kept.

Knows where a hit's passage is looked for (preview, own text, quoted text, attachments) and what that may cost; how a
query is understood and ranked is `archiver.search`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from archiver.app.clocks import clock, local_clock
from archiver.errors import IntegrityError, NoArchiveError
from archiver.model.catalogue import Summary
from archiver.model.message import BlobId
from archiver.model.search import Hit, Sort

if TYPE_CHECKING:
    from archiver.app.messages import Messages
    from archiver.app.opening import Opened
    from archiver.config import Settings
    from archiver.model.customer import CustomerRecord
    from archiver.model.message import Message
    from archiver.model.search import Facets, SavedSearch
    from archiver.search.hits.places import Column
    from archiver.search.searcher import FullTextSearcher

Place = Literal["", "text", "quoted", "attachment", "header"]

_SNIPPET = 160  # characters
_LITTLE = 3
"""Messages up to which a search found so little that another spelling is worth proposing."""
_ATTACHMENT_SECONDS = 2.0
"""What reading the attachments of one page may take; afterwards the place is told without its words."""


class Passage(Struct, frozen=True):
    """What is shown of a hit: `marks` are spans of `snippet` that matched, `file` the attachment that it stands in."""

    snippet: str
    marks: tuple[tuple[int, int], ...] = ()
    place: Place = ""
    file: str | None = None


class SearchItem(Struct, frozen=True):
    """One hit; `score` is 0.0 when sorted by date. `summary` has the mailboxes of all copies, `copies` their ids."""

    summary: Summary
    score: float
    snippet: str
    marks: tuple[tuple[int, int], ...]
    copies: tuple[BlobId, ...] = ()
    others: int = 0
    place: Place = ""
    file: str | None = None


class SearchPage(Struct, frozen=True):
    """Some hits of `total` messages, which counts copies; `more` says that others follow.

    `unindexed` counts messages of the archive that no search finds yet: another process is still indexing them.
    """

    total: int
    items: tuple[SearchItem, ...]
    more: bool = False
    suggestion: str | None = None
    ignored: tuple[str, ...] = ()
    unindexed: int = 0


class FacetCounts(Struct, frozen=True):
    """Counts of what matches; `customers` are the records of those that `facets` names by internal id."""

    facets: Facets
    customers: tuple[tuple[CustomerRecord, int], ...]


class Searching:
    """Searches over one opened archive."""

    def __init__(self, settings: Settings, opened: Opened, messages: Messages) -> None:
        self._settings = settings
        self._opened = opened
        self._messages = messages
        self._catalogue = opened.catalogue
        self._searcher: FullTextSearcher | None = None
        self._customers: dict[tuple[str, bool], tuple[Sequence[int], Sequence[str]]] = {}
        self._contacts: dict[tuple[str, bool], tuple[Sequence[str], Sequence[str]]] = {}

    def search(self, query: str, *, limit: int, offset: int, sort: Sort, threads: bool) -> SearchPage:
        """Return a page of hits with their passages; raises QueryError."""
        searcher = self.searcher()
        with self._one_state() as unindexed:
            found = searcher.search(query, limit=limit, offset=offset, sort=sort, threads=threads)
            total = searcher.count(query)
            items = tuple(self._items(found.hits, searcher.terms(query) if query.strip() and found.hits else ()))
            suggestion = searcher.suggestion(query) if total <= _LITTLE and query.strip() else None
            return SearchPage(total, items, found.more, suggestion, tuple(searcher.ignored(query)), unindexed)

    def facets(self, query: str, *, customers: int) -> FacetCounts:
        """Count what matches; raises QueryError."""
        from archiver.store.customers import SqliteCustomers

        with self._one_state():
            facets = self.searcher().facets(query, customers=customers)
            records = SqliteCustomers(self._catalogue.connection)
            named = ((records.get(identifier), count) for identifier, count in facets.customers)
            return FacetCounts(facets, tuple((record, count) for record, count in named if record is not None))

    def saved_searches(self) -> Sequence[SavedSearch]:
        """Return the searches that are kept, by name."""
        from archiver.store.saved import SqliteSavedSearches

        return SqliteSavedSearches(self._catalogue.connection).all()

    def searcher(self, saved: Callable[[], dict[str, str]] | None = None) -> FullTextSearcher:
        """Return what runs queries; with `saved`, one that knows these searches instead of those that are kept."""
        if saved is not None:
            return self._new_searcher(saved)
        if self._searcher is None:
            self._searcher = self._new_searcher(self._saved_queries)
        return self._searcher

    def _new_searcher(self, saved: Callable[[], dict[str, str]]) -> FullTextSearcher:
        from archiver.model.ids import message_id_hash
        from archiver.search.searcher import FullTextSearcher

        try:
            return FullTextSearcher(
                self._opened.connection,
                local_clock,
                languages=self._settings.search.languages,
                message_id_hash=message_id_hash,
                customers=self._customers_named,
                contacts=self._contacts_named,
                saved=saved,
            )
        except NoArchiveError:
            self._say_who_is_writing()
            raise

    def _say_who_is_writing(self) -> None:
        """Raise LockedError when another process holds the lock, and so is about to build the index anew."""
        from archiver.store.lock import writer_lock

        with writer_lock(self._opened.keys.paths.lock("archive"), command="search", now=clock()):
            return

    def _saved_queries(self) -> dict[str, str]:
        return {search.name: search.query for search in self.saved_searches()}

    def _customers_named(self, text: str, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:  # noqa: FBT001 a callback
        if (text, prefix) not in self._customers:  # a search and its total ask the same
            from archiver.core.customers.naming import look_up
            from archiver.store.customers import SqliteCustomers

            records = SqliteCustomers(self._catalogue.connection)
            self._customers[text, prefix] = look_up(records, text, prefix=prefix)
        return self._customers[text, prefix]

    def _contacts_named(self, text: str, prefix: bool) -> tuple[Sequence[str], Sequence[str]]:  # noqa: FBT001 a callback
        if (text, prefix) not in self._contacts:
            from archiver.core.customers.naming import contacts_named
            from archiver.store.customers import SqliteCustomers

            records = SqliteCustomers(self._catalogue.connection).all()
            self._contacts[text, prefix] = contacts_named(records, text, prefix=prefix)
        return self._contacts[text, prefix]

    @contextmanager
    def _one_state(self) -> Iterator[int]:
        """Read everything of a page from one state, however busy a writer is; give how much is not indexed yet.

        The index first: the catalogue, which is written before it, then has whatever the index has.
        """
        with self._opened.connection.snapshot(), self._catalogue.connection.snapshot():
            watermark = self._opened.connection.integer("SELECT watermark FROM progress")
            yield self._catalogue.count_unindexed(watermark)

    # --- hits -----------------------------------------------------------------------------------------------------

    def _items(self, hits: Sequence[Hit], terms: Sequence[str]) -> Iterator[SearchItem]:
        rows = [row for hit in hits for row in (hit.row, *hit.copies)]
        summaries = {summary.row: summary for summary in self._catalogue.summaries(rows)}
        shown = [hit for hit in hits if hit.row in summaries]
        passages = self._passages([summaries[hit.row] for hit in shown], terms)
        for hit in shown:
            copies = [summaries[row] for row in hit.copies if row in summaries]
            passage = passages[hit.row]
            yield SearchItem(
                summary=_with_mailboxes(summaries[hit.row], copies),
                score=hit.score,
                snippet=passage.snippet,
                marks=passage.marks,
                copies=tuple(copy.blob_id for copy in copies),
                others=hit.others,
                place=passage.place,
                file=passage.file,
            )

    def _passages(self, summaries: Sequence[Summary], terms: Sequence[str]) -> dict[int, Passage]:
        """Return what to show of each: the beginning, unless the words are found further on.

        The index tells in which part of a message they stand, so that only those are opened that have something to
        show; attachments are read again, in a bounded process, only for hits that match nowhere else in the text.
        """
        found = {summary.row: Passage(summary.preview, place="header" if terms else "") for summary in summaries}
        if not terms:
            return found
        left = {}
        for summary in summaries:
            passage = _passage(summary.preview, terms, "text")
            if passage is not None:
                found[summary.row] = passage
            else:
                left[summary.row] = summary
        self._find_in_texts(left, terms, found)
        self._find_in_attachments(left, terms, found)
        return found

    def _find_in_texts(self, left: dict[int, Summary], terms: Sequence[str], found: dict[int, Passage]) -> None:
        """Find the words in own and quoted text; what is found is taken out of `left`."""
        rows = self._rows_with(terms, ("body", "quoted"), left)
        bounded = self._messages.beyond_bounds(rows)
        for row in sorted(rows, reverse=True):
            found[row] = Passage(left.pop(row).preview, place="text")
            if row in bounded:
                continue
            from archiver.mail.text import texts

            try:
                own, quoted = texts(self._messages.octets(row))
            except IntegrityError:
                continue
            passage = _passage(own, terms, "text") or _passage(quoted, terms, "quoted")
            found[row] = passage or found[row]

    def _find_in_attachments(self, left: dict[int, Summary], terms: Sequence[str], found: dict[int, Passage]) -> None:
        rows = sorted(self._rows_with(terms, ("attachments",), left), reverse=True)
        if not rows:
            return
        from archiver.app.attached import read_apart

        for row in rows:
            files = left[row].attachments
            found[row] = Passage(left[row].preview, place="attachment", file=files[0] if len(files) == 1 else None)
        try:
            octets = map(self._messages.octets, rows)
            texts = read_apart(octets, self._settings.sync, seconds=_ATTACHMENT_SECONDS)
            for row, message in zip(rows, texts, strict=False):
                found[row] = _attached(message, terms) or found[row]
        except IntegrityError:
            return  # the place is known all the same; verify names the damage

    def _rows_with(self, terms: Sequence[str], columns: Sequence[Column], rows: Collection[int]) -> frozenset[int]:
        from archiver.search.hits.places import rows_with

        return rows_with(self._opened.connection, terms, columns, rows)


def _with_mailboxes(summary: Summary, copies: Sequence[Summary]) -> Summary:
    """Return a summary with the mailboxes of all copies, its own first."""
    if not copies:
        return summary
    from msgspec.structs import replace

    every = (mailbox for each in (summary, *copies) for mailbox in each.mailboxes)
    return replace(summary, mailboxes=tuple(dict.fromkeys(every)))


def _passage(text: str, terms: Sequence[str], place: Place, file: str | None = None) -> Passage | None:
    """Return the passage with the words, or None when there are none."""
    from archiver.search.hits.snippet import snippet

    found = snippet(text, terms, width=_SNIPPET)
    return Passage(found.text, tuple(found.marks), place, file) if found.marks else None


def _attached(message: Message, terms: Sequence[str]) -> Passage | None:
    """Return the passage of the first attachment with the words."""
    from archiver.app.attached import file_of

    for attached in message.attached:
        passage = _passage(attached.text, terms, "attachment", file_of(attached.path, message.parts))
        if passage is not None:
            return passage
    return None
