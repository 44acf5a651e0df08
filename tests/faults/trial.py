"""One account collected whole, as `archiver sync` does it, from a server that can be told to misbehave.

Everything between the socket and the store is the product's own; only the store is in memory, and waiting takes no
time. `Trial.sound` is what every row must come to in the end: each message that the server has is here, at its place,
octet for octet, its octets kept once, and the server was asked nothing that changes it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archiver.app.logins import KeyedLogins
from archiver.core.collect import AccountOutcome
from archiver.core.ports import MailSource
from archiver.core.visiting import Insistence, visit_account
from archiver.crypto.collector import create_credential
from archiver.imap.partials import Partials
from archiver.imap.retry import RetryingSource
from archiver.imap.source import ImapSource
from archiver.model.account import Account
from archiver.model.delivery import Delivery
from archiver.store.collect import SealedCollectStore
from tests.fakes.imap_account import MemorySpool
from tests.fakes.imap_mailboxes import MailboxServer
from tests.twins.archive import Archive, Clock, read_statuses
from tests.twins.stores import MemoryCollectStore, MemoryDisk

USER = "info"
PASSWORD = "s3same open"
Place = tuple[bytes, int, int]

_HARMLESS = re.compile(
    rb"(CAPABILITY|LOGIN |AUTHENTICATE PLAIN|ID |LIST |STATUS |EXAMINE |LOGOUT"
    rb"|UID FETCH [0-9:,*]+ \(UID (FLAGS|RFC822\.SIZE INTERNALDATE FLAGS|BODY\.PEEK\[\](<\d+\.\d+>)?)\)$)"
)
"""Every command that the archiver may send."""


class Collection:
    """An account and a store in memory, collected by the product's own parts."""

    def __init__(self, account: Account, *, password: str = PASSWORD) -> None:
        self.account = account
        self.now = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
        self.disk = MemoryDisk()
        self.store: MemoryCollectStore | SealedCollectStore = MemoryCollectStore(self.disk, lambda: self.now)
        self.waits: list[float] = []
        self.passwords: Callable[[Account], str] = lambda _: password
        self.credential = create_credential(archive_id=b"\1" * 16, random=os.urandom)

    def run(self, *, now: bool = True, login: bool = False) -> AccountOutcome:
        """Run once; `now` and `login` as on the command line. Each run is a minute after the last."""
        self.now += timedelta(minutes=1)
        logins = KeyedLogins(self.account, self.credential, resolve_password=self.passwords)
        return visit_account(
            self.account,
            lambda ended, received: self._source(logins, ended, received),
            self.store,
            logins,
            clock=lambda: self.now,
            monotonic=lambda: 0.0,
            random=lambda: 0.0,
            insistence=Insistence(now=now, login=login),
        )

    def _source(self, logins: KeyedLogins, ended: Callable[[], bool], received: Callable[[int], object]) -> MailSource:
        partials = Partials(MemorySpool)

        def connection() -> ImapSource:
            return ImapSource(
                self.account,
                new_spool=MemorySpool,
                resolve_password=logins.resolve,
                partials=partials,
                received=received,
            )

        return RetryingSource(
            connection, sleep=self.waits.append, random=lambda: 0.0, on_close=partials.close, stopped=ended
        )

    # --- what came of it ------------------------------------------------------------------------------------------

    def kept(self) -> dict[Place, bytes]:
        """Return what the archive has: (mailbox, uid validity, uid) → octets."""
        octets: dict[bytes, bytes] = {}
        places: dict[Place, bytes] = {}
        for delivery, stored in self.delivered():
            octets.update(zip((record.blob_id for record in delivery.records), stored, strict=True))
            places.update({(a.mailbox, a.uid_validity, a.uid): a.blob_id for a in delivery.arrivals})
        return {place: octets[blob_id] for place, blob_id in places.items()}

    def delivered(self) -> Iterator[tuple[Delivery, list[bytes]]]:
        """Yield what was handed over: each delivery with the octets of its records."""
        for delivery in self.disk.pending.values():
            yield delivery, [self.disk.packs[delivery.pack or ""][record.offset] for record in delivery.records]

    def doubled(self) -> list[bytes]:
        """Return octets that were stored more than once."""
        times = Counter(octets for _, stored in self.delivered() for octets in stored)
        return [octets for octets, count in times.items() if count > 1]

    def complete(self) -> bool:
        """Tell whether the store says that every mailbox is complete."""
        statuses = self.store.statuses()
        return bool(statuses) and all(status.complete for status in statuses)

    def failed(self) -> dict[int, str]:
        """Return the messages that are recorded as not given: uid → reason."""
        return {failure.uid: failure.reason for failure in self.store.failures()}


class SealedCollection(Collection):
    """The same into a real archive: each run opens the collector's store anew, as each process does."""

    def __init__(self, account: Account, root: Path, *, password: str = PASSWORD) -> None:
        super().__init__(account, password=password)
        self._archive = Archive(root, clock=Clock(self.now)).create()

    def run(self, *, now: bool = True, login: bool = False) -> AccountOutcome:
        self._archive.clock.now = self.now
        self.store = store = self._archive.collect()
        try:
            return super().run(now=now, login=login)
        finally:
            store.close()

    def delivered(self) -> Iterator[tuple[Delivery, list[bytes]]]:
        deliveries, vault = self._archive.deliveries(), self._archive.vault()
        try:
            for name in deliveries.waiting():
                delivery = deliveries.open(name)
                yield delivery, [vault.read(delivery.pack or "", record) for record in delivery.records]
        finally:
            vault.close()

    def complete(self) -> bool:
        statuses, _ = read_statuses(self._archive.paths, self._archive.credential)
        return bool(statuses) and all(status.complete for status in statuses)


class Trial(Collection):
    """A server with five messages in INBOX and two in Archive, an account on it, and a store."""

    def __init__(self, *, fill: bool = True) -> None:
        self.server = MailboxServer((USER,), password=PASSWORD)
        self.imap = self.server.imap
        super().__init__(account_on(self.server.port))
        if fill:
            for number in range(1, 6):
                self.deliver(b"INBOX", b"Subject: m%d\r\n\r\nin %d\r\n" % (number, number))
            for number in range(6, 8):
                self.deliver(b"Archive", b"Subject: m%d\r\n\r\nin %d\r\n" % (number, number))

    def deliver(self, mailbox: bytes, octets: bytes) -> int:
        return self.server.deliver(USER, mailbox, octets)

    def close(self) -> None:
        self.server.close()

    def on_server(self) -> dict[Place, bytes]:
        return {(name, validity, uid): octets for (_, name, validity, uid), octets in self.server.locations().items()}

    def sound(self) -> bool:
        """Assert that all is here once and nothing was changed; True, so that it can be asserted."""
        kept, wanted = self.kept(), self.on_server()
        assert {place: kept.get(place) for place in wanted} == wanted
        assert self.doubled() == []
        assert self.complete(), self.store.statuses()
        self.harmless()
        return True

    def harmless(self) -> None:
        """Assert that nothing was asked that could change the server's state."""
        assert self.server.changes == []
        assert [line for line in self.imap.commands if not _HARMLESS.match(line)] == []

    def said(self, pattern: bytes) -> list[bytes]:
        return self.imap.said(pattern)


def account_on(port: int, username: str = USER) -> Account:
    return Account(
        name=USER,
        host="127.0.0.1",
        username=username,
        port=port,
        security="plaintext",
        mailboxes=("*",),
        connect_timeout=5.0,
        read_timeout=5.0,
    )
