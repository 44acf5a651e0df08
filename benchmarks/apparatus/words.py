"""Vocabularies for synthetic archives of any size, the same for the same seed. Know nothing of mail.

`PlainWords` are random letters; what forms they have of each other is chance. `Words` look like those of four
languages and belong to none: stems with all their endings, and compounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
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
        drawn = random.choices(self.common, cum_weights=self.weights, k=length)
        for place in range(0, length, 2):
            drawn[place] = f"{random.choice(FUNCTION_WORDS)} {drawn[place]}"
        return " ".join(drawn)


def _zipf(words: int) -> list[float]:
    return list(accumulate(1.0 / (rank + 2.7) for rank in range(words)))


def _families(language: str, random: Random) -> list[Family]:
    onsets, vowels, codas = (each.split() for each in _SHAPES[language])

    def syllable() -> str:
        return random.choice(onsets) + random.choice(vowels) + random.choice(codas)

    stems = list(
        dict.fromkeys(
            "".join(syllable() for _ in range(random.choices((1, 2, 3), (3, 5, 1))[0])) for _ in range(_STEMS)
        )
    )
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
