"""Mail to measure with, and a real Dovecot on loopback that serves it.

Knows where the mail comes from: the folder named by ARCHIVER_CORPUS (every *.eml below it), else invented mail, the
same for the same seed. Knows nothing of what is measured. The servers and the certificates are those of the live tests.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.live.authority import make_authority
from tests.live.dovecot import PASSWORD, Authority, Dovecot, maildir

CORPUS = "ARCHIVER_CORPUS"
USER = "bench"
_ARRIVED = 1_770_000_000  # Unix seconds; after every Date of the invented mail, or arrival would decide its place
INSTALL = {
    "dovecot": "dovecot-imapd",
    "mbsync": "isync",
    "notmuch": "notmuch",
}


def require(*programs: str) -> None:
    """End with a message that names the Debian packages to install when a program is missing."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    missing = [program for program in programs if shutil.which(program, path=path) is None]
    if missing:
        packages = " ".join(INSTALL[program] for program in missing)
        raise SystemExit(f"this benchmark needs {', '.join(missing)}: apt install {packages}")


@dataclass(frozen=True)
class Mail:
    """`count` messages of `octets` octets in all, counted as IMAP gives them (CRLF) and as an archive keeps them."""

    count: int
    octets: int
    source: str


def corpus(limit: int | None = None, *, synthetic: bool = False) -> tuple[str, Iterator[bytes]]:
    """Return what the mail is, and the messages: the corpus's in the order of their paths, or invented ones."""
    folder = os.environ.get(CORPUS)
    if folder and not synthetic:
        paths = sorted(Path(folder).rglob("*.eml"))
        if not paths:
            raise SystemExit(f"{CORPUS} names a folder without a single *.eml file")
        return "corpus", (path.read_bytes() for path in islice(paths, limit))
    return "synthetic", invented(limit or 18_000)


def invented(count: int, *, bulk: bool = False) -> Iterator[bytes]:
    """Give invented mail with attachments; with `bulk` plain text of a natural vocabulary, made much faster."""
    from demo.synthetic import messages

    return (mail.octets for mail in messages(seed=7, count=count, bulk=bulk))


def fill(folder: Path, messages: Iterable[bytes]) -> tuple[int, int]:
    """Write messages into a Maildir one after the other; return how many, and their octets as IMAP gives them."""
    maildir(folder)
    count = octets = 0
    for count, message in enumerate(messages, start=1):
        text = message.replace(b"\r\n", b"\n")
        path = folder / "cur" / f"{_ARRIVED + count}.M{count}P1.host:2,S"
        path.write_bytes(text)
        os.utime(path, (_ARRIVED + count,) * 2)
        octets += len(text) + text.count(b"\n")
    return count, octets


@dataclass(frozen=True)
class Served:
    """A running server with one full mailbox, INBOX of USER."""

    dovecot: Dovecot
    authority: Authority
    mail: Mail


@contextmanager
def serve(home: Path, source: str, messages: Iterable[bytes]) -> Iterator[Served]:
    """Fill a mailbox and serve it, plain and over TLS, until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    count, octets = fill(home / "mail" / USER, messages)
    authority = make_authority(home / "authority")
    dovecot = Dovecot(home, [USER], authority)
    try:
        yield Served(dovecot, authority, Mail(count, octets, source))
    finally:
        dovecot.stop()


def server_processor_seconds(dovecot: Dovecot) -> float:
    """Return the processor time of the server so far: the master, its living children, and those that ended."""
    from benchmarks.apparatus.running import children_of, ticks

    master = dovecot._process.pid  # noqa: SLF001 - the test helper has no reason to show it
    while True:
        time.sleep(0.2)  # a session ends shortly after its client, and counts when it is waited for
        with suppress(FileNotFoundError):  # one ended while they were counted: count again
            return sum(sum(ticks(pid, ended=True)) for pid in [master, *children_of(master)])


__all__ = ["PASSWORD", "USER", "Mail", "Served", "corpus", "fill", "invented", "require", "serve"]
