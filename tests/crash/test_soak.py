"""A bit of the soak: the commands of daily work at random, with kills and broken lines; `--soak` goes on for long."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.soaking import Soaking


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_daily_work_at_random_with_kills_and_broken_lines_loses_and_doubles_nothing(quick_path: Path) -> None:
    soaking = Soaking(quick_path / "home", seed=3)
    try:
        found = soaking.run(commands=8)
    finally:
        soaking.close()
    assert found.problems == []
    assert found.messages > 0
