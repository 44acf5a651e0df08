"""Counts of what matches, by customer, year, direction, kind of file and language: one pass over the index's slots.

A pass brings characters out of SQLite, four for each message and customer that it is linked to: its facts, its hour,
the end of its slot, the customer. A string is put together there far faster than rows are handed over. Years are those
of the zone that the clock is in. Knows the index's tables and the catalogue's links (`cat`); customers are internal ids
here.
"""

# ruff: noqa: S608 - statements are put together from our own pieces; values are bound

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, TypeVar

from archiver.model.search import Facets
from archiver.search.index import DIRECTIONS, TYPES
from archiver.search.plan import Plan
from archiver.search.rows import ROW_BITS

if TYPE_CHECKING:
    from archiver.core.ports import Connection
    from archiver.search.statements import Statements

T = TypeVar("T")
_Counted = tuple[tuple[T, int], ...]

_HOUR = 3600
_BEYOND = 0x10000
"""Added to hours: the characters below have a gap, the surrogates."""

_NOBODY = chr(_BEYOND)
_TWICE = r"(?s)(.)\1"

_SLOTS = 0xFFFF
"""Of a slot, what tells messages of one hour apart."""

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
        if plan == Plan() and customers > 0:  # every link is of a message that is found
            facts, hours, _ = self._walk(plan, shift, linked=False)
            theirs = self._all_links()
        else:
            facts, hours, theirs = self._walk(plan, shift, linked=customers > 0)
        directions, types, languages = self._by_facts(facts)
        by_customer = {ord(each) - _BEYOND: number for each, number in Counter(theirs).items() if each != _NOBODY}
        return Facets(
            total=len(facts),
            customers=tuple(sorted(by_customer.items(), key=lambda each: (-each[1], each[0]))[: max(customers, 0)]),
            years=_years(hours, now, shift),
            directions=directions,
            types=types,
            languages=languages,
        )

    def _walk(self, plan: Plan, shift: int, *, linked: bool) -> tuple[str, str, str]:
        """Return the facts and the hour of each message that matches, and the customers that these are linked to."""
        statement = self._statements.statement(plan, over_slots=True)
        columns = [
            "slots.facts + 1",
            f"{_BEYOND} + ((slots.row >> {ROW_BITS}) + {shift}) / {_HOUR}",
            f"{_BEYOND} + (slots.slot & {_SLOTS})",
        ]
        tables = statement.tables
        if linked:
            columns.append(f"{_BEYOND} + coalesce(linked.customer, 0)")
            tables += f" LEFT JOIN cat.links AS linked ON linked.row = slots.row AND linked.standing = {_LINKED}"
        found = self._connection.execute(
            f"SELECT group_concat(char({', '.join(columns)}), '') FROM {tables} WHERE {statement.where}",
            statement.bindings,
        )
        text = str(next(found, (None,))[0] or "")
        step = len(columns)
        facts, hours, slots = text[::step], text[1::step], text[2::step]
        if linked and re.search(_TWICE, slots):  # some are linked to several customers
            first = [True, *map(ne, zip(slots, hours), zip(slots[1:], hours[1:]))]  # noqa: B905 - one shorter
            facts, hours = "".join(compress(facts, first)), "".join(compress(hours, first))
        return facts, hours, text[3::step] if linked else ""

    def _all_links(self) -> str:
        found = self._connection.execute(
            f"SELECT group_concat(char({_BEYOND} + customer), '') FROM cat.links WHERE standing = {_LINKED}"
        )
        return str(next(found, (None,))[0] or "")

    def _by_facts(self, facts: str):  # type: ignore[no-untyped-def]
        directions: Counter[object] = Counter()
        types: Counter[object] = Counter()
        languages: Counter[object] = Counter()
        for number, direction, language, bits in self._connection.execute("SELECT * FROM facts"):
            assert isinstance(number, int)  # noqa: S101 - the columns are integers
            assert isinstance(direction, int)  # noqa: S101
            assert isinstance(bits, int)  # noqa: S101
            if not (found := facts.count(chr(number + 1))):
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
    if codes and codes[0] > codes[-1]:  # what matches is walked from the newest to the oldest, all slots the other way
        codes.reverse()
    ordered = sorted(codes)  # they nearly are
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
