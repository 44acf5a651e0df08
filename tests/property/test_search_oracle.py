"""FTS5 with our compiler, and Whoosh on its own, find the same mails for the same query.

`python -m tests.property.oracle_run` asks many more of them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import QueryError
from tests.property.oracle_cases import SHAPES, Asker, mailbox
from tests.property.oracle_run import Tally, ask
from tests.twins.whoosh_oracle import NOW, Mail, Oracle, world


@settings(max_examples=20)
@given(random=st.randoms(use_true_random=False))
def test_fts5_finds_what_whoosh_finds(random: Random) -> None:
    mails, asker = mailbox(random), Asker(random)
    oracle = Oracle(mails)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as indexed:
        for _ in range(12):
            text = asker.query()
            try:
                found = indexed.found(text)
            except QueryError:
                continue
            assert set(found) == oracle.found(text), text
            assert [indexed.rows[n] for n in found] == sorted((indexed.rows[n] for n in found), reverse=True)
            assert indexed.searcher.count(text) == len(found), text
            assert set(indexed.found(text, sort="relevance")) == set(found), text


def test_every_shape_of_query_is_asked_and_almost_none_refused() -> None:
    tally, random = Tally(), Random(7)
    for _ in range(4):
        ask(random, mailbox(random), 150, tally)
    assert set(tally.shapes) == set(SHAPES)
    assert not tally.disagreements
    assert tally.found > tally.pairs / 3
    assert tally.refused.total() < tally.pairs / 20


@pytest.mark.parametrize(
    ("query", "body", "holds"),
    [
        ('"licentie sleutel"~2', "licentie sleutel", True),
        ('"licentie sleutel"~2', "sleutel licentie", True),
        ('"licentie sleutel"~2', "licentie de sleutel", True),
        ('"licentie sleutel"~2', "licentie van de sleutel", False),
        ('"licentie sleutel"~1', "sleutel licentie", False),
        ('"licentie nieuwe sleutel"~2', "sleutel x x nieuwe licentie", True),
        ('"licentie nieuwe sleutel"~2', "sleutel x x x nieuwe licentie", False),
        ('"nieuwe nieuwe"~2', "nieuwe", True),
    ],
)
def test_the_words_of_a_phrase_with_a_distance_stand_together_in_any_order(query: str, body: str, holds: bool) -> None:
    mails = [Mail(at=int(NOW.timestamp()), body=body)]
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as indexed:
        assert bool(indexed.found(query)) == holds
        assert bool(Oracle(mails).found(query)) == holds
