"""SIGKILL of the real `archiver repair`: nothing that opened is lost, and the next run completes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.mending import Mending

KILLS = int(os.environ.get("ARCHIVER_REPAIR_KILLS", "2"))
"""`benchmarks/reliability.py` does more."""


@pytest.mark.timeout(120 + 20 * KILLS)
def test_a_killed_repair_loses_nothing_and_the_next_one_completes_it(quick_path: Path) -> None:
    mending = Mending(quick_path, seed=KILLS, messages=12)
    try:
        found = mending.run_killed(KILLS)
    finally:
        mending.close()
    assert found.problems == []
    assert found.mutations == KILLS
