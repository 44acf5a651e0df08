"""Sorted words in one text, a line each, and how to find those that begin so. Knows nothing of where they are kept.

A text of a page is searched as it is, by halves: cutting it into words takes as long as some ten such searches, and
most texts are asked once or twice. One that is asked more often is cut.
"""

from __future__ import annotations

from bisect import bisect_left

_OFTEN = 4
"""Times that a text is searched before it is cut into words."""

_LINE_FEED = ord("\n")


class SortedLines:
    """Different words in the order of their octets, each but the last with a line feed behind it."""

    __slots__ = ("_asked", "_lines", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._lines: list[bytes] | None = None
        self._asked = 0

    def has(self, word: bytes) -> bool:
        """Say whether this is one of the words; none is empty."""
        if (lines := self._cut()) is not None:
            at = bisect_left(lines, word)
            return at < len(lines) and lines[at] == word
        text, at = self.text, _at(self.text, word)
        end = at + len(word)
        return at < end and text.startswith(word, at) and (end == len(text) or text[end] == _LINE_FEED)

    def starting(self, start: bytes) -> list[bytes]:
        """Return the words that begin so, in order; all of them for nothing at all."""
        if (lines := self._cut()) is not None:
            at = end = bisect_left(lines, start)
            while end < len(lines) and lines[end].startswith(start):
                end += 1
            return lines[at:end]
        text = self.text
        at = _at(text, start)
        if not text.startswith(start, at) or not text:
            return []
        last = max(at, text.rfind(b"\n" + start, at) + 1)
        end = text.find(b"\n", last)
        return text[at : len(text) if end < 0 else end].split(b"\n")

    def _cut(self) -> list[bytes] | None:
        if self._lines is None:
            self._asked += 1
            if self._asked > _OFTEN and self.text:
                self._lines = self.text.split(b"\n")
        return self._lines


def _at(text: bytes, word: bytes) -> int:
    """Return where the first line begins that is not before this word."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        start = text.rfind(b"\n", low, middle) + 1 or low
        end = text.find(b"\n", middle, high)
        if end < 0:
            end = high
        if text[start:end] < word:
            low = end + 1
        else:
            high = start
    return low
