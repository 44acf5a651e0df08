"""The audit trail under attack, a little of it; `python -m benchmarks.reliability --only trail` does much more."""

from __future__ import annotations

from pathlib import Path

from tests.crash.attacking_trail import AttackedTrail


def test_killed_writers_and_changed_files_are_survived_and_found(tmp_path: Path) -> None:
    trail = AttackedTrail(tmp_path / "home", seed=1)
    trail.kill(3)
    trail.change(25)
    assert trail.found.problems == []
    assert trail.found.kills >= 3
    assert trail.found.changes >= 20
    assert trail.found.records >= trail.found.acknowledged > 0
