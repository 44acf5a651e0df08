"""Attacks on the audit trail: processes killed while they record, and every kind of change to what they wrote."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from archiver import app
from archiver.app.audit_reading import audit_list, audit_verify
from archiver.config import ArchiveSettings, Settings
from archiver.model.identity import Identity
from archiver.store.audit_log import frames
from archiver.store.layout import ArchivePaths
from tests.twins.archive import CHEAP
from tests.twins.audit_writer import BOUNDS, PASSPHRASE

_ROOT = Path(__file__).parents[2]
_WRITERS = 3


def ask() -> str | None:
    return PASSPHRASE


@dataclass
class Attacked:
    """What was done, and what was lost or not noticed."""

    kills: int = 0
    torn: int = 0
    acknowledged: int = 0
    records: int = 0
    changes: int = 0
    problems: list[str] = field(default_factory=list)


class AttackedTrail:
    """An archive in a folder, and its trail."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self._home = home
        home.mkdir(parents=True)
        self._random = random.Random(seed)
        self._settings = Settings(
            ArchiveSettings(home / "archive", home / "collector-key"), Identity(("ours.example",))
        )
        app.prepare_archive(self._settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
        self._paths = ArchivePaths(self._settings.archive.path)
        self.found = Attacked()

    def kill(self, kills: int) -> None:
        """Kill one of a few processes that record at once, at any moment, again and again; then look."""
        while self.found.kills < kills:
            writers = [self._start(f"{self.found.kills} {number}") for number in range(_WRITERS)]
            for writer in writers:
                assert writer.stdout is not None
                writer.stdout.readline()
            told = _WRITERS
            for writer in writers:
                time.sleep(self._random.random() * 0.03)
                writer.kill()
                self.found.kills += 1
            for writer in writers:
                with writer:
                    assert writer.stdout is not None
                    told += writer.stdout.read().count("\n")
            self.found.acknowledged += told
        report = audit_verify(self._settings, ask=ask, bounds=BOUNDS)
        self.found.torn = sum("found the trail's end" in each.message for each in report.remarks)
        self.found.problems += [f"{each.what}: {each.message}" for each in report.problems]
        page = audit_list(self._settings, ask=ask, action="search", limit=0, bounds=BOUNDS)
        self.found.records = page.total
        if not self.found.acknowledged <= page.total <= self.found.acknowledged + self.found.kills:
            self.found.problems.append(f"{self.found.acknowledged} acknowledged, {page.total} in the trail")

    def change(self, changes: int) -> None:
        """Change what was written: octets, cuts, records moved, doubled, left out; an anchor has to find each."""
        log = self._paths.audit_log(1)
        if not log.exists():
            self.kill(_WRITERS)
        line = app.audit_checkpoint(self._settings, ask=ask, bounds=BOUNDS).line
        shutil.copytree(self._paths.audit, self._home / "kept")
        octets = log.read_bytes()
        pieces = [frame for _, frame in frames(octets)]
        counted = len(pieces) - 1  # of the checkpoint's own record no anchor knows
        for _ in range(changes):
            what, changed = self._changed(octets, pieces[:counted], pieces[counted])
            if changed == octets:
                continue
            log.write_bytes(changed)
            self.found.changes += 1
            if not audit_verify(self._settings, ask=ask, anchor=line, bounds=BOUNDS).problems:
                self.found.problems.append(f"{what} was not noticed")
        shutil.rmtree(self._paths.audit)
        shutil.move(self._home / "kept", self._paths.audit)

    def _changed(self, octets: bytes, pieces: list[bytes], last: bytes) -> tuple[str, bytes]:
        kind = self._random.choice(("flip", "flip", "overwrite", "cut", "leave out", "double", "swap", "insert"))
        at = self._random.randrange(len(octets) - len(last))
        one, other = sorted(self._random.sample(range(len(pieces)), 2))
        if kind == "flip":
            return f"bit at {at}", octets[:at] + bytes([octets[at] ^ (1 << self._random.randrange(8))]) + octets[
                at + 1 :
            ]
        if kind == "overwrite":
            return f"overwritten at {at}", octets[:at] + self._random.randbytes(16) + octets[at + 16 :]
        if kind == "cut":
            return f"cut at {at}", octets[:at]
        if kind == "insert":
            return f"inserted at {at}", octets[:at] + self._random.randbytes(self._random.randrange(1, 200)) + octets[
                at:
            ]
        moved = list(pieces)
        if kind == "leave out":
            del moved[one]
        elif kind == "double":
            moved.insert(other, moved[one])
        else:
            moved[one], moved[other] = moved[other], moved[one]
        return f"{kind} {one} {other}", b"".join([*moved, last])

    def _start(self, name: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.twins.audit_writer", str(self._home), "100000", name]
        environ = {**os.environ, "PYTHONPATH": str(_ROOT)}
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=environ)
