"""An IMAP server on loopback that says exactly what a test tells it to, however wrong.

It knows enough to be logged in to and to give an honest empty mailbox; `on` replaces its answer to a command. Answers
are bytes in which `%T` stands for the tag, or a function of what was asked. `Cut` closes the connection behind its
bytes.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


class Cut(bytes):
    """Bytes to send before the connection is closed."""


class Silence(bytes):
    """Bytes to send before the server says nothing more, with the connection open."""


@dataclass(frozen=True)
class Asked:
    """One command: `line` without tag and line end, literals included; `connection` counts from 1."""

    tag: bytes
    line: bytes
    connection: int


Answer = bytes | Callable[[Asked], bytes]


@dataclass
class _Rule:
    pattern: re.Pattern[bytes]
    answer: Answer
    times: int | None


@dataclass
class FakeImapServer:
    """Listens from construction on; `close` ends it. `commands` holds all that clients said, without tags."""

    capabilities: bytes = b"IMAP4rev1"
    greeting: bytes = b"* OK ready\r\n"
    exists: int = 0
    uid_validity: int = 1
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def on(self, pattern: bytes, answer: Answer, *, times: int | None = None) -> None:
        """Answer commands that begin with this regular expression, `times` at most; the latest rule wins."""
        with self._lock:
            self._rules.insert(0, _Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), answer, times))

    def said(self, pattern: bytes) -> list[bytes]:
        """Return the commands received that begin with this."""
        return [line for line in self.commands if re.match(pattern, line, re.IGNORECASE)]

    def waiting(self, connection: int) -> int:
        """Return how many bytes of further commands have arrived on a connection, a moment from now."""
        peeked = self._open[connection - 1]
        if not select.select([peeked], [], [], 0.05)[0]:
            return 0
        return len(peeked.recv(4096, socket.MSG_PEEK))

    def close(self) -> None:
        """End all connections."""
        # Closing alone does not wake a thread that waits in accept.
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    # --- serving ----------------------------------------------------------------------------------------------------

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file:
            if not self._send(connection, self.greeting):
                return
            while raw := file.readline():
                line = raw.rstrip(b"\r\n")
                while literal := re.search(rb"\{(\d+)\}$", line):
                    connection.sendall(b"+ go on\r\n")
                    line += b"\r\n" + file.read(int(literal.group(1))) + file.readline().rstrip(b"\r\n")
                tag, _, command = line.partition(b" ")
                if command.upper().startswith(b"AUTHENTICATE"):
                    connection.sendall(b"+ \r\n")
                    command += b" " + file.readline().rstrip(b"\r\n")
                self.commands.append(command)
                answer = self._answer(Asked(tag, command, number))
                if not self._send(connection, answer, tag):
                    return

    def _send(self, connection: socket.socket, answer: bytes, tag: bytes = b"") -> bool:
        connection.sendall(bytes(answer).replace(b"%T", tag))
        if isinstance(answer, Cut):
            return False
        if isinstance(answer, Silence):
            while connection.recv(4096):
                pass
            return False
        return True

    def _answer(self, asked: Asked) -> bytes:
        with self._lock:
            for rule in self._rules:
                if rule.pattern.match(asked.line) and rule.times != 0:
                    if rule.times is not None:
                        rule.times -= 1
                    break
            else:
                return self._honest(asked)
        return rule.answer(asked) if callable(rule.answer) else rule.answer

    def _honest(self, asked: Asked) -> bytes:
        word = asked.line.split(b" ")[0].upper()
        if word == b"CAPABILITY":
            return b"* CAPABILITY " + self.capabilities + b"\r\n%T OK done\r\n"
        if word == b"LIST":
            return b'* LIST (\\HasNoChildren) "/" INBOX\r\n%T OK done\r\n'
        if word == b"EXAMINE":
            return (
                b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] stable\r\n"
                b"* OK [UIDNEXT %d] next\r\n%%T OK [READ-ONLY] done\r\n"
            ) % (self.exists, self.uid_validity, self.exists + 1)
        if word == b"LOGOUT":
            return Cut(b"* BYE\r\n%T OK done\r\n")
        if word in {b"LOGIN", b"AUTHENTICATE", b"ID", b"STATUS", b"NOOP"} or word == b"UID":
            return b"%T OK done\r\n"
        return b"%T BAD unknown\r\n"


def body(uid: int, octets: bytes, *, sequence: int | None = None) -> bytes:
    """Return a FETCH response as most servers write it."""
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (sequence or uid, uid, len(octets), octets)


def uids_asked(asked: Asked) -> list[int]:
    """Return the UIDs that a UID FETCH names."""
    found: list[int] = []
    for span in asked.line.split(b" ")[2].split(b","):
        low, _, high = span.partition(b":")
        found.extend(range(int(low), int(high or low) + 1))
    return found
