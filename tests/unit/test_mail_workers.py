"""The pool of parsing processes: order, bounds, and what is left of a message that breaks them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.errors import ArchiverError
from archiver.mail import wire
from archiver.mail.parse import parse
from archiver.mail.workers import ParserPool
from archiver.model.message import Defect, Message


def mail(number: int, body: bytes = b"words") -> bytes:
    return b"Subject: number %d\r\nDate: Tue, 03 Mar 2026 10:15:00 +0100\r\n\r\n" % number + body


SABOTAGE = """
import sys, os, time
sys.path.insert(0, sys.argv.pop(1))
from archiver.mail import parse as module
real = module.parse
def parse(octets, **how):
    if b"SLEEP" in octets: time.sleep(60)
    if b"CRASH" in octets: os.kill(os.getpid(), 11)
    if b"ONCE" in octets and not os.path.exists(FLAG): os.mkdir(FLAG); os.kill(os.getpid(), 9)
    if b"TOLD" in octets: [os.kill(os.getpid(), number) for number in (1, 2, 15)]
    if b"GREEDY" in octets: return [bytes(1 << 28) for _ in range(64)]
    if b"NOISE" in octets: os.write(3, b"\\xff" * 64)
    return real(octets, **how)
module.parse = parse
from archiver.mail.attachments import reading
whole = reading.Reading.read
def read(self, octets, *rest):
    if b"stuck" in octets: time.sleep(60)
    if b"segv" in octets: os.kill(os.getpid(), 11)
    if b"gone-once" in octets and not os.path.exists(FLAG): os.mkdir(FLAG); os.kill(os.getpid(), 9)
    if b"exhausted" in octets: os._exit(77)
    return whole(self, octets, *rest)
reading.Reading.read = read
if ALL: module.parse_header = lambda *_: os.kill(os.getpid(), 11)
from archiver.mail.worker import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def sabotaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Workers that do, at a word, what hostile mail would make a parser do."""
    script = SABOTAGE.replace("FLAG", repr(str(tmp_path / "flag"))).replace("ALL", "False")
    monkeypatch.setattr("archiver.mail.workers._STARTED_BY", script)


def test_messages_come_back_in_order_and_as_parsed_here() -> None:
    octets = [mail(number, b"x" * (number * 997 % 20_000)) for number in range(200)]
    with ParserPool(2) as pool:
        found = list(pool.parse(octets))
    assert found == [parse(one) for one in octets]
    assert found[0].sent_at is not None
    assert found[0].sent_at.utcoffset() == timedelta(hours=1)


def test_without_workers_it_is_done_here() -> None:
    with ParserPool(0) as pool:
        assert list(pool.parse([mail(1)])) == [parse(mail(1))]
        assert pool._workers == []


def test_few_messages_start_one_worker_and_none_start_none() -> None:
    with ParserPool(4) as pool:
        assert list(pool.parse([])) == []
        assert len(pool._workers) == 0
        assert len(list(pool.parse([mail(1), mail(2)]))) == 2
        assert len(pool._workers) == 1


def test_only_as_much_is_taken_as_fits_in_flight() -> None:
    taken = 0

    def source() -> Iterator[bytes]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield mail(number, b"x" * 100_000)

    with ParserPool(2, octets_in_flight=1_000_000) as pool:
        messages = pool.parse(source())
        next(messages)
        assert taken <= 14


def test_a_message_that_takes_too_long_keeps_its_header_and_delays_no_other(sabotaged: None) -> None:
    with ParserPool(2, seconds=3.0) as pool:
        found = list(pool.parse([mail(0), mail(1, b"SLEEP"), mail(2), *(mail(number) for number in range(3, 30))]))
    assert [message.subject for message in found] == [f"number {number}" for number in range(30)]
    assert found[1].defects == (Defect("parse-timeout"),)
    assert found[1].text == ""
    assert all(not message.defects and message.text == "words" for message in found[:1] + found[2:])


def test_behind_a_slow_message_only_as_much_is_held_as_is_allowed_and_nobody_s_time_runs_out(
    sabotaged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = 0
    decode = wire.decode_interim

    def counted(octets: bytes) -> tuple[Message, tuple[int, str]]:
        nonlocal replies
        replies += 1
        return decode(octets)

    monkeypatch.setattr("archiver.mail.workers.decode_interim", counted)
    monkeypatch.setattr("archiver.mail.workers._PIPE", 1 << 16)
    text = b"words and words\r\n" * 6_000  # more than a pipe holds then
    # The first takes longer than it may, and so do the others, which wait for it meanwhile.
    with ParserPool(2, seconds=4.0, octets_held=500_000) as pool:
        messages = pool.parse([mail(0, b"SLEEP"), *(mail(number, text) for number in range(1, 40))])
        first = next(messages)
        while_waiting = replies
        rest = list(messages)
    assert first.defects == (Defect("parse-timeout"),)
    assert 3 <= while_waiting <= 8
    assert [message.subject for message in rest] == [f"number {number}" for number in range(1, 40)]
    assert all(not message.defects and len(message.text) >= 90_000 for message in rest)


def test_a_message_that_ends_its_worker_keeps_its_header(sabotaged: None) -> None:
    with ParserPool(1) as pool:
        found = list(pool.parse([mail(0), mail(1, b"CRASH"), mail(2), mail(3, b"CRASH")]))
    assert [message.subject for message in found] == ["number 0", "number 1", "number 2", "number 3"]
    assert [message.defects for message in found] == [(), (Defect("parse-crashed"),), (), (Defect("parse-crashed"),)]


def test_a_worker_killed_from_outside_costs_nothing(sabotaged: None) -> None:
    with ParserPool(1) as pool:
        (found,) = pool.parse([mail(1, b"ONCE")])
    assert (found.text, found.defects) == ("ONCE", ())


def test_a_service_that_is_stopped_as_a_whole_leaves_no_message_half_read(sabotaged: None) -> None:
    with ParserPool(1) as pool:
        told = mail(1, b"TOLD")
        assert list(pool.parse([told])) == [parse(told)]


def test_a_message_that_takes_too_much_memory_keeps_its_header(sabotaged: None) -> None:
    with ParserPool(1, memory=1 << 29) as pool:
        found = list(pool.parse([mail(1, b"GREEDY"), mail(2)]))
    assert found[0].subject == "number 1"
    assert found[0].defects[0].code in {"parse-memory", "parse-crashed"}
    assert found[1] == parse(mail(2))


def test_a_message_larger_than_the_bound_degrades(sabotaged: None) -> None:
    with ParserPool(1, memory=1 << 28) as pool:
        found = list(pool.parse([mail(1, b"x" * (300 << 20)), mail(2)]))
    assert found[0].subject == "number 1"
    assert found[0].defects[0] == Defect("parse-memory")
    assert found[1] == parse(mail(2))


def with_files(*texts: str) -> bytes:
    """Return a message whose own text is "words" and whose HTML files are these, parts 2, 3 …"""
    head = b"Subject: files\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nwords\r\n"
    parts = [f"--B\r\nContent-Type: text/html; name=x.html\r\nContent-Disposition: attachment\r\n\r\n<p>{text}</p>\r\n"
             for text in texts]  # fmt: skip
    return head + "".join(parts).encode() + b"--B--\r\n"


@pytest.mark.parametrize(("word", "code"), [("segv", "crashed"), ("stuck", "timeout"), ("exhausted", "memory")])
def test_an_attachment_that_ends_its_worker_is_lost_alone(sabotaged: None, word: str, code: str) -> None:
    octets = with_files("before", word, "after")
    with ParserPool(1, seconds=4.0) as pool:
        found, other = pool.parse([octets, mail(2)])
    assert (found.subject, found.text) == ("files", "words")
    assert [(one.path, one.text) for one in found.attached] == [("2", "before"), ("4", "after")]
    assert found.defects == (Defect(f"attachment-{code}", "3 html"),)
    assert other == parse(mail(2))


def test_a_worker_killed_from_outside_while_it_reads_an_attachment_costs_nothing(sabotaged: None) -> None:
    octets = with_files("before", "gone-once")
    with ParserPool(1) as pool:
        (found,) = pool.parse([octets])
    assert ([one.text for one in found.attached], found.defects) == (["before", "gone-once"], ())


def test_a_message_full_of_attachments_that_end_workers_is_given_up_but_not_lost(sabotaged: None) -> None:
    with ParserPool(1) as pool:
        found, other = pool.parse([with_files("before", *["segv"] * 9, "after"), mail(2)])
    assert (found.text, [one.text for one in found.attached]) == ("words", ["before"])
    assert [defect.detail for defect in found.defects] == ["3 html", "4 html", "5 html", ""]
    assert {defect.code for defect in found.defects} == {"attachment-crashed"}
    assert other == parse(mail(2))


def test_a_worker_that_talks_nonsense_is_ended(sabotaged: None) -> None:
    with ParserPool(1) as pool:
        found = list(pool.parse([mail(1, b"NOISE"), mail(2)]))
    assert [message.subject for message in found] == ["number 1", "number 2"]
    assert found[0].defects == (Defect("parse-crashed"),)


def test_when_not_even_the_header_can_be_read_a_message_remains(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = SABOTAGE.replace("FLAG", repr(str(tmp_path / "flag"))).replace("ALL", "True")
    monkeypatch.setattr("archiver.mail.workers._STARTED_BY", script)
    with ParserPool(1) as pool:
        found = list(pool.parse([mail(1, b"CRASH"), mail(2)]))
    assert found == [Message(defects=(Defect("parse-crashed"),)), parse(mail(2))]


def test_workers_that_never_get_ready_blame_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.mail.workers._STARTED_BY", "raise SystemExit(3)")
    with ParserPool(1) as pool, pytest.raises(ArchiverError, match="cannot be started"):
        list(pool.parse([mail(1)]))


def test_giving_up_early_leaves_nothing_for_the_next_call() -> None:
    with ParserPool(2) as pool:
        messages = pool.parse(mail(number) for number in range(100))
        next(messages)
        messages.close()  # type: ignore[attr-defined]
        assert [message.subject for message in pool.parse([mail(7)])] == ["number 7"]


def test_an_error_of_the_source_reaches_the_caller_and_the_pool_goes_on() -> None:
    def source() -> Iterator[bytes]:
        yield mail(1)
        raise OSError("gone")

    with ParserPool(1) as pool:
        with pytest.raises(OSError, match="gone"):
            list(pool.parse(source()))
        assert len(list(pool.parse([mail(2)]))) == 1


def test_workers_hold_nothing_of_their_parent_and_are_shut_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_SECRET", "tok-4711")
    with ParserPool(1) as pool:
        list(pool.parse([mail(1)]))
        (worker,) = pool._workers
        process = Path(f"/proc/{worker.process.pid}")
        limits = (process / "limits").read_text()
        status = (process / "status").read_text()
        assert "tok-4711" not in str(worker.process.args)
        if os.access(process / "environ", os.R_OK):
            assert b"tok-4711" not in (process / "environ").read_bytes()
    assert "NoNewPrivs:\t1" in status
    bounds = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert bounds["Max core file size"] == "0"
    assert bounds["Max file size"] == "0"
    assert int(bounds["Max open files"]) <= 32
    assert int(bounds["Max address space"]) == 1 << 30


def test_workers_die_with_their_parent() -> None:
    script = (
        "import os, signal\n"
        "from archiver.mail.workers import ParserPool\n"
        "pool = ParserPool(1)\n"
        "list(pool.parse([b'Subject: a\\n\\n']))\n"
        "print(pool._workers[0].process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = str(Path(wire.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, env={**os.environ, "PYTHONPATH": root}
    )
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        signal.sigtimedwait([], 0.02)
    pytest.fail("the worker outlived its parent")


def test_closing_twice_is_no_error_and_leaves_no_process() -> None:
    pool = ParserPool(1)
    list(pool.parse([mail(1)]))
    process = pool._workers[0].process
    pool.close()
    pool.close()
    assert process.returncode is not None


def test_a_reply_that_is_no_message_is_refused() -> None:
    good = wire.encode(parse(mail(1)))
    assert wire.decode(good) == parse(mail(1))
    for bad in (b"", b"\xc1", good[:-1], good + b"x", b"\x92\x80", b"\x92\x80\x92\x00\x00" + b"!"):
        with pytest.raises(ValueError, match="not a message"):
            wire.decode(bad)
