"""Licence numbers and our own reference numbers, as they stand in subject and text.

A number is written as it was issued (`ABCD-1234-EFGH`), all in one (`ABCD1234EFGH`) or with other separators
(`abcd 1234 efgh`); digits alone (`1001`) say nothing unless a word before them tells what they are (`klantnr. 1001`).
A code found is written as its tokens with spaces between them, after `# ` if it counts behind such a word only; this is
the form of `Evidence.codes`, and every function here takes it as well as the code that a record holds.

Tokens are cut as `archiver.search.analysis` cuts them, so that the full-text index can tell where a code of a new
customer might stand in old mail (`search_phrases`). Deliberately knows no VAT numbers and no customers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, combinations

from archiver.core.linking import number_words
from archiver.model.message import Message

MIN_CODE = 4
"""Letters and digits a code must have to be looked for."""

BARE_DIGITS = 9
"""Digits from which a licence number of digits alone counts without a word before it."""

MAX_CODE = 64
"""Letters and digits beyond which a code is not looked for."""

REACH = 96
"""Tokens, however a text is cut, between a word that tells what a number is and that number: see `words_before`."""

_BETWEEN = f"{number_words.FILLERS} {number_words.COUNTERS} {number_words.PARTIES} {number_words.LABELS}"
_LABELLED = "# "
_BEFORE, _AFTER = REACH, 160  # characters looked at around the first digit of what might be a code
_GAP = 3  # characters that may stand between two pieces of a code
_LABEL_REACH = 3  # tokens that may lead from the label to the number, itself included
_FEW_CHANGES = 3  # changes between letters and digits up to which a code may be cut there
_FREELY_CUT = 6  # places up to which a code may be cut at any of them and not at others
_CERTAIN = 8  # letters and digits from which a code is recognised in any case over spaces

_DIGIT = re.compile(r"[0-9]")
_RUN = re.compile(r"[0-9][^\W_]*")
_CHANGE = re.compile(r"[0-9][0-9](?=[^0-9])|[^0-9](?=[0-9][0-9])")
_LETTERS = re.compile(r"[^\W\d_]*$")
_LAST = re.compile(r"[^\W_](?=[\W_]*$)")
_TOKEN = re.compile(r"[^\x00-/:-@\[-`{-\x7f]+")
_GAPS = re.compile(r"[\s\-._/:\\|*]+")
_WHITE = re.compile(r"\s")
_INVISIBLE = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_MARKS = re.compile(
    "[\u0300-\u0344\u0346-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)
_IDEOGRAPHS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_STROKED = str.maketrans(
    {
        "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ı": "i",
        "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ð": "d", "Ð": "D", "ŋ": "n", "Ŋ": "N",
        "ß": "ss", "ẞ": "SS", "\u0345": "ι", "€": "$", "£": "$",
    }
)  # fmt: skip
_ADDRESS = re.compile(r"@|://|^www\.|[a-z0-9]\.[a-z]{2,}/|[?&][a-z_]{1,20}=", re.IGNORECASE)
_WORD_START = re.compile(r"[^\s<>\"'()\[\]{},;]*$")
_WORD_END = re.compile(r"[^\s<>\"'()\[\]{},;]*")
_MONEY = re.compile(r"[$%]")


def is_part_of(code: str, other: str) -> bool:
    """Tell whether one code is a piece of another, so that finding the longer explains finding the shorter."""
    short, long = "".join(code_tokens(code)), "".join(code_tokens(other))
    return len(short) < len(long) and short in long


def code_tokens(code: str) -> tuple[str, ...]:
    """Return a code's tokens, canonical: without case, accents and punctuation (`K-10/01é` → k, 10, 01e)."""
    return tuple(token.lower() for token in _TOKEN.findall(_fold(code)))


@lru_cache(maxsize=16384)
def licence_code(licence: str) -> str | None:
    """Return how a licence number is written when it is found; None when it is too short or has no digit."""
    tokens = code_tokens(licence)
    return _written(tokens, labelled=len("".join(tokens)) < BARE_DIGITS)


@lru_cache(maxsize=16384)
def reference_code(reference: str) -> str | None:
    """Return how one of our numbers for a customer is written when it is found; None when it cannot be looked for."""
    return _written(code_tokens(reference), labelled=True)


def search_phrases(code: str) -> tuple[str, ...]:
    """Return phrases, tokens with a space between, of which at least one stands in every text where this code is found.

    They are for the full-text index, whose tokens are the same. Not every text with one of them holds the code.
    """
    return tuple(sorted(" ".join(pieces) for pieces in _spellings(code_tokens(code))))


def words_before(code: str) -> frozenset[str]:
    """Return words of which one stands before this code wherever it is found, at most REACH tokens away.

    None for a code that needs no such word. For the full-text index, as `search_phrases`.
    """
    if not code.startswith(_LABELLED):
        return frozenset()
    return _words(number_words.LABELS + number_words.PARTIES) | {"n"}


class CodeBook:
    """Looks for many codes at once in a message; `codes` as records hold them or as `found_in` writes them.

    A code of digits alone that does not say which kind it is (`# 123456789`) is taken for a licence number.
    """

    def __init__(self, codes: Iterable[str]) -> None:
        self._written: dict[str, dict[str, tuple[str, ...]]] = {}
        self._heads: dict[str, set[str]] = {}
        self._behind_words: set[str] = set()
        self._longest = 0
        anywhere: set[str] = set()
        for code in codes:
            written = code if code.startswith(_LABELLED) else licence_code(code)
            tokens = code_tokens(code)
            joined = "".join(tokens)
            if written is None or not _can_be_found(joined):
                continue
            self._written.setdefault(joined, {})[written] = tokens
            for head, tail in _anchors(tokens, joined):
                self._heads.setdefault(tail, set()).add(head)
                if written.startswith(_LABELLED):
                    self._behind_words.add(tail)
                else:
                    anywhere.add(tail)
            self._longest = max(self._longest, len(joined))
        self._behind_words -= anywhere

    def found_in(self, message: Message) -> tuple[str, ...]:
        """Return the codes in subject, own text and forwarded text, in order; quoted text is never looked at."""
        if not self._written:
            return ()
        found: set[str] = set()
        for text in (message.subject, message.text, message.forwarded_text):
            found.update(self._search(text))
        return tuple(sorted(found))

    def found_in_text(self, text: str) -> tuple[str, ...]:
        """Return the codes in one text, in order."""
        return tuple(sorted(set(self._search(text))))

    def _search(self, text: str) -> Iterator[str]:
        if not text.isascii():
            if not unicodedata.is_normalized("NFKC", text):
                text = unicodedata.normalize("NFKC", text)
            text = _INVISIBLE.sub(_unseen, text)
        heads, behind_words = self._heads, self._behind_words
        for run in _RUN.finditer(text):
            tail, at = run.group(), run.start()
            known = heads.get(tail)
            if known is None and (known := heads.get(tail.lower())) is None and tail.isascii():
                continue
            if known is not None and not self._may_follow(text, at, known):
                continue
            if tail in behind_words and not _word_before(text, at):
                continue
            yield from self._around(text, at)

    def _may_follow(self, text: str, at: int, heads: set[str]) -> bool:
        """Tell at a glance whether the letters right before a digit are those of a code."""
        before = text[at - 1 : at] if at else ""
        if not before.isalpha():
            nearest = _LAST.search(text, max(0, at - _GAP - 1), at)
            last = nearest.group() if nearest else ""
            return "" in heads or f" {last.lower()}" in heads or not last.isascii()
        letters = _LETTERS.search(text[max(0, at - MAX_CODE) : at])
        head = letters.group() if letters else ""
        return head.lower() in heads or not head.isascii()

    def _around(self, text: str, at: int) -> Iterator[str]:
        """Find the codes whose first digit stands at this place of a text."""
        start = max(0, at - _BEFORE)
        before = _fold(text[start:at])
        around = before + _fold(text[at : at + _AFTER])
        tokens = list(_TOKEN.finditer(around))
        if start > 0 and tokens and tokens[0].start() == 0:
            del tokens[0]  # perhaps only the end of one
        anchor = next((i for i, token in enumerate(tokens) if token.start() <= len(before) < token.end()), None)
        if anchor is None:
            return
        # Every code is looked for by itself: what is found of one must not hang on which others there are.
        for first, last, joined in self._windows(tokens, anchor):
            known = self._written.get(joined)
            if known is None:
                continue
            pieces = tuple(token.group().lower() for token in tokens[first : last + 1])
            place = _Place(around, tokens, first, last)
            for written, own in known.items():
                if pieces in _spellings(own) and place.holds(own, labelled=written.startswith(_LABELLED)):
                    yield written

    def _windows(self, tokens: list[re.Match[str]], anchor: int) -> Iterator[tuple[int, int, str]]:
        """Yield runs of near tokens of which the anchor is the first with a digit, as (first, last, joined)."""
        first, head = anchor, ""
        while True:
            last, joined = anchor, head + tokens[anchor].group().lower()
            while len(joined) <= self._longest:
                yield first, last, joined
                last += 1
                if last == len(tokens) or not _near(tokens[last - 1], tokens[last]):
                    break
                joined += tokens[last].group().lower()
            first -= 1
            if first < 0 or not _near(tokens[first], tokens[first + 1]):
                return
            piece = tokens[first].group().lower()
            if _digit_at(piece) is not None or len(head) + len(piece) > self._longest:
                return
            head = piece + head


class _Place:
    """A run of tokens that spells a code, and what stands around it in the text."""

    def __init__(self, text: str, tokens: list[re.Match[str]], first: int, last: int) -> None:
        self._text = text
        self._tokens = tokens
        self._first, self._last = first, last
        self._start, self._end = tokens[first].start(), tokens[last].end()

    def holds(self, own: tuple[str, ...], *, labelled: bool) -> bool:
        """Tell whether what stands around it lets it be this code."""
        joined = "".join(own)
        if self._in_address() or not self._plainly_written(joined):
            return False
        if joined.isdigit():
            return not self._in_number() and (not labelled or self._has_label())
        return not self._in_longer_code(own) and (len(joined) >= _CERTAIN or not self._is_a_thing())

    def _is_a_thing(self) -> bool:
        """Tell the number of a part or a room (`artikel nr. K1001`) from a customer's."""
        words = [token.group().lower() for token in self._tokens[max(0, self._first - 2) : self._first]]
        if words and words[-1] in _words(number_words.COUNTERS):
            words.pop()
        return bool(words) and words[-1] in _words(number_words.THINGS)

    def _in_address(self) -> bool:
        """Tell whether it is part of a URL or an e-mail address."""
        before, after = _WORD_START.search(self._text[: self._start]), _WORD_END.match(self._text[self._end :])
        word = (
            (before.group() if before else "") + self._text[self._start : self._end] + (after.group() if after else "")
        )
        return _ADDRESS.search(word) is not None

    def _plainly_written(self, joined: str) -> bool:
        """Tell a short code (`DE 1234`) from a word and a number (`de 1234`)."""
        written = self._text[self._start : self._end]
        return len(joined) >= _CERTAIN or _WHITE.search(written) is None or written == written.upper()

    def _in_longer_code(self, own: tuple[str, ...]) -> bool:
        """Tell whether more digits, or a group like the last, follow upon a hyphen: ours is a part of another code."""
        before, after = self._neighbour(-1), self._neighbour(+1)
        if before and before[0] in "-._" and _digit_at(before[1]) is not None:
            return True
        if not after or after[0] not in "-._":
            return False
        return _digit_at(after[1]) is not None or (len(own) > 2 and len(after[1]) == len(own[-1]))

    def _in_number(self) -> bool:
        """Tell whether digits stand right beside it: an amount, a telephone or an account number."""
        for side in (-1, +1):
            neighbour = self._neighbour(side)
            if not neighbour:
                continue
            if neighbour[0] in "-.,/+' " and _digit_at(neighbour[1]) is not None:
                return True
            if neighbour[0] in "-_/" and not self._is_said_of_it(side, neighbour[1]):
                return True
        near = self._text[max(0, self._start - 2) : self._start] + " " + self._text[self._end : self._end + 2]
        if _MONEY.search(near) or self._text[: self._start].endswith("+"):
            return True
        after = self._neighbour(+1)
        return after is not None and after[1].lower() in _words(number_words.UNITS)

    def _is_said_of_it(self, side: int, word: str) -> bool:
        """Tell a word that belongs to the sentence (`ref-1001`, `1001-dossier`) from a piece of a longer code."""
        if side > 0:
            return not word.isupper()
        return word.lower() in _words(number_words.LABELS + number_words.PARTIES + number_words.COUNTERS)

    def _has_label(self) -> bool:
        """Tell whether a word before it says what the number is, and none that it is something else."""
        between: list[str] = []
        words = [token.group().lower() for token in self._tokens[max(0, self._first - _LABEL_REACH) : self._first]]
        for at in range(len(words) - 1, -1, -1):
            word = words[at]
            if _digit_at(word) is not None or word in _words(number_words.OTHERS + number_words.UNITS):
                return False
            if word in _words(number_words.LABELS) or (word == "n" and at and words[at - 1] == "s"):
                return all(other in _words(_BETWEEN) for other in between)
            if word in _words(number_words.PARTIES) and all(
                other in _words(number_words.COUNTERS) for other in between
            ):
                return True
            between.append(word)
        return False

    def _neighbour(self, side: int) -> tuple[str, str] | None:
        """Return the one character between here and the next token, and that token; None when it is further away."""
        index = self._last + 1 if side > 0 else self._first - 1
        if not 0 <= index < len(self._tokens):
            return None
        token = self._tokens[index]
        gap = self._text[self._end : token.start()] if side > 0 else self._text[token.end() : self._start]
        return (gap, token.group()) if len(gap) == 1 else None


def _written(tokens: tuple[str, ...], *, labelled: bool) -> str | None:
    joined = "".join(tokens)
    if not _can_be_found(joined):
        return None
    return (_LABELLED if labelled and joined.isdigit() else "") + " ".join(tokens)


def _can_be_found(joined: str) -> bool:
    return MIN_CODE <= len(joined) <= MAX_CODE and joined.isascii() and _digit_at(joined) is not None


def _digit_at(token: str) -> int | None:
    found = _DIGIT.search(token)
    return found.start() if found else None


def _word_before(text: str, at: int) -> bool:
    """Tell at a glance whether one of the words before a number may say what it is."""
    labels, parties = _words(number_words.LABELS), _words(number_words.PARTIES)
    words = _TOKEN.findall(_fold(text[max(0, at - _BEFORE) : at]).lower())[-_LABEL_REACH:]
    return any(word in labels or word in parties or word == "n" for word in words)


def _near(left: re.Match[str], right: re.Match[str]) -> bool:
    if right.start() - left.end() > _GAP:
        return False
    return _GAPS.fullmatch(left.string, left.end(), right.start()) is not None


def _fold(text: str) -> str:
    """Strip accents and whatever is neither letter nor digit; case stays, ASCII punctuation too."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", _INVISIBLE.sub(_unseen, unicodedata.normalize("NFKC", text)))
    text = unicodedata.normalize("NFKC", _MARKS.sub("", text.translate(_STROKED)))
    return "".join(c if c.isascii() else _kept(c) for c in _IDEOGRAPHS.sub(" ", text))


def _kept(character: str) -> str:
    """Keep letters, vowel signs and digits; what is not shown is no part of a word, all else ends one."""
    category = unicodedata.category(character)
    return character if category[0] in "LNM" else "" if category == "Cf" else " "


def _unseen(match: re.Match[str]) -> str:
    return " " if match.group() == "\u200b" else ""


def _points(tokens: tuple[str, ...], joined: str) -> list[int]:
    """Return where a joined code may be cut: between its own tokens, or between letters and digits where those few."""
    own = list(accumulate(len(token) for token in tokens[:-1]))
    if len(tokens) > 2:  # whoever issued it cut it
        return own
    changes = [change.end() for change in _CHANGE.finditer(joined)]
    # A key that mixes letters and digits at random is never read out that way.
    return sorted({*own, *changes}) if len(changes) <= _FEW_CHANGES else own


def _groups(joined: str) -> Iterator[range]:
    """Yield the cuts into groups of one length, as people read long numbers out."""
    if len(joined) >= _CERTAIN:
        for size in (3, 4, 5) if joined.isdigit() else (4, 5):
            if len(joined) % size == 0:
                yield range(size, len(joined), size)


def _anchors(tokens: tuple[str, ...], joined: str) -> set[tuple[str, str]]:
    """Return what the first token with a digit may be, over all spellings: (letters before the digit, from it on).

    Where that token begins with the digit and is not the first, a space and the letter before it stand for the letters.
    """
    first = _digit_at(joined) or 0
    points = _points(tokens, joined)
    starts = [0, *(point for point in points if point <= first)]
    ends = [*(point for point in points if point > first), len(joined)]
    heads = {joined[start:first] or (f" {joined[start - 1]}" if start else "") for start in starts}
    anchors = {(head, joined[first:end]) for head in heads for end in ends}
    for cuts in _groups(joined):
        start = max((cut for cut in cuts if cut <= first), default=0)
        end = min((cut for cut in cuts if cut > first), default=len(joined))
        head = joined[start:first] or (f" {joined[start - 1]}" if start else "")
        anchors.add((head, joined[first:end]))
    return anchors


@lru_cache(maxsize=16)
def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


@lru_cache(maxsize=1024)
def _spellings(tokens: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """Return every way of cutting a code that counts as the same code."""
    joined = "".join(tokens)
    points = _points(tokens, joined)
    cuts: set[tuple[int, ...]] = {(), tuple(points)}
    if len(points) <= _FREELY_CUT:
        cuts.update(chosen for size in range(len(points)) for chosen in combinations(points, size))
    cuts.update(tuple(group) for group in _groups(joined))
    return frozenset(
        tuple(joined[start:end] for start, end in zip((0, *chosen), (*chosen, len(joined)), strict=True))
        for chosen in cuts
    )
