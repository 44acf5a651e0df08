"""SIGKILL at random moments of a real `archiver sync`: nothing lost, nothing doubled, nobody left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.killing import Killing

KILLS = int(os.environ.get("ARCHIVER_KILLS", "6"))
"""`benchmarks/reliability.py` does hundreds."""


@pytest.mark.slow
@pytest.mark.timeout(120 + 5 * KILLS)
def test_after_kills_at_random_moments_the_next_run_completes_everything(tmp_path: Path) -> None:
    killing = Killing(tmp_path / "home", seed=KILLS)
    try:
        outcome = killing.run(KILLS)
    finally:
        killing.close()
    assert outcome.problems == []
    assert outcome.left_behind == 0
    assert outcome.in_time > KILLS // 2, "too few kills met a run at work"
