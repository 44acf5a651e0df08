"""A long mixture: every command of the daily work at random, some killed, some over a bad line; then all is compared.

What must hold at each comparison, after one undisturbed sync: what the archive gives back is what the server and the
imported files ever had, less what was erased, each once; a full verify and the audit trail against its last checkpoint
find nothing; the newest backup is whole. What is erased stays on the server, which makes each sync offer it again.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from archiver import app
from archiver.app.erasing import erase
from archiver.crypto.kdf import DEFAULT_BOUNDS
from archiver.errors import ArchiverError
from tests.crash.program import PASSPHRASE, PASSWORD, Program, cleared, gone, group, kill, nobody, set_up
from tests.fakes.imap_mailboxes import MailboxServer
from tests.faults.proxy import Fault, Proxy

_BOXES = (b"INBOX", b"Sent", b"Klanten")
_EVERY = 12
"""Commands between two comparisons."""
_COMMANDS = {
    "sync": 6,
    "sync --collect-only": 2,
    "import": 3,
    "search": 4,
    "customer": 2,
    "erase": 1,
    "key rotate": 1,
    "backup": 2,
    "reindex": 1,
}


@dataclass
class Outcome:
    """What was done by command, and what was wrong; `faults` counts runs over a line that broke."""

    done: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    faults: int = 0
    checks: int = 0
    messages: int = 0
    erased: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Soaking:
    """One archive for the whole time."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0
        self._given: set[bytes] = set()
        self._erased: set[bytes] = set()
        self._anchor: str | None = None
        self.outcome = Outcome()
        self.server = MailboxServer(("info",), password=PASSWORD)
        for box in _BOXES:
            self.server.mailbox("info", box)
        self.proxy = Proxy(self.server.port)
        self.program: Program = set_up(home, self.proxy.port, ("info",), kdf=DEFAULT_BOUNDS.floor)
        (home / "passphrase").write_text(PASSPHRASE)
        (home / "passphrase").chmod(0o600)

    def close(self) -> None:
        self.proxy.close()
        self.server.close()

    def run(self, *, minutes: float = 0.0, commands: int = 0) -> Outcome:
        """Go on for so long, or so many commands, whichever is more; compare now and then, and at the end."""
        began, number = time.monotonic(), 0
        while number < commands or time.monotonic() - began < minutes * 60:
            self._one()
            number += 1
            if number % _EVERY == 0:
                self._compare()
        self._compare()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _mail(self) -> bytes:
        self._number += 1
        filler = "".join(self._random.choices("abcdefghij klmnop", k=self._random.choice((50, 2_000, 40_000))))
        octets = (
            f"Message-ID: <{self._number}@example.test>\r\nSubject: nummer {self._number}\r\n"
            f"From: a{self._number % 7}@customer.test\r\nTo: info@example.test\r\n"
            f"Date: Sat, 1 Mar 2025 09:00:00 +0000\r\n\r\n{filler} zebra\r\n"
        ).encode()
        self._given.add(octets)
        return octets

    # --- one command --------------------------------------------------------------------------------------------------

    def _one(self) -> None:
        pick, outcome = self._random, self.outcome
        name = pick.choices(list(_COMMANDS), list(_COMMANDS.values()))[0]
        for _ in range(pick.randrange(12)):
            self.server.deliver("info", pick.choice(_BOXES), self._mail())
        outcome.done[name] += 1
        if name == "erase":
            self._erase()
            return
        killed = pick.random() < 0.3
        broken = name.startswith("sync") and not killed and pick.random() < 0.4
        if broken:
            outcome.faults += 1
            kind, at = pick.choice(("cut", "reset")), int(200 * 200 ** pick.random())
            self.proxy.fault = lambda _: Fault(kind, at=at)
        process = self.program.start(*self._words(name), environ=self._environ(name))
        with cleared(process):
            if killed:
                time.sleep(0.2 + pick.random() * 1.5)
                for pid in group(process.pid):
                    kill(pid)
                outcome.kills += 1
                if not gone(process.pid):
                    outcome.problems.append(f"{name}: a process was left behind")
                process.communicate()
            else:
                _, err = process.communicate(timeout=300)
                fine = (0, 4, 20) if broken else (0,)
                if process.returncode not in fine or b"Traceback" in err:
                    outcome.problems.append(f"{name} ended with {process.returncode}: {err.decode()[-300:]}")
        self.proxy.fault = lambda _: Fault()

    def _words(self, name: str) -> tuple[str, ...]:
        home, pick = self.program.home, self._random
        if name == "import":
            file = home / f"import{self._number}.eml"
            file.write_bytes(self._mail())
            return ("import", str(file))
        if name == "search":
            return ("search", pick.choice(("zebra", "nummer", "from:customer.test", "")), "--json")
        if name == "customer":
            number = pick.randrange(1000)
            return ("customer", "add", f"K{self.outcome.done[name]}-{number}", "Firm", "--domain", f"c{number}.test")
        if name == "backup":
            return ("backup", str(home / "backups"))
        return (*name.split(), "--now") if name.startswith("sync") else tuple(name.split())

    def _environ(self, name: str) -> dict[str, str]:
        return {"ARCHIVER_PASSPHRASE_FILE": str(self.program.home / "passphrase")} if name == "key rotate" else {}

    def _erase(self) -> None:
        settings = self.program.settings
        with app.open_archive(settings, ask=nobody) as archive:
            items = archive.search("", limit=200).items
            if not items:
                return
            item = self._random.choice(items)
            self._erased.add(archive.octets(item.summary.row))
        erase(settings, [item.summary.blob_id.hex()], ask=nobody)
        self.outcome.erased += 1

    # --- comparing ----------------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        outcome, program, settings = self.outcome, self.program, self.program.settings
        outcome.checks += 1
        for file in sorted(program.home.glob("import*.eml")):
            program.run("import", str(file))  # those that were killed; what is there already is not kept twice
            file.unlink()
        code, _, err = program.run("sync", "--now", expect=None)
        if code != 0:
            outcome.problems.append(f"an undisturbed sync ended with {code}: {err.decode()[-300:]}")
        kept = program.contents()
        outcome.messages = len(kept.octets)
        wanted = self._given - self._erased
        if wanted - set(kept.octets):
            outcome.problems.append(f"{len(wanted - set(kept.octets))} messages lost")
        if max(kept.octets.values(), default=1) != 1:
            outcome.problems.append("messages are doubled")
        if self._erased & set(kept.octets):
            outcome.problems.append("an erased message came back")
        if set(kept.octets) - self._given:
            outcome.problems.append("octets that nobody sent were read as good")
        if kept.indexed != len(kept.octets):
            outcome.problems.append(f"{kept.indexed} indexed of {len(kept.octets)}")
        try:
            outcome.problems += [f"verify: {each.what}: {each.message}" for each in program.verify().problems]
            trail = app.audit_verify(settings, ask=nobody, anchor=self._anchor)
            outcome.problems += [f"audit: {each.what}: {each.message}" for each in trail.problems]
            self._anchor = json.loads(program.run("audit", "checkpoint", "--json")[1])["checkpoint"]
            if (program.home / "backups" / "archiver-backup.json").exists():
                outcome.problems += app.verify_backup(
                    settings, program.home / "backups", full=True, ask=nobody
                ).problems
        except ArchiverError as error:
            outcome.problems.append(f"a check ended: {error.message}")
