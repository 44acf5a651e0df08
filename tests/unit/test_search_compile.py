"""Each kind of leaf, compiled: what it finds in real databases, and what the plan is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from archiver.errors import QueryError
from archiver.search.compile import compile_query
from archiver.search.expansion import MOST_FORMS, Expansion
from archiver.search.names import CatalogueNames
from archiver.search.query.language import ANYWHERE
from archiver.search.query.language import tree_of as query
from archiver.search.words.vocabulary import MAX_EXPANSION
from tests.twins.whoosh_oracle import Mail, World, world

MARCH = 1_740_787_200  # 2025-03-01


def written(*bodies: str) -> list[Mail]:
    return [Mail(at=MARCH + n, body=body) for n, body in enumerate(bodies)]


def found(w: World, text: str) -> set[int]:
    return set(w.found(text))


def test_a_bare_word_finds_its_forms_and_compounds_and_a_quoted_one_itself(tmp_path: Path) -> None:
    mails = written("de licentie", "twee licenties", "een licentiesleutel", "de sleutel", "offerte")
    with world(tmp_path, mails) as w:
        assert found(w, "licentie") == {0, 1, 2}
        assert found(w, "sleutel") == {2, 3}
        assert found(w, '"licentie"') == {0}
        assert found(w, "-licentie") == {3, 4}
        assert found(w, "licenties sleutel") == {2}


def test_a_field_keeps_the_forms_of_its_word_in_its_columns(tmp_path: Path) -> None:
    mails = [Mail(at=MARCH, subject="licenties"), Mail(at=MARCH + 1, body="licenties")]
    with world(tmp_path, mails) as w:
        assert found(w, "subject:licentie") == {0}
        assert found(w, "body:licentie") == {1}


def test_a_phrase_with_slop_finds_its_words_in_any_order_within_its_stretch(tmp_path: Path) -> None:
    mails = written("alfa bravo", "alfa x bravo", "alfa x y bravo", "bravo x alfa", "alfa x y z bravo", "bravo alfa")
    with world(tmp_path, mails) as w:
        assert found(w, '"alfa bravo"') == found(w, '"alfa bravo"~1') == {0}
        assert found(w, '"alfa bravo"~2') == {0, 1, 3, 5}
        assert found(w, '"alfa bravo"~3') == {0, 1, 2, 3, 5}
        assert found(w, 'subject:"alfa bravo"~3') == set()


def test_the_words_of_a_phrase_with_slop_share_the_room_between_them(tmp_path: Path) -> None:
    """Three words and ~2: at most three tokens from the end of the first to the beginning of the last."""
    with world(tmp_path, written("a b x x c", "a x b x c", "a x x b x c")) as w:
        assert found(w, '"a b c"~2') == {0, 1}


def test_wildcards_stand_for_letters_anywhere_in_a_word(tmp_path: Path) -> None:
    with world(tmp_path, written("licentiesleutel", "sleutels", "sleutel", "lizenzschlüssel")) as w:
        assert found(w, "*sleutel") == {0, 2}
        assert found(w, "li?en*l") == {0, 3}
        assert found(w, "*sleutel*") == {0, 1, 2}
        assert found(w, "*niemand") == set()
        assert found(w, "-*niemand") == {0, 1, 2, 3}
        assert found(w, "*niemand OR sleutels") == found(w, "sleutels")


def test_near_words_are_found_within_their_distance(tmp_path: Path) -> None:
    with world(tmp_path, written("licentie", "licntie", "lcntie", "iets")) as w:
        assert found(w, "licentie~") == {0, 1}
        assert found(w, "licentie~2") == {0, 1, 2}


def test_sizes_kinds_of_files_languages_and_defects_come_from_the_catalogue(tmp_path: Path) -> None:
    mails = [
        Mail(at=MARCH, body="w", octets=1_000, types=("pdf",), language="nl", files=1),
        Mail(at=MARCH + 1, body="w", octets=5_000_000, types=("sheet", "pdf"), language="fr", defects=2),
        Mail(at=MARCH + 2, body="x", octets=2_000_000),
    ]
    with world(tmp_path, mails) as w:
        assert found(w, "size:>2M") == {1}
        assert found(w, "size:1k..2M") == found(w, "size:<=2M") == {0, 2}
        assert found(w, "type:pdf") == found(w, "w type:pdf") == {0, 1}
        assert found(w, "type:sheet OR language:nl") == {0, 1}
        assert found(w, "-type:pdf") == found(w, "-language:nl -language:fr") == {2}
        assert found(w, "w -type:sheet") == {0}
        assert found(w, "has:defect") == {1}
        assert found(w, "has:attachment") == {0}


def test_a_message_that_is_not_indexed_yet_has_no_kind_and_no_language(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="w", types=("pdf",))]) as w:
        w.connection.execute("DELETE FROM slots")
        assert found(w, "type:pdf") == set()
        assert found(w, "-type:pdf") == {0}


def test_a_contact_is_found_by_each_address_and_an_unknown_one_is_a_mistake(tmp_path: Path) -> None:
    mails = [
        Mail(at=MARCH, sender="An an@my-example.be"),
        Mail(at=MARCH + 1, cc="root@sub.example.be"),
        Mail(at=MARCH + 2, sender="An van elders an@elsewhere.test"),
    ]
    with world(tmp_path, mails) as w:
        assert found(w, "contact:an") == {0, 1}
        assert found(w, "-contact:an") == {2}
        with pytest.raises(QueryError, match="no such contact") as caught:
            w.found("word contact:nobody")
        assert caught.value.position == 13
        assert "Jan Peeters" in (caught.value.hint or "")
        assert "nobody" not in f"{caught.value} {caught.value.hint}"


def test_without_records_a_contact_is_an_address(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, sender="Jan jan@example.be")]) as w:
        names = CatalogueNames(w.connection, None, None, None)
        assert compile_query(query.Term("contact", "jan@example.be"), names).match is not None
        with pytest.raises(QueryError):
            compile_query(query.Term("contact", "jan"), names)


def test_the_largest_expansions_are_run_and_one_word_more_is_a_mistake_with_its_position(tmp_path: Path) -> None:
    """As many words as a wildcard may stand for, several times over, under every operator."""
    words = [f"woord{chr(97 + n // 676)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}" for n in range(MAX_EXPANSION + 1)]
    with world(tmp_path, written(" ".join(words[:-1]), "iets anders")) as w:
        wide = " ".join(["*oord*"] * 8)
        assert found(w, f"({wide}) OR ({wide}) OR subject:*oord*") == {0}
        assert w.found(wide, sort="relevance") == [0]
        assert found(w, "-*oord*") == {1}
        assert len(w.searcher.terms("*oord*")) == MAX_EXPANSION
        w.index.add([Mail(at=0, body=words[-1]).document((MARCH + 99) << 20)], 3)
        with pytest.raises(QueryError, match="too many words") as caught:
            w.found("iets *oord*")
        assert caught.value.position == 5
        assert "oord" not in str(caught.value)


def test_many_words_with_many_forms_are_one_flat_expression(tmp_path: Path) -> None:
    forms = " ".join(f"licentie{end}" for end in ("s", "sleutel", "sleutels", "code", "nummer", "beheer", "contract"))
    with world(tmp_path, written(f"licentie {forms} sleutel code nummer beheer contract")) as w:
        text = " OR ".join(["licentie"] * 190)
        assert found(w, text) == {0}
        assert w.found(text, sort="relevance") == [0]


def test_as_typed_leaves_forms_out_but_not_of_what_is_excluded(tmp_path: Path) -> None:
    class Forms:
        def variants(self, word: str) -> tuple[str, ...]:
            return (word + "s",)

        def compounds(self, word: str) -> tuple[str, ...]:
            return (word + "sleutel",)

        def beginning(self, start: str, most: int) -> tuple[str, ...] | None:
            return None

        def groupings(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
            return ()

        def fitting(self, leaf: query.MultiTerm) -> tuple[str, ...]:
            if isinstance(leaf, query.Wildcard):
                return ("gevonden", leaf.text.replace("*", "x"))
            return (leaf.text, leaf.text + "x" * leaf.maxdist)

    with world(tmp_path, []) as w:
        names = CatalogueNames(w.connection, None, None, None)
        tree = query.And([
            query.Variations(ANYWHERE, "a"), query.Wildcard("subject", "*b"), query.FuzzyTerm(ANYWHERE, "c", maxdist=2),
            query.Not(query.Variations(ANYWHERE, "d")),
        ])  # fmt: skip
        plan = compile_query(tree, names, Expansion(Forms))
        assert plan.match == (
            '((("a" OR "as" OR "asleutel") AND {subject} : ("gevonden" OR "xb") AND ("c" OR "cxx"))'
            ' NOT ("d" OR "ds" OR "dsleutel"))'
        )
        assert compile_query(tree, names, Expansion(Forms), as_typed=True).match == (
            '(("a" AND {subject} : ("gevonden" OR "xb") AND "c") NOT ("d" OR "ds" OR "dsleutel"))'
        )
        assert compile_query(tree.subqueries[0], names).match == '"a"'


class Prolific:
    """Words that each have many forms, and patterns that fit many."""

    def variants(self, word: str) -> tuple[str, ...]:
        return tuple(f"{word}{n}" for n in range(40))

    def compounds(self, word: str) -> tuple[str, ...]:
        return tuple(f"{n}{word}" for n in range(60))

    def beginning(self, start: str, most: int) -> tuple[str, ...] | None:
        return None

    def groupings(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        return ()

    def fitting(self, leaf: query.MultiTerm) -> tuple[str, ...]:
        return tuple(f"{leaf.text.strip('*')}{n}" for n in range(250))


class Begun(Prolific):
    """Three words for each beginning."""

    def beginning(self, start: str, most: int) -> tuple[str, ...] | None:
        return (start, start + "en", start + "s") if most >= 3 else None


def test_beginnings_are_spelled_out_as_long_as_their_words_are_few_enough_together(tmp_path: Path) -> None:
    tree = query.And([query.Prefix("subject", "a"), query.Prefix(ANYWHERE, "b")])
    all_a, all_b = '("a" OR "aen" OR "as")', '("b" OR "ben" OR "bs")'
    with world(tmp_path, []) as w:
        names = CatalogueNames(w.connection, None, None, None)
        expansion = Expansion(Begun)
        assert not expansion.beginnings
        for spelled, a, b in ((0, '"a" *', '"b" *'), (2, '"a" *', '"b" *'), (5, all_a, '"b" *'), (6, all_a, all_b)):
            plan = compile_query(tree, names, expansion, spelled=spelled)
            assert plan.match == f"({{subject}} : {a} AND {b})"
        assert expansion.beginnings


@pytest.mark.parametrize(
    "asked",
    ["fact*", "from:jan*", "from:voorb*", "-fact*", "fact* -offerte", "subject:fact* OR has:attachment", "f* o*", "x*",
     "fact* has:attachment", "fact* date:2025", '"de fact*"'],
)  # fmt: skip
def test_newest_first_finds_by_a_beginning_what_is_counted(tmp_path: Path, asked: str) -> None:
    """Newest first looks for the words that begin so, anything else for the beginning itself."""
    mails = [
        Mail(at=MARCH, subject="factuur", body="de offerte", sender="Jan jan.janssens@voorbeeld.be"),
        Mail(at=MARCH + 1, body="de facturen", sender="janneke@example.be", files=1),
        Mail(at=MARCH + 2, body="facteur 12", sender="Piet voorbode@jan.example"),
        Mail(at=MARCH + 3, subject="offerte", body="iets anders"),
    ]
    with world(tmp_path, mails) as w:
        for _ in range(2):  # words are fresh, and sorted in
            assert {w.rows[number] for number in w.found(asked)} == w.matching(asked)
            w.index.optimize()


def test_the_first_words_of_a_long_query_have_forms_and_the_others_are_looked_for_as_typed() -> None:
    expansion = Expansion(Prolific)
    concepts = [expansion.concept(query.Variations(ANYWHERE, word)) for word in "abcdefg"]
    assert [len(each.all_forms) for each in concepts if each is not None] == [100] * (MOST_FORMS // 100) + [0] * 3
    assert all(each is not None and each.exact == f'"{word}"' for each, word in zip(concepts, "abcdefg", strict=True))
    again = expansion.concept(query.Variations(ANYWHERE, "a"))
    assert again == concepts[0], "a word that is asked for again is not counted again"


def test_patterns_that_fit_too_many_words_together_are_refused_at_the_one_too_many() -> None:
    expansion = Expansion(Prolific)
    for pattern in ("*a", "*b", "*a", "*b"):
        expansion.concept(query.Wildcard(ANYWHERE, pattern))
    third = query.Wildcard(ANYWHERE, "*c")
    third.startchar = 17
    with pytest.raises(QueryError) as refused:
        expansion.concept(third)
    assert refused.value.position == 17
    assert "letters" in (refused.value.hint or "")


def test_short_beginnings_are_refused_when_there_are_many() -> None:
    expansion = Expansion(None)
    for letter in "abcd":
        expansion.concept(query.Prefix(ANYWHERE, letter))
    with pytest.raises(QueryError):
        expansion.concept(query.Prefix(ANYWHERE, "e"))
    fresh = Expansion(None)
    assert all(fresh.concept(query.Prefix(ANYWHERE, f"{n:03}")) is not None for n in range(100))
