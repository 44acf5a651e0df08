"""Rotations while a sync takes mail in and staff search: each is served, nothing is lost, no answer is wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archiver import app
from archiver.app.unlocking import find_keys
from archiver.crypto.kdf import DEFAULT_BOUNDS
from tests.crash.program import PASSPHRASE, PASSWORD, Program, nobody, set_up
from tests.fakes.imap_mailboxes import MailboxServer

USER = "info"
READERS = 2
BEFORE, AFTER = 40, 160


def _letter(number: int) -> bytes:
    return (
        f"Subject: zebra {number}\r\nFrom: a{number}@c.test\r\nTo: info@example.test\r\n"
        f"Date: Sat, 1 Mar 2025 09:{number % 60:02d}:00 +0000\r\nMessage-ID: <{number}@c.test>\r\n\r\nzebra\r\n"
    ).encode()


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    server = MailboxServer((USER,), password=PASSWORD, on_body=lambda: time.sleep(0.01))
    yield server
    server.close()


def _rotate(program: Program) -> tuple[int, bytes]:
    code, _, err = program.run(
        "key", "rotate", expect=None, environ={"ARCHIVER_PASSPHRASE_FILE": str(program.home / "typed")}
    )
    return code, err


@pytest.mark.slow
def test_rotations_during_a_sync_and_searches(tmp_path: Path, server: MailboxServer) -> None:
    program = set_up(tmp_path / "home", server.port, (USER,), sync="workers = 1", kdf=DEFAULT_BOUNDS.floor)
    (program.home / "typed").write_text(PASSPHRASE)
    for number in range(BEFORE):
        server.deliver(USER, b"INBOX", _letter(number))
    program.run("sync")
    for number in range(BEFORE, BEFORE + AFTER):
        server.deliver(USER, b"INBOX", _letter(number))
    ended, said = threading.Event(), list[str]()

    def read() -> None:
        seen = BEFORE
        while not ended.is_set():
            code, out, err = program.run("search", "zebra", "--json", "--limit", "3", expect=None)
            found = json.loads(out)["total"] if code == 0 else -1
            if not seen <= found <= BEFORE + AFTER:
                said.append(f"{code}: {found} found after {seen}: {err.decode()}")
            seen = max(seen, found)

    with ThreadPoolExecutor(READERS + 1) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            syncing = pool.submit(program.run, "sync", expect=None)
            rotations = 0
            while not syncing.done() or rotations < 2:
                code, err = _rotate(program)
                assert code == 0, err
                rotations += 1
            code, _, err = syncing.result()
            assert code == 0, err
        finally:
            ended.set()
        for each in readers:
            each.result()
    assert said == []
    assert app.key_list(program.settings).epoch == 1 + rotations
    program.run("sync")
    assert [problem.message for problem in program.verify().problems] == []
    contents = program.contents()
    assert len(contents.octets) == contents.found == contents.indexed == BEFORE + AFTER
    keys = find_keys(program.settings, ask=nobody)
    assert keys is not None
    assert keys.keyring.earlier_epochs == ()
