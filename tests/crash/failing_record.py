"""What came of each n-th call that failed, kept in files, so that a run that was stopped goes on where it was.

A file for each scene and kind of fault, a line for each n, with the commit that it was judged on. What another commit
judged to be good counts and is told apart; what it found wrong is tried again.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec


class Trial(msgspec.Struct, frozen=True):
    """One run: how it ended, None when the n-th call did not come; `where` is the call and the path that failed."""

    scene: str
    fault: str
    at: int
    code: int | None = None
    where: str = ""
    problems: list[str] = msgspec.field(default_factory=list)
    commit: str = ""


@dataclass
class Outcome:
    """What was done and found; `calls` are those that an undisturbed run makes, by scene and fault."""

    faults: int = 0
    absent: int = 0
    calls: dict[tuple[str, str], int] = field(default_factory=dict)
    codes: Counter[int] = field(default_factory=Counter)
    by_fault: Counter[str] = field(default_factory=Counter)
    by_scene: Counter[str] = field(default_factory=Counter)
    commits: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, trial: Trial) -> None:
        """Count a trial; one whose call did not come is `absent`, and no fault."""
        if trial.code is None:
            self.absent += 1
            return
        self.faults += 1
        self.codes[trial.code] += 1
        self.by_fault[trial.fault] += 1
        self.by_scene[trial.scene] += 1
        self.commits[trial.commit] += 1
        self.problems += trial.problems

    def join(self, other: Outcome) -> None:
        """Add what another process did and found."""
        self.faults += other.faults
        self.absent += other.absent
        for which, calls in other.calls.items():
            self.calls[which] = max(calls, self.calls.get(which, 0))
        self.codes.update(other.codes)
        self.by_fault.update(other.by_fault)
        self.by_scene.update(other.by_scene)
        self.commits.update(other.commits)
        self.problems += other.problems


class Record:
    """Trials in a directory, to which several processes may add."""

    def __init__(self, place: Path, commit: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self._place, self._commit = place, commit

    def known(self, scene: str, fault: str) -> dict[int, Trial]:
        """Return what is there, by n; the last word on each counts."""
        path = self._path(scene, fault)
        trials: dict[int, Trial] = {}
        for line in path.read_bytes().splitlines() if path.exists() else ():
            with contextlib.suppress(msgspec.DecodeError):  # half a line, of a run that was stopped
                trial = msgspec.json.decode(line, type=Trial)
                if not trial.problems or trial.commit == self._commit:
                    trials[trial.at] = trial
                else:
                    trials.pop(trial.at, None)
        return trials

    def keep(self, trial: Trial) -> Trial:
        """Add a line, at once, and return it with its commit; whatever half a line stands there ends before it."""
        trial = msgspec.structs.replace(trial, commit=self._commit)
        descriptor = os.open(self._path(trial.scene, trial.fault), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, b"\n" + msgspec.json.encode(trial))
        finally:
            os.close(descriptor)
        return trial

    def _path(self, scene: str, fault: str) -> Path:
        return self._place / f"{scene}, {fault}.jsonl"


def commit() -> str:
    """Name the state of the code, with a plus when it is not quite that commit's."""
    command = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"
