"""Whether searches find what notmuch finds: over 200 queries on the same real mail, differences sorted by their cause.

    ARCHIVER_CORPUS=FOLDER python -m benchmarks.agreement [--every N] [--show]

Queries are made of words that the mail has, in quotation marks on both sides, for notmuch knows English stems only.
Each message that only one of them finds is read once more, as archiver reads it but for one difference, or two or
three: those that turn archiver's answer into notmuch's are the cause. They are described in docs/search.md. Ends with 1
when one is left without a cause. Prints no words of the mail, unless `--show` asks.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from archiver.core.documents import document
from archiver.mail.parse import parse
from archiver.model.catalogue import IndexDocument
from archiver.model.message import Direction
from archiver.search.index import FullTextIndex
from archiver.search.rows import ROW_BITS
from archiver.search.searcher import FullTextSearcher
from archiver.store.connection import open_database
from archiver.store.index_db import open_index_file
from archiver.store.schema import APPLICATION_ID, MIGRATIONS, migrate
from benchmarks.apparatus.notmuch_model import Mail, Query, why
from benchmarks.apparatus.post import CORPUS, require
from benchmarks.apparatus.programs import Notmuch

EACH = 20
"""Queries of each kind."""

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_WORD = re.compile(r"[a-z]{4,14}")


def _read(path: Path) -> Mail:
    message = parse(path.read_bytes())
    at = message.sent_at or message.arrived_at or datetime(1970, 1, 1, tzinfo=UTC)
    return Mail(
        path,
        message.message_id or str(path),
        max(0, int(at.timestamp())),
        message.sent_at is not None,
        document(0, message, Direction.OTHER),
    )


class Ours:
    """An index of the mail and nothing else: of the catalogue only what dates need."""

    def __init__(self, folder: Path, mails: Sequence[Mail]) -> None:
        key = bytes(range(32))
        with open_database(folder / "archive.db", key, create=True) as catalogue:
            migrate(catalogue, APPLICATION_ID, MIGRATIONS)
        connection = open_index_file(folder / "index.db", key)
        connection.attach(folder / "archive.db", key, "cat")
        index = FullTextIndex(connection)
        self._mails: dict[int, Mail] = {}
        batch: list[IndexDocument] = []
        for mail in mails:
            row = mail.at << ROW_BITS
            while row in self._mails:
                row += 1
            self._mails[row] = mail
            batch.append(_placed(mail.document, row))
            if len(batch) == 500:
                index.add(batch, 1)
                batch.clear()
        index.add(batch, 1)
        self._searcher = FullTextSearcher(connection, lambda: _NOW)

    def found(self, query: str) -> set[str]:
        """Return the keys of what a query finds."""
        return {self._mails[hit.row].key for hit in self._searcher.search(query, limit=1_000_000).hits}


def _placed(document: IndexDocument, row: int) -> IndexDocument:
    from msgspec.structs import replace

    return replace(document, row=row)


class Theirs:
    """notmuch over the same files."""

    def __init__(self, home: Path, folder: Path, keys: dict[str, str]) -> None:
        self._notmuch, self._keys = Notmuch(home, folder), keys
        self._notmuch.clear()
        self._run()

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            self._notmuch.command(*arguments), env={**self._notmuch.environ, "TZ": "UTC"}, capture_output=True,
            check=True, text=True,
        )  # fmt: skip
        return str(done.stdout)

    def found(self, query: str) -> set[str]:
        """Return the keys of what a query finds."""
        return {self._keys[path] for path in self._run("search", "--output=files", "--", query).splitlines()}


def _queries(mails: Sequence[Mail], random: Random) -> Iterator[Query]:
    """Make queries of words that are in 3 to 2,000 of the messages."""
    counts: Counter[str] = Counter()
    for mail in mails:
        counts.update(set(_WORD.findall(mail.document.text.lower())))
    common = [word for word, count in sorted(counts.items()) if 30 <= count <= 2_000]
    rarer = [word for word, count in sorted(counts.items()) if 3 <= count <= 300]

    def from_field(texts: Sequence[str]) -> str:
        while True:
            words = _WORD.findall(random.choice(texts).lower())
            if words:
                return str(random.choice(words))

    subjects = [m.document.subject for m in mails if m.document.subject]
    senders = [m.document.from_ for m in mails if m.document.from_]
    recipients = [m.document.to for m in mails if m.document.to]
    addresses = sorted({a.lower() for s in senders for a in re.findall(r"\w+(?:[.-]\w+)*@\w+(?:[.-]\w+)+", s)})
    for _ in range(EACH):
        a, b, c = random.choice(rarer), *random.sample(common, 2)
        yield Query("word", f'"{a}"', f'"{a}"', (a,))
        yield Query("two words", f'"{b}" "{c}"', f'"{b}" and "{c}"', (b, c))
        yield Query("either", f'"{a}" OR "{b}"', f'"{a}" or "{b}"', (a, b), any_of=True)
        yield Query("without", f'"{b}" -"{c}"', f'"{b}" and not "{c}"', (b,), never=c)
        phrase = _phrase(mails, random)
        yield Query("phrase", f'"{phrase}"', f'"{phrase}"', (phrase,))
        start = random.choice(rarer)[:5]
        yield Query("prefix", f"{start}*", f"{start}*", (start + "*",))
        word = from_field(subjects)
        yield Query("subject:", f'subject:"{word}"', f'subject:"{word}"', (word,), "subject")
        word = from_field(senders)
        yield Query("from:", f'from:"{word}"', f'from:"{word}"', (word,), "from")
        word = from_field(recipients)
        yield Query("to:", f'to:"{word}" OR cc:"{word}" OR bcc:"{word}"', f'to:"{word}"', (word,), "to")
        address = random.choice(addresses)
        yield Query("address", f"from:{address}", f'from:"{address}"', (address,), "from")
        day = datetime.fromtimestamp(random.choice(mails).at, UTC)
        month = f"{day:%Y-%m}"
        first = datetime(day.year, day.month, 1, tzinfo=UTC)
        within = int(first.timestamp()), int((first + timedelta(days=32)).replace(day=1).timestamp())
        yield Query("date", f'"{b}" date:{month}', f'"{b}" and date:{month}..{month}', (b,), month=within)


def _phrase(mails: Sequence[Mail], random: Random) -> str:
    while True:
        lines = [line for line in random.choice(mails).document.text.splitlines() if line.isascii()]
        found = re.findall(r"(?<![\w'&.-])[a-z]{3,12} [a-z]{3,12}(?: [a-z]{3,12})?(?![\w'&.-])", " \n".join(lines))
        if found:
            return str(random.choice(found))


def main() -> int:
    """Ask both, and print what they agree on and why not."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--every", type=int, default=1, help="take every Nth message only")
    arguments.add_argument("--seed", type=int, default=4)
    arguments.add_argument("--show", action="store_true", help="print queries and files that are left without a cause")
    options = arguments.parse_args()
    require("notmuch")
    folder = os.environ.get(CORPUS)
    if not folder:
        print(f"NOT MEASURED: it needs {CORPUS}, a folder of real mail")
        return 0
    with tempfile.TemporaryDirectory() as name:
        maildir = Path(name) / "mail" / "cur"
        maildir.mkdir(parents=True)
        paths = []
        for number, path in enumerate(sorted(Path(folder).rglob("*.eml"))[:: options.every]):
            paths.append(maildir / f"{number:06}.eml")
            paths[-1].symlink_to(path.absolute())
        with ProcessPoolExecutor(2) as pool:
            mails = list(pool.map(_read, paths, chunksize=200))
        print(f"{len(mails)} messages", flush=True)
        return _compare(Path(name), maildir, mails, options)


def _compare(home: Path, folder: Path, mails: Sequence[Mail], options: argparse.Namespace) -> int:
    keys = {str(mail.path): mail.key for mail in mails}
    files: dict[str, list[Mail]] = {}
    for mail in mails:
        files.setdefault(mail.key, []).append(mail)
    ours, theirs = Ours(home, mails), Theirs(home / "notmuch", folder, keys)
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    alike: Counter[str] = Counter()
    both = 0
    named: Counter[tuple[str, str]] = Counter()
    left: list[tuple[Query, str, bool, str]] = []
    for query in _queries(mails, Random(options.seed)):
        mine, other = ours.found(query.ours), theirs.found(query.theirs)
        asked[query.kind] += 1
        found[query.kind] += len(mine | other)
        alike[query.kind] += mine == other
        both += len(mine & other)
        for key in sorted(mine ^ other):
            try:
                differences = why(query, files[key], theirs=key in other)
            except ValueError:
                left.append((query, key, key in mine, "archiver's own answer is not understood"))
                continue
            if differences is None:
                left.append((query, key, key in mine, "no cause"))
                continue
            who = "archiver only" if key in mine else "notmuch only"
            named[" + ".join(each.value for each in differences), who] += 1
    print(f"{asked.total()} queries, {alike.total()} with the same answer; {both} messages found by both")
    for kind in asked:
        print(f"  {kind:<12}{asked[kind]:>5} queries{alike[kind]:>5} alike{found[kind]:>8} found")
    for (cause, who), times in sorted(named.items()):
        print(f"  {times:>6}  {who}: {cause}")
    print(f"  {len(left):>6}  without a cause")
    if options.show:
        of = {mail.key: mail.path.resolve() for mail in mails}
        for query, key, is_ours, what in left[:: max(1, len(left) // 40)]:
            who = "archiver" if is_ours else "notmuch"
            print(f"    {who} only, {what}: {query.kind} {query.ours}  {of[key]}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
