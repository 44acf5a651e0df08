"""Cells of a CSV file between this program and spreadsheets: what these would calculate, and what they would change.

A cell that begins with = + - @ or a control character is a formula to a spreadsheet, which may fetch and run things
(OWASP, "CSV injection"). Such a cell is written with an apostrophe before it, which reading takes off again, so that a
round trip changes nothing. Telephone numbers in E.164 begin with + and can do no harm: they stay as they are. For
Excel, numbers that it would change (`+32…`, `0012`, `1E5`, `3-12`) are written as `="…"`, which it shows as text. What
reading would take for damage done by a spreadsheet (`#N/A`, `1E+12`) and is meant so is guarded in the same ways.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_GUARDED = re.compile(r"^'+[=+\-@\t\r0-9#]")
_NUMBERS = re.compile(r"^\+[0-9]{5,17}(?:;ext=[0-9]+)?(?:\|\+[0-9]{5,17}(?:;ext=[0-9]+)?)*$")
_WRAPPED = re.compile(r'^="((?:[^"]|"")*)"$', re.DOTALL)
_CHANGED = re.compile(
    r"^[+(]?[0-9]|^(?:jan|feb|fe[bv]|m[aä]r|mrt|a[pv]r|mai|may|mei|ju[nil]|ao[uû]|aug|sep|o[ck]t|nov|de[cz])[^\d]*\d",
    re.IGNORECASE,
)
_SPREADSHEET_ERROR = re.compile(r"^#(?:[A-Z/0]+[!?]?|#+)$")
_SHORTENED = re.compile(r"^[0-9]+[.,][0-9]+[eE][+-]?[0-9]+$|^[0-9]+[eE]\+[0-9]+$")
_PLAIN_NUMBER = re.compile(r"^[1-9][0-9]{0,9}$|^[0-9]$")


def bare_cell(cell: str) -> str:
    """Return what a cell says, without the marks that guard it from a spreadsheet, and without space around it."""
    plain = cell.strip()
    if _GUARDED.match(plain):
        return plain[1:].strip()
    if wrapped := _WRAPPED.match(plain):
        return wrapped[1].replace('""', '"').strip()
    return plain


def guarded_cell(value: str) -> str:
    """Return a cell that no spreadsheet calculates, and that `bare_cell` turns back into the value."""
    harmless = _NUMBERS.match(value) or not (_FORMULA.match(value) or _GUARDED.match(value) or damage(value))
    return value if harmless else f"'{value}"


def damage(cell: str, *, prose: bool = False) -> str | None:
    """Say what a spreadsheet did to the value of this cell, if it did; what is guarded is as somebody meant it.

    `prose` says that the cell is for words, where a number that was shortened is one by chance.
    """
    plain = cell.strip()
    if _SPREADSHEET_ERROR.match(plain):
        return "the spreadsheet wrote an error instead of a value"
    if not prose and _SHORTENED.match(plain):
        return "the spreadsheet shortened this number: give the column the format Text, and write it again"
    return None


def excel_cell(value: str, *, text: bool = True) -> str:
    """Return a cell that Excel neither calculates nor changes; `text` is False for prose, which it leaves alone."""
    if text and "\n" not in value and _CHANGED.match(value) and not _PLAIN_NUMBER.match(value):
        return '="' + value.replace('"', '""') + '"'
    return guarded_cell(value)
