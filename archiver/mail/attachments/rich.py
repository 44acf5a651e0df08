"""Text of RTF files, by striprtf, after what would take it long has been taken out.

striprtf goes through its text by regular expressions that have no bound of time: pictures (most of an RTF's octets),
binary data and the fields of links are removed first, and what is left is read up to a size that it does in seconds.
"""

from __future__ import annotations

import re

from archiver.mail.attachments.bounds import DAMAGED, LIMIT, Sink, UnreadError

MAX_OCTETS = 16 << 20
MAX_LEFT = 1 << 20
"""Characters of RTF, without pictures, that are read."""

_BINARY = re.compile(rb"\\bin(\d{1,9}) ?")
_HEX = re.compile(rb"[0-9a-fA-F\s]{200,}")
_LINK = re.compile(r"HYPERLINK", re.IGNORECASE)
_FONT_TABLE = re.compile(r"\\fonttbl")
_KEPT = re.compile(r"(?:\\\*)?\\(?:header|footer)[lrf]?(?![a-z])|\\footnote(?![a-z])|(?:\\\*)?\\annotation(?![a-z])")
_MAX_FONTS = 20_000


def read_rtf(octets: bytes, out: Sink) -> None:
    """Write the text; headers, footnotes and comments included."""
    from striprtf.striprtf import rtf_to_text

    cut = len(octets) > MAX_OCTETS
    text = _HEX.sub(b" ", _without_binary(octets[:MAX_OCTETS])).decode("latin-1")
    cut = cut or len(text) > MAX_LEFT
    text = _LINK.sub("LINK", text[:MAX_LEFT])
    # striprtf leaves these groups out; called by a name that is no destination, they are text like any other.
    text = _KEPT.sub(r"\\par\\sectd", text)
    fonts = _FONT_TABLE.search(text)
    if fonts is not None and len(text) > _MAX_FONTS and text.find("}}", fonts.end(), fonts.end() + _MAX_FONTS) < 0:
        raise UnreadError(DAMAGED)  # a table of fonts without end
    out.allowance.tick()
    try:
        out.write(rtf_to_text(text, errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, KeyError, LookupError, TypeError, OverflowError):
        raise UnreadError(DAMAGED) from None
    if cut:
        raise UnreadError(LIMIT)


def _without_binary(octets: bytes) -> bytes:
    if b"\\bin" not in octets:
        return octets
    kept: list[bytes] = []
    at = 0
    while (found := _BINARY.search(octets, at)) is not None:
        kept.append(octets[at : found.start()])
        at = found.end() + int(found[1])
    kept.append(octets[at:])
    return b"".join(kept)
