"""What a query means, and where a mistake in one is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.errors import QueryError
from archiver.model.fields import QUERY_FIELDS, FieldKind, describe_fields, field_named, field_names, field_table
from archiver.search.analysis import tokens
from archiver.search.query.function_words import function_words
from archiver.search.query.grammar import Parser
from archiver.search.query.language import MAX_CHARACTERS, MAX_DEPTH, MAX_WORDS, parse, parse_query, tree_of
from archiver.search.query.leaves import Context

NOW = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)
SAVED = {"Open-Offers": "subject:offerte -is:automatic", "both": "saved:open-offers OR saved:late", "late": "betalen"}


def _leaves(text: str, **options: Mapping[str, str]) -> list[tree_of.Query]:
    return list(parse(text, NOW, saved=lambda: options.get("saved", SAVED)).leaves())


def _only(text: str) -> tree_of.Query:
    (leaf,) = _leaves(text)
    return leaf


def _mistake(text: str, saved: Mapping[str, str] = SAVED) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW, saved=lambda: saved)
    return caught.value


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("p q", "(anywhere:<p> AND anywhere:<q>)"),
        ("p q OR r", "(anywhere:<p> AND (anywhere:<q> OR anywhere:<r>))"),
        ("p AND q OR r", "(((anywhere:<p> AND anywhere:<q>) OR anywhere:<r>))"),
        ("p -q", "(anywhere:<p> AND NOT anywhere:<q>)"),
        ("p NOT (q r)", "(anywhere:<p> AND NOT (anywhere:<q> AND anywhere:<r>))"),
        ("p-q", '(anywhere:"p q")'),
        ("be 0123.456.789", '(anywhere:<be> AND anywhere:"0123 456 789")'),
        ("+32 2", "(anywhere:<32> AND anywhere:<2>)"),
        ("not niet", "(anywhere:<not> AND anywhere:<niet>)"),
        ('-from:"Jan Peeters"', '(NOT from:"jan peeters")'),
        ('"één"', "(anywhere:een)"),
        ("subject:(p OR body:q)", "(((subject:<p> OR body:<q>)))"),
        ("SUBJ:Één", "(subject:<een>)"),
        ("onderwerp:offre van:jan", "(subject:<offre> AND from:jan)"),
        ("„een twee“ «drie vier»", '(anywhere:"een twee" AND anywhere:"drie vier")'),
        ("contr*", "(anywhere:contr*)"),
        ("p & q – r", "(anywhere:<p> AND anywhere:<q> AND anywhere:<r>)"),
        ("direction:out has:attachments", "(direction:outgoing AND has:attachment)"),
        ("has:defect type:XLSX lang:Dutch language:it", "(has:defect AND type:sheet AND language:nl AND language:it)"),
        ('contact:"Jan P" contact:jan*', "(contact:Jan P AND contact:jan*)"),
        ("message-id:<A.b@c.example>", "(message-id:A.b@c.example)"),
        ("message-id:<a~1^2@c.example>", "(message-id:a~1^2@c.example)"),
        ("東京", '(anywhere:"東 京")'),
        ("*東京*", "((anywhere:東 NEAR anywhere:京*))"),
        ("subject:[URGENT]", "(subject:<urgent>)"),
        ("*", "(None:*)"),
    ],
)
def test_a_query_means(text: str, meaning: str) -> None:
    assert str(parse(text, NOW)) == meaning


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("licentie", tree_of.Variations("anywhere", "licentie")),
        ('"licentie"', tree_of.Term("anywhere", "licentie")),
        ("from:peeters", tree_of.Term("from", "peeters")),
        ("*sleutel", tree_of.Wildcard("anywhere", "*sleutel")),
        ("Li?entie", tree_of.Wildcard("anywhere", "li?entie")),
        ("*céns*", tree_of.Wildcard("anywhere", "*cens*")),
        ("li**ce*", tree_of.Wildcard("anywhere", "li*ce*")),
        ("lic?n*,", tree_of.Wildcard("anywhere", "lic?n*")),
        ("subject:*sleutel^2", tree_of.Wildcard("subject", "*sleutel", 2.0)),
        ("waar?", tree_of.Variations("anywhere", "waar")),
        ("licentie~", tree_of.FuzzyTerm("anywhere", "licentie", maxdist=1, prefixlength=0)),
        ("Liçentie~2^3", tree_of.FuzzyTerm("anywhere", "licentie", boost=3.0, maxdist=2, prefixlength=0)),
        ('"licentie sleutel"', tree_of.Phrase("anywhere", ["licentie", "sleutel"], slop=1)),
        ('"licentie sleutel"~3', tree_of.Phrase("anywhere", ["licentie", "sleutel"], slop=3)),
        ('subject:"licentie sleutel"~3^1.5', tree_of.Phrase("subject", ["licentie", "sleutel"], slop=3, boost=1.5)),
        ('"sleutel"^2', tree_of.Term("anywhere", "sleutel", 2.0)),
        ("subject:offerte^3", tree_of.Variations("subject", "offerte", 3.0)),
        ("e-mail^2", tree_of.Phrase("anywhere", ["e", "mail"], boost=2.0)),
        ("domain:acme.example^2", tree_of.Term("domain", "＠acme·example", 2.0)),
        ("domain:*.acme.example", tree_of.Term("domain", "＠acme·example")),
        ("from:*@acme.example", tree_of.Term("from", "＠acme·example")),
        ("from:jan@acme.example", tree_of.Term("from", "jan＠acme·example")),
        ("l'abonnement", tree_of.Variations("anywhere", "abonnement")),
        ("D’offre", tree_of.Variations("anywhere", "offre")),
        ("l'abon*", tree_of.Prefix("anywhere", "abon")),
        ("subject:qu'offre", tree_of.Variations("subject", "offre")),
        ("foto's", tree_of.Variations("anywhere", "foto")),
        ("from:d'hondt", tree_of.Phrase("from", ["d", "hondt"])),
        ('"l\'offre"', tree_of.Phrase("anywhere", ["l", "offre"])),
        ("aujourd'hui", tree_of.Phrase("anywhere", ["aujourd", "hui"])),
        ("PROGRA~1", tree_of.FuzzyTerm("anywhere", "progra", maxdist=1, prefixlength=0)),
        ("https://acme.example/~1", tree_of.Phrase("anywhere", ["https", "acme", "example", "1"])),
        ("http://acme.example/a?b=c", tree_of.Phrase("anywhere", ["http", "acme", "example", "a", "b", "c"])),
        ("a^b", tree_of.Phrase("anywhere", ["a", "b"])),
        ("size:>2M", tree_of.NumericRange("size", 2_000_001, None)),
        ("size:[100k TO 5M]", tree_of.NumericRange("size", 100_000, 5_000_000)),
        ("size:>1,5 MB", tree_of.NumericRange("size", 1_500_001, None)),
    ],
)
def test_a_shape_is_a_leaf(text: str, leaf: tree_of.Query) -> None:
    found = _only(text)
    assert found == leaf
    assert (found.boost, getattr(found, "slop", 1)) == (leaf.boost, getattr(leaf, "slop", 1))
    assert (found.startchar is not None, found.endchar) == (True, len(text))


def test_a_weight_on_a_group_stays_with_the_group() -> None:
    tree = parse("(aa bb)^2 AND cc", NOW)
    assert [(str(part), part.boost) for part in tree.subqueries[0].subqueries] == [
        ("(anywhere:<aa> AND anywhere:<bb>)", 2.0),
        ("anywhere:<cc>", 1.0),
    ]
    assert parse("subject:(aa OR bb)^3", NOW).subqueries[0].subqueries[0].boost == 3.0


@pytest.mark.parametrize(
    ("text", "meaning", "ignored"),
    [
        ("factuur van maart", "(anywhere:<factuur> AND anywhere:<maart>)", ("van",)),
        ("De factuur Van de klant", "(anywhere:<factuur> AND anywhere:<klant>)", ("De", "Van", "de")),
        ("de", "(anywhere:<de>)", ()),
        ("de het", "(anywhere:<de> AND anywhere:<het>)", ()),
        ("factuur OR de", "((anywhere:<factuur> OR anywhere:<de>))", ()),
        ("factuur -de", "(anywhere:<factuur> AND NOT anywhere:<de>)", ()),
        ("de -factuur", "(anywhere:<de> AND NOT anywhere:<factuur>)", ()),
        ('"de" factuur', "(anywhere:de AND anywhere:<factuur>)", ()),
        ("from:van factuur", "(from:van AND anywhere:<factuur>)", ()),
        ("subject:de factuur", "(subject:<de> AND anywhere:<factuur>)", ()),
        ("subject:(de factuur)", "((subject:<factuur>))", ("de",)),
        ("IT support", "(anywhere:<it> AND anywhere:<support>)", ()),
        ("it support", "(anywhere:<support>)", ("it",)),
        ("niet de factuur", "(anywhere:<niet> AND anywhere:<factuur>)", ("de",)),
        ("hoe kan ik een factuur betalen", "(anywhere:<factuur> AND anywhere:<betalen>)", ("hoe", "kan", "ik", "een")),
        ("RE: factuur", "(anywhere:<factuur>)", ("RE:",)),
        ("RE factuur", "(anywhere:<re> AND anywhere:<factuur>)", ()),
        ("Re:", "(anywhere:<re>)", ()),
        ("de *", "(anywhere:<de> AND None:*)", ()),
        ("van customer:k1", "(customer:k1)", ("van",)),
        ("(de het) factuur", "((anywhere:<de> AND anywhere:<het>) AND anywhere:<factuur>)", ()),
    ],
)
def test_function_words_are_left_out_where_something_else_is_looked_for(
    text: str, meaning: str, ignored: tuple[str, ...]
) -> None:
    parsed = parse_query(text, NOW)
    assert (str(parsed.tree), parsed.ignored) == (meaning, ignored)


def test_function_words_are_those_of_the_languages_asked_for() -> None:
    parsed = parse_query("der het vertrag", NOW, languages=("nl",))
    assert parsed.ignored == ("het",)
    assert parse_query("l'offre", NOW, languages=("nl",)).tree == parse('"l offre"', NOW)


def test_function_words_are_folded_and_never_deny() -> None:
    words = function_words(("nl", "fr", "en", "de"))
    assert all(tokens(word) == [word] for word in words)
    denying = "niet geen nooit zonder not no never without ne pas non sans jamais rien ni nicht kein keine nie ohne"
    assert not words & set(denying.split())


_WORD = st.sampled_from(("de", "the", "van", "und", "factuur", "niet", '"de"', "l'offre", "-", "*", "subject:de", "x*"))


@given(st.lists(_WORD, min_size=1, max_size=5), st.sampled_from((" ", " OR ", " AND ", " -")))
def test_leaving_words_out_never_empties_a_query_nor_a_part_of_it(words: list[str], between: str) -> None:
    try:
        parsed = parse_query(between.join(words), NOW)
    except QueryError:
        return
    leaves = list(parsed.tree.leaves())
    assert leaves
    if parsed.ignored:
        assert any(leaf.fieldname for leaf in leaves if not getattr(leaf, "silent", False))
    assert "OR" not in between or not parsed.ignored


@pytest.mark.parametrize("text", ["-", "- OR -", "- AND &", "(-)", "((– -) OR -)", "NOT -"])
def test_a_query_without_any_word_is_a_mistake_however_it_is_put(text: str) -> None:
    with pytest.raises(QueryError, match="nothing to search for"):
        parse_query(text, NOW)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("since:last month factuur", ["2025-10-01", "", "factuur"]),
        ("date:maart 2024 factuur", ["2024-03-01", "2024-04-01", "factuur"]),
        ("date:maart factuur", ["2025-03-01", "2025-04-01", "factuur"]),
        ("date:12 mei 2024..14 mei 2024 factuur", ["2024-05-12", "2024-05-15", "factuur"]),
        ("date:il y a 3 semaines", ["2025-11-01", "2025-11-02"]),
        ("date:(maart 2024 OR april 2024)", ["2024-03-01", "2024-04-01", "2024-04-01", "2024-05-01"]),
        ("(since:vorige maand) factuur", ["2025-10-01", "", "factuur"]),
        ("since:2025 maart", ["2025-01-01", "", "maart"]),
        ('since:"last month" week', ["2025-10-01", "", "week"]),
        ("since:2025-03 3 weeks ago", ["2025-03-01", "", "3", "weeks", "ago"]),
        ("date:[2024 TO 2025-03]", ["2024-01-01", "2025-04-01"]),
        ("date:[* TO 2025-03]", ["", "2025-04-01"]),
        ("date:>2025-03 date:<=2025-05", ["2025-04-01", "", "", "2025-06-01"]),
        ("until:12 subject:mei", None),
        ('until:12 "mei"', None),
    ],
)
def test_words_behind_a_date_belong_to_it_when_they_complete_one(text: str, meaning: list[str] | None) -> None:
    if meaning is None:
        assert _mistake(text).position == 6
        return
    found = []
    for leaf in _leaves(text):
        ends = (leaf.start, leaf.end) if isinstance(leaf, tree_of.NumericRange) else None
        if ends is None:
            found.append(leaf.text)
        else:
            found.extend("" if end is None else f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d}" for end in ends)
    assert found == meaning


def test_a_saved_search_stands_for_its_query() -> None:
    assert str(parse("saved:OPEN-offers peeters", NOW, saved=lambda: SAVED)) == (
        "((subject:<offerte> AND NOT is:automatic) AND anywhere:<peeters>)"
    )
    leaves = _leaves("-saved:both")
    assert [str(leaf) for leaf in leaves] == ["subject:<offerte>", "is:automatic", "anywhere:<betalen>"]
    assert {(leaf.startchar, leaf.endchar) for leaf in leaves} == {(7, 11)}


def test_words_left_out_within_a_saved_search_are_told_too() -> None:
    parsed = parse_query("saved:x", NOW, saved=lambda: {"x": "de factuur"})
    assert parsed.ignored == ("de",)


@pytest.mark.parametrize(
    ("text", "saved", "position", "said"),
    [
        ("p saved:open", SAVED, 8, "saved:open-offers"),
        ("p saved:nowhere", {}, 8, "archiver saved"),
        ("p saved:x", {"x": "from:"}, 8, "within this saved search"),
        ("p saved:x", {"x": "q saved:y", "y": "saved:X"}, 8, "circle"),
        ("saved:n0", {f"n{i}": f"saved:n{i + 1}" for i in range(20)}, 6, "too deeply"),
    ],
)
def test_a_mistake_in_saved_searches_is_told_at_their_name(
    text: str, saved: Mapping[str, str], position: int, said: str
) -> None:
    mistake = _mistake(text, saved)
    assert mistake.position == position
    assert said in f"{mistake.message} {mistake.hint}"


def test_saved_searches_are_not_read_for_a_query_that_names_none() -> None:
    parse("factuur", NOW, saved=lambda: pytest.fail("read"))


@pytest.mark.parametrize(
    "text",
    [
        "http://example.be/a?b=c",
        "10:30",
        "Re: offerte",
        "C:\\temp",
        "jan@example.be",
        "mailto:jan@example.be",
        "std::map",
    ],
)
def test_a_colon_within_a_word_makes_no_field(text: str) -> None:
    assert "anywhere:" in str(parse(text, NOW))


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ('a "b', 2, 'a closing "'),
        ("a (b", 2, "a closing )"),
        ("a) b", 1, "an opening ("),
        ("a ()", 3, "a word"),
        ("a AND", 5, "a word"),
        ("OR a", 0, "a word"),
        ("a OR OR b", 4, "a word"),
        ("a NOT NOT b", 5, "a word"),
        ("(a OR) b", 5, "a word"),
        ("a from: jan", 7, "a value right after the colon"),
        ("from:", 5, "a value right after the colon"),
        ("a since:32", 8, "a date"),
        ("date:2025-03..2025-01", 5, "the earlier date first"),
        ("date:[2025-03 2025-04]", 5, "[a TO b]"),
        ("date:[2025-03 TO", 5, "[a TO b]"),
        ("date:2025-02-30", 5, "a date"),
        ("since:>2025", 6, "a date"),
        ("has:wings", 4, "attachment"),
        ("direction:up", 10, "one of incoming, outgoing"),
        ("type:paper", 5, "one of pdf, document"),
        ("language:klingon", 9, "one of nl, fr"),
        ("size:2M", 5, ">2M"),
        ("size:big", 5, ">2M"),
        ("size:5M..2M", 5, "the smaller size first"),
        ("id:xyz", 3, "digits"),
        ('""', 0, "letters or digits"),
        ("subject:!!", 8, "letters or digits"),
        ("?", 0, "a word"),
        ("licence a.*b", 8, "letters and digits around"),
        ("東*京", 0, "letters and digits around"),
        ("p licentie~3", 2, "~1 or ~2"),
        ("p e-mail~", 2, "a word of letters"),
        ("p lic*~", 2, "a word of letters"),
        ("p ab~", 2, "more than 2 letters"),
        ("p abcd~2", 2, "more than 4 letters"),
        ('p "licentie"~2', 2, "two words"),
        ('p "licentie sleutel"~', 2, "~ and 1 to"),
        ('p "licentie sleutel"~x', 2, "~ and 1 to"),
        ('p "licentie sleutel"~51', 2, "~ and 1 to"),
        ('p since:"last month"~2', 8, "without ~"),
        ("p licentie^0", 2, "0.1 to 100"),
        ("(p q)^101", 4, "0.1 to 100"),
        ("domain:acme*", 7, "a domain such as"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_fits_there(text: str, position: int, expected: str) -> None:
    mistake = _mistake(text)
    assert mistake.position == position
    assert expected in (mistake.expected or "")


def test_octets_that_are_no_text_are_separators() -> None:
    assert str(parse("x\udcffb message-id:x\udcff", NOW)) == '(anywhere:"x b" AND message-id:x�)'


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("licence form:jan", 8, "did you mean from:"),
        ("before:2025", 0, "did you mean until:"),
        ("title:offerte", 0, "did you mean subject:"),
        ("xyzzyx:jan", 0, "quotation marks"),
        ("direction:incomming", 10, "did you mean direction:incoming"),
        ("type:exel", 5, "did you mean type:sheet"),
        ("type:AB-12", 5, "quotation marks"),
        ("since:yesteday", 6, "did you mean yesterday"),
        ("date:gistern", 5, "did you mean gistere"),
        ("size:2M", 5, "put > or <"),
        ("size:5M..1M", 5, "write 1M..5M"),
        ("licence date:2026..2025", 13, "write 2025..2026"),
        ("date:2025-03..2025-01 x", 5, "write 2025-01..2025-03"),
    ],
)
def test_what_was_probably_meant_is_suggested(text: str, position: int, hint: str) -> None:
    mistake = _mistake(text)
    assert mistake.position == position
    assert hint in (mistake.hint or "") or hint.replace("gistere", "gestern") in (mistake.hint or "")


@pytest.mark.parametrize("text", ["date:2026..2025", "size:5M..1M"])
def test_a_range_that_ends_before_it_begins_is_told_so(text: str) -> None:
    assert str(_mistake(text)).startswith("this range ends before it begins")


@pytest.mark.parametrize("text", ["date:2026..x", "date:..", "date:x..2025", "size:..", "size:5M..x"])
def test_other_ranges_are_not_turned(text: str) -> None:
    mistake = _mistake(text)
    assert "begins" not in str(mistake)
    assert ".." not in (mistake.hint or "")


@pytest.mark.parametrize(
    "text",
    ["x" * (MAX_CHARACTERS + 1), "(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "a " * (MAX_WORDS + 1)],
)
def test_a_query_beyond_the_bounds_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text, NOW)


def test_saved_searches_together_keep_to_the_bound_of_words() -> None:
    saved = {"a0": "word " * 150, "a1": "saved:a0 saved:a0"}
    assert "too many words" in _mistake("saved:a1", saved).message


def _read_by(parser: Parser, text: str) -> str:
    try:
        return repr(parser.parse(text, normalize=False))
    except QueryError as mistake:
        return f"{mistake.message} at {mistake.position}"


@given(st.text(alphabet="ab -()\":*@.éANDORT'„“&?~^12[]", max_size=20))
@example("p“q").via("a mark without its partner")
@example("from:a..b since:[1 TO 2] -(x OR NOT y)^2 “p q”~2")
def test_what_a_text_has_nothing_for_is_not_missed_by_the_parser(text: str) -> None:
    languages = ("nl", "fr")
    context = Context(NOW, languages, function_words(languages), None, lambda _text, _context: tree_of.Every())
    assert _read_by(Parser(context, text), text) == _read_by(Parser(context), text)


@given(st.text(alphabet="ab -()\":*@.éANDORT'„“\\&?\n~^123[]<>", max_size=40))
def test_any_text_is_a_query_or_a_mistake_with_a_place_in_it(text: str) -> None:
    position = 0
    try:
        parse(text, NOW)
    except QueryError as error:
        position = error.position
    assert 0 <= position <= len(text)


@given(
    st.sampled_from(sorted(field_names())),
    st.text(alphabet="ab1 -*@.é'?~^[]<>2MTO", min_size=1, max_size=12),
)
def test_any_value_of_any_field_is_a_leaf_or_a_mistake_in_its_place(name: str, value: str) -> None:
    position = 0
    try:
        parse(f"{name}:{value}", NOW, saved=lambda: {"a": "b", "b": "saved:a"})
    except QueryError as error:
        position = error.position
    assert 0 <= position <= len(f"{name}:{value}")


@given(
    st.text(alphabet="secretword", min_size=8, max_size=12),
    st.sampled_from([
        '"{}', "({}", "{}x:{}", "since:{}", "id:{}", "type:{}", "size:{}", "saved:{}", "date:[{}", "{}-{}~", "a.*{}",
        '"{} {}"~{}', "domain:{}*", "{}~7", "language:{}",
    ]),
)  # fmt: skip
def test_a_message_never_repeats_the_query(word: str, shape: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(shape.replace("{}", word), NOW)
    said = f"{caught.value.message} {caught.value.expected} {caught.value.hint}"
    assert word not in said


def test_every_field_has_an_example_that_parses_and_no_name_twice() -> None:
    assert len(set(field_names())) == len(field_names())
    for field in QUERY_FIELDS:
        parse(field.example, NOW, saved=lambda: {"open-offers": "offerte"})
        assert field.example in describe_fields()
        assert field_named(field.name.upper()) is field
        assert bool(field.columns) == (field.kind in {FieldKind.TEXT, FieldKind.DOMAIN})
        for spelling, value in field.value_aliases:
            assert spelling not in field.values
            assert value in field.values


def test_the_guide_to_searching_has_the_table_of_fields_as_it_is() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
    shown = guide.partition("<!-- fields -->\n")[2].partition("\n<!-- /fields -->")[0]
    assert shown == field_table(), "put what field_table() gives between the marks in docs/search.md"


def test_every_query_in_the_guide_to_searching_parses() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
    wrong = {"*ample.be", "size:2M"}
    asked = [q for row in re.findall(r"^\| (`.*?) \|", guide, re.MULTILINE) for q in re.findall(r"`([^`]+)`", row)]
    asked += re.findall(r"`((?:size|date|since|until|from|domain|saved):[^`]+)`", guide)
    assert len(asked) > 60
    for query in set(asked) - wrong:
        if not query.endswith(":"):
            parse(query, NOW, saved=lambda: {"open-offers": "offerte", "NAME": "factuur"})
    for query in wrong:
        _mistake(query)
