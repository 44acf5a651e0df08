"""SIGKILL of `archiver key rotate`: the experiment, for the test (a few kills) and the figures (hundreds).

Each round starts the real program with one of three secrets and kills it: from within before its n-th step on the disk,
or from outside some milliseconds after its first. Then ordinary commands run, and everything must be there, in the old
epoch or in the new one.
"""

from __future__ import annotations

import json
import random
import select
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from archiver import app
from archiver.crypto.kdf import DEFAULT_BOUNDS
from tests.crash.program import PASSPHRASE, Program, cleared, gone, group, kill, set_up

_ANNA = "purple monkey dishwasher"
_STEPPING = """
import os, signal
from archiver.store.durable import Disk

def counted(name):
    plain = getattr(Disk, name)
    def step(self, *arguments, **named):
        os.write(2, b".")
        LEFT[0] -= 1
        if LEFT[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(self, *arguments, **named)
    setattr(Disk, name, step)

LEFT = [%d]
for name in ("create", "sync_file", "rename", "sync_directory", "remove"):
    counted(name)
"""


@dataclass
class Outcome:
    """What was done, and what was found wrong; `completed` runs ended before the kill came."""

    kills: int = 0
    completed: int = 0
    epochs: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Rotating:
    """One archive, many kills."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self._random = random.Random(seed)
        # The cheapest parameters that a reader accepts: every round derives two or three keys.
        self.program: Program = set_up(home, 143, ("info",), kdf=DEFAULT_BOUNDS.floor)
        self.outcome = Outcome()
        self._kept: set[bytes] = set()
        self._secrets = [home / "owner", home / "anna", home / "recovery"]
        self._secrets[0].write_text(PASSPHRASE)
        self._secrets[1].write_text(_ANNA)
        app.key_add(self.program.settings, name="anna", kind="passphrase", ask=lambda: PASSPHRASE, new_passphrase=_ANNA)
        self._bring()

    def run(self, kills: int) -> Outcome:
        """Kill so often, then compare everything."""
        began = time.monotonic()
        while self.outcome.kills < kills:
            self._round()
        self._finish()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _bring(self) -> None:
        number = len(self._kept)
        octets = (
            f"Message-ID: <{number}@example.test>\r\nSubject: zebra {number}\r\nFrom: a@customer.test\r\n"
            f"To: info@example.test\r\nDate: Sat, 1 Mar 2025 09:00:00 +0000\r\n\r\nzebra\r\n"
        ).encode()
        file = self.program.home / "mail.eml"
        file.write_bytes(octets)
        self.program.run("import", str(file))
        file.unlink()
        self._kept.add(octets)

    def _round(self) -> None:
        pick, before = self._random, self._epoch()
        secret = pick.choice(self._secrets)
        within = pick.random() < 0.7
        # A rotation has some 26 steps; which of them are behind the commit point, the result tells.
        self.program.prelude = _STEPPING % (pick.randint(1, 27) if within else 0)
        process = self.program.start("key", "rotate", environ={"ARCHIVER_PASSPHRASE_FILE": str(secret)})
        self.program.prelude = ""
        with cleared(process):
            if not within:
                assert process.stderr is not None
                select.select([process.stderr], [], [], 60)
                time.sleep(pick.random() * 0.25)
                for pid in group(process.pid):
                    kill(pid)
            process.wait(60)
            if not gone(process.pid):
                self.outcome.problems.append("a process outlived its parent")
        if process.returncode == -signal.SIGKILL:
            self.outcome.kills += 1
        elif process.returncode == 0:
            self.outcome.completed += 1
        else:
            self.outcome.problems.append(f"a rotation ended with {process.returncode}")
        self._look(before)

    def _look(self, before: int) -> None:
        """Run ordinary commands: one that reads, in most rounds one that writes; each in its process."""
        outcome = self.outcome
        code, out, err = self.program.run("search", "zebra", "--json", expect=None)
        if code != 0 or json.loads(out)["total"] != len(self._kept):
            outcome.problems.append(f"a search after a kill: {code} {out[:80]!r} {err!r}")
        epoch = self._epoch()
        if epoch not in (before, before + 1):
            outcome.problems.append(f"epoch {before} became {epoch}")
        outcome.epochs["old" if epoch == before else "new"] += 1
        if self._random.random() < 0.3:
            self._bring()

    def _epoch(self) -> int:
        return app.key_list(self.program.settings).epoch

    def _finish(self) -> None:
        program, outcome = self.program, self.outcome
        self._bring()
        for secret in self._secrets:
            program.run("key", "rotate", environ={"ARCHIVER_PASSPHRASE_FILE": str(secret)})
        contents = program.contents()
        outcome.messages = len(contents.octets)
        if set(contents.octets) != self._kept or set(contents.octets.values()) != {1}:
            outcome.problems.append(f"{len(self._kept)} messages became {contents.octets.total()}")
        if not contents.found == contents.indexed == len(self._kept):
            outcome.problems.append(f"{contents.found} found, {contents.indexed} indexed, {len(self._kept)} kept")
        outcome.problems += [f"verify: {problem.what}: {problem.message}" for problem in program.verify().problems]
        program.run("key", "drill", environ={"ARCHIVER_PASSPHRASE_FILE": str(self._secrets[2])})
        left = [path.name for path in program.archive.rglob("*") if ".next" in path.name or path.suffix == ".tmp"]
        if left:
            outcome.problems.append(f"left over: {left}")
