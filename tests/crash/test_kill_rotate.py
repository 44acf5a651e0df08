"""`archiver key rotate` killed: the next command finds the old epoch or the new one, and all mail in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.rotating import Rotating

KILLS = int(os.environ.get("ARCHIVER_ROTATE_KILLS", "3"))


@pytest.mark.slow
@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_killed_rotation_leaves_the_old_epoch_or_the_new_one(quick_path: Path) -> None:
    outcome = Rotating(quick_path / "home", seed=KILLS).run(KILLS)
    assert outcome.problems == []
    assert outcome.kills == KILLS
