"""From a Whoosh query tree to one FTS5 expression and SQL conditions over the catalogue.

Every leaf becomes either an FTS5 expression or a condition of SQL. And, Or and Not are kept inside FTS5 as long as all
parts are FTS5's; where the two kinds meet under Or or Not, the FTS5 part becomes `row IN (SELECT … MATCH ?)`. FTS5 has
no unary NOT, so an excluded part is carried along as such until an And gives it something to be taken from.

Texts are always bound or, within FTS5 expressions, quoted; dates are ranges of rows, because a row begins with its
second. What a leaf of words looks for, `archiver.search.expansion` says. Knows the catalogue's tables that it may read
(`cat`), never opens a database.
"""

# ruff: noqa: S608 - statements are put together from names and conditions of our own; texts are bound

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from archiver.errors import QueryError
from archiver.model.fields import FieldKind, field_named
from archiver.model.files import FileType
from archiver.search.analysis import address_token
from archiver.search.expansion import Expansion, in_columns, quoted
from archiver.search.index import type_bits
from archiver.search.plan import FACTS, MATCHING_ROWS, ROW, Condition, Plan, Walk, conditions_of
from archiver.search.query.language import AT, SIZE
from archiver.search.query.language import tree_of as query
from archiver.search.rows import ROW_BITS

if TYPE_CHECKING:
    from archiver.search.expansion import Concept

_DIRECTIONS = {"incoming": 0, "outgoing": 1, "internal": 2, "other": 3}

_LINKED, _AMBIGUOUS, _SUGGESTED = 0, 1, 2
"""links.standing."""

_AUTOMATIC = 2
"""messages.flags of what a program sent."""


class Names(Protocol):
    """What compiling needs to look up beforehand."""

    def mailboxes(self, kind: FieldKind, value: str, *, prefix: bool) -> Sequence[int] | None:
        """Return the catalogue's ids of mailboxes by account or mailbox name; None when there are no mailboxes yet."""
        ...

    def message_id(self, value: str) -> Condition:
        """Return the condition for a Message-ID."""
        ...

    def customers(self, value: str, *, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:
        """Return the internal ids of the customers that a text means, and references that are near when none is."""
        ...

    def contacts(self, value: str, *, prefix: bool) -> tuple[Sequence[str], Sequence[str]]:
        """Return the addr-specs of the contacts that a text means, and names that are near when none is."""
        ...


def compile_query(
    tree: query.Query, names: Names, expansion: Expansion | None = None, *, as_typed: bool = False, spelled: int = 0
) -> Plan:
    """Compile; raises QueryError for names that the catalogue does not have, and for patterns that fit too many words.

    Without an expansion every word is only itself. So it is with `as_typed`, but for words that are excluded: what
    this matches is part of what matches without. The beginning of a word becomes the words that begin so, and matches
    the same, as long as all these together are `spelled` at most.
    """
    return _Compiler(names, expansion or Expansion(None), as_typed=as_typed, spelled=spelled).plan(tree)


class _Compiler:
    def __init__(self, names: Names, expansion: Expansion, *, as_typed: bool, spelled: int) -> None:
        self._names = names
        self._expansion = expansion
        self._as_typed = as_typed
        self._spelled = spelled

    def plan(self, node: query.Query) -> Plan:  # noqa: PLR0911 - one return for each kind of node
        concept = self._expansion.concept(node, self._spelled)
        if concept is not None:
            if concept.exact is None and isinstance(node, query.Prefix):
                self._spelled -= len(concept.forms)
            return _of_words(concept.as_typed() if self._as_typed else concept)
        match node:
            case query.And():
                return self._all(self._parts(node))
            case query.Or():
                return _any(self._parts(node))
            case query.Not():
                return self._without(node.query)
            case query.Every():
                return Plan()
            case query.NumericRange():
                return _range(node)
            case query.Term() | query.Prefix():
                return self._leaf(node)
            case _:
                return Plan(nothing=True)

    def _without(self, node: query.Query) -> Plan:
        as_typed, self._as_typed = self._as_typed, False
        try:
            return _not(self.plan(node))
        finally:
            self._as_typed = as_typed

    def _parts(self, node: query.compound.CompoundQuery) -> list[Plan]:
        """Plans of the sub-queries; one that holds no word at all says nothing and is left out."""
        return [
            self.plan(part)
            for part in node.subqueries
            if not (isinstance(part, query.compound.CompoundQuery) and not part.subqueries)
        ]

    def _all(self, parts: list[Plan]) -> Plan:
        matches = [p.match for p in parts if p.match is not None]
        excluded = [p.unless for p in parts if p.unless is not None]
        match, unless = _joined(matches, "AND"), _joined(excluded, "OR")
        if match is not None and unless is not None:
            match, unless = f"({match} NOT {unless})", None
        return Plan(
            match=match,
            unless=unless,
            low=max((p.low for p in parts if p.low is not None), default=None),
            high=min((p.high for p in parts if p.high is not None), default=None),
            conditions=tuple(c for p in parts for c in p.conditions),
            nothing=any(p.nothing for p in parts),
        )

    def _leaf(self, node: query.Term | query.Prefix) -> Plan:
        field, prefix = field_named(node.fieldname), isinstance(node, query.Prefix)
        if field is None:
            return Plan(nothing=True)
        if field.kind in {FieldKind.ACCOUNT, FieldKind.MAILBOX}:
            return self._seen_in(node, field.kind, prefix=prefix)
        if field.kind in {FieldKind.CUSTOMER, FieldKind.CANDIDATE}:
            return self._of_customer(node, field.kind, prefix=prefix)
        if field.kind is FieldKind.CONTACT:
            return self._with_contact(node, prefix=prefix)
        if field.kind is FieldKind.MESSAGE_ID:
            return Plan(conditions=(self._names.message_id(node.text),))
        return Plan(conditions=(_CONDITIONS[field.kind](node.text),))

    def _with_contact(self, node: query.Term | query.Prefix, *, prefix: bool) -> Plan:
        addresses, near = self._names.contacts(node.text, prefix=prefix)
        exact = [quoted([token]) for each in addresses if (token := address_token(each)) is not None]
        if not exact:
            raise QueryError(
                "there is no such contact",
                position=getattr(node, "startchar", None) or 0,
                expected="the name or address of a customer's contact",
                hint=f"near: {', '.join(near)}" if near else "archiver customer find looks one up",
            )
        return Plan(match=in_columns("participants", f"({' OR '.join(dict.fromkeys(exact))})"))

    def _seen_in(self, node: query.Term | query.Prefix, kind: FieldKind, *, prefix: bool) -> Plan:
        ids = self._names.mailboxes(kind, node.text, prefix=prefix)
        if ids is None:
            return Plan(nothing=True)
        if not ids:
            raise QueryError(
                f"there is no such {kind.value}",
                position=getattr(node, "startchar", None) or 0,
                expected=f"an {kind.value}" if kind is FieldKind.ACCOUNT else f"a {kind.value}",
                hint="archiver status lists accounts and mailboxes",
            )
        marks = ", ".join("?" * len(ids))
        sql = f"EXISTS (SELECT 1 FROM cat.locations AS l WHERE l.row = {ROW} AND l.mailbox IN ({marks}))"
        return Plan(conditions=(Condition(sql, tuple(ids)),))

    def _of_customer(self, node: query.Term | query.Prefix, kind: FieldKind, *, prefix: bool) -> Plan:
        ids, near = self._names.customers(node.text, prefix=prefix)
        if not ids:
            raise QueryError(
                "there is no such customer",
                position=getattr(node, "startchar", None) or 0,
                expected="a customer's number, name or VAT number",
                hint=f"near: {', '.join(near)}" if near else "archiver customer find looks one up",
            )
        standings = (_LINKED,) if kind is FieldKind.CUSTOMER else (_AMBIGUOUS, _SUGGESTED)
        walk = Walk(tuple(ids), standings)
        customers, kept = (", ".join("?" * len(values)) for values in (walk.customers, walk.standings))
        sql = (
            f"EXISTS (SELECT 1 FROM cat.links AS k WHERE k.customer IN ({customers}) AND k.row = {ROW}"
            f" AND k.standing IN ({kept}))"
        )
        return Plan(conditions=(Condition(sql, (*walk.customers, *walk.standings), walk),))


def _of_words(concept: Concept) -> Plan:
    match = concept.expression()
    return Plan(nothing=True) if match is None else Plan(match=match)


def _joined(expressions: list[str], operator: str) -> str | None:
    if not expressions:
        return None
    return expressions[0] if len(expressions) == 1 else "(" + f" {operator} ".join(expressions) + ")"


def _range(node: query.NumericRange) -> Plan:
    if node.fieldname == SIZE:
        return _sized(node)
    if node.fieldname != AT:
        return Plan(nothing=True)
    low, high = (None if t is None else max(t, 0) << ROW_BITS for t in (node.start, node.end))
    return Plan(low=low, high=high)


def _sized(node: query.NumericRange) -> Plan:
    """Compare octets; a bound of None is none."""
    bounds = [
        (f"m.octets {'>' if node.startexcl else '>='} ?", node.start),
        (f"m.octets {'<' if node.endexcl else '<='} ?", node.end),
    ]
    kept = [(sql, value) for sql, value in bounds if value is not None]
    if not kept:
        return Plan()
    return Plan(conditions=(_of_message(" AND ".join(sql for sql, _ in kept), *(value for _, value in kept)),))


def _any(parts: list[Plan]) -> Plan:
    parts = [p for p in parts if not p.nothing]
    if not parts:
        return Plan(nothing=True)
    if len(parts) == 1:
        return parts[0]
    if any(p == Plan() for p in parts):
        return Plan()
    if all(p.is_text_only for p in parts):
        matches = _joined([p.match for p in parts if p.match is not None], "OR")
        # a OR NOT b is everything but those with b and without a.
        excluded = _joined([p.unless for p in parts if p.unless is not None], "AND")
        if excluded is None:
            return Plan(match=matches)
        return Plan(unless=excluded if matches is None else f"({excluded} NOT {matches})")
    either = [_as_condition(p) for p in parts]
    return Plan(
        conditions=(
            Condition("(" + " OR ".join(c.sql for c in either) + ")", tuple(b for c in either for b in c.bindings)),
        )
    )


def _not(plan: Plan) -> Plan:
    if plan.nothing:
        return Plan()
    if plan == Plan():
        return Plan(nothing=True)
    if plan.is_text_only:
        return Plan(match=plan.unless, unless=plan.match)
    condition = _as_condition(plan)
    return Plan(conditions=(Condition(f"NOT {condition.sql}", condition.bindings),))


def _as_condition(plan: Plan) -> Condition:
    """Say the whole plan as one condition of SQL, in parentheses."""
    conditions = conditions_of(plan)
    if plan.match is not None:
        conditions.insert(0, Condition(f"{ROW} IN ({MATCHING_ROWS})", (plan.match,)))
    return Condition(
        "(" + (" AND ".join(c.sql for c in conditions) or "1") + ")", tuple(b for c in conditions for b in c.bindings)
    )


# --- conditions over the catalogue -----------------------------------------------------------------------------------


def _of_message(what: str, *bindings: object) -> Condition:
    return Condition(f"EXISTS (SELECT 1 FROM cat.messages AS m WHERE m.row = {ROW} AND {what})", bindings)


def _direction(value: str) -> Condition:
    return _of_message("m.direction = ?", _DIRECTIONS[value])


def _has(value: str) -> Condition:
    if value == "defect":  # few have one
        return Condition(f"{ROW} IN (SELECT d.row FROM cat.defects AS d)")
    return _of_message("m.attachments > 0")


def _type(value: str) -> Condition:
    bit = type_bits([FileType(value)])
    return Condition(f"{FACTS} IN (SELECT f.id FROM facts AS f WHERE f.types & ?)", (bit,))


def _language(value: str) -> Condition:
    return Condition(f"{FACTS} IN (SELECT f.id FROM facts AS f WHERE f.language = ?)", (value,))


def _standing(value: str) -> Condition:
    """Say how a message stands: unlinked is not internal and fits nobody; a mere suggestion links nothing."""
    if value == "automatic":
        return _of_message("m.flags = ?", _AUTOMATIC)
    if value == "unlinked":
        nobodys = "NOT EXISTS (SELECT 1 FROM cat.links AS k WHERE k.row = m.row AND k.standing < ?)"
        return _of_message(f"m.direction <> ? AND {nobodys}", _DIRECTIONS["internal"], _SUGGESTED)
    if value == "ambiguous":  # few are: looked for among the links once, not message by message
        return Condition(f"{ROW} IN (SELECT k.row FROM cat.links AS k WHERE k.standing = ?)", (_AMBIGUOUS,))
    return Condition(f"EXISTS (SELECT 1 FROM cat.links AS k WHERE k.row = {ROW} AND k.standing = ?)", (_LINKED,))


def _begins(value: str) -> tuple[str, tuple[object, ...]]:
    """Say that blob_id begins with these hex digits, through the index on its first six bytes."""
    low = bytes.fromhex(value[:12].ljust(12, "0"))
    high = bytes.fromhex(value[:12].ljust(12, "f"))
    sql = "substr(blob_id, 1, 6) >= ? AND substr(blob_id, 1, 6) <= ? AND substr(lower(hex(blob_id)), 1, ?) = ?"
    return sql, (low, high, len(value), value)


def _id(value: str) -> Condition:
    sql, bindings = _begins(value)
    return Condition(f"{ROW} IN (SELECT row FROM cat.messages WHERE {sql})", bindings)


def _thread(value: str) -> Condition:
    sql, bindings = _begins(value)
    within = f"SELECT thread FROM cat.messages WHERE {sql}"
    return Condition(f"{ROW} IN (SELECT row FROM cat.messages WHERE thread IN ({within}))", bindings)


_CONDITIONS: dict[FieldKind, Callable[[str], Condition]] = {
    FieldKind.DIRECTION: _direction,
    FieldKind.HAS: _has,
    FieldKind.ID: _id,
    FieldKind.THREAD: _thread,
    FieldKind.STANDING: _standing,
    FieldKind.TYPE: _type,
    FieldKind.LANGUAGE: _language,
}
