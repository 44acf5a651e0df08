"""The passage of a text that shows a hit, and where in it the words are.

Knows the folding of `archiver.search.analysis`: a mark covers the characters as the message wrote them, however they
were folded. Works on one text at a time, for the hits that are shown; the index keeps no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from msgspec import Struct

from archiver.search.analysis import MAX_TOKEN, fold, tokens

WIDTH = 160
"""Characters of a snippet, about two lines of a terminal."""

_LOOKED_AT = 200_000
"""Characters of a text that are searched for the words."""

_FIRST = 3_000
"""Characters that are looked at before the rest."""

_FORM, _NEXT = 0.8, 0.25
"""What another form of a word counts in a window, and what is added where two words of the query are neighbours."""

_MANY = 500
"""Runs of characters beyond ASCII from which on a text is looked at word by word."""

_BEYOND = r"\?\?*"  # found more quickly than as one or more of them
_COMBINING = r"[\u0300-\u036f]"
_WORD = r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*"


class Snippet(Struct, frozen=True):
    """`text` on one line, white space collapsed; `marks` are (start, end) in it, ascending, not overlapping."""

    text: str
    marks: tuple[tuple[int, int], ...]


def snippet(text: str, terms: Sequence[str], *, width: int = WIDTH) -> Snippet:
    """Return the window of at most `width` characters that shows most of what was asked, the earliest of the best.

    `terms` are folded, as `Searcher.terms` gives them: words as typed first, then their other forms; one that ends in
    `*` is the beginning of a word. Different words of the query count more than one of them twice, words as typed more
    than their forms, and neighbours more than words apart. Without any term in the text it is the text's beginning. An
    ellipsis stands where text was left out.
    """
    concepts = _concepts(tuple(terms))
    if len(text) > _FIRST and len({concept for concept, _ in concepts.values()}) == 1:
        # Of one word, no place further on is better than the first where it stands as typed.
        flat = " ".join(text[:_FIRST].split())
        found = _marks(flat, terms)
        best, worth = _best(flat, found, concepts, width)
        if worth == 1.0 and found[best][1] + 2 * width < len(flat):
            return _cut(flat, found, best, width)
    flat = " ".join(text[:_LOOKED_AT].split())
    found = _marks(flat, terms)
    return _cut(flat, found, _best(flat, found, concepts, width)[0], width)


def _cut(flat: str, found: list[tuple[int, int, str]], best: int, width: int) -> Snippet:
    """Return the window in which the best of the marks is the first."""
    start = _start(flat, found, best, width)
    end = _back_to_space(flat, start, min(len(flat), start + width))
    before, after = ("…" if start else ""), ("…" if end < len(flat) else "")
    marks = ((s, e) for s, e, _ in found if s >= start and e <= end)
    moved = len(before) - start
    return Snippet(before + flat[start:end] + after, tuple((s + moved, e + moved) for s, e in marks))


def _back_to_space(flat: str, start: int, end: int) -> int:
    """End a window between words where there is a gap not far back."""
    if end >= len(flat) or flat[end] == " ":
        return end
    gap = flat.rfind(" ", start, end)
    return gap if gap > start + (end - start) * 3 // 4 else end


def _marks(flat: str, terms: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return (start, end, term) of every word that a term means; a word of several tokens is marked as a whole."""
    whole, beginnings = _asked(tuple(terms))
    if not whole and not beginnings:
        return []
    if flat.isascii():
        return sorted(_plain_marks(flat, flat.lower(), whole, beginnings))
    # Question marks stand where something is beyond ASCII, and nowhere else: an expression for that takes far longer.
    plain = flat.replace("?", " ").encode("ascii", "replace").decode("ascii")
    beyond = list(islice(re.finditer(_BEYOND, plain), _MANY))
    if len(beyond) < _MANY and not re.search(_COMBINING, "".join(flat[run.start() : run.end()] for run in beyond)):
        # Of a text with a few accents only the words that have them are looked at one by one.
        found = _marks_word_by_word(_words_at(flat, beyond), whole, beginnings)
        return sorted((*_plain_marks(flat, plain.lower(), whole, beginnings), *found))
    folded = fold(flat).lower()
    if not any(term.lower() in folded for term in (*whole, *beginnings)):  # so it is with most texts
        return []
    return _marks_word_by_word(re.finditer(_WORD, flat), whole, beginnings)


@lru_cache(maxsize=4)
def _asked(terms: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the terms that are words, and those that are the beginnings of words."""
    whole = frozenset(term for term in terms if not term.endswith("*"))
    return whole, tuple(term[:-1] for term in terms if term.endswith("*") and len(term) > 1)


@lru_cache(maxsize=4)
def _cores(whole: frozenset[str], beginnings: tuple[str, ...]) -> Sequence[str]:
    """Return the terms that have no other term within them: where one stands, a word with it may be meant."""
    cores: list[str] = []
    for term in sorted((*whole, *beginnings), key=len):
        if not any(core in term for core in cores):
            cores.append(term)
    return cores


def _marks_word_by_word(
    words: Iterable[re.Match[str]], whole: frozenset[str], beginnings: tuple[str, ...]
) -> list[tuple[int, int, str]]:
    meant: dict[str, list[tuple[int, str]]] = {}  # the same words come again and again, and few are meant
    runs: set[str] = set()
    found: list[tuple[int, int, str]] = []
    for match in words:
        word = match.group()
        if (places := meant.get(word)) is None:
            cut = [word.lower()[:MAX_TOKEN]] if word.isascii() else tokens(word)
            places = [
                (at, term) for at, token in enumerate(cut) if (term := _term(token, whole, beginnings)) is not None
            ]
            meant[word] = places
            if len(cut) == len(word):  # a run of characters that are a token each: mark those that are meant
                runs.add(word)
        if not places:
            continue
        if word in runs:
            found += [(match.start() + at, match.start() + at + 1, term) for at, term in places]
        else:
            found.append((match.start(), match.end(), places[0][1]))
    return _merged(found)


def _words_at(flat: str, runs: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """Yield the words that have one of these runs of characters within, in order; no mark of its own is among them."""
    word, end = re.compile(_WORD), 0
    for run in runs:
        at = run.start()
        while at < run.end():
            if at < end or not flat[at].isalnum():
                at += 1
                continue
            while at > end and flat[at - 1].isalnum():
                at -= 1
            match = word.match(flat, at)
            if match is None:
                break
            yield match
            at = end = match.end()


def _term(token: str, whole: frozenset[str], beginnings: tuple[str, ...]) -> str | None:
    """Return the term that means a token."""
    if token in whole:
        return token
    return next((f"{b}*" for b in beginnings if token.startswith(b)), None) if beginnings else None


def _plain_marks(
    flat: str, lower: str, whole: frozenset[str], beginnings: tuple[str, ...]
) -> Iterator[tuple[int, int, str]]:
    """Yield the same for words of ASCII letters and digits; `lower` has those in small letters, and "?" for others."""
    seen: set[int] = set()
    for core in _cores(whole, beginnings):
        start = lower.find(core)
        while start != -1:
            end = start + len(core)
            while end < len(flat) and flat[end].isalnum():
                end += 1
            while start and flat[start - 1].isalnum():
                start -= 1
            if start not in seen:
                seen.add(start)
                word = lower[start:end]
                if (meant := _term(word[:MAX_TOKEN], whole, beginnings)) and "?" not in word:
                    yield start, end, meant
            start = lower.find(core, end)


def _merged(found: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join marks of neighbouring single-character tokens only where they touch and mean the same."""
    return [mark for at, mark in enumerate(found) if at == 0 or mark[:2] != found[at - 1][:2]]


@lru_cache(maxsize=4)
def _concepts(terms: tuple[str, ...]) -> dict[str, tuple[str, float]]:
    """Return for each term the term that it is a form of, and what it counts.

    A form shares the beginning of a word that was typed, or has it within itself; anything else is a word by itself.
    All texts of a page are looked at for the same terms.
    """
    concepts: dict[str, tuple[str, float]] = {}
    for term in terms:
        plain = term.removesuffix("*")
        head = next((h for h, (c, _) in concepts.items() if h == c and _is_form(plain, h.removesuffix("*"))), term)
        concepts[term] = (head, 1.0 if head == term else _FORM)
    return concepts


def _is_form(word: str, typed: str) -> bool:
    shortest = max(4, len(typed) - 3)
    return len(typed) >= 4 and (word[:shortest] == typed[:shortest] or typed in word)


def _best(
    flat: str, found: list[tuple[int, int, str]], concepts: dict[str, tuple[str, float]], width: int
) -> tuple[int, float]:
    """Return the mark at which the best window begins, the earliest of them, and what it is worth."""
    best, best_worth = 0, 0.0
    if len(flat) <= width:
        return best, best_worth
    last = 0
    for first, (start, _, _) in enumerate(found):
        while last < len(found) and found[last][1] <= start + width * 3 // 4:
            last += 1
        worth = _worth(flat, found[first : max(last, first + 1)], concepts)
        if worth > best_worth + 1e-9:
            best, best_worth = first, worth
    return best, best_worth


def _start(flat: str, found: list[tuple[int, int, str]], best: int, width: int) -> int:
    if not found or len(flat) <= width:
        return 0
    # A quarter of the window stands in front of the first word, from the beginning of a word.
    start = max(0, min(found[best][0] - width // 4, len(flat) - width))
    gap = flat.find(" ", start, found[best][0])
    return 0 if start == 0 else (gap + 1 if gap != -1 else start)


def _worth(flat: str, inside: Sequence[tuple[int, int, str]], concepts: dict[str, tuple[str, float]]) -> float:
    """Say what a window shows: each word of the query once, as well as it is there, and more for neighbours."""
    best: dict[str, float] = {}
    near = 0.0
    for at, (start, _, term) in enumerate(inside):
        concept, counts = concepts[term]
        best[concept] = max(best.get(concept, 0.0), counts)
        if at and concepts[inside[at - 1][2]][0] != concept:
            between = flat[inside[at - 1][1] : start]
            near = max(near, _NEXT) if len(between) <= 2 and not between.strip(" -,'’") else near
    return sum(best.values()) + near
