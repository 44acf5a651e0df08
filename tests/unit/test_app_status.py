"""Whose figures `status` shows: those of the configuration, and of what was imported."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver import app
from archiver.app.upkeep import _configured
from archiver.config import ArchiveSettings, Settings
from archiver.errors import WrongKeyError
from archiver.model.account import Account
from archiver.model.identity import Identity
from archiver.model.status import Failure, MailboxStatus
from tests.crash.failing_worker import keys_at_once
from tests.crash.program import PASSPHRASE, nobody, set_up

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def test_a_machine_key_that_opens_nothing_is_a_problem_and_hides_no_figure(tmp_path: Path) -> None:
    with keys_at_once():
        program = set_up(tmp_path / "home", 1, ["info"])
        other = set_up(tmp_path / "other", 1, ["info"])
        mail = tmp_path / "one.eml"
        mail.write_text("Subject: one\n\none\n")
        app.import_paths(program.settings, [mail], ask=nobody)
        assert not app.status(program.settings, ask=nobody).problems
        shutil.copy(other.home / "machine-key", program.home / "machine-key")
        report = app.status(program.settings, ask=nobody)
        assert not report.unlocked
        assert not report.complete
        assert len(report.problems) == 1
        assert "machine" in report.problems[0]
        assert ("import", 1) in [(row.account, row.archived) for row in report.accounts]
        with pytest.raises(WrongKeyError):
            app.status(program.settings, ask=lambda: "not the passphrase of anything")
        assert app.status(program.settings, ask=lambda: PASSPHRASE).messages == 1


def settings(*names: str) -> Settings:
    accounts = tuple(Account(name=name, host="imap.example.test", username=name) for name in names)
    return Settings(ArchiveSettings(Path("/a"), Path("/k")), Identity(("example.test",)), accounts)


def mailbox(account: str, name: str = "INBOX") -> MailboxStatus:
    return MailboxStatus(account, name, 1, 1, 0, 0, 0, NOW)


def test_an_account_that_left_the_configuration_no_longer_counts_and_imported_mail_does() -> None:
    failures = [Failure("old", "INBOX", 1, 1, "refused", 1, NOW), Failure("info", "INBOX", 1, 2, "refused", 1, NOW)]
    rows, failed = _configured(settings("info"), [mailbox("old"), mailbox("info"), mailbox("import", "mbox")], failures)
    assert [(row.account, row.mailbox) for row in rows] == [("info", "INBOX"), ("import", "mbox")]
    assert [failure.uid for failure in failed] == [2]


def test_an_account_that_was_never_collected_is_named_and_not_complete() -> None:
    rows, _ = _configured(settings("sales", "info"), [mailbox("info")], [])
    assert [(row.account, row.complete, row.problem) for row in rows] == [
        ("sales", False, "not collected yet"),
        ("info", True, None),
    ]
