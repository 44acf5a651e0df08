"""What a person asked of `archiver search`: as one query, and as a command line that can be typed again.

Deliberately knows nothing of the query language beyond balanced parentheses and bare words: what the words mean is for
`archiver.search` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from archiver.cli.invocation import QueryTyped
from archiver.errors import QueryError, UsageError

if TYPE_CHECKING:
    from archiver.model.customer import CustomerRecord
    from archiver.model.search import Sort

LIMIT = 20
_QUOTES = frozenset('"“”„«»')
_BARE = r"[^\W_]+"
_OPERATORS = frozenset({"AND", "OR", "NOT"})


class Asked(Struct, frozen=True):
    """The words of a search and its options; `filters` and `command` are for a shell, `query` is for the archive."""

    words: Sequence[str] = ()
    limit: int = LIMIT
    offset: int = 0
    sort: Sort = "date"
    since: str | None = None
    until: str | None = None
    customer: str | None = None
    unlinked: bool = False
    threads: bool = False

    @property
    def typed(self) -> str:
        """The query as it was typed."""
        return " ".join(self.words)

    @property
    def everything(self) -> bool:
        """Whether nothing at all was asked for, and so every message."""
        return not self.typed.strip() and not self.filters

    @property
    def filters(self) -> Sequence[str]:
        """The options that leave messages out, as they are typed in a shell."""
        asked = [("--since", self.since), ("--until", self.until), ("--customer", self.customer)]
        return [
            *(f"{name} {_quoted(value)}" for name, value in asked if value is not None),
            *(["--unlinked"] if self.unlinked else []),
        ]

    def query(self, record: CustomerRecord | None) -> QueryTyped:
        """Return the whole query; `record` is the customer that was asked for. Raises UsageError for a bad date."""
        typed, terms = self.typed, self._terms(record)
        if not terms:
            return QueryTyped(typed, whole=typed)
        if not typed.strip():
            return QueryTyped("", shifted=-1, whole=" ".join(terms))  # any mistake is one of the terms
        if not _balanced(typed):
            # Unbalanced parentheses must be reported for what they are, not be closed by ours.
            return QueryTyped(typed, whole=" ".join([typed, *terms]))
        return QueryTyped(typed, shifted=1, whole=" ".join([f"({typed})", *terms]))

    def _terms(self, record: CustomerRecord | None) -> Sequence[str]:
        dates = [_date_term(field, value) for field, value in (("since", self.since), ("until", self.until)) if value]
        if "" in (self.since, self.until):
            raise _bad_date(None)
        return [
            *([f'customer:"{record.customer.reference}"'] if record is not None else []),
            *(["is:unlinked"] if self.unlinked else []),
            *dates,
        ]

    def fault(self, error: QueryError, query: QueryTyped) -> UsageError:
        """Return the error to tell: of the option where the mistake is in a date that was given as one."""
        dated = self.since is not None or self.until is not None
        return _bad_date(error) if dated and error.position - query.shifted > len(self.typed) else error

    def command(self, program: str, *, offset: int = 0) -> str:
        """Return the command line that asks this, for a shell; `program` is how archiver is called."""
        options = [
            *self.filters,
            *([f"--limit {self.limit}"] if self.limit != LIMIT else []),
            *([f"--sort {self.sort}"] if self.sort != "date" else []),
            *(["--threads"] if self.threads else []),
            *([f"--offset {offset}"] if offset else []),
        ]
        words = [_quoted(word) for word in self.words]
        if any(word.startswith("--") for word in self.words):
            return " ".join([f"{program} search", *options, "--", *words])
        return " ".join([f"{program} search", *words, *options])

    def with_query(self, query: str) -> Asked:
        """Return the same with another query; what our own options added to it is left out again."""
        terms = " ".join(word for word in query.split())
        whole = re.fullmatch(r"\((.*)\)( (?:customer:\"[^\"]*\"|is:unlinked|(?:since|until):\"[^\"]*\"))+", terms)
        text = whole[1] if whole is not None and self.filters else terms
        return replace(self, words=_shell_words(text), offset=0)

    def looser(self, ignored: Sequence[str] = ()) -> Iterator[tuple[Asked, str]]:
        """Yield other ways to look for the same, and what each does; words that were ignored make no difference."""
        words = [word for word in self.typed.split() if word not in ignored]
        if self.filters and words:
            names = " and ".join(each.partition(" ")[0] for each in self.filters)
            plain = Asked(words=self.words, limit=self.limit, sort=self.sort, threads=self.threads)
            yield plain, f"without {names}"
        bare, valued = _bare(words), _valued(words)
        if not (bare or valued) or len(words) > 6:
            return
        if len(bare) == len(words) > 1:
            yield replace(self, words=(" OR ".join(words),), offset=0), "any of the words"
        for ending, shortest, why in (("*", 3, "words that begin so"), ("~", 4, "words spelt nearly so")):
            loose = [*words]
            for at in (*bare, *valued):
                loose[at] += ending if len(words[at].rpartition(":")[2]) >= shortest else ""
            if loose != words:
                yield replace(self, words=loose, offset=0), why


def _bare(words: Sequence[str]) -> Sequence[int]:
    """Return where words stand that are no part of anything: those behind `since:last` may belong to the date."""
    from archiver.model.fields import FieldKind, field_named

    bare: list[int] = []
    in_date = False
    for at, word in enumerate(words):
        if not re.fullmatch(_BARE, word) or word in _OPERATORS:
            field = field_named(word.lstrip("(-").partition(":")[0]) if ":" in word else None
            in_date = field is not None and field.kind in {FieldKind.SINCE, FieldKind.UNTIL, FieldKind.DATE}
        elif not in_date:
            bare.append(at)
    return bare


def _valued(words: Sequence[str]) -> Sequence[int]:
    """Return where a field has one word for its value: `from:peeters`."""
    from archiver.model.fields import FieldKind, field_named

    valued: list[int] = []
    for at, word in enumerate(words):
        name, _, value = word.partition(":")
        field = field_named(name) if re.fullmatch(_BARE, value) else None
        if field is not None and field.kind is FieldKind.TEXT:
            valued.append(at)
    return valued


def _shell_words(query: str) -> Sequence[str]:
    """Return a query cut at spaces outside of quotes, so that a shell's own quoting stays short."""
    return re.findall(r'(?:"[^"]*"|[^\s"])+', query) if query.count('"') % 2 == 0 else [query]


def _date_term(field: str, value: str) -> str:
    if not value.strip() or _QUOTES.intersection(value):
        raise _bad_date(None)
    return f'{field}:"{value.strip()}"'


def _bad_date(error: QueryError | None) -> UsageError:
    hint = f"expected {error.expected}" if error and error.expected else "write it as 2026-03-31, 2026-03 or 2026"
    return UsageError("a date given with --since or --until cannot be understood", hint=hint)


def _balanced(query: str) -> bool:
    depth, quoted = 0, False
    for character in query:
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if depth < 0:
                return False
    return depth == 0 and not quoted


def _quoted(word: str) -> str:
    from shlex import quote

    return quote(word)
