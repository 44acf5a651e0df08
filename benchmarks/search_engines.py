"""Whoosh's own index files against FTS5 in an encrypted database: the comparison behind decision 0001.

    ARCHIVER_CORPUS=… python -m benchmarks.search_engines [--messages N]

Takes the .eml files below ARCHIVER_CORPUS, or synthetic messages without it. Both engines get the same folded tokens.
Prints messages a second, bytes on disk, the median of 20 for three queries, and what a killed indexer leaves readable
on disk: a canary word is searched in every file.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from archiver.mail.parse import parse as parse_mail
from archiver.model.catalogue import IndexDocument
from archiver.model.fields import INDEX_COLUMNS
from archiver.search.analysis import fold, fold_addresses
from archiver.search.index import FullTextIndex
from archiver.search.rows import ROW_BITS
from archiver.search.searcher import FullTextSearcher
from archiver.store.connection import open_database
from archiver.store.index_db import open_index_file
from archiver.store.schema import APPLICATION_ID, MIGRATIONS, migrate

warnings.simplefilter("ignore")
KEY = bytes(range(32))
CANARY = "zorgvuldigverborgen"
QUERIES = ("energy", "energy contract", "contr*")
BATCH = 1_000


def documents(limit: int) -> list[IndexDocument]:
    """Parse real mail, or make some; oldest first, each with a row of its own."""
    root = os.environ.get("ARCHIVER_CORPUS")
    found = list(islice(_from_files(Path(root)), limit)) if root else list(_synthetic(limit))
    return sorted(found, key=lambda document: document.row)


def _from_files(root: Path) -> Iterator[IndexDocument]:
    taken: set[int] = set()
    for path in sorted(root.rglob("*.eml")):
        message = parse_mail(path.read_bytes())
        row = (int(message.sent_at.timestamp()) if message.sent_at else 0) << ROW_BITS
        while row in taken:
            row += 1
        taken.add(row)
        yield IndexDocument(
            row=row,
            subject=message.subject,
            from_=" ".join(f"{a.name} {a.addr_spec}" for a in message.from_),
            to=" ".join(f"{a.name} {a.addr_spec}" for a in message.to),
            cc=" ".join(f"{a.name} {a.addr_spec}" for a in message.cc),
            bcc="",
            text=message.text,
            quoted=message.quoted,
            filenames=" ".join(part.filename or "" for part in message.parts),
        )


def _synthetic(count: int) -> Iterator[IndexDocument]:
    from importlib import import_module

    yield from import_module("benchmarks.search_latency").Archive(count).documents()


def folded(document: IndexDocument) -> dict[str, str]:
    """Return the columns as both engines get them."""
    people = {"sender": document.from_, "recipient": document.to, "cc": document.cc, "bcc": document.bcc}
    texts = {
        "subject": document.subject, "body": document.text, "quoted": document.quoted,
        "filenames": document.filenames, "attachments": document.attachments,
    }  # fmt: skip
    return {name: fold_addresses(people[name]) if name in people else fold(texts[name]) for name in INDEX_COLUMNS}


def whoosh_files(folder: Path, found: list[IndexDocument]) -> Callable[[str], int]:
    """Index with Whoosh's own files; return a search for the newest 20."""
    from whoosh import fields, index, qparser
    from whoosh.analysis import LowercaseFilter, RegexTokenizer

    text = fields.TEXT(analyzer=RegexTokenizer(r"[0-9A-Za-z\x80-\U0010ffff]+") | LowercaseFilter())
    schema = fields.Schema(at=fields.NUMERIC(bits=64, sortable=True), **dict.fromkeys(INDEX_COLUMNS, text))
    opened = index.create_in(folder, schema)
    for start in range(0, len(found), BATCH):
        writer = opened.writer(limitmb=256)
        for document in found[start : start + BATCH]:
            writer.add_document(at=document.row, **folded(document))
        writer.commit()
    searcher = opened.searcher()
    parser = qparser.MultifieldParser(INDEX_COLUMNS, schema)
    return lambda query: len(searcher.search(parser.parse(query), limit=20, sortedby="at", reverse=True))


def fts5(folder: Path, found: list[IndexDocument]) -> Callable[[str], int]:
    """Index with FTS5, encrypted; return a search for the newest 20."""
    with open_database(folder / "archive.db", KEY, create=True) as catalogue:
        migrate(catalogue, APPLICATION_ID, MIGRATIONS)
    connection = open_index_file(folder / "index.db", KEY)
    connection.attach(folder / "archive.db", KEY, "cat")
    index = FullTextIndex(connection)
    for start in range(0, len(found), BATCH):
        index.add(found[start : start + BATCH], start + BATCH)
    list(connection.execute("PRAGMA main.wal_checkpoint(TRUNCATE)"))
    searcher = FullTextSearcher(connection, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return lambda query: len(searcher.search(query, limit=20).hits)


ENGINES = {"Whoosh files": whoosh_files, "FTS5, encrypted": fts5}


def readable_after_kill(engine: str, messages: int) -> int:
    """Kill an indexer a few seconds into its work; return how often its mail's canary word stands on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "benchmarks.search_engines",
            "--victim",
            engine,
            "--folder",
            folder,
            "--messages",
            str(messages),
        ]
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as victim:
            assert victim.stdout is not None
            victim.stdout.readline()
            time.sleep(4)
            victim.send_signal(signal.SIGKILL)
        pattern = re.compile(CANARY.encode())
        return sum(len(pattern.findall(p.read_bytes())) for p in Path(folder).rglob("*") if p.is_file())


def victim(engine: str, folder: Path, messages: int) -> None:
    text = f"{CANARY} and some words of a mail " * 20
    found = [
        IndexDocument(n << ROW_BITS, f"{CANARY}{n}", "", "", "", "", f"{text} {n}", "", "") for n in range(1, messages)
    ]
    print("ready", flush=True)
    while True:
        ENGINES[engine](Path(tempfile.mkdtemp(dir=folder)), found)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--victim", choices=list(ENGINES), help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.victim:
        victim(chosen.victim, chosen.folder, chosen.messages)
        return
    found = documents(chosen.messages)
    print(
        f"{len(found)} messages\n{'':18}{'msg/s':>8}{'MB':>8}"
        + "".join(f"{q:>18}" for q in QUERIES)
        + "  ms; left readable"
    )
    for name, build in ENGINES.items():
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            search = build(Path(folder), found)
            rate = len(found) / (time.perf_counter() - start)
            size = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file() and "archive.db" not in p.name)
            line = f"{name:18}{rate:8.0f}{size / 1e6:8.1f}"
            for query in QUERIES:
                times = []
                for _ in range(20):
                    start = time.perf_counter()
                    search(query)
                    times.append((time.perf_counter() - start) * 1000)
                line += f"{statistics.median(times):18.2f}"
            print(line + f"  {readable_after_kill(name, 100)}", flush=True)


if __name__ == "__main__":
    main()
