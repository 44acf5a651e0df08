"""Counts of what matches, by customer, year, direction, kind of file and language: one pass over the index's slots.

A pass brings two characters a message out of SQLite, its facts and its hour: a string is put together there far faster
than rows are handed over. Years are those of the zone that the clock is in. Knows the index's tables and the
catalogue's links (`cat`); customers are internal ids here.
"""

# ruff: noqa: S608 - statements are put together from our own pieces; values are bound

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from archiver.model.search import Facets
from archiver.search.index import DIRECTIONS, TYPES
from archiver.search.plan import Plan
from archiver.search.rows import ROW_BITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from archiver.core.ports import Connection
    from archiver.search.statements import Statements

T = TypeVar("T")
_Counted = tuple[tuple[T, int], ...]

_HOUR = 3600
_BEYOND = 0x10000
"""Added to hours: the characters below have a gap, the surrogates."""

_LINKED = 0
"""links.standing."""


class FacetCounter:
    """Counts over one connection."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    def count(self, plan: Plan, now: datetime, *, customers: int) -> Facets:
        """Return the counts of what a plan matches, with the `customers` that most of it is linked to."""
        shift = _shift(now)
        statement = self._statements.statement(plan, over_slots=True)
        pair = f"char(facts + 1, {_BEYOND} + ((row >> {ROW_BITS}) + {shift}) / {_HOUR})"
        linked = (
            f"SELECT char({_BEYOND} + k.customer) AS one FROM found CROSS JOIN cat.links AS k"
            f" ON k.row = found.row AND k.standing = {_LINKED}"
        )
        if plan == Plan():  # every link is of a message that is found
            linked = f"SELECT char({_BEYOND} + customer) AS one FROM cat.links WHERE standing = {_LINKED}"
        counted = self._connection.execute(
            f"WITH found AS MATERIALIZED ({statement.select('slots.row AS row, slots.facts AS facts')})"
            f" SELECT (SELECT group_concat({pair}, '') FROM found), "
            + (f"(SELECT group_concat(one, '') FROM ({linked}))" if customers > 0 else "NULL"),
            statement.bindings,
        )
        text, theirs = (str(each or "") for each in next(counted, (None, None)))
        by_facts = {ord(each) - 1: number for each, number in Counter(text[::2]).items()}
        directions, types, languages = self._by_facts(by_facts)
        by_customer = Counter({ord(each) - _BEYOND: number for each, number in Counter(theirs).items()})
        return Facets(
            total=len(text) // 2,
            customers=tuple(sorted(by_customer.items(), key=lambda each: (-each[1], each[0]))[: max(customers, 0)]),
            years=_years(text[1::2], now, shift),
            directions=directions,
            types=types,
            languages=languages,
        )

    def _by_facts(self, counts: Mapping[int, int]):  # type: ignore[no-untyped-def]
        directions: Counter[object] = Counter()
        types: Counter[object] = Counter()
        languages: Counter[object] = Counter()
        for number, direction, language, bits in self._connection.execute("SELECT * FROM facts"):
            assert isinstance(number, int)  # noqa: S101 - the columns are integers
            assert isinstance(direction, int)  # noqa: S101
            assert isinstance(bits, int)  # noqa: S101
            if not (found := counts.get(number, 0)):
                continue
            directions[DIRECTIONS[direction]] += found
            if language:
                languages[str(language)] += found
            for position, kind in enumerate(TYPES):
                if bits >> position & 1:
                    types[kind] += found
        return _most_first(directions), _most_first(types), _most_first(languages)


def _most_first(counts: Counter[T]) -> _Counted[T]:
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], str(each[0]))))


def _years(hours: str, now: datetime, shift: int) -> tuple[tuple[int, int], ...]:
    codes = array("I")
    codes.frombytes(hours.encode("utf-32-le"))
    ordered = sorted(codes)  # they nearly are: slots are walked in the order of time
    found = []
    at = 0
    while at < len(ordered):
        year = datetime.fromtimestamp((ordered[at] - _BEYOND) * _HOUR - shift, tz=now.tzinfo or UTC).year
        after = bisect_left(ordered, _BEYOND + (_new_year(year + 1, now) + shift) // _HOUR, lo=at)
        after = max(after, at + 1)  # a zone whose offset was once no whole hours from today's
        found.append((year, after - at))
        at = after
    return tuple(reversed(found))


def _new_year(year: int, now: datetime) -> int:
    return int(datetime(year, 1, 1, tzinfo=now.tzinfo or UTC).timestamp())


def _shift(now: datetime) -> int:
    """Return by how many seconds hours are moved so that years begin with one: not every zone is whole hours off."""
    return -_new_year(now.year, now) % _HOUR
