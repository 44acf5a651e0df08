"""An unlocked archive for reading: search, show, thread, and the reindexing of what is searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from archiver.app.clocks import local_clock
from archiver.app.opening import Opened, open_unlocked
from archiver.app.unlocking import AskPassphrase, Keys, require_keys
from archiver.config import Settings
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import IntegrityError, LockedError, NoArchiveError, UsageError
from archiver.model.catalogue import Details, Summary
from archiver.model.message import BlobId, Message, Part

if TYPE_CHECKING:
    from archiver.app.by_customer import (
        AmbiguousPage,
        ByCustomer,
        CustomerFigures,
        Explanation,
        UnlinkedPage,
    )
    from archiver.core.customer_ports import Correspondent
    from archiver.core.customers.finding import CustomerMatch
    from archiver.core.history import History, WaitingPage
    from archiver.core.progress import OnProgress
    from archiver.model.customer import CustomerRecord
    from archiver.model.message import Direction
    from archiver.model.shown import Hyperlink, Passage
    from archiver.search.searcher import FullTextSearcher

    class AddressGroup(Protocol):
        """A group of unlinked mail, as far as its addresses go."""

        @property
        def addresses(self) -> Sequence[Correspondent]: ...


_SHORTEST_ID = 4
_SHOWN_ID = 8
_SNIPPET = 160  # characters

_BEYOND_BOUNDS = frozenset({"parse-timeout", "parse-memory", "parse-crashed"})
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class SearchItem:
    """One hit; `marks` are the spans of `snippet` that matched, `score` is 0.0 when sorted by date."""

    summary: Summary
    score: float
    snippet: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some hits of `total`."""

    total: int
    items: tuple[SearchItem, ...]


@contextmanager
def open_archive(
    settings: Settings,
    *,
    ask: AskPassphrase,
    take_in: bool = True,
    on_progress: OnProgress | None = None,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> Iterator[OpenArchive]:
    """Unlock and open for reading; with `take_in`, mail that waits sealed is taken in first.

    When another process writes, waiting mail is left to it. Raises NoArchiveError, LockedError, WrongKeyError,
    IntegrityError.
    """
    keys = require_keys(settings, ask=ask, bounds=bounds)
    with ExitStack() as stack:
        opened = _open_when_up_to_date(settings, keys, stack) if take_in else None
        if opened is None:
            if take_in:
                _bring_up_to_date(settings, keys, on_progress)
            opened = stack.enter_context(open_unlocked(settings, keys, write=False))
        yield OpenArchive(settings, keys, opened)


def _open_when_up_to_date(settings: Settings, keys: Keys, stack: ExitStack) -> Opened | None:
    """Open for reading, nearly always the only opening of a search; None, with nothing open, when mail waits."""
    from archiver.store.deliveries import waiting_names

    if waiting_names(keys.paths):
        return None
    try:
        opened = stack.enter_context(open_unlocked(settings, keys, write=False))
        if not opened.index_is_behind():
            return opened
    except (NoArchiveError, IntegrityError):
        # A catalogue that is damaged says so again when it is opened; an index is simply built anew.
        if not keys.paths.database.exists():
            raise
    stack.close()
    return None


def _bring_up_to_date(settings: Settings, keys: Keys, on_progress: OnProgress | None) -> None:
    from archiver.core.ingest import take_in
    from archiver.core.progress import silent

    def catch_up_with(*, new_index: bool) -> None:
        with open_unlocked(settings, keys, write=True, new_index=new_index, command="search", wait=0.0) as opened:
            take_in(opened.ingest_ports(), on_progress=on_progress or silent, pause=opened.is_wanted)

    try:
        try:
            catch_up_with(new_index=False)
        except IntegrityError as error:
            if error.what != keys.paths.index.name:
                raise
            catch_up_with(new_index=True)
    except LockedError:
        if not keys.paths.index.exists():
            raise  # nothing to search in until the other process is done


class OpenArchive:
    """What staff read in; made by `open_archive`. Raises IntegrityError for whatever turns out to be damaged."""

    def __init__(self, settings: Settings, keys: Keys, opened: Opened) -> None:
        self._settings = settings
        self._keys = keys
        self._opened = opened
        self._catalogue = opened.catalogue
        self._searcher: FullTextSearcher | None = None
        self._reading_by_customer: ByCustomer | None = None
        self._named: dict[tuple[str, bool], tuple[Sequence[int], Sequence[str]]] = {}

    def search(
        self, query: str, *, limit: int = 20, offset: int = 0, sort: Literal["date", "relevance"] = "date"
    ) -> SearchPage:
        """Return a page of hits with their snippets; raises QueryError."""
        searcher = self._search()
        hits = searcher.search(query, limit=limit, offset=offset, sort=sort).hits
        total = searcher.count(query)
        terms = searcher.terms(query) if query.strip() else ()
        summaries = {summary.row: summary for summary in self._catalogue.summaries([hit.row for hit in hits])}
        items = tuple(
            SearchItem(summaries[hit.row], hit.score, *self._snippet(summaries[hit.row], terms))
            for hit in hits
            if hit.row in summaries
        )
        return SearchPage(total, items)

    def _search(self) -> FullTextSearcher:
        if self._searcher is None:
            from archiver.model.ids import message_id_hash
            from archiver.search.searcher import FullTextSearcher

            self._searcher = FullTextSearcher(
                self._opened.connection,
                local_clock,
                message_id_hash=message_id_hash,
                customers=self._customers_named,
            )
        return self._searcher

    def _customers_named(self, text: str, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:  # noqa: FBT001 a callback
        if (text, prefix) not in self._named:  # a search and its total ask the same
            from archiver.core.customers.naming import look_up
            from archiver.store.customers import SqliteCustomers

            self._named[text, prefix] = look_up(SqliteCustomers(self._catalogue.connection), text, prefix=prefix)
        return self._named[text, prefix]

    # --- customers ------------------------------------------------------------------------------------------------

    def _by_customer(self) -> ByCustomer:
        if self._reading_by_customer is None:
            from archiver.app.by_customer import ByCustomer

            self._reading_by_customer = ByCustomer(self._settings, self._catalogue, self.parsed)
        return self._reading_by_customer

    def customers(self) -> Sequence[CustomerRecord]:
        """Return all customers that are not merged into others, by name."""
        return self._by_customer().customers()

    def customer(self, text: str) -> CustomerRecord:
        """Return the one meant by a reference, VAT number or name; raises UsageError that names the near ones."""
        return self._by_customer().customer(text)

    def find_customers(self, text: str, *, limit: int = 10) -> Sequence[CustomerMatch]:
        """Return customers that fit whatever is known of them, best first."""
        return self._by_customer().find_customers(text, limit=limit)

    def customer_figures(self, record: CustomerRecord) -> CustomerFigures:
        """Return how much mail there is with a customer."""
        return self._by_customer().customer_figures(record)

    def merged_into(self, record: CustomerRecord) -> Sequence[CustomerRecord]:
        """Return the customers that were merged into this one."""
        return self._by_customer().merged_into(record)

    def why(self, row: int) -> Explanation:
        """Return why a message is linked as it is, and which rules nearly fitted."""
        return self._by_customer().why(row)

    def history(
        self,
        record: CustomerRecord,
        *,
        since: str | None = None,
        until: str | None = None,
        contact: str | None = None,
        direction: Direction | None = None,
        limit: int = 20,
        offset: int = 0,
        candidates: bool = False,
    ) -> History:
        """Return a page of a customer's threads, newest first; raises UsageError for what is no date.

        `contact` is an address, part of one, or words of a name.
        """
        return self._by_customer().history(
            record,
            since=since,
            until=until,
            contact=contact,
            direction=direction,
            limit=limit,
            offset=offset,
            candidates=candidates,
        )

    def waiting(
        self,
        *,
        record: CustomerRecord | None = None,
        everyone: bool = False,
        since: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> WaitingPage:
        """Return conversations that nobody answered, oldest first: a customer's, all customers', or everyone's."""
        return self._by_customer().waiting(record=record, everyone=everyone, since=since, limit=limit, offset=offset)

    def unlinked(self, *, text: str | None = None, limit: int = 20, offset: int = 0) -> UnlinkedPage:
        """Return mail that fits no customer, by company, with proposals; of those whose name or address has a text."""
        return self._by_customer().unlinked(text=text, limit=limit, offset=offset)

    def unlinked_messages(self, group: AddressGroup, *, limit: int = 5) -> Sequence[Summary]:
        """Return the newest messages of a group."""
        return self._by_customer().unlinked_messages(group.addresses, limit=limit)

    def ambiguous(self, *, limit: int = 20, offset: int = 0) -> AmbiguousPage:
        """Return messages that several customers fit equally, newest first."""
        return self._by_customer().ambiguous(limit=limit, offset=offset)

    # --- messages -------------------------------------------------------------------------------------------------

    def _snippet(self, summary: Summary, terms: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Return the place that matched: from the preview where it is in there, else from the message itself."""
        from archiver.search.snippet import snippet

        if not terms:
            return summary.preview, ()
        short = snippet(summary.preview, terms, width=_SNIPPET)
        if short.marks:
            return short.text, short.marks
        from archiver.mail.text import parse_text

        try:
            if self._went_beyond_bounds(summary.row):
                return summary.preview, ()
            message = parse_text(self.octets(summary.row))
        except IntegrityError:
            return summary.preview, ()
        for text in (message.text, message.quoted):
            found = snippet(text, terms, width=_SNIPPET)
            if found.marks:
                return found.text, found.marks
        return summary.preview, ()

    def resolve(self, prefix: str) -> int:
        """Return the row of the message whose id begins with this; raises UsageError when none or several do."""
        digits = prefix.strip().lower()
        if len(digits) < _SHORTEST_ID or not set(digits) <= _HEX:
            raise UsageError(
                "an id is at least four of the hexadecimal digits that `archiver search` shows",
                hint="copy it from the result of a search",
            )
        found = self._catalogue.resolve(digits)
        if not found:
            raise UsageError(f"no message has an id that begins with {digits}", hint="look it up with archiver search")
        if len(found) > 1:
            several = ", ".join(self.short_id(blob_id) for blob_id in found)
            raise UsageError(f"several messages have an id that begins with {digits}", hint=f"one of: {several}")
        row = self._catalogue.row(found[0])
        if row is None:
            raise UsageError(f"no message has an id that begins with {digits}")
        return row

    def details(self, row: int) -> Details:
        """Return all that the catalogue knows of a message."""
        details = self._catalogue.details(row)
        if details is None:
            raise UsageError("this message is not in the archive")
        return details

    def octets(self, row: int) -> bytes:
        """Return the message exactly as the server sent it."""
        sealed = self._catalogue.sealed(row)
        if sealed is None:
            raise UsageError("this message is not in the archive")
        return self._opened.vault.read(*sealed)

    def parsed(self, row: int) -> Message:
        """Parse the message again, for its text: what is in the header, the catalogue has (`details`).

        One that went beyond its bounds when it was taken in is parsed within them again, in a process of its own.
        """
        from archiver.mail.text import parse_text

        octets = self.octets(row)
        if self._went_beyond_bounds(row):
            from archiver.mail.workers import ParserPool

            sync = self._settings.sync
            with ParserPool(1, seconds=sync.parse_seconds, memory=sync.parse_memory_bytes) as pool:
                return next(iter(pool.parse([octets])))
        return parse_text(octets)

    def passages(self, row: int) -> Sequence[Passage]:
        """Return the message's text in the order written; that of one beyond its bounds as far as it could be read."""
        from archiver.mail.reading import shown_text

        if not self._went_beyond_bounds(row):
            return shown_text(self.octets(row))
        from archiver.model.shown import Passage

        message = self.parsed(row)
        pieces = (Passage(message.text), Passage(message.quoted, quoted=True))
        return tuple(piece for piece in pieces if piece.text.strip())

    def links(self, row: int) -> Sequence[Hyperlink]:
        """Return where the links of the message's HTML go; none of a message beyond its bounds."""
        from archiver.mail.reading import links

        return () if self._went_beyond_bounds(row) else links(self.octets(row))

    def _went_beyond_bounds(self, row: int) -> bool:
        return any(defect.code in _BEYOND_BOUNDS for defect in self.details(row).defects)

    def part(self, row: int, path: str) -> tuple[Part, bytes]:
        """Return one part and its decoded octets; raises UsageError naming the parts there are."""
        from archiver.mail.extract import part_octets

        octets = self.octets(row)
        parts = {part.path: part for part in self.details(row).parts}
        if path not in parts:
            raise UsageError(f"the message has no part {path}", hint=f"its parts: {', '.join(parts) or 'none'}")
        return parts[path], part_octets(octets, path)

    def headers(self, row: int) -> Sequence[tuple[str, str]]:
        """Return the header fields in their order, decoded and unfolded."""
        from archiver.mail.extract import header_lines

        return header_lines(self.octets(row))

    def thread(self, row: int) -> Sequence[Summary]:
        """Return all messages of a message's thread, oldest first."""
        return self._catalogue.thread(row)

    def short_id(self, blob_id: bytes) -> str:
        """Return the shortest beginning of an id, of eight digits or more, that is this message's alone."""
        digits = blob_id.hex()
        length = _SHOWN_ID
        while length < len(digits) and len(self._catalogue.resolve(digits[:length])) > 1:
            length += 4
        return digits[:length]

    def reindex(self, on_progress: OnProgress | None = None) -> int:
        """Build the full-text index anew from the sealed octets; return how many messages it holds."""
        from archiver.core.ingest import catch_up
        from archiver.core.progress import silent

        with open_unlocked(self._settings, self._keys, write=True, new_index=True, command="reindex") as opened:
            count = catch_up(opened.ingest_ports(), on_progress=on_progress or silent)
            opened.tidy(count)
        return count


__all__ = ["BlobId", "OpenArchive", "SearchItem", "SearchPage", "open_archive"]
