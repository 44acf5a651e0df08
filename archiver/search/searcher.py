"""Answers queries: what was parsed and compiled is run, folded into hits, ranked, counted.

Which hits there are, the order that was asked for decides: newest first walks back in time and stops after the page;
best first ranks the newest matches. Either way copies of a message are one hit, and with `threads` a conversation is.
Every part does its work elsewhere; here is what a search is made of. Knows which tables of the catalogue (`cat`) it may
read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.errors import NoArchiveError, QueryError, UsageError
from archiver.model.fields import field_named
from archiver.model.search import Facets, Found, Hit
from archiver.search.hits.grouping import Copies, members_of, threads_of
from archiver.search.index import SCHEMA_VERSION, index_version
from archiver.search.names import CatalogueNames, ContactLookUp, CustomerLookUp
from archiver.search.statements import Statements
from archiver.search.words.families import LANGUAGES

if TYPE_CHECKING:
    from whoosh import query as whoosh_query

    from archiver.core.ports import Clock, Connection
    from archiver.search.expansion import Expansion
    from archiver.search.plan import Plan
    from archiver.search.words.vocabulary import Vocabulary

LITTLE = 3
"""Messages up to which a search has found so little that another spelling may be worth a look."""

_SAME_MOMENT = 2.0
"""Seconds within which the same query is not worked out anew: a page, its total and its terms are asked one by one."""

_SPELLED, _SPELLED_BESIDE = 400, 100
"""Words that the beginning of one may stand for and be looked for each, newest first: alone, and beside others."""

_MARGIN = 8
"""Rows read beyond a page: those of the last seconds may not all be there."""


class _Asked(Struct, frozen=True):
    """A query worked out."""

    text: str
    at: datetime
    tree: whoosh_query.Query
    ignored: tuple[str, ...]
    expansion: Expansion
    plan: Plan


class FullTextSearcher:
    """`archiver.core.ports.Searcher` over an index connection with the catalogue attached as `cat`.

    `languages` (ISO 639-1) are those whose forms of a word are looked for. `message_id_hash` is the catalogue's hash of
    a Message-ID; without it that field needs a scan of the catalogue. `customers` and `contacts` look those up; without
    them nobody is one. `saved` gives the saved searches by name. The caller holds one read transaction around the calls
    for a page when others write meanwhile.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        languages: Iterable[str] = LANGUAGES,
        message_id_hash: Callable[[str], int] | None = None,
        customers: CustomerLookUp | None = None,
        contacts: ContactLookUp | None = None,
        saved: Callable[[], dict[str, str]] | None = None,
    ) -> None:
        if index_version(connection) != SCHEMA_VERSION:
            raise NoArchiveError("there is no index that this release can read", hint="run `archiver reindex`")
        self._connection = connection
        self._clock = clock
        self._languages = tuple(languages)
        self._saved = saved
        self._names = CatalogueNames(connection, message_id_hash, customers, contacts)
        self._statements = Statements(connection)
        self._words: Vocabulary | None = None
        self._asking: ExitStack | None = None
        self._last: _Asked | None = None
        self._counted: tuple[Plan, int] | None = None

    def search(self, query: str, *, limit: int, offset: int = 0, sort: str = "date", threads: bool = False) -> Found:
        """Return hits, newest first ("date") or best first ("relevance"); raises QueryError with its position.

        By relevance, a message beyond the newest that are ranked is no hit.
        """
        if sort not in {"date", "relevance"}:
            raise UsageError("messages are sorted by date or by relevance")
        asked = self._ask(query)
        copies = Copies(self._connection)
        needed = offset + limit + 1
        if sort == "relevance" and asked.plan.match is not None:
            scores = dict(self._ranked(asked, needed))
            groups = self._folded(copies, scores, scores, needed, threads=threads)
        else:
            scores = {}
            groups = self._newest(asked, copies, needed, threads=threads)
        page = groups[offset : offset + limit]
        heads = [group[0] for group in page]
        others = self._others(asked.plan, copies, heads) if threads else {}
        beyond = copies.beyond(heads)
        hits = tuple(
            Hit(
                row=group[0],
                score=max((scores[row] for row in group if row in scores), default=0.0),
                copies=beyond[group[0]],
                others=others.get(group[0], 0),
            )
            for group in page
        )
        return Found(hits, more=len(groups) > offset + limit)

    def count(self, query: str) -> int:
        """Return how many messages match, copies counted."""
        return self._count(self._ask(query).plan)

    def terms(self, query: str) -> Sequence[str]:
        """Return the words to highlight, folded, with the forms that were looked for; "*" ends a beginning.

        Words as typed come first. Excluded words are none.
        """
        from archiver.search.analysis import tokens
        from archiver.search.expansion import leaves

        asked = self._ask(query)
        typed: dict[str, None] = {}
        forms: dict[str, None] = {}
        for leaf, _ in leaves(asked.tree):
            words = asked.expansion.concept(leaf)
            if words is None or not _is_shown(words.fieldname):
                continue
            for mark in words.marks:
                star = "*" if mark.endswith("*") else ""
                typed.update(dict.fromkeys(token + star for token in tokens(mark)))
            for form in words.all_forms:
                grouped = form.split(" ")  # of a number in groups the small ones would be marked everywhere
                forms.update(dict.fromkeys(word for word in grouped if len(word) > 2 or not grouped[1:]))
        return (*typed, *(form for form in forms if form not in typed))

    def ignored(self, query: str) -> Sequence[str]:
        """Return words as typed that were left out because they say nothing."""
        return self._ask(query).ignored

    def facets(self, query: str, *, customers: int = 10) -> Facets:
        """Count what matches by customer, year, direction, kind of file and language."""
        from archiver.search.hits.facets import FacetCounter

        asked = self._ask(query)
        return FacetCounter(self._connection, self._statements).count(asked.plan, asked.at, customers=customers)

    def suggestion(self, query: str) -> str | None:
        """Return the query with words that the archive hardly has replaced by near ones.

        None when more than LITTLE is found as it is, and when the other query would not find more.
        """
        asked = self._ask(query)
        found = self._count(asked.plan) if query.strip() else LITTLE + 1
        if found > LITTLE:
            return None
        from archiver.search.correction import corrected

        other = corrected(query, asked.tree, self._vocabulary())
        if other is None:
            return None
        try:
            better = self._statements.count(self._ask(other).plan) > found
        except QueryError:
            better = False
        finally:
            self._last = asked
        return other if better else None

    def _count(self, plan: Plan) -> int:
        """Count what a plan matches, unless the page that was asked for last, or its total, has told."""
        if self._counted is None or self._counted[0] is not plan:
            self._counted = plan, self._statements.count(plan)
        return self._counted[1]

    # --- what a query means ------------------------------------------------------------------------------------------

    def _ask(self, query: str) -> _Asked:
        now = self._clock()
        last = self._last
        if last is not None and last.text == query and abs((now - last.at).total_seconds()) < _SAME_MOMENT:
            return last
        from archiver.search.compile import compile_query
        from archiver.search.expansion import Expansion
        from archiver.search.query.language import parse_query

        parsed = parse_query(query, now, languages=self._languages, saved=self._saved)
        expansion = Expansion(self._vocabulary)
        with ExitStack() as stack:
            self._asking = stack
            try:
                plan = compile_query(parsed.tree, self._names, expansion)
            finally:
                self._asking = None
        self._last = _Asked(query, now, parsed.tree, parsed.ignored, expansion, plan)
        return self._last

    def _vocabulary(self) -> Vocabulary:
        if self._words is None:
            from archiver.search.words.vocabulary import Vocabulary

            self._words = Vocabulary(self._connection, self._languages)
        if self._asking is not None:
            self._asking.enter_context(self._words.steady())
        return self._words

    # --- which hits --------------------------------------------------------------------------------------------------

    def _ranked(self, asked: _Asked, needed: int) -> list[tuple[int, float]]:
        from archiver.search.compile import compile_query
        from archiver.search.hits.ranking import Ranking

        def typed() -> Plan:
            return compile_query(asked.tree, self._names, asked.expansion, as_typed=True)

        ranking = Ranking(self._connection, self._statements)
        return ranking.ranked(asked.tree, asked.plan, typed, asked.expansion, asked.at.timestamp(), needed)

    def _newest(self, asked: _Asked, copies: Copies, needed: int, *, threads: bool) -> list[tuple[int, ...]]:
        most = needed * (3 if threads else 1) + _MARGIN
        plan = self._walked(asked)
        while True:
            rows, complete = self._statements.newest(plan, most)
            groups = self._folded(copies, rows, rows, needed, threads=threads)
            if complete:
                self._counted = asked.plan, len(rows)
            if complete or len(groups) >= needed:
                return groups
            most *= 4

    def _walked(self, asked: _Asked) -> Plan:
        """Return a plan of the same messages that gives the newest of them soonest.

        For the beginning of a word FTS5 puts together all that its words have before it gives any. Of the words by
        themselves it gives the newest at once, but looks at each of them again at every message that it passes.
        """
        if not asked.expansion.beginnings:
            return asked.plan
        from archiver.search.compile import compile_query
        from archiver.search.expansion import leaves

        words = [leaf for leaf, _ in leaves(asked.tree) if asked.expansion.concept(leaf) is not None]
        stops_soon = len(words) == 1 and not asked.plan.conditions
        return compile_query(
            asked.tree, self._names, asked.expansion, spelled=_SPELLED if stops_soon else _SPELLED_BESIDE
        )

    def _folded(
        self, copies: Copies, ordered: Iterable[int], matching: Iterable[int], needed: int, *, threads: bool
    ) -> list[tuple[int, ...]]:
        """Return the first groups of rows, each a hit."""
        groups = iter(copies.groups(ordered, list(matching)))
        if not threads:
            return list(islice(groups, needed))
        kept: list[tuple[int, ...]] = []
        seen: set[int] = set()
        while len(kept) < needed and (some := list(islice(groups, needed))):
            known = threads_of(self._connection, [group[0] for group in some])
            for group in some:
                thread = known.get(group[0], -group[0] - 1)
                if thread not in seen:
                    seen.add(thread)
                    kept.append(group)
        return kept[:needed]

    def _others(self, plan: Plan, copies: Copies, heads: Sequence[int]) -> dict[int, int]:
        """Count, for each head of a thread, the further hits there."""
        known = threads_of(self._connection, heads)
        members = members_of(self._connection, set(known.values()))
        found = self._statements.among(plan, {row for rows in members.values() for row in rows} | set(heads))
        return {
            head: sum(1 for _ in copies.groups(rows, rows)) - 1
            for head, thread in known.items()
            if (rows := sorted({*(row for row in members[thread] if row in found), head}))
        }


def _is_shown(fieldname: str) -> bool:
    field = field_named(fieldname)
    return field is None or bool(field.columns)
