"""Checkpoints in a mailbox of a real server: appended, read back, and nothing else touched."""

from __future__ import annotations

import re
import time
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app.anchoring import bring_to_anchors
from archiver.app.checkpoints import kept_checkpoint
from archiver.config import ArchiveSettings, AuditSettings, Settings
from archiver.errors import MailboxRefusedError, ServerUnreachableError
from archiver.imap.appending import append_line, read_lines
from archiver.model.account import Account
from archiver.model.identity import Identity
from archiver.store.layout import ArchivePaths
from tests.live.dovecot import PASSWORD, Authority, Dovecot
from tests.twins.archive import CHEAP
from tests.twins.audit_writer import BOUNDS, PASSPHRASE

LINE = "archiver-checkpoint 1 " + "x" * 400
MAILBOX = "Contrôle & audit"


@pytest.fixture
def account(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> Account:
    user = dovecot.add(f"anchor-{uuid4().hex[:8]}")
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    dovecot.deliver(
        user, [b"Subject: other mail\r\n\r\nsays archiver-checkpoint 1 somewhere\r\n"], "Contr&APQ-le &- audit"
    )
    return Account(
        name="info", host="127.0.0.1", username=user, port=dovecot.imaps, security="tls", ca_file=authority.ca,
        connect_timeout=5.0, read_timeout=20.0, password_file=tmp_path / "password",
    )  # fmt: skip


def files(server: Dovecot, account: Account) -> set[str]:
    return {path.name for path in (server.home / "mail" / account.username).rglob("*") if re.match(r"\d+\.", path.name)}


def test_a_line_is_appended_and_read_back_and_other_mail_stays_as_it_is(dovecot: Dovecot, account: Account) -> None:
    before = files(dovecot, account)
    for number in range(3):
        append_line(account, MAILBOX, f"{LINE}{number}", resolve_password=lambda _: PASSWORD, monotonic=time.monotonic)
    found = read_lines(account, MAILBOX, resolve_password=lambda _: PASSWORD, monotonic=time.monotonic)
    assert found == [f"{LINE}{number}" for number in range(3)]
    assert before <= files(dovecot, account)
    assert len(files(dovecot, account) - before) == 3


def test_a_mailbox_that_is_not_there_is_refused_and_not_made(dovecot: Dovecot, account: Account) -> None:
    with pytest.raises(MailboxRefusedError):
        append_line(account, "absent", LINE, resolve_password=lambda _: PASSWORD, monotonic=time.monotonic)
    with pytest.raises(MailboxRefusedError):
        read_lines(account, "absent", resolve_password=lambda _: PASSWORD, monotonic=time.monotonic)
    assert not any("absent" in path.name for path in (dovecot.home / "mail" / account.username).rglob("*"))


def test_the_checkpoint_of_a_day_goes_to_the_mailbox_once_and_shows_a_trail_cut_off(
    account: Account, tmp_path: Path
) -> None:
    settings = Settings(
        ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        Identity(("ours.example",)),
        (account,),
        audit=AuditSettings(anchors=(f"mailbox:info/{MAILBOX}",)),
    )
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    paths = ArchivePaths(settings.archive.path)
    broken = replace(settings, accounts=(replace(account, port=9),))
    made = app.audit_checkpoint(broken, ask=lambda: PASSPHRASE, bounds=BOUNDS)
    assert len(made.problems) == 1
    assert made.anchored == ()
    assert bring_to_anchors(settings, paths) == ([f"mailbox:info/{MAILBOX}"], [])  # the next run
    kept = kept_checkpoint(paths)
    assert kept is not None
    assert (kept.line, kept.anchored) == (made.line, (f"mailbox:info/{MAILBOX}",))
    assert bring_to_anchors(broken, paths) == ([f"mailbox:info/{MAILBOX}"], [])  # asks nobody any more
    report = app.audit_verify(settings, ask=lambda: PASSPHRASE, anchor="mailbox", bounds=BOUNDS)
    assert (report.problems, report.anchors) == ((), 1)
    app.audit_checkpoint(settings, ask=lambda: PASSPHRASE, bounds=BOUNDS)
    paths.audit_log(1).write_bytes(b"")
    again = app.audit_verify(settings, ask=lambda: PASSPHRASE, anchor="mailbox", bounds=BOUNDS)
    assert again.anchors == 2
    assert any("cut off" in each.message for each in again.problems)


def test_a_server_that_is_not_there_is_an_error_of_ours(account: Account) -> None:
    with pytest.raises(ServerUnreachableError):
        append_line(
            replace(account, port=9), MAILBOX, LINE, resolve_password=lambda _: PASSWORD, monotonic=time.monotonic
        )
