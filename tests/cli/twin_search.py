"""Searching in the application in memory: pages, counts, and searches kept by name.

Words are looked for as plain substrings, so that tests say exactly what is found; a mail of the test says where it
matched, which copies it has, and how many others of its conversation are folded into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from archiver.cli.answers import Place
from archiver.errors import QueryError, UsageError
from archiver.model.catalogue import Summary
from archiver.model.customer import CustomerRecord
from archiver.model.files import file_type
from archiver.model.message import BlobId
from archiver.model.search import Facets, SavedSearch


@dataclass(frozen=True)
class Item:
    summary: Summary
    score: float
    snippet: str
    marks: Sequence[tuple[int, int]]
    copies: Sequence[BlobId] = ()
    others: int = 0
    place: Place = "text"
    file: str | None = None


@dataclass(frozen=True)
class Page:
    total: int
    items: Sequence[Item]
    more: bool = False
    suggestion: str | None = None
    ignored: Sequence[str] = ()
    unindexed: int = 0


@dataclass(frozen=True)
class Counts:
    facets: Facets
    customers: Sequence[tuple[CustomerRecord, int]] = ()


@dataclass
class SearchWorld:
    """What a search answers beside its hits: a better spelling, words left out, searches kept by name."""

    suggestions: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unindexed: int = 0
    saved: dict[str, SavedSearch] = field(default_factory=dict)

    def save(self, name: str, query: str, now: datetime) -> SavedSearch | None:
        refuse_bad(query)
        if not name.replace("-", "").replace("_", "").isalnum():
            raise UsageError("a name is of letters, digits, dots, dashes and underscores")
        before = self.saved.get(name.lower())
        self.saved[name.lower()] = SavedSearch(name, query, now)
        return before

    def remove(self, name: str) -> None:
        if name.lower() not in self.saved:
            raise UsageError("no search is saved under this name", hint=f"there are: {', '.join(self.saved) or 'none'}")
        del self.saved[name.lower()]

    def expanded(self, query: str) -> str:
        """Return the query with `saved:NAME` replaced by what it stands for."""
        words = query.split()
        return " ".join(
            self.saved[word.removeprefix("saved:").lower()].query if word.startswith("saved:") else word
            for word in words
        )


def refuse_bad(query: str) -> None:
    """Raise QueryError for the few mistakes that tests make."""
    if "(" in query and ")" not in query:
        raise QueryError("a parenthesis is not closed", position=query.index("("), expected='")"')
    if "form:" in query:
        raise QueryError("there is no such field", position=query.index("form:"), expected='a field such as "from:"')
    if 'since:"soon"' in query:
        raise QueryError("not a date", position=query.index('"soon"'), expected="a date such as 2026-03")


def counted(summaries: Iterable[Summary], record: Callable[[str], CustomerRecord], *, customers: int) -> Counts:
    """Count messages by all that facets are made of."""
    rows = list(summaries)
    people = Counter(reference for row in rows for reference in row.customers).most_common(customers)
    records = [(record(reference), number) for reference, number in people]
    kinds = Counter(kind for row in rows for kind in {file_type("", name) for name in row.attachments})
    return Counts(
        Facets(
            total=len(rows),
            customers=tuple((one.id, number) for one, number in records),
            years=tuple(sorted(Counter(row.at.year for row in rows).items(), reverse=True)),
            directions=tuple(Counter(row.direction for row in rows).most_common()),
            types=tuple(kinds.most_common()),
            languages=tuple(Counter(row.language for row in rows if row.language).most_common()),
        ),
        records,
    )
