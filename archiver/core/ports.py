"""What the use cases need of the outside, as protocols.

Each port has one contract suite in `tests/contract`, run by its in-memory twin and by the real one. Nothing here knows
IMAP's syntax, SQLite or cryptography.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from archiver.core.footing import Footing
from archiver.model.catalogue import Counts, Details, IndexDocument, Ingested, Summary
from archiver.model.delivery import Delivery, SealedRecord
from archiver.model.mailbox import MailboxState, MessageEntry, RemoteMailbox, Uid
from archiver.model.message import BlobId, Defect, Direction, Message
from archiver.model.search import Facets, Found, SavedSearch, Sort
from archiver.model.status import Failure, MailboxStatus

Clock = Callable[[], datetime]
"""Now, with a time zone."""

LISTED_AGAIN_AFTER = timedelta(days=7)
"""A mailbox is listed whole at least so often: counters that a server gives may have been wrong together."""


# --- octets ---------------------------------------------------------------------------------------------------------


class Octets(Protocol):
    """The octets of one message, in memory or spooled (encrypted) to disk; iterating yields pieces of at most 1 MiB.

    `size` is in bytes. Iterating twice gives the same pieces. `close` frees a spool; it may be called twice.
    """

    @property
    def size(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Spool(Octets, Protocol):
    """Octets being received: appended piece by piece, then read."""

    def write(self, piece: bytes) -> None: ...

    def truncate(self) -> None:
        """Forget what was written, to receive the message anew."""
        ...


# --- a mail server --------------------------------------------------------------------------------------------------


class Fetched(Struct, frozen=True):
    """The octets of one message, exactly as the server sent them."""

    uid: Uid
    octets: Octets


class Vanished(Struct, frozen=True):
    """The message was listed, and the server then confirmed that it is gone."""

    uid: Uid


class Unfetchable(Struct, frozen=True):
    """The message is there, and the server does not give its octets; `reason` is short and holds no content."""

    uid: Uid
    reason: str


FetchOutcome = Fetched | Vanished | Unfetchable


class MailSource(Protocol):
    """One account on one server, read-only: EXAMINE and BODY.PEEK[], so the server's flags never change.

    Raises ServerUnreachableError (also when a connection breaks), LoginRefusedError, and MailboxRefusedError
    when one mailbox cannot be opened. Retrying is a wrapper around a MailSource. Not for use by several
    threads.
    """

    def mailboxes(self) -> Sequence[RemoteMailbox]:
        """List the selectable mailboxes that the account's configuration chooses, with counters where cheap."""
        ...

    def examine(self, mailbox: RemoteMailbox) -> MailboxState:
        """Open a mailbox read-only; `entries` and `fetch` then refer to it."""
        ...

    def entries(self, first: Uid, last: Uid | None = None) -> Iterator[MessageEntry]:
        """List messages with first ≤ UID (≤ last), ascending, each UID once, streamed.

        Ends without error on an empty mailbox. Completeness is judged by the caller against EXISTS.
        """
        ...

    def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        """Give one outcome for each entry, in any order, streamed: batching by bytes is done inside.

        An error ends the iteration; what was yielded before it is complete and usable. The caller closes the octets.
        """
        ...

    def close(self) -> None:
        """Log out if that is possible without waiting; never raises."""
        ...


# --- the collector's store -------------------------------------------------------------------------------------------


class CollectStore(Protocol):
    """Cursors, digests for deduplication, packs being written and pending keys: what runs without a reading key.

    `add` and `note_*` stage; `flush` makes all that is staged durable in the order of docs/format.md (pack, pending
    keys, then one transaction with cursors) and is called by `add` itself when a batch is full. Thread-safe: several
    accounts may collect into one store, `open_epoch` onwards, each call is atomic.
    """

    def open_epoch(self, account: str, mailbox: RemoteMailbox, uid_validity: int) -> int:
        """Return the id of (account, mailbox, uid validity), created when new; it becomes the mailbox's current one.

        With uid_validity 0 the UIDs of earlier runs are forgotten: deduplication by digest prevents doubles.
        """
        ...

    def note_listed(self, account: str, mailboxes: Sequence[RemoteMailbox]) -> None:
        """Record which mailboxes the server has: new ones count as not read yet, others of this account no longer.

        The mail of those that left the server stays.
        """
        ...

    def counters(self, epoch: int) -> tuple[int, int | None, bool]:
        """Return (messages on the server, UIDNEXT, complete) as of the last finished run; (0, None, False) when new.

        An unfinished run (killed, or connection lost) counts as (-1, None, False): its listing proves nothing.
        """
        ...

    def accounted(self, epoch: int) -> Mapping[int, str]:
        """Return the UIDs still believed present: uid → "archived" | "excluded" | "failed" | "erased"."""
        ...

    def add(self, epoch: int, entry: MessageEntry, octets: Octets) -> bool:
        """Stage a message; True when its octets are new to the archive, False when only a location was added."""
        ...

    def note_excluded(self, epoch: int, uid: int, reason: str) -> None:
        """Stage that a rule of the configuration leaves this message out."""
        ...

    def note_failed(self, epoch: int, uid: int, reason: str) -> None:
        """Stage a failure; counts attempts; a later `add` of the same UID clears it."""
        ...

    def note_gone(self, epoch: int, uids: Iterable[int]) -> None:
        """Stage that the server no longer has these UIDs; what is archived stays archived."""
        ...

    def flush(self) -> None:
        """Make everything staged durable; returns after the commit point."""
        ...

    def finish(
        self,
        epoch: int,
        *,
        server: int,
        uid_next: int | None,
        complete: bool,
        problem: str | None,
        listed_all: bool = False,
    ) -> None:
        """Record the end of a mailbox's run (durable with the next flush).

        `listed_all` says that the run listed every message of the mailbox, not only new ones.
        """
        ...

    def listing_due(self, epoch: int) -> bool:
        """Tell whether no finished run has listed every message of the mailbox within `LISTED_AGAIN_AFTER`."""
        ...

    def note_problem(self, account: str, mailbox: RemoteMailbox | None, problem: str) -> None:
        """Record that a mailbox (or the whole account) could not be read this time, without losing its figures."""
        ...

    def footing(self, account: str) -> Footing:
        """Return how the account stands with its server; the default when nothing is remembered."""
        ...

    def note_footing(self, account: str, footing: Footing) -> None:
        """Stage how the account stands from now on."""
        ...

    def octets_received(self, account: str, day: int) -> int:
        """Return the octets received for an account on a day (days since 1970-01-01 UTC); only the last is known."""
        ...

    def note_received(self, account: str, day: int, octets: int) -> None:
        """Stage that so many more octets were received on that day."""
        ...

    def forget(self, blob_ids: Iterable[BlobId]) -> int:
        """Have these messages fetched again by the next run, where the server still has them; return how many.

        Nothing happens to what was erased, nor to octets that are not known.
        """
        ...

    def forget_pack(self, pack: str) -> int:
        """Have the messages of a lost pack fetched again by the next run; return how many."""
        ...

    def statuses(self) -> Sequence[MailboxStatus]: ...

    def failures(self) -> Sequence[Failure]: ...

    def close(self) -> None: ...


# --- the unlocked side -----------------------------------------------------------------------------------------------


class Deliveries(Protocol):
    """The pending keys of packs, readable with the ingest private key."""

    def waiting(self) -> Sequence[str]:
        """Return names of pending deliveries, oldest first."""
        ...

    def open(self, name: str) -> Delivery:
        """Open one; raises IntegrityError naming it when it is damaged, FileNotFoundError when it is gone."""
        ...

    def set_aside(self, name: str) -> None:
        """Take a damaged one out of the way, without deleting it; its messages can then be fetched again."""
        ...

    def done(self, name: str) -> None:
        """Delete one after its contents are durable in the catalogue; no error when it is gone already."""
        ...


class Vault(Protocol):
    """Read access to sealed octets."""

    def read(self, pack: str, record: SealedRecord) -> bytes:
        """Open one record, check its digest; raises IntegrityError naming pack and blob id."""
        ...


class Packs(Protocol):
    """The pack files themselves, checked without any key."""

    def names(self) -> Sequence[str]: ...

    def check(self, name: str) -> tuple[int, int]:
        """Compare a pack with its name and walk its records; return (records, bytes); raises IntegrityError."""
        ...

    def exists(self, name: str) -> bool: ...

    def reread(self, name: str) -> None:
        """See to it that the next reading of a pack comes from the disk, and from no copy in memory."""
        ...


class Parser(Protocol):
    """Octets to messages in bounded worker processes; never raises for a message."""

    def parse(self, octets: Iterable[bytes]) -> Iterator[Message]:
        """Parse, keeping the order; a message that breaks its bounds comes back with a defect and what was read."""
        ...

    def close(self) -> None: ...


class Catalogue(Protocol):
    """archive.db: messages, addresses, threads, locations, keys. One writer; readers work meanwhile."""

    def known(self, blob_ids: Iterable[BlobId]) -> frozenset[BlobId]:
        """Return those that are in the catalogue already, and not as damaged."""
        ...

    def damaged(self) -> Mapping[BlobId, int]:
        """Return the messages that are known not to open, with their rows: whoever brings their octets mends them."""
        ...

    def take_in(self, delivery: Delivery, messages: Sequence[Ingested]) -> Mapping[BlobId, int]:
        """Write keys, rows, addresses, threads, locations in one transaction; idempotent; return rows of the new.

        A damaged message among them is mended: its record is the new one from then on, and it counts as new.
        """
        ...

    def last_sequence(self) -> int:
        """Return the highest sequence number ever given out; 0 at first. An index beyond it followed a lost state."""
        ...

    def settle(self) -> bool:
        """Move what was taken in from the write-ahead log to its final place; False while readers hold that back.

        Only then may the pending files go: a log that is damaged later takes its newest transactions with it, silently.
        """
        ...

    def pack_names(self) -> frozenset[str]:
        """Return the packs that hold a message of the catalogue."""
        ...

    def resolve(self, prefix: str) -> Sequence[BlobId]:
        """Return up to ten identifiers that begin with this hex prefix (at least 4 digits)."""
        ...

    def row(self, blob_id: BlobId) -> int | None: ...

    def summaries(self, rows: Sequence[int]) -> Sequence[Summary]:
        """In the order asked; rows that are gone are left out."""
        ...

    def details(self, row: int) -> Details | None: ...

    def thread(self, row: int) -> Sequence[Summary]:
        """Return all messages of the thread that `row` is in, oldest first."""
        ...

    def sealed(self, row: int) -> tuple[str, SealedRecord] | None:
        """Return the pack and the record that hold the message's octets."""
        ...

    def sealed_records(self) -> Iterator[tuple[str, SealedRecord]]:
        """Yield (pack, record) of every message that is kept, in the order of packs and offsets."""
        ...

    def unindexed(self, after: int, limit: int) -> Sequence[tuple[int, int]]:
        """(sequence, row) of messages taken in after that sequence number, ascending; the index's watermark."""
        ...

    def defects(self, limit: int) -> Sequence[tuple[BlobId, Defect]]: ...

    def directions(self, rows: Iterable[int]) -> Mapping[int, Direction]:
        """Return which way these messages went; those that are gone are left out."""
        ...

    def note_readings(self, readings: Mapping[int, Message]) -> None:
        """Keep what messages, read again by a later release, turned out to be: their language and their defects."""
        ...

    def counts(self) -> Counts: ...


class Index(Protocol):
    """index.db: the full-text index; losing it loses nothing."""

    def watermark(self) -> int:
        """Return the last catalogue sequence number that is indexed; 0 when empty."""
        ...

    def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
        """Index documents and move the watermark in one transaction; re-adding a row replaces it."""
        ...

    def remove(self, rows: Sequence[int]) -> None:
        """Take messages out; nothing happens for those that are not there."""
        ...

    def clear(self) -> None:
        """Empty the index, so that it is built anew."""
        ...

    def count(self) -> int: ...


class Searcher(Protocol):
    """Runs queries in the language of DESIGN §4 over index and catalogue. All raise QueryError with its position."""

    def search(self, query: str, *, limit: int, offset: int = 0, sort: Sort = "date", threads: bool = False) -> Found:
        """Return hits, newest first or best first, copies of one message as one; with `threads`, a thread once."""
        ...

    def count(self, query: str) -> int:
        """Return how many messages match, copies counted."""
        ...

    def terms(self, query: str) -> Sequence[str]:
        """Return the words to highlight, folded, with the other forms that were looked for; "*" ends a beginning."""
        ...

    def ignored(self, query: str) -> Sequence[str]:
        """Return words as typed that were left out because they say nothing ("de", "the") and others do."""
        ...

    def facets(self, query: str, *, customers: int = 10) -> Facets:
        """Count what matches by customer, year, direction, type and language."""
        ...

    def suggestion(self, query: str) -> str | None:
        """Return the query with words that the archive hardly has replaced by near ones; None when none is better."""
        ...


class SavedSearches(Protocol):
    """Queries kept by name, encrypted with the rest of the catalogue."""

    def all(self) -> Sequence[SavedSearch]:
        """Return all, by name."""
        ...

    def get(self, name: str) -> SavedSearch | None:
        """Return one by its name, in whatever case."""
        ...

    def put(self, search: SavedSearch) -> None:
        """Keep one, replacing the one of that name."""
        ...

    def remove(self, name: str) -> bool:
        """Forget one; False when there is none of that name."""
        ...


class Connection(Protocol):
    """The part of a database connection that `search` may use; positional "?" bindings, rows as tuples."""

    def execute(self, sql: str, bindings: Sequence[object] = ()) -> Iterator[tuple[object, ...]]: ...
