"""`archiver backup` and `archiver restore`: what is asked for, what is said, and the exit codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.harness import Cli
from tests.cli.twin import NOW, Twin
from tests.cli.twin_backups import PACK, BackedUp, Checked, GenerationChecked, Restored, Revived


@pytest.fixture
def twin(cli: Cli) -> Twin:
    cli.app = twin = Twin()
    return twin


def test_a_backup_says_what_it_copied_and_until_when_something_erased_lingers(cli: Cli, twin: Twin) -> None:
    ran = cli("backup", "/mnt/disk")
    assert (ran.code, twin.calls) == (0, ["backup disk None"])
    assert "Backup 20260310T020000Z: 4.2 MB of state, 120 packs, 2 new (3.1 MB), 2.3 s." in ran.out
    assert "2 states are kept here, 1 removed." in ran.out
    assert "in none after Thu 9 Apr 2026" in ran.out
    assert ran.err == ""


def test_a_state_of_the_future_is_told(cli: Cli, twin: Twin) -> None:
    """Made while the clock was wrong: no age makes it go, and every later one has to stand behind it."""
    twin.backups.made = BackedUp(created=NOW + timedelta(days=2))
    assert "careful: a state here is dated in the future" in cli("backup", "disk").err
    twin.backups.made = BackedUp(created=NOW + timedelta(hours=2))
    assert cli("backup", "disk").err == ""


def test_its_options_reach_the_application(cli: Cli, twin: Twin) -> None:
    assert cli("backup", "disk", "--keep", "3", "--check-packs").code == 0
    assert cli("backup", "disk", "--verify").code == 0
    assert cli("backup", "disk", "--verify", "--full").code == 0
    assert twin.calls == ["backup disk 3 check-packs", "verify backup disk", "verify backup disk full"]


@pytest.mark.parametrize(
    "words", [["--full"], ["--verify", "--keep", "3"], ["--verify", "--check-packs"], ["--keep", "0"]]
)
def test_options_that_do_not_go_together_are_refused(cli: Cli, twin: Twin, words: list[str]) -> None:
    assert cli("backup", "disk", *words).code == 2
    assert twin.calls == []


@pytest.mark.parametrize(
    ("field", "words"),
    [("damaged", "no good copy"), ("rescued", "the backup has a good copy"), ("vanished", "gone from the archive")],
)
def test_packs_that_are_not_well_are_named_on_standard_error(cli: Cli, twin: Twin, field: str, words: str) -> None:
    twin.backups.made = replace(BackedUp(exit_code=30), **{field: (PACK,) * 25})  # type: ignore[arg-type]
    ran = cli("backup", "disk")
    assert ran.code == 30
    assert ran.err.count(PACK[:12]) == 20
    assert words in ran.err
    assert "and 5 more" in ran.err
    assert "archiver repair" in ran.err


def test_what_went_bad_in_the_backup_and_was_copied_anew_is_told(cli: Cli, twin: Twin) -> None:
    twin.backups.made = BackedUp(mended=(PACK,), copied=0, removed=())
    ran = cli("backup", "disk", "--check-packs")
    assert "1 pack had gone bad in the backup" in ran.out
    assert "none new" in ran.out


def test_a_check_needs_no_configuration(cli: Cli, twin: Twin, tmp_path: Path) -> None:
    cli.environ = {"HOME": str(tmp_path), "ARCHIVER_ARCHIVE": ""}
    assert cli("backup", "disk", "--verify").code == 0
    assert cli("backup", "disk", "--verify", "--full").code == 3


def test_a_check_names_what_is_damaged(cli: Cli, twin: Twin) -> None:
    bad = GenerationChecked(problems=("archive.db is not what was written",))
    twin.backups.checked = Checked(generations=(bad,), problems=("20260310T020000Z: archive.db…",), exit_code=30)
    ran = cli("backup", "disk", "--verify")
    assert ran.code == 30
    assert "damaged" in ran.out
    assert "archive.db" in ran.out
    assert "--check-packs" in ran.err
    twin.backups.checked = Checked(generations=(GenerationChecked(messages=17_000),))
    ran = cli("backup", "disk", "--verify", "--full")
    assert "17,000 messages opened and compared: good" in ran.out
    assert "No damage found." in ran.out


def test_json_says_the_same(cli: Cli, twin: Twin) -> None:
    made = cli("backup", "disk", "--json").json()
    assert made["state"] == {"files": 6, "octets": 4_200_000}
    assert made["erased_gone_by"] == "2026-04-09T02:00:00+00:00"
    found = cli("backup", "disk", "--verify", "--json").json()
    assert (found["good"], found["generations"][0]["messages"]) == (True, None)
    twin.backups.restored = Restored(set_aside=Path("/srv/archive.replaced-1"))
    restored = cli("restore", str(cli.home), "--json").json()
    assert (restored["set_aside"], restored["credential"]) == ("/srv/archive.replaced-1", "kept")


def test_a_restore_passes_on_what_was_said_and_tells_what_to_do_next(cli: Cli, twin: Twin) -> None:
    source = cli.home / "disk"
    source.mkdir()
    log = cli.home / "erasures.log"
    twin.backups.restored = Restored(erased=2, set_aside=cli.home / "archive.replaced-20260310T020000Z")
    ran = cli("restore", str(source), "--from", "2026", "--replace", "--write-collector-key", "--erasures", str(log))
    assert (ran.code, twin.calls) == (0, ["restore disk 2026 replace key erasures"])
    assert "Restored the state of Tue 10 Mar 2026" in ran.out
    assert "2 messages erased since then: erased again." in ran.out
    assert "archive.replaced-20260310T020000Z" in ran.out
    assert "archiver sync" in ran.out
    assert ran.err == ""


def test_what_a_restore_could_not_know_or_bring_back_is_said(cli: Cli, twin: Twin) -> None:
    twin.backups.restored = Restored(
        created=None, origin="copy", erasures_known=False, credential="missing", missing=1, lost=7, exit_code=30
    )
    ran = cli("restore", str(cli.home), "--incomplete")
    assert ran.code == 30
    assert "1 pack missing, with 7 messages in them" in ran.err
    assert "nothing is known of erasures" in ran.err
    assert "`archiver repair` writes it again" in ran.err
    twin.backups.restored = Restored(credential="unreadable")
    assert "move it away" in cli("restore", str(cli.home)).err


def test_who_opens_the_archive_again_after_a_restore_is_said(cli: Cli, twin: Twin) -> None:
    twin.backups.restored = Restored(revived=Revived(("anna", "laptop"), rotated=True))
    told = " ".join(cli("restore", str(cli.home)).err.split())
    assert "anna and laptop open the archive again, removed since this backup was made" in told
    assert "archiver key remove" in told
    twin.backups.restored = Restored(revived=Revived(rotated=True))
    told = " ".join(cli("restore", str(cli.home)).err.split())
    assert "from before the last rotation" in told
    assert "archiver key rotate" in told
    twin.backups.restored = Restored()
    assert "keys:" not in cli("restore", str(cli.home)).err


def test_a_passphrase_is_asked_for_once(cli: Cli, twin: Twin) -> None:
    twin.locked = True
    cli.answers = ["correct horse battery"]
    cli.tty = True
    assert cli("restore", str(cli.home)).code == 0


def test_there_must_be_something_to_restore_from(cli: Cli, twin: Twin) -> None:
    assert cli("restore", str(cli.home / "nowhere")).code == 2
    assert twin.calls == []
