from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.search.analysis import tokens
from archiver.search.words.groupings import LONGEST, MOST_WAYS, other_ways
from tests.twins.whoosh_oracle import Mail, world


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("BE0471938850", "BE 0471.938.850"),
        ("0471.938.850", "0471 938 850"),
        ("BE 0471938850", "BE 0471.938.850"),
        ("KX799ZT520", "KX7-99ZT-520"),
        ("KX7-99ZT-520", "KX799ZT520"),
        ("482207B", "48-2207-B"),
        ("48-2207-B", "482207B"),
        ("1250", "1.250,00"),
        ("1.250,00", "1250"),
        ("1.250,00", "1 250"),
        ("12500", "12.500"),
        ("0475881230", "+32 475 88 12 30"),
        ("0475/88.12.30", "+32 475 881230"),
        ("BE68539007547034", "BE68 5390 0754 7034"),
    ],
)
def test_a_number_is_found_however_its_characters_are_grouped(tmp_path: Path, asked: str, written: str) -> None:
    with world(
        tmp_path, [Mail(at=1_700_000_000, body=f"x {written} y"), Mail(at=1_700_000_001, body="x 1 999 0000 zz 48 B y")]
    ) as w:
        assert w.found(asked) == w.found(asked, sort="relevance") == [0]
        if tokens(asked) != tokens(written):
            assert w.found(f'"{asked}"') == []  # in quotation marks it is as it was typed


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("2024", "20 24"),  # too short to be cut anywhere
        ("12345", "12 345 6"),
        ("123456", "12 34 56"),  # one group must tell something
        ("licentie", "licen tie"),
        ("BE0471938850", "BE 0471.938.851"),
        ("007", "7"),
    ],
)
def test_other_numbers_are_not_found(tmp_path: Path, asked: str, written: str) -> None:
    ways = other_ways(tokens(asked), set(tokens(written)).__contains__)
    assert tuple(tokens(written)) not in ways


@given(st.text("01ab", min_size=1, max_size=12), st.sets(st.text("01ab", min_size=1, max_size=4), max_size=12))
def test_ways_are_runs_of_known_tokens_with_the_same_characters(text: str, known: set[str]) -> None:
    ways = other_ways([text], known.__contains__)
    assert len(ways) <= MOST_WAYS
    assert len(set(ways)) == len(ways)
    for way in ways:
        assert known.issuperset(way)
        assert "".join(way) in {text, text[1:]}
        assert way != (text,)
    if len(text) >= 6 and any(c.isdigit() for c in text):
        two = {(a, b) for a, b in product(known, known) if a + b == text and min(len(a), len(b)) > 1}
        assert {way for way in ways if len(way) == 2} >= {way for way in two if max(map(len, way)) > 2}


def test_many_ways_are_few_in_the_end() -> None:
    assert len(other_ways(["1" * LONGEST], lambda _: True)) == MOST_WAYS
    assert other_ways(["1" * (LONGEST + 1)], lambda _: True) == ()
