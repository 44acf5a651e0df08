"""Text that is text already: plain, CSV, logs, JSON, HTML, XML, calendars, cards.

Knows charsets as far as a mark or a label tells them, and leaves encoded data out, whose letters nobody looks for.
"""

from __future__ import annotations

import re

from archiver.mail.attachments.bounds import DAMAGED, LIMIT, Sink, UnreadError
from archiver.mail.attachments.markup import texts_of_elements
from archiver.mail.charset import clean, decode, guess

MAX_OCTETS = 8 << 20
"""Octets of text that are decoded: much more than is kept."""

_DATA = re.compile(
    r"(?<![A-Za-z0-9+/_-])"  # a run of letters is looked at from its beginning only
    r"(?:(?:[A-Za-z0-9+/_-]{60,200}={0,2}\n[ \t]*){3,}"
    r"(?:[A-Za-z0-9+/_-]{24,200}={0,2}|[A-Za-z0-9+/_-]{1,23}={1,2})?|[A-Za-z0-9+/]{200,}={0,2})"
)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,80}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{2,40})")


def text_of(octets: bytes, charset: str | None) -> str:
    """Decode; a byte order mark tells more than the label does."""
    octets = octets[:MAX_OCTETS]
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if octets.startswith(mark):
            return octets.decode(name, "replace").removeprefix("\ufeff")
    return decode(octets, charset)[0] if charset else clean(guess(octets))


def read_plain(octets: bytes, charset: str | None, out: Sink) -> None:
    """Write a plain text, without blocks of encoded data."""
    text = text_of(octets, charset)
    out.write(without_data(text))
    if len(octets) > MAX_OCTETS:
        raise UnreadError(LIMIT)


def without_data(text: str) -> str:
    """Return the text without Base64 in lines or in one piece: embedded files, keys, certificates."""
    return _DATA.sub(" ", text) if len(text) > 180 else text


def read_html(octets: bytes, charset: str | None, out: Sink) -> None:
    """Write what a reader would see of an HTML file."""
    from archiver.mail.html import declared_charset, html_to_text

    text, whole = html_to_text(text_of(octets, charset or declared_charset(octets)))
    out.write(text)
    if not whole or len(octets) > MAX_OCTETS:
        raise UnreadError(LIMIT)


def read_xml(octets: bytes, charset: str | None, out: Sink) -> None:
    """Write the text of the elements (an electronic invoice, say); one that is not well-formed as it stands."""
    before = len(out.pieces)
    room = out.allowance.characters
    try:
        texts_of_elements((octets,), out)
    except UnreadError as problem:
        if problem.code != DAMAGED:
            raise
        del out.pieces[before:]
        out.allowance.characters = room
        named = _XML_ENCODING.match(octets)
        read_plain(octets, charset or (named[1].decode("ascii") if named else None), out)
        return
    out.pieces[before:] = [without_data("".join(out.pieces[before:]))]


def read_card(octets: bytes, charset: str | None, out: Sink) -> None:
    """Write the values of a vCard (RFC 6350), photographs and keys left out."""
    text = re.sub(r"\n[ \t]", "", text_of(octets, charset))
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        parameters = name.upper()
        key = parameters.partition(";")[0].rpartition(".")[2]
        if not colon or key in {"BEGIN", "END", "VERSION", "PHOTO", "LOGO", "SOUND", "KEY", "REV", "UID", "PRODID"}:
            continue
        if "QUOTED-PRINTABLE" in parameters:
            import quopri

            value = guess(quopri.decodestring(value.encode("latin-1", "replace")))
        shown = re.sub(r"\\([\\;,:nN])", lambda match: "\n" if match[1] in "nN" else match[1], value)
        out.write(" ".join(piece for piece in shown.split(";") if piece) + "\n")


def read_calendar(octets: bytes, charset: str | None, out: Sink) -> None:
    """Write a calendar's events as lines."""
    from archiver.mail.calendar import calendar_text

    out.write(calendar_text(text_of(octets, charset)))
