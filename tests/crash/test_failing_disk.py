"""A disk that fails at any of its calls: a clear end, nothing acknowledged is lost, and the next run completes."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.crash.failing_disk import FailingDisk
from tests.crash.failing_record import Outcome, Record, Trial
from tests.crash.failing_scenes import SCENES
from tests.crash.failing_states import States
from tests.crash.failing_worker import FAULTS, compiler

CASES = int(os.environ.get("ARCHIVER_DISK_FAULTS", "18"))
"""`benchmarks/reliability.py` does each of some 28,000."""
needs_a_compiler = pytest.mark.skipif(not compiler(), reason="there is no C compiler")


@pytest.fixture(scope="module")
def disk(quick_module_path: Path) -> Iterator[FailingDisk]:
    disk = FailingDisk(quick_module_path, seed=CASES)
    yield disk
    disk.close()


@pytest.mark.slow
@pytest.mark.compiled
@needs_a_compiler
@pytest.mark.timeout(120 + 10 * CASES)
def test_a_command_whose_nth_call_to_the_disk_fails_loses_nothing_and_says_so(disk: FailingDisk) -> None:
    disk.outcome = Outcome()
    pick = random.Random(CASES)
    cases = [(scene, fault) for scene in SCENES for fault in FAULTS]
    for scene, fault in pick.sample(cases, min(CASES, len(cases))):
        calls = disk.count(scene, fault)
        disk.one(scene, fault, pick.randint(1, calls))
    assert disk.outcome.problems == []
    assert disk.outcome.faults >= CASES - 2, "a fault did not come"


@pytest.mark.slow
@pytest.mark.compiled
@needs_a_compiler
def test_runs_side_by_side_try_every_call_once_and_a_stopped_one_goes_on(disk: FailingDisk, tmp_path: Path) -> None:
    scenes = [scene for scene in SCENES if scene.name == "key add"]
    faults = [fault for fault in FAULTS if fault.name == "not synced, and forgotten"]
    record = Record(tmp_path, "abc")
    calls = disk.count(scenes[0], faults[0])
    record.keep(disk.trial(scenes[0], faults[0], 2))  # and then it was stopped
    disk.outcome = Outcome()
    assert disk.run(scenes, faults, record=record, stopped=lambda: True).faults == 1
    found = Outcome()
    for lane in (0, 1):
        disk.outcome = Outcome()
        found.join(disk.run(scenes, faults, lane=lane, lanes=2, record=record))
    assert found.problems == []
    assert found.faults + found.absent == calls == max(found.calls.values())
    assert set(found.commits) == {"abc"}
    lines = next(tmp_path.iterdir()).read_bytes().split(b"\n")[1:]
    assert sorted(msgspec.json.decode(line, type=Trial).at for line in lines) == list(range(1, calls + 1))


def test_what_another_commit_found_wrong_is_tried_again_and_half_a_line_is_nothing(tmp_path: Path) -> None:
    earlier, now = Record(tmp_path, "abc"), Record(tmp_path, "def")
    earlier.keep(Trial("sync", "full", 1, code=4))
    earlier.keep(Trial("sync", "full", 2, code=1, problems=["wrong"]))
    now.keep(Trial("sync", "full", 3, code=1, problems=["wrong"]))
    with next(tmp_path.iterdir()).open("ab") as file:
        file.write(b'\n{"scene":"sync","fau')
    assert {at: trial.commit for at, trial in now.known("sync", "full").items()} == {1: "abc", 3: "def"}
    now.keep(Trial("sync", "full", 2, code=4))
    now.keep(Trial("sync", "full", 4, code=4))
    assert sorted(now.known("sync", "full")) == [1, 2, 3, 4]
    assert now.known("sync", "half written") == {}


def test_a_directory_is_brought_back_as_it_was_whatever_was_done_to_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "inside").mkdir(parents=True)
    for name in ("same", "changed", "mode", "gone", "linked", "inside/deep"):
        (home / name).write_bytes(name.encode())
    states = States(home)
    states.save("first")
    (home / "changed").write_bytes(b"other")
    states.save("second")

    def contents() -> dict[str, bytes]:
        return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}

    states.restore("first")
    first = contents()
    assert first["changed"] == b"changed"
    inode, mode = (home / "same").stat().st_ino, (home / "mode").stat().st_mode
    (home / "changed").write_bytes(b"CHANGED")  # as long, and at once
    (home / "mode").chmod(0o400)
    (home / "gone").unlink()
    (home / "more").hardlink_to(home / "linked")
    (home / "inside" / "deep").unlink()
    (home / "inside").rmdir()
    (home / "inside").write_bytes(b"a file now")
    (tmp_path / "home.aside").mkdir()
    states.restore("first")
    assert contents() == first
    assert (home / "mode").stat().st_mode == mode
    assert (home / "same").stat().st_ino == inode, "what is as it was is left alone"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    states.restore("second")
    assert contents()["changed"] == b"other"
