"""What messages turned out to be when they were read again: a later release tells a language, reads more attachments.

Knows the columns that such a reading may change, and writes only what did: an archive of 250,000 messages is read again
whenever its index is built anew, nearly always with nothing new to say.
"""

from __future__ import annotations

from collections.abc import Mapping

from archiver.model.message import Message
from archiver.store.connection import StoreConnection
from archiver.store.linked import integer, marks, pieces
from archiver.store.numbers import Numbers

_Defects = list[tuple[str, str]]


def note_readings(
    connection: StoreConnection, numbers: Numbers, readings: Mapping[int, Message], *, unreadable: str
) -> None:
    """Make language and defects of these messages what the readings say, in one transaction.

    Rows that are gone are left out, and so are those with the defect `unreadable`.
    """
    before = _kept(connection, readings)
    languages: dict[int, str | None] = {}
    defects: dict[int, _Defects] = {}
    for row, (language, known) in before.items():
        if any(code == unreadable for code, _ in known):
            continue
        found = [(defect.code, defect.detail) for defect in readings[row].defects]
        if found != known:
            defects[row] = found
        if readings[row].language != language:
            languages[row] = readings[row].language
    if not (languages or defects):
        return
    with connection.transaction():
        connection.execute_many(
            "UPDATE messages SET language = ? WHERE row = ?",
            [(None if code is None else numbers.term(code), row) for row, code in languages.items()],
        )
        connection.execute_many("DELETE FROM defects WHERE row = ?", [(row,) for row in defects])
        connection.execute_many(
            "INSERT INTO defects VALUES (?,?,?,?)",
            [
                (row, position, numbers.term(code), detail)
                for row, each in defects.items()
                for position, (code, detail) in enumerate(each)
            ],
        )


def _kept(connection: StoreConnection, rows: Mapping[int, Message]) -> dict[int, tuple[str | None, _Defects]]:
    """Return the language and the defects that are kept of each message that is there."""
    kept: dict[int, tuple[str | None, _Defects]] = {}
    for some in pieces(rows):
        found = connection.execute(
            "SELECT m.row, t.text FROM messages m LEFT JOIN terms t ON t.id = m.language"  # noqa: S608 marks
            f" WHERE m.row IN ({marks(some)})",
            some,
        )
        kept.update((integer(row), (None if language is None else str(language), [])) for row, language in found)
        for row, code, detail in connection.execute(
            "SELECT d.row, t.text, d.detail FROM defects d JOIN terms t ON t.id = d.code"  # noqa: S608 marks
            f" WHERE d.row IN ({marks(some)}) ORDER BY d.row, d.position",
            some,
        ):
            kept[integer(row)][1].append((str(code), str(detail)))
    return kept
