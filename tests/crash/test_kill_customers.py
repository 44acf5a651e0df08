"""A change of customers that is killed at any statement is whole or absent, and the links are those of the rules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.changing import CHANGES, Changing

KILLS = int(os.environ.get("ARCHIVER_CHANGE_KILLS", "8"))
"""To each kind of change; `benchmarks/reliability.py` kills at every statement."""


@pytest.fixture(scope="module")
def changing(quick_module_path: Path) -> Changing:
    return Changing(quick_module_path)


@pytest.mark.slow
@pytest.mark.timeout(120 + 5 * KILLS)
@pytest.mark.parametrize("name", CHANGES)
def test_a_killed_change_of_customers_is_whole_or_absent(changing: Changing, name: str) -> None:
    outcome = changing.run(name, KILLS)
    assert outcome.problems == []
    assert outcome.kills >= min(KILLS, outcome.possible) // 2
    assert outcome.absent > 0, "no kill came before the change was made"
