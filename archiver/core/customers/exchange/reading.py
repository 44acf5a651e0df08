"""What reading a file of customers gives, whatever its format; and how its octets become text."""

from __future__ import annotations

import codecs

from msgspec import Struct

from archiver.model.customer import Customer


class Problem(Struct, frozen=True, order=True):
    """Something in a file that cannot be taken in: `line` counts from 1, `column` is as the file calls it.

    `reason` says why and, where it can, what to write instead; it never repeats the value. `column` is empty where the
    whole line is meant.
    """

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        """Render as one line for people."""
        return f"line {self.line}, {self.column}: {self.reason}" if self.column else f"line {self.line}: {self.reason}"


class Entry(Struct, frozen=True):
    """A customer as a file has it, from `line` on; `columns` are the fields that the file says something about.

    These are fields of Customer ("name", "vat", "contacts", ...): what is filled in, and what is emptied on purpose.
    """

    customer: Customer
    line: int
    columns: frozenset[str]


class Reading(Struct, frozen=True):
    """The customers of a file that are right as a whole, in its order, and every problem with the others, by line."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def customers(self) -> tuple[Customer, ...]:
        """The customers without their places in the file."""
        return tuple(entry.customer for entry in self.entries)


def decoded(octets: bytes) -> str | Problem:
    """Return the text of a file written by whatever program, or why there is none.

    UTF-8 with or without byte order mark, UTF-16 with one or recognised by its zeros, and Windows-1252 where it is no
    UTF-8: the chance that a text with accents in that is valid UTF-8 is nil in practice. A file that is UTF-8 for the
    greater part is damaged: read as anything else, every accent in it would be wrong.
    """
    if octets.startswith(b"PK\x03\x04"):
        return Problem(1, "", "this is a workbook, not text: save it from the spreadsheet as CSV first")
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = octets.decode("utf-16", errors="replace")
    elif len(octets) >= 4 and octets[1] == 0 and octets[3] == 0 and octets[0] and octets[2]:
        text = octets.decode("utf-16-le", errors="replace")
    else:
        try:
            text = octets.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            likely = octets.decode("utf-8", errors="replace")
            wrong = likely.count("\ufffd")
            if sum(c > "\x7f" for c in likely) > 2 * wrong:
                line = 1 + octets[: error.start].count(b"\n")
                return Problem(line, "", "a character here is no UTF-8, as the others of the file are: save it again")
            text = octets.decode("cp1252", errors="replace")
    if "\x00" in text:
        return Problem(1 + text[: text.index("\x00")].count("\n"), "", "this is not a text file")
    return text
