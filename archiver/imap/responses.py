"""What a server says, as values: one class for each kind of response that the archiver acts on.

Everything else arrives as Other and means nothing to us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from archiver.core.ports import Octets
from archiver.imap.lexer import Value

_CODE = re.compile(rb"\s*\[([^\]\s]+)(?:\s+([^\]]*))?\]")
_NOT_NOW = re.compile(rb"authenticated but not connected|server unavailable|try again|temporar", re.IGNORECASE)
_BACKOFF = re.compile(rb"suggested backoff time:?\s*(\d{1,12})\s*millisecond", re.IGNORECASE)


class Condition(Struct, frozen=True):
    """A status response, tagged or not: OK, NO, BAD, BYE, PREAUTH; `code` upper case, its argument as sent."""

    tag: bytes | None
    status: bytes
    code: bytes = b""
    argument: bytes = b""
    wait: float | None = None
    """Seconds that the server asks us to wait, when it names them."""
    not_now: bool = False
    """The words say that the same command may succeed later, where no code does."""

    @property
    def number(self) -> int | None:
        """The argument as a number ≥ 0, or None."""
        text = self.argument.strip()
        return int(text) if text.isdigit() and len(text) <= 20 else None


class Exists(Struct, frozen=True):
    """`* n EXISTS`."""

    messages: int


class Listed(Struct, frozen=True):
    """One LIST response; `attributes` as sent."""

    name: bytes
    delimiter: str | None
    attributes: tuple[str, ...]


class Counted(Struct, frozen=True):
    """One STATUS response; only items with a number."""

    name: bytes
    items: Mapping[bytes, int]


class Body(Struct, frozen=True):
    """Octets of a whole message, or of a part from `origin` on; None is NIL. The receiver closes the octets."""

    octets: Octets | None
    origin: int | None = None


class FetchItems(Struct, frozen=True):
    """One FETCH response: `uid` None when the server left it out; `items` without UID and body."""

    uid: int | None
    items: Mapping[bytes, Value]
    body: Body | None = None


class Continue(Struct, frozen=True):
    """`+`: the server waits for a literal."""


class Other(Struct, frozen=True):
    """A response without meaning to us; `malformed` when its kind is known and its form is not."""

    malformed: bool = False


Response = Condition | Exists | Listed | Counted | FetchItems | Continue | Other


def condition(tag: bytes | None, status: bytes, text: bytes) -> Condition:
    """Read the text of a status response (RFC 3501 §7.1); the words for people are looked at, never kept."""
    backoff = _BACKOFF.search(text)
    wait = int(backoff.group(1)) / 1000 if backoff else None
    found = _CODE.match(text)
    code, argument = (found.group(1).upper(), found.group(2) or b"") if found else (b"", b"")
    return Condition(tag, status.upper(), code, argument, wait, _NOT_NOW.search(text) is not None)
