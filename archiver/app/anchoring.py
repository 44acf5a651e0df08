"""Bringing checkpoints to where nobody of this machine can take them back: syslog, a file, a mailbox.

The mailbox is written to by a process of its own, as collecting is: what faces a server holds no key of the archive.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

import archiver
from archiver.app.checkpoints import KeptCheckpoint, keep_checkpoint, kept_checkpoint
from archiver.app.orders import decode, encode
from archiver.config import Settings
from archiver.errors import ArchiverError, ConfigurationError, DiskError, IncompleteError, ServerUnreachableError
from archiver.model.account import Account
from archiver.store.layout import ArchivePaths

_SYSLOG = "/dev/log"
_AUTHPRIV_INFO = 10 * 8 + 6  # RFC 5424 section 6.2.1
_CHILD_SECONDS = 180.0


class _Order(msgspec.Struct):
    """What the child is to do: append the line to a mailbox, or read back all lines there."""

    account: Account
    mailbox: str
    line: str | None


class _Answer(msgspec.Struct):
    lines: tuple[str, ...] = ()
    problem: str | None = None


def bring_to_anchors(settings: Settings, paths: ArchivePaths) -> tuple[list[str], list[str]]:
    """Bring the newest checkpoint to every anchor that lacks it; return (anchors that have it, problems).

    Needs no key. What fails is tried again by the next run.
    """
    kept = kept_checkpoint(paths)
    if kept is None:
        return [], []
    problems = []
    for anchor in settings.audit.anchors:
        if anchor in kept.anchored:
            continue
        try:
            _bring(settings, anchor, kept.line)
        except ArchiverError as error:
            problems.append(f"audit checkpoint not at {anchor}: {error.message}")
            continue
        kept = KeptCheckpoint(kept.line, (*kept.anchored, anchor))
        with suppress(DiskError):  # then it is brought a second time, which harms nobody
            keep_checkpoint(paths, kept)
    return list(kept.anchored), problems


def lines_in_mailboxes(settings: Settings) -> Sequence[str]:
    """Read the lines back from the mailboxes that are configured as anchors."""
    places = [anchor for anchor in settings.audit.anchors if anchor.startswith("mailbox:")]
    if not places:
        raise ConfigurationError(
            "no mailbox is configured as an anchor", hint='[audit] anchors = ["mailbox:ACCOUNT/MAILBOX"]'
        )
    return [line for anchor in places for line in _by_child(_order(settings, anchor, None)).lines]


def _bring(settings: Settings, anchor: str, line: str) -> None:
    kind, _, rest = anchor.partition(":")
    if kind == "syslog":
        _to_syslog(line)
    elif kind == "file":
        _to_file(Path(rest), line)
    else:
        _by_child(_order(settings, anchor, line))


def _to_syslog(line: str) -> None:
    message = f"<{_AUTHPRIV_INFO}>archiver[{os.getpid()}]: {line}".encode("ascii")
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as connection:
            connection.settimeout(5.0)
            connection.connect(_SYSLOG)
            connection.sendall(message + (b"\n" if kind is socket.SOCK_STREAM else b""))
            return
    raise IncompleteError("syslog does not take it", hint="is a syslog daemon, or journald, running?")


def _to_file(path: Path, line: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode("ascii") + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise DiskError(f"{path.name}: {error.strerror}", hint="check [audit] anchors") from error


def _order(settings: Settings, anchor: str, line: str | None) -> _Order:
    name, _, mailbox = anchor.partition(":")[2].partition("/")
    account = next((each for each in settings.accounts if each.name == name), None)
    if account is None:
        raise ConfigurationError(f"no account named {name}", hint="check [audit] anchors")
    return _Order(account, mailbox, line)


def _by_child(order: _Order) -> _Answer:
    environ = {**os.environ, "PYTHONPATH": str(Path(archiver.__file__).parent.parent)}
    environ.pop("ARCHIVER_PASSPHRASE_FILE", None)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "archiver.app.anchoring"],
            input=encode(order),
            stdout=subprocess.PIPE,
            env=environ,
            check=False,
            timeout=_CHILD_SECONDS,
        )
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except (subprocess.TimeoutExpired, msgspec.DecodeError):
        raise ServerUnreachableError("the mailbox could not be reached in time") from None
    if answer.problem is not None:
        raise IncompleteError(answer.problem)
    return answer


def answer(order: _Order) -> _Answer:
    """Do what was ordered, at the server."""
    from archiver.imap.appending import append_line, read_lines
    from archiver.imap.credentials import resolve_password

    try:
        if order.line is None:
            found = read_lines(
                order.account, order.mailbox, resolve_password=resolve_password, monotonic=time.monotonic
            )
            return _Answer(lines=tuple(found))
        append_line(
            order.account, order.mailbox, order.line, resolve_password=resolve_password, monotonic=time.monotonic
        )
    except ArchiverError as error:
        return _Answer(problem=error.message)
    return _Answer()


if __name__ == "__main__":
    sys.stdout.buffer.write(encode(answer(decode(sys.stdin.buffer.read(), _Order))))
