"""The unlocked session in the kernel keyring: shared by the user's processes, for its time, and no longer."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import archiver
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.session import UnlockSession

NOW = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)


def now() -> datetime:
    return NOW


def real_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def archive_id() -> Iterator[bytes]:
    """An archive of its own a test, whose session is forgotten afterwards."""
    value = os.urandom(16)
    if not UnlockSession(value, clock=now).available():
        pytest.skip("this kernel or container gives no user keyring; the commands then ask each time")
    yield value
    UnlockSession(value, clock=now).forget()


def secret_of(archive_id: bytes, epoch: int = 7) -> EpochSecret:
    return EpochSecret(os.urandom(32), archive_id=archive_id, epoch=epoch)


READER = """
import ctypes, os, sys
from datetime import UTC, datetime
from archiver.crypto.session import UnlockSession
if sys.argv[2] == "new":
    # A login whose session keyring is not linked to the user keyring.
    keyctl = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    assert ctypes.CDLL(None).syscall(keyctl, 1, None) > 0
found = UnlockSession(bytes.fromhex(sys.argv[1]), clock=lambda: datetime(2024, 2, 29, 12, tzinfo=UTC)).read()
print("nothing" if found is None else f"{found[0]} {found[1].hex()}")
"""


def in_another_process(archive_id: bytes, login: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", READER, archive_id.hex(), login],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(archiver.__file__).parent.parent)},
    )
    return done.stdout.strip()


def test_a_stored_session_is_read_back_until_it_is_forgotten(archive_id: bytes) -> None:
    session, secret = UnlockSession(archive_id, clock=now), secret_of(archive_id)
    assert session.read() is None
    assert session.remaining() is None
    assert session.store(secret, seconds=3600)
    assert session.read() == (7, secret.export())
    assert session.remaining() == 3600
    assert session.forget()
    assert session.read() is None
    assert not session.forget()


@pytest.mark.parametrize("login", ["same", "new"])
def test_another_process_of_the_same_user_reads_it_in_any_login(archive_id: bytes, login: str) -> None:
    secret = secret_of(archive_id)
    assert in_another_process(archive_id, login) == "nothing"
    assert UnlockSession(archive_id, clock=now).store(secret, seconds=3600)
    assert in_another_process(archive_id, login) == f"7 {secret.export().hex()}"
    assert UnlockSession(archive_id, clock=now).forget()
    assert in_another_process(archive_id, login) == "nothing"


def test_a_session_outlives_the_process_that_made_it(archive_id: bytes) -> None:
    secret = secret_of(archive_id)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if UnlockSession(archive_id, clock=now).store(secret, seconds=3600) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert UnlockSession(archive_id, clock=now).read() == (7, secret.export())


def test_a_second_unlock_takes_the_place_of_the_first(archive_id: bytes) -> None:
    session, first, second = UnlockSession(archive_id, clock=now), secret_of(archive_id), secret_of(archive_id, 8)
    assert session.store(first, seconds=3600)
    assert session.store(second, seconds=60)
    assert session.read() == (8, second.export())
    assert session.remaining() == 60
    assert session.forget()
    assert session.read() is None


def test_the_kernel_itself_ends_the_session(archive_id: bytes) -> None:
    # The clock that is passed in stands still, so it is the kernel that lets go.
    assert UnlockSession(archive_id, clock=now).store(secret_of(archive_id), seconds=1)
    for _ in range(200):
        if UnlockSession(archive_id, clock=now).read() is None:
            return
        time.sleep(0.05)
    pytest.fail("the key is still there ten seconds after its time limit")


def test_a_session_past_its_time_is_not_used_even_if_the_kernel_still_has_it(archive_id: bytes) -> None:
    secret = secret_of(archive_id)
    assert UnlockSession(archive_id, clock=now).store(secret, seconds=3600)
    late = UnlockSession(archive_id, clock=lambda: NOW + timedelta(seconds=3600))
    assert late.read() is None
    assert late.remaining() is None


def test_sessions_of_two_archives_are_apart(archive_id: bytes) -> None:
    assert UnlockSession(archive_id, clock=now).store(secret_of(archive_id), seconds=3600)
    assert UnlockSession(os.urandom(16), clock=now).read() is None
    assert not UnlockSession(archive_id, clock=now).store(secret_of(os.urandom(16)), seconds=3600)


def test_a_session_without_time_is_not_stored(archive_id: bytes) -> None:
    assert not UnlockSession(archive_id, clock=now).store(secret_of(archive_id), seconds=0)
    assert UnlockSession(archive_id, clock=now).read() is None


def test_others_may_not_even_look_and_the_time_limit_is_set_before_it_is_shared(archive_id: bytes) -> None:
    calls: list[tuple[int, ...]] = []

    def recording(*arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
        from archiver.crypto.session import kernel_call

        calls.append(tuple(value for value in arguments if isinstance(value, int)))
        return kernel_call(*arguments)  # type: ignore[arg-type]

    assert UnlockSession(archive_id, clock=now, call=recording).store(secret_of(archive_id), seconds=3600)
    steps = [call[1] for call in calls[1:]]
    assert steps == [15, 5, 8, 9]  # timeout, permissions, link to @u, unlink from the process keyring
    permissions = next(call[3] for call in calls if call[1] == 5)
    assert permissions & 0x0000FFFF == 0
    assert permissions & 0x00140000 == 0  # the same user neither writes nor links it elsewhere


def failing(only: int | None) -> Callable[..., int]:
    """A kernel that refuses one operation of keyctl, or everything."""

    def call(*arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
        from archiver.crypto.session import kernel_call

        if only is None or (len(arguments) > 1 and arguments[1] == only):
            return -1
        return kernel_call(*arguments)  # type: ignore[arg-type]

    return call


def test_where_the_kernel_refuses_everything_says_unavailable_and_nothing_raises() -> None:
    session = UnlockSession(bytes(16), clock=now, call=failing(None))
    assert not session.available()
    assert not session.store(secret_of(bytes(16)), seconds=60)
    assert session.read() is None
    assert session.remaining() is None
    assert not session.forget()


def test_on_an_unknown_processor_it_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*kernel[:4], "vax")))
    session = UnlockSession(bytes(16), clock=now)
    assert not session.available()
    assert not session.store(secret_of(bytes(16)), seconds=60)
    assert session.read() is None
    assert not session.forget()


@pytest.mark.parametrize("step", [15, 5, 8])
def test_a_session_that_cannot_be_made_whole_is_not_made(archive_id: bytes, step: int) -> None:
    assert not UnlockSession(archive_id, clock=now, call=failing(step)).store(secret_of(archive_id), seconds=3600)
    assert UnlockSession(archive_id, clock=now).read() is None


def test_a_key_of_that_name_with_other_content_is_ignored(archive_id: bytes) -> None:
    from archiver.crypto.session import kernel_call

    session = UnlockSession(archive_id, clock=real_now)
    assert session.store(secret_of(archive_id), seconds=3600)
    for payload in (b"x", bytes(45), b"\x02" + b"\xff" * 44, bytes(46), bytes(500)):
        description = f"archiver:{archive_id.hex()}".encode()
        assert kernel_call(session._add_key, b"user", description, payload, len(payload), -4) > 0
        assert session.read() is None
