"""A disk that fails at any of its calls: a clear end, nothing acknowledged is lost, and the next run completes."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.failing_disk import FAULTS, SCENES, FailingDisk, compiler

CASES = int(os.environ.get("ARCHIVER_DISK_FAULTS", "12"))
"""`benchmarks/reliability.py` does thousands."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.compiled,
    pytest.mark.skipif(not compiler(), reason="there is no C compiler"),
]


@pytest.fixture
def disk(quick_path: Path) -> Iterator[FailingDisk]:
    disk = FailingDisk(quick_path, seed=CASES)
    yield disk
    disk.close()


@pytest.mark.timeout(120 + 10 * CASES)
def test_a_command_whose_nth_call_to_the_disk_fails_loses_nothing_and_says_so(disk: FailingDisk) -> None:
    pick = random.Random(CASES)
    cases = [(scene, fault) for scene in SCENES for fault in FAULTS]
    for scene, fault in pick.sample(cases, min(CASES, len(cases))):
        calls = disk.count(scene, fault)
        disk.one(scene, fault, pick.randint(1, calls))
    assert disk.outcome.problems == []
    assert disk.outcome.faults >= CASES - 2, "a fault did not come"
