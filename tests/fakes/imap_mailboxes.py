"""An honest IMAP server in memory with mailboxes and mail, for many short runs of the real program against it.

Knows accounts (a login sees its own mailboxes only), UIDs and UIDVALIDITY, LIST, STATUS, EXAMINE and the two forms of
UID FETCH that the collector uses. Knows no flags that change: any command that would change something is answered BAD
and kept in `changes`. What is wrong on purpose is `tests.fakes.imap_server`'s business, whose rules still win.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.imap_server import Asked, FakeImapServer

_CHANGING = rb"(SELECT|STORE|UID STORE|EXPUNGE|UID EXPUNGE|APPEND|COPY|UID COPY|MOVE|UID MOVE|CREATE|DELETE|RENAME)"


@dataclass
class Mailbox:
    """UIDs and octets of one mailbox; `dates` holds INTERNALDATE where it is not the default."""

    uid_validity: int
    messages: dict[int, bytes] = field(default_factory=dict)
    uid_next: int = 1

    def deliver(self, octets: bytes) -> int:
        uid = self.uid_next
        self.messages[uid] = octets
        self.uid_next += 1
        return uid


class MailboxServer:
    """`accounts` maps a username to its mailboxes by raw name; a message is served as it was delivered."""

    def __init__(self, usernames: tuple[str, ...], *, password: str, on_body: Callable[[], None] | None = None) -> None:
        self.password = password
        self.accounts: dict[str, dict[bytes, Mailbox]] = {name: {} for name in usernames}
        self.bodies = 0
        self.changes: list[bytes] = []
        self._on_body = on_body
        self._users: dict[int, str] = {}
        self._open: dict[int, Mailbox] = {}
        self._validity = 7
        self._lock = threading.RLock()
        self.imap = FakeImapServer(capabilities=b"IMAP4rev1")
        self.port = self.imap.port
        for pattern, answer in (
            (rb"LOGIN", self._login),
            (rb"LIST", self._list),
            (rb"STATUS", self._status),
            (rb"EXAMINE", self._examine),
            (rb"UID FETCH", self._fetch),
            (_CHANGING, self._change),
        ):
            self.imap.on(pattern, answer)

    def mailbox(self, username: str, name: bytes) -> Mailbox:
        """Return a mailbox, made when new."""
        with self._lock:
            boxes = self.accounts[username]
            if name not in boxes:
                self._validity += 1
                boxes[name] = Mailbox(self._validity)
            return boxes[name]

    def deliver(self, username: str, name: bytes, octets: bytes) -> int:
        """Add a message and return its UID."""
        with self._lock:
            return self.mailbox(username, name).deliver(octets)

    def locations(self) -> dict[tuple[str, bytes, int, int], bytes]:
        """Return everything that is here: (username, mailbox, uid validity, uid) → octets."""
        with self._lock:
            return {
                (username, name, box.uid_validity, uid): octets
                for username, boxes in self.accounts.items()
                for name, box in boxes.items()
                for uid, octets in box.messages.items()
            }

    def close(self) -> None:
        """End all connections."""
        self.imap.close()

    # --- answers --------------------------------------------------------------------------------------------------

    def _login(self, asked: Asked) -> bytes:
        words = [word.strip(b'"').decode() for word in re.findall(rb'"[^"]*"|\S+', asked.line)]
        if words[1] not in self.accounts or words[2] != self.password:
            return b"%T NO [AUTHENTICATIONFAILED] no\r\n"
        self._users[asked.connection] = words[1]
        return b"%T OK done\r\n"

    def _boxes(self, asked: Asked) -> dict[bytes, Mailbox]:
        return self.accounts[self._users[asked.connection]]

    def _list(self, asked: Asked) -> bytes:
        lines = b"".join(b'* LIST (\\HasNoChildren) "/" "%b"\r\n' % name for name in self._boxes(asked))
        return lines + b"%T OK done\r\n"

    def _named(self, asked: Asked) -> tuple[bytes, Mailbox] | None:
        found = re.match(rb'\w+ (?:"([^"]*)"|(\S+))', asked.line)
        name = b"" if found is None else found[1] if found[1] is not None else found[2]
        box = self._boxes(asked).get(name)
        return None if box is None else (name, box)

    def _status(self, asked: Asked) -> bytes:
        if (named := self._named(asked)) is None:
            return b"%T NO no such mailbox\r\n"
        name, box = named
        return b'* STATUS "%b" (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)\r\n%%T OK done\r\n' % (
            name,
            len(box.messages),
            box.uid_next,
            box.uid_validity,
        )

    def _examine(self, asked: Asked) -> bytes:
        if (named := self._named(asked)) is None:
            return b"%T NO no such mailbox\r\n"
        box = self._open[asked.connection] = named[1]
        return (
            b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] stable\r\n"
            b"* OK [UIDNEXT %d] next\r\n%%T OK [READ-ONLY] done\r\n"
        ) % (len(box.messages), box.uid_validity, box.uid_next)

    def _fetch(self, asked: Asked) -> bytes:
        box = self._open[asked.connection]
        with self._lock:
            highest = max(box.messages, default=0)
            uids: list[int] = []
            for span in asked.line.split(b" ")[2].split(b","):
                low, _, high = span.partition(b":")
                last = highest if high == b"*" else int(high or low)
                uids += [uid for uid in box.messages if int(low) <= uid <= last]
            number = {uid: place for place, uid in enumerate(sorted(box.messages), start=1)}
            if b"BODY.PEEK[]" not in asked.line:
                return b"".join(self._line(number[uid], uid, box.messages[uid]) for uid in uids) + b"%T OK done\r\n"
            self.bodies += len(uids)
            answer = b"".join(_body(number[uid], uid, box.messages[uid]) for uid in uids)
        if self._on_body is not None:
            self._on_body()
        return answer + b"%T OK done\r\n"

    @staticmethod
    def _line(number: int, uid: int, octets: bytes) -> bytes:
        return b'* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE "01-Mar-2025 09:00:00 +0000" FLAGS (\\Seen))\r\n' % (
            number,
            uid,
            len(octets),
        )

    def _change(self, asked: Asked) -> bytes:
        self.changes.append(asked.line)
        return b"%T BAD this server is read-only\r\n"


def _body(number: int, uid: int, octets: bytes) -> bytes:
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (number, uid, len(octets), octets)
