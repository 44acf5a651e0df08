"""What a query asks of a message: the compiler makes it, the searcher turns it into a statement. Knows no Whoosh."""

from __future__ import annotations

from msgspec import Struct

from archiver.search.index import SLOTS_OF_MAIL

ROW = "{row}"
"""Stands in a condition where the message's row is meant; the statement puts its own column there."""

FACTS = "{facts}"
"""Stands where the number of the message's facts is meant, which is never NULL."""

MATCHING_ROWS = f"SELECT slots.row FROM {SLOTS_OF_MAIL} WHERE mail MATCH ?"  # noqa: S608 - nothing of it is foreign


class Walk(Struct, frozen=True):
    """Links of customers, by internal id and standing: what to walk newest first instead of all messages."""

    customers: tuple[int, ...]
    standings: tuple[int, ...]


class Condition(Struct, frozen=True):
    """A condition of SQL that is never NULL, with ROW for the message and FACTS for its facts, and its bindings.

    `walk` says the same as rows of the catalogue's links, where it can be said so.
    """

    sql: str
    bindings: tuple[object, ...] = ()
    walk: Walk | None = None


class Plan(Struct, frozen=True):
    """What must hold of a message, all of it.

    `match` is an FTS5 expression, `unless` one that must not match, `low` ≤ row < `high`, and `conditions`. No match
    and no condition is every message; `nothing` is none at all.
    """

    match: str | None = None
    unless: str | None = None
    low: int | None = None
    high: int | None = None
    conditions: tuple[Condition, ...] = ()
    nothing: bool = False

    @property
    def is_text_only(self) -> bool:
        """Whether FTS5 alone answers it, and so any combination of such can be answered by FTS5."""
        return not (self.conditions or self.nothing or self.low is not None or self.high is not None)


def conditions_of(plan: Plan) -> list[Condition]:
    """Return everything but `match` as conditions of SQL."""
    conditions = []
    if plan.nothing:
        conditions.append(Condition("0"))
    if plan.low is not None:
        conditions.append(Condition(f"{ROW} >= ?", (plan.low,)))
    if plan.high is not None:
        conditions.append(Condition(f"{ROW} < ?", (plan.high,)))
    if plan.unless is not None:
        conditions.append(Condition(f"{ROW} NOT IN ({MATCHING_ROWS})", (plan.unless,)))
    return [*conditions, *plan.conditions]
