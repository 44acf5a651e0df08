"""Commands out, responses in: streamed, routed by tag and UID, with every size and every wait bounded.

Knows the grammar of the responses that the archiver needs and what servers make of it; knows nothing of mailboxes,
batches or retries. Literals exist in data responses only: a status text that ends in `{12}` is a text. After the octets
of a message the response must go on as a FETCH response does; anything else means that the announced size was wrong,
the framing is lost, and the connection is given up rather than a wrong message kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from archiver.core.ports import Octets, Spool
from archiver.imap.faults import ConnectionBrokenError
from archiver.imap.lexer import Cursor, LineError, Value, literal_size
from archiver.imap.responses import (
    Body,
    Condition,
    Continue,
    Counted,
    Exists,
    FetchItems,
    Listed,
    Other,
    Response,
    condition,
)
from archiver.imap.wire import Wire
from archiver.model.mailbox import Uid
from archiver.model.octets import BytesOctets

PIECE = 1 << 18
"""Bytes read at a time from a big literal."""
IN_MEMORY = 4 << 20
"""Bodies up to this many bytes are kept in memory, bigger ones are spooled."""
SMALL_LITERAL = 1 << 20
"""Bytes of a literal that is not a message: a mailbox name, a keyword."""
BASE_PATIENCE = 60.0
SLOWEST = 20_000
"""A command may take 60 seconds, and a second more for each 20,000 bytes expected."""

_STATUSES = frozenset({b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"})
_PLAIN_BODY = re.compile(rb"\* \d+ FETCH \(UID (\d{1,10}) BODY\[\](?:<(\d{1,20})>)? \{(\d{1,20})\}$", re.IGNORECASE)
_PLAIN_ITEM = rb'[A-Z0-9.\-]+ (?:\d+|"[^"\\{]*"|\([^()"{\[]*\))'
_PLAIN_ITEMS = re.compile(rb"\* \d+ FETCH \((" + _PLAIN_ITEM + rb"(?: " + _PLAIN_ITEM + rb")*)\)$", re.IGNORECASE)
_PLAIN_PAIR = re.compile(rb'([A-Z0-9.\-]+) (?:(\d+)|"([^"]*)"|\(([^()]*)\))', re.IGNORECASE)
_BODY_NAME = re.compile(rb"(?:BODY\[\](?:<(\d{1,20})(?:\.\d+)?>)?|RFC822)$")


class Everything:
    """A container of all UIDs."""

    def __contains__(self, uid: object) -> bool:
        """Say yes."""
        return True


class Reader:
    """The conversation on one wire, after login.

    `literal_limit` is the largest message accepted, in bytes. Raises ConnectionBrokenError; after it the wire is dead.
    """

    def __init__(self, wire: Wire, *, new_spool: Callable[[], Spool], literal_limit: int) -> None:
        self._wire = wire
        self._new_spool = new_spool
        self._limit = literal_limit
        self._tags = 0
        self._expected: dict[bytes, int] = {}
        self.malformed = 0
        """Responses that were left out because they do not follow the grammar."""

    # --- commands -------------------------------------------------------------------------------------------------

    def send(self, command: bytes, *, expect: int = 0) -> bytes:
        """Send one line and return its tag; `expect` is how many bytes the answer may have."""
        tag = self._new_tag(expect)
        self._wire.send(tag + b" " + command + b"\r\n")
        return tag

    def send_naming(self, before: bytes, mailbox: bytes, after: bytes = b"") -> bytes:
        """Send a command about a mailbox, its name exactly as LIST sent it, and return the tag.

        A name that cannot stand in quotes goes as a literal (RFC 3501 §4.3), for which the server is waited for.
        """
        if quotable(mailbox):
            quoted = mailbox.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            return self.send(before + b' "' + quoted + b'"' + after)
        tag = self._new_tag(0)
        self._wire.send(b"%s %s {%d}\r\n" % (tag, before, len(mailbox)))
        while True:
            response = self.receive(())
            if isinstance(response, Continue):
                break
            if isinstance(response, Condition) and response.tag == tag:
                raise ConnectionBrokenError("the server does not take the name of a mailbox that it listed itself")
        self._wire.send(mailbox + after + b"\r\n")
        return tag

    def _new_tag(self, expect: int) -> bytes:
        self._tags += 1
        tag = b"A%d" % self._tags
        self._expected[tag] = expect
        self._grant()
        return tag

    def _grant(self) -> None:
        self._wire.grant(BASE_PATIENCE + sum(self._expected.values()) / SLOWEST)

    # --- responses ------------------------------------------------------------------------------------------------

    def receive(self, wanted: Container[int]) -> Response:
        """Read one response. Bodies of UIDs that are not in `wanted` are read and dropped.

        Raises ConnectionBrokenError when the connection ends, also for an untagged BYE.
        """
        wire = self._wire
        line = _stripped(wire.readline())
        while not line:
            line = _stripped(wire.readline())
        if line.startswith(b"* "):
            return self._untagged(line, wanted)
        if line.startswith(b"+"):
            return Continue()
        tag, _, rest = line.partition(b" ")
        status, _, text = rest.partition(b" ")
        if tag not in self._expected or status.upper() not in _STATUSES:
            raise ConnectionBrokenError("the server sent something that is no response: the framing is lost")
        del self._expected[tag]
        self._grant()
        return condition(tag, status, text)

    def _untagged(self, line: bytes, wanted: Container[int]) -> Response:
        found = _PLAIN_BODY.match(line)
        if found:
            return self._plain_body(found, wanted)
        found = _PLAIN_ITEMS.match(line)
        if found:
            return _plain_items(found.group(1))
        word, _, rest = line[2:].lstrip().partition(b" ")
        kind = word.upper()
        if kind in _STATUSES:
            answer = condition(None, kind, rest)
            if kind == b"BYE":
                raise ConnectionBrokenError("the server ended the connection")
            return answer
        try:
            return self._data(kind, rest, wanted)
        except LineError:
            if literal_size(line) is not None:
                raise ConnectionBrokenError("a response with a literal cannot be read: the framing is lost") from None
            self.malformed += 1
            if kind == b"LIST":
                # Kept under what may be its name, so that opening it fails visibly instead of being left out.
                return Listed(rest, None, ())
            return Other(malformed=True)

    def _plain_body(self, found: re.Match[bytes], wanted: Container[int]) -> FetchItems:
        uid = int(found.group(1))
        origin = found.group(2)
        octets = self._body(int(found.group(3)), uid, keep=uid in wanted)
        tail = self._behind_body(octets, uid)
        body = Body(octets, None if origin is None else int(origin))
        if tail == b")":
            return FetchItems(uid, {}, body)
        return self._items(Cursor(tail, self._small_literal), wanted, uid, body)

    def _data(self, kind: bytes, rest: bytes, wanted: Container[int]) -> Response:
        if kind.isdigit():
            name, _, tail = rest.lstrip().partition(b" ")
            upper = name.upper()
            if upper == b"EXISTS" and len(kind) <= 20:
                return Exists(int(kind))
            if upper == b"FETCH":
                cursor = Cursor(tail, self._small_literal)
                cursor.expect(b"(")
                return self._items(cursor, wanted)
            return Other()
        cursor = Cursor(rest, self._small_literal)
        if kind == b"LIST":
            return _listed(cursor)
        if kind == b"STATUS":
            return _counted(cursor)
        while (size := literal_size(cursor.line)) is not None:
            cursor.literal(size)
        return Other()

    def _items(
        self, cursor: Cursor, wanted: Container[int], uid: int | None = None, body: Body | None = None
    ) -> FetchItems:
        """Read FETCH items up to the closing parenthesis, in whatever order they come (RFC 3501 §7.4.2)."""
        items: dict[bytes, Value] = {}
        try:
            while cursor.peek() != b")":
                name = cursor.name()
                found = _BODY_NAME.match(name)
                if found and body is None:
                    origin = found.group(1)
                    octets = self._body_value(cursor, uid, wanted)
                    body = Body(octets, None if origin is None else int(origin))
                    continue
                value = cursor.value()
                if name == b"UID":
                    uid = _number(value)
                else:
                    items[name] = value
            cursor.at += 1
        except LineError:
            if body is None and literal_size(cursor.line) is None:
                raise
            _close(body)
            raise self._lost(uid) from None
        except ConnectionBrokenError:
            _close(body)
            raise
        if body is not None and cursor.rest().strip():
            _close(body)
            raise self._lost(uid)
        return FetchItems(uid, items, body)

    def _body_value(self, cursor: Cursor, uid: int | None, wanted: Container[int]) -> Octets | None:
        size = literal_size(cursor.line) if cursor.peek() in {b"{", b"~"} else None
        if size is None:
            value = cursor.value()
            if isinstance(value, list):
                raise LineError("a body is no list")
            return None if value is None else BytesOctets(value)
        octets = self._body(size, uid, keep=uid is None or uid in wanted)
        cursor.line = self._behind_body(octets, uid)
        cursor.at = 0
        return octets

    # --- literals ---------------------------------------------------------------------------------------------------

    def _body(self, size: int, uid: int | None, *, keep: bool) -> Octets | None:
        """Read the octets of a message, or read past them."""
        if size > self._limit:
            raise ConnectionBrokenError(
                f"the server announces a message of {size} bytes, more than max_message_bytes",
                in_transit=None if uid is None else Uid(uid),
            )
        spool: Spool | None = None
        try:
            if keep and size <= IN_MEMORY:
                return BytesOctets(self._wire.read(size))
            spool = self._new_spool() if keep else None
            for start in range(0, size, PIECE):
                piece = self._wire.read(min(PIECE, size - start))
                if spool is not None:
                    spool.write(piece)
        except BaseException as error:
            if spool is not None:
                spool.close()
            if isinstance(error, ConnectionBrokenError) and uid is not None:
                raise ConnectionBrokenError(error.message, hint=error.hint, in_transit=Uid(uid)) from None
            raise
        return spool

    def _behind_body(self, octets: Octets | None, uid: int | None) -> bytes:
        """Return the line behind a body; it must close the response or go on with another item."""
        try:
            tail = _stripped(self._wire.readline())
        except ConnectionBrokenError as error:
            _close(Body(octets))
            raise ConnectionBrokenError(
                error.message, hint=error.hint, in_transit=None if uid is None else Uid(uid)
            ) from None
        if not re.match(rb"\s*\)\s*$|\s+[A-Za-z]", tail):
            _close(Body(octets))
            raise self._lost(uid)
        return tail

    def _small_literal(self, size: int) -> tuple[bytes, bytes]:
        if size > SMALL_LITERAL:
            raise ConnectionBrokenError("the server announces a huge literal where none belongs")
        return self._wire.read(size), _stripped(self._wire.readline())

    def _lost(self, uid: int | None) -> ConnectionBrokenError:
        return ConnectionBrokenError(
            "a message does not have the size that the server announced: the framing is lost",
            in_transit=None if uid is None else Uid(uid),
        )


def quotable(name: bytes) -> bool:
    """Tell whether a mailbox name may be sent in quotes: 7 bits, no CR, LF or NUL, short enough for one line."""
    return name.isascii() and not any(byte in name for byte in (b"\r", b"\n", b"\0")) and len(name) < 4000


def _stripped(line: bytes) -> bytes:
    return line[:-2] if line.endswith(b"\r\n") else line.rstrip(b"\r\n")


def _close(body: Body | None) -> None:
    if body is not None and body.octets is not None:
        body.octets.close()


def _number(value: Value) -> int | None:
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) <= 20 else None


def _plain_items(text: bytes) -> FetchItems:
    """Read what nearly every listing line is, in two steps of compiled code: ten times as fast as a cursor."""
    items: dict[bytes, Value] = {}
    uid: int | None = None
    for name, number, quoted, listed in _PLAIN_PAIR.findall(text):
        key = name.upper()
        if key == b"UID":
            uid = int(number) if number and len(number) <= 20 else None
        elif number:
            items[key] = number
        elif key == b"FLAGS":
            items[key] = listed.split()
        else:
            items[key] = quoted
    return FetchItems(uid, items)


def _listed(cursor: Cursor) -> Listed:
    attributes = cursor.value()
    delimiter = cursor.value()
    name = cursor.astring()
    if not isinstance(attributes, list) or isinstance(delimiter, list):
        raise LineError("LIST has another form")
    return Listed(
        name=name,
        delimiter=None if not delimiter else delimiter.decode("utf-8", "replace"),
        attributes=tuple(a.decode("ascii", "replace") for a in attributes if isinstance(a, bytes)),
    )


def _counted(cursor: Cursor) -> Counted:
    """Read STATUS; a name without quotes goes up to the parenthesis."""
    name = cursor.astring()
    values = cursor.value()
    if not isinstance(values, list):
        raise LineError("STATUS has another form")
    items: dict[bytes, int] = {}
    for key, value in zip(values[::2], values[1::2], strict=False):
        number = _number(value)
        if isinstance(key, bytes) and number is not None:
            items[key.upper()] = number
    return Counted(name, items)
