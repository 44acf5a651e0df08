"""Runs queries: language, compiler and one statement of SQL.

Newest first costs next to nothing however large the archive: rows begin with the date and FTS5 walks them backwards,
so it stops after the page asked for. By relevance is BM25 with weights for the columns and a mild bonus for what is
recent, over the RANKED newest matches: a word that more messages have than that says little about any of them.
Knows which tables of the catalogue (`cat`) it may read.
"""

# ruff: noqa: S608 - statements are put together from names and conditions of our own; texts are bound

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archiver.core.ports import Clock, Connection, Hit
from archiver.errors import UsageError
from archiver.model.fields import INDEX_COLUMNS, FieldKind
from archiver.search.compile import ROW, ROW_BITS, Condition, Plan, conditions_of

if TYPE_CHECKING:
    from whoosh import query as whoosh_query

WEIGHTS = {
    "subject": 6.0, "sender": 4.0, "recipient": 3.0, "cc": 2.0, "bcc": 2.0,
    "body": 2.0, "quoted": 0.5, "filenames": 3.0, "attachments": 1.0,
}  # fmt: skip
"""What a word is worth by where it stands: what people wrote themselves more than what they quote."""

RANKED = 20_000
"""How many of the newest matches are ranked."""

_YEAR = 365.25 * 86_400


class FullTextSearcher:
    """`archiver.core.ports.Searcher` over an index connection with the catalogue attached as `cat`.

    `message_id_hash` is the catalogue's hash of a Message-ID; without it that field needs a scan of the catalogue.
    """

    def __init__(
        self, connection: Connection, clock: Clock, *, message_id_hash: Callable[[str], int] | None = None
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._names = _CatalogueNames(connection, message_id_hash)

    def search(self, query: str, *, limit: int, offset: int = 0, sort: str = "date") -> Sequence[Hit]:
        """Return hits, newest first ("date") or best first ("relevance"); raises QueryError with its position."""
        if sort not in {"date", "relevance"}:
            raise UsageError("messages are sorted by date or by relevance")
        plan = self._plan(query)
        if sort == "relevance" and plan.match is not None:
            return self._ranked(plan, limit, offset)
        source, where, bindings = _statement(plan)
        rows = self._connection.execute(
            f"SELECT {source} WHERE {where} ORDER BY 1 DESC LIMIT ? OFFSET ?",
            (*bindings, limit, offset),
        )
        return [Hit(row=_int(row), score=0.0) for (row,) in rows]

    def count(self, query: str) -> int:
        """Return how many messages match."""
        source, where, bindings = _statement(self._plan(query))
        _, _, table = source.partition(" FROM ")
        rows = list(self._connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", bindings))
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
        _, where, bindings = _statement(plan)
        weights = ", ".join(str(WEIGHTS[column]) for column in INDEX_COLUMNS)
        now = self._clock().timestamp()
        sql = f"""
            SELECT row, -quality * (1.0 + 0.3 / (1.0 + max(0.0, ? - (row >> {ROW_BITS})) / {_YEAR})) AS score FROM (
                SELECT rowid AS row, bm25(mail, {weights}) AS quality
                FROM mail WHERE {where} ORDER BY rowid DESC LIMIT {RANKED})
            ORDER BY score DESC, row DESC LIMIT ? OFFSET ?"""
        rows = self._connection.execute(sql, (now, *bindings, limit, offset))
        return [Hit(row=_int(row), score=float(str(score))) for row, score in rows]


def _statement(plan: Plan) -> tuple[str, str, tuple[object, ...]]:
    """Return what to select from, the conditions and their bindings."""
    conditions = conditions_of(plan)
    if plan.match is None:
        # Qualified: within a condition a bare "row" would be that of the inner table.
        source, row = "message.row FROM cat.messages AS message", "message.row"
    else:
        source, row = "rowid FROM mail", "mail.rowid"
        conditions.insert(0, Condition("mail MATCH ?", (plan.match,)))
    parts = []
    for condition in conditions:
        # The plus keeps FTS5 from running the whole expression once for each row of an inner SELECT.
        column = row if plan.match is None or condition.sql.startswith((f"{ROW} >=", f"{ROW} <")) else f"+{row}"
        parts.append(condition.sql.replace(ROW, column))
    return source, " AND ".join(parts) or "1", tuple(b for c in conditions for b in c.bindings)


class _CatalogueNames:
    """`archiver.search.compile.Names` over the catalogue."""

    def __init__(self, connection: Connection, message_id_hash: Callable[[str], int] | None) -> None:
        self._connection = connection
        self._hash = message_id_hash

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
    from whoosh import query

    from archiver.model.fields import field_named
    from archiver.search.analysis import tokens

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
