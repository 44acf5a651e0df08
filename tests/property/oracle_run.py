"""Asks index and oracle as many queries as wanted, and prints how many of each shape and where they disagree.

Run it with `python -m tests.property.oracle_run --pairs 20000`; ends with 1 when there is a disagreement, or a shape
that came too seldom. The mail is made up, so queries and mail may be printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from archiver.errors import QueryError
from tests.property.oracle_cases import SHAPES, Asker, mailbox
from tests.twins.whoosh_oracle import Mail, Oracle, world

_QUERIES = 100
"""Queries asked about one mailbox."""


@dataclass
class Tally:
    """What was asked, and where the two disagree: (query, mails, found by the index only, by the oracle only)."""

    pairs: int = 0
    found: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    finding: Counter[str] = field(default_factory=Counter)
    disagreements: list[tuple[str, list[Mail], set[int], set[int]]] = field(default_factory=list)


def ask(random: Random, mails: list[Mail], queries: int, tally: Tally) -> None:
    """Ask both about these mails; a query that is refused counts for nothing."""
    asker, oracle = Asker(random), Oracle(mails)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as indexed:
        for _ in range(queries):
            text = asker.query()
            try:
                found = indexed.found(text)
            except QueryError as error:
                tally.refused[error.message] += 1
                continue
            expected = oracle.found(text)
            tally.pairs += 1
            tally.found += bool(expected)
            tally.shapes.update(set(asker.shapes))
            tally.finding.update(set(asker.shapes) if expected else ())
            ranked = set(indexed.found(text, sort="relevance"))
            if not set(found) == ranked == expected or indexed.searcher.count(text) != len(found):
                tally.disagreements.append((text, mails, (set(found) | ranked) - expected, expected - set(found)))


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
    for text, mails, more, less in tally.disagreements[:10]:
        print(f"\n{text}\n  only the index: {sorted(more)}, only the oracle: {sorted(less)}")
        for number in sorted(more | less)[:2]:
            print(f"  {number}: {mails[number]}")
    seldom = [shape for shape in SHAPES if tally.shapes[shape] < options.least]
    return 1 if tally.disagreements or seldom else 0


if __name__ == "__main__":
    sys.exit(main())
