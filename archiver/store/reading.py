"""Rows of archive.db as values of the model, and back: the compact columns and what they mean.

Knows how `people` and `parts` are packed and how instants are kept relative to the row. Knows nothing of writing order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.model.address import EmailAddress
from archiver.model.catalogue import Details, Seen, Summary
from archiver.model.message import BlobId, Defect, Direction, Message, Part, PartKind
from archiver.store.linked import Names, customers_by_thread, marks, pieces, standings_of

if TYPE_CHECKING:
    from archiver.store.connection import StoreConnection

SECOND_BITS = 20
"""messages.row = Unix seconds << 20 | number within the second."""

ROLES = ("from_", "sender", "reply_to", "to", "cc", "bcc", "delivered_to", "author", "forwarded", "reported")
"""Address fields of Message, in the order of `people`; rows of format 1 have none of the last three."""

_DELIVERED = ROLES.index("delivered_to")

EXAMINED, AUTOMATIC = 1, 2
"""messages.flags: examined for evidence; and sent by a program, too. 0 is neither."""

DIRECTIONS = (Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL, Direction.OTHER)
KINDS = tuple(PartKind)

PREVIEW_LENGTH = 88
"""Characters of own text that a listing shows without opening the message."""

PackedPart = tuple[str, int, int, int, str | None, str | None, int | None]
"""Path, content type (a term), kind, size, file name, content id, charset (a term)."""

_COLUMNS = (
    "row, blob_id, thread, direction, octets, sent, zone, received, archived,"
    " message_id, subject, preview, people, parts, language"
)


class _Row(Struct, frozen=True):
    """One row of `messages`, typed as SQLite gave it."""

    row: int
    blob_id: bytes
    thread: int
    direction: int
    octets: int
    sent: int | None
    zone: int | None
    received: int | None
    archived: int
    message_id: str | None
    subject: str
    preview: str
    people: bytes
    parts: bytes
    language: int | None


class _Page(Struct, frozen=True):
    """What the lines of some messages need of other tables: by row, and the oldest row of a thread by its number."""

    people: Mapping[int, list[tuple[EmailAddress, ...]]]
    threads: Mapping[int, int]
    seen: Mapping[int, Sequence[Seen]]
    customers: Mapping[int, tuple[tuple[str, ...], tuple[str, ...]]]


_NOBODY = EmailAddress("", "")


def epoch_seconds(instant: datetime) -> int:
    """Return whole Unix seconds, floored."""
    return int(instant.timestamp() // 1)


def first_row(at: datetime) -> int:
    """Return the lowest row of an instant's second; instants before 1970 share its first second."""
    return max(0, epoch_seconds(at)) << SECOND_BITS


def zone_minutes(instant: datetime) -> int:
    """Return minutes east of UTC, to the minute (RFC 5322 §3.3 has no finer)."""
    offset = instant.utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)


def preview(message: Message) -> str:
    """Return the beginning of the own text, white space collapsed; of the quoted text when there is no other.

    What is cut ends between words where it can, and with an ellipsis.
    """
    source = message.text if message.text.strip() else message.quoted
    text = " ".join(source[: PREVIEW_LENGTH * 6].split())
    if len(text) <= PREVIEW_LENGTH:
        return text
    kept = text[: PREVIEW_LENGTH - 1]
    whole = kept if text[PREVIEW_LENGTH - 1] == " " else kept.rpartition(" ")[0]
    return (whole if len(whole) > PREVIEW_LENGTH // 2 else kept).rstrip() + "…"


def pack_people(ids: Sequence[Sequence[int]]) -> bytes:
    """Pack the address ids of each role; roles without any at the end are left out."""
    import msgspec

    last = max((role for role, each in enumerate(ids) if each), default=-1)
    return msgspec.msgpack.encode(ids[: last + 1])


def of_evidence(roles: Sequence[Sequence[int]]) -> list[int]:
    """Return the address ids of unpacked people that are evidence: who a server delivered to is none."""
    return [number for role, numbers in enumerate(roles) if role != _DELIVERED for number in numbers]


def addresses_of(connection: StoreConnection, numbers: Iterable[int]) -> Iterator[tuple[int, EmailAddress]]:
    """Yield addresses by their ids; those that are gone are left out."""
    for some in pieces(numbers):
        for number, name, spec in connection.execute(
            f"SELECT id, name, COALESCE(addr_spec, key) FROM addresses WHERE id IN ({marks(some)})",  # noqa: S608 marks
            some,
        ):
            yield _int(number), EmailAddress(str(name), str(spec))


def pack_parts(parts: Sequence[PackedPart]) -> bytes:
    """Pack the list of parts."""
    import msgspec

    return msgspec.msgpack.encode(parts)


class Reader:
    """Makes values out of one connection's rows; remembers the terms and mailboxes that it has met."""

    def __init__(self, connection: StoreConnection) -> None:
        import msgspec

        self._connection = connection
        self._terms: dict[int, str] = {}
        self._people = msgspec.msgpack.Decoder(list[list[int]])
        self._parts = msgspec.msgpack.Decoder(list[PackedPart])

    def summaries(self, rows: Iterable[int]) -> list[Summary]:
        """Return messages' lines in the order asked; rows that are gone are left out."""
        asked = list(rows)
        found = self._rows(asked)
        page = self._gather(found.values())
        lines = {row: self._summary(each, self._unpack_parts(each), page) for row, each in found.items()}
        return [lines[row] for row in asked if row in lines]

    def details(self, row: int) -> Details | None:
        """Return all that is known of one message, or None when it is gone."""
        found = self._rows([row]).get(row)
        if found is None:
            return None
        parts = self._unpack_parts(found)
        page = self._gather([found])
        people = page.people[row]
        seconds = found.row >> SECOND_BITS
        return Details(
            summary=self._summary(found, parts, page),
            bcc=people[5],
            reply_to=people[2],
            received_at=None if found.received is None else _instant(seconds + found.received, 0),
            archived_at=_instant(found.archived, 0),
            octets=found.octets,
            parts=parts,
            defects=tuple(self._defects(row)),
            seen=tuple(page.seen.get(row, ())),
        )

    def term(self, number: int) -> str:
        """Return a shared string."""
        if (text := self._terms.get(number)) is None:
            row = self._connection.one("SELECT text FROM terms WHERE id = ?", (number,))
            text = self._terms[number] = str(row[0]) if row is not None else ""
        return text

    def _rows(self, rows: Iterable[int]) -> dict[int, _Row]:
        return {
            _int(values[0]): _Row(*values)  # type: ignore[arg-type]
            for some in pieces(rows)
            for values in self._connection.execute(
                f"SELECT {_COLUMNS} FROM messages WHERE row IN ({marks(some)})",  # noqa: S608 constants and marks
                some,
            )
        }

    def _gather(self, found: Collection[_Row]) -> _Page:
        """Look up what the lines of these messages need of other tables, for all of them together."""
        rows = [each.row for each in found]
        roles = {each.row: self._people.decode(each.people) for each in found}
        numbers = {number for each in roles.values() for role in each for number in role}
        addresses = dict(addresses_of(self._connection, numbers))
        people = {
            row: [tuple([addresses.get(number, _NOBODY) for number in role]) if role else () for role in each]
            + [()] * (len(ROLES) - len(each))
            for row, each in roles.items()
        }
        return _Page(people, self._threads_of(found), self._seen(rows), self._customers_of(found))

    def _threads_of(self, found: Iterable[_Row]) -> dict[int, int]:
        """Return the oldest row of each thread."""
        return {
            _int(thread): _int(row)
            for some in pieces(each.thread for each in found)
            for thread, row in self._connection.execute(
                f"SELECT thread, min(row) FROM messages WHERE thread IN ({marks(some)}) GROUP BY thread",  # noqa: S608 marks
                some,
            )
        }

    def _customers_of(self, found: Collection[_Row]) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Return the references of customers and candidates, by row; nothing is asked where there is no customer."""
        names = Names(self._connection)
        if not found or not names.any:
            return {}
        links = standings_of(self._connection, [each.row for each in found])
        bare = {each.row: each.thread for each in found if each.row not in links}
        by_thread = customers_by_thread(self._connection, bare)
        names.load(customer for each in links.values() for customer, _ in each)
        named = {row: names.of_links(each) for row, each in links.items()}
        return named | {row: ((), names.of(customers)) for row, customers in by_thread.items()}

    def _summary(self, found: _Row, parts: Sequence[Part], page: _Page) -> Summary:
        people = page.people[found.row]
        customers, candidates = page.customers.get(found.row, ((), ()))
        seconds = found.row >> SECOND_BITS
        seen = page.seen.get(found.row, ())
        return Summary(
            row=found.row,
            blob_id=BlobId(found.blob_id),
            thread=page.threads[found.thread],
            message_id=found.message_id,
            subject=found.subject,
            at=_instant(seconds, 0),
            sent_at=None if found.sent is None else _instant(seconds + found.sent, found.zone or 0),
            direction=DIRECTIONS[found.direction],
            from_=people[0],
            to=people[3],
            cc=people[4],
            mailboxes=tuple(dict.fromkeys(f"{each.account}/{each.mailbox}" for each in seen)),
            attachments=tuple(part.filename or part.content_type for part in Message(parts=tuple(parts)).attachments),
            preview=found.preview,
            customers=customers,
            candidates=candidates,
            octets=found.octets,
            language=None if found.language is None else self.term(found.language),
        )

    def _unpack_parts(self, found: _Row) -> tuple[Part, ...]:
        return tuple(
            Part(
                path=path,
                content_type=self.term(content_type),
                kind=KINDS[kind],
                size=size,
                filename=filename,
                content_id=content_id,
                charset=None if charset is None else self.term(charset),
            )
            for path, content_type, kind, size, filename, content_id, charset in self._parts.decode(found.parts)
        )

    def _defects(self, row: int) -> Iterable[Defect]:
        for code, detail in self._connection.execute(
            "SELECT t.text, d.detail FROM defects d JOIN terms t ON t.id = d.code WHERE d.row = ? ORDER BY d.position",
            (row,),
        ):
            yield Defect(str(code), str(detail))

    def _seen(self, rows: Iterable[int]) -> dict[int, list[Seen]]:
        found: dict[int, list[Seen]] = {}
        for some in pieces(rows):
            for row, account, display, uid_validity, uid, words in self._connection.execute(
                "SELECT l.row, b.account, b.display, b.uid_validity, l.uid, t.text FROM locations l"  # noqa: S608 marks
                " JOIN mailboxes b ON b.id = l.mailbox LEFT JOIN terms t ON t.id = l.keywords"
                f" WHERE l.row IN ({marks(some)}) ORDER BY b.account, b.name, b.uid_validity, l.uid",
                some,
            ):
                found.setdefault(_int(row), []).append(
                    Seen(
                        account=str(account),
                        mailbox=str(display),
                        uid_validity=_int(uid_validity),
                        uid=_int(uid),
                        keywords=tuple(str(words).split("\n")) if words else (),
                    )
                )
        return found


def instant_of(row: int) -> datetime:
    """Return the instant that a row stands for, in UTC."""
    return _instant(row >> SECOND_BITS, 0)


def _instant(seconds: int, zone: int) -> datetime:
    """Return an instant; one that no calendar of ours holds becomes its nearest neighbour."""
    seconds = min(max(seconds, -62_135_510_400), 253_402_214_400)  # a day inside of years 1 and 9999, for any zone
    return datetime.fromtimestamp(seconds, timezone(timedelta(minutes=zone)) if zone else UTC)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
