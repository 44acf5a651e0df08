"""SIGTERM, SIGINT and SIGHUP at random moments of commands that write: the experiment, for the figures.

Each round brings new mail, starts a command in a process group of its own, waits for a random moment and sends a signal
to the program or to all of its group, as a terminal and systemd do. What must hold of each: an end by the contract of
exit codes or by the signal itself, no process left, no lock kept; of all: nothing lost, doubled or damaged.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.program import PASSPHRASE, PASSWORD, Program, cleared, gone, group, set_up
from tests.fakes.imap_mailboxes import MailboxServer

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
COMMANDS = ("sync", "import", "backup", "key rotate", "reindex")
_INTERRUPTED = 130


@dataclass
class Outcome:
    """What was sent, how often in time, and how that ended, by command and by the end ("killed": by the signal)."""

    sent: int = 0
    in_time: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    problems: list[str] = field(default_factory=list)


class Signalling:
    """One archive, one server, many signals."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0
        self._given: list[bytes] = []
        self._took: dict[str, float] = {}
        self.server = MailboxServer(("info",), password=PASSWORD)
        self._begun = home / "begun"
        self.program: Program = set_up(home, self.server.port, ("info",), sync="workers = 2")
        # What a signal does before that is Python's: it may be a traceback of its own start.
        self.program.prelude = f"import archiver.cli.program; open({str(self._begun)!r}, 'w').close(); "
        self._file = home / "given"
        self._file.write_text(PASSPHRASE)
        self._file.chmod(0o600)
        self.outcome = Outcome()

    def close(self) -> None:
        self.server.close()

    def run(self, rounds: int) -> Outcome:
        """Send so many signals to each command, and compare in the end."""
        for command in COMMANDS:
            self._undisturbed(command)
        for _ in range(rounds):
            for command in COMMANDS:
                self._round(command)
        self._finish()
        return self.outcome

    def _arguments(self, command: str) -> list[str]:
        self._deliver(command)
        if command == "import":
            return ["import", str(self.program.home / "mail.mbox")]
        if command == "backup":
            return ["backup", str(self.program.home / "backup")]
        return command.split()

    def _deliver(self, command: str) -> None:
        letters = []
        for _ in range(20):
            self._number += 1
            filler = "".join(self._random.choices("abcdefghij klmnop", k=self._random.choice((50, 3_000, 30_000))))
            letters.append(
                (
                    f"Message-ID: <{self._number}@example.test>\r\nSubject: nummer {self._number}\r\n"
                    f"From: a@customer.test\r\nDate: Sat, 1 Mar 2025 09:00:00 +0000\r\n\r\n{filler}\r\n"
                ).encode()
            )
        if command == "import":
            self._given += letters
            mbox = b"".join(b"From a@b.test Sat Mar  1 09:00:00 2025\n" + _lf(each) + b"\n" for each in self._given)
            (self.program.home / "mail.mbox").write_bytes(mbox)
        elif command != "key rotate":
            for letter in letters:
                self.server.deliver("info", b"INBOX", letter)

    def _undisturbed(self, command: str) -> None:
        arguments = self._arguments(command)
        began = time.monotonic()
        self.program.run(*arguments, environ=self._environ())
        self._took[command] = time.monotonic() - began

    def _environ(self) -> dict[str, str]:
        return {"ARCHIVER_PASSPHRASE_FILE": str(self._file)}

    def _round(self, command: str) -> None:
        pick, found = self._random, self.outcome
        arguments = self._arguments(command)
        self._begun.unlink(missing_ok=True)
        process = self.program.start(*arguments, environ=self._environ())
        with cleared(process):
            while not self._begun.exists() and process.poll() is None:
                time.sleep(0.005)
            time.sleep(pick.random() * self._took[command] * 1.1)
            number = pick.choice(SIGNALS)
            in_time = process.poll() is None
            if pick.random() < 0.5:
                process.send_signal(number)
            else:
                for pid in group(process.pid):
                    _send(pid, number)
            found.sent += 1
            _, err = process.communicate(timeout=120)
            what = f"{command}, {signal.Signals(number).name}"
            code = process.returncode
            found.in_time += in_time
            found.commands[command] += 1
            found.signals[signal.Signals(number).name] += 1
            found.ended["killed" if code == -number else str(code)] += 1
            if code not in (0, _INTERRUPTED, -number):
                found.problems.append(f"{what}: ended with {code}: {err.decode()[-600:]}")
            if b"Traceback" in err and b"Exception ignored" not in err:  # which Python says of what it cannot raise
                found.problems.append(f"{what}: {code}, {err.decode()[-900:]}")
            if not gone(process.pid):
                found.problems.append(f"{what}: processes were left behind")
        self._free(what)

    def _free(self, what: str) -> None:
        from archiver.store.layout import ArchivePaths
        from archiver.store.lock import is_held

        paths = ArchivePaths(self.program.archive)
        held = [name for name in ("archive", "collect", "audit") if is_held(paths.lock(name))]
        if held:
            self.outcome.problems.append(f"{what}: {held} is locked still")

    def _finish(self) -> None:
        program, found = self.program, self.outcome
        for arguments in (
            ["sync"],
            ["import", str(program.home / "mail.mbox")],
            ["backup", str(program.home / "backup")],
            ["key", "rotate"],
            ["backup", str(program.home / "backup"), "--verify", "--full"],
        ):
            code, out, err = program.run(*arguments, expect=None, environ=self._environ())
            if code:
                found.problems.append(f"{' '.join(arguments)}, in the end: {code}: {out.decode()} {err.decode()}")
        wanted = {*self.server.locations().values(), *map(_lf, self._given)}
        contents = program.contents()
        found.messages = len(contents.octets)
        if lost := wanted - contents.octets.keys():
            found.problems.append(f"{len(lost)} messages lost")
        if contents.octets.keys() - wanted or any(count > 1 for count in contents.octets.values()):
            found.problems.append("messages doubled, or never sent")
        if not contents.found == contents.indexed == len(contents.octets):
            found.problems.append(f"{contents.found} found, {contents.indexed} indexed, {len(contents.octets)} kept")
        verified = program.verify()
        found.problems += [f"verify: {problem.what}: {problem.message}" for problem in verified.problems]
        if left := [path.name for path in program.archive.rglob("*.tmp")]:
            found.problems.append(f"left over: {left}")


def _lf(letter: bytes) -> bytes:
    return letter.replace(b"\r\n", b"\n")


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
