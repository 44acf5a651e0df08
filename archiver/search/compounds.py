"""When a word is a part of a compound: `sleutel` and `licentie` of `licentiesleutel`, `Rechnung` of `Rechnungsnummer`.

Dutch and German write compounds in one, and English and French words occur in them, so this asks nothing about the
language of either word. Works on folded words. Knows a vocabulary only as the words that may be the other part.
"""

from __future__ import annotations

from collections.abc import Callable

SHORTEST_PART = 4
"""Letters of the shortest part that is looked for, and of what the rest must have."""

LONGEST_COMPOUND = 32
"""Letters of the longest compound."""

LINKS = ("", "s", "e", "n", "en", "er", "es", "ens")
"""What may stand between the parts."""

ENDINGS = ("", "s", "n", "en", "e", "es", "er", "ern")
"""Endings without which the last part may be in the vocabulary."""

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


def is_compound(part: str, whole: str, known: Callable[[str], bool]) -> bool:
    """Say whether `whole` begins or ends with `part`, and the rest is a word of its own that is `known`.

    Both have the letters a to z only. Part and rest have SHORTEST_PART letters at least (some well-known shorter words
    count), a link of LINKS may stand between them, and a rest at the end may have an ending of ENDINGS.
    """
    if len(part) < SHORTEST_PART or not len(part) < len(whole) <= LONGEST_COMPOUND:
        return False
    return (whole.startswith(part) and any(known(rest) for rest in rests_behind(whole[len(part) :]))) or (
        whole.endswith(part) and any(known(rest) for rest in rests_before(whole[: -len(part)]))
    )


def rests_behind(text: str) -> list[str]:
    """Return what the last part could be when the text stands behind the first: links and endings taken off."""
    cut = (text[len(link) :] for link in LINKS if text.startswith(link))
    return [
        rest
        for behind in cut
        for ending in ENDINGS
        if behind.endswith(ending) and _may_be_part(rest := behind[: len(behind) - len(ending)])
    ]


def rests_before(text: str) -> list[str]:
    """Return what the first part could be when the text stands in front of the last: links taken off."""
    return [rest for link in LINKS if text.endswith(link) and _may_be_part(rest := text[: len(text) - len(link)])]


def _may_be_part(text: str) -> bool:
    return (len(text) >= SHORTEST_PART and text not in _NO_PARTS) or text in _SHORT_PARTS
