"""Secrets from pipes: nobody waits for ever, and nobody's memory is filled."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from archiver.app.unlocking import read_private
from archiver.crypto.secret_file import open_at_once, read_up_to
from archiver.errors import ConfigurationError
from archiver.imap.credentials import resolve_password
from archiver.imap.session import tls_context
from archiver.model.account import Account


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe that nobody writes into."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    return path


def test_a_pipe_gives_all_of_what_comes_in_pieces_up_to_the_bound() -> None:
    for limit, expected in ((100, b"one two"), (5, b"one t")):
        reader, writer = os.pipe()
        os.write(writer, b"one ")
        os.write(writer, b"two")
        os.close(writer)
        descriptor = open_at_once(Path(f"/dev/fd/{reader}"))
        assert read_up_to(descriptor, limit) == expected
        os.close(descriptor)
        os.close(reader)


def test_nobody_waits_for_ever_for_a_pipe_that_nobody_writes_into(pipe: Path) -> None:
    descriptor = open_at_once(pipe)
    with pytest.raises(TimeoutError):
        read_up_to(descriptor, 10, seconds=0.01)
    os.close(descriptor)
    account = Account(name="info", host="h", username="u", password_file=pipe, ca_file=pipe)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        resolve_password(account, timeout=0.01)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        tls_context(account)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        read_private(pipe)


def test_a_command_that_writes_for_ever_is_ended_when_it_is_too_much_for_a_password() -> None:
    endless = (sys.executable, "-c", "while True: print('x' * 10_000)")
    account = Account(name="info", host="h", username="u", password_command=endless)
    with pytest.raises(ConfigurationError, match="more than one line"):
        resolve_password(account)
