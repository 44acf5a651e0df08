"""Backups beside a sync, and SIGKILL at random moments of backups and restores: nothing lost, nothing half."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.backing import Backing

ROUNDS = int(os.environ.get("ARCHIVER_BACKUPS", "2"))
"""`benchmarks/reliability.py` does dozens."""


@pytest.mark.slow
@pytest.mark.timeout(180 + 15 * ROUNDS)
def test_backups_beside_a_sync_are_whole_killed_or_not_and_become_the_archive_again(tmp_path: Path) -> None:
    backing = Backing(tmp_path / "home", seed=ROUNDS)
    try:
        outcome = backing.run(ROUNDS)
    finally:
        backing.close()
    assert outcome.problems == []
    assert outcome.backups == ROUNDS // 2
    assert outcome.opened > 0
    assert outcome.beside_sync > 0, "no backup was made while a sync ran"
