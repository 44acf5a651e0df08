"""Collect, take in and index over the real core and the real store, from a mail server in memory, in one process.

For tests that crash or lie in the middle: `look` tells what the archive then holds, without trusting any figure in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from archiver.core.collect import AccountOutcome, collect_account
from archiver.core.customers.editing import EditRules, directory_of
from archiver.core.ingest import IngestPorts, IngestReport, take_in
from archiver.core.linking.directory import Directory
from archiver.core.linking.relinking import Linker, differing
from archiver.mail.workers import ParserPool
from archiver.model.account import Account
from archiver.model.identity import Identity
from archiver.model.status import MailboxStatus
from archiver.search.index import FullTextIndex
from archiver.store.catalogue import SqliteCatalogue
from archiver.store.customers import SqliteCustomers
from archiver.store.index_db import open_index
from archiver.store.links import SqliteLinks
from tests.twins.archive import Archive
from tests.twins.mail_server import Server

ACCOUNT = Account(name="info", host="imap.example.test", username="info")
Place = tuple[str, int, int]
"""Mailbox as displayed, UIDVALIDITY, UID."""


@dataclass
class Kept:
    """What an archive holds: how often each octet string is kept, and which of them was seen where.

    `linked` counts messages with a link, `wrong` those whose links are not what the rules make of what is stored.
    """

    octets: Counter[bytes] = field(default_factory=Counter)
    places: dict[Place, bytes] = field(default_factory=dict)
    indexed: int = 0
    linked: int = 0
    wrong: int = 0


def directory(catalogue: SqliteCatalogue) -> Directory:
    """All customers of an archive, by the rules used here."""
    return directory_of(SqliteCustomers(catalogue.connection).all(), EditRules(Identity(), "BE"))


@contextmanager
def ingest_ports(archive: Archive) -> Iterator[IngestPorts]:
    """Open everything that ingest needs, with a linker; messages are parsed in this process."""
    with ExitStack() as stack:
        catalogue = archive.catalogue()
        stack.callback(catalogue.close)
        connection = open_index(archive.paths, archive.secret.index_key, archive.secret.database_key)
        stack.callback(connection.close)
        vault = archive.vault()
        stack.callback(vault.close)
        parser = ParserPool(0)
        stack.callback(parser.close)
        linker = Linker(lambda: directory(catalogue), SqliteLinks(catalogue.connection))
        index = FullTextIndex(connection)
        yield IngestPorts(archive.deliveries(), vault, parser, catalogue, index, Identity(), linker=linker)


def collect(archive: Archive, server: Server, *, account: Account = ACCOUNT) -> AccountOutcome:
    """One run of the collector."""
    store = archive.collect()
    try:
        return collect_account(account, server.source(), store)
    finally:
        store.close()


def ingest(archive: Archive) -> IngestReport:
    """Take in what is pending, and index."""
    with ingest_ports(archive) as ports:
        return take_in(ports)


def statuses(archive: Archive) -> Sequence[MailboxStatus]:
    store = archive.collect()
    try:
        return store.statuses()
    finally:
        store.close()


def look(archive: Archive) -> Kept:
    """Open every message of the catalogue; raises IntegrityError when one does not open."""
    kept = Kept()
    with ingest_ports(archive) as ports:
        for pack, record in ports.catalogue.sealed_records():
            octets = ports.vault.read(pack, record)
            kept.octets[octets] += 1
            row = ports.catalogue.row(record.blob_id)
            details = None if row is None else ports.catalogue.details(row)
            for seen in () if details is None else details.seen:
                kept.places[seen.mailbox, seen.uid_validity, seen.uid] = octets
        kept.indexed = ports.index.count()
        assert isinstance(ports.catalogue, SqliteCatalogue)
        links = SqliteLinks(ports.catalogue.connection)
        kept.linked = len(links.links([row for row, _ in links.evidence()]))
        kept.wrong = sum(len(found) for found, _ in differing(links, directory(ports.catalogue)))
    return kept
