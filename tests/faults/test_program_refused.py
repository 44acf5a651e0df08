"""The program itself, in processes of its own as a timer starts it, against a server that says no."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.program import PASSWORD, Program, set_up
from tests.fakes.imap_mailboxes import MailboxServer


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    made = MailboxServer(("info", "sales"), password=PASSWORD)
    made.deliver("info", b"INBOX", b"Subject: one\r\n\r\nfor info\r\n")
    made.deliver("sales", b"INBOX", b"Subject: two\r\n\r\nfor sales\r\n")
    yield made
    made.close()


def sync(program: Program, *arguments: str) -> tuple[int, str]:
    code, _, err = program.run("sync", *arguments, expect=None)
    return code, err.decode()


def test_a_timer_sends_a_wrong_password_once_and_a_person_may_send_it_again(
    server: MailboxServer, tmp_path: Path
) -> None:
    program = set_up(tmp_path / "home", server.port, ["info"], password="wrong")
    code, err = sync(program)
    assert (code, server.imap.connections) == (21, 1)
    assert "hint: check username and password" in err
    code, err = sync(program, "--now", "info")
    assert (code, server.imap.connections) == (21, 1)
    assert "not tried again" in err
    assert "--retry-login" in err
    assert sync(program, "--retry-login")[0] == 21
    assert server.imap.connections == 2
    (tmp_path / "home" / "password").write_text(PASSWORD)
    assert sync(program)[0] == 0


def test_an_account_whose_password_cannot_be_had_holds_up_no_other(server: MailboxServer, tmp_path: Path) -> None:
    program = set_up(tmp_path / "home", server.port, ["info", "sales"])
    text = program.config.read_text()
    first = text.index("password_file")
    broken = text[:first] + text[first:].replace("/password", "/no-such-file", 1)
    program.config.write_text(broken)
    code, err = sync(program)
    assert code == 4
    assert "info: the password file of account info cannot be read" in err
    assert list(program.contents().octets) == [b"Subject: two\r\n\r\nfor sales\r\n"]


def test_a_server_that_limits_the_account_is_not_asked_by_the_next_timer(server: MailboxServer, tmp_path: Path) -> None:
    busy = b"%T BAD Request is throttled. Suggested Backoff Time: 3600000 milliseconds\r\n"
    server.imap.on(b"LIST", busy, times=1)
    program = set_up(tmp_path / "home", server.port, ["info"])
    assert sync(program)[0] == 20
    code, err = sync(program)
    assert (code, server.imap.connections) == (20, 1)
    assert "left alone until" in err
    assert "--now" in err
    assert sync(program, "info")[0] == 0


def test_a_run_that_waits_for_a_server_ends_when_it_is_told_to(server: MailboxServer, tmp_path: Path) -> None:
    busy = b"%T BAD Request is throttled. Suggested Backoff Time: 200000 milliseconds\r\n"
    server.imap.on(b"LIST", busy)
    program = set_up(tmp_path / "home", server.port, ["info"])
    process = program.start("sync", "--collect-only")
    end = time.monotonic() + 60
    while not server.imap.said(b"LIST") and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    # Two hundred seconds is what the server asked for.
    process.communicate(timeout=60)
    assert process.returncode == 130
