"""Evidence of messages and the links made of it, in archive.db (port `Links`).

Knows where evidence lies: people and direction in the message's row, numbers in mentions, decisions by hand by the
message's identifier. Knows no rule; how addresses compare is `archiver.core.linking.directory`'s.
"""

# ruff: noqa: S608 - statements are put together from constants and question marks; values are bound

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from archiver.model.address import EmailAddress
from archiver.model.link import Decision, Evidence, Link
from archiver.model.message import BlobId
from archiver.store import reading
from archiver.store.linked import integer, links_of, marks, pieces
from archiver.store.numbers import CODE, VAT_NUMBER, Numbers

if TYPE_CHECKING:
    from archiver.store.connection import StoreConnection

_AT_ONCE = 2000
"""Messages read at once, so that no statement stays open while the reader of a stream writes."""

_DECISION = "id, blob_id, customer, links, who, at, why, undone_at, undone_by"
_OLD_ROLES = reading.ROLES.index("author")
_LAST_ROW = (1 << 63) - 1


class SqliteLinks:
    """Links and evidence over one connection; changes need a writer's."""

    def __init__(self, connection: StoreConnection) -> None:
        import msgspec

        self._connection = connection
        self._numbers = Numbers(connection)
        self._people = msgspec.msgpack.Decoder(list[list[int]])

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction, or take part in the one that is open."""
        return self._connection.transaction()

    # --- evidence -------------------------------------------------------------------------------------------------

    def evidence(self, rows: Collection[int] | None = None) -> Iterator[tuple[int, Evidence]]:
        """Yield the evidence of these messages, or of all of them, with the decisions that stand; newest first."""
        addresses: dict[int, EmailAddress] = {}
        decisions = self.standing()
        if rows is None:
            addresses.update(self._all_addresses())
            high = _LAST_ROW
            while some := list(
                self._connection.execute(
                    "SELECT row, blob_id, direction, people FROM messages WHERE row < ? ORDER BY row DESC LIMIT ?",
                    (high, _AT_ONCE),
                )
            ):
                low = integer(some[-1][0])
                numbers = self._mentioned("row >= ? AND row < ?", (low, high))
                yield from self._evidence(some, addresses, numbers, decisions)
                high = low
            return
        for piece in reversed(list(pieces(rows))):
            some = list(
                self._connection.execute(
                    "SELECT row, blob_id, direction, people FROM messages"
                    f" WHERE row IN ({marks(piece)}) ORDER BY row DESC",
                    piece,
                )
            )
            numbers = self._mentioned(f"row IN ({marks(piece)})", piece)
            yield from self._evidence(some, addresses, numbers, decisions)

    def _evidence(
        self,
        found: Iterable[tuple[object, ...]],
        addresses: dict[int, EmailAddress],
        numbers: Mapping[int, tuple[list[str], list[str]]],
        decisions: Mapping[BlobId, Sequence[Decision]],
    ) -> Iterator[tuple[int, Evidence]]:
        decode = self._people.decode
        named: list[tuple[int, object, int, list[list[int]]]] = []
        unknown: set[int] = set()
        for row, blob_id, direction, people in found:
            assert isinstance(people, bytes)  # noqa: S101 by the schema
            roles = decode(people)
            roles.extend([[]] * (len(reading.ROLES) - len(roles)))
            named.append((integer(row), blob_id, integer(direction), roles))
            unknown.update(number for role in roles for number in role if number not in addresses)
        addresses.update(reading.addresses_of(self._connection, unknown))
        for row, blob_id, direction, roles in named:
            from_, sender, reply_to, to, cc, bcc, _, author, forwarded, reported = (
                tuple([addresses[number] for number in role if number in addresses]) if role else ()
                for role in roles[: len(reading.ROLES)]
            )
            vat_numbers, codes = numbers.get(row, ((), ()))
            yield (
                row,
                Evidence(
                    reading.DIRECTIONS[direction],
                    from_,
                    sender,
                    reply_to,
                    to,
                    cc,
                    bcc,
                    author,
                    forwarded,
                    reported,
                    tuple(vat_numbers),
                    tuple(codes),
                    tuple(decisions.get(BlobId(blob_id), ())) if isinstance(blob_id, bytes) and decisions else (),
                ),
            )

    def _all_addresses(self) -> Iterator[tuple[int, EmailAddress]]:
        found = self._connection.execute("SELECT id, name, COALESCE(addr_spec, key) FROM addresses")
        return ((integer(number), EmailAddress(str(name), str(spec))) for number, name, spec in found)

    def _mentioned(self, where: str, bindings: Sequence[object]) -> dict[int, tuple[list[str], list[str]]]:
        """Return VAT numbers and codes by row, sorted: the order in which they were found is not kept."""
        found: dict[int, tuple[list[str], list[str]]] = {}
        for row, kind, value in self._connection.execute(
            "SELECT m.row, n.kind, n.value FROM mentions m JOIN numbers n ON n.id = m.number"
            f" WHERE m.{where} ORDER BY n.value",
            bindings,
        ):
            found.setdefault(integer(row), ([], []))[integer(kind)].append(str(value))
        return found

    # --- which messages a change touches --------------------------------------------------------------------------

    def rows_of_customers(self, customers: Collection[int]) -> set[int]:
        """Return messages that have a link, a candidate or a decision of one of these."""
        rows: set[int] = set()
        for some in pieces(customers):
            rows.update(self._integers(f"SELECT row FROM links WHERE customer IN ({marks(some)})", some))
            rows.update(
                self._integers(
                    "SELECT m.row FROM decisions d JOIN messages m"
                    " ON substr(m.blob_id, 1, 6) = substr(d.blob_id, 1, 6) AND m.blob_id = d.blob_id"
                    f" WHERE d.undone_at IS NULL AND d.customer IN ({marks(some)})",
                    some,
                )
            )
        return rows

    def rows_with_addresses(self, keys: Collection[str], domains: Collection[str]) -> set[int]:
        """Return messages in which an address takes part, in any role of Evidence.

        Two scans, of addresses and of messages: an index for this would cost more room than all links together.
        """
        wanted = self._address_numbers(frozenset(keys), tuple(domains))
        if not wanted:
            return set()
        decode, rows = self._people.decode, set[int]()
        for row, people in self._connection.execute("SELECT row, people FROM messages"):
            assert isinstance(people, bytes)  # noqa: S101 by the schema
            if not wanted.isdisjoint(reading.of_evidence(decode(people))):
                rows.add(integer(row))
        return rows

    def _address_numbers(self, keys: frozenset[str], domains: tuple[str, ...]) -> frozenset[int]:
        if not keys and not domains:
            return frozenset()
        from archiver.core.linking.directory import address_key
        from archiver.core.linking.domains import ascii_domain

        within = tuple(f".{domain}" for domain in domains)
        exact = frozenset(domains)
        found: list[int] = []
        of_domain: dict[str, bool] = {}
        for number, key in self._connection.execute("SELECT id, key FROM addresses"):
            text = str(key)
            _, at, domain = text.rpartition("@")
            if at and exact:
                if (inside := of_domain.get(domain)) is None:
                    name = domain if domain.isascii() else ascii_domain(domain) or domain
                    inside = of_domain[domain] = name in exact or name.endswith(within)
                if inside:
                    found.append(integer(number))
                    continue
            if keys and address_key(text) in keys:
                found.append(integer(number))
        return frozenset(found)

    def rows_with_numbers(self, vat_numbers: Collection[str], codes: Collection[str]) -> set[int]:
        """Return messages that mention one of these."""
        rows: set[int] = set()
        for kind, values in ((VAT_NUMBER, vat_numbers), (CODE, codes)):
            for value in values:
                rows.update(
                    self._integers(
                        "SELECT m.row FROM numbers n JOIN mentions m ON m.number = n.id WHERE n.value = ? AND kind = ?",
                        (value, kind),
                    )
                )
        return rows

    # --- links ----------------------------------------------------------------------------------------------------

    def links(self, rows: Collection[int]) -> Mapping[int, Sequence[Link]]:
        """Return what is stored, strongest first; rows without any are left out."""
        return links_of(self._connection, rows)

    def set_links(self, changes: Mapping[int, Sequence[Link]]) -> None:
        """Replace the links of these messages, in one transaction; a message that is gone keeps none."""
        with self._connection.transaction():
            self._connection.execute_many("DELETE FROM links WHERE row = ?", ((row,) for row in changes))
            self._connection.execute_many(
                "INSERT OR REPLACE INTO links SELECT ?1, row, ?3, ?4, direction FROM messages WHERE row = ?2",
                (
                    (link.customer, row, link.rule, link.standing)
                    for row, links in sorted(changes.items())
                    for link in links
                ),
            )

    def add_codes(self, found: Iterable[tuple[int, str]]) -> None:
        """Remember licence and reference numbers found in messages, as (row, code); known ones are left."""
        with self._connection.transaction():
            self._numbers.mention(CODE, found)

    def set_codes(self, found: Mapping[int, Collection[str]]) -> None:
        """Replace the licence and reference numbers of these messages."""
        with self._connection.transaction():
            self._connection.execute_many(
                "DELETE FROM mentions WHERE row = ? AND number IN (SELECT id FROM numbers WHERE kind = ?)",
                ((row, CODE) for row in found),
            )
            self._numbers.mention(CODE, [(row, code) for row, codes in found.items() for code in codes])
            self._connection.execute(
                "DELETE FROM numbers WHERE kind = ? AND NOT EXISTS (SELECT 1 FROM mentions WHERE number = id)", (CODE,)
            )

    # --- decisions by hand ----------------------------------------------------------------------------------------

    def decide(self, blob_id: BlobId, customer: int, *, links: bool, who: str, at: datetime, why: str) -> Decision:
        """Record a decision by hand; one about the same message and customer that still stood is undone by it."""
        with self._connection.transaction():
            self.undo(blob_id, customer, who=who, at=at)
            self._connection.execute(
                "INSERT INTO decisions (blob_id, customer, links, who, at, why) VALUES (?,?,?,?,?,?)",
                (blob_id, customer, int(links), who, reading.epoch_seconds(at), why),
            )
            (decision,) = self._decisions("id = last_insert_rowid()", ())
            return decision

    def undo(self, blob_id: BlobId, customer: int, *, who: str, at: datetime) -> Decision | None:
        """Take back the decision that stands; None when there is none. It stays on record as undone."""
        with self._connection.transaction():
            standing = self._decisions("blob_id = ? AND customer = ? AND undone_at IS NULL", (blob_id, customer))
            if not standing:
                return None
            self._connection.execute(
                "UPDATE decisions SET undone_at = ?, undone_by = ? WHERE id = ?",
                (reading.epoch_seconds(at), who, standing[0].id),
            )
            (undone,) = self._decisions("id = ?", (standing[0].id,))
            return undone

    def decisions(self, blob_id: BlobId) -> Sequence[Decision]:
        """Return all decisions about a message, oldest first, those undone included."""
        return self._decisions("blob_id = ?", (blob_id,))

    def standing(self) -> Mapping[BlobId, Sequence[Decision]]:
        """Return all decisions that stand, by message."""
        found: dict[BlobId, list[Decision]] = {}
        for decision in self._decisions("undone_at IS NULL", ()):
            found.setdefault(decision.blob_id, []).append(decision)
        return found

    def _decisions(self, where: str, bindings: Sequence[object]) -> list[Decision]:
        return [
            Decision(
                id=integer(number),
                blob_id=BlobId(blob_id),
                customer=integer(customer),
                links=bool(links),
                who=str(who),
                at=datetime.fromtimestamp(integer(at), UTC),
                why=str(why),
                undone_at=datetime.fromtimestamp(undone_at, UTC) if isinstance(undone_at, int) else None,
                undone_by=str(undone_by) if undone_by is not None else None,
            )
            for number, blob_id, customer, links, who, at, why, undone_at, undone_by in self._connection.execute(
                f"SELECT {_DECISION} FROM decisions WHERE {where} ORDER BY id",
                bindings,
            )
            if isinstance(blob_id, bytes)
        ]

    # --- messages of an earlier release ---------------------------------------------------------------------------

    def unexamined(self, limit: int) -> Sequence[int]:
        """Return messages that were taken in by a release that gathered no evidence, newest first."""
        return self._integers(
            "SELECT row FROM messages INDEXED BY messages_unexamined WHERE flags = 0 ORDER BY row DESC LIMIT ?",
            (limit,),
        )

    def add_evidence(self, row: int, evidence: Evidence, *, automatic: bool) -> None:
        """Complete a message of an earlier release; it is examined then. Its address fields stay as they are."""
        with self._connection.transaction():
            found = self._connection.one("SELECT people FROM messages WHERE row = ?", (row,))
            if found is None or not isinstance(found[0], bytes):
                return
            try:
                roles = self._people.decode(found[0])[:_OLD_ROLES]
                roles.extend([] for _ in range(_OLD_ROLES - len(roles)))
                roles.extend(
                    self._numbers.addresses(each) for each in (evidence.author, evidence.forwarded, evidence.reported)
                )
                self._connection.execute(
                    "UPDATE messages SET people = ?, flags = ? WHERE row = ?",
                    (reading.pack_people(roles), reading.AUTOMATIC if automatic else reading.EXAMINED, row),
                )
                self._numbers.mention(VAT_NUMBER, [(row, value) for value in evidence.vat_numbers])
                self._numbers.mention(CODE, [(row, value) for value in evidence.codes])
            except BaseException:
                self._numbers.forget()
                raise

    # --- checking -------------------------------------------------------------------------------------------------

    def strays(self) -> Sequence[str]:
        """Say which links, mentions and decisions name a message or a customer that is not there, and how many.

        A decision about a message that is gone is none: it counts again should the message come back.
        """
        no_message = "NOT EXISTS (SELECT 1 FROM messages m WHERE m.row = t.row)"
        no_customer = "NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = t.customer)"
        checks = {
            "links of messages that are not there": f"links t WHERE {no_message}",
            "links to customers that are not there": f"links t WHERE {no_customer}",
            "decisions about customers that are not there": f"decisions t WHERE {no_customer}",
            "numbers found in messages that are not there": f"mentions t WHERE {no_message}",
        }
        found = ((self._connection.integer(f"SELECT count(*) FROM {what}"), name) for name, what in checks.items())
        return [f"{count} {name}" for count, name in found if count]

    def _integers(self, sql: str, bindings: Sequence[object]) -> list[int]:
        return [integer(value) for (value,) in self._connection.execute(sql, bindings)]
