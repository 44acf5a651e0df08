"""A real server behind a bad line: cuts at every place, and weather by seed.

What is judged is always the same: after the line is good again, one clean run makes the archive equal to the server.
Lost is a message of the server that is not at its place, or one that an earlier run had and a later one has not;
doubled are octets kept twice; wrong are octets at a place that the server never had there.
"""

from __future__ import annotations

import contextlib
import imaplib
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from archiver.model.account import Account
from tests.faults.proxy import Fault, Proxy, Way
from tests.faults.trial import Collection, Place, SealedCollection, account_on
from tests.live.dovecot import PASSWORD, Authority, Dovecot

_CLEAN_RUNS = 3
"""Runs over a good line after which all must be well: a mailbox renumbered in one is read by the next."""
_LAST = 6
"""Letters, one to three messages each, that come when the weather is over and nobody removes anything any more."""


@dataclass
class Tally:
    """What happened; `lost`, `doubled`, `wrong` and `unfinished` say where."""

    runs: int = 0
    messages: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    exits: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    @property
    def bad(self) -> list[str]:
        return [
            f"{name}: {what}" for name in ("lost", "doubled", "wrong", "unfinished") for what in getattr(self, name)
        ]

    def judge(self, where: str, collection: Collection, truth: dict[Place, bytes], ever: dict[Place, bytes]) -> None:
        """Compare an archive with the server after a clean run, and with all that an earlier run had kept."""
        kept = collection.kept()
        self.messages += len(truth)
        self.lost += [f"{where}: {place}" for place in truth if place not in kept]
        self.lost += [f"{where}: {place} was kept before" for place in ever if place not in kept]
        self.wrong += [f"{where}: {place}" for place, octets in truth.items() if kept.get(place, octets) != octets]
        self.wrong += [f"{where}: {place} changed" for place, octets in ever.items() if kept.get(place) != octets]
        self.doubled += [f"{where}: {octets[:40]!r}" for octets in collection.doubled()]
        if not collection.complete():
            self.unfinished.append(f"{where}: not complete")


def on_server(server: Dovecot, user: str) -> dict[Place, bytes]:
    """Read with another client what is there, changing nothing."""
    found: dict[Place, bytes] = {}
    with client_on(server, user) as client:
        for name in mailboxes(client):
            client.select(b'"' + name + b'"', readonly=True)  # type: ignore[arg-type]
            validity = int(client.response("UIDVALIDITY")[1][0])
            _, answers = client.uid("FETCH", "1:*", "(UID BODY.PEEK[])")
            for answer in answers:
                if isinstance(answer, tuple):
                    uid = re.search(rb"UID (\d+)", answer[0])
                    assert uid
                    found[name, validity, int(uid[1])] = answer[1]
    return found


def mailboxes(client: imaplib.IMAP4) -> list[bytes]:
    _, listed = client.list()
    lines = [line for line in listed if isinstance(line, bytes) and b"\\Noselect" not in line]
    return [line.rsplit(b" ", 1)[1].strip(b'"') for line in lines]


@contextlib.contextmanager
def client_on(server: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", server.imap, timeout=20) as client:
        client.login(user, PASSWORD)
        yield client


def account_through(proxy: Proxy, user: str, authority: Authority | None = None) -> Account:
    """Return the account as it is reached through a proxy, with little patience."""
    account = replace(account_on(proxy.port, user), read_timeout=0.4, connect_timeout=1.0)
    return account if authority is None else replace(account, security="tls", ca_file=authority.ca)


# --- cuts at every place ----------------------------------------------------------------------------------------------


def cuts(
    collect: Callable[[], Collection], proxy: Proxy, truth: dict[Place, bytes], kinds: Iterable[str], *, every: int
) -> Tally:
    """Cut a whole sync at each `every`th octet that goes down: its first connection, then every connection.

    A run whose first connection is cut gets over it by itself; one whose every connection ends there cannot, beyond
    what each brought. Both must leave what the next clean run completes. `collect` makes a collection through `proxy`.
    """
    tally = Tally()
    before = proxy.passed["down"]
    assert collect().run().exit_code == 0
    whole = proxy.passed["down"] - before
    for number, kind in enumerate(kinds):
        for at in range(0, whole + 1, every):
            for always in (False, True)[: 2 - min(number, 1)]:
                where = f"{kind} at {at}, {'always' if always else 'once'}"
                _cut(tally, where, proxy, collect(), truth, Fault(kind, at=at), always=always)
    return tally


def _cut(
    tally: Tally,
    where: str,
    proxy: Proxy,
    collection: Collection,
    truth: dict[Place, bytes],
    fault: Fault,
    *,
    always: bool,
) -> None:
    first = proxy.connections + 1
    proxy.fault = lambda number: fault if always or number == first else Fault()
    outcome = collection.run()
    tally.exits[outcome.exit_code] += 1
    tally.faults[fault.kind] += proxy.connections - first + 1 if always else 1
    ever = collection.kept()
    tally.wrong += [f"{where}: {place} in the run itself" for place in ever if truth.get(place) != ever[place]]
    proxy.fault = lambda _: Fault()
    tally.runs += 2
    if collection.run().exit_code != 0:
        tally.unfinished.append(where)
    tally.judge(where, collection, truth, ever)


# --- weather ----------------------------------------------------------------------------------------------------------

_LINE = ("cut", "reset", "stall", "throttle")
_UNDER_TLS = (*_LINE, "inject", "swallow", "duplicate", "flip")
"""What changes octets is for TLS only: without it a changed octet is a changed message, and nobody can tell."""
_NAMES = (b"INBOX", b"Klanten", b"Archief/2024", b"Sent", b"Nieuw")


@dataclass
class Weather:
    """One seed: runs over a bad line while another client changes the mailboxes; then the line is good."""

    server: Dovecot
    user: str
    seed: int
    home: Path
    authority: Authority | None = None

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._written = 0
        self._lock = threading.Lock()

    def blow(self, tally: Tally, *, runs: int) -> None:
        """Go through it all, and judge."""
        proxy = Proxy(self.server.imap if self.authority is None else self.server.imaps)
        account = account_through(proxy, self.user, self.authority)
        collection = SealedCollection(account, self.home / f"s{self.seed}", password=PASSWORD)
        ever: dict[Place, bytes] = {}
        try:
            for _ in range(12):
                self._change(tally, ("append",))
            for _ in range(runs):
                proxy.fault = self._faults(tally)
                stop = threading.Event()
                other = threading.Thread(target=self._meanwhile, args=(tally, stop), daemon=True)
                other.start()
                tally.exits[collection.run().exit_code] += 1
                stop.set()
                other.join(30)
                tally.runs += 1
                kept = collection.kept()
                gone = [place for place in ever if kept.get(place) != ever[place]]
                tally.lost += [f"seed {self.seed}: {place} after run {tally.runs}" for place in gone]
                ever = kept
            proxy.fault = lambda _: Fault()
            for _ in range(_LAST):
                self._change(tally, ("append",))  # whatever the others expunged and deleted, there is mail to compare
            codes: list[int] = []
            while not codes or (codes[-1] != 0 and len(codes) < _CLEAN_RUNS):
                codes.append(collection.run().exit_code)
            tally.runs += len(codes)
            if codes[-1] != 0:
                tally.unfinished.append(f"seed {self.seed}: clean runs ended with {codes}")
            tally.judge(f"seed {self.seed}", collection, on_server(self.server, self.user), ever)
        finally:
            proxy.close()

    def _faults(self, tally: Tally) -> Callable[[int], Fault]:
        """Return what happens on the connections of one run; of all but the first, one in four is spared."""
        dice = random.Random(self._dice.random())
        seen: list[int] = []
        kinds = _LINE if self.authority is None else _UNDER_TLS

        def fault(number: int) -> Fault:
            seen.append(number)
            if len(seen) > 1 and dice.random() < 0.25:
                return Fault()
            kind = dice.choice(kinds)
            tally.faults[kind] += 1
            way: Way = "up" if dice.random() < 0.2 else "down"
            place = int(200 * 100 ** dice.random()) if way == "down" else dice.randrange(1, 700)
            return Fault(kind, at=place, way=way, octets=b"* BYE\r\n", count=dice.randrange(1, 90), rate=200_000)

        return fault

    def _meanwhile(self, tally: Tally, stop: threading.Event) -> None:
        while not stop.wait(self._dice.random() * 0.05):
            self._change(tally, ("append", "append", "append", "expunge", "recreate", "rename"))

    def _change(self, tally: Tally, ways: tuple[str, ...]) -> None:
        """Change the server's mailboxes as another client would."""
        dice, way = self._dice, self._dice.choice(ways)
        name = dice.choice(_NAMES)
        quoted = '"' + name.decode() + '"'
        with contextlib.suppress(imaplib.IMAP4.error), client_on(self.server, self.user) as client:
            if way == "append":
                client.create(quoted)
                for _ in range(dice.randrange(1, 4)):
                    client.append(quoted, "", "", self._message())
            elif way == "expunge":
                client.select(quoted)
                found = client.search(None, "ALL")[1][0].split()
                for number in dice.sample(found, min(len(found), 2)):
                    client.store(number, "+FLAGS", "\\Deleted")
                client.expunge()
            elif way == "recreate" and name != b"INBOX":
                client.delete(quoted)
                client.create(quoted)
            elif way == "rename" and name != b"INBOX":
                other = '"' + dice.choice(_NAMES[1:]).decode() + '"'
                client.rename(quoted, other)
            tally.changes[way] += 1

    def _message(self) -> bytes:
        with self._lock:
            self._written += 1
            number = self._written
        head = f"Subject: message {number} of seed {self.seed}\r\nMessage-ID: <{number}@{self.seed}>\r\n\r\n".encode()
        return head + self._dice.randbytes(self._dice.randrange(0, 6000)).hex().encode() + b"\r\n"
