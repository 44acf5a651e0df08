"""Text of RTF files, by striprtf, after what would take it long has been taken out.

striprtf looks for links and fonts by expressions that take time by the cube of what they look at: the instructions of
fields are renamed so that it sees no link, and the table of fonts is written anew. Pictures (most of an RTF's octets)
and binary data are removed, and what is left is read up to a size that it does in seconds.
"""

from __future__ import annotations

import re

from archiver.mail.attachments.bounds import DAMAGED, LIMIT, Sink, UnreadError

MAX_OCTETS = 16 << 20
MAX_LEFT = 1 << 20
"""Characters of RTF, without pictures, that are read."""

_BINARY = re.compile(rb"\\bin(\d{1,9}) ?")
_HEX = re.compile(rb"[0-9a-fA-F\s]{200,}")
_INSTRUCTION = re.compile(r"\\fldinst(?![a-z0-9])", re.IGNORECASE)
_FONT_TABLE = re.compile(r"\{[^{}]{0,200}\\fonttbl")
_BRACE = re.compile(r"[{}]")
_FONT = re.compile(r"\\f(\d{1,5})(?![0-9])")
_CHARSET = re.compile(r"\\fcharset(\d{1,3})(?![0-9])")
_KEPT = re.compile(r"(?:\\\*)?\\(?:header|footer)[lrf]?(?![a-z])|\\footnote(?![a-z])|(?:\\\*)?\\annotation(?![a-z])")
_MAX_FONTS = 200_000
"""Characters of the table of fonts that are looked at."""


def read_rtf(octets: bytes, out: Sink) -> None:
    """Write the text; headers, footnotes and comments included."""
    from striprtf.striprtf import rtf_to_text

    cut = len(octets) > MAX_OCTETS
    text = _HEX.sub(b" ", _without_binary(octets[:MAX_OCTETS])).decode("latin-1")
    cut = cut or len(text) > MAX_LEFT
    text = _INSTRUCTION.sub(r"\\fldinst1", text[:MAX_LEFT])
    # striprtf leaves these groups out; called by a name that is no destination, they are text like any other.
    text = _with_plain_fonts(_KEPT.sub(r"\\par\\sectd", text))
    out.allowance.tick()
    try:
        out.write(rtf_to_text(text, errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, KeyError, LookupError, TypeError, OverflowError):
        raise UnreadError(DAMAGED) from None
    if cut:
        raise UnreadError(LIMIT)


def _with_plain_fonts(text: str) -> str:
    """Write the table of fonts anew, each with its number and charset; raises UnreadError for one without end."""
    start = _FONT_TABLE.search(text)
    if start is None:
        return text
    depth = 1
    for brace in _BRACE.finditer(text, start.end(), start.end() + _MAX_FONTS):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            table = text[start.end() : brace.start()]
            fonts = [
                f"{{\\f{font[1]}\\fcharset{charset[1]} x;}}"
                for entry in table.split(";")[:2000]
                if (font := _FONT.search(entry)) and (charset := _CHARSET.search(entry))
            ]
            return f"{text[: start.start()]}{{\\fonttbl{''.join(fonts)}}}{_FONT_TABLE.sub('{', text[brace.end() :])}"
    raise UnreadError(DAMAGED)


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
