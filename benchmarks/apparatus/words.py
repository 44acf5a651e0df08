"""Vocabularies for synthetic archives of any size, the same for the same seed. Know nothing of mail.

`PlainWords` are random letters; what forms they have of each other is chance. The others look like words of four
languages and belong to none. `Words` are stems with all their endings, and many compounds: more than real mail has.
`RealWords` have as many forms and compounds, and occur in as many messages, as words of real mail do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import log, log1p
from random import Random

_SHAPES = {
    "nl": (
        "b br d dr g gr h k kl kr l m n p pl r s sch st str t v vl w z zw",
        "a aa e ee i ie ij o oe oo u ui uu",
        "f g k l m n ng nk p r rk rm s st t",
    ),
    "fr": (
        "b br c ch cl d f fr g j l m n p pr qu r s t tr v",
        "a ai au e é eu i o oi ou u",
        "c l m n nt r rt s t v",
    ),
    "de": (
        "b bl d f fl g h k kr l m n pf r sch schl sp st t tr w z",
        "a ä au e ei eu i ie o ö u ü",
        "ch cht ck ft g hl l m n nd ng r rt st tz",
    ),
    "en": (
        "b bl c ch d dr f g h j l m n p pr r s sh st t th tr w",
        "a ai e ea ee i o oa oo ou u",
        "ck d ght l ld m n nd nt p r rd rt st t tch",
    ),
}
"""Beginnings, vowels and endings of syllables, by language."""
_ENDINGS = {
    "nl": ("", "en", "s", "t", "te", "ten", "er", "e", "ing", "ingen", "je", "jes"),
    "fr": ("", "s", "e", "es", "er", "ez", "ons", "ent", "é", "ée", "ées", "ation", "ations", "ement"),
    "de": ("", "e", "en", "er", "es", "t", "te", "ten", "ung", "ungen", "lich", "liche"),
    "en": ("", "s", "ed", "ing", "er", "ers", "ly", "ment", "ments"),
}
_COMPOUNDING = {"nl": ("", "s", "en"), "de": ("", "s", "en")}
FUNCTION_WORDS = (
    *("de", "het", "een", "van", "en", "in", "is", "op", "te", "dat", "die", "voor", "met"),
    *("le", "la", "les", "et", "des", "un", "une", "pour", "dans", "que"),
    *("der", "das", "und", "zu", "den", "mit", "für"),
    *("the", "and", "of", "to", "a", "on", "with", "we", "you"),
)
_LETTERS = "etaoinshrdlucmfwypvbgk"
_PLAIN = 120_000
_STEMS = 3_000
_COMPOUNDS = 80_000

_REAL_STEMS = 5_000
_REAL_COMPOUNDS = 36_000
_WITHOUT_FORMS, _MORE_FORMS, _LEADING = 0.0, 3.7, 500
_FORM_PLACE, _COMPOUND_PLACE, _ALONE_PLACE = 4_500, 12_000, 120_000
_SHARES = (
    (1, 0.98), (2, 0.63), (3, 0.44), (6, 0.37), (11, 0.26), (31, 0.19), (101, 0.107), (301, 0.058), (1_001, 0.0233),
    (3_001, 0.00735), (10_001, 0.00128), (20_001, 0.00039), (30_001, 0.00017), (50_001, 0.00006),
)  # fmt: skip
"""Places of words, the commonest first, and in which share of all messages such a word is."""


@dataclass(frozen=True)
class Family:
    """A stem with what it can be seen as; `compounds` are words that have it as a part."""

    language: str
    stem: str
    forms: tuple[str, ...]
    compounds: tuple[str, ...]


class PlainWords:
    """Some 117,000 words of 3 to 9 random letters; `common` and `weights` as in `Words`."""

    def __init__(self, seed: int = 20_250_101) -> None:
        random = Random(seed)
        drawn = ("".join(random.choices(_LETTERS, k=random.randint(3, 9))) for _ in range(_PLAIN))
        self.common = list(dict.fromkeys(drawn))
        self.weights = _zipf(len(self.common))

    def text(self, random: Random, length: int) -> str:
        """Draw words as they occur."""
        return " ".join(random.choices(self.common, cum_weights=self.weights, k=length))


class Words:
    """About 300,000 words with their forms and compounds.

    `common` has every word once, the commonest first, and `weights` add up by Zipf's law.
    """

    def __init__(self, seed: int = 20_250_101) -> None:
        random = Random(seed)
        families = [family for language in _SHAPES for family in _families(language, random)]
        random.shuffle(families)
        self.families = families
        # Inflections of a common stem are common, each by half as much as the one before; in what order, chance says.
        placed: dict[str, float] = {}
        for place, family in enumerate(families, 1):
            for order, form in enumerate(random.sample(family.forms, len(family.forms))):
                placed.setdefault(form, place * 2.0**order * random.uniform(1, 2))
            for compound in family.compounds:
                placed.setdefault(compound, place * 4 * random.paretovariate(0.7))
        self.common = sorted(placed, key=placed.__getitem__)
        self.weights = _zipf(len(self.common))

    def text(self, random: Random, length: int) -> str:
        """Draw words as they occur, and as many function words as people put between them."""
        return _with_function_words(random.choices(self.common, cum_weights=self.weights, k=length), random)


class RealWords:
    """About 250,000 words that occur, and have forms and compounds, as those of 17,964 real messages; as in `Words`.

    Read off those messages were: in which share of them the n-th commonest word is (_SHARES); how many forms and
    compounds a word has, by how common it is; and that most of these are rare however common the word is.
    """

    def __init__(self, seed: int = 20_250_101) -> None:
        random = Random(seed)
        stems = [(language, stem) for language in _SHAPES for stem in _stems(language, random, _REAL_STEMS)]
        random.shuffle(stems)
        placed: dict[str, float] = {}
        forms: list[tuple[str, ...]] = []
        for place, (language, stem) in enumerate(stems, 1):
            base, *others = _some_forms(stem, _ENDINGS[language], random)
            forms.append((base, *others))
            placed.setdefault(base, place * random.uniform(1, 2))
            for form in others:
                placed.setdefault(form, max(place, random.lognormvariate(log(_FORM_PLACE), 1.3)))
        compounds: list[list[str]] = [[] for _ in stems]
        many = [1.0 / (place + _LEADING) * random.paretovariate(1.3) for place in range(len(stems))]
        parts = [random.choices(range(len(stems)), many, k=_REAL_COMPOUNDS) for _ in ("first", "last")]
        for first, last in zip(*parts, strict=True):
            compound = stems[first][1] + random.choice(("", "", "s")) + random.choice(forms[last])
            compounds[last].append(compound)
            placed.setdefault(compound, random.lognormvariate(log(_COMPOUND_PLACE), 1.1))
        self.families = [
            Family(language, stem, family, tuple(dict.fromkeys(whole)))
            for (language, stem), family, whole in zip(stems, forms, compounds, strict=True)
        ]
        for word in PlainWords(seed + 1).common:  # names, abbreviations, mistakes: alike to nothing
            placed.setdefault(word, random.lognormvariate(log(_ALONE_PLACE), 1.6))
        self.common = sorted(placed, key=placed.__getitem__)
        self.weights = list(accumulate(-log1p(-share) for share in _shares(len(self.common))))

    def text(self, random: Random, length: int) -> str:
        """Draw words as they occur, and as many function words as people put between them."""
        return _with_function_words(random.choices(self.common, cum_weights=self.weights, k=length), random)


def _zipf(words: int) -> list[float]:
    return list(accumulate(1.0 / (rank + 2.7) for rank in range(words)))


def _with_function_words(words: list[str], random: Random) -> str:
    for place in range(0, len(words), 2):
        words[place] = f"{random.choice(FUNCTION_WORDS)} {words[place]}"
    return " ".join(words)


def _shares(words: int) -> Iterator[float]:
    """Give the share of messages that each word is in, the commonest first; between the points a power of its place."""
    for (start, high), (end, low) in pairwise((*_SHARES, (words + 1, _SHARES[-1][1] * (_SHARES[-1][0] / words) ** 2))):
        power = log(low / high) / log(end / start)
        yield from (high * (place / start) ** power for place in range(start, min(end, words + 1)))


def _some_forms(stem: str, endings: Sequence[str], random: Random) -> list[str]:
    """Return a stem with a few of its endings, often none but one."""
    kept = min(len(endings), 1 if random.random() < _WITHOUT_FORMS else 2 + int(random.expovariate(1 / _MORE_FORMS)))
    return [stem + ending for ending in random.sample(endings, kept)]


def _stems(language: str, random: Random, number: int) -> list[str]:
    onsets, vowels, codas = (each.split() for each in _SHAPES[language])

    def syllable() -> str:
        return random.choice(onsets) + random.choice(vowels) + random.choice(codas)

    return list(
        dict.fromkeys(
            "".join(syllable() for _ in range(random.choices((1, 2, 3), (3, 5, 1))[0])) for _ in range(number)
        )
    )


def _families(language: str, random: Random) -> list[Family]:
    stems = _stems(language, random, _STEMS)
    endings = _ENDINGS[language]
    compounds: dict[str, list[str]] = {stem: [] for stem in stems}
    if language in _COMPOUNDING:
        ranks = list(accumulate(1.0 / (rank + 20) for rank in range(len(stems))))
        for _ in range(_COMPOUNDS):
            first, last = random.choices(stems, cum_weights=ranks, k=2)
            link, ending = random.choice(_COMPOUNDING[language]), random.choice(endings[:3])
            compounds[last].append(first + link + last + ending)
    return [
        Family(language, stem, tuple(stem + ending for ending in endings), tuple(dict.fromkeys(compounds[stem])))
        for stem in stems
    ]


def misspelt(word: str, random: Random) -> str:
    """Leave a letter out, double one, or swap two, not at the beginning."""
    at = random.randrange(1, len(word) - 1)
    return random.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )
