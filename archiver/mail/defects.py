"""The stable list of what can be wrong with a message, and the collector that the parsers share.

Knows no mail: a defect names the kind of damage and where it is (a part's path, a field's name), never content.
"""

from __future__ import annotations

from archiver.model.message import Defect

CODES: dict[str, str] = {
    "header-missing": "there is no header field at all",
    "header-syntax": "lines in the header that are no fields were skipped, or the body begins without an empty line",
    "header-limit": "the header is larger than is read",
    "header-charset": "a field holds 8-bit octets that are not UTF-8; they were read as Windows-1252",
    "header-word": "an encoded-word (RFC 2047) does not decode as it claims; undecodable octets were replaced",
    "address-syntax": "an address field was recovered or kept as it stands",
    "address-limit": "there are more addresses than are kept",
    "date-syntax": "the Date field cannot be read",
    "date-range": "the Date field lies outside 1970 to 2100",
    "content-type": "a Content-Type cannot be read; the part was taken for plain text",
    "boundary-missing": "a multipart without its boundary; it was taken for text",
    "multipart-unclosed": "a multipart ends without its closing boundary: the message may be cut off",
    "part-limit": "there are more parts than are listed",
    "depth-limit": "parts are nested deeper than is read",
    "transfer-encoding": "a part's transfer encoding is unknown, or does not decode as it claims",
    "charset-unknown": "a part names a charset that nobody knows; UTF-8 or Windows-1252 was taken",
    "charset-wrong": "a text does not decode in the charset that it claims; another was taken or octets were replaced",
    "text-limit": "there is more text than is kept for searching",
    "html-limit": "the HTML is larger than is read",
    "tnef": "a winmail.dat (TNEF) is damaged; what could be listed is listed",
    "uuencode": "a uuencoded block is damaged",
    "smime-encrypted": "this is encrypted (S/MIME), and archiver has no key for it; its text cannot be searched",
    "smime-unread": "what was signed (S/MIME) is damaged, or wrapped in an unknown way; what could be read is searched",
    "attachment-encrypted": "an attachment needs a password or a key; its text cannot be searched",
    "attachment-damaged": "an attachment is damaged or cut off; what could be read of it is searched",
    "attachment-limit": "an attachment is larger, or holds more, than is read; its beginning is searched",
    "attachment-timeout": "reading an attachment took too long; what was read until then is searched",
    "attachment-memory": "reading an attachment took too much memory; what was read until then is searched",
    "attachment-crashed": "reading an attachment ended the process that read it; its text cannot be searched",
    "attachment-unsupported": "an attachment is in a format whose text cannot be read; its name is searched",
    "attachment-no-text": "a PDF shows images only (it was scanned, perhaps); there is no text to search",
    "attachment-failed": "a fault of archiver itself while reading an attachment; what was read before is searched",
    "parse-timeout": "reading the message took too long; only its header was read",
    "parse-memory": "reading the message took too much memory; only its header was read",
    "parse-crashed": "reading the message ended the process that read it; only its header was read",
    "parse-failed": "a fault of archiver itself while reading a piece of the message; that piece is missing",
}
"""code → what it means, in words for people. The detail of an attachment's defect is its part's path, behind it ">" and
numbers for members of containers, and after a space what kind of file it is."""

MAX_DEFECTS = 50
"""A message with more kinds of damage than this says no more."""

MAX_OF_ONE_CODE = 5
"""The same damage in more places than this is not listed again: it would leave no room for the rest."""


class Defects:
    """Collects each defect once, in the order found, at most MAX_DEFECTS and MAX_OF_ONE_CODE."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Defect, None] = {}

    def add(self, code: str, detail: str = "") -> None:
        """Note a defect; raises KeyError for a code that is not in CODES, so that a test finds it."""
        CODES[code]
        of_this_code = sum(1 for defect in self._found if defect.code == code)
        if len(self._found) < MAX_DEFECTS and of_this_code < MAX_OF_ONE_CODE:
            self._found[Defect(code, detail)] = None

    def found(self) -> tuple[Defect, ...]:
        """Return the defects in the order found."""
        return tuple(self._found)
