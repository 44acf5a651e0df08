"""Where an account's password comes from: a file (systemd's credentials are files too), or a command's standard output.

Fetched at each login and kept nowhere. Neither the password nor what a command says on standard error is ever repeated.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from archiver.crypto.secret_file import open_at_once, read_up_to
from archiver.errors import ConfigurationError
from archiver.model.account import Account

COMMAND_TIMEOUT = 30.0
"""Seconds that a password command may take."""
_LIMIT = 64 * 1024


def resolve_password(account: Account, *, timeout: float = COMMAND_TIMEOUT) -> str:
    """Return the account's password; one trailing line end is not part of it. Raises ConfigurationError."""
    if account.password_file is not None:
        secret = _from_file(account, account.password_file, timeout)
    elif account.password_command:
        secret = _from_command(account, account.password_command, timeout)
    elif account.password_credential is not None:
        raise ConfigurationError(
            f"the password of account {account.name} is one that systemd gives to its services only",
            hint="start the service instead: systemctl start archiver-collect (or archiver-sync, archiver-doctor)",
        )
    else:
        raise ConfigurationError(
            f"account {account.name} has no password", hint="set password_file or password_command"
        )
    secret = secret.removesuffix(b"\n").removesuffix(b"\r")
    if not secret:
        raise ConfigurationError(f"the password of account {account.name} is empty")
    if len(secret) > _LIMIT or b"\0" in secret or b"\r" in secret or b"\n" in secret:
        raise ConfigurationError(
            f"the password of account {account.name} holds more than one line",
            hint="the file or command must give the password alone",
        )
    try:
        return secret.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"the password of account {account.name} is not UTF-8") from None


def _from_file(account: Account, path: Path, timeout: float) -> bytes:
    try:
        descriptor = open_at_once(path)
        try:
            return read_up_to(descriptor, _LIMIT + 2, seconds=timeout)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigurationError(
            f"the password file of account {account.name} cannot be read ({error.strerror})",
            hint=f"check {path}",
        ) from None


def _from_command(account: Account, command: Sequence[str], timeout: float) -> bytes:
    end = time.monotonic() + timeout
    try:
        with subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as running:
            assert running.stdout is not None  # noqa: S101 - PIPE was asked for
            try:
                octets = read_up_to(running.stdout.fileno(), _LIMIT + 2, seconds=timeout)
                # One that has more to say is ended: it is no password.
                status = 0 if len(octets) > _LIMIT else running.wait(max(0.0, end - time.monotonic()))
            finally:
                running.kill()
    except (TimeoutError, subprocess.TimeoutExpired):
        raise ConfigurationError(
            f"the password command of account {account.name} took longer than {timeout:g} s"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the password command of account {account.name} cannot be run ({type(error).__name__})",
            hint=f"check that {command[0]} exists and may be executed",
        ) from None
    if status != 0:
        raise ConfigurationError(
            f"the password command of account {account.name} ended with status {status}",
            hint="run it by hand to see what it says",
        )
    return octets
