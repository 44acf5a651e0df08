"""The collecting process: what ends it is told in words, and is the first thing that went wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from archiver import app
from archiver.app import collector
from archiver.app.orders import encode
from archiver.config import ArchiveSettings, Settings
from archiver.core.collect import AccountOutcome
from archiver.crypto.kdf import DEFAULT_BOUNDS
from archiver.errors import NOT_OURS, DiskError, IncompleteError
from archiver.model.account import Account
from archiver.model.identity import Identity

_BREAKS = """\
import sys
from archiver.app import collector
def collect_all(*_, **__):
    {raising}
collector.collect_all = collect_all
sys.exit(collector.main())
"""


def settings(tmp_path: Path) -> Settings:
    accounts = tuple(Account(name=name, host="localhost", username=name) for name in ("first", "second"))
    return Settings(
        archive=ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        identity=Identity(("example.test",)),
        accounts=accounts,
    )


@pytest.mark.parametrize(
    ("raising", "kind", "message", "hint"),
    [
        ("raise PermissionError(13, 'x', '/archive/packs/ab')", "DiskError", "Permission denied", NOT_OURS),
        ("raise OSError(28, 'x')", "DiskError", "No space left on device", "make room"),
        ("raise ValueError('Dear Sir')", "IncompleteError", "a bug: ValueError", "report this line"),
    ],
)
def test_what_nobody_expected_is_told_without_a_traceback(
    tmp_path: Path, raising: str, kind: str, message: str, hint: str
) -> None:
    order = encode({"settings": settings(tmp_path), "accounts": []})
    ended = subprocess.run(
        [sys.executable, "-c", _BREAKS.format(raising=raising), str(os.getpid())],
        input=order,
        capture_output=True,
        check=True,
        timeout=60,
    )
    error = msgspec.json.decode(ended.stdout)["error"]
    assert (ended.stderr, error["kind"]) == (b"", kind)
    assert message in error["message"]
    assert hint in error["hint"]
    assert b"Dear Sir" not in ended.stdout


def test_the_account_that_met_the_trouble_tells_it_and_not_one_that_was_stopped_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings(tmp_path)
    app.prepare_archive(chosen, "staple quick brown horse", kdf=DEFAULT_BOUNDS.floor).commit()

    def visit(account: Account, *_: object, stopped: Any, **__: object) -> AccountOutcome:
        if account.name == "second":
            raise DiskError("the disk is full")
        end = time.monotonic() + 30
        while not stopped() and time.monotonic() < end:
            time.sleep(0.001)
        raise IncompleteError("the collector's store has stopped after an error")

    monkeypatch.setattr(collector, "visit_account", visit)
    with pytest.raises(DiskError, match="the disk is full"):
        collector.collect_all(chosen, ())


def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, *, order: int = 1) -> collector.CollectorProcess:
    """Start what is no collector, with an order of at least so many octets."""
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    return collector.CollectorProcess(settings(tmp_path), ["x" * order], lambda _: None)


def test_a_collector_that_was_told_to_stop_before_it_listened_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = child(tmp_path, monkeypatch, "exec sleep 60")
    process.stop()
    process.raise_error(told_to_stop=True)
    with pytest.raises(IncompleteError, match="status -15"):
        process.raise_error()


def test_nor_is_one_whose_start_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = child(tmp_path, monkeypatch, "exit 1")
    process.stop()
    process.raise_error(told_to_stop=True)


def test_a_collector_that_ends_before_it_took_its_order_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = child(tmp_path, monkeypatch, "exit 3", order=1 << 20)
    while process.wait(1.0):
        pass
    with pytest.raises(IncompleteError, match="status 3"):
        process.raise_error(told_to_stop=True)


def test_an_interruption_waits_until_the_collector_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = child(tmp_path, monkeypatch, "kill -INT $$; exit 5")
    while process.wait(1.0):
        pass
    with pytest.raises(IncompleteError, match="status 5"):
        process.raise_error()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
