"""What S/MIME wraps around content: the outside of CMS (RFC 5652), as far as the content that was signed.

Knows ContentInfo, SignedData and EncapsulatedContentInfo (sections 3, 5.1 and 5.2) in BER: definite and indefinite
lengths, and OCTET STRINGs in pieces, as programs write that do not know the size beforehand. Deliberately checks no
signature, reads no certificate and opens nothing that is encrypted; of that it says only what it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Literal

from msgspec import Struct

MAX_ELEMENTS = 200_000
"""Elements that are looked at; content in smaller pieces than programs make is cut there."""

MAX_DEPTH = 16
"""OCTET STRINGs within OCTET STRINGs."""

_SEQUENCE, _SET, _INTEGER, _OID, _EXPLICIT, _END = 0x30, 0x31, 0x02, 0x06, 0xA0, 0
_OCTETS, _OCTETS_IN_PIECES = 0x04, 0x24
_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_MAX_LENGTH_OCTETS = 8

_PKCS7 = bytes.fromhex("2a864886f70d0107")
_SMIME = bytes.fromhex("2a864886f70d01091001")
_SIGNED = _PKCS7 + b"\x02"
_ENCRYPTED = frozenset({_PKCS7 + b"\x03", _PKCS7 + b"\x04", _PKCS7 + b"\x06", _SMIME + b"\x17"})
_KNOWN = (_PKCS7, _SMIME)

_ARMOUR = re.compile(rb"-----(?:BEGIN|END) [A-Z0-9 #]{1,40}-----")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]+")

Kind = Literal["signed", "encrypted", "other"]


class Cms(Struct, frozen=True):
    """What a CMS object is; `content` is what was signed, None where it is kept elsewhere (or nothing was).

    `whole` says whether it could be read up to the end of that content.
    """

    kind: Kind
    content: bytes | None = None
    whole: bool = True


class _DamagedError(Exception):
    """The octets are no BER of the kind that is expected here."""


def read_cms(octets: bytes) -> Cms | None:
    """Read a CMS object, in base64 too; None when it is none. Never raises; of one that is cut off the beginning."""
    octets = _bare(octets)
    if octets[:1] != b"\x30":
        return None
    return _Reader(octets).read()


def _bare(octets: bytes) -> bytes:
    """Undo an armour, or a base64 that nobody told of."""
    if not octets[:64].lstrip().startswith((b"M", b"-----BEGIN")):
        return octets
    inner = _ARMOUR.sub(b"", octets)
    if _BASE64.fullmatch(inner) is None:
        return octets
    try:
        return base64.b64decode(inner + b"===")
    except binascii.Error:
        return octets


class _Reader:
    """Walks over elements (X.690 section 8.1) from `at` on; no length is believed beyond the end of the octets."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0
        self._left = MAX_ELEMENTS
        self._whole = True

    def read(self) -> Cms | None:
        """Read ContentInfo; None when that is not what the octets are."""
        try:
            self._enter(_SEQUENCE)
            kind = self._oid()
        except _DamagedError:
            return None
        if kind != _SIGNED:
            return Cms("encrypted" if kind in _ENCRYPTED else "other") if kind.startswith(_KNOWN) else None
        try:
            content = self._signed_content()
        except _DamagedError:
            return Cms("signed", None, whole=False)
        return Cms("signed", content, self._whole)

    def _signed_content(self) -> bytes | None:
        self._enter(_EXPLICIT)
        self._enter(_SEQUENCE)
        self._skip(_INTEGER)
        self._skip(_SET)
        stop = self._enter(_SEQUENCE)
        self._oid()
        if self._at == stop or self._octets[self._at : self._at + 1] != bytes([_EXPLICIT]):
            return None  # the content lies beside the signature, or there are certificates only
        self._enter(_EXPLICIT)
        return self._content()

    def _content(self) -> bytes:
        """Return an OCTET STRING, put together from its pieces (X.690 section 8.7)."""
        tag, stop = self._header()
        if tag == _OCTETS and stop is not None:
            return self._octets[self._at : self._bounded(stop)]
        if tag != _OCTETS_IN_PIECES:
            raise _DamagedError
        pieces: list[bytes] = []
        open_ = [stop]
        while open_:
            if open_[-1] is not None and self._at >= open_[-1]:
                open_.pop()
                continue
            try:
                tag, stop = self._header()
            except _DamagedError:
                self._whole = False
                break
            if tag == _END and stop == self._at and open_[-1] is None:
                open_.pop()
            elif tag == _OCTETS and stop is not None:
                stop = self._bounded(stop)
                pieces.append(self._octets[self._at : stop])
                self._at = stop
            elif tag == _OCTETS_IN_PIECES and len(open_) < MAX_DEPTH:
                open_.append(stop)
            else:
                self._whole = False
                break
        return b"".join(pieces)

    # --- elements ----------------------------------------------------------------------------------------------------

    def _enter(self, wanted: int) -> int | None:
        """Step into an element of this tag; return where it ends, None when its end is marked."""
        tag, stop = self._header()
        if tag != wanted:
            raise _DamagedError
        return stop

    def _oid(self) -> bytes:
        tag, stop = self._header()
        if tag != _OID or stop is None or stop > len(self._octets):
            raise _DamagedError
        value, self._at = self._octets[self._at : stop], stop
        return value

    def _skip(self, wanted: int) -> None:
        """Step over an element; of one whose end is marked, over all that is in it, however deep."""
        stop = self._enter(wanted)
        if stop is not None:
            self._at = self._bounded(stop)
            return
        depth = 1
        while depth:
            tag, stop = self._header()
            if tag == _END and stop == self._at:
                depth -= 1
            elif stop is None:
                depth += 1
            else:
                self._at = self._bounded(stop)

    def _header(self) -> tuple[int, int | None]:
        """Read tag and length; return the tag and where the element ends, None when its end is marked."""
        self._left -= 1
        head = self._octets[self._at : self._at + 2]
        if self._left < 0 or len(head) < 2 or head[0] & _LONG_TAG == _LONG_TAG:
            raise _DamagedError
        tag, length = head
        self._at += 2
        if length == 0x80:
            if not tag & _CONSTRUCTED:
                raise _DamagedError
            return tag, None
        if length > 0x80:
            size = length - 0x80
            digits = self._octets[self._at : self._at + size]
            if size > _MAX_LENGTH_OCTETS or len(digits) < size:
                raise _DamagedError
            self._at += size
            length = int.from_bytes(digits, "big")
        return tag, self._at + length

    def _bounded(self, stop: int) -> int:
        if stop > len(self._octets):
            self._whole = False
            return len(self._octets)
        return stop
