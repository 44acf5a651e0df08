"""What must hold between queries whatever the mail is: folds of a word, quoting, AND, OR, NOT, parts of time."""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import QueryError
from archiver.model.fields import QUERY_FIELDS
from tests.property.oracle_cases import Asker, mailbox
from tests.twins.whoosh_oracle import World, world

_RANDOM = st.randoms(use_true_random=False)
_WORDS = (
    "contract", "licentie", "sleutel", "facture", "résilié", "Rechnung", "Verträge", "Schlüssel", "été", "één",
    "Straße", "Łódź", "Привет", "ﬁn",
)  # fmt: skip


@contextmanager
def _asked(random: Random) -> Iterator[tuple[World, Asker]]:
    mails = mailbox(random)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as indexed:
        yield indexed, Asker(random, mails)


_SILENT = frozenset(("odd word", "function word", "function word alone"))
"""Shapes that may be an article, which says nothing beside other words."""


def _query(asker: Asker, indexed: World) -> tuple[str, set[int]]:
    """Return a query that is not refused and has no articles, in parentheses, and what it finds."""
    while True:
        text = f"({asker.query()})"
        if not _SILENT.isdisjoint(asker.shapes):
            continue
        try:
            return text, indexed.matching(text)
        except QueryError:
            continue


@settings(max_examples=10)
@given(_RANDOM)
def test_a_word_is_found_by_every_way_to_write_it(random: Random) -> None:
    with _asked(random) as (indexed, _):
        for word in _WORDS:
            found = indexed.matching(f'"{word}"')
            wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)
            for form in ("NFC", "NFD", "NFKC", "NFKD"):
                assert indexed.matching(f'"{unicodedata.normalize(form, word)}"') == found
            for other in (word.upper(), word.swapcase(), wide):
                assert indexed.matching(f'"{other}"') == found, other
            bare = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
            assert indexed.matching(f'"{bare}"') == found
            assert found <= indexed.matching(f"subject:{word} OR {word}")


@settings(max_examples=10)
@given(_RANDOM)
def test_quotation_marks_never_find_more(random: Random) -> None:
    with _asked(random) as (indexed, _):
        for word in _WORDS:
            assert indexed.matching(f'"{word}"') <= indexed.matching(word)
            assert indexed.matching(f'"{word}"') <= indexed.matching(f"{word}*")


@settings(max_examples=10)
@given(_RANDOM)
def test_queries_combine_as_sets_do(random: Random) -> None:
    with _asked(random) as (indexed, asker):
        everything = indexed.matching("*")
        for _ in range(4):
            one, of_one = _query(asker, indexed)
            other, of_other = _query(asker, indexed)
            assert indexed.matching(f"{one} AND {other}") == of_one & of_other == indexed.matching(f"{other} {one}")
            assert indexed.matching(f"{one} OR {other}") == of_one | of_other == indexed.matching(f"{other} OR {one}")
            assert indexed.matching(f"NOT {one}") == everything - of_one
            assert indexed.matching(f"NOT (NOT {one})") == of_one
            assert indexed.matching(f"{one} -{other}") == of_one - of_other
            assert indexed.matching(f"NOT ({one} OR {other})") == indexed.matching(f"-{one} -{other}")
            assert indexed.matching(f"{one}^3 OR {other}") == of_one | of_other


@settings(max_examples=10)
@given(_RANDOM, st.dates())
def test_time_falls_into_parts(random: Random, day: object) -> None:
    with _asked(random) as (indexed, asker):
        asked, found = _query(asker, indexed)
        for date in (str(day), "2025-03", "2025-02-10", "2025", "yesterday", "maart 2025"):
            within = indexed.matching(f"{asked} date:({date})" if " " not in date else f'{asked} date:"{date}"')
            before = indexed.matching(f'{asked} date:"<{date}"')
            after = indexed.matching(f'{asked} date:">{date}"')
            assert before | within | after == found
            assert len(before) + len(within) + len(after) == len(found)
            assert indexed.matching(f'{asked} since:"{date}"') == within | after
            assert indexed.matching(f'{asked} until:"{date}"') == before | within


@settings(max_examples=3)
@given(_RANDOM)
def test_the_example_of_every_field_is_answered(random: Random) -> None:
    with _asked(random) as (indexed, _):
        for field in QUERY_FIELDS:
            for name in (field.name, *field.aliases):
                text = field.example.replace(f"{field.name}:", f"{name}:", 1)
                try:
                    assert indexed.matching(text) <= indexed.matching("*")
                except QueryError as error:  # the world has no such customer or mailbox: the query was understood
                    assert error.message.startswith("there is no such") or field.name == "saved"  # noqa: PT017
