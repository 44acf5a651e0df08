"""All customers as one folded text, so that looking for a word costs as much as reading it once.

Knows where in the text a customer's values stand, and nothing of which find is the better one: that is
`archiver.core.customers.finding`. Made anew for each question, in a few milliseconds; nothing is kept.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from archiver.model.customer import Customer

FUZZY_FROM = 5
"""Letters of a word in which one may be wrong."""

_STROKED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ß": "ss"})
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_PUNCTUATION = {ord(c): None for c in " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}


class Wanted(Protocol):
    """What was typed, as far as it is looked for here; all folded."""

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, at least one."""
        ...

    @property
    def squeezed(self) -> str:
        """Its letters and digits, upper case."""
        ...

    @property
    def digits(self) -> str:
        """Its digits without zeros at the beginning."""
        ...

    @property
    def number(self) -> str:
        """The end of a telephone number; empty where it is none."""
        ...

    @property
    def parents(self) -> tuple[str, ...]:
        """The domain in it, and those that lies below."""
        ...


def fold(text: str) -> str:
    """Return text without case and accents."""
    return text.lower() if text.isascii() else _BEYOND_ASCII.sub(lambda run: _folded_run(run.group()), text.casefold())


@lru_cache(maxsize=1024)
def _folded_run(run: str) -> str:
    """Fold letters beyond ASCII; the same few stand in most names."""
    plain = unicodedata.normalize("NFKD", run).translate(_STROKED)
    return "".join(c for c in plain if not unicodedata.combining(c))


_WORD = 64
"""Letters up to which a text is taken for a word."""

_SOUNDS = (
    ("sch", "sk"), ("ph", "f"), ("ck", "k"), ("qu", "k"), ("c", "k"), ("x", "ks"), ("z", "s"), ("th", "t"), ("dt", "t"),
    ("ij", "i"), ("y", "i"), ("ie", "i"), ("ea", "e"), ("ei", "i"), ("eau", "o"), ("ou", "u"), ("oe", "u"), ("ae", "a"),
    ("ue", "u"), ("gh", "g"), ("w", "v"), ("h", ""),
)  # fmt: skip
_DOUBLED = re.compile(r"([a-z])\1+")


def sound(folded: str) -> str:
    """Return folded text nearly as Dutch, French and German are heard: Peeters and Pieters, Coppieters and Kopiters.

    Line ends and spaces stay, so that a text of many words is one call.
    """
    return _heard(folded) if len(folded) <= _WORD else _heard.__wrapped__(folded)


@lru_cache(maxsize=4096)
def _heard(folded: str) -> str:
    """Return what `sound` does; the same few words stand in most names."""
    for written, heard in _SOUNDS:
        folded = folded.replace(written, heard)
    return _DOUBLED.sub(r"\1", folded)


def findable(customer: Customer) -> str:
    """Return everything that can be found of a customer, a value a line."""
    parts = [
        customer.reference, customer.name, customer.city, customer.postal_code, customer.address, customer.vat or "",
        *customer.domains, *customer.licences, *customer.former_references,
    ]  # fmt: skip
    if "." in customer.name:
        parts.append(customer.name.replace(".", ""))
    for contact in customer.contacts:
        parts.append(contact.name)
        parts += contact.emails
        parts += contact.phones
        parts += contact.mobiles
    return "\n".join(parts)


class Haystack:
    """All customers as one folded text: looking for a word in it costs as much as reading it once.

    Says by place which customers are worth a closer look: all that can fit, and some that cannot.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = fold("\0".join(texts))
        self._each = self._text.split("\0")
        self._starts = _starts(self._each)

    @classmethod
    def sounding(cls, texts: Iterable[str]) -> Haystack:
        """Return a haystack of texts as they are heard."""
        return cls((sound(fold("\0".join(texts))),))

    def worth_a_look(self, wanted: Wanted) -> Iterable[int]:
        """Return the places of customers that may have the words, the number or the domain; no other can."""
        places = set(self._with_words(wanted))
        if wanted.number:
            places.update(_holding(self._text, self._starts, wanted.number))
        for parent in wanted.parents:
            places.update(_holding(self._text, self._starts, parent))
        if len(wanted.squeezed) >= 2 and (wanted.digits or not places):
            squeezed = self._text.translate(_PUNCTUATION)
            starts = _starts(squeezed.split("\0"))
            places.update(_holding(squeezed, starts, wanted.squeezed.lower()))
            if len(wanted.digits) >= 6:
                places.update(_holding(squeezed, starts, wanted.digits))
        return sorted(places)

    def _with_words(self, wanted: Wanted) -> Iterator[int]:
        longest = max(wanted.words, key=len)
        rest = [word for word in wanted.words if word != longest]
        begins = [re.compile(rf"(?<![^\W_]){re.escape(word)}") for word in wanted.words if len(word) < 3]
        for place in _holding(self._text, self._starts, longest):
            text = self._each[place]
            if all(word in text for word in rest) and all(begin.search(text) for begin in begins):
                yield place

    def nearly_fitting(self, wanted: Wanted) -> Iterable[int]:
        """Return customers who may have the longest word with one letter wrong; none if all words are short.

        One half of such a word is as it should be, at its beginning or its end, or the two letters in the middle are
        exchanged.
        """
        word = max(wanted.words, key=len)
        if len(word) < FUZZY_FROM or not word.isalpha() or wanted.number:
            return ()
        half = len(word) // 2
        exchanged = word[: half - 1] + word[half] + word[half - 1] + word[half + 1 :]
        anchored = re.compile(rf"(?<![^\W_]){word[:half]}|{word[half:]}(?![^\W_])|{exchanged}")
        places: set[int] = set()
        for part in (word[:half], word[half:], exchanged):
            places.update(_holding(self._text, self._starts, part))
        return sorted(place for place in places if anchored.search(self._each[place]))


def _starts(texts: Iterable[str]) -> list[int]:
    """Return where each of the texts begins when they are joined by one character, and where the next one would."""
    starts = [0]
    for text in texts:
        starts.append(starts[-1] + len(text) + 1)
    return starts


def _holding(text: str, starts: Sequence[int], part: str) -> Iterator[int]:
    """Yield the places of texts that hold a part, in order."""
    position = text.find(part)
    while position >= 0:
        place = bisect_right(starts, position) - 1
        yield place
        position = text.find(part, starts[place + 1])


def one_edit(one: str, other: str) -> bool:
    """Tell whether two words differ by one letter: another, one more, one less, or two neighbours exchanged."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    start = 0
    while start < len(one) and one[start] == other[start]:
        start += 1
    if one[start:] == other[start + 1 :] or one[start + 1 :] == other[start + 1 :]:
        return True
    exchanged = one[start + 1 : start + 2] + one[start : start + 1] + one[start + 2 :]
    return len(one) == len(other) and exchanged == other[start:]
