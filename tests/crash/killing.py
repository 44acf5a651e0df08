"""SIGKILL at random moments of `archiver sync`: the experiment, for the test (a few kills) and the figures (hundreds).

Each round delivers new mail, starts the real program, waits for a random moment, kills the program, its collector, a
parser process or all of them at once, and sees that nothing outlives its parent. What must hold is asked at the end:
of the mail, and of its links to two customers.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from archiver import app
from archiver.model.customer import Contact, Customer
from tests.crash.program import PASSWORD, Program, cleared, gone, group, kill, nobody, role, set_up
from tests.fakes.imap_mailboxes import MailboxServer

_USERS = ("info", "support")
_BOXES = (b"INBOX", b"Sent", b"Done")


@dataclass
class Outcome:
    """What was done, and what was found wrong; `hits` counts kills by victim, `in_time` those that met living work.

    `orphaned_records` lie in packs whose keys nobody has: disk space, until it is swept.
    """

    kills: int = 0
    in_time: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    left_behind: int = 0
    messages: int = 0
    places: int = 0
    orphaned_records: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Killing:
    """One archive, one server, many kills."""

    def __init__(self, home: Path, *, seed: int, messages: int = 60) -> None:
        self._random = random.Random(seed)
        self._messages = messages
        self._bodies = threading.Event()
        self._number = 0
        self.server = MailboxServer(_USERS, password=PASSWORD, on_body=self._answer)
        for user in _USERS:
            for box in _BOXES:
                self.server.mailbox(user, box)
        self.program: Program = set_up(home, self.server.port, _USERS, sync="workers = 2")
        self.outcome = Outcome()
        with app.change_customers(self.program.settings, ask=nobody, command="customer add") as editor:
            editor.add(Customer("K1", "Firm", domains=("customer.test",)))
            editor.add(Customer("K2", "Other", contacts=(Contact("Jan", ("a2@customer.test",)),)))

    def _answer(self) -> None:
        self._bodies.set()
        time.sleep(0.004)  # or on a quick machine a run is over before it can be killed

    def close(self) -> None:
        self.server.close()

    def run(self, kills: int) -> Outcome:
        """Kill so often, then let one run finish and compare."""
        began = time.monotonic()
        for _ in range(kills):
            self._deliver()
            self._round()
        self._finish()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _deliver(self) -> None:
        """New mail; some octets twice, some of them moved to another mailbox, some large enough for several packs."""
        pick = self._random
        for _ in range(self._messages):
            self._number += 1
            size = pick.choice((50, 400, 3_000, 60_000))
            filler = "".join(pick.choices("abcdefghij klmnop", k=size))
            octets = (
                f"Message-ID: <{self._number}@example.test>\r\nSubject: nummer {self._number}\r\n"
                f"From: a{self._number % 7}@customer.test\r\nTo: info@example.test\r\n"
                f"Date: Sat, 1 Mar 2025 09:00:00 +0000\r\n\r\n{filler}\r\n"
            ).encode()
            user, box = pick.choice(_USERS), pick.choice(_BOXES)
            self.server.deliver(user, box, octets)
            if pick.random() < 0.1:
                self.server.deliver(pick.choice(_USERS), pick.choice(_BOXES), octets)

    def _round(self) -> None:
        self._bodies.clear()
        process = self.program.start("sync")
        with cleared(process):
            if self._random.random() < 0.8:
                # Most moments of a short run are start-up, in which nothing can be lost: wait for the first octets.
                while not self._bodies.wait(0.01) and process.poll() is None:
                    pass
                time.sleep(self._random.random() ** 2 * 0.6)
            else:
                time.sleep(self._random.random() * 1.5)
            roles = {pid: role(pid) for pid in group(process.pid)}
            victim = self._random.choice(sorted({"all", *roles.values()}))
            targets = [pid for pid, of in roles.items() if victim in ("all", of)]
            for pid in targets:
                kill(pid)
            self.outcome.kills += bool(targets)
            self.outcome.in_time += bool(targets) and process.poll() is None
            self.outcome.hits[victim] += bool(targets)
            if victim in ("program", "all"):
                if not gone(process.pid):
                    self.outcome.left_behind += 1
            else:
                # Without its collector or a parser the program ends by itself, with what it has.
                _, err = process.communicate(timeout=60)
                if b"Traceback" in err:
                    self.outcome.problems.append(f"a traceback after the {victim} was killed: {err[-300:]!r}")
                if not gone(process.pid):
                    self.outcome.left_behind += 1

    def _finish(self) -> None:
        program, outcome = self.program, self.outcome
        code, _, err = program.run("sync", expect=None)
        if code != 0:
            outcome.problems.append(f"the last run ended with {code}: {err.decode()}")
        wanted = self.server.locations()
        contents = program.contents()
        outcome.messages, outcome.places = len(contents.octets), len(contents.places)
        lost = set(wanted.values()) - set(contents.octets)
        doubled = sum(count - 1 for count in contents.octets.values())
        if lost:
            outcome.problems.append(f"{len(lost)} messages lost")
        if doubled or set(contents.octets) - set(wanted.values()):
            outcome.problems.append(f"{doubled} messages doubled, or never sent")
        places = {(user, box.decode(), validity, uid): octets for (user, box, validity, uid), octets in wanted.items()}
        if contents.place_of != places or set(contents.places.values()) != {1}:
            outcome.problems.append("the places are not those on the server")
        if not contents.found == contents.indexed == len(contents.octets):
            outcome.problems.append(f"{contents.found} found, {contents.indexed} indexed, {len(contents.octets)} kept")
        with app.change_customers(program.settings, ask=nobody, command="relink") as editor:
            if editor.relink().messages:
                outcome.problems.append("links are not what the rules make")
        status = program.status()
        if status.unlinked or status.customers != 2:
            outcome.problems.append(f"{status.unlinked} unlinked, {status.customers} customers")
        if not status.complete or status.pending:
            outcome.problems.append(f"not complete: {status.problems}, {status.pending} pending")
        verified = program.verify()
        outcome.problems += [f"verify: {problem.what}: {problem.message}" for problem in verified.problems]
        outcome.orphaned_records = verified.records - outcome.messages
        temporary = [path.name for path in program.archive.rglob("*.tmp")] + [
            path.name for path in (program.home / "tmp").rglob("*")
        ]
        if temporary:
            outcome.problems.append(f"left over: {temporary}")
        if self.server.changes:
            outcome.problems.append(f"commands that change something: {self.server.changes}")
