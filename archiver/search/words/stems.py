"""When two words are forms of one another, in Dutch, French, German and English.

Works on folded words, as the vocabulary has them: no accents, no case. What Snowball's stemmers (PyStemmer) leave
apart because accents are gone or because a language's verbs are beyond them is added by a few rules, each said here:

- Dutch: doubled vowels count as one (`lever`, `leveer`); a final -d or -t may be a verb's (`betaald`, `betaalt`);
- Dutch and German: `ge` in front, or behind a separable `aan`, `auf`, …, may be a participle's (`geliefert`);
- German: umlauts may be spelled out (`Vertraege`); a verb's endings and -ung are taken off (`liefern`, `Lieferung`);
- French: a final e may have been é (`résilié`, of which folding leaves `resilie`).

Knows no vocabulary: `same_word` is about two words and nothing else, and so can be asked of any two.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    _Stem = Callable[[str], str]
    Sought = tuple[str, int, set[str], list[str]]

SHORTEST = 4
"""Letters of the shortest word that has other forms: shorter ones are too much alike."""

LONGEST = 40
"""Letters of the longest word that is looked at; nothing that people write by hand is longer."""

MOST_APART = 6
"""By how many letters two forms of one word may differ in length."""

_RANGE = 6
"""Letters of a beginning that words are looked up by: with fewer a common one has thousands, and each further one is
more spellings to look for."""

_REMEMBERED = 20_000
"""Words whose roots are remembered."""

_SNOWBALL = {"nl": "dutch", "fr": "french", "en": "english", "de": "german"}
_SHORTEST_STEM = {"nl": 3, "fr": 3, "en": 3, "de": 4}
_APART = (
    "aan", "achter", "af", "bij", "door", "in", "mee", "na", "om", "op", "over", "terug", "toe", "uit", "voor", "weg",
    "ab", "an", "auf", "aus", "bei", "ein", "mit", "nach", "vor", "zu", "zuruck", "zurueck", "zusammen",
)  # fmt: skip
"""Dutch and German beginnings of verbs behind which a participle has its `ge`."""

_BECOMES = {"s": "z", "z": "s", "f": "v", "v": "f", "i": "y", "y": "i", "l": "u", "u": "l"}
"""What the last letter of a stem may become: huis, huizen; brief, brieven; company, companies; journal, journaux."""

_OF_NOUNS, _OF_ADJECTIVES = ("ation", "ations"), ("al", "als", "ale", "ales", "aux", "ally")

_LOST = dict.fromkeys(map(ord, "aeou"))
"""Letters that a root may have fewer of than its word: for str.translate, which takes them all away."""

_PARTICIPLE = rf"({'|'.join(sorted(_APART, key=len, reverse=True))}|)ge([a-z]{{3,}}(?:d|t|en))"

# Where Dutch would not write oe: it is one vowel there, and no two consonants of one syllable follow it.
_GERMAN = r"oe(?:s?ch|ck|ff|hn?|ll|mm|nn|pf|pp|rr|ss|tt|tz)|oe[a-z]+(?:ung|ungen|lich|liche[nrs]?|keit|heit)$"
_SPELLED = r"(?<![aeiou])([ao])e(?=[a-z])|(?<![aeioq])(u)e(?=[a-z])"


class Stems:
    """Forms of words in some languages; a language that is not among those four has only exact words."""

    def __init__(self, languages: Iterable[str]) -> None:
        self.languages = tuple(language for language in languages if language in _SNOWBALL)
        self._roots: dict[str, tuple[str, ...]] = {}

    def same_word(self, one: str, other: str) -> bool:
        """Say whether two folded words are the same word; symmetric, and true of a word and itself.

        They are when both are of SHORTEST letters a to z or more, they differ in length by at most MOST_APART, share a
        stem in one language, and begin alike for as many letters as that stem has (three at least). The last of these
        may have become another one (s and z, f and v, i and y, l and u), and what a participle has `ge` for, an umlaut
        spelled out and a vowel doubled do not count as beginning otherwise. A noun in -ation is no form of an adjective
        in -al (termination, terminal; generation, general).
        """
        return one == other or bool(self.forms_among(one, (other,)))

    def forms_among(self, word: str, others: Iterable[str]) -> list[str]:
        """Return those that are the same word and not this very one; made for many that mostly are not."""
        if not self.has_forms(word):
            return []
        sought = self.sought(word)
        firsts = tuple({start for _, _, starts, _ in sought for start in starts})
        # Most are told apart by how they begin but for vowels, which costs next to nothing; stems cost most. That is so
        # because a root has lost no other letters, or those of a participle.
        skeletons = tuple({start.translate(_LOST) for start in firsts})
        likely = (
            other
            for other in others
            if other.startswith(firsts) or other.translate(_LOST).startswith(skeletons) or "ge" in other
        )
        return self.forms_of(word, sought, likely)

    def forms_of(self, word: str, sought: Sequence[Sought], others: Iterable[str]) -> list[str]:
        """Return the same for a word that has forms and what is `sought` of it; made for others that mostly are."""
        shortest, longest = max(SHORTEST, len(word) - MOST_APART), min(LONGEST, len(word) + MOST_APART)
        return [
            other
            for other in others
            if shortest <= len(other) <= longest
            and other != word
            and self._has_one(other, sought)
            and self.has_forms(other)
            and not _are_strangers(word, other)
        ]

    def sought(self, word: str) -> list[Sought]:
        """Return the stems of a word, each with how so many letters of others' roots may be, and its languages."""
        languages: dict[str, list[str]] = {}
        for language, stems_of in self._ways.items():
            least = _SHORTEST_STEM[language]
            for stem in stems_of(word):
                if len(stem) >= least:
                    languages.setdefault(stem, []).append(language)
        roots = self.roots(word)
        return [(stem, max(3, len(stem)), self._starts(roots, stem), of) for stem, of in languages.items()]

    def _has_one(self, other: str, sought: Iterable[Sought]) -> bool:
        roots = self.roots(other)
        for stem, alike, starts, languages in sought:
            if other[:alike] in starts or (roots[1:] and any(root[:alike] in starts for root in roots)):
                for language in languages:
                    if stem in self._ways[language](other):
                        return True
        return False

    def has_forms(self, word: str) -> bool:
        """Say whether a word can have other forms at all."""
        return SHORTEST <= len(word) <= LONGEST and bool(self.languages) and word.isascii() and word.isalpha()

    def all_stems(self, word: str) -> set[str]:
        """Return the stems of a word in all languages together."""
        found = set()
        for least, stems_of in self._measured_ways:
            for stem in stems_of(word):
                if len(stem) >= least:
                    found.add(stem)
        return found

    def roots(self, word: str) -> Sequence[str]:
        """Return what a word may be seen to begin with: itself, without `ge`, with umlauts as they are folded."""
        if (known := self._roots.get(word)) is None:
            if len(self._roots) >= _REMEMBERED:
                self._roots.clear()
            known = self._roots[word] = self._roots_of(word)
        return known

    def _roots_of(self, word: str) -> tuple[str, ...]:
        doubled = "aa" in word or "ee" in word or "oo" in word or "uu" in word
        spelled = "ae" in word or "oe" in word or "ue" in word
        if not (doubled or spelled or "ge" in word):
            return (word,)
        roots = {word}
        if "ge" in word and self._has_participles and (match := re.fullmatch(_PARTICIPLE, word)):
            roots.add(match[1] + match[2])
            doubled = spelled = True
        if spelled and "de" in self.languages:
            roots |= {self._with_umlauts(root) for root in roots}
            doubled = True
        if doubled and "nl" in self.languages:
            roots |= {_single(root) for root in roots}
        return tuple(roots)

    def beginnings(self, word: str) -> set[str]:
        """Return how all words begin that could be the same word: each such word begins with one of these."""
        roots = self.roots(word)
        starts = {start[:_RANGE] for stem in self.all_stems(word) for start in self._starts(roots, stem)}
        found: set[str] = set()
        for start in starts:
            spellings = self._spellings(start)
            found |= spellings
            if self._has_participles:
                found.update([f"ge{spelling}" for spelling in spellings])
                for way, apart in _ways_apart().get(start[0], ()):
                    if start.startswith(way):
                        found.update([f"{apart}ge{spelling}" for spelling in self._spellings(start[len(way) :])])
                    elif way.startswith(start):
                        found.add(f"{apart}ge")
        return found

    def _starts(self, roots: Sequence[str], stem: str) -> set[str]:
        """Return how the root of a word with the same stem may begin, given the roots of this one."""
        letters = max(3, len(stem))
        starts = {root[:letters] for root in roots}
        return starts | {start[:-1] + _BECOMES[start[-1]] for start in starts if start[-1] in _BECOMES}

    def _spellings(self, start: str) -> set[str]:
        """Return how a beginning may be spelled in words of which it is a root: oe for o, aa for a, and so on."""
        doubles, umlauts = "nl" in self.languages, "de" in self.languages
        found = {""}
        for letter in start:
            ways = [letter]
            if umlauts and letter in "aou":
                ways.append(letter + "e")
            if doubles and letter in "aeou":
                ways.append(letter * 2)
            found = {spelling + way for spelling in found for way in ways}
        return found

    @property
    def _has_participles(self) -> bool:
        return "nl" in self.languages or "de" in self.languages

    def _with_umlauts(self, word: str) -> str:
        """Return the word as it would be folded if its umlauts had not been spelled out: `vertraege` → vertrage."""
        if self._is_dutch(word):
            return re.sub(_SPELLED, lambda m: m[0] if m[1] == "o" else (m[1] or m[2]), word)
        return re.sub(_SPELLED, lambda m: m[1] or m[2], word)

    def _is_dutch(self, word: str) -> bool:
        """Say whether the oe of a word is the Dutch vowel: `groeten` is not größer, nor `horen` what `hoeren` is."""
        return "oe" in word and "nl" in self.languages and not re.search(_GERMAN, word)

    def _german(self, stem: _Stem, word: str) -> Sequence[str]:
        """Stem a word, and what stays without a verb's ending or -ung: lieferte → liefer, arbeitet → arbeit."""
        roots = self.roots(word)
        if len(roots) == 1 and "oe" not in word:
            return (stem(word), _without_ending(word)) if len(word) >= _INFLECTED else (stem(word),)
        found = []
        for root in roots:
            if not self._is_dutch(root):
                found.append(stem(root))
                if root != word or len(root) >= _INFLECTED:
                    found.append(_without_ending(root))
        return found

    @cached_property
    def _ways(self) -> dict[str, Callable[[str], Sequence[str]]]:
        """What gives the stems of a word in each language, the likeliest first, some perhaps twice."""
        from Stemmer import Stemmer

        ways = {"nl": _dutch, "fr": _french, "de": self._german, "en": _english}
        return {each: partial(ways[each], Stemmer(_SNOWBALL[each], 0).stemWord) for each in self.languages}

    @cached_property
    def _measured_ways(self) -> list[tuple[int, Callable[[str], Sequence[str]]]]:
        """The same, each with the letters of the shortest stem."""
        return [(_SHORTEST_STEM[language], stems_of) for language, stems_of in self._ways.items()]


@lru_cache(maxsize=8)
def stems(languages: tuple[str, ...]) -> Stems:
    """Return the one Stems of these languages: making stemmers takes longer than using them."""
    return Stems(languages)


def same_word(one: str, other: str, languages: tuple[str, ...]) -> bool:
    """Say whether two folded words are forms of one word in one of these languages (ISO 639-1)."""
    return stems(languages).same_word(one, other)


def _are_strangers(one: str, other: str) -> bool:
    """Say whether one is a noun in -ation and the other an adjective in -al: their common stem is an accident."""
    return (one.endswith(_OF_NOUNS) and other.endswith(_OF_ADJECTIVES)) or (
        other.endswith(_OF_NOUNS) and one.endswith(_OF_ADJECTIVES)
    )


@lru_cache(maxsize=1)
def _ways_apart() -> dict[str, list[tuple[str, str]]]:
    """Return how a root may begin that lost the `ge` behind one of _APART, and which (`an` for aan and for an).

    They are by the first letter.
    """
    ways = {(re.sub(_SPELLED, lambda m: m[1] or m[2], f"{apart}t")[:-1], apart) for apart in _APART}
    ways.update((apart, apart) for apart in _APART)
    found: dict[str, list[tuple[str, str]]] = {}
    for way, apart in ways | {(_single(way), apart) for way, apart in ways}:
        found.setdefault(way[0], []).append((way, apart))
    return found


def _single(word: str) -> str:
    """Write doubled vowels once, as Dutch does in an open syllable: `jaar`, `jaren`."""
    return word.replace("aa", "a").replace("ee", "e").replace("oo", "o").replace("uu", "u")


def _dutch(stem: _Stem, word: str) -> Sequence[str]:
    """Stem a word, and what stays of it without a verb's -d or -t and without the `ge` of a participle."""
    found = [_single(stem(word))]
    if word[-1] in "dt" and len(word) >= _INFLECTED and (word[-2] != "e" or word[-3] == "e"):
        found += _single(word[:-1]), _single(stem(word[:-1]))
    if "ge" in word and (match := re.fullmatch(_PARTICIPLE, word)):
        whole = match[1] + match[2]
        bare = whole[:-1] if whole[-1] in "dt" else whole
        found += _single(bare), _single(stem(bare))
    return found


def _english(stem: _Stem, word: str) -> Sequence[str]:
    """Stem a word; one in -ery is also what was done with it: `delivery`, `delivered`."""
    if word.endswith(("ery", "eries")) and (match := re.fullmatch(_DEED, word)):
        return stem(word), stem(match[1])
    return (stem(word),)


_INFLECTED = 6
"""Letters of the shortest word whose last letters may be a verb's: `maart` is not `maar`."""

_DEED = r"([a-z]{3,}er)(?:y|ies)"
_ACCENTED = (("ees", "ées"), ("ee", "ée"), ("es", "és"), ("e", "é"))
_ENDINGS = ("ungen", "ung", "ten", "te", "n")
"""Of German verbs, and what is made of them; -t and -et are taken off by rules of their own."""


def _french(stem: _Stem, word: str) -> Sequence[str]:
    """Stem a word, and as it would be had its final e an accent."""
    if word[-1] in "es":
        for plain, accented in _ACCENTED:
            if word.endswith(plain):
                return stem(word), stem(word[: -len(plain)] + accented).replace("é", "e")
    return (stem(word),)


def _without_ending(word: str) -> str:
    """Take the ending of a German verb, or -ung, off a word."""
    if word[-1] == "t":
        if word[-2] != "e":
            return word[:-1]
        return word[:-2] if word.endswith(("tet", "det", "chnet", "ffnet")) else word
    if word[-1] in "egn":
        for ending in _ENDINGS:
            if word.endswith(ending):
                return word[: -len(ending)]
    return word
