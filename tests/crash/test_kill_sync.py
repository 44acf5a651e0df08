"""SIGKILL at random moments of a real `archiver sync`: nothing lost, nothing doubled, nobody left behind."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.crash.killing import Killing
from tests.crash.program import PASSWORD, cleared, gone, group, kill, role, set_up
from tests.fakes.imap_mailboxes import MailboxServer

KILLS = int(os.environ.get("ARCHIVER_KILLS", "6"))
"""`benchmarks/reliability.py` does hundreds."""


@pytest.mark.slow
@pytest.mark.timeout(120 + 5 * KILLS)
def test_after_kills_at_random_moments_the_next_run_completes_everything(tmp_path: Path) -> None:
    killing = Killing(tmp_path / "home", seed=KILLS)
    try:
        outcome = killing.run(KILLS)
    finally:
        killing.close()
    assert outcome.problems == []
    assert outcome.left_behind == 0
    assert outcome.in_time > KILLS // 2, "too few kills met a run at work"


def test_a_collector_that_waits_for_a_silent_server_ends_with_its_parent(tmp_path: Path) -> None:
    asked, released = threading.Event(), threading.Event()

    def silent() -> None:
        asked.set()
        released.wait(60)

    server = MailboxServer(("info",), password=PASSWORD, on_body=silent)
    try:
        server.deliver("info", b"INBOX", b"Subject: never comes\r\n\r\n")
        program = set_up(tmp_path / "home", server.port, ("info",), account="read_timeout = 30.0")
        process = program.start("sync")
        with cleared(process):
            assert asked.wait(60)
            assert {role(pid) for pid in group(process.pid)} >= {"program", "collector"}
            kill(process.pid)
            assert gone(process.pid, seconds=10)
    finally:
        released.set()
        server.close()
