"""SIGKILL at every statement of a change of customers: what the archive holds afterwards, in a small archive.

A process opens a copy of an archive as a command does, makes one change, and kills itself before the n-th statement
that it gives to a database inside a transaction, or right after it. Knows which changes there are and how to tell two
states of an archive apart; times of day are left out of that, because a change that is made again has another.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from archiver import app
from archiver.app.customers import CustomerEditor
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import Keys, find_keys
from archiver.config import CustomerSettings, Settings
from archiver.model.customer import Contact, Customer
from archiver.store.connection import StoreConnection, open_database
from tests.crash.flipping import BOUNDS, CHEAP, PASSPHRASE, ask, parsing_here, settings_of
from tests.twins.first_release import make_first_format
from tests.twins.linked_archive import letter

OURS = "info@example.test"
VAT, OTHER_VAT = "BE0428759497", "BE0403019261"
LICENCE = "ZEBRA-1234-5678"

State = Mapping[str, Sequence[tuple[object, ...]]]

_TABLES = {
    "customers": "SELECT id, key, reference, record, merged_into, before, after FROM customers ORDER BY id",
    "links": "SELECT * FROM links ORDER BY customer, row",
    "decisions": "SELECT id, blob_id, customer, links, who, why, undone_at IS NULL, undone_by FROM decisions"
    " ORDER BY id",
    "numbers": "SELECT m.row, n.kind, n.value FROM mentions m JOIN numbers n ON n.id = m.number ORDER BY 1, 2, 3",
    "messages": "SELECT blob_id, thread, direction, flags, people FROM messages ORDER BY blob_id",
    "rules": "SELECT value FROM meta WHERE key = 'linked_as'",
}


def shared(home: Path) -> Settings:
    """Settings by which one domain of a customer is a provider's."""
    return replace(settings_of(home), customers=CustomerSettings(shared_domains=("one.test",)))


def keys_of(home: Path) -> Keys:
    """Return the keys of an archive here."""
    keys = find_keys(settings_of(home), ask=ask, bounds=BOUNDS)
    assert keys is not None
    return keys


def state(home: Path) -> State:
    """Return everything that a change of customers may touch; an archive of format 1 is converted."""
    with open_unlocked(settings_of(home), keys_of(home), write=False) as opened:
        return {name: list(opened.catalogue.connection.execute(sql)) for name, sql in _TABLES.items()}


# --- the archive ------------------------------------------------------------------------------------------------------


def make(home: Path) -> None:
    """Make an archive with mail, customers, a merge and decisions by hand."""
    home.mkdir(parents=True)
    app.prepare_archive(settings_of(home), PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    with parsing_here():
        _bring(home, _letters())
        with _changing(home) as editor:
            one = editor.add(_customer("K1", "jan@one.test", vat=VAT, domains=("one.test",))).record
            two = editor.add(_customer("K2", "piet@two.test", "els@shared.test")).record
            three = editor.add(_customer("K3", "els@shared.test", licences=("OLD-9999",))).record
            editor.merge(editor.add(_customer("K4", "info@four.test", notes="of the savannah")).record, three)
            rows = _rows(editor, "from:nobody")
            editor.link(rows[0], one, why="said so on the telephone")
            editor.unlink(rows[1], two, why="no")


def _bring(home: Path, letters: Iterable[bytes], *, unlocked: bool = True) -> None:
    folder = home / "mail"
    folder.mkdir()
    for number, octets in enumerate(letters):
        (folder / f"{number}.eml").write_bytes(octets)
    app.import_paths(settings_of(home), [folder], ask=ask if unlocked else (lambda: None), bounds=BOUNDS)
    shutil.rmtree(folder)


def _letters(first: int = 0) -> Iterator[bytes]:
    texts = ("Good morning.", f"Our VAT number is {VAT}.", f"Licence {LICENCE} please.", f"VAT {OTHER_VAT}, K7-2025")
    senders = ("jan@one.test", "an@one.test", "piet@two.test", "els@shared.test", "x@nobody.test")
    for number in range(20):
        sender, text = senders[number % len(senders)], texts[number // len(senders)]
        yield letter(sender, to=OURS, text=text, number=first + number)


def _customer(reference: str, *emails: str, **fields: object) -> Customer:
    return Customer(reference, f"Firm {reference}", contacts=(Contact("Jan", emails),), **fields)  # type: ignore[arg-type]


def _changing(home: Path, settings: Settings | None = None) -> AbstractContextManager[CustomerEditor]:
    return app.change_customers(settings or settings_of(home), ask=ask, command="customer", bounds=BOUNDS)


def _rows(editor: CustomerEditor, query: str) -> list[int]:
    return [item.summary.row for item in editor.archive.search(query, limit=50).items]


# --- what is done to it -----------------------------------------------------------------------------------------------


def _nothing(_: Path) -> None:
    pass


def _add(home: Path) -> None:
    with _changing(home) as editor:
        editor.add(_customer("K7", "x@nobody.test", "els@shared.test", vat=OTHER_VAT, licences=(LICENCE,)))


def _edit(home: Path) -> None:
    with _changing(home) as editor:
        record = editor.archive.customer("K1")
        editor.edit(record, replace(record.customer, domains=(), vat=OTHER_VAT, licences=(LICENCE,), notes="moved"))


def _import(home: Path) -> None:
    with _changing(home) as editor:
        new = [_customer(f"N{n}", f"n{n}@nobody.test", domains=(f"n{n}.test",)) for n in range(3)]
        editor.import_([*new, _customer("K2", "piet@two.test"), _customer("K9", "x@nobody.test", vat=OTHER_VAT)])


def _merge(home: Path) -> None:
    with _changing(home) as editor:
        editor.merge(editor.archive.customer("K2"), editor.archive.customer("K1"))


def _unmerge(home: Path) -> None:
    with _changing(home) as editor:
        editor.unmerge("K4")


def _remove(home: Path) -> None:
    with _changing(home) as editor:
        editor.remove(editor.archive.customer("K1"))


def _link(home: Path) -> None:
    with _changing(home) as editor:
        row = _rows(editor, "from:nobody")[1]
        editor.link(row, editor.archive.customer("K2"), why="another look")


def _undo(home: Path) -> None:
    with _changing(home) as editor:
        editor.undo(_rows(editor, "from:nobody")[0], editor.archive.customer("K1"))


def _spoil(home: Path) -> None:
    """Make the stored links wrong, as a mistake of an earlier release would have."""
    with open_database(keys_of(home).paths.database, keys_of(home).secret.database_key) as database:
        database.execute("DELETE FROM links WHERE row % 3 = 0")
        database.execute("UPDATE links SET standing = 0")


def _relink(home: Path) -> None:
    with _changing(home) as editor:
        editor.relink()


def _other_rules(home: Path) -> None:
    with _changing(home, shared(home)):
        pass


def _deliver(home: Path) -> None:
    _bring(home, _letters(first=100), unlocked=False)


def _take_in(home: Path) -> None:
    with _changing(home):
        pass


def _first_release(home: Path) -> None:
    with open_database(keys_of(home).paths.database, keys_of(home).secret.database_key) as database:
        make_first_format(database)


@dataclass(frozen=True)
class Change:
    """A change, and what must be there before; without `whole`, steps of it are states of their own."""

    make: Callable[[Path], None]
    prepare: Callable[[Path], None] = _nothing
    settings: Callable[[Path], Settings] = settings_of
    whole: bool = True


CHANGES: Mapping[str, Change] = {
    "add": Change(_add),
    "edit": Change(_edit),
    "import": Change(_import),
    "merge": Change(_merge),
    "unmerge": Change(_unmerge),
    "remove": Change(_remove),
    "link": Change(_link),
    "undo": Change(_undo),
    "relink": Change(_relink, _spoil),
    "other rules": Change(_other_rules, settings=shared),
    "take in": Change(_take_in, _deliver),
    "convert": Change(_take_in, _first_release),
    "convert and complete": Change(_relink, _first_release, whole=False),
}


# --- processes that kill themselves -----------------------------------------------------------------------------------


def _process(home: Path, name: str, at: int) -> None:
    """Make a change; die before statement `at`, after statement -`at`; with 0 live, and leave the count in a file."""
    count = 0
    execute, execute_many = StoreConnection.execute, StoreConnection.execute_many

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def counted(connection: StoreConnection, sql: str) -> int:
        nonlocal count
        if not connection._depth and not sql.startswith("BEGIN"):
            return 0
        count += 1
        if count == at:
            die()
        return count

    def one(connection: StoreConnection, sql: str, bindings: Sequence[object] = ()) -> Iterator[tuple[object, ...]]:
        number = counted(connection, sql)
        rows = execute(connection, sql, bindings)
        if number and number == -at:
            die()
        return rows

    def many(connection: StoreConnection, sql: str, rows: Iterable[Sequence[object]]) -> None:
        number = counted(connection, sql)

        def given() -> Iterator[Sequence[object]]:
            for each in rows:
                yield each
                if number and number == -at:
                    die()  # with some of them written

        execute_many(connection, sql, given())

    StoreConnection.execute, StoreConnection.execute_many = one, many  # type: ignore[method-assign,assignment]
    with parsing_here():
        CHANGES[name].make(home)
    if not at:
        (home / "statements").write_text(str(count))


def run(home: Path, name: str, at: int = 0) -> bool:
    """Make a change in a process of its own; tell whether it lived."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.changing"])
    process = context.Process(target=_process, args=(home, name, at))
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"{name} hangs when killed at {at}")
    assert process.exitcode in (0, -signal.SIGKILL), f"{name} ended with {process.exitcode}"
    return process.exitcode == 0


@dataclass
class Outcome:
    """How many kills there were, of how many possible, how many left the change absent, and what was wrong."""

    kills: int = 0
    possible: int = 0
    absent: int = 0
    problems: list[str] = field(default_factory=list)


class Changing:
    """An archive that is copied, changed and killed again and again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        make(home / "base")

    def run(self, name: str, most: int) -> Outcome:
        """Kill one change at up to so many statements, spread evenly, and look at what is left."""
        change, outcome = CHANGES[name], Outcome()
        source, whole, work = (self._home / each for each in (f"{name} source", f"{name} whole", "work"))
        shutil.copytree(self._home / "base", source)
        with parsing_here():
            change.prepare(source)
        shutil.copytree(source, whole)
        assert run(whole, name)
        last = int((whole / "statements").read_text())
        # The archive of format 1 is converted by looking at it, so a copy is looked at.
        shutil.copytree(source, work)
        before, after = state(work), state(whole)
        moments = [sign * number for number in range(1, last + 1) for sign in (1, -1)]
        outcome.possible = len(moments)
        for at in moments[:: max(1, -(-len(moments) // most))]:
            shutil.rmtree(work)
            shutil.copytree(source, work)
            lived = run(work, name, at)
            outcome.kills += not lived
            found = state(work)
            outcome.absent += found == before
            outcome.problems += [f"{name} at {at}: {each}" for each in self._wrong(change, work, found, before, after)]
        shutil.rmtree(work)
        return outcome

    def _wrong(self, change: Change, work: Path, found: State, before: State, after: State) -> Iterator[str]:
        if change.whole and found not in (before, after):
            yield f"half of it is there: {', '.join(t for t in found if found[t] not in (before[t], after[t]))}"
        with parsing_here(), app.open_archive(change.settings(work), ask=ask, bounds=BOUNDS):
            pass  # any reader brings the index up to the catalogue
        if change.prepare is not _spoil or found == after:
            report = app.verify(change.settings(work), full=True, ask=ask, bounds=BOUNDS)
            yield from (problem.message for problem in report.problems)
        if found != after:
            with parsing_here():
                change.make(work)
        if state(work) != after:
            yield "made again, it comes to something else"
        with parsing_here(), _changing(work, change.settings(work)) as editor:
            changes = editor.relink()
            if changes.messages:
                yield f"the links of {changes.messages} messages were not what the rules make"
            if not editor.archive.search("from:jan").items:
                yield "nothing is found"
