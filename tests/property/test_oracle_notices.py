"""The oracle is no ornament: whatever of compiling, expanding and folding hits is broken, it disagrees soon.

Each of these breaks one thing, the way a slip of a programmer would, and asks until there is a disagreement.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from whoosh import query

from archiver.model.fields import FieldKind
from archiver.search import compile as compiling
from archiver.search import expansion, names, statements
from archiver.search.hits import facets, grouping
from archiver.search.plan import Plan
from archiver.search.rows import ROW_BITS
from archiver.search.words import reader, vocabulary
from tests.property.oracle_cases import mailbox
from tests.property.oracle_run import Tally, ask

_QUERIES, _MAILBOXES = 30, 30


class Break:
    """Breaks things for the length of a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def around(self, owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put something around a function; `make` gets the function as it is."""
        self._monkeypatch.setattr(owner, name, make(getattr(owner, name)))

    def result(self, owner: Any, name: str, change: Callable[[Any], Any]) -> None:
        """Change what a function returns."""
        self.around(owner, name, lambda real: lambda *given, **named: change(real(*given, **named)))

    def item(self, mapping: dict[Any, Any], key: object, value: object) -> None:
        """Change an entry of a table."""
        self._monkeypatch.setitem(mapping, key, value)


def _in_sql(one: str, other: str) -> Callable[[Plan], Plan]:
    """Replace something in the conditions of a plan."""
    return lambda plan: replace(
        plan, conditions=tuple(replace(c, sql=c.sql.replace(one, other), walk=None) for c in plan.conditions)
    )


def _with(change: Callable[[str], str]) -> Callable[..., Any]:
    """Change the text of the wildcards that are expanded."""

    def around(real: Callable[..., Any]) -> Callable[..., Any]:
        def fitting(self: object, leaf: query.MultiTerm, *most: int) -> object:
            if isinstance(leaf, query.Wildcard):
                leaf = query.Wildcard(leaf.fieldname, change(leaf.text))
            return real(self, leaf, *most)

        return fitting

    return around


def _no_conditions(plan: Plan) -> Plan:
    return replace(plan, conditions=()) if plan.match is not None else plan


BREAKS: dict[str, Callable[[Break], None]] = {
    "OR forgets an operand": lambda b: b.around(compiling, "_any", lambda real: lambda parts: real(parts[:2])),
    "OR is AND": lambda b: b.around(
        compiling, "_joined", lambda real: lambda parts, operator: real(parts, "AND" if operator == "OR" else operator)
    ),
    "what is excluded is joined by OR where AND belongs": lambda b: b.around(
        compiling, "_joined", lambda real: lambda parts, _operator: real(parts, "OR")
    ),
    "a or not b is a": lambda b: b.result(
        compiling, "_any", lambda plan: replace(plan, unless=None) if plan.match is None else plan
    ),
    "NOT of a condition is the condition": lambda b: b.around(
        compiling, "_not", lambda real: lambda plan: plan if plan.conditions else real(plan)
    ),
    "NOT NOT is NOT": lambda b: b.around(
        compiling, "_not", lambda real: lambda plan: plan if plan.unless is not None else real(plan)
    ),
    "AND drops conditions beside words": lambda b: b.result(compiling._Compiler, "_all", _no_conditions),
    "the newest is lost": lambda b: b.result(statements.Statements, "newest", lambda found: (found[0][1:], found[1])),
    "a range has no beginning": lambda b: b.result(compiling, "_range", lambda plan: replace(plan, low=None)),
    "the end of a range is in it": lambda b: b.result(
        compiling, "_range", lambda plan: replace(plan, high=None if plan.high is None else plan.high + (1 << ROW_BITS))
    ),
    "sizes are compared without the bound": lambda b: b.result(compiling, "_sized", _in_sql(">=", ">")),
    "every number of octets counts as larger": lambda b: b.result(compiling, "_sized", _in_sql("<= ?", "< ?")),
    "words of a field are looked for anywhere": lambda b: b.around(
        expansion, "in_columns", lambda _real: lambda _name, expression: expression
    ),
    "a phrase is its words": lambda b: b.around(
        expansion, "quoted", lambda real: lambda words: " AND ".join(real([w]) for w in words)
    ),
    "near is a word nearer": lambda b: b.around(
        expansion,
        "_phrase",
        lambda real: (
            lambda leaf: (
                real(leaf) if leaf.slop <= 2 else real(leaf.__class__(leaf.fieldname, leaf.words, slop=leaf.slop - 1))
            )
        ),
    ),
    "near is anywhere": lambda b: b.around(
        expansion,
        "_phrase",
        lambda _real: lambda leaf: "(" + " AND ".join(expansion.quoted([word]) for word in leaf.words) + ")",
    ),
    "a beginning is a word": lambda b: b.around(
        expansion.Expansion,
        "concept",
        lambda real: (
            lambda self, leaf, _spelled=0: (
                None
                if (found := real(self, leaf)) is None
                else replace(found, exact=found.exact and found.exact.removesuffix(" *"))
            )
        ),
    ),
    "of the words that begin so one is missing": lambda b: b.result(
        vocabulary.Vocabulary, "beginning", lambda found: found and found[:-1]
    ),
    "no other forms": lambda b: b.result(vocabulary.Vocabulary, "variants", lambda _found: ()),
    "no compounds": lambda b: b.result(vocabulary.Vocabulary, "compounds", lambda _found: ()),
    "one form is missing": lambda b: b.result(vocabulary.Vocabulary, "variants", lambda found: found[:-1]),
    "every fuzzy word is one slip off at most": lambda b: b.around(
        reader.VocabularyReader,
        "terms_within",
        lambda real: lambda self, name, word, _most, prefix: real(self, name, word, 1, prefix),
    ),
    "a question mark is any letters": lambda b: b.around(
        vocabulary.Vocabulary, "fitting", _with(lambda text: text.replace("?", "*"))
    ),
    "a pattern fits from its start only": lambda b: b.around(
        vocabulary.Vocabulary, "fitting", _with(lambda text: text.rstrip("*") or "*")
    ),
    "incoming is outgoing": lambda b: b.item(compiling._DIRECTIONS, "incoming", 1),
    "a defect is an attachment": lambda b: b.item(
        compiling._CONDITIONS, FieldKind.HAS, lambda _value: compiling._has("attachment")
    ),
    "internal mail is unlinked": lambda b: b.around(
        compiling,
        "_of_message",
        lambda real: lambda what, *given: real(what.replace("m.direction <> ? AND NOT", "? > 0 AND NOT"), *given),
    ),
    "an identifier is its first four digits": lambda b: b.item(
        compiling._CONDITIONS, FieldKind.ID, lambda value: compiling._id(value[:4] if len(value) > 12 else "0000")
    ),
    "a thread is a message": lambda b: b.item(compiling._CONDITIONS, FieldKind.THREAD, compiling._id),
    "a kind of file is the next": lambda b: b.around(
        compiling, "type_bits", lambda real: lambda types: real(types) << 1
    ),
    "a language is unknown": lambda b: b.item(
        compiling._CONDITIONS, FieldKind.LANGUAGE, lambda _value: compiling._language("")
    ),
    "a candidate is a customer": lambda b: b.around(
        compiling._Compiler,
        "_of_customer",
        lambda real: lambda self, node, _kind, *, prefix: real(self, node, FieldKind.CUSTOMER, prefix=prefix),
    ),
    "a mailbox that begins so is none": lambda b: b.around(
        names.CatalogueNames,
        "mailboxes",
        lambda real: lambda self, kind, value, *, prefix: real(self, kind, value, prefix=False),  # noqa: ARG005
    ),
    "conditions are not in parentheses": lambda b: b.result(
        compiling, "_as_condition", lambda condition: replace(condition, sql=condition.sql[1:-1])
    ),
    "conditions of the first customer hold for all": lambda b: b.around(
        compiling, "Walk", lambda real: lambda customers, standings: real(customers[:1], standings)
    ),
    "a Message-ID alone makes a copy": lambda b: b.around(
        grouping.Copies,
        "_read",
        lambda real: (
            lambda self, rows: (
                real(self, rows),
                self._identity.update({row: key[:1] for row, key in self._identity.items()}),
            )
        ),
    ),
    "the first copy is shown": lambda b: b.around(
        grouping.Copies, "_group", lambda real: lambda self, row, near: tuple(sorted(real(self, row, near)))
    ),
    "every link is counted": lambda b: b.around(
        facets,
        "_most_first",
        lambda real: lambda counts: real({each: n + 1 for each, n in counts.items()}),
    ),
    "years begin in summer": lambda b: b.result(facets, "_new_year", lambda at: at + 3600 * 24 * 200),
}

PREFERRED = {
    "the end of a range is in it": "date",
    "a range has no beginning": "since",
    "sizes are compared without the bound": "size",
    "every number of octets counts as larger": "size",
    "near is a word nearer": "phrase with distance",
    "near is anywhere": "phrase with distance",
    "a phrase is its words": "phrase",
    "every fuzzy word is one slip off at most": "fuzzy 2",
    "a question mark is any letters": "wildcard inside",
    "a pattern fits from its start only": "wildcard around",
    "incoming is outgoing": "direction",
    "a defect is an attachment": "has",
    "internal mail is unlinked": "is",
    "an identifier is its first four digits": "id",
    "a thread is a message": "thread",
    "a kind of file is the next": "type",
    "a language is unknown": "language",
    "a candidate is a customer": "candidate",
    "a mailbox that begins so is none": "mailbox",
    "conditions of the first customer hold for all": "customer",
}
"""What is asked for most, so that a break in a corner is not waited for."""


@pytest.mark.parametrize("broken", BREAKS)
def test_whatever_is_broken_the_oracle_disagrees(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    BREAKS[broken](Break(monkeypatch))
    tally, random = Tally(), Random(11)
    for _ in range(_MAILBOXES):
        ask(random, mailbox(random), _QUERIES, tally, one=True, preferred=PREFERRED.get(broken))
        if tally.disagreements:
            return
    raise AssertionError(f"{tally.pairs} pairs of query and mailbox went unnoticed")
