"""What earlier releases wrote opens for ever: an archive of each format, kept with its digests, is used by this one.

Each was made once by the release it is of, with `tests.formats.make`; what must come of it was known then. Formats 1
to 3 of archive.db were written by states of the program before its first release.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app.erasing import erase
from archiver.app.unlocking import find_keys
from archiver.config import Settings, load
from archiver.errors import WrongKeyError
from archiver.store.schema import MIGRATIONS
from tests.fakes.imap_mailboxes import MailboxServer
from tests.formats.make import PASSWORD, write_config

HERE = Path(__file__).parent
SECOND = "Tweede bericht, aan niemand die wij kennen"
NEWSLETTER = "Nieuwsbrief van de buren"
RELEASES = sorted(path.name for path in HERE.iterdir() if (path / "SHA256SUMS").exists())


@dataclass(frozen=True)
class Fixture:
    """An unpacked fixture, the mail that was on its server, and what must come of it."""

    home: Path
    settings: Settings
    server: MailboxServer
    expected: dict[str, Any]

    @property
    def kept(self) -> Counter[str]:
        """SHA-256 of every message that must be there, once each."""
        return Counter(self.expected["messages"].keys())

    @property
    def has_links(self) -> bool:
        return bool(self.expected["links"])


def nobody() -> str | None:
    return None


def typing(words: str) -> Callable[[], str | None]:
    return lambda: words


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Path:
    return HERE / str(request.param)


@pytest.fixture
def old(release: Path, tmp_path: Path) -> Iterator[Fixture]:
    with tarfile.open(release / "fixture.tar.gz") as tar:
        # Our own archive, as it is: of the 3.11 releases only those since 3.11.4 know the name, and ask for it.
        tar.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
        tar.extractall(tmp_path)
    server = MailboxServer(("info",), password=PASSWORD)
    with closing(server):
        for name in ("INBOX", "Sent", "Archief"):
            for path in sorted((tmp_path / "mail" / name).iterdir(), key=lambda path: int(path.stem)):
                assert server.deliver("info", name.encode(), path.read_bytes()) == int(path.stem)
        settings = load(write_config(tmp_path, server.port), {})
        yield Fixture(tmp_path, settings, server, json.loads((release / "expected.json").read_text()))


@contextmanager
def opened(settings: Settings, ask: Callable[[], str | None] = nobody, *, take_in: bool = True) -> Iterator[Any]:
    with app.open_archive(settings, ask=ask, take_in=take_in) as archive:
        yield archive


def items(archive: Any, query: str = "") -> Sequence[Any]:
    page = archive.search(query, limit=100)
    assert page.total == len(page.items)
    return list(page.items)


def octets(archive: Any) -> Counter[str]:
    """Read every message: how often there is which."""
    return Counter(hashlib.sha256(archive.octets(item.summary.row)).hexdigest() for item in items(archive))


def good(settings: Settings) -> bool:
    """Tell whether a full check finds nothing; what it found is in the failure."""
    report = app.verify(settings, full=True, ask=nobody)
    assert [f"{each.what}: {each.message}" for each in report.problems] == []
    return True


# --- the fixtures -----------------------------------------------------------------------------------------------------


def test_no_fixture_was_changed_since_it_was_made(release: Path) -> None:
    lines = [line.split("  ") for line in (release / "SHA256SUMS").read_text().splitlines()]
    assert [name for _, name in lines] == ["expected.json", "fixture.tar.gz"]
    for digest, name in lines:
        assert hashlib.sha256((release / name).read_bytes()).hexdigest() == digest, name


def test_every_format_that_was_ever_written_has_a_fixture_also_the_newest() -> None:
    """A new format: make a fixture with the release that has it, and never change those that are here."""
    formats = [json.loads((HERE / name / "expected.json").read_text())["format"] for name in RELEASES]
    assert sorted(formats) == list(range(1, len(MIGRATIONS) + 1))


# --- reading ----------------------------------------------------------------------------------------------------------


def test_every_key_that_opened_it_opens_it_and_no_other(old: Fixture) -> None:
    by_hand = replace(old.settings, archive=replace(old.settings.archive, machine_key_file=None))
    for words in (*old.expected["passphrases"], old.expected["recovery_code"]):
        keys = find_keys(by_hand, ask=typing(words))
        assert keys is not None
        assert keys.secret.epoch == old.expected["epoch"]
    with pytest.raises(WrongKeyError):
        find_keys(by_hand, ask=typing("niet de goede woorden"))
    with opened(by_hand, typing(old.expected["recovery_code"])) as archive:
        assert octets(archive) == old.kept


def test_what_waited_is_taken_in_and_every_octet_is_what_it_was(old: Fixture) -> None:
    assert app.status(old.settings, ask=None).pending == len(old.expected["waiting"])
    assert app.verify(old.settings, full=False, ask=nobody).problems == ()
    with opened(old.settings) as archive:
        assert octets(archive) == old.kept
    status = app.status(old.settings, ask=nobody)
    assert (status.messages, status.indexed, status.pending) == (len(old.kept), len(old.kept), 0)
    assert status.octets == sum(old.expected["messages"].values())
    assert good(old.settings)


def test_mail_is_found_by_what_it_and_its_attachments_say_in_four_languages(old: Fixture) -> None:
    with opened(old.settings) as archive:
        for query, subject in (
            ("betaling OR betaald", "Vraag over de factuur"),
            ("cle licence", "Clé de licence"),
            ("Vertrag", "Kündigung des Vertrages"),
            ("subject:printer", "Prices of the printers"),
            ("opzegtermijn", "Re: Vraag over de factuur"),
            ("papyrus", "Prices of the printers"),
            ("kangoeroe", "Archive"),
            ("noch", "Wartet noch"),
        ):
            assert [item.summary.subject for item in items(archive, query)] == [subject], query
        assert len(items(archive, "zebra")) == len(old.kept)
        (item,) = items(archive, "facture from:anne")
        assert ("Subject", "Facture") in archive.headers(item.summary.row)


def test_links_and_what_was_decided_by_hand_are_as_they_were(old: Fixture) -> None:
    with opened(old.settings) as archive:
        found = {
            hashlib.sha256(archive.octets(item.summary.row)).hexdigest(): sorted(item.summary.customers)
            for item in items(archive)
        }
        assert {each: links for each, links in found.items() if each in old.expected["links"]} == old.expected["links"]
        customers = {record.customer.reference: record for record in archive.customers()}
        assert sorted(customers) == (["K1", "K2", "K3"] if old.has_links else [])
        if old.has_links:
            decided = {
                subject: archive.why(items(archive, f'subject:"{subject}"')[0].summary.row).decisions
                for subject in (SECOND, NEWSLETTER)
            }
            assert [each.why for each in decided[SECOND]] == ["Eva belde erover"]
            assert [each.why for each in decided[NEWSLETTER]] == ["is reclame"]
            assert archive.history(customers["K1"]).total == sum("K1" in links for links in found.values()) >= 5
        assert {each.name: each.query for each in archive.saved_searches()} == old.expected["saved"]
        for name in old.expected["saved"]:
            assert items(archive, f"saved:{name}"), name
    assert good(old.settings)


def test_the_audit_trail_of_all_epochs_is_whole_back_to_its_anchor(old: Fixture) -> None:
    anchor = old.expected["anchor"]
    report = app.audit_verify(old.settings, ask=nobody, anchor=anchor)
    assert report.problems == ()
    if anchor is not None:
        assert report.anchors == 1
        assert report.checkpoints >= 2, "two by hand, and one a day by itself"
        actions = Counter(entry.event.action for entry in app.audit_list(old.settings, ask=nobody, limit=100).items)
        for action, times in (("erase", 1), ("key-rotate", 2), ("show", 1), ("link", 1), ("unlink", 1)):
            assert actions[action] == times, action


# --- going on with it -------------------------------------------------------------------------------------------------


def test_a_sync_goes_on_where_it_stood_and_what_was_erased_stays_away(old: Fixture) -> None:
    old.server.deliver("info", b"INBOX", b"Subject: nieuw\r\nMessage-ID: <new@x>\r\n\r\nZebra\r\n")
    report = app.sync(old.settings, now=True, ask=nobody)
    assert (report.collected, report.incomplete, report.damaged) == (1, (), ())
    assert old.server.bodies == 1, "nothing was fetched a second time"
    with opened(old.settings) as archive:
        assert octets(archive) - old.kept == Counter(
            {hashlib.sha256(b"Subject: nieuw\r\nMessage-ID: <new@x>\r\n\r\nZebra\r\n").hexdigest(): 1}
        )
    assert good(old.settings)


def test_its_erasures_hold_also_when_its_mail_is_imported_again_without_cursors(old: Fixture) -> None:
    old.settings.archive.path.joinpath("collect.db").unlink()
    app.import_paths(old.settings, [old.home / "mail"], ask=nobody)
    with opened(old.settings) as archive:
        assert octets(archive) == old.kept
        assert len(items(archive, "schaduwwoord")) == (0 if old.expected["erased"] else 1)
    assert good(old.settings)


def test_its_keys_rotate_its_mail_is_erased_and_a_backup_of_it_comes_back(old: Fixture) -> None:
    app.key_rotate(old.settings, ask=typing(old.expected["passphrases"][0]))
    with opened(old.settings) as archive:
        (item,) = items(archive, f'subject:"{SECOND}"')
        gone = hashlib.sha256(archive.octets(item.summary.row)).hexdigest()
    erase(old.settings, [item.summary.blob_id.hex()], ask=nobody)
    app.backup(old.settings, old.home / "backups", ask=nobody)
    assert app.verify_backup(old.settings, old.home / "backups", full=True, ask=nobody).problems == ()
    shutil.rmtree(old.settings.archive.path)
    app.restore(old.settings, old.home / "backups", ask=nobody)
    with opened(old.settings) as archive:
        assert octets(archive) == old.kept - Counter([gone])
    assert good(old.settings)


def test_the_index_is_made_anew_from_it(old: Fixture) -> None:
    for path in old.settings.archive.path.glob("index.db*"):
        path.unlink()
    with opened(old.settings) as archive:
        assert len(items(archive, "zebra")) == len(old.kept)
        assert len(items(archive, "schaduwwoord")) == (0 if old.expected["erased"] else 1)
