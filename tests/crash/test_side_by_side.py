"""Several processes at once: a sync, a customer import and many readers; each is served, or told who writes."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.crash.program import PASSWORD, cleared, set_up
from tests.fakes.imap_mailboxes import MailboxServer

USER = "info"
READERS = int(os.environ.get("ARCHIVER_READERS", "10"))
CUSTOMERS = 60
HEADER = "reference,name,domains,licences,contact,email\n"


def _letter(number: int) -> bytes:
    return (
        f"Subject: question {number}\r\nFrom: a{number}@c{number % CUSTOMERS}.test\r\nTo: info@example.test\r\n"
        f"Date: Sat, 1 Mar 2025 09:{number % 60:02d}:00 +0000\r\nMessage-ID: <{number}@c.test>\r\n\r\n"
        f"Our licence is ZEBRA-{number % 7}-9999\r\n"
    ).encode()


def _table(path: Path, *, licences: bool) -> Path:
    rows = (
        f"K{n},Firm {n},c{n}.test,{f'ZEBRA-{n}-9999' if licences and n < 7 else ''},Jan {n},jan@c{n}.test\n"
        for n in range(CUSTOMERS)
    )
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    server = MailboxServer((USER,), password=PASSWORD, on_body=lambda: time.sleep(0.005))
    yield server
    server.close()


@pytest.mark.slow
def test_staff_change_customers_while_a_sync_waits_for_a_slow_server(tmp_path: Path) -> None:
    arrived, released = threading.Event(), threading.Event()
    slow = False

    def on_body() -> None:
        if slow:
            arrived.set()
            released.wait(120)

    server = MailboxServer((USER,), password=PASSWORD, on_body=on_body)
    try:
        program = set_up(tmp_path / "home", server.port, (USER,), sync="workers = 1", account="read_timeout = 120.0")
        server.deliver(USER, b"INBOX", _letter(1))
        program.run("sync")
        for number in range(2, 5):
            server.deliver(USER, b"INBOX", _letter(number))
        slow = True
        process = program.start("sync")
        with cleared(process):
            assert arrived.wait(60)
            program.run("customer", "import", str(_table(tmp_path / "table.csv", licences=False)))
            (item,) = json.loads(program.run("search", "question", "--json")[1])["items"]
            assert item["customers"] == ["K1"]
            program.run("unlink", item["id"], "K1", "--why", "not theirs")
            assert process.poll() is None, "the sync is still at it"
            released.set()
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
    finally:
        released.set()
        server.close()
    items = json.loads(program.run("search", "question", "--json")[1])["items"]
    # What came later is linked by the customers there are now, though the sync began before them.
    assert sorted(item["customers"] for item in items) == [[], ["K2"], ["K3"], ["K4"]]
    assert json.loads(program.run("relink", "--json")[1])["messages"] == 0


@pytest.mark.slow
def test_a_sync_an_import_of_customers_and_ten_readers_at_once(tmp_path: Path, server: MailboxServer) -> None:
    program = set_up(tmp_path / "home", server.port, (USER,), sync="workers = 1")
    for number in range(100):
        server.deliver(USER, b"INBOX", _letter(number))
    program.run("sync")
    program.run("customer", "import", str(_table(tmp_path / "first.csv", licences=False)))
    table = _table(tmp_path / "second.csv", licences=True)
    for number in range(100, 400):
        server.deliver(USER, b"INBOX", _letter(number))
    ended, said = threading.Event(), list[str]()

    def read(number: int) -> int:
        kinds = (
            ("search", "licence", "--json"),
            ("history", "K3", "--json"),
            ("search", "customer:K5", "--json"),
            ("unlinked", "--json"),
            ("status", "--json"),
        )
        done = 0
        while not ended.is_set() or not done:
            arguments = kinds[(number + done) % len(kinds)]
            code, out, err = program.run(*arguments, expect=None)
            if code not in (0, 4) or b"Traceback" in err or b"a bug" in err:
                said.append(f"{arguments}: {code} {err.decode()}")
            elif not isinstance(json.loads(out), dict):
                said.append(f"{arguments}: {out[:80]!r}")
            done += 1
        return done

    with ThreadPoolExecutor(READERS + 2) as pool:
        readers = [pool.submit(read, number) for number in range(READERS)]
        try:
            syncing = pool.submit(program.run, "sync", expect=None)
            importing = pool.submit(program.run, "customer", "import", str(table), expect=None)
            for each in (syncing, importing):
                code, _, err = each.result()
                assert b"Traceback" not in err
                # Whoever waited for ten seconds in vain says who writes; nobody else fails.
                assert code == 0 or (code == 11 and b"is writing in this archive" in err), err
        finally:
            ended.set()
        assert sum(each.result() for each in readers) >= READERS
    assert said == []
    program.run("sync")
    program.run("customer", "import", str(table))
    _, out, _ = program.run("relink", "--json")
    assert json.loads(out)["messages"] == 0
    assert [problem.message for problem in program.verify().problems] == []
    linked = program.contents()
    assert len(linked.octets) == linked.indexed == 400


@pytest.mark.slow
def test_two_syncs_and_backups_at_once(tmp_path: Path, server: MailboxServer) -> None:
    program = set_up(tmp_path / "home", server.port, (USER,), sync="workers = 1")
    for number in range(40):
        server.deliver(USER, b"INBOX", _letter(number))
    program.run("sync")
    for number in range(40, 110):
        server.deliver(USER, b"INBOX", _letter(number))
    place = tmp_path / "backup"
    with ThreadPoolExecutor(3) as pool:
        syncing = [pool.submit(program.run, "sync", expect=None) for _ in range(2)]
        backups = 0
        while backups < 2 or not all(each.done() for each in syncing):
            code, _, err = program.run("backup", str(place), expect=None)
            assert code == 0, err
            backups += 1
        ended = sorted(each.result()[0] for each in syncing)
        # The second may be told that the first is at it; neither disturbs the other.
        assert ended in ([0, 0], [0, 11]), [each.result()[2] for each in syncing]
    program.run("backup", str(place), "--verify", "--full")
    program.run("sync")
    assert [problem.message for problem in program.verify().problems] == []
    contents = program.contents()
    assert len(contents.octets) == contents.found == contents.indexed == 110
    assert set(contents.octets.values()) == {1}
    archive = program.archive
    archive.rename(tmp_path / "gone")
    program.run("restore", str(place))
    program.run("sync")
    assert program.contents().octets == contents.octets
