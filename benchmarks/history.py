"""Reading by customer over a large synthetic archive, in process: p50 and p95 of what staff wait for.

    python benchmarks/history.py [--messages 250000] [--customers 2000] [--folder DIR]

A fifth of all mail is one customer's, so that there is one with 50,000 messages; three tenths fit nobody. Catalogue and
index are encrypted, as always, and everything goes through the code that the commands use. The seed is fixed: two runs
ask the same of the same archive. Times are of the processor: a busy machine would else be what is measured.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from archiver.app.by_customer import ByCustomer
from archiver.config import ArchiveSettings, Settings
from archiver.core.customers.naming import look_up
from archiver.model.catalogue import IndexDocument
from archiver.model.customer import Contact, Customer, CustomerRecord
from archiver.model.identity import Identity
from archiver.model.message import Direction, Message
from archiver.search.index import FullTextIndex
from archiver.search.rows import ROW_BITS
from archiver.search.searcher import FullTextSearcher
from archiver.store.catalogue import SqliteCatalogue
from archiver.store.connection import StoreConnection, open_database
from archiver.store.customers import SqliteCustomers
from archiver.store.index_db import open_index_file
from archiver.store.schema import APPLICATION_ID, MIGRATIONS, migrate

KEY = bytes(range(32))
START = 1_420_070_400  # 2015-01-01
YEARS = 10
NOW = datetime(2025, 1, 1, tzinfo=UTC)
OURS = "support@ours.example"
STRANGERS = 6_000
"""Addresses of mail that fits nobody."""

_WORDS = (
    "offerte", "factuur", "levering", "contract", "licentie", "storing", "vraag", "bestelling", "retour", "klacht",
)  # fmt: skip
_NAMES = ("Peeters", "Janssens", "Maes", "Jacobs", "Mertens", "Willems", "Claes", "Goossens", "Wouters", "Dubois")
_INCOMING, _OUTGOING, _OTHER = 0, 1, 3


@dataclass(frozen=True)
class Row:
    """A message before it is stored; `customer` is an internal id, 0 for nobody."""

    row: int
    thread: int
    direction: int
    person: int
    customer: int
    standing: int
    automatic: bool


class Company:
    """Deterministic customers, strangers and messages."""

    def __init__(self, messages: int, customers: int) -> None:
        self.messages, self.size = messages, customers
        self.random = random.Random(20_250_101)
        self.customers = [self._customer(number) for number in range(1, customers + 1)]
        # Address 1 is ours, then three of each customer, then the strangers'.
        self.people = [OURS]
        for number in range(1, customers + 1):
            self.people += [f"p{n}@bedrijf{number}.example" for n in range(3)]
        self.people += [
            f"s{n}@{'gmail.com' if n % 10 == 0 else f'onbekend-{n % 2_500}.example'}" for n in range(STRANGERS)
        ]

    def _customer(self, number: int) -> Customer:
        name = f"{self.random.choice(_NAMES)} {self.random.choice(_WORDS)} {number} bv"
        contacts = tuple(
            Contact(f"{self.random.choice(_NAMES)} {n}", (f"p{n}@bedrijf{number}.example",), (f"+3222{number:06}{n}",))
            for n in range(3)
        )
        return Customer(f"K{number}", name, city="Gent", domains=(f"bedrijf{number}.example",), contacts=contacts)

    def rows(self) -> Iterator[Row]:
        """Give the messages, oldest first: conversations of some messages, within some days."""
        step = YEARS * 365 * 86_400 // self.messages
        open_threads: list[tuple[int, int, int, int]] = []
        for number in range(self.messages):
            row = (START + number * step) << ROW_BITS
            if open_threads and self.random.random() < 0.7:
                place = self.random.randrange(len(open_threads))
                thread, customer, person, standing = open_threads[place]
                if self.random.random() < 0.2:
                    open_threads[place] = open_threads[-1]
                    open_threads.pop()
            else:
                chance, standing = self.random.random(), 0
                if chance < 0.2:
                    customer = 1
                elif chance < 0.7:
                    customer = self.random.randint(2, self.size)
                    standing = 1 if self.random.random() < 0.01 else 0
                else:
                    customer = 0
                person = 2 + 3 * (customer - 1) + self.random.randrange(3) if customer else 0
                person = person or 2 + 3 * self.size + self.random.randrange(STRANGERS)
                thread = number + 1
                open_threads.append((thread, customer, person, standing))
                if len(open_threads) > 400:
                    open_threads.pop(0)
            direction = self.random.choices((_INCOMING, _OUTGOING, _OTHER), (55, 43, 2))[0]
            automatic = direction == _INCOMING and self.random.random() < 0.1
            yield Row(row, thread, direction, person, customer, standing, automatic)


def fill(folder: Path, company: Company) -> None:
    """Write the archive as the store would; text is short, for reading by customer does not depend on it."""
    with open_database(folder / "archive.db", KEY, create=True) as catalogue:
        migrate(catalogue, APPLICATION_ID, MIGRATIONS)
        customers = SqliteCustomers(catalogue)
        with customers.transaction():
            for customer in company.customers:
                customers.add(customer, now=NOW)
            catalogue.execute_many(
                "INSERT INTO addresses (id, key, name) VALUES (?, ?, ?)",
                [(number, spec, f"Name {number}") for number, spec in enumerate(company.people, 1)],
            )
            catalogue.execute("INSERT INTO mailboxes VALUES (1, 'info', 'INBOX', 1, 'INBOX', '\\Inbox')")
    with open_index_file(folder / "index.db", KEY) as connection:
        connection.attach(folder / "archive.db", KEY, "cat")
        index, rows, done = FullTextIndex(connection), company.rows(), 0
        while batch := list(islice(rows, 2_000)):
            with open_database(folder / "archive.db", KEY) as catalogue, catalogue.transaction():
                _insert(catalogue, batch, done, company)
            done += len(batch)
            index.add([_document(each, company) for each in batch], done)
        index.optimize()
        list(connection.execute("PRAGMA main.wal_checkpoint(TRUNCATE)"))


def _insert(catalogue: StoreConnection, batch: Sequence[Row], done: int, company: Company) -> None:
    catalogue.execute_many(
        "INSERT INTO messages (row, sequence, blob_id, thread, direction, octets, attachments, archived,"
        " message_id, subject, preview, people, parts, flags) VALUES (?, ?, randomblob(32), ?, ?, 6000, 0, 1, ?, ?, ?,"
        " ?, x'90', ?)",
        [
            (
                each.row,
                done + n,
                each.thread,
                each.direction,
                f"m{done + n}@example",
                f"{company.random.choice(_WORDS)} {each.thread}",
                "Goedendag, graag vernemen wij wanneer de bestelling geleverd wordt; met vriendelijke groeten",
                _people(each),
                2 if each.automatic else 1,
            )
            for n, each in enumerate(batch, 1)
        ],
    )
    catalogue.execute_many(
        "INSERT INTO links (customer, row, rule, standing, direction) VALUES (?, ?, 1, ?, ?)",
        [
            (customer, each.row, each.standing, each.direction)
            for each in batch
            if each.customer
            for customer in ([each.customer, 1 + each.customer % company.size] if each.standing else [each.customer])
        ],
    )
    catalogue.execute_many(
        "INSERT INTO locations (mailbox, uid, row) VALUES (1, ?, ?)",
        [(done + n, each.row) for n, each in enumerate(batch, 1)],
    )


def _people(each: Row) -> bytes:
    incoming = each.direction != _OUTGOING
    roles = [[each.person if incoming else 1], [], [], [1 if incoming else each.person]]
    return msgspec.msgpack.encode(roles)


def _document(each: Row, company: Company) -> IndexDocument:
    them = company.people[each.person - 1]
    return IndexDocument(
        row=each.row,
        subject=company.random.choice(_WORDS),
        from_=them if each.direction != _OUTGOING else OURS,
        to=OURS if each.direction != _OUTGOING else them,
        cc="",
        bcc="",
        text=" ".join(company.random.choices(_WORDS, k=6)) + f" w{company.random.randrange(5_000)}",
        quoted="",
        filenames="",
    )


@contextmanager
def reading(folder: Path) -> Iterator[tuple[ByCustomer, FullTextSearcher]]:
    """Open what the commands read with."""
    settings = Settings(ArchiveSettings(folder, folder / "keys"), Identity(("ours.example",)), ())

    def unparsed(_row: int) -> Message:
        raise AssertionError("nothing here reads a message's text")

    with (
        open_database(folder / "archive.db", KEY, readonly=True) as catalogue,
        open_index_file(folder / "index.db", KEY, readonly=True) as connection,
    ):
        connection.attach(folder / "archive.db", KEY, "cat")
        by_customer = ByCustomer(settings, SqliteCatalogue(catalogue), unparsed)
        records = SqliteCustomers(catalogue)

        def customers(text: str, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:
            return look_up(records, text, prefix=prefix)

        yield by_customer, FullTextSearcher(connection, lambda: NOW, customers=customers)


def kinds(
    by_customer: ByCustomer, searcher: FullTextSearcher, records: Sequence[CustomerRecord]
) -> dict[str, Callable[[int], object]]:
    """Return what is measured, each told the number of the try."""
    large, small = records[0], records[1:]

    def page(record: CustomerRecord, **asked: object) -> object:
        given: dict[str, object] = {
            "since": None, "until": None, "contact": None, "direction": None, "limit": 20, "offset": 0,
            "candidates": False, **asked,
        }  # fmt: skip
        return by_customer.history(record, **given)  # type: ignore[arg-type]

    def shown(record: CustomerRecord) -> object:
        return [list(thread.messages) for thread in by_customer.history(
            record, since=None, until=None, contact=None, direction=None, limit=20, offset=0, candidates=False
        ).threads]  # fmt: skip

    return {
        "history, 50,000": lambda _: page(large),
        "history, every message": lambda _: shown(large),
        "history, others": lambda n: page(small[n]),
        "history, page 50": lambda _: page(large, offset=1_000),
        "history, a year": lambda n: page(large, since=str(2015 + n % 8), until=str(2015 + n % 8)),
        "history, incoming": lambda _: page(large, direction=Direction.INCOMING),
        "history, contact": lambda n: page(large, contact=f"p{n % 3}@bedrijf1.example"),
        "figures": lambda n: by_customer.customer_figures(records[n]),
        "find by name": lambda n: by_customer.find_customers(records[n].customer.name[:9], limit=10),
        "find by phone": lambda n: by_customer.find_customers(f"02 22{n + 1:06}1", limit=10),
        "customer:K…": lambda n: searcher.search(f"customer:K{n + 1}", limit=20),
        "customer:K… count": lambda n: searcher.count(f"customer:K{n + 1}"),
        "customer:K1 word": lambda n: searcher.search(f"customer:K1 {_WORDS[n % len(_WORDS)]}", limit=20),
        "customer:K… word": lambda n: searcher.search(f"customer:K{n + 2} {_WORDS[n % len(_WORDS)]}", limit=20),
        "customer:name": lambda n: searcher.search(f"customer:{_NAMES[n % len(_NAMES)].lower()}", limit=20),
        "is:unlinked": lambda _: searcher.search("is:unlinked", limit=20),
        "is:ambiguous": lambda _: searcher.search("is:ambiguous", limit=20),
        "waiting, customers": lambda _: by_customer.waiting(
            record=None, everyone=False, since=None, limit=20, offset=0
        ),
        "waiting, one": lambda n: by_customer.waiting(
            record=records[n], everyone=False, since=None, limit=20, offset=0
        ),
        "unlinked": lambda _: by_customer.unlinked(text=None, limit=20, offset=0),
        "ambiguous": lambda _: by_customer.ambiguous(limit=20, offset=0),
    }


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=250_000)
    options.add_argument("--customers", type=int, default=2_000)
    options.add_argument("--tries", type=int, default=20)
    options.add_argument("--folder", type=Path, help="keep the archive here, and use the one that is here already")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.folder or Path(name)
        if not (folder / "index.db").exists():
            start = time.perf_counter()
            fill(folder, Company(chosen.messages, chosen.customers))
            spent = time.perf_counter() - start
            print(f"{chosen.messages} messages, {chosen.customers} customers, written in {spent:.0f} s")
        with reading(folder) as (by_customer, searcher):
            start = time.perf_counter()
            records = sorted(by_customer.customers(), key=lambda record: record.id)
            print(f"{'customers loaded':26}{(time.perf_counter() - start) * 1000:10.2f}")
            print(f"{'':26}{'p50':>10}{'p95':>10}   ms")
            for kind, ask in kinds(by_customer, searcher, records).items():
                times = []
                for number in range(chosen.tries):
                    start = time.thread_time()
                    ask(number)
                    times.append((time.thread_time() - start) * 1000)
                print(f"{kind:26}{percentile(times, 0.5):10.2f}{percentile(times, 0.95):10.2f}", flush=True)


if __name__ == "__main__":
    main()
