"""Backups while a sync runs, and SIGKILL at random moments of backups and restores: the experiment.

Each round delivers mail and starts the real sync; beside it a backup is made, and every other one is killed. After
each, every complete generation must be good, every message in the newest must open, and no key may lack its pack. At
the end the newest is restored, killed now and then on the way, and a sync must bring it up to the server, undoubled.
"""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as replace_program
from pathlib import Path

from msgspec.structs import replace

from archiver import app
from archiver.app.backing_up import verify_backup
from archiver.app.erasing import erase
from archiver.app.verifying import verify
from archiver.config import Settings
from archiver.errors import ArchiverError
from tests.crash.program import PASSWORD, Program, cleared, gone, group, kill, nobody, set_up
from tests.fakes.imap_mailboxes import MailboxServer

_USER = "info"
_BOXES = (b"INBOX", b"Sent")
_SLOW_DISK = (
    "import time; from archiver.store.durable import Disk; _sync = Disk.sync_file; "
    "Disk.sync_file = lambda disk, path: (time.sleep(0.02), _sync(disk, path))[1]; "
)
"""Without it a kill nearly always comes too late: on a disk in memory a backup of this size takes some milliseconds."""


@dataclass
class Outcome:
    """`met` counts kills that met a process at work, `partial` those that left an unfinished state behind."""

    backups: int = 0
    kills: int = 0
    met: int = 0
    partial: int = 0
    beside_sync: int = 0
    opened: int = 0
    restores: int = 0
    restore_kills: int = 0
    restore_met: int = 0
    messages: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Backing:
    """One archive, one server, one place for backups."""

    def __init__(self, home: Path, *, seed: int, messages: int = 40) -> None:
        self._random = random.Random(seed)
        self._messages = messages
        self._number = 0
        self._unanswered = 0
        self._beside = threading.Event()
        self.server = MailboxServer((_USER,), password=PASSWORD, on_body=self._answer)
        for box in _BOXES:
            self.server.mailbox(_USER, box)
        self.program: Program = set_up(home, self.server.port, (_USER,), sync="workers = 1")
        self.place = home / "backups"
        self.outcome = Outcome()
        self._good: set[str] = set()
        self._deliver()
        self._beside.set()
        self.program.run("sync")

    def close(self) -> None:
        self._beside.set()
        self.server.close()

    def _answer(self) -> None:
        """Answer slowly, and half of the mail of a round only when its backup is over: so the sync is still at work."""
        self._unanswered -= 1
        time.sleep(0.002)
        if self._unanswered < self._messages // 2:
            self._beside.wait(10)

    def run(self, rounds: int) -> Outcome:
        """Make so many backups beside syncs, every other one killed; restore; compare."""
        began = time.monotonic()
        for number in range(rounds):
            self._deliver()
            self._round(killed=number % 2 == 1)
        self._restore(kills=max(1, rounds // 4))
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _deliver(self) -> None:
        for _ in range(self._messages):
            self._number += 1
            filler = "".join(self._random.choices("abcdefghij klmnop", k=self._random.choice((50, 2_000, 40_000))))
            octets = (
                f"Message-ID: <{self._number}@example.test>\r\nSubject: nummer {self._number}\r\n"
                f"From: a{self._number % 7}@customer.test\r\nTo: info@example.test\r\n"
                f"Date: Sat, 1 Mar 2025 09:00:00 +0000\r\n\r\n{filler}\r\n"
            ).encode()
            self.server.deliver(_USER, self._random.choice(_BOXES), octets)

    def _round(self, *, killed: bool) -> None:
        pick, outcome = self._random, self.outcome
        self._unanswered = self._messages
        self._beside.clear()
        syncing = self.program.start("sync")
        with cleared(syncing):
            time.sleep(0.3 + pick.random() * 0.7)
            left = set(self.place.glob("*.partial/*"))
            program = replace_program(self.program, prelude=_SLOW_DISK) if killed else self.program
            backing = program.start("backup", str(self.place))
            with cleared(backing):
                if killed:
                    if pick.random() < 0.8:
                        # Most of a short run is start-up, in which nothing can be lost: wait for the first file.
                        self._wait_for(lambda: bool(set(self.place.glob("*.partial/*")) - left), backing)
                        time.sleep(pick.random() ** 2 * 0.2)
                    else:
                        time.sleep(pick.random())
                    outcome.met += backing.poll() is None
                    for pid in group(backing.pid):
                        kill(pid)
                    outcome.kills += 1
                    if not gone(backing.pid):
                        outcome.problems.append("a backup was left behind")
                else:
                    _, err = backing.communicate(timeout=120)
                    if backing.returncode != 0:
                        outcome.problems.append(f"a backup ended with {backing.returncode}: {err.decode()}")
                    outcome.backups += 1
                outcome.beside_sync += syncing.poll() is None
            self._beside.set()
            _, err = syncing.communicate(timeout=120)
            if syncing.returncode != 0:
                outcome.problems.append(f"a sync beside a backup ended with {syncing.returncode}: {err.decode()}")
        outcome.partial += any(self.place.glob("*.partial")) if self.place.exists() else 0
        self._check(killed=killed)

    @staticmethod
    def _wait_for(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        while not happened() and process.poll() is None:
            time.sleep(0.001)

    def _check(self, *, killed: bool) -> None:
        if killed and not (self.place / "archiver-backup.json").exists():
            return
        found = verify_backup(self.program.settings, self.place, full=True, ask=nobody)
        names = {each.generation for each in found.generations}
        if not killed or self._good:
            self.outcome.problems += found.problems
        if not self._good - names <= set() and len(names) < 7:
            self.outcome.problems.append(f"generations are gone: {self._good - names}")
        self._good = names
        self.outcome.opened += sum(each.messages or 0 for each in found.generations)

    # --- bringing it back ---------------------------------------------------------------------------------------------

    def _restore(self, *, kills: int) -> None:
        pick, outcome = self._random, self.outcome
        settings = self.program.settings
        items = self._items(settings)
        victim = pick.choice(sorted(items))
        erase(settings, [victim], ask=nobody)
        target = self.program.home / "restored"
        where = ("--archive", str(target), "restore", str(self.place), "--write-collector-key", "--erasures")
        command = (*where, str(self.program.archive / "erasures.log"))
        for _ in range(kills):
            process = self.program.start(*command)
            with cleared(process):
                self._wait_for(lambda: any(target.parent.glob("restored.restoring/archive/*")), process)
                time.sleep(pick.random() ** 2 * 2.0)
                outcome.restore_met += process.poll() is None
                for pid in group(process.pid):
                    kill(pid)
                gone(process.pid)
            outcome.restore_kills += 1
            if target.exists():
                # It was quicker: then all of it is there. The next one has to say that something is in its way.
                self._judge(settings, target, victim)
                self._away(target)
        self.program.run(*command)
        outcome.restores += 1
        self._judge(settings, target, victim)
        self.program.run("--archive", str(target), "sync")
        kept = self._items(self._at(settings, target))
        wanted = set(self.server.locations().values())
        outcome.messages = len(kept)
        if victim in kept or len(kept) != len(wanted) - 1 or set(kept) | {victim} != set(items):
            outcome.problems.append(
                f"{len(kept)} messages after restore and sync, {len(wanted)} on the server, 1 erased"
            )
        if list(target.parent.glob("*.restoring")):
            outcome.problems.append("a restore left its building place")

    def _judge(self, settings: Settings, target: Path, victim: str) -> None:
        try:
            report = verify(self._at(settings, target), full=True, ask=nobody)
            self.outcome.problems += [f"restored: {problem.message}" for problem in report.problems]
            if victim in self._items(self._at(settings, target)):
                self.outcome.problems.append("an erased message came back")
        except ArchiverError as error:
            self.outcome.problems.append(f"restored: {error.message}")

    def _away(self, target: Path) -> None:
        import shutil

        shutil.rmtree(target)
        target.with_name(target.name + ".collector-key").unlink(missing_ok=True)

    def _at(self, settings: Settings, target: Path) -> Settings:
        place = replace(
            settings.archive, path=target, collector_key_file=target.with_name(target.name + ".collector-key")
        )
        return replace(settings, archive=place)

    def _items(self, settings: Settings) -> dict[str, bytes]:
        """Return all messages by their ids; one that is there twice would show in verify."""
        found: dict[str, bytes] = {}
        with app.open_archive(settings, ask=nobody) as archive:
            offset = 0
            while items := archive.search("", limit=500, offset=offset).items:
                offset += len(items)
                found.update((item.summary.blob_id.hex(), archive.octets(item.summary.row)) for item in items)
        if len(set(found.values())) != len(found):
            self.outcome.problems.append("a message is there twice")
        return found
