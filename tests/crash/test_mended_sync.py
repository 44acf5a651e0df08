"""What is damaged before it was taken in is told once, and fetched again where the server still has it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.program import PASSWORD, Program, cleared, gone, set_up
from tests.fakes.imap_mailboxes import MailboxServer

MAIL = [b"From: a@example.test\r\nSubject: number %d\r\n\r\ntext %d\r\n" % (n, n) for n in range(5)]


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    server = MailboxServer(("info",), password=PASSWORD)
    for octets in MAIL:
        server.deliver("info", b"INBOX", octets)
    yield server
    server.close()


@pytest.fixture
def collected(server: MailboxServer, tmp_path: Path) -> Program:
    """An archive whose mail is collected and not taken in yet."""
    program = set_up(tmp_path / "home", server.port, ("info",))
    program.run("sync", "--collect-only")
    return program


def pending(program: Program) -> list[Path]:
    return sorted((program.archive / "pending").iterdir())


def test_a_damaged_delivery_is_named_and_the_next_sync_fetches_its_mail_again(collected: Program) -> None:
    (delivery,) = pending(collected)
    octets = bytearray(delivery.read_bytes())
    octets[-100] ^= 1
    delivery.write_bytes(octets)
    collected.run("search", "number")
    assert pending(collected) == [delivery], "a search must not hide damage that only sync tells of"
    _, _, told = collected.run("sync", expect=30)
    assert delivery.name.encode() in told
    assert [path.name for path in pending(collected)] == [delivery.name + ".damaged"]
    collected.run("sync")
    assert set(collected.contents().octets) == set(MAIL)
    assert collected.verify().problems == ()


def test_a_delivery_that_somebody_deleted_is_noticed_and_its_mail_fetched_again(collected: Program) -> None:
    for delivery in pending(collected):
        delivery.unlink()
    collected.run("sync")
    assert set(collected.contents().octets) == set(MAIL)
    assert collected.status().complete


def test_a_lost_collector_database_costs_no_second_copy(collected: Program) -> None:
    collected.run("sync")
    for path in collected.archive.glob("collect.db*"):
        path.unlink()
    before = collected.verify().records
    collected.run("sync")
    assert collected.verify().records == before
    assert collected.status().complete


def test_sigterm_to_an_unlocked_sync_ends_it_in_order(tmp_path: Path) -> None:
    asked, answered, ended = threading.Event(), threading.Event(), threading.Event()

    def slowly() -> None:
        asked.set()
        answered.wait(60)
        ended.wait(0.2)  # a machine that is slow to tell the collector is ahead of this server all the same

    server = MailboxServer(("info",), password=PASSWORD, on_body=slowly)
    try:
        for octets in MAIL:
            server.deliver("info", b"INBOX", octets)
            server.deliver("info", b"Sent", octets + b"again\r\n")
        program = set_up(tmp_path / "home", server.port, ("info",))
        process = program.start("sync")
        with cleared(process):
            assert asked.wait(60)
            process.send_signal(signal.SIGTERM)
            time.sleep(1.0)  # for the collector to be told, while it waits for this server
            answered.set()
            _, told = process.communicate(timeout=60)
            assert gone(process.pid)
        ended.set()
        assert process.returncode == 130, told
        assert program.contents().found < 2 * len(MAIL)
        program.run("sync")
        assert program.contents().found == 2 * len(MAIL)
    finally:
        answered.set()
        server.close()
