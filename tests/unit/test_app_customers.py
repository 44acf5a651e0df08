"""Changing customers in a real archive: under the lock, up to date, recorded of a person, and dry when asked."""

from __future__ import annotations

import os
import pwd
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app.customers import CustomerEditor
from archiver.app.opening import open_unlocked
from archiver.app.people import real_user
from archiver.app.syncing import SyncReport
from archiver.app.unlocking import find_keys
from archiver.config import ArchiveSettings, CustomerSettings, Settings, SyncSettings
from archiver.crypto.kdf import KdfBounds
from archiver.errors import IntegrityError, LockedError, UsageError
from archiver.model.identity import Identity
from archiver.store.links import SqliteLinks
from archiver.store.lock import writer_lock
from tests.twins.archive import CHEAP
from tests.twins.linked_archive import customer, letter

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(CHEAP)


@dataclass
class Home:
    """An archive as its users have it."""

    path: Path
    settings: Settings

    def bring(self, *letters: bytes, unlocked: bool = True) -> SyncReport:
        folder = self.path / "mail"
        folder.mkdir()
        for number, octets in enumerate(letters):
            (folder / f"{number}.eml").write_bytes(octets)
        ask = (lambda: PASSPHRASE) if unlocked else (lambda: None)
        report = app.import_paths(self.settings, [folder], ask=ask, bounds=BOUNDS)
        shutil.rmtree(folder)
        return report

    @contextmanager
    def changing(self, *, dry_run: bool = False) -> Iterator[CustomerEditor]:
        with app.change_customers(
            self.settings, ask=lambda: PASSPHRASE, command="customer", dry_run=dry_run, bounds=BOUNDS
        ) as editor:
            yield editor

    def customers_of(self, query: str) -> Sequence[tuple[str, ...]]:
        with app.open_archive(self.settings, ask=lambda: PASSPHRASE, bounds=BOUNDS) as archive:
            return [item.summary.customers for item in archive.search(query).items]

    def problems(self) -> list[str]:
        report = app.verify(self.settings, full=True, ask=lambda: PASSPHRASE, bounds=BOUNDS)
        return [problem.message for problem in report.problems]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    settings = Settings(
        ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        Identity(("ours.test",)),
        sync=SyncSettings(workers=1),
    )
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    return Home(tmp_path, settings)


def test_a_customer_is_added_to_an_archive_and_its_mail_is_linked_at_once(home: Home) -> None:
    home.bring(letter("jan@acme.example", number=1))
    with home.changing() as editor:
        change = editor.add(customer("K1", "jan@acme.example"))
        assert editor.archive.customer("K1").customer == change.after
    assert home.customers_of("question") == [("K1",)]
    assert home.problems() == []


def test_mail_that_waited_sealed_is_taken_in_before_anything_is_changed(home: Home) -> None:
    home.bring(letter("x@other.example", text="Licence ABCD-1234-EFGH", number=1), unlocked=False)
    with home.changing() as editor:
        change = editor.add(customer("K1", licences=("ABCD-1234-EFGH",)))
    assert change.links.messages == 1


def test_an_index_that_is_gone_is_made_anew_before_a_number_is_looked_for_in_it(home: Home) -> None:
    home.bring(letter("x@other.example", text="Licence ABCD-1234-EFGH", number=1))
    for path in (home.path / "archive").glob("index.db*"):
        path.unlink()
    with home.changing() as editor:
        assert editor.add(customer("K1", licences=("ABCD-1234-EFGH",))).links.messages == 1


def test_an_index_whose_first_page_is_damaged_is_made_anew_too(home: Home) -> None:
    home.bring(letter("x@other.example", text="Licence ABCD-1234-EFGH", number=1))
    _spoil(home.path / "archive" / "index.db", 200)
    with home.changing() as editor:
        assert editor.add(customer("K1", licences=("ABCD-1234-EFGH",))).links.messages == 1


def test_where_the_words_of_the_index_are_damaged_the_change_is_refused_until_it_is_made_anew(home: Home) -> None:
    home.bring(letter("x@other.example", text="Licence ABCD-1234-EFGH", number=1))
    _spoil(home.path / "archive" / "index.db", 5000)
    new = customer("K1", licences=("ABCD-1234-EFGH",))
    with home.changing() as editor:
        with pytest.raises(IntegrityError):
            editor.add(new)
        assert editor.archive.customers() == []
    with app.open_archive(home.settings, ask=lambda: PASSPHRASE, bounds=BOUNDS) as archive:
        archive.reindex()
    with home.changing() as editor:
        assert editor.add(new).links.messages == 1


def _spoil(path: Path, at: int) -> None:
    octets = bytearray(path.read_bytes())
    octets[at : at + 4000] = bytes(4000)
    path.write_bytes(octets)


def test_a_dry_run_says_the_same_and_keeps_nothing(home: Home) -> None:
    home.bring(letter("jan@acme.example", number=1), letter("a@other.example", text="Lic ABCD-1234-EFGH", number=2))
    new = customer("K1", "jan@acme.example", licences=("ABCD-1234-EFGH",))
    with home.changing(dry_run=True) as editor:
        dry = editor.add(new)
        assert editor.archive.customers() == []
        assert editor.import_([new]).links == dry.links
        assert editor.relink(lambda _: None).messages == 0
    assert home.customers_of("question") == [(), ()]
    with home.changing() as editor:
        assert editor.add(new).links == dry.links
        record = editor.archive.customer("K1")
    with home.changing(dry_run=True) as editor:
        assert editor.remove(record).links.messages == 2
        assert editor.unlink(editor.archive.search("question").items[0].summary.row, record, why="").messages == 1
    assert home.customers_of("question") == [("K1",), ("K1",)]


def test_an_error_in_the_middle_of_a_change_leaves_all_as_it_was(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.bring(letter("jan@acme.example", number=1))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    with home.changing() as editor:
        with monkeypatch.context() as patched:
            patched.setattr(SqliteLinks, "set_links", broken)
            with pytest.raises(RuntimeError):
                editor.add(customer("K1", "jan@acme.example"))
        assert editor.archive.customers() == []
        editor.add(customer("K1", "jan@acme.example"))
    assert home.customers_of("question") == [("K1",)]


def test_whoever_changes_customers_waits_for_a_writer_and_then_names_it(home: Home) -> None:
    keys = find_keys(home.settings, ask=lambda: PASSPHRASE, bounds=BOUNDS)
    assert keys is not None

    def change(wait: float) -> None:
        with app.change_customers(
            home.settings, ask=lambda: PASSPHRASE, command="customer", bounds=BOUNDS, wait=wait
        ) as editor:
            editor.add(customer("K1"))

    with writer_lock(keys.paths.lock("archive"), command="sync", now=datetime.now(tz=UTC)):
        with pytest.raises(LockedError) as caught:
            change(0.1)
        waiting = threading.Thread(target=change, args=(30.0,))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join()
    assert "archiver sync" in caught.value.message
    assert app.status(home.settings, ask=lambda: PASSPHRASE, bounds=BOUNDS).customers == 1


def test_the_figures_of_status_need_a_key(home: Home) -> None:
    home.bring(letter("jan@acme.example", number=1), letter("x@other.example", number=2))
    with home.changing() as editor:
        editor.add(customer("K1", "jan@acme.example"))
    report = app.status(home.settings, ask=lambda: PASSPHRASE, bounds=BOUNDS)
    assert (report.customers, report.unlinked) == (1, 1)
    locked = app.status(home.settings, ask=lambda: None, bounds=BOUNDS)
    assert (locked.customers, locked.unlinked) == (None, None)


def test_a_sync_says_how_much_of_the_new_mail_is_linked(home: Home) -> None:
    with home.changing() as editor:
        editor.add(customer("K1", "jan@acme.example"))
        editor.add(customer("K2", "bo@other.example"))
        editor.add(customer("K3", "bo@other.example"))
    senders = ("jan@acme.example", "bo@other.example", "x@third.example", "jan@acme.example")
    report = home.bring(*(letter(sender, number=number) for number, sender in enumerate(senders)))
    assert (report.linked, report.ambiguous, report.unlinked) == (2, 1, 1)
    assert report.ingested == 4


def test_after_a_change_of_the_shared_domains_the_next_run_links_everything_anew(home: Home) -> None:
    home.bring(letter("jan@provider.example", number=1))
    with home.changing() as editor:
        editor.add(customer("K1", domains=("provider.example",)))
    assert home.customers_of("question") == [("K1",)]
    home.settings = replace(home.settings, customers=CustomerSettings(shared_domains=("provider.example",)))
    assert home.problems() == []  # other rules, not damage
    home.bring(letter("an@provider.example", number=2))
    assert home.customers_of("question") == [(), ()]


def test_verify_finds_links_that_are_not_what_the_rules_make_or_name_what_is_gone(home: Home) -> None:
    home.bring(letter("jan@acme.example", number=1), letter("x@other.example", number=2))
    with home.changing() as editor:
        editor.add(customer("K1", "jan@acme.example"))
    keys = find_keys(home.settings, ask=lambda: PASSPHRASE, bounds=BOUNDS)
    assert keys is not None
    with open_unlocked(home.settings, keys, write=True) as opened:
        opened.catalogue.connection.execute("UPDATE links SET customer = 99")
        opened.catalogue.connection.execute("INSERT INTO links VALUES (1, 5, 1, 0, 0)")
    assert home.problems() == [
        "1 links of messages that are not there",
        "1 links to customers that are not there",
        "1 messages are linked otherwise than the rules say; `archiver relink` mends it",
    ]


def test_a_decision_is_recorded_of_the_person_who_took_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.app.customers.this_user", lambda: "an")
    home.bring(letter("x@other.example", number=1))
    with home.changing() as editor:
        record = editor.add(customer("K1")).record
        row = editor.archive.search("question").items[0].summary.row
        assert editor.link(row, record, why="  rang\nus ").gained == ((record.id, 1),)
        (decision,) = editor.archive.why(row).decisions
        assert (decision.who, decision.why, decision.links) == ("an", "rang us", True)
        with pytest.raises(UsageError):
            editor.undo(row + 1, record)
        assert editor.undo(row, record).lost == ((record.id, 1),)
        (undone,) = editor.archive.why(row).decisions
        assert undone.undone_by == "an"


# --- who it is --------------------------------------------------------------------------------------------------------

ME = pwd.getpwuid(os.getuid()).pw_name
OTHER = next(user.pw_name for user in pwd.getpwall() if user.pw_name != ME)


def test_the_login_that_the_kernel_remembers_counts_before_all_else() -> None:
    login = pwd.getpwnam(OTHER).pw_uid
    assert real_user({"SUDO_USER": ME}, login=login, user=os.getuid()) == OTHER


def test_without_it_the_user_of_the_process_counts_whatever_the_environment_says() -> None:
    environ = {"USER": OTHER, "LOGNAME": OTHER, "USERNAME": OTHER}
    assert real_user(environ, login=None, user=os.getuid()) == ME


@pytest.mark.parametrize("variable", ["SUDO_USER", "DOAS_USER"])
def test_who_became_another_user_is_named_beside_it_because_that_can_be_made_up(variable: str) -> None:
    assert real_user({variable: OTHER}, login=None, user=os.getuid()) == f"{OTHER} (as {ME})"
    assert real_user({variable: ME}, login=None, user=os.getuid()) == ME
    assert real_user({variable: "nobody\x1b[31m\n"}, login=None, user=os.getuid()) == ME


def test_a_user_without_a_name_is_its_number() -> None:
    assert real_user({}, login=None, user=4_000_000_123) == "uid 4000000123"
