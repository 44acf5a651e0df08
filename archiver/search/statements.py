"""Plans as statements of SQL, and what they give: the newest rows that match, which of some rows match, how many.

Newest first costs next to nothing however large the archive: the rowids of the index begin with the newest message and
FTS5 walks them in order, so it stops after what is asked for. Knows the tables of the index and those of the catalogue
(`cat`) that it may read; knows no query language.
"""

# ruff: noqa: S608 - statements are put together from names and conditions of our own; texts are bound

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.search.index import END, ROWID, SLOTS_OF_MAIL, first_row_above, slot_of
from archiver.search.plan import FACTS, ROW, Condition, Plan, Walk, conditions_of
from archiver.search.rows import ROW_BITS, json_array

if TYPE_CHECKING:
    from archiver.core.ports import Connection

_FEW = 3_000
"""Messages of customers up to which their slots are looked up first; of more, some are soon met."""


class Statement(Struct, frozen=True):
    """What a plan selects from: `row` and `key` are expressions, and so is `newest`, the order that begins there."""

    tables: str
    row: str
    key: str
    newest: str
    where: str
    bindings: tuple[object, ...]
    matches: bool

    def select(self, columns: str) -> str:
        """Return the statement without an order."""
        return f"SELECT {columns} FROM {self.tables} WHERE {self.where}"


class Statements:
    """Runs plans on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self, plan: Plan, most: int) -> tuple[list[int], bool]:
        """Return at most so many of the newest rows that match, newest first, and whether these are all of them.

        All rows of a second are among them or none is: copies of a message are not torn apart.
        """
        statement = self.statement(plan)
        found = [
            (_int(row), _int(key))
            for row, key in self._connection.execute(
                statement.select(f"{statement.row}, {statement.key}") + f" ORDER BY {statement.newest} LIMIT ?",
                (*statement.bindings, most),
            )
        ]
        if len(found) < most:
            return sorted((row for row, _ in found), reverse=True), True
        last = found[-1][1]
        # What was not read has a lower slot than the last that was.
        whole = first_row_above(last) if statement.matches else ((last >> ROW_BITS) + 1) << ROW_BITS
        return sorted((row for row, _ in found if whole is not None and row >= whole), reverse=True), False

    def among(self, plan: Plan, rows: Collection[int]) -> set[int]:
        """Return those of the rows that match."""
        asked = json_array(sorted(rows))
        if plan.match is None:
            statement = self.statement(plan)
            sql = statement.select(statement.row) + f" AND {statement.row} IN (SELECT value FROM json_each(?))"
            return {_int(row) for (row,) in self._connection.execute(sql, (*statement.bindings, asked))}
        rowids = f"SELECT {ROWID} AS id FROM json_each(?) AS asked CROSS JOIN slots ON slots.row = asked.value"
        oldest = f"SELECT max(id) FROM ({rowids})"
        conditions = [
            Condition("mail MATCH ?", (plan.match,)),
            Condition(f"mail.rowid <= ({oldest})", (asked,)),
            Condition(f"+mail.rowid IN ({rowids})", (asked,)),
            *conditions_of(plan),
        ]
        sql = f"SELECT slots.row FROM {SLOTS_OF_MAIL} WHERE {_where(conditions, matches=True)} ORDER BY mail.rowid"
        return {_int(row) for (row,) in self._connection.execute(sql, _bindings(conditions))}

    def count(self, plan: Plan) -> int:
        """Return how many messages match."""
        statement = self.statement(plan)
        tables = "mail" if plan.is_text_only and plan.match is not None else statement.tables
        rows = self._connection.execute(f"SELECT count(*) FROM {tables} WHERE {statement.where}", statement.bindings)
        return _int(next(rows, (0,))[0])

    def statement(self, plan: Plan, *, over_slots: bool = False, ranks: bool = False) -> Statement:
        """Say what to select from where.

        The messages of customers are walked instead of all messages. When there are words too, all that match are
        walked once, for FTS5 works everything out anew for each message that is looked up by itself, and customers'
        are picked from them by their rowids when they are few, or the others must not be ranked. With `over_slots`,
        `slots` is among the tables and leads when nothing else does.
        """
        conditions = conditions_of(plan)
        matches = plan.match is not None
        tables, row, key, newest = "cat.messages AS message", "message.row", "message.row", "message.row DESC"
        bound: tuple[object, ...] = ()
        led = next((c for c in conditions if c.walk is not None), None)
        if matches:
            tables, row, key, newest = SLOTS_OF_MAIL, "slots.row", "slots.slot", "mail.rowid"
            if plan.low is not None:
                conditions.insert(0, Condition("mail.rowid <= ?", (END - slot_of(plan.low),)))
            if plan.high is not None:
                conditions.insert(0, Condition("mail.rowid >= ?", (END - slot_of(plan.high) - self._displaced(),)))
            conditions.insert(0, Condition("mail MATCH ?", (plan.match,)))
        elif over_slots:
            tables, row, key, newest = "slots", "slots.row", "slots.slot", "slots.slot DESC"
            if plan.low is not None:
                conditions.insert(0, Condition("slots.slot >= ?", (slot_of(plan.low),)))
            if plan.high is not None:
                conditions.insert(0, Condition("slots.slot <= ?", (slot_of(plan.high) + self._displaced(),)))
        if led is not None and led.walk is not None:
            theirs = _rows_of(led.walk)
            if over_slots and not matches:
                conditions.remove(led)
                tables = f"({theirs.sql}) AS theirs CROSS JOIN slots ON slots.row = theirs.row"
                bound = theirs.bindings
            elif matches and (ranks or self._are_few(theirs)):
                conditions.remove(led)
                rowids = f"SELECT {ROWID} FROM ({theirs.sql}) AS theirs CROSS JOIN slots ON slots.row = theirs.row"
                conditions.append(Condition(f"+mail.rowid IN ({rowids})", theirs.bindings))
            elif not matches:
                conditions.remove(led)
                walked, tables = _walked(led.walk, tables)
                conditions.insert(0, walked)
        where = _where(conditions, matches=matches or over_slots)
        return Statement(tables, row, key, newest, where, (*bound, *_bindings(conditions)), matches)

    def _displaced(self) -> int:
        return _int(next(self._connection.execute("SELECT displaced FROM progress"), (0,))[0])

    def _are_few(self, theirs: Condition) -> bool:
        counted = self._connection.execute(f"SELECT count(*) FROM ({theirs.sql} LIMIT {_FEW + 1})", theirs.bindings)
        return _int(next(counted, (0,))[0]) <= _FEW


def _where(conditions: list[Condition], *, matches: bool) -> str:
    """Join conditions; the row is qualified, for within one a bare "row" would be that of an inner table."""
    row = "+slots.row" if matches else "message.row"
    facts = "slots.facts" if matches else "coalesce((SELECT s.facts FROM slots AS s WHERE s.row = message.row), 0)"
    return " AND ".join(c.sql.replace(ROW, row).replace(FACTS, facts) for c in conditions) or "1"


def _bindings(conditions: list[Condition]) -> tuple[object, ...]:
    return tuple(b for c in conditions for b in c.bindings)


def _rows_of(walk: Walk) -> Condition:
    """Say which rows the links are of, each once."""
    customers, standings = (", ".join("?" * len(values)) for values in (walk.customers, walk.standings))
    distinct = "" if len(walk.customers) == 1 else "DISTINCT "
    return Condition(
        f"SELECT {distinct}k.row FROM cat.links AS k WHERE k.customer IN ({customers}) AND k.standing IN ({standings})",
        (*walk.customers, *walk.standings),
    )


def _walked(walk: Walk, messages: str) -> tuple[Condition, str]:
    """Return the condition on customers when there are no words, and the table that is walked then, newest first."""
    if len(walk.customers) == 1:
        standings = ", ".join("?" * len(walk.standings))
        return (
            Condition(
                f"message.customer = ? AND message.standing IN ({standings})", (*walk.customers, *walk.standings)
            ),
            "cat.links AS message",
        )
    theirs = _rows_of(walk)
    return Condition(f"message.row IN ({theirs.sql})", theirs.bindings), messages


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
