"""What a restore left whose disk failed at the very end: the archive is in place, its building place is not gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver import app
from archiver.errors import UsageError
from tests.crash.failing_worker import keys_at_once
from tests.crash.program import PASSPHRASE, nobody, set_up


def test_the_next_restore_clears_an_empty_building_place_away_and_no_other(tmp_path: Path) -> None:
    with keys_at_once():
        program = set_up(tmp_path / "home", 1, ["info"])
        app.backup(program.settings, tmp_path / "backup", ask=nobody)
        building = program.archive.with_name("archive.restoring")

        def restore() -> None:
            with pytest.raises(UsageError, match="is not empty"):
                app.restore(program.settings, tmp_path / "backup", ask=lambda: PASSPHRASE)

        building.mkdir()
        (building / "restoring.tmp").touch()
        (building / "archive").mkdir()
        restore()
        assert (building / "archive").exists(), "another restore may be at work there"
        (building / "archive").rmdir()
        restore()
        assert not building.exists()
        building.mkdir()
        (building / "mine").touch()
        restore()
        assert (building / "mine").exists()
        assert not app.verify(program.settings, full=True, ask=nobody).problems
