"""Which of the messages that match are best: BM25 with weights for the columns, what is recent a little ahead.

Over the RANKED newest matches: a word that more messages have than that says little about any of them. Messages with
all words as they were typed are looked for first of all. Those with another form of a word get what the typed one would
have given them, less a part: FTS5 values a rare word highly, and a rare plural is no better than its singular, so its
score is brought to the scale of the whole concept, the word with all its forms. A form counts FORM, a compound PART.
The length of attachments counts for words that stand in them, and for no others.
Words that stand near each other, or next to each other as they were typed, in what people wrote themselves, add to it.
"""

# ruff: noqa: S608 - statements are put together from our own pieces; texts are bound

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from archiver.model.fields import INDEX_COLUMNS
from archiver.search.expansion import Concept, Expansion, leaves, quoted
from archiver.search.hits.lengths import lifts
from archiver.search.query.language import ANYWHERE
from archiver.search.query.language import tree_of as query
from archiver.search.rows import ROW_BITS, json_array

if TYPE_CHECKING:
    from archiver.core.ports import Connection
    from archiver.search.plan import Plan
    from archiver.search.statements import Statements

WEIGHTS = {
    "subject": 6.0, "sender": 4.0, "recipient": 3.0, "cc": 2.0, "bcc": 2.0,
    "body": 2.0, "quoted": 0.5, "filenames": 3.0, "attachments": 1.0,
}  # fmt: skip
"""What a word is worth by where it stands: what people wrote themselves more than what they quote."""

RANKED = 5_000
"""How many of the newest messages with the one word as it was typed are ranked."""

RANKED_OF_SEVERAL = 3_000
"""How many are when there are several words, each of which is looked for in each message."""

KEPT = 500
"""How many of those, the best, are ranked further; and how many messages with other forms, the newest."""

FORM, PART = 0.7, 0.5
"""What another form of a word is worth, and a compound of it. FORM times 1.3, the most for being recent, is below 1."""

_RECENT = 0.3
_YEAR = 365.25 * 86_400

_NEAR, _NEXT = 0.25, 0.25
"""Added for all words near each other, and for neighbouring words of the query that are neighbours there too."""
_NEAR_TOKENS = 8
_NEAR_WORDS = 6

_COMMON = 30_000
"""Messages with a word from which on its share in a score is too small to be looked for."""

_COUNTED = 256
"""Messages with a word that are counted; how many there are of one that more have is judged by how dense these are."""

_MOST_FORMS = 64
_BAND = 4.0

_BM25 = f"bm25(mail, {', '.join(str(WEIGHTS[column]) for column in INDEX_COLUMNS)})"
_OWN = "subject body filenames attachments"


class Ranking:
    """Ranks over one connection."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements
        self._frequencies: dict[str, int] = {}

    def ranked(
        self, tree: query.Query, plan: Plan, typed: Callable[[], Plan], expansion: Expansion, now: float, enough: int
    ) -> list[tuple[int, float]]:
        """Return rows with their scores, best first; of equals the newer.

        `typed` gives the plan in which every word is only itself. With KEPT of those messages, those with other forms
        are not looked for. When `enough` asks for more than is ranked, what else matches follows, newest first.
        """
        concepts = [
            (concept, boost) for leaf, boost in leaves(tree) if (concept := expansion.concept(leaf)) is not None
        ]
        has_forms = any(concept.exact is not None and concept.all_forms for concept, _ in concepts)
        exact = typed() if has_forms else plan
        rows, scores = self._best(exact, now, RANKED if len(concepts) < 2 else RANKED_OF_SEVERAL)
        if has_forms and len(rows) < KEPT:  # and so these are all that have the words as typed
            others = [each for each in self._newest(plan, KEPT + len(rows)) if each[0] not in rows]
            rows.update(others)
            worth = self._by_concept([concept for concept, _ in concepts], [s for s, _ in others if s not in scores])
            scores.update(worth)
        if scores:
            self._lift(scores, [concept for concept, _ in concepts])
            self._boost(scores, concepts)
            between = {
                leaf.text: leaf.between
                for leaf, _ in leaves(tree)
                if getattr(leaf, "between", ()) and isinstance(leaf, query.Variations)
            }
            self._add_nearness(scores, [concept for concept, _ in concepts], between)
        scored = [(rows[rowid], score * _recency(rows[rowid], now)) for rowid, score in scores.items()]
        scored.sort(key=lambda each: (each[1], each[0]), reverse=True)
        if enough > len(scored):
            behind = sorted((row for rowid, row in self._newest(plan, RANKED) if rowid not in rows), reverse=True)
            scored += [(row, 0.0) for row in behind]
        return scored

    def _best(self, plan: Plan, now: float, most: int) -> tuple[dict[int, int], dict[int, float]]:
        """Return row and BM25 of the best of the newest messages that match, by rowid."""
        if plan.match is None or plan.nothing:
            return {}, {}
        statement = self._statements.statement(plan, ranks=True)
        found = list(
            self._connection.execute(
                f"SELECT id, row, score FROM (SELECT mail.rowid AS id, slots.row AS row, -{_BM25} AS score"
                f" FROM {statement.tables} WHERE {statement.where} ORDER BY mail.rowid LIMIT ?)"
                f" ORDER BY score * (1.0 + {_RECENT} / (1.0 + max(0.0, ? - (row >> {ROW_BITS})) / {_YEAR})) DESC,"
                " row DESC LIMIT ?",
                (*statement.bindings, most, now, KEPT),
            )
        )
        rows = {_int(rowid): _int(row) for rowid, row, _ in found}
        return rows, {_int(rowid): float(str(score)) for rowid, _, score in found}

    def _newest(self, plan: Plan, most: int) -> list[tuple[int, int]]:
        if plan.match is None or plan.nothing:
            return []
        statement = self._statements.statement(plan, ranks=True)
        found = self._connection.execute(
            statement.select("mail.rowid, slots.row") + " ORDER BY mail.rowid LIMIT ?",
            (*statement.bindings, most),
        )
        return [(_int(rowid), _int(row)) for rowid, row in found]

    # --- messages that have another form of some word ----------------------------------------------------------------

    def _by_concept(self, concepts: Sequence[Concept], rowids: Sequence[int]) -> dict[int, float]:
        """Return the scores of these rowids, put together of what each concept gives."""
        scores = dict.fromkeys(rowids, 0.0)
        if not rowids:
            return scores
        asked, oldest = json_array(rowids), max(rowids)
        messages = self._messages()
        for concept in concepts:
            for expression, factor in self._bands(concept, messages, alone=len(concepts) == 1):
                for rowid, score in self._scores(expression, asked, oldest):
                    scores[rowid] += factor * score
        return scores

    def _bands(self, words: Concept, messages: int, *, alone: bool) -> Iterator[tuple[str, float]]:
        """Yield expressions for the forms of a word that are about equally rare, with what their score is worth."""
        forms = words.all_forms[:_MOST_FORMS]
        known = {form: self._frequency(words.within([quoted([form])])) for form in forms}
        typed = 0 if words.exact is None else self._frequency(words.within([words.exact]))
        whole = _rarity(typed + sum(known.values()), messages)
        if words.exact is not None and not alone and 0 < typed < _COMMON:
            yield words.within([words.exact]), whole / _rarity(typed, messages)
        for worth, some in ((FORM, words.forms), (PART, tuple(w for w in words.parts if w not in words.forms))):
            bands: dict[int, list[str]] = {}
            for form in some:
                if 0 < known.get(form, 0) < _COMMON:
                    bands.setdefault(int(math.log(known[form], _BAND)), []).append(form)
            for band in bands.values():
                rarest = _rarity(min(known[form] for form in band), messages)
                yield words.within([quoted([form]) for form in band]), worth * whole / rarest

    def _scores(self, expression: str, asked: str, oldest: int) -> Iterator[tuple[int, float]]:
        found = self._connection.execute(
            f"SELECT rowid, -{_BM25} FROM mail WHERE mail MATCH ? AND rowid <= ?"
            " AND +rowid IN (SELECT value FROM json_each(?))",
            (expression, oldest, asked),
        )
        return iter(found)  # type: ignore[arg-type]

    def _frequency(self, expression: str) -> int:
        """Return how many messages match, exactly up to _COUNTED: further up, its order of magnitude is enough."""
        if (known := self._frequencies.get(expression)) is None:
            sql = (
                "SELECT count(*), min(id), max(id) FROM"
                " (SELECT rowid AS id FROM mail WHERE mail MATCH ? ORDER BY rowid LIMIT ?)"
            )
            counted, newest, oldest = (
                _int(each) for each in next(self._connection.execute(sql, (expression, _COUNTED)))
            )
            known = self._frequencies[expression] = counted
            if counted == _COUNTED:
                ends = next(
                    self._connection.execute("SELECT (SELECT min(slot) FROM slots), (SELECT max(slot) FROM slots)")
                )
                first, last = (_int(each) for each in ends)
                dense = counted * (last - first + 1) // (oldest - newest + 1)
                known = self._frequencies[expression] = max(counted, min(dense, self._messages()))
        return known

    def _messages(self) -> int:
        """Return about how many messages there are: the last sequence number, which costs nothing to ask."""
        return max(1, _int(next(self._connection.execute("SELECT watermark FROM progress"), (0,))[0]))

    def _lift(self, scores: dict[int, float], concepts: Sequence[Concept]) -> None:
        """Let the length of attachments count only for words that stand in them."""
        long = lifts(self._connection, scores)
        if not long:
            return
        typed = [concept.exact for concept in concepts if concept.fieldname == ANYWHERE and concept.exact is not None]
        rare = [each for each in typed if len(typed) == 1 or self._frequency(each) < _COMMON]
        if not rare:
            return
        expression = f"- {{attachments}} : ({' OR '.join(rare[:_MOST_FORMS])})"
        for rowid, score in self._scores(expression, json_array(long), max(long)):
            scores[rowid] = max(scores[rowid], score * long[rowid])

    # --- what is added -----------------------------------------------------------------------------------------------

    def _boost(self, scores: dict[int, float], concepts: Sequence[tuple[Concept, float]]) -> None:
        """Add what a boost gives beyond 1, concept by concept; take it off below."""
        boosted = [
            (expression, boost)
            for concept, boost in concepts
            if boost != 1.0 and (expression := concept.expression()) is not None
        ]
        if not boosted:
            return
        asked, oldest = json_array(scores), max(scores)
        for expression, boost in boosted:
            for rowid, score in self._scores(expression, asked, oldest):
                scores[rowid] = max(0.0, scores[rowid] + (boost - 1.0) * score)

    def _add_nearness(
        self, scores: dict[int, float], concepts: Sequence[Concept], between: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Lift messages where words stand near each other; `between` are those left out of the query before a word."""
        words = [concept.marks[0] for concept in concepts if _is_one_word(concept)]
        words = list(dict.fromkeys(words))[:_NEAR_WORDS]
        if len(words) < 2:
            return
        oldest = max(scores)
        self._multiply(scores, f"NEAR({' '.join(quoted([w]) for w in words)}, {_NEAR_TOKENS})", _NEAR, oldest)
        for first, second in pairwise(words):
            self._multiply(scores, quoted([first, *between.get(second, ()), second]), _NEXT / (len(words) - 1), oldest)

    def _multiply(self, scores: dict[int, float], expression: str, share: float, oldest: int) -> None:
        found = self._connection.execute(
            "SELECT rowid FROM mail WHERE mail MATCH ? AND rowid <= ? ORDER BY rowid LIMIT ?",
            (f"{{{_OWN}}} : {expression}", oldest, RANKED),
        )
        for (rowid,) in found:
            if rowid in scores:
                scores[rowid] *= 1.0 + share


def _is_one_word(words: Concept) -> bool:
    return (
        words.fieldname == ANYWHERE and words.exact is not None and len(words.marks) == 1 and words.marks[0][-1] != "*"
    )


def _rarity(frequency: int, messages: int) -> float:
    """Return the inverse document frequency as FTS5's bm25() has it."""
    rarity = math.log((messages - frequency + 0.5) / (frequency + 0.5)) if frequency < messages else 0.0
    return rarity if rarity > 0 else 1e-6


def _recency(row: int, now: float) -> float:
    return 1.0 + _RECENT / (1.0 + max(0.0, now - (row >> ROW_BITS)) / _YEAR)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
