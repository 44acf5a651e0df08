"""What a search gives of the mails that match, worked out by looking at each: copies, conversations, order, counts.

A second opinion beside `whoosh_oracle`, which says what matches. Reads neither index nor catalogue, only the mails:
what docs/search.md says of hits is said here once more, without a thought for speed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from tests.twins.whoosh_oracle import Mail, World

T = TypeVar("T")

_PAGE = 3
"""Hits of a page, few: so that pages begin and end everywhere."""


@dataclass(frozen=True)
class Shown:
    """A hit by the numbers of mails: the one shown, its copies newest first, and how many more of its thread match."""

    mail: int
    copies: tuple[int, ...] = ()
    others: int = 0


class Hits:
    """Says what hits there are for mails that match."""

    def __init__(self, mails: Sequence[Mail]) -> None:
        self._mails = mails

    def newest(self, found: Collection[int], *, threads: bool = False) -> list[Shown]:
        """Return the hits newest first; with `threads` one for each conversation."""
        shown: list[Shown] = []
        given: set[object] = set()
        for number in sorted(found, key=self._place, reverse=True):
            one = self.thread(number) if threads else self._same(number)
            if one in given:
                continue
            given.add(one)
            alike = [each for each in found if self._same(each) == self._same(number)]
            best = max(alike, key=lambda each: (self._mails[each].files, self._mails[each].octets, self._place(each)))
            shown.append(Shown(best, self._copies(best), self.others(best, found) if threads else 0))
        return shown

    def thread(self, number: int) -> int:
        """Return the conversation that a mail is in."""
        named = self._mails[number].thread_of
        return named if 0 <= named < number else number

    def others(self, number: int, found: Collection[int]) -> int:
        """Return how many more hits its conversation has."""
        return len({self._same(each) for each in found if self.thread(each) == self.thread(number)}) - 1

    def counts(self, found: Collection[int]) -> dict[str, object]:
        """Return what facets count, most first, years newest first."""
        mails = [self._mails[number] for number in found]
        years = Counter(datetime.fromtimestamp(mail.at, UTC).year for mail in mails)
        return {
            "total": len(mails),
            "customers": _most_first(
                customer for mail in mails for customer, standing in dict(mail.links).items() if standing == 0
            ),
            "years": tuple(sorted(years.items(), reverse=True)),
            "directions": _most_first(mail.direction for mail in mails),
            "types": _most_first(kind for mail in mails for kind in mail.types),
            "languages": _most_first(mail.language for mail in mails if mail.language),
        }

    def _copies(self, number: int) -> tuple[int, ...]:
        everyone = range(len(self._mails))
        alike = [each for each in everyone if each != number and self._same(each) == self._same(number)]
        return tuple(sorted(alike, key=self._place, reverse=True))

    def _place(self, number: int) -> tuple[int, int]:
        return self._mails[number].at, number

    def _same(self, number: int) -> object:
        mail = self._mails[number]
        return (mail.at, mail.message_id, mail.sender, mail.sent) if mail.message_id else number


def _most_first(values: Iterable[T]) -> tuple[tuple[T, int], ...]:
    return tuple(sorted(Counter(values).items(), key=lambda each: (-each[1], str(each[0]))))


def disagreements(world: World, hits: Hits, text: str, expected: Collection[int]) -> list[str]:
    """Name what the searcher says otherwise of a query than these mails that match it."""
    searcher, number_of = world.searcher, {row: number for number, row in enumerate(world.rows)}

    def shown(**options: Any) -> list[Shown]:
        found = searcher.search(text, **{"limit": 1000, **options}).hits
        return [Shown(number_of[h.row], tuple(number_of[row] for row in h.copies), h.others) for h in found]

    def paged(**options: Any) -> list[Shown]:
        pages: list[Shown] = []
        while True:
            page = shown(limit=_PAGE, offset=len(pages), **options)
            pages += page
            if len(page) < _PAGE:
                return pages

    newest, conversations = hits.newest(expected), hits.newest(expected, threads=True)
    best, best_threads = shown(sort="relevance"), shown(sort="relevance", threads=True)
    scores = [(hit.score, hit.row) for hit in searcher.search(text, limit=1000, sort="relevance").hits]
    facets = searcher.facets(text)
    counted = {name: getattr(facets, name) for name in type(facets).__struct_fields__}
    alike = {
        "newest first": shown() == newest,
        "best first": sorted(best, key=repr) == sorted(newest, key=repr),
        "the order of scores": [score for score, _ in scores] == sorted((score for score, _ in scores), reverse=True),
        "pages, newest first": paged() == newest,
        "pages, best first": paged(sort="relevance") == best,
        "conversations": shown(threads=True) == conversations,
        "pages of conversations": paged(threads=True) == conversations,
        "conversations, best first": {(hits.thread(each.mail), each.others) for each in best_threads}
        == {(hits.thread(each.mail), each.others) for each in conversations}
        and len(best_threads) == len(conversations),
        "further pages": all(
            searcher.search(text, limit=most).more == (most < len(newest)) for most in {1, len(newest) or 1}
        ),
        "the count": searcher.count(text) == len(expected),
        "counts": counted == hits.counts(expected),
    }
    return [what for what, holds in alike.items() if not holds]
