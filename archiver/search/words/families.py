"""Words that share a stem, as lines of text: in them the forms of a word are found without asking its neighbours.

A line is a stem and the words that have it, in order, with a space between; what a word has behind its stem is written
after a hyphen: `licht - -en -er gelicht`. A stem that one word alone has is no line, so only words that stand in lines
themselves, or alone, can be looked up here. Knows no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from archiver.search.words.stems import Stems


LANGUAGES = ("nl", "fr", "en", "de")
"""Those whose stems are known (ISO 639-1)."""


def name_of(languages: Iterable[str]) -> str:
    """Return what tells families by the stems of these languages from others, whatever their order."""
    return " ".join(sorted(set(LANGUAGES).intersection(languages)))


def families(words: Iterable[str], stems: Stems) -> Iterator[bytes]:
    """Give the lines of these different words, in order; only words of the letters a to z that can have forms."""
    pairs = [f"{stem} {word}".encode() for word in words if stems.has_forms(word) for stem in stems.all_stems(word)]
    pairs.sort()
    start = 0
    while start < len(pairs):
        length = pairs[start].index(b" ")
        beginning = pairs[start][: length + 1]
        end = start + 1
        while end < len(pairs) and pairs[end].startswith(beginning):
            end += 1
        if end - start > 1:
            yield beginning + b" ".join(_end_of(pair[length + 1 :], beginning[:-1]) for pair in pairs[start:end])
        start = end


def beginning_of(stem: str) -> str:
    """Return how the line of a stem begins, and no other."""
    return f"{stem} "


def members(line: str) -> list[str]:
    """Return the words of a line."""
    stem, *ends = line.split(" ")
    return [stem + end[1:] if end[0] == "-" else end for end in ends]


def _end_of(word: bytes, stem: bytes) -> bytes:
    return b"-" + word[len(stem) :] if word.startswith(stem) else word
