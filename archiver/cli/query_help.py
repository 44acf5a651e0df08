"""The query language as `archiver search --help` explains it: from the table that the parser itself uses.

Knows only in what order and under which headings people look for things; names, helps and examples are the table's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from archiver.model.fields import QUERY_FIELDS, FieldKind, QueryField

Rows = Sequence[tuple[str, str]]

_WORDS: Rows = (
    ("licence key", "both words, in whatever form, anywhere in the message"),
    ("'\"licence key\"'", "exactly these words next to each other (the shell needs the outer quotes)"),
    ("'\"licence key\"~3'", "near each other, in any order"),
    ("'licen*' '*key' 'li?ence'", "words that begin so, end so, have any letter there"),
    ("licenze~", "words spelt nearly so; ~2 for still further off"),
    ("invoice OR bill", "either; AND binds stronger, parentheses group"),
    ("-draft, NOT draft", "not this word"),
    ("'subject:(offer OR quote)'", "a field for several words"),
    ("offer^3 price", "the first word counts for more with --sort relevance"),
)
_EXAMPLES: Rows = (
    ("from:peeters subject:offerte since:2025", "their mail about offers, from 2025 on"),
    ("factuur type:pdf direction:outgoing", "invoices as PDF that we sent"),
    ("'\"licentie sleutel\"' customer:K1001", "these very words, in mail with one customer"),
    ("--threads --sort relevance backup fails", "the best conversation first"),
    ("--facets --limit 0 date:2025", "how much mail there was in 2025, with whom, of what kind"),
)
_HEADINGS: Sequence[tuple[str, frozenset[FieldKind]]] = (
    ("Where the words stand", frozenset({FieldKind.TEXT, FieldKind.DOMAIN})),
    ("When", frozenset({FieldKind.SINCE, FieldKind.UNTIL, FieldKind.DATE})),
    ("Whose", frozenset({FieldKind.CUSTOMER, FieldKind.CANDIDATE, FieldKind.CONTACT, FieldKind.STANDING})),
)
_OTHER = "What else"


def sections() -> Iterator[tuple[str, Rows]]:
    """Yield headings and what stands under each, as (what to type, what it means)."""
    yield "Words", _WORDS
    headed = frozenset[FieldKind]().union(*(kinds for _heading, kinds in _HEADINGS))
    for heading, kinds in _HEADINGS:
        yield heading, [_row(field) for field in QUERY_FIELDS if field.kind in kinds]
    yield _OTHER, [_row(field) for field in QUERY_FIELDS if field.kind not in headed]
    yield "Examples", [(f"archiver search {words}", why) for words, why in _EXAMPLES]


def _row(field: QueryField) -> tuple[str, str]:
    # Some helps name the values in their sentence.
    named = all(value in field.help for value in field.values)
    told = f"{field.help} ({', '.join(field.values)})" if field.values and not named else field.help
    return quote(field.example), told
