"""Damage of every kind to a copy of an archive whose server still has most of its mail, then verify, repair and fetch.

For the test (dozens) and the figures (thousands). What must hold of each: verify says that something is wrong and
names the file; what opened before the repair opens after it; what the server still has is back, once, where it lay;
what cannot be had again stays in the catalogue, is named by verify, and is all that is named.
"""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app import syncing
from archiver.app.collector import collect_all
from archiver.app.opening import open_unlocked, stored_credential
from archiver.app.unlocking import require_keys
from archiver.config import Settings
from archiver.core.repairing import RepairReport
from archiver.core.verify import VerifyReport
from archiver.errors import ArchiverError, IntegrityError
from archiver.model.customer import Customer
from archiver.store.catalogue import open_catalogue
from archiver.store.layout import ArchivePaths
from archiver.store.packs import PackVault
from tests.crash.flipping import MUTATIONS, parsing_here
from tests.crash.program import PASSWORD, Program, cleared, group, kill, nobody, set_up
from tests.fakes.imap_mailboxes import MailboxServer

_BOXES = (b"INBOX", b"Sent")
_ONLY_BACKUPS = ("archive.json", "keyring.json", "archive.db", "archive.db-wal")


@contextmanager
def in_one_process() -> Iterator[None]:
    """Collect and parse in this process: starting others would be most of the work."""

    class Here:
        def __init__(self, settings: Settings, accounts: Sequence[str], *_: object) -> None:
            self.outcomes = collect_all(settings, accounts)

        def wait(self, _seconds: float) -> bool:
            return False

        def stop(self) -> None:
            """Nothing runs."""

        def raise_error(self, *, told_to_stop: bool = False) -> None:
            """It was raised already."""

    with pytest.MonkeyPatch.context() as patched, parsing_here():
        patched.setattr(syncing, "CollectorProcess", Here)
        yield


def mail(number: int) -> bytes:
    filler = "".join(
        random.Random(number).choices("abcdefghij klmnop", k=random.Random(number).choice((40, 900, 9000)))
    )
    return (
        f"Message-ID: <{number}@example.test>\r\nSubject: nummer {number}\r\nFrom: a{number % 3}@customer.test\r\n"
        f"To: info@example.test\r\nDate: Sat, 1 Mar 2025 09:{number % 60:02d}:00 +0000\r\n\r\n{filler} zebra\r\n"
    ).encode()


@dataclass
class Found:
    """What became of the mutations: how often each kind was named, what came back, what stays damaged."""

    mutations: int = 0
    named: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    back: int = 0
    salvaged: int = 0
    lost: int = 0
    problems: list[str] = field(default_factory=list)


class Mending:
    """One archive and its server; `run` damages copies of it."""

    def __init__(self, home: Path, *, seed: int, messages: int = 24) -> None:
        self._pick = random.Random(seed)
        self._work = home / "work"
        self.server = MailboxServer(("info",), password=PASSWORD)
        self.program: Program = set_up(home / "home", self.server.port, ("info",))
        self.settings = self.program.settings
        self._sent: set[bytes] = set()
        with in_one_process():
            for part in range(3):
                for number in range(part * messages // 3, (part + 1) * messages // 3):
                    octets = mail(number)
                    self._sent.add(octets)
                    self.server.deliver("info", _BOXES[number % 2], octets)
                # Two packs are taken in, the third waits for a key.
                app.sync(self.settings, ask=nobody, collect_only=part == 2)
                if part == 1:
                    with app.change_customers(self.settings, ask=nobody, command="customer add") as editor:
                        editor.add(Customer("K1", "Firm", domains=("customer.test",)))
        self.gone = self._delete_from_server()
        self.found = Found()

    def close(self) -> None:
        self.server.close()

    def _delete_from_server(self) -> set[bytes]:
        """Take every fifth message off the server: nothing but the archive has it."""
        gone = set()
        for box in self.server.accounts["info"].values():
            for uid in sorted(box.messages)[::5]:
                gone.add(box.messages.pop(uid))
        return gone

    # --- one after the other ----------------------------------------------------------------------------------------

    def files(self) -> Sequence[Path]:
        """Return what can be damaged, packs most often."""
        archive = self.settings.archive.path
        every = [path for path in archive.rglob("*") if path.is_file() and path.suffix not in (".lock", ".wanted")]
        ours = [path for path in every if not {"audit", "spool"} & set(path.relative_to(archive).parts)]
        packs = [path for path in ours if path.suffix == ".pack"]
        return sorted(path.relative_to(archive) for path in (*ours, *packs, *packs))

    def run(self, mutations: int) -> Found:
        with in_one_process():
            for _ in range(mutations):
                self.found.mutations += 1
                try:
                    self._one()
                except Exception as error:  # noqa: BLE001 whatever a person would meet as a traceback
                    self.found.problems.append(f"{self._what}: {type(error).__name__}: {error}")
        return self.found

    def run_killed(self, kills: int) -> Found:
        """Kill the real program at random moments of a repair, and have another one complete it.

        Two messages that the server still has are damaged; all others must open after every kill.
        """
        archive = self.settings.archive.path
        with in_one_process():
            app.sync(self.settings, ask=nobody)
            shutil.copytree(archive, self._work)
            whole = opening(self.settings)
        for number in range(kills):
            self._what = f"kill {number}"
            shutil.rmtree(archive)
            shutil.copytree(self._work, archive)
            self._spoil_two()
            before = opening(self.settings)
            process = self.program.start("repair", "--yes")
            with cleared(process):
                # Most of a short run is start-up, in which nothing can be lost: it is over when the first file moves.
                end = time.monotonic() + self._pick.choice((0.5, 20.0, 20.0, 20.0))
                while not any((archive / "packs").glob("*.tmp")) and time.monotonic() < end and process.poll() is None:
                    time.sleep(0.0005)
                time.sleep(self._pick.random() ** 2 * 0.05)
                self.found.named["killed" if process.poll() is None else "too late"] += 1
                for pid in group(process.pid):
                    kill(pid)
            self.found.mutations += 1
            if before - opening(self.settings):
                self.found.problems.append(f"{self._what}: {len(before - opening(self.settings))} lost")
            self.program.run("repair", "--yes", "--fetch")
            if opening(self.settings) != whole:
                self.found.problems.append(f"{self._what}: the next run did not complete it")
            problems = self.program.verify().problems
            self.found.problems += [f"{self._what}: {problem.what}: {problem.message}" for problem in problems]
        return self.found

    def _spoil_two(self) -> None:
        keys = require_keys(self.settings, ask=nobody)
        with open_unlocked(self.settings, keys, write=False) as opened:
            sent = [
                (keys.paths.pack(pack), record.offset + record.length - 9)
                for pack, record in opened.catalogue.sealed_records()
                if opened.vault.read(pack, record) not in self.gone
            ]
        for path, at in self._pick.sample(sent, 2):
            octets = bytearray(path.read_bytes())
            octets[at] ^= 1
            path.write_bytes(octets)

    def _one(self) -> None:
        self._what = ""
        shutil.rmtree(self._work, ignore_errors=True)
        shutil.copytree(self.settings.archive.path, self._work)
        settings = replace(self.settings, archive=replace(self.settings.archive, path=self._work))
        times = self._pick.choice((1, 1, 1, 2, 3))
        kinds = [kind for _ in range(times) if (kind := self._damage(self._pick.choice(self.files()))) is not None]
        report = app.verify(settings, full=True, ask=nobody)
        if not report.problems:
            self._unseen(settings, kinds)
            return
        self._named(kinds, report)
        if any(kind in _ONLY_BACKUPS for kind in kinds):
            self._refused(settings, report)
            return
        before = opening(settings)
        done = app.repair(settings, ask=nobody, confirm=lambda _: True, fetch=True)
        self._judge(settings, before, done)

    def _damage(self, path: Path) -> str | None:
        target = self._work / path
        if not target.exists():
            return None
        kind = "pack" if path.suffix == ".pack" else "pending" if path.suffix == ".pending" else path.name
        choice = self._pick.randrange(len(MUTATIONS) + 3)
        if choice < len(MUTATIONS):
            changed = MUTATIONS[choice](self._pick, target.read_bytes())
            self._what += f"{path}, {MUTATIONS[choice].__name__}; "
        elif choice == len(MUTATIONS):
            changed = None
            self._what += f"{path}, removed; "
            target.unlink()
        else:
            siblings = [each for each in self._work.rglob(f"*{target.suffix}") if each != target and each.is_file()]
            changed = self._pick.choice(siblings).read_bytes() if siblings else None
            self._what += f"{path}, another's contents; "
        if changed is not None:
            target.write_bytes(changed)
        return kind

    def _unseen(self, settings: Settings, kinds: Sequence[str]) -> None:
        """Nothing was found: then nothing may be missing either, and a sync must change nothing of the mail."""
        for kind in kinds:
            self.found.unseen[kind] += 1
        app.sync(settings, ask=nobody)
        if opening(settings) != self._sent:
            self.found.problems.append(f"{self._what}: not seen, and something is missing")

    def _named(self, kinds: Sequence[str], report: VerifyReport) -> None:
        told = " ".join(f"{problem.what} {problem.message}" for problem in report.problems)
        for kind in kinds:
            self.found.named[kind] += 1
        if not any(kind.removesuffix("-wal") in told or kind in ("pack", "pending") for kind in kinds):
            self.found.problems.append(f"{self._what}: not named: {told}")

    def _refused(self, settings: Settings, report: VerifyReport) -> None:
        """What only a backup brings back is not touched."""
        before = {path: path.read_bytes() for path in self._work.rglob("*.pack")}
        try:
            done = app.repair(settings, ask=nobody, confirm=lambda _: True)
        except ArchiverError as error:
            if error.exit_code not in (10, 12, 30):
                self.found.problems.append(f"{self._what}: refused with {error.exit_code}: {error.message}")
            if before != {path: path.read_bytes() for path in self._work.rglob("*.pack")}:
                self.found.problems.append(f"{self._what}: packs were touched without their keys")
            return
        if any(problem.kind == "database" for problem in report.problems):
            self.found.problems.append(f"{self._what}: repaired without its database: {done}")

    def _judge(self, settings: Settings, before: set[bytes], done: RepairReport) -> None:
        after = opening(settings)
        on_server = self._sent - self.gone
        if before - after:
            self.found.problems.append(f"{self._what}: {len(before - after)} opened before the repair and do not now")
        if on_server - after:
            self.found.problems.append(f"{self._what}: {len(on_server - after)} are on the server and not here")
        lost = self._sent - after
        self.found.lost += len(lost)
        self.found.salvaged += sum(step.action == "salvage" for step in done.steps)
        self.found.back += len(after - before)
        report = app.verify(settings, full=True, ask=nobody)
        named = [problem for problem in report.problems if problem.kind == "message"]
        others = [problem for problem in report.problems if problem.kind != "message"]
        if others:
            self.found.problems.append(f"{self._what}: still wrong: {others}")
        if len(named) > len(lost) or len(done.remaining) != len(named):
            self.found.problems.append(
                f"{self._what}: {len(lost)} lost, {len(named)} named, {len(done.remaining)} told"
            )
        self._searched(settings, len(after) + len(named))

    def _searched(self, settings: Settings, messages: int) -> None:
        with app.open_archive(settings, ask=nobody) as archive:
            total = archive.search("", limit=1).total
            if total != messages:
                self.found.problems.append(f"{self._what}: {messages} messages, {total} found")


def opening(settings: Settings) -> set[bytes]:
    """Return the octets of every message that opens, without trusting index or status; none without a catalogue."""
    keys = require_keys(settings, ask=nobody)
    paths = ArchivePaths(settings.archive.path)
    octets = list[bytes]()
    catalogue = open_catalogue(paths, keys.secret.database_key, readonly=True)
    vault = PackVault(paths, archive_id=keys.archive.archive_id, digest_key=stored_credential(catalogue).digest_key)
    try:
        for pack, record in catalogue.sealed_records():
            try:
                octets.append(vault.read(pack, record))
            except IntegrityError:
                continue
    finally:
        vault.close()
        catalogue.close()
    assert len(set(octets)) == len(octets), "a message is kept twice"
    return set(octets)
