"""Flips, cuts and swaps over every kind of stored file: for the test (hundreds) and the figures (thousands).

An archive is copied, one file of the copy is changed, and everything that reads is run on it. What comes back must be
an error that names what is damaged, or a problem of `verify --full`, or exactly what the unharmed archive gives back.
The last is allowed only where the changed bytes say nothing: a page of SQLite that its log replaces, a byte behind its
end, a log of the collector's (whose loss costs a second look at the server). Every other kind of file must be told.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from archiver import app
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import find_keys, read_credential, read_public
from archiver.config import ArchiveSettings, Settings
from archiver.crypto.kdf import KdfBounds, KdfParameters
from archiver.errors import ArchiverError
from archiver.model.customer import Customer
from archiver.model.identity import Identity
from archiver.store.connection import open_database

CHEAP = KdfParameters(passes=1, lanes=1, memory_kib=64)
BOUNDS = KdfBounds.exactly(CHEAP)
PASSPHRASE = "only for tests, long enough"
ANSWERS = frozenset({3, 10, 12, 13, 30})
"""Exit codes with which damage may be told: configuration (key files), no archive, wrong key, format, integrity."""
QUERIES = ("", "zebra", '"striped horse"', "subject:nummer has:attachment", "from:customer.test savan*", "-zebra")
PAGE = 4096

Mutation = Callable[[random.Random, bytes], bytes | None]


def ask() -> str | None:
    """The passphrase of every archive here."""
    return PASSPHRASE


@dataclass
class Verdict:
    """What a mutation led to: `told` names the first thing that was said, `same` that nothing changed for a reader."""

    kind: str
    what: str
    told: str | None = None
    same: bool = False
    bad: str | None = None


@dataclass
class Tally:
    """Verdicts by kind of file; `bad` lists every mutation that was read as good, or told in a wrong way."""

    told: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)


@contextmanager
def parsing_here() -> Iterator[None]:
    """Parse in this process: starting others for ten messages would be most of the work."""
    from archiver.mail import workers

    class Here(workers.ParserPool):
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(0)

    usual, workers.ParserPool = workers.ParserPool, Here  # type: ignore[misc]
    try:
        yield
    finally:
        workers.ParserPool = usual  # type: ignore[misc]


# --- the archives -----------------------------------------------------------------------------------------------------


def settings_of(home: Path) -> Settings:
    """Settings of an archive in `home`; messages are parsed in this process."""
    return Settings(
        archive=ArchiveSettings(home / "archive", home / "collector-key"), identity=Identity(domains=("example.test",))
    )


def _mail(number: int, *, words: str = "") -> bytes:
    boundary = f"b{number}"
    return (
        f"Message-ID: <{number}@example.test>\r\nSubject: nummer {number}\r\nFrom: a{number}@customer.test\r\n"
        f"To: info@example.test\r\nDate: Sat, 1 Mar 2025 09:{number:02d}:00 +0000\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n\r\n"
        f"A zebra is a striped horse of the savannah {words} {number * 7919}, VAT BE 0428.759.497\r\n--{boundary}\r\n"
        f'Content-Type: text/csv; name="n{number}.csv"\r\nContent-Disposition: attachment\r\n\r\n1;2;3\r\n'
        f"--{boundary}--\r\n"
    ).encode()


def make_archive(home: Path, *, first: int) -> None:
    """Make an archive with two packs taken in."""
    home.mkdir(parents=True)
    app.prepare_archive(settings_of(home), PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    for batch in range(2):
        _bring(home, [_mail(number, words="ox" * batch) for number in range(first + batch * 8, first + batch * 8 + 8)])
    _befriend(home)


def _befriend(home: Path) -> None:
    """Make customers, links, a merge and a decision by hand, so that every table has a row."""
    with app.change_customers(settings_of(home), ask=ask, command="customer", bounds=BOUNDS) as editor:
        kept = editor.add(Customer("K1", "Zebra", domains=("customer.test",), vat="BE0428759497")).record
        merged = editor.add(Customer("K2", "Striped Horse", notes="of the savannah")).record
        editor.merge(merged, kept)
        (item,) = editor.archive.search("zebra", limit=1).items
        editor.link(item.summary.row, kept, why="stripes")


def _bring(home: Path, messages: Sequence[bytes], *, unlocked: bool = True) -> None:
    folder = home / "mail"
    folder.mkdir()
    for number, message in enumerate(messages):
        (folder / f"{number}.eml").write_bytes(message)
    app.import_paths(settings_of(home), [folder], ask=ask if unlocked else (lambda: None), bounds=BOUNDS)
    shutil.rmtree(folder)


def go_on_and_be_killed(home: Path) -> None:
    """Take in one more pack and leave another waiting; the last commits are then only in the logs (-wal).

    The databases are copied while somebody reads an older state, for whose sake SQLite keeps the logs.
    """
    settings = settings_of(home)
    keys = find_keys(settings, ask=ask, bounds=BOUNDS)
    assert keys is not None
    credential = read_credential(settings, keys.archive)
    with (
        open_unlocked(settings, keys, write=False) as opened,
        open_database(keys.paths.collect_database, credential.collect_key) as collector,
        ExitStack() as stack,
    ):
        reading = (opened.catalogue.connection, opened.connection, collector)
        for connection in reading:
            stack.enter_context(connection.snapshot())
            connection.integer("SELECT count(*) FROM sqlite_schema")
        _bring(home, [_mail(77, words="late")])
        _bring(home, [_mail(number) for number in range(80, 84)], unlocked=False)
        for name in ("archive.db", "index.db", "collect.db"):
            for suffix in ("", "-wal"):
                path = keys.paths.root / (name + suffix)
                path.with_name(path.name + ".kept").write_bytes(path.read_bytes())
    for path in keys.paths.root.glob("*.kept"):
        path.rename(path.with_suffix(""))


# --- reading everything -----------------------------------------------------------------------------------------------


def read_all(settings: Settings) -> str:
    """Return a digest of every message and result a reader gets; raises ArchiverError, also for what verify finds."""
    read_public(settings, bounds=BOUNDS)
    verified = app.verify(settings, full=True, ask=ask, bounds=BOUNDS)
    digest = sha256()
    if verified.problems:
        raise FoundError("; ".join(f"{problem.what}: {problem.message}" for problem in verified.problems))
    for each in _rows(settings):
        digest.update(each)
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        for query in QUERIES:
            page = archive.search(query, limit=100)
            digest.update(repr((query, page)).encode())
        for item in archive.search("", limit=100).items:
            row = item.summary.row
            details = archive.details(row)
            digest.update(archive.octets(row))
            digest.update(repr((details, archive.thread(row), archive.parsed(row).defects)).encode())
    return digest.hexdigest()


def _rows(settings: Settings) -> Iterator[bytes]:
    """Yield every row of catalogue and index, also of tables that no query of a user reads."""
    keys = find_keys(settings, ask=ask, bounds=BOUNDS)
    assert keys is not None
    with open_unlocked(settings, keys, write=False) as opened:
        for connection in (opened.catalogue.connection, opened.connection):
            tables = connection.execute(
                "SELECT name FROM sqlite_schema WHERE rootpage > 0 AND type = 'table' ORDER BY 1"
            )
            for (table,) in list(tables):
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    yield repr(row).encode()


class FoundError(ArchiverError):
    """What `verify` or `status` says is wrong."""

    exit_code = 30


# --- mutations --------------------------------------------------------------------------------------------------------


def flip(pick: random.Random, octets: bytes) -> bytes | None:
    at = pick.randrange(len(octets))
    return octets[:at] + bytes([octets[at] ^ (1 << pick.randrange(8))]) + octets[at + 1 :]


def scramble(pick: random.Random, octets: bytes) -> bytes | None:
    at, length = pick.randrange(len(octets)), pick.randint(1, 64)
    return octets[:at] + pick.randbytes(min(length, len(octets) - at)) + octets[at + length :]


def cut(pick: random.Random, octets: bytes) -> bytes | None:
    return octets[: pick.randrange(len(octets))]


def cut_out(pick: random.Random, octets: bytes) -> bytes | None:
    at, length = pick.randrange(len(octets)), pick.randint(1, 200)
    return octets[:at] + octets[at + length :]


def put_in(pick: random.Random, octets: bytes) -> bytes | None:
    at = pick.randrange(len(octets) + 1)
    return octets[:at] + pick.randbytes(pick.randint(1, 200)) + octets[at:]


def zero(pick: random.Random, octets: bytes) -> bytes | None:
    at, length = pick.randrange(len(octets)), pick.choice((16, 512, PAGE))
    return octets[:at] + bytes(min(length, len(octets) - at)) + octets[at + length :]


def swap_pages(pick: random.Random, octets: bytes) -> bytes | None:
    pages = len(octets) // PAGE
    if pages < 2:
        return None
    one, two = sorted(pick.sample(range(pages), 2))
    return (
        octets[: one * PAGE]
        + octets[two * PAGE : (two + 1) * PAGE]
        + octets[(one + 1) * PAGE : two * PAGE]
        + octets[one * PAGE : (one + 1) * PAGE]
        + octets[(two + 1) * PAGE :]
    )


MUTATIONS: Sequence[Mutation] = (flip, flip, flip, scramble, cut, cut_out, put_in, zero, swap_pages)


def kind_of(path: Path) -> str:
    """Return the kind of a stored file."""
    if path.suffix in (".pack", ".pending"):
        return path.suffix[1:]
    return path.name


class Flipping:
    """Archives, and a copy of one that is changed and read again and again.

    Logs and other files are changed in an archive whose writer was killed; databases in one that was left in peace,
    where no log stands before their pages and hides what was done to them.
    """

    def __init__(self, home: Path, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._work = home / "work"
        self._sources = [home / "one", home / "two"]
        self._calm = home / "calm"
        for number, source in enumerate(self._sources):
            make_archive(source, first=1 + 30 * number)
            if not number:
                shutil.copytree(source, self._calm)
            go_on_and_be_killed(source)
        self._good: dict[Path, tuple[str, str]] = {}
        for source in (self._sources[0], self._calm):
            self._fresh(source)
            self._good[source] = read_all(settings_of(self._work)), self._searched()

    def run(self, count: int) -> Tally:
        """Try so many mutations, spread evenly over the kinds of files."""
        tally = Tally()
        by_kind: dict[str, list[Path]] = {}
        for path in sorted(self._sources[0].rglob("*")):
            if path.parent.name == "audit":
                continue  # its end can be cut off unseen but by an anchor: tests/crash/attacking_trail.py
            if path.is_file() and path.stat().st_size and not path.name.endswith((".lock", ".TAG", "-shm")):
                by_kind.setdefault(kind_of(path), []).append(path.relative_to(self._sources[0]))
        # A database has room for harmless changes, and a log may stand before half its pages: it is tried more often.
        kinds = sorted(by_kind) + [kind for kind in sorted(by_kind) if kind.endswith(".db")]
        for number in range(count):
            kind = kinds[number % len(kinds)]
            with parsing_here():
                verdict = self._try(kind, self._random.choice(by_kind[kind]))
            if verdict.bad is not None:
                tally.bad.append(f"{verdict.kind}, {verdict.what}: {verdict.bad}")
            tally.told[kind] += verdict.told is not None
            tally.same[kind] += verdict.same
        return tally

    def _fresh(self, source: Path) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        shutil.copytree(source, self._work)

    def _try(self, kind: str, path: Path) -> Verdict:
        source = self._calm if kind.endswith(".db") else self._sources[0]
        good, index_good = self._good[source]
        self._fresh(source)
        what = self._mutate(path)
        verdict = Verdict(kind, what)
        try:
            found = read_all(settings_of(self._work))
        except ArchiverError as error:
            verdict.told = f"{error.exit_code}: {error.message}"
            verdict.bad = self._told_badly(kind, path, error)
            if kind.startswith("index.db") and verdict.bad is None:
                verdict.bad = self._not_mended(index_good)
        except Exception as error:  # noqa: BLE001 anything else is what a user would see as a traceback
            verdict.bad = f"{type(error).__name__}: {error}"
        else:
            verdict.same = found == good
            if not verdict.same:
                verdict.bad = "read as good, and it is something else"
            elif ".db" not in kind:
                verdict.bad = "read as good"
        return verdict

    def _mutate(self, path: Path) -> str:
        target = self._work / path
        octets = target.read_bytes()
        while True:
            choice = self._random.randrange(len(MUTATIONS) + 3)
            if choice < len(MUTATIONS):
                mutation = MUTATIONS[choice]
                name, changed = mutation.__name__, mutation(self._random, octets)
            elif choice == len(MUTATIONS):
                name, changed = "of another archive", self._foreign(path)
            elif choice == len(MUTATIONS) + 1:
                name, changed = "a page of another archive", self._foreign_page(path, octets)
            else:
                name, changed = "another of its kind", self._sibling(target)
            if changed is not None and changed != octets:
                target.write_bytes(changed)
                return f"{path}, {name}"

    def _foreign(self, path: Path) -> bytes | None:
        others = sorted(p for p in self._sources[1].rglob("*") if p.is_file() and kind_of(p) == kind_of(path))
        return self._random.choice(others).read_bytes() if others else None

    def _foreign_page(self, path: Path, octets: bytes) -> bytes | None:
        other = self._foreign(path)
        pages = 0 if other is None else min(len(other), len(octets)) // PAGE
        if other is None or not pages or ".db" not in path.name:
            return None
        at = self._random.randrange(pages) * PAGE
        return octets[:at] + other[at : at + PAGE] + octets[at + PAGE :]

    def _sibling(self, target: Path) -> bytes | None:
        others = [
            p for p in sorted(self._work.rglob("*")) if p.is_file() and p != target and kind_of(p) == kind_of(target)
        ]
        return self._random.choice(others).read_bytes() if others else None

    def _told_badly(self, kind: str, path: Path, error: ArchiverError) -> str | None:
        """Tell whether an error has a wrong code or does not name what is damaged."""
        if error.exit_code not in ANSWERS:
            return f"exit code {error.exit_code}: {error.message}"
        name = {"pack": path.stem[:12], "pending": path.stem[:16]}.get(kind, kind.removesuffix("-wal"))
        what = getattr(error, "what", "")
        if "another archive" in error.message:
            return None  # which of the two files is the wrong one, nobody can tell
        if name not in error.message + what and kind not in error.message + what:
            return f"does not name it: {error.message} ({what})"
        return None

    def _not_mended(self, index_good: str) -> str | None:
        """After damage to the index, `reindex` must bring back the same results."""
        try:
            with app.open_archive(settings_of(self._work), ask=ask, bounds=BOUNDS) as archive:
                archive.reindex()
            if self._searched() != index_good:
                return "reindex gives other results"
            read_all(settings_of(self._work))
        except ArchiverError as error:
            return f"reindex does not mend it: {error.message}"
        return None

    def _searched(self) -> str:
        with app.open_archive(settings_of(self._work), ask=ask, bounds=BOUNDS) as archive:
            return repr([archive.search(query, limit=100) for query in QUERIES])
