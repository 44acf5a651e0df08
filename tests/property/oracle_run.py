"""Asks index and oracle as many queries as wanted, and prints how many of each shape and where they disagree.

Run it with `python -m tests.property.oracle_run --pairs 20000`; ends with 1 when there is a disagreement, or a shape
that came too seldom. The mail is made up, so queries and mail may be printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from whoosh import query

from archiver.errors import QueryError
from archiver.model.fields import QUERY_FIELDS, FieldKind
from archiver.search.query.language import ANYWHERE, AT, parse
from tests.property.oracle_cases import SHAPES, Asker, mailbox
from tests.twins.hits_oracle import Hits, disagreements
from tests.twins.whoosh_oracle import LANGUAGES, NOW, SAVED, Mail, Oracle, World, world

_QUERIES = 100
"""Queries asked about one mailbox."""


LEAVES = ("Variations", "Term", "Phrase", "Sequence", "Prefix", "Wildcard", "FuzzyTerm", "NumericRange", "Every")
FIELDS = (
    ANYWHERE,
    AT,
    *(
        field.name
        for field in QUERY_FIELDS
        if field.kind not in {FieldKind.SINCE, FieldKind.UNTIL, FieldKind.DATE, FieldKind.SAVED}
    ),
)
"""Fields as leaves have them: dates have AT, and a saved search is its query."""


@dataclass
class Disagreement:
    """A query about mails; `more` and `less` are found by the index only and by the oracle only."""

    text: str
    mails: list[Mail]
    what: list[str]
    more: set[int]
    less: set[int]


@dataclass
class Tally:
    """What was asked, and where the two disagree. `leaves` and `fields` count queries with such leaves."""

    pairs: int = 0
    found: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    finding: Counter[str] = field(default_factory=Counter)
    leaves: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    folded: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)

    def seldom(self, least: int) -> list[str]:
        """Name what was asked less often."""
        counted = ((SHAPES, self.shapes), (LEAVES, self.leaves), (FIELDS, self.fields))
        return [name for names, counts in counted for name in names if counts[name] < least]


def ask(
    random: Random, mails: list[Mail], queries: int, tally: Tally, *, one: bool = False, preferred: str | None = None
) -> None:
    """Ask both about these mails; a query that is refused counts for nothing.

    With `one` it ends with the first disagreement; `preferred` is the shape of most leaves.
    """
    asker, oracle = Asker(random, mails, preferred), Oracle(mails)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as indexed:
        if len(mails) % 2:  # words that are sorted in, and in others fresh ones
            indexed.index.optimize()
        for _ in range(queries):
            text = asker.query()
            try:
                parse(text, NOW, languages=LANGUAGES, saved=lambda: SAVED)
            except QueryError as error:
                tally.refused[error.message] += 1
                continue
            _compare(text, indexed, oracle, set(asker.shapes), tally)
            if one and tally.disagreements:
                return


def _compare(text: str, indexed: World, oracle: Oracle, shapes: set[str], tally: Tally) -> None:
    expected, hits = oracle.found(text), Hits(indexed.mails)
    tally.pairs += 1
    tally.found += bool(expected)
    tally.shapes.update(shapes)
    tally.finding.update(shapes if expected else ())
    leaves = list(_leaves(parse(text, NOW, languages=LANGUAGES, saved=lambda: SAVED)))
    tally.leaves.update({type(leaf).__name__ for leaf in leaves})
    tally.fields.update({name for leaf in leaves for name in _names(leaf)})
    newest = hits.newest(expected)
    tally.folded.update(
        {
            "copies": any(hit.copies for hit in newest),
            "conversations": len(hits.newest(expected, threads=True)) < len(newest),
        }
    )
    try:
        what = disagreements(indexed, hits, text, expected)
    except QueryError as error:  # all that queries name is there
        tally.disagreements.append(Disagreement(text, list(indexed.mails), [error.message], set(), expected))
        return
    if what:
        plain = {number for number, row in enumerate(indexed.rows) if row in indexed.matching(text)}
        tally.disagreements.append(Disagreement(text, list(indexed.mails), what, plain - expected, expected - plain))


def _leaves(tree: query.Query) -> Iterator[query.Query]:
    """Give what a query is made of, excluded parts too."""
    if isinstance(tree, query.Not):
        yield from _leaves(tree.query)
    elif isinstance(tree, query.And | query.Or):
        for part in tree.subqueries:
            yield from _leaves(part)
    else:
        yield tree


def _names(leaf: query.Query) -> set[str]:
    if isinstance(leaf, query.Sequence):
        return {part.fieldname for part in leaf.subqueries}
    name = getattr(leaf, "fieldname", None)
    return {name} if isinstance(name, str) else set()


def run(pairs: int, seed: int) -> Tally:
    """Ask until there are so many pairs of query and mailbox."""
    random, tally = Random(seed), Tally()
    while tally.pairs < pairs:
        ask(random, mailbox(random), min(_QUERIES, pairs - tally.pairs), tally)
    return tally


def main() -> int:
    """Print what a run came to."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=4)
    arguments.add_argument("--least", type=int, default=300, help="of each shape")
    options = arguments.parse_args()
    tally = run(options.pairs, options.seed)
    print(f"{tally.pairs} pairs, {tally.found} that find something, {len(tally.disagreements)} disagreements")
    for message, times in tally.refused.most_common():
        print(f"  refused {times}: {message}")
    for shape in SHAPES:
        print(f"  {shape:<22}{tally.shapes[shape]:>7}  finding {tally.finding[shape]:>6}")
    for title, names, counts in (("leaf", LEAVES, tally.leaves), ("field", FIELDS, tally.fields)):
        print(f"by {title}: " + ", ".join(f"{name or 'anywhere'} {counts[name]}" for name in names))
    print("hits folded: " + ", ".join(f"{what} {times}" for what, times in sorted(tally.folded.items())))
    for each in tally.disagreements[:10]:
        print(f"\n{each.text}\n  {', '.join(each.what)}")
        print(f"  only the index: {sorted(each.more)}, only the oracle: {sorted(each.less)}")
        for number in sorted(each.more | each.less)[:2]:
            print(f"  {number}: {each.mails[number]}")
    seldom = tally.seldom(options.least)
    if seldom:
        print(f"asked less than {options.least} times: {', '.join(seldom)}")
    return 1 if tally.disagreements or seldom else 0


if __name__ == "__main__":
    sys.exit(main())
