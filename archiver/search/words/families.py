"""Words that belong together, as lines of text: those that share a stem, and those that have a word as a part.

In them forms and compounds of a word are found without asking its neighbours. A line begins with the stem or the part;
the words follow, with a space before each, and a hyphen for the stem or the part itself at their beginning or end:
`licht - -en ge-` is licht, lichten and gelicht, and `sleutel -bos auto-` sleutelbos and autosleutel. Knows no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archiver.search.words.compounds import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from archiver.search.words.stems import Stems

LANGUAGES = ("nl", "fr", "en", "de")
"""Those whose stems are known (ISO 639-1)."""

WITH_COMPOUNDS = frozenset({"nl", "de"})
"""Those that write compounds in one; without them no compounds are looked for."""


def name_of(languages: Iterable[str]) -> str:
    """Return what tells families by the stems of these languages from others, whatever their order."""
    return " ".join(sorted(set(LANGUAGES).intersection(languages)))


def families(words: Iterable[str], stems: Stems) -> Iterator[bytes]:
    """Give the lines of the stems of these words, in order; words of the letters a to z that can have forms.

    A stem that one word alone has is no line: only words that stand in lines themselves, or alone, can be looked up.
    """
    pairs = [f"{stem} {word}".encode() for word in words if stems.has_forms(word) for stem in stems.all_stems(word)]
    return (line for line, members in _lines(pairs) if members > 1)


def compounds(words: Sequence[str]) -> Iterator[bytes]:
    """Give the lines of the words that are parts of others among these, in order; words of the letters a to z."""
    known = set(words)
    return (line for line, _ in _lines([f"{part} {word}".encode() for word in words for part in parts_of(word, known)]))


def beginning_of(name: str) -> str:
    """Return how the line of a stem or a part begins, and no other."""
    return f"{name} "


def members(line: str) -> list[str]:
    """Return the words of a line."""
    name, *ends = line.split(" ")
    return [name + end[1:] if end[0] == "-" else end[:-1] + name if end[-1] == "-" else end for end in ends]


def _lines(pairs: list[bytes]) -> Iterator[tuple[bytes, int]]:
    """Give a line for each name, in order, and how many words are in it."""
    pairs.sort()
    start = 0
    while start < len(pairs):
        length = pairs[start].index(b" ")
        name, beginning = pairs[start][:length], pairs[start][: length + 1]
        end = start + 1
        while end < len(pairs) and pairs[end].startswith(beginning):
            end += 1
        yield beginning + b" ".join(_shortened(pair[length + 1 :], name) for pair in pairs[start:end]), end - start
        start = end


def _shortened(word: bytes, name: bytes) -> bytes:
    if word.startswith(name):
        return b"-" + word[len(name) :]
    return word[: -len(name)] + b"-" if word.endswith(name) else word
