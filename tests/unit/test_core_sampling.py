"""Which packs a verification reads: shares and sizes drawn anew, parts that are always the same and together all."""

from __future__ import annotations

from hashlib import sha256

import pytest

from archiver.core.sampling import choose, parse_subset
from archiver.errors import UsageError

NAMES = sorted(sha256(bytes([number])).hexdigest() for number in range(200))


def chosen(text: str, *, seed: int = 1) -> list[str]:
    return list(choose(NAMES, parse_subset(text), size=lambda _: 10_000_000, seed=seed))


def test_a_share_is_another_sample_by_another_seed_and_never_empty() -> None:
    assert len(chosen("5%")) == 10
    assert chosen("5%") == chosen("5 %")
    assert chosen("5%") != chosen("5%", seed=2)
    assert len(chosen("0.001%")) == 1
    assert chosen("100%") == NAMES
    assert choose([], parse_subset("5%"), size=lambda _: 1, seed=1) == []


def test_the_parts_of_a_whole_are_all_of_it_once() -> None:
    parts = [chosen(f"{number}/7", seed=number) for number in range(1, 8)]
    assert sorted(name for part in parts for name in part) == NAMES
    assert chosen("3/7", seed=9) == parts[2]


def test_a_size_is_reached_and_not_passed_by_more_than_a_pack() -> None:
    assert len(chosen("95M")) == len(chosen("100MB")) == 10
    assert len(chosen("1")) == 1
    assert len(chosen("2g")) == 200


@pytest.mark.parametrize("text", ["", "0%", "101%", "0/3", "4/3", "1/0", "-1%", "2x", "half", "0", "5%%"])
def test_what_is_no_part_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_subset(text)
    assert "5%" in str(refused.value.hint)
