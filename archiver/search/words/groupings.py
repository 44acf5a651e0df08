"""Other ways to write a number or a code: its digits and letters in other groups, or in one.

`BE0471938850` is `BE 0471.938.850`, `KX7-99ZT-520` is `KX799ZT520`, `1.250,00` is `1250`, `+32 475 12 34 56` is what
`0475 123456` dials (ITU-T E.123: a national number begins with 0, an international one does not). Punctuation is gone
when this is asked: a way is a run of tokens. Knows a vocabulary only as the tokens that there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

SHORTEST = 4
"""Characters of the shortest number that is written in other ways."""

LONGEST = 24
"""Characters of the longest: an IBAN has 22."""

MOST_GROUPS = 4
"""Groups of two characters or more, one letter at the end not counted."""

MOST_WAYS = 24
"""Other ways that are looked for: those of the fewest groups first, then in the order of the alphabet."""

_SHORTEST_CUT = 6
"""Characters of the shortest that is cut anywhere; a shorter one only where thousands are."""

_DIGIT = r"[0-9]"
_CODE = r"[a-z0-9]+"


def other_ways(words: Sequence[str], known: Callable[[str], bool]) -> tuple[tuple[str, ...], ...]:
    """Return the runs of `known` tokens that are the same number or code as these folded words; never these.

    That is when there is a digit among SHORTEST to LONGEST characters a to z and 0 to 9, and the run has the same
    characters in the same order: in one; in two to MOST_GROUPS groups of two characters or more, one of three among
    them, when there are _SHORTEST_CUT or more; the same with a single letter behind them; or in groups of three digits
    from the right. A `00` behind other digits may be missing, and so may one 0 in front of three digits or more.
    """
    joined = "".join(words)
    if not SHORTEST <= len(joined) <= LONGEST or not re.fullmatch(_CODE, joined) or not re.search(_DIGIT, joined):
        return ()
    ways = {way for meant in _meant(words, joined) for way in _ways(meant, known)}
    ways.discard(tuple(words))
    return tuple(sorted(ways, key=lambda way: (len(way), way))[:MOST_WAYS])


def _meant(words: Sequence[str], joined: str) -> Iterator[str]:
    yield joined
    if len(words) > 1 and words[-1] == "00" and joined.isdigit():
        yield joined[:-2]
    if re.fullmatch(r"0[1-9][0-9]{2,}", joined):
        yield joined[1:]


def _ways(text: str, known: Callable[[str], bool]) -> Iterator[tuple[str, ...]]:
    if known(text):
        yield (text,)
    if len(text) >= _SHORTEST_CUT:
        yield from (way for way in _cut(text, MOST_GROUPS, known) if max(map(len, way)) > 2)
        if text[-1].isalpha() and text[-2].isdigit() and known(text[-1]):
            before = [*_cut(text[:-1], MOST_GROUPS, known), *([(text[:-1],)] if known(text[:-1]) else [])]
            yield from ((*way, text[-1]) for way in before if max(map(len, way)) > 2)
    if text.isdigit() and len(text) >= SHORTEST:
        first = len(text) % 3 or 3
        way = (text[:first], *(text[at : at + 3] for at in range(first, len(text), 3)))
        if all(map(known, way)):
            yield way


def _cut(text: str, most: int, known: Callable[[str], bool]) -> Iterator[tuple[str, ...]]:
    """Yield the ways to cut a text into two to `most` known groups of two characters or more."""
    if most < 2:
        return
    for at in range(2, len(text) - 1):
        if known(text[:at]):
            if known(text[at:]):
                yield text[:at], text[at:]
            yield from ((text[:at], *rest) for rest in _cut(text[at:], most - 1, known))
