"""An older archive.db that was put back: what it lacks comes again, and what cannot come again is told."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from archiver import app
from archiver.crypto.kdf import DEFAULT_BOUNDS
from archiver.store.layout import ArchivePaths
from tests.crash.program import PASSWORD, nobody, set_up
from tests.fakes.imap_mailboxes import MailboxServer


def put_back(older: Path, paths: ArchivePaths) -> None:
    for log in paths.root.glob("archive.db-*"):
        log.unlink()
    shutil.copy(older, paths.database)


def test_mail_that_no_server_gives_again_is_told_once_and_named_by_every_verification(tmp_path: Path) -> None:
    server = MailboxServer(("info",), password=PASSWORD)
    try:
        program = set_up(tmp_path / "home", server.port, ["info"], kdf=DEFAULT_BOUNDS.floor)
        settings, paths = program.settings, ArchivePaths(program.archive)
        app.sync(settings, ask=nobody)
        older = tmp_path / "older.db"
        shutil.copy(paths.database, older)

        server.deliver("info", b"INBOX", b"Subject: from the server\r\n\r\nagain\r\n")
        assert app.sync(settings, ask=nobody).ingested == 1
        letter = tmp_path / "letter.eml"
        letter.write_bytes(b"Subject: from a file\r\n\r\nonce\r\n")
        assert app.import_paths(settings, [letter], ask=nobody).ingested == 1

        put_back(older, paths)
        report = app.sync(settings, ask=nobody)
        assert (report.ingested, report.lost, report.exit_code) == (1, 1, 4)

        for pack in paths.pack_names():
            os.utime(paths.pack(pack), times=(time.time() - 7200,) * 2)
        told = [remark.message for remark in program.verify().remarks]
        assert len([line for line in told if "1 of its messages (of 1) are nowhere else" in line]) == 1
        assert len([line for line in told if "sealed in vain" in line]) == 1

        report = app.import_paths(settings, [letter], ask=nobody)
        assert (report.ingested, report.lost, report.exit_code) == (1, 0, 0)
        report = app.sync(settings, ask=nobody)
        assert (report.ingested, report.lost, report.exit_code) == (0, 0, 0)
        assert not any("nowhere else" in remark.message for remark in program.verify().remarks)
    finally:
        server.close()


def test_a_repair_does_not_call_mended_what_did_not_come_again(tmp_path: Path) -> None:
    server = MailboxServer(("info",), password=PASSWORD)
    try:
        program = set_up(tmp_path / "home", server.port, ["info"], kdf=DEFAULT_BOUNDS.floor)
        settings, paths = program.settings, ArchivePaths(program.archive)
        app.sync(settings, ask=nobody)
        older = tmp_path / "older.db"
        shutil.copy(paths.database, older)
        server.deliver("info", b"INBOX", b"Subject: from the server\r\n\r\nagain\r\n")
        app.sync(settings, ask=nobody)
        letter = tmp_path / "letter.eml"
        letter.write_bytes(b"Subject: from a file\r\n\r\nonce\r\n")
        app.import_paths(settings, [letter], ask=nobody)
        put_back(older, paths)

        report = app.repair(settings, ask=nobody, confirm=lambda _: True, fetch=True)
        assert report.remaining == ()
        assert (len(report.lost), report.fetchable, report.exit_code) == (1, 0, 4)
        assert "1 message came again" in [step.message for step in report.steps]

        app.import_paths(settings, [letter], ask=nobody)
        assert app.repair(settings, ask=nobody, confirm=lambda _: True).exit_code == 0
        assert program.contents().octets.keys() == {
            b"Subject: from the server\r\n\r\nagain\r\n",
            b"Subject: from a file\r\n\r\nonce\r\n",
        }
    finally:
        server.close()
