"""Whether a domain looks like another one without being it: a slip of the pen, or somebody who wants to pass for it.

For warnings and proposals only; no link ever hangs on likeness.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from archiver.core.linking.domains import ascii_domain

_SHORT = 4
"""Letters of a name below which one changed letter makes another name."""

_LONG = 8
"""Letters of a name from which two changed letters are still likeness."""

# Characters that are drawn like Latin letters, after Unicode TR39's idea of a skeleton; only what occurs in domains.
_DRAWN = str.maketrans(
    {
        "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "һ": "h", "і": "i", "ј": "j", "к": "k", "ӏ": "l", "м": "m",
        "н": "h", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t", "υ": "u", "ν": "v", "ѵ": "v", "ԝ": "w",
        "х": "x", "у": "y", "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ο": "o", "ρ": "p",
        "τ": "t", "χ": "x", "γ": "y", "ω": "w", "ı": "i", "ɡ": "g", "ɑ": "a", "ł": "l", "ø": "o", "đ": "d", "ß": "b",
        "0": "o", "1": "l", "3": "e", "5": "s", "8": "b", "-": "", "_": "",
    }
)  # fmt: skip
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("i", "l"))


def resembles(domain: str, other: str) -> bool:
    """Tell whether a domain looks like another that it neither is nor lies below.

    Alike are names with a letter or two changed, letters of another script, the other's name inside a longer one
    (`acme-be.com`, `notacme.be`, `acme.be.example`) and the same name under another suffix.
    """
    domain, other = ascii_domain(domain), ascii_domain(other)
    if not domain or not other or domain == other or domain.endswith(f".{other}") or other.endswith(f".{domain}"):
        return False
    if f".{other}." in f".{domain}" and "." in other:
        return True
    name, whole = _name(other), skeleton(domain)
    if len(name) < _SHORT:
        return whole == skeleton(other)
    mine = _name(domain)
    if any(name in label and len(label) <= 2 * len(name) for label in (mine, skeleton(domain.partition(".")[0]))):
        return True
    far = 1 if len(name) < _LONG else 2
    return abs(len(mine) - len(name)) <= far and _within(mine, name, far)


@lru_cache(maxsize=8192)
def skeleton(domain: str) -> str:
    """Return how a domain looks: letters of other scripts as the Latin ones they are drawn like, no accents."""
    labels = []
    for label in domain.split("."):
        shown = label
        if label.startswith("xn--"):
            try:
                shown = label.encode("ascii").decode("idna")
            except UnicodeError:
                shown = label
        plain = "".join(c for c in unicodedata.normalize("NFKD", shown.lower()) if not unicodedata.combining(c))
        drawn = plain.translate(_DRAWN)
        for pair, letter in _PAIRS:
            drawn = drawn.replace(pair, letter)
        labels.append(drawn)
    return ".".join(labels)


@lru_cache(maxsize=8192)
def _name(domain: str) -> str:
    """Return the telling label as it looks: `acme` of mail.acme.co.uk."""
    from archiver.core.linking.domains import registrable

    registered = registrable(domain) or domain
    return skeleton(registered.partition(".")[0])


@lru_cache(maxsize=8192)
def _letters(name: str) -> frozenset[str]:
    return frozenset(name)


def _within(one: str, other: str, far: int) -> bool:
    """Tell whether at most `far` letters are changed, added, left out or swapped with their neighbour."""
    if one == other:
        return True
    # A letter that is changed brings one and takes one away, so most names are told apart by their letters alone.
    if len(_letters(one) ^ _letters(other)) > 2 * far:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if earlier and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > far and min(before) > far:
            return False
    return row[-1] <= far
