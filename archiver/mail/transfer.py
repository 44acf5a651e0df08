"""Content-Transfer-Encoding (RFC 2045 section 6) undone, tolerantly.

Knows base64, quoted-printable and uuencode as broken software writes them. Deliberately knows no charsets.
"""

from __future__ import annotations

import binascii
import re

_NOT_BASE64 = bytes(
    octet for octet in range(256) if octet not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
)
_WHITE = b" \t\r\n\x00"
_BASE64_LINES = rb"(?:[A-Za-z0-9+/=]*\r?\n)*"
_UU_BEGIN = rb"(?m)^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?$"

IDENTITY = frozenset(
    {"", "7bit", "8bit", "binary", "7-bit", "8-bit", "none", "7bits", "8bits", "us-ascii", "ascii", "plain"}
)


def decoded(body: bytes, encoding: str) -> tuple[bytes, bool]:
    """Undo a transfer encoding; return the octets and whether it decoded as it claimed.

    An unknown encoding leaves the octets as they are. Text that claims to be base64 and plainly is not is left, too.
    """
    name = encoding.strip().lower().split(";", 1)[0].split(" ", 1)[0].strip("\"'")
    if name in IDENTITY:
        return body, True
    if name in {"quoted-printable", "quotedprintable", "qp", "quoted"}:
        return binascii.a2b_qp(body), True
    if name in {"base64", "b64"}:
        return _base64(body)
    if name in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        block = uu_block(body, 0)
        return (block[3], block[4]) if block else (body, False)
    return body, False


def _base64(body: bytes) -> tuple[bytes, bool]:
    stripped = body.translate(None, _NOT_BASE64)
    strange = len(body) - sum(body.count(white) for white in _WHITE) - len(stripped)
    padding_last = stripped.find(b"=", 0, -2) < 0 and b"=" not in stripped[-2:].rstrip(b"=")
    if not strange and len(stripped) % 4 == 0 and padding_last:
        # Clean, as nearly all are. What decodes skips white space, and a large attachment is in memory once less.
        del stripped
        return binascii.a2b_base64(body), True
    if strange:
        # A footer that a mailing list wrote below the encoded text; or plain text all along.
        encoded = re.match(_BASE64_LINES, body)
        leading = encoded[0].translate(None, _NOT_BASE64) if encoded else b""
        if leading and len(leading) % 4 == 0:
            return _quads(leading.split(b"=", 1)[0]), False
        if (strange + body.count(b" ")) * 8 > len(stripped):
            return body, False
    core = stripped.rstrip(b"=")
    if b"=" not in core:
        return _quads(core), strange == 0 and len(core) % 4 != 1
    # Padding in the middle: encoded piece by piece, which is decoded piece by piece.
    pieces = re.split(rb"=+", core)
    if strange:
        return _quads(pieces[0]), False
    return b"".join(_quads(piece) for piece in pieces), True


def _quads(core: bytes) -> bytes:
    if len(core) % 4 == 1:
        core = core[:-1]
    return binascii.a2b_base64(core + b"=" * (-len(core) % 4))


def uu_block(body: bytes, position: int) -> tuple[int, int, str, bytes, bool] | None:
    """Find the next uuencoded block from `position`.

    Return (start, end, file name as written, decoded octets, whether it was whole), or None. A "begin" line whose next
    line does not decode is no block.
    """
    while (begin := re.compile(_UU_BEGIN).search(body, position)) is not None:
        pieces: list[bytes] = []
        at = begin.end() + 1
        whole = False
        while at < len(body):
            line_end = body.find(b"\n", at)
            line_end = len(body) if line_end < 0 else line_end
            line = body[at:line_end].rstrip(b"\r\n")
            if line in {b"end", b"===="}:
                at, whole = line_end + 1, True
                break
            piece = _uu_line(line) if len(line) < 200 else None
            if piece is None:
                break
            pieces.append(piece)
            at = line_end + 1
        if any(pieces):
            name = begin[1].decode("utf-8", "replace").strip()
            return begin.start(), min(at, len(body)), name, b"".join(pieces), whole
        position = begin.end()
    return None


def _uu_line(line: bytes) -> bytes | None:
    if not line or line == b"`":
        return b""
    length = (line[0] - 32) & 63
    if not 32 <= line[0] <= 96 or len(line) - 1 < length:
        return None
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some encoders count the octets of a last, unfinished group wrongly: take what the length says.
        try:
            return binascii.a2b_uu(line[: (length * 4 + 5) // 3 + 1])
        except binascii.Error:
            return None
