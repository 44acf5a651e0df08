"""Words in order, in compressed blocks of a database: which are there, and which begin so.

Blocks are read when a word may stand in them, all that one question takes by one statement, and kept. Where each begins
is known from the start. A block is searched as it is, as one text: cutting it into words takes as long as some ten
questions, and most blocks are asked once or twice. Knows the table `lexicon`, and nothing of what the words are for.
"""

# ruff: noqa: S608 - the statements are our own; numbers are bound

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from archiver.core.ports import Connection


_LAST = "\U0010ffff"
"""The last character: what begins so stands before its beginning with this."""

_AT_ONCE = 200
"""Blocks that are read by one statement."""

_WORDS_OF_A_BLOCK = 60
"""At least, but for the last of them: a word has 32 characters at most."""


class Lines:
    """Different words in order; `text` has a line feed before and after each, and is empty when there are none."""

    __slots__ = ("text",)

    def __init__(self, words: str) -> None:
        """Take words with a line feed between."""
        self.text = f"\n{words}\n" if words else ""

    def has(self, word: str) -> bool:
        """Say whether this is one of the words."""
        return f"\n{word}\n" in self.text

    def starting(self, start: str) -> list[str]:
        """Return the words that begin so, in order; all of them for nothing at all."""
        text, line = self.text, f"\n{start}"
        first = text.find(line)
        if first < 0:
            return []
        end = text.find("\n", text.rindex(line) + 1) if start else len(text) - 1
        return text[first + 1 : end].split("\n")


class Reader:
    """Reads blocks by their numbers, and keeps what it read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[int, Lines] = {}

    def read(self, numbers: Iterable[int]) -> dict[int, Lines]:
        """Return all blocks that were read, these among them."""
        known = self._known
        missing = list({number for number in numbers if number not in known})
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            sql = f"SELECT block, words FROM lexicon WHERE block IN ({marks})"
            for number, packed in self._connection.execute(sql, some):
                if isinstance(number, int) and isinstance(packed, bytes):
                    known[number] = Lines(zlib.decompress(packed).decode())
        return known


class Blocks:
    """The blocks of one kind: `firsts` are the first words of each, in order, and `numbers` name them."""

    def __init__(self, reader: Reader, firsts: Sequence[str] = (), numbers: Sequence[int] = ()) -> None:
        self._reader = reader
        self._firsts = firsts
        self._numbers = numbers
        self._text: str | None = None

    def places(self, words: Iterable[str]) -> list[tuple[str, int]]:
        """Return the block that each of some words stands in, if anywhere."""
        firsts, numbers = self._firsts, self._numbers
        return [(word, numbers[at - 1]) for word in words if (at := bisect_right(firsts, word))]

    def places_of(self, starts: Iterable[str]) -> list[tuple[str, int]]:
        """Return the blocks that words stand in that begin in one of these ways, in order for each."""
        firsts, numbers = self._firsts, self._numbers
        places: list[tuple[str, int]] = []
        for start in starts:
            at = max(0, bisect_right(firsts, start) - 1)
            while at < len(firsts) and (firsts[at] <= start or firsts[at].startswith(start)):
                places.append((start, numbers[at]))
                at += 1
        return places

    def known(self, words: Iterable[str]) -> set[str]:
        """Return those of some words that are here."""
        places = self.places(words)
        known = self._reader.read(number for _, number in places)
        return {word for word, number in places if known[number].has(word)}

    def starting(self, starts: Iterable[str]) -> list[str]:
        """Return the words that begin in one of these ways, none of which begins with another; in order for each."""
        places = self.places_of(starts)
        known = self._reader.read(number for _, number in places)
        return [word for start, number in places for word in known[number].starting(start)]

    def has_more_starting(self, start: str, most: int) -> bool:
        """Say whether more words begin so than this, as far as is known without reading: False may be wrong."""
        first = bisect_left(self._firsts, start)
        return bisect_left(self._firsts, start + _LAST, first) - first > most // _WORDS_OF_A_BLOCK + 1

    def text(self) -> str:
        """Return all words in order, a line feed before and after each."""
        if self._text is None:
            known = self._reader.read(self._numbers)
            self._text = "\n" + "".join(known[number].text[1:] for number in self._numbers)
        return self._text


def outermost(starts: Collection[str]) -> list[str]:
    """Return these beginnings without those that begin with another of them."""
    found: list[str] = []
    for start in sorted(starts):
        if not found or not start.startswith(found[-1]):
            found.append(start)
    return found
