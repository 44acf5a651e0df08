"""What tests of the IMAP adapter need on the client's side: an account, spools in memory, sources on a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archiver.core.ports import Fetched, FetchOutcome
from archiver.imap.partials import Partials
from archiver.imap.retry import RetryingSource
from archiver.imap.source import ImapSource
from archiver.model.account import Account
from archiver.model.mailbox import MessageEntry, RemoteMailbox, Uid

PASSWORD = "s3same open"
INBOX = RemoteMailbox(name=b"INBOX", display="INBOX")


class MemorySpool:
    """A Spool that counts how many of its kind are open."""

    open_now = 0

    def __init__(self) -> None:
        self._data = bytearray()
        self._closed = False
        MemorySpool.open_now += 1

    @property
    def size(self) -> int:
        return len(self._data)

    def write(self, piece: bytes) -> None:
        self._data += piece

    def truncate(self) -> None:
        self._data.clear()

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), 1 << 20):
            yield bytes(self._data[start : start + (1 << 20)])

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            MemorySpool.open_now -= 1


def local_account(
    port: int,
    *,
    max_message_bytes: int = 1 << 30,
    read_timeout: float = 10.0,
    mailboxes: tuple[str, ...] = (),
) -> Account:
    return Account(
        name="info",
        host="127.0.0.1",
        username="info@example.org",
        port=port,
        security="plaintext",
        mailboxes=mailboxes,
        connect_timeout=5.0,
        read_timeout=read_timeout,
        max_message_bytes=max_message_bytes,
    )


def source_on(account: Account, *, password: str = PASSWORD, partials: Partials | None = None) -> ImapSource:
    return ImapSource(account, new_spool=MemorySpool, resolve_password=lambda _: password, partials=partials)


def retrying_on(account: Account, *, sleep: Callable[[float], object] = lambda _: None) -> RetryingSource:
    partials = Partials(MemorySpool)
    return RetryingSource(
        lambda: source_on(account, partials=partials), sleep=sleep, random=lambda: 0.0, on_close=partials.close
    )


def entry(uid: int, size: int = 5) -> MessageEntry:
    return MessageEntry(Uid(uid), size)


def octets_of(outcome: FetchOutcome) -> bytes:
    assert isinstance(outcome, Fetched), outcome
    try:
        return b"".join(outcome.octets)
    finally:
        outcome.octets.close()
