"""Runs queries: language, compiler and one statement of SQL.

Newest first costs next to nothing however large the archive: slots of the index are in the order of time and FTS5
walks them backwards, so it stops after the page asked for.
By relevance is BM25 with weights for the columns and a mild bonus for what is recent, over the RANKED newest matches: a
word that more messages have than that says little about any of them. Knows which tables of the catalogue (`cat`) it
may read.
"""

# ruff: noqa: S608 - statements are put together from names and conditions of our own; texts are bound

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archiver.errors import NoArchiveError, UsageError
from archiver.model.fields import INDEX_COLUMNS, FieldKind
from archiver.model.search import Found, Hit
from archiver.search.index import SCHEMA_VERSION, index_version, slot_of
from archiver.search.plan import ROW, Condition, Plan, Walk, conditions_of
from archiver.search.rows import ROW_BITS

if TYPE_CHECKING:
    from whoosh import query as whoosh_query

    from archiver.core.ports import Clock, Connection

WEIGHTS = {
    "subject": 6.0, "sender": 4.0, "recipient": 3.0, "cc": 2.0, "bcc": 2.0,
    "body": 2.0, "quoted": 0.5, "filenames": 3.0, "attachments": 1.0,
}  # fmt: skip
"""What a word is worth by where it stands: what people wrote themselves more than what they quote."""

RANKED = 20_000
"""How many of the newest matches are ranked."""

CustomerLookUp = Callable[[str, bool], tuple[Sequence[int], Sequence[str]]]
"""Told a text and whether it is only the beginning of a name, returns internal ids, and near references when none."""

_FEW = 400
"""Messages of customers up to which each is looked up in the index: a common word has many more to walk over."""

_SLACK = 500

_YEAR = 365.25 * 86_400


class FullTextSearcher:
    """`archiver.core.ports.Searcher` over an index connection with the catalogue attached as `cat`.

    `message_id_hash` is the catalogue's hash of a Message-ID; without it that field needs a scan of the catalogue.
    `customers` looks customers up; without it nobody is one.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        message_id_hash: Callable[[str], int] | None = None,
        customers: CustomerLookUp | None = None,
    ) -> None:
        if index_version(connection) != SCHEMA_VERSION:
            raise NoArchiveError("there is no index that this release can read", hint="run `archiver reindex`")
        self._connection = connection
        self._clock = clock
        self._names = _CatalogueNames(connection, message_id_hash, customers)

    def search(self, query: str, *, limit: int, offset: int = 0, sort: str = "date") -> Found:
        """Return hits, newest first ("date") or best first ("relevance"); raises QueryError with its position."""
        hits = self._hits(query, limit=limit + 1, offset=offset, sort=sort)
        return Found(tuple(hits[:limit]), more=len(hits) > limit)

    def _hits(self, query: str, *, limit: int, offset: int, sort: str) -> Sequence[Hit]:
        if sort not in {"date", "relevance"}:
            raise UsageError("messages are sorted by date or by relevance")
        plan = self._plan(query)
        if sort == "relevance" and plan.match is not None:
            return self._ranked(plan, limit, offset)
        source, where, bindings = self._statement(plan)
        # Slots are in the order of time but for neighbours, so a little more is read than asked for, and sorted.
        slack = min(self._displaced(), _SLACK) if plan.match is not None else 0
        order = "message.row" if plan.match is None else "mail.rowid"
        found = self._connection.execute(
            f"SELECT {source} WHERE {where} ORDER BY {order} DESC LIMIT ?", (*bindings, offset + limit + slack)
        )
        rows = sorted((_int(row) for (row,) in found), reverse=True)
        return [Hit(row=row, score=0.0) for row in rows[offset : offset + limit]]

    def count(self, query: str) -> int:
        """Return how many messages match."""
        plan = self._plan(query)
        source, where, bindings = self._statement(plan)
        _, _, tables = source.partition(" FROM ")
        if plan.is_text_only and plan.match is not None:
            tables = "mail"
        rows = list(self._connection.execute(f"SELECT count(*) FROM {tables} WHERE {where}", bindings))
        return _int(rows[0][0])

    def terms(self, query: str) -> Sequence[str]:
        """Return the words to highlight, folded; a beginning of a word ends in `*`. Excluded words are none."""
        from archiver.search.language import parse

        found: dict[str, None] = {}
        _collect_terms(parse(query, self._clock()), found)
        return tuple(found)

    def _plan(self, query: str) -> Plan:
        from archiver.search.compile import compile_query
        from archiver.search.language import parse

        if not query.strip():
            return Plan()
        return compile_query(parse(query, self._clock()), self._names)

    def _ranked(self, plan: Plan, limit: int, offset: int) -> Sequence[Hit]:
        source, where, bindings = self._statement(plan)
        weights = ", ".join(str(WEIGHTS[column]) for column in INDEX_COLUMNS)
        now = self._clock().timestamp()
        sql = f"""
            SELECT row, -quality * (1.0 + 0.3 / (1.0 + max(0.0, ? - (row >> {ROW_BITS})) / {_YEAR})) AS score FROM (
                SELECT {source.replace(" FROM", f" AS row, bm25(mail, {weights}) AS quality FROM", 1)}
                WHERE {where} ORDER BY mail.rowid DESC LIMIT {RANKED})
            ORDER BY score DESC, row DESC LIMIT ? OFFSET ?"""
        rows = self._connection.execute(sql, (now, *bindings, limit, offset))
        return [Hit(row=_int(row), score=float(str(score))) for row, score in rows]

    def _displaced(self) -> int:
        return _int(next(self._connection.execute("SELECT displaced FROM progress"), (0,))[0])

    def _statement(self, plan: Plan) -> tuple[str, str, tuple[object, ...]]:
        """Return what to select from where, the conditions and their bindings.

        The messages of customers are walked instead of all messages, and of all that match when they are few.
        """
        conditions = conditions_of(plan)
        source = "message.row FROM cat.messages AS message"
        bound: tuple[object, ...] = ()
        led = next((c for c in conditions if c.walk is not None), None)
        if plan.match is not None:
            source = "slots.row FROM mail CROSS JOIN slots ON slots.slot = mail.rowid"
            if plan.low is not None:
                conditions.insert(0, Condition("mail.rowid >= ?", (slot_of(plan.low),)))
            if plan.high is not None:
                conditions.insert(0, Condition("mail.rowid <= ?", (slot_of(plan.high) + self._displaced(),)))
            conditions.insert(0, Condition("mail MATCH ?", (plan.match,)))
        if led is not None and led.walk is not None:
            theirs = _rows_of(led.walk)
            if plan.match is None:
                conditions.remove(led)
                walked, source = _walked(led.walk, source)
                conditions.insert(0, walked)
            elif self._are_few(theirs):
                conditions.remove(led)
                source = (
                    f"slots.row FROM ({theirs.sql}) AS theirs CROSS JOIN slots ON slots.row = theirs.row"
                    " CROSS JOIN mail ON mail.rowid = slots.slot"
                )
                bound = theirs.bindings
        row = _row(plan)
        where = " AND ".join(c.sql.replace(ROW, row) for c in conditions) or "1"
        return source, where, (*bound, *(b for c in conditions for b in c.bindings))

    def _are_few(self, theirs: Condition) -> bool:
        counted = self._connection.execute(f"SELECT count(*) FROM ({theirs.sql} LIMIT {_FEW + 1})", theirs.bindings)
        return _int(next(counted, (0,))[0]) <= _FEW


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
            "message.row FROM cat.links AS message",
        )
    theirs = _rows_of(walk)
    return Condition(f"message.row IN ({theirs.sql})", theirs.bindings), messages


def _row(plan: Plan) -> str:
    """Name the message's row, qualified: within a condition a bare "row" would be that of the inner table."""
    return "message.row" if plan.match is None else "+slots.row"


class _CatalogueNames:
    """`archiver.search.compile.Names` over the catalogue."""

    def __init__(
        self,
        connection: Connection,
        message_id_hash: Callable[[str], int] | None,
        customers: CustomerLookUp | None,
    ) -> None:
        self._connection = connection
        self._hash = message_id_hash
        self._customers = customers

    def customers(self, value: str, *, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:
        """Ask whoever knows the records."""
        return ((), ()) if self._customers is None else self._customers(value, prefix)

    def mailboxes(self, kind: FieldKind, value: str, *, prefix: bool) -> Sequence[int] | None:
        """Compare names without case; a mailbox also by any run of its path's parts, and by its special use."""
        rows = list(self._connection.execute("SELECT id, account, display, special_use FROM cat.mailboxes"))
        if not rows:
            return None
        wanted = value.casefold()
        found = []
        for identifier, account, display, special_use in rows:
            if kind is FieldKind.ACCOUNT:
                names = [str(account)]
            else:
                names = [*_runs(str(display)), str(special_use or "").removeprefix("\\"), str(special_use or "")]
                if wanted == "inbox":  # many servers keep all mailboxes below it
                    names = [str(display)]
            folded = [name.casefold() for name in names if name]
            if any(name.startswith(wanted) if prefix else name == wanted for name in folded):
                found.append(_int(identifier))
        return found

    def message_id(self, value: str) -> Condition:
        """Compare exactly; by the thread that the hash leads to when the hash is known."""
        sql = f"EXISTS (SELECT 1 FROM cat.messages AS m WHERE m.row = {ROW} AND m.message_id = ?)"
        if self._hash is None:
            return Condition(sql, (value,))
        thread = (
            "SELECT coalesce(d.into_thread, i.thread) FROM cat.message_ids AS i "
            "LEFT JOIN cat.merged AS d ON d.thread = i.thread WHERE i.hash = ?"
        )
        return Condition(
            f"{ROW} IN (SELECT row FROM cat.messages WHERE thread IN ({thread}) AND message_id = ?)",
            (self._hash(value), value),
        )


def _runs(display: str) -> list[str]:
    """Return every run of a mailbox path's parts, as written: a/b/c → a, a/b, a/b/c, b, b/c, c."""
    starts = [0, *(i + 1 for i, c in enumerate(display) if c in "/.")]
    ends = [*(i for i, c in enumerate(display) if c in "/."), len(display)]
    return [display[start:end] for start in starts for end in ends if start < end]


def _collect_terms(node: whoosh_query.Query, found: dict[str, None]) -> None:
    from archiver.model.fields import field_named
    from archiver.search.analysis import tokens
    from archiver.search.language import tree_of as query

    match node:
        case query.Not():
            return
        case query.Sequence() | query.And() | query.Or():
            for part in node.subqueries:
                _collect_terms(part, found)
        case query.Phrase():
            found.update(dict.fromkeys(node.words))
        case query.Term() | query.Prefix():
            field = field_named(node.fieldname)
            if field is None or field.columns:
                star = "*" if isinstance(node, query.Prefix) else ""
                found.update(dict.fromkeys(word + star for word in tokens(node.text)))


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
