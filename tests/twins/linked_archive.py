"""A real archive with customers, in one process: mail is delivered, customers are changed, links are looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from msgspec.structs import replace

from archiver.core.customers.editing import CustomerEditing, EditPorts, EditRules, directory_of
from archiver.core.ingest import IngestPorts, IngestReport, take_in
from archiver.core.linking.relinking import Linker, RelinkPorts, differing
from archiver.mail.workers import ParserPool
from archiver.model.customer import Contact, Customer, CustomerRecord
from archiver.model.identity import Identity
from archiver.model.link import Link
from archiver.model.message import BlobId
from archiver.model.octets import BytesOctets
from archiver.search.index import FullTextIndex
from archiver.store.customers import SqliteCustomers
from archiver.store.index_db import open_index
from archiver.store.links import SqliteLinks
from tests.twins.archive import INBOX, Archive, entry

OURS = "info@ours.test"
IDENTITY = Identity(("ours.test",))
RULES = EditRules(IDENTITY, "BE")

Found = frozenset[tuple[str, str, str]]
"""(reference, rule, standing) of all links of a message."""


def letter(
    sender: str,
    *,
    to: str = OURS,
    cc: str = "",
    subject: str = "A question",
    text: str = "Good morning.",
    number: int = 0,
    attached: bytes | None = None,
) -> bytes:
    """A message; `number` tells two alike apart."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if cc:
        message["Cc"] = cc
    message["Date"] = f"Mon, 03 Mar 2025 09:{number // 60 % 60:02d}:{number % 60:02d} +0000"
    message["Message-ID"] = f"<{number}@mail.example.test>"
    message.set_content(text)
    if attached is not None:
        message.add_attachment(attached, maintype="message", subtype="rfc822", cte="8bit")
    return message.as_bytes()


def customer(reference: str, *emails: str, **fields: object) -> Customer:
    """A customer with one contact that has these addresses."""
    contacts = (Contact("Jan", tuple(emails)),) if emails else ()
    return Customer(reference, f"Firm {reference}", contacts=contacts, **fields)  # type: ignore[arg-type]


@dataclass
class LinkedArchive:
    """Everything that ingest and the editing of customers need, open at once."""

    archive: Archive
    ports: IngestPorts
    editing_ports: EditPorts
    rules: EditRules = RULES
    uid: int = 0

    @property
    def customers(self) -> SqliteCustomers:
        assert isinstance(self.editing_ports.customers, SqliteCustomers)
        return self.editing_ports.customers

    @property
    def links(self) -> SqliteLinks:
        assert isinstance(self.editing_ports.relinking.links, SqliteLinks)
        return self.editing_ports.relinking.links

    def deliver(self, *letters: bytes, linked: bool = True) -> IngestReport:
        """Collect these and take them in, linked as a sync does unless told otherwise."""
        store = self.archive.collect()
        try:
            epoch = store.open_epoch("info", INBOX, 7)
            for octets in letters:
                self.uid += 1
                store.add(epoch, entry(self.uid, octets), BytesOctets(octets))
            store.flush()
        finally:
            store.close()
        records = self.customers.all()
        linker = Linker(lambda: directory_of(records, self.rules), self.links) if records and linked else None
        return take_in(replace(self.ports, linker=linker))

    def editing(self, *, dry_run: bool = False, who: str = "an") -> CustomerEditing:
        return CustomerEditing(self.editing_ports, self.rules, who=who, dry_run=dry_run)

    def record(self, reference: str) -> CustomerRecord:
        found = self.customers.by_reference(reference)
        assert found is not None
        return found

    def rows(self) -> Sequence[int]:
        """All messages, in the order they came."""
        return [row for _, row in self.ports.catalogue.unindexed(0, 100_000)]

    def blob_id(self, row: int) -> BlobId:
        sealed = self.ports.catalogue.sealed(row)
        assert sealed is not None
        return sealed[1].blob_id

    def found(self, rows: Collection[int] | None = None) -> dict[int, Found]:
        """The links that are stored, by row; messages without any too."""
        names = {record.id: record.customer.reference for record in self.customers.all()}
        asked = self.rows() if rows is None else rows
        stored = self.links.links(asked)
        return {row: frozenset(_told(link, names) for link in stored.get(row, ())) for row in asked}

    def by_octets(self) -> dict[bytes, Found]:
        """The links that are stored, by message: comparable between archives."""
        found = self.found()
        return {self.blob_id(row): links for row, links in found.items()}

    def linked(self, row: int) -> set[str]:
        """The references of the customers that a message is linked to."""
        return {reference for reference, _, standing in self.found([row])[row] if standing == "LINKED"}

    def wrong(self) -> list[int]:
        """Rows whose stored links are not what all rules make of the stored evidence: there must never be any."""
        directory = directory_of(self.customers.all(), self.rules)
        return [row for found, _ in differing(self.links, directory) for row in found]


def _told(link: Link, names: dict[int, str]) -> tuple[str, str, str]:
    return names.get(link.customer, f"#{link.customer}"), link.rule.name, link.standing.name


@contextmanager
def linked_archive(root: Path) -> Iterator[LinkedArchive]:
    """Make an archive and open it; messages are parsed in this process."""
    archive = Archive(root).create()
    with ExitStack() as stack:
        catalogue = archive.catalogue()
        stack.callback(catalogue.close)
        connection = open_index(archive.paths, archive.secret.index_key, archive.secret.database_key)
        stack.callback(connection.close)
        vault = archive.vault()
        stack.callback(vault.close)
        parser = ParserPool(0)
        stack.callback(parser.close)
        index = FullTextIndex(connection)
        ports = IngestPorts(archive.deliveries(), vault, parser, catalogue, index, IDENTITY)
        links = SqliteLinks(catalogue.connection)
        relinking = RelinkPorts(links, catalogue, catalogue, vault, parser, index)
        customers = SqliteCustomers(catalogue.connection)
        yield LinkedArchive(archive, ports, EditPorts(customers, relinking, archive.clock))
