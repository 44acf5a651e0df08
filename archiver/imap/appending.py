"""Checkpoints of the audit trail in a mailbox: the only thing that archiver ever writes to a server.

One small message for each line, by APPEND, into a mailbox that a person made for it; nothing is created, changed or
deleted there. Reading back is EXAMINE and BODY.PEEK, as everywhere.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

from imapclient import imap_utf7

from archiver.errors import ArchiverError, MailboxRefusedError, ServerUnreachableError
from archiver.imap.faults import ConnectionBrokenError
from archiver.imap.session import PasswordResolver, Session, connect
from archiver.model.account import Account

_SUBJECT = "archiver checkpoint"
_LINE = re.compile(rb"archiver-checkpoint 1 [ -~]+")
_AT_ONCE = 500
_MOST_OCTETS = 4096


def append_line(
    account: Account,
    mailbox: str,
    line: str,
    *,
    resolve_password: PasswordResolver,
    monotonic: Callable[[], float],
    now: Callable[[], datetime] = lambda: datetime.now(tz=UTC),
) -> None:
    """Append one message with this line; raises MailboxRefusedError when it is not taken, and what `connect` raises."""
    with _session(account, resolve_password, monotonic) as session:
        wire = session.wire
        octets = _message(account, line, now())
        status, _ = wire.append(_quoted(wire, mailbox), "(\\Seen)", "", octets)
        if status != "OK":
            raise MailboxRefusedError(
                f"{account.host} does not take a checkpoint into that mailbox",
                hint="make the mailbox, and allow the account to insert into it",
            )


def read_lines(
    account: Account, mailbox: str, *, resolve_password: PasswordResolver, monotonic: Callable[[], float]
) -> Sequence[str]:
    """Return the lines of all checkpoints in a mailbox, in its order; raises MailboxRefusedError, and `connect`'s."""
    with _session(account, resolve_password, monotonic) as session:
        wire = session.wire
        status, _ = wire.select(_quoted(wire, mailbox), readonly=True)
        if status != "OK":
            raise MailboxRefusedError(f"{account.host} does not open that mailbox", hint="check [audit] anchors")
        _, found = wire.uid("SEARCH", "SUBJECT", f'"{_SUBJECT}"')
        uids = b" ".join(each for each in found if isinstance(each, bytes)).split()
        lines: list[str] = []
        for at in range(0, len(uids), _AT_ONCE):
            some = b",".join(uids[at : at + _AT_ONCE]).decode("ascii")
            _, data = wire.uid("FETCH", some, f"(BODY.PEEK[TEXT]<0.{_MOST_OCTETS}>)")
            for each in data:
                octets = each[1] if isinstance(each, tuple) else b""
                lines += [line.decode("ascii").strip() for line in _LINE.findall(octets)]
        return lines


@contextlib.contextmanager
def _session(account: Account, resolve_password: PasswordResolver, monotonic: Callable[[], float]) -> Iterator[Session]:
    session = connect(account, resolve_password=resolve_password, monotonic=monotonic)
    try:
        yield session
    except ConnectionBrokenError as error:
        raise ServerUnreachableError(f"{account.host} ended the connection") from error
    except ArchiverError:
        raise
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise ServerUnreachableError(f"{account.host} does not answer as it should ({type(error).__name__})") from None
    finally:
        session.close()


def _quoted(wire: imaplib.IMAP4, mailbox: str) -> str:
    return str(wire._quote(imap_utf7.encode(mailbox).decode("ascii")))  # noqa: SLF001


def _message(account: Account, line: str, now: datetime) -> bytes:
    address = account.username if "@" in account.username else f"archiver@{account.host}"
    sender = "".join(c for c in address if c.isascii() and c.isprintable() and c not in "<> ")
    fields = (
        f"From: archiver <{sender}>",
        f"To: <{sender}>",
        f"Subject: {_SUBJECT}",
        f"Date: {format_datetime(now)}",
        f"Message-ID: <checkpoint.{now.timestamp():.6f}@{account.host}>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "Auto-Submitted: auto-generated",
    )
    return "\r\n".join([*fields, "", line, ""]).encode("ascii", "replace")
