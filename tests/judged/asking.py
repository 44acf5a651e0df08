"""The judged set taken in by archiver itself, and asked through the door that people use; and the figures of that.

Knows how to count. Reads nothing that decides what is found or in which order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from archiver import app
from archiver.cli.answers import SearchPage
from archiver.errors import QueryError
from archiver.model.customer import Customer
from archiver.model.search import Sort
from tests.judged.background import background
from tests.judged.mail import Letter, Question, letters
from tests.judged.people import FIRMS, OWN
from tests.labelled.filing import BOUNDS, archive_in, ask, import_mail

LOOKED_AT = 50
"""So many hits are looked at for the first right one; beyond, it counts as not found."""


@dataclass(frozen=True)
class Asked:
    """A question with what came of it: Message-IDs in their order, best first, and those that answer it.

    `said` is a suggestion that was followed, or what the program objected to.
    """

    question: Question
    right: frozenset[str]
    found: tuple[str, ...]
    said: str = ""

    def recall(self, most: int) -> float:
        """Return how much of what answers it is among the first so many."""
        return len(self.right & set(self.found[:most])) / len(self.right)

    @property
    def reciprocal_rank(self) -> float:
        """Return 1 over the place of the first that answers it, 0 when there is none."""
        return next((1 / place for place, found in enumerate(self.found, 1) if found in self.right), 0.0)


@dataclass(frozen=True)
class Figures:
    """Means over questions."""

    questions: int
    recall: float
    reciprocal_rank: float


def figures(asked: Sequence[Asked], *, most: int = 10) -> Figures:
    """Return the means: recall among the first `most`, and the reciprocal rank of the first that answers."""
    count = len(asked)
    return Figures(
        count,
        sum(each.recall(most) for each in asked) / count,
        sum(each.reciprocal_rank for each in asked) / count,
    )


def grouped(asked: Iterable[Asked], key: Callable[[Question], str]) -> Mapping[str, list[Asked]]:
    """Return them by kind or by language, in the order of the names."""
    groups: dict[str, list[Asked]] = {}
    for each in asked:
        groups.setdefault(key(each.question), []).append(each)
    return dict(sorted(groups.items()))


@dataclass(frozen=True)
class JudgedSet:
    """All mail of the set in the order in which it is taken in, and what answers each question."""

    questions: tuple[Question, ...]
    letters: tuple[Letter, ...]
    right: tuple[frozenset[str], ...]


def judged_set(questions: Sequence[Question], *, messages: int, around: Iterable[Letter] = ()) -> JudgedSet:
    """Make the mail of the questions among so many messages that have nothing to do with them, well mixed.

    `around` is further mail that answers nothing.
    """
    mail: list[Letter] = [*background(messages), *around]
    right = []
    for number, question in enumerate(questions):
        answers, near = letters(question, number)
        mail += answers + near
        right.append(frozenset(letter.message_id for letter in answers))
    Random(4).shuffle(mail)
    return JudgedSet(tuple(questions), tuple(mail), tuple(right))


class Judge:
    """An archive with a judged set in it, open for questions."""

    def __init__(self, judged: JudgedSet, search: Callable[..., SearchPage], subjects: Mapping[str, str]) -> None:
        self._judged = judged
        self._search = search
        self.subjects = subjects

    def ask(
        self, *, sort: Sort = "relevance", query: Callable[[Question], str] = lambda question: question.query
    ) -> list[Asked]:
        """Ask every question, as typed or as `query` puts it; a suggestion is followed where the label says so."""
        asked = []
        for question, right in zip(self._judged.questions, self._judged.right, strict=True):
            found, said = self._find(query(question), sort, follow=question.suggested)
            asked.append(Asked(question, right, found, said))
        return asked

    def _find(self, query: str, sort: Sort, *, follow: bool) -> tuple[tuple[str, ...], str]:
        try:
            page = self._search(query, limit=LOOKED_AT, sort=sort)
        except QueryError as error:
            return (), f"refused: {error}"
        if follow and page.suggestion:
            found, _ = self._find(page.suggestion, sort, follow=False)
            return found, f"suggested: {page.suggestion}"
        return tuple(item.summary.message_id or "" for item in page.items), "no suggestion" if follow else ""


@contextmanager
def taken_in(folder: Path, judged: JudgedSet) -> Iterator[Judge]:
    """Import the mail into a new archive with its customers, and open that; about 300 messages a second."""
    with archive_in(folder, domains=(OWN,)) as settings:
        import_mail(settings, folder, [letter.octets for letter in judged.letters])
        with app.change_customers(settings, ask=ask, command="customer import", bounds=BOUNDS) as editor:
            editor.import_([Customer(reference=f.reference, name=f.name, domains=(f.domain,)) for f in FIRMS])
        with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
            everything = archive.search("", limit=len(judged.letters)).items
            subjects = {item.summary.message_id or "": item.summary.subject for item in everything}
            yield Judge(judged, archive.search, subjects)


_WORD = re.compile(r"(?<!\S)([\w.'-]*\w)~?\d?(?!\S)")
_OPERATORS = {"AND", "OR", "NOT"}


def exactly(question: Question) -> str:
    """Return the query with every bare word in quotes: only what is written so is found."""
    return _WORD.sub(lambda m: m[0] if m[1] in _OPERATORS else f'"{m[1]}"', question.query)
