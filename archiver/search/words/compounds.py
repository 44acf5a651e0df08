"""When a word is a part of a compound: `sleutel` and `licentie` of `licentiesleutel`, `Rechnung` of `Rechnungsnummer`.

Dutch and German write compounds in one, and English and French words occur in them, so this asks nothing about the
language of either word. Works on folded words. Knows a vocabulary only as the words that may be the other part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

SHORTEST_PART = 4
"""Letters of the shortest part that is looked for, and of what the rest must have."""

LONGEST_COMPOUND = 32
"""Letters of the longest compound."""

LINKS = ("", "s", "e", "n", "en", "er", "es", "ens")
"""What may stand between the parts."""

ENDINGS = ("", "s", "n", "en", "e", "es", "er", "ern")
"""Endings without which the last part may be in the vocabulary."""

PLURALS = ("en", "s", "n", "e")
"""Endings that a last part may have: contract, onderhoudscontracten."""

INFLECTED = 5
"""Letters of the shortest last part that may have such an ending."""

TELLING = 6
"""Letters of the shortest last part that makes a compound of nearly all words that end with it."""

_LOOKS_LIKE_A_WORD = 5
_VOWELS = frozenset("aeiouy")

_SHORT_PARTS = frozenset({
    "app", "btw", "bus", "dag", "dns", "ftp", "iban", "ict", "key", "lan", "log", "mfa", "pdf", "rsz", "sap", "sim",
    "sms", "sql", "ssl", "tag", "tva", "url", "usb", "ust", "vat", "vpn", "web", "xml",
})  # fmt: skip
"""Shorter words that compounds are made with; any others of three letters would be found in half of all words."""

_NO_PARTS = frozenset({
    "able", "ance", "aten", "atie", "atio", "baar", "chen", "ence", "ende", "ends", "eren", "erin", "ette", "haft",
    "heid", "heit", "ible", "ings", "ique", "isch", "isme", "iste", "keit", "less", "lich", "lijk", "ling", "loos",
    "ment", "ness", "sche", "ship", "tion", "ting", "ungs", "elijk", "heden", "ische", "ments", "schaft",
    "tions", "liche", "lichen", "licher", "heiten", "keiten", "inter", "trans", "super", "anti", "para", "mono",
})  # fmt: skip
"""Endings and beginnings that make words of others but are none, though mail holds them as tokens of their own."""


SHORTEST_REST = min(map(len, _SHORT_PARTS))


def _by(words: tuple[str, ...], at: int) -> dict[str, tuple[str, ...]]:
    """Group what is not empty by a letter: most texts need not be compared with any."""
    letters = {word[at] for word in words if word}
    return {letter: tuple(word for word in words if word and word[at] == letter) for letter in letters}


_LINKS_OF, _LINKS_BEFORE, _ENDINGS_OF = _by(LINKS, 0), _by(LINKS, -1), _by(ENDINGS, -1)


def is_compound(part: str, whole: str, known: Callable[[str], bool]) -> bool:
    """Say whether `whole` begins or ends with `part`, and the rest is a word of its own that is `known`.

    Both have the letters a to z only. Part and rest have SHORTEST_PART letters at least (some well-known shorter words
    count), a link of LINKS may stand between them, and what stands at the end may have an ending: a rest one of
    ENDINGS, a part of INFLECTED letters or more one of PLURALS. In front of a part of TELLING letters or more, the
    rest need not be known when it looks like a word: five letters, a vowel among them, no vowel or `e` at its end.
    """
    rests = rests_by_parts((part,))(whole)
    return rests is None or any(map(known, rests))


def rests_by_parts(parts: Iterable[str]) -> Callable[[str], Sequence[str] | None]:
    """Return what says, of a word, what the rest of it beside one of these parts could be, the likeliest first.

    A known one makes a compound of it; None says that it is one in any case. The rule is that of `is_compound`.
    """
    looked_for = [
        (part, len(part) + SHORTEST_REST, ends_of(part), _tells(part)) for part in parts if len(part) >= SHORTEST_PART
    ]
    begins = tuple(part for part, *_ in looked_for)
    every_end = tuple(end for _, _, ends, _ in looked_for for end in ends)

    def rests_of(whole: str) -> Sequence[str] | None:
        found: list[str] = []
        length = len(whole)
        if length > LONGEST_COMPOUND:
            return found
        if whole.startswith(begins):
            for part, least, _, _ in looked_for:
                if length >= least and whole.startswith(part):
                    found += rests_behind(whole[len(part) :])
        if whole.endswith(every_end):
            for _, least, ends, tells in looked_for:
                if length >= least and whole.endswith(ends):
                    for end in ends:
                        if whole.endswith(end):
                            rests = rests_before(whole[: -len(end)])
                            if tells and any(map(_looks_like_a_word, rests)):
                                return None
                            found += rests
        return found

    return rests_of


def parts_of(whole: str, known: AbstractSet[str]) -> set[str]:
    """Return all known words that `whole` is a compound of, as `is_compound` says with the same words known."""
    length = len(whole)
    if length > LONGEST_COMPOUND or length < SHORTEST_PART + SHORTEST_REST:
        return set()
    found = {
        part
        for end in range(SHORTEST_PART, length - SHORTEST_REST + 1)
        if (part := whole[:end]) in known and not known.isdisjoint(rests_behind(whole[end:]))
    }
    for end in (length, *(length - len(plural) for plural in PLURALS if whole.endswith(plural))):
        shortest = SHORTEST_PART if end == length else INFLECTED
        for start in range(SHORTEST_REST, end - shortest + 1):
            part = whole[start:end]
            if part in known and part not in found:
                rests = rests_before(whole[:start])
                if not known.isdisjoint(rests) or (_tells(part) and any(map(_looks_like_a_word, rests))):
                    found.add(part)
    return found


def ends_of(part: str) -> tuple[str, ...]:
    """Return how a compound may end of which this is the last part."""
    return (part, *(part + plural for plural in PLURALS)) if len(part) >= INFLECTED else (part,)


def _tells(part: str) -> bool:
    return len(part) >= TELLING and not part.endswith("tion")


def _looks_like_a_word(rest: str) -> bool:
    return len(rest) >= _LOOKS_LIKE_A_WORD and rest[-1] not in "aiouy" and not _VOWELS.isdisjoint(rest)


def rests_behind(text: str) -> list[str]:
    """Return what the last part could be when the text stands behind the first: links and endings taken off."""
    cut = [text, *(text[len(link) :] for link in _LINKS_OF.get(text[:1], ()) if text.startswith(link))]
    rests = []
    for behind in cut:
        if _may_be_part(behind):
            rests.append(behind)
        for ending in _ENDINGS_OF.get(behind[-1:], ()):
            if behind.endswith(ending) and _may_be_part(rest := behind[: -len(ending)]):
                rests.append(rest)  # noqa: PERF401 - a comprehension with both conditions is slower
    return rests


def rests_before(text: str) -> list[str]:
    """Return what the first part could be when the text stands in front of the last: links taken off."""
    rests = [text] if _may_be_part(text) else []
    for link in _LINKS_BEFORE.get(text[-1:], ()):
        if text.endswith(link) and _may_be_part(rest := text[: -len(link)]):
            rests.append(rest)  # noqa: PERF401
    return rests


def _may_be_part(text: str) -> bool:
    return text not in _NO_PARTS if len(text) >= SHORTEST_PART else text in _SHORT_PARTS
