"""How long queries take over a large synthetic archive, in process: 25 queries of each of 8 kinds, p50 and p95.

    python benchmarks/search_latency.py [--messages 250000]

Words follow Zipf's law over a vocabulary that grows as real mail's does; the seed is fixed, so that two runs ask the
same questions of the same archive. Index and catalogue are encrypted, as always. Times are of the
processor: everything is in memory, and a busy machine would else be what is measured.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate, islice
from pathlib import Path

from archiver.model.catalogue import IndexDocument
from archiver.search.index import FullTextIndex
from archiver.search.rows import ROW_BITS
from archiver.search.searcher import FullTextSearcher
from archiver.store.connection import StoreConnection, open_database
from archiver.store.schema import APPLICATION_ID, MIGRATIONS, migrate

VOCABULARY = 120_000
START = 1_420_070_400  # 2015-01-01
YEARS = 10
QUERIES_OF_A_KIND = 25
NOW = datetime(2025, 1, 1, tzinfo=UTC)


class Archive:
    """A deterministic company: vocabulary, people, and messages one after the other."""

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.random = random.Random(20_250_101)
        letters = "etaoinshrdlucmfwypvbgk"
        self.words = list(
            dict.fromkeys("".join(self.random.choices(letters, k=self.random.randint(3, 9))) for _ in range(VOCABULARY))
        )
        self.weights = list(accumulate(1.0 / (rank + 2.7) for rank in range(len(self.words))))
        self.people = [f"{self.word()} {self.word()} p{n}@customer{n % 700}.example" for n in range(3_000)]

    def word(self) -> str:
        """Draw one word as it occurs."""
        return self.text(1)

    def text(self, length: int) -> str:
        """Draw words as they occur."""
        return " ".join(self.random.choices(self.words, cum_weights=self.weights, k=length))

    def documents(self) -> Iterator[IndexDocument]:
        """Give the messages, oldest first, spread evenly over the years."""
        step = YEARS * 365 * 86_400 / self.messages
        for number in range(self.messages):
            second = int(START + number * step + self.random.random() * step)
            yield IndexDocument(
                row=second << ROW_BITS,
                subject=self.text(5),
                from_=self.random.choice(self.people),
                to=self.random.choice(self.people),
                cc="",
                bcc="",
                text=self.text(self.random.randint(20, 180)),
                quoted=self.text(self.random.randint(0, 60)),
                filenames=f"{self.word()}.pdf" if number % 5 == 0 else "",
            )

    def kinds(self) -> dict[str, list[str]]:
        """Make queries of eight kinds; words are drawn as they occur, so common ones are asked for often."""
        picks = range(QUERIES_OF_A_KIND)

        def rare() -> str:
            return self.random.choice(self.words[200:20_000])

        return {
            "one word": [self.word() for _ in picks],
            "two words": [f"{self.word()} {rare()}" for _ in picks],
            "three words": [f"{self.word()} {self.word()} {rare()}" for _ in picks],
            "phrase": [f'"{self.word()} {self.word()}"' for _ in picks],
            "prefix": [f"{rare()[:4]}*" for _ in picks],
            "or, not": [f"({rare()} OR {rare()}) -{self.word()}" for _ in picks],
            "sender and word": [f"from:p{self.random.randrange(3_000)} {self.word()}" for _ in picks],
            "word, dates, has": [f"{self.word()} date:{2015 + n % 10} has:attachment" for n in picks],
        }


def fill(folder: Path, archive: Archive) -> tuple[StoreConnection, float]:
    key = bytes(range(32))
    with open_database(folder / "archive.db", key, create=True) as catalogue:
        migrate(catalogue, APPLICATION_ID, MIGRATIONS)
    connection = open_database(folder / "index.db", key, create=True, synchronous="NORMAL")
    connection.attach(folder / "archive.db", key, "cat")
    index, documents, spent, done = FullTextIndex(connection), archive.documents(), 0.0, 0
    while batch := list(islice(documents, 1_000)):
        with open_database(folder / "archive.db", key) as catalogue, catalogue.transaction():
            catalogue.execute_many(
                "INSERT INTO messages (row, sequence, blob_id, thread, direction, octets, attachments, archived,"
                " subject, preview, people, parts)"
                " VALUES (?, ?, randomblob(32), ?, ?, 6000, ?, 1, ?, '', x'90', x'90')",
                [
                    (d.row, done + n, d.row, (done + n) % 2, bool(d.filenames), d.subject)
                    for n, d in enumerate(batch, 1)
                ],
            )
        done += len(batch)
        start = time.perf_counter()
        index.add(batch, done)
        spent += time.perf_counter() - start
    start = time.perf_counter()
    index.optimize()
    print(f"optimize {time.perf_counter() - start:.1f} s")
    list(connection.execute("PRAGMA main.wal_checkpoint(TRUNCATE)"))
    return connection, spent


def reopen(folder: Path) -> tuple[StoreConnection, float]:
    connection = open_database(folder / "index.db", bytes(range(32)), synchronous="NORMAL")
    connection.attach(folder / "archive.db", bytes(range(32)), "cat")
    return connection, 0.0


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def measure(searcher: FullTextSearcher, kinds: dict[str, list[str]]) -> None:
    print(f"{'':18}{'newest first':>22}{'relevance':>22}{'count':>22}   (p50, p95 ms)")
    everything: list[list[float]] = [[], [], []]
    for kind, queries in kinds.items():
        columns: list[list[float]] = [[], [], []]
        for query in queries:
            for column, ask in enumerate(
                (
                    lambda q: searcher.search(q, limit=20),
                    lambda q: searcher.search(q, limit=20, sort="relevance"),
                    searcher.count,
                )
            ):
                start = time.thread_time()
                ask(query)
                columns[column].append((time.thread_time() - start) * 1000)
        print(f"{kind:18}" + "".join(f"{percentile(c, 0.5):11.2f}{percentile(c, 0.95):11.2f}" for c in columns))
        for column, values in enumerate(columns):
            everything[column] += values
    print(f"{'all':18}" + "".join(f"{percentile(c, 0.5):11.2f}{percentile(c, 0.95):11.2f}" for c in everything))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=250_000)
    options.add_argument("--folder", type=Path, help="keep the archive here, and use the one that is here already")
    chosen = options.parse_args()
    archive = Archive(chosen.messages)
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.folder or Path(name)
        connection, spent = reopen(folder) if (folder / "index.db").exists() else fill(folder, archive)
        size = (folder / "index.db").stat().st_size
        print(
            f"{archive.messages} messages indexed at {archive.messages / (spent or 1):.0f}/s, index {size / 1e6:.1f} MB"
        )
        searcher = FullTextSearcher(connection, lambda: NOW)
        searcher.search("warm", limit=1)
        measure(searcher, archive.kinds())
        connection.close()


if __name__ == "__main__":
    main()
