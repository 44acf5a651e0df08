"""Octets of a response to values (RFC 3501 §9), one response at a time.

Works on raw bytes, because names and atoms that are not ASCII exist. A literal in the middle of a response is asked of
the caller, who decides where it goes; nothing here reads a socket. A mistake raises LineError, which concerns that one
response only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Value: TypeAlias = "bytes | list[Value] | None"
"""A string, atom or number as bytes; NIL as None; a parenthesised list as a list."""

_DEPTH = 32
_LITERAL = re.compile(rb"~?\{(\d{1,20})\+?\}$")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_ATOM = re.compile(rb'[^\s()"\[]*(?:\[[^\]]*\][^\s()"\[]*)*', re.DOTALL)
_NAME = re.compile(rb"[^\s()\[]+(?:\[[^\]]*\](?:<[^>]*>)?)?", re.DOTALL)


class LineError(ValueError):
    """One response does not follow the grammar."""


def literal_size(line: bytes) -> int | None:
    """Return the size that a literal at the end of the line announces (`{12}`, `{12+}`, `~{12}`), or None."""
    found = _LITERAL.search(line)
    return int(found.group(1)) if found else None


class Cursor:
    """A position in a response.

    `more(size)` reads a literal and returns (its octets, the line behind it); both lines come without their line end.
    """

    def __init__(self, line: bytes, more: Callable[[int], tuple[bytes, bytes]]) -> None:
        self.line = line
        self.at = 0
        self._more = more

    def peek(self) -> bytes:
        """Return the next byte that is not a blank, or b"" at the end."""
        line, at = self.line, self.at
        while at < len(line) and line[at] in b" \t":
            at += 1
        self.at = at
        return line[at : at + 1]

    def expect(self, byte: bytes) -> None:
        """Step over this byte; raises LineError when something else is there."""
        if self.peek() != byte:
            raise LineError("unexpected byte")
        self.at += 1

    def rest(self) -> bytes:
        """Return what has not been read."""
        return self.line[self.at :]

    def name(self) -> bytes:
        """Read the name of a FETCH item, upper case: `BODY[HEADER.FIELDS (DATE)]<0>` is one."""
        self.peek()
        found = _NAME.match(self.line, self.at)
        if not found:
            raise LineError("name expected")
        self.at = found.end()
        return found.group().upper()

    def value(self, depth: int = 0) -> Value:
        """Read any value. Raises LineError, also for lists nested deeper than 32."""
        first = self.peek()
        if first == b"(":
            return self._list(depth)
        if first == b'"':
            return self._quoted()
        found = _LITERAL.match(self.line, self.at)
        if found:
            return self.literal(int(found.group(1)))
        found = _ATOM.match(self.line, self.at)
        if not found or found.end() == self.at:
            raise LineError("value expected")
        self.at = found.end()
        atom = found.group()
        return None if atom.upper() == b"NIL" else atom

    def literal(self, size: int) -> bytes:
        """Read the literal announced at the end of the line and go on behind it."""
        data, self.line = self._more(size)
        self.at = 0
        return data

    def astring(self) -> bytes:
        """Read a mailbox name: a quoted string, a literal, or all that is left up to extended data (RFC 5258 §6).

        Servers that send brackets, tabs or blanks outside quotes are thus understood.
        """
        first = self.peek()
        if first == b'"' or _LITERAL.match(self.line, self.at):
            value = self.value()
            if isinstance(value, bytes):
                return value
        extended = self.rest().rfind(b" (") if self.rest().endswith(b")") else -1
        name = self.rest() if extended < 0 else self.rest()[:extended]
        if not name:
            raise LineError("mailbox name expected")
        self.at += len(name)
        return name

    def _quoted(self) -> bytes:
        found = _QUOTED.match(self.line, self.at)
        if not found:
            raise LineError("quoted string without end")
        self.at = found.end()
        text = found.group(1)
        return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text

    def _list(self, depth: int) -> list[Value]:
        if depth >= _DEPTH:
            raise LineError("nested too deeply")
        self.at += 1
        items: list[Value] = []
        while self.peek() != b")":
            if not self.peek():
                raise LineError("list without end")
            items.append(self.value(depth + 1))
        self.at += 1
        return items
