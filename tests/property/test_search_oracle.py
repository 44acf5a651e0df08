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

from tests.property.oracle_cases import mailbox
from tests.property.oracle_run import Tally, ask
from tests.twins.whoosh_oracle import NOW, Mail, Oracle, world


@settings(max_examples=15)
@given(random=st.randoms(use_true_random=False))
def test_fts5_finds_what_whoosh_finds(random: Random) -> None:
    tally = Tally()
    ask(random, mailbox(random), 12, tally)
    assert not tally.disagreements


def test_every_shape_of_query_is_asked_and_almost_none_refused() -> None:
    tally, random = Tally(), Random(7)
    for _ in range(8):
        ask(random, mailbox(random), 50, tally)
    assert not tally.disagreements
    assert not tally.seldom(least=1)
    assert tally.found > tally.pairs / 3
    assert tally.refused.total() < tally.pairs / 20
    assert min(tally.folded["copies"], tally.folded["conversations"]) > 10


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
