"""Whose figures `status` shows: those of the configuration, and of what was imported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from archiver.app.upkeep import _configured
from archiver.config import ArchiveSettings, Settings
from archiver.model.account import Account
from archiver.model.identity import Identity
from archiver.model.status import Failure, MailboxStatus

NOW = datetime(2025, 3, 1, tzinfo=UTC)


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
