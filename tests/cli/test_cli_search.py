"""`archiver search` and `archiver saved`: what is asked of the archive, what is told, commands to be pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.cli.asked import Asked
from archiver.cli.hits import _in_sight
from archiver.cli.layout import cells
from archiver.cli.main import _around
from archiver.cli.marking import Wanted, marked, wanted
from archiver.cli.query_help import sections
from archiver.model.address import EmailAddress
from archiver.model.fields import QUERY_FIELDS
from archiver.model.message import Direction
from archiver.search.query.language import parse
from tests.cli.harness import Cli, Ran
from tests.cli.twin import PASSPHRASE, Mail, Twin, blob_id
from tests.cli.twin_customers import peeters
from tests.cli.twin_search import Item
from tests.cli.world_of_search import file, found

HOSTILE = "\x1b]0;owned\x07\u202egnip"


@pytest.fixture
def search(cli: Cli) -> Cli:
    cli.app = found()
    return cli


@pytest.fixture
def seen(search: Cli) -> Cli:
    """On a terminal without colours."""
    search.tty, search.environ["NO_COLOR"] = True, "1"
    return search


def ids(ran: Ran) -> list[str]:
    return [item["id"] for item in ran.json()["items"]]


def told(ran: Ran, label: str) -> list[str]:
    """The commands that were proposed behind a label."""
    return [line.partition(f"{label} ")[2].strip() for line in ran.out.splitlines() if label in line]


def again(cli: Cli, command: str) -> Ran:
    """Run what was proposed, as a shell would."""
    program, *words = shlex.split(command)
    assert program == "archiver"
    return cli(*words)


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--threads"], ["--since", "2020", "--sort", "relevance"]], ids=" ".join)
def test_following_more_from_page_to_page_gives_every_hit_once(search: Cli, options: list[str]) -> None:
    everything = ids(search("search", "licentie", "--limit", "99", "--json", *options))
    command = " ".join(["archiver search licentie --limit 2", *map(shlex.quote, options)])
    pages: list[str] = []
    while command:
        assert len(pages) < len(everything)
        pages += ids(again(search, f"{command} --json"))
        command = "".join(told(again(search, command), "More:"))
    assert pages == everything


def test_a_conversation_is_one_hit_that_says_how_to_see_the_others(search: Cli) -> None:
    ran = search("search", "--threads", "licentie")
    newest = blob_id(2).hex()[:8]
    assert f"2 more in this conversation: archiver thread {newest}\n" in ran.out
    assert "4 hits, 8 messages." in ran.out
    assert [item["others"] for item in search("search", "--threads", "licentie", "--json").json()["items"]] == [
        2,
        0,
        0,
        0,
    ]


def test_copies_are_told_with_all_the_places_they_lie_in(search: Cli) -> None:
    assert "+2 copies: info/Sent, info/INBOX, zoe/INBOX" in search("search", "licentie").out
    item = search("search", "licentiesleutel", "--json").json()["items"][0]
    assert (len(item["copies"]), item["mailboxes"]) == (2, ["info/Sent", "info/INBOX", "zoe/INBOX"])
    assert "in info/INBOX, info/Frans" in search("search", "licence").out


def test_a_snippet_says_where_it_stands(search: Cli) -> None:
    shown = search("search", "licentie").out
    assert "in contract \\x1b[31m2026.pdf: … de licentie gaat in" in shown
    assert "quoted: > Wat kost een licentie" in shown
    places = [(item["place"], item["file"]) for item in search("search", "licentie", "--json").json()["items"]]
    assert places.count(("quoted", None)) == 1
    assert places.count(("attachment", "contract \x1b[31m2026.pdf")) == 1


def _people(*names: str) -> tuple[EmailAddress, ...]:
    return tuple(EmailAddress(name, f"{name.split()[0].lower()}@klant.example") for name in names)


def test_a_person_who_is_not_on_the_first_line_is_named_below_when_nothing_else_was_meant(cli: Cli) -> None:
    them, us = _people("An Peeters", "Bob Claes"), _people("Liesbet Vanhove")
    letter = partial(
        Mail, text="claes maes an klant", snippet="Tot ziens.", from_=us, to=them, cc=_people("Zoë Maes"),
        direction=Direction.OUTGOING,
    )  # fmt: skip
    cli.app = Twin(mails=[letter(place="header"), letter(place="text")])

    def notes(*words: str) -> list[str]:
        return [line.strip() for line in cli("search", *words).out.splitlines() if re.match(" {4}(from|to|cc) ", line)]

    assert notes("from:liesbet") == ["from Liesbet Vanhove <liesbet@klant.example>"]
    assert notes("claes") == ["to Bob Claes <bob@klant.example>"]
    assert notes("maes") == ["cc Zoë Maes <zoë@klant.example>"]
    assert notes("an") == notes("klant") == []


def test_the_file_that_was_meant_is_marked_and_the_first_where_there_are_too_many(search: Cli) -> None:
    names = [f"bijlage {n} van de aanvraag.pdf" for n in range(9)]
    files = tuple(file(str(n), name) for n, name in enumerate([*names, "de offerte.pdf"], 2))
    search.app = Twin(mails=[Mail(text="offerte", parts=files), Mail(text="offerte", parts=files[-2:])])
    search.tty, search.environ["COLORTERM"] = True, "truecolor"
    many, two = (line for line in search("search", "offerte", "--no-pager").out.splitlines() if " files: " in line)
    plain = [re.sub("\x1b\\[[0-9;]*m", "", line).strip() for line in (many, two)]
    assert plain[0].startswith("10 files: de offerte.pdf, bijlage 0")
    assert plain[1] == "2 files: bijlage 8 van de aanvraag.pdf, de offerte.pdf"
    assert all(re.search("\x1b\\[[0-9;]*mofferte\x1b", line) for line in (many, two))


@given(
    st.lists(st.text("abcé日 ", min_size=1, max_size=9), min_size=1, max_size=30).map(" ".join),
    st.lists(st.integers(0, 200), max_size=8),
    st.integers(20, 120),
)
def test_a_snippet_that_is_cut_shows_its_first_mark_and_no_other_text(text: str, ends: list[int], room: int) -> None:
    ends = sorted({min(end, len(text)) for end in ends})
    marks = [(a, b) for a, b in pairwise(ends) if b - a < 10][::2]
    shown, places = _in_sight(text, marks, room)
    assert shown == text or (shown[0] == "…" and text.endswith(shown[1:]))
    assert [shown[a:b] for a, b in places] == [text[a:b] for a, b in marks]
    if marks:
        assert cells(shown[: places[0][1]]) <= max(room, cells(shown[slice(*places[0])]) + 1)


def test_the_words_of_a_long_snippet_are_in_sight_in_a_narrow_terminal(seen: Cli) -> None:
    snippet = "… " + "een heel eind verder in een lange brief " * 3 + "staat de licentie die vervalt"
    start = snippet.index("licentie")
    mail = Mail(
        text="licentie", snippet=snippet, marks=((start, start + 8),), place="attachment", file="een contract.pdf"
    )
    seen.app, seen.columns = Twin(mails=[mail]), 60
    assert "licentie die vervalt" in " ".join(seen("search", "licentie").out.split())
    seen.columns = 140
    assert snippet in " ".join(seen("search", "licentie").out.split())


def test_a_command_that_does_not_fit_stands_on_a_line_of_its_own(seen: Cli) -> None:
    words = ["licenite", "--since", "2025"]
    seen.columns = 200
    assert told(seen("search", *words), "words spelt nearly so")
    assert told(seen("search", *words), "Did you mean:") == ["archiver search licentie --since 2025"]
    seen.columns = 46
    lines = seen("search", *words).out.splitlines()
    for label in ("Did you mean:", "  words spelt nearly so:", "  words that begin so:", "  without --since:"):
        assert lines[lines.index(label) + 1].startswith("    archiver search ")


def test_marks_of_json_cut_the_matching_words_out_of_the_snippet(search: Cli) -> None:
    for item in search("search", "licentie", "--json").json()["items"]:
        assert [item["snippet"][start:end][:5] for start, end in item["marks"]] in (["licen"], ["licenti"], ["licent"])


def test_only_a_full_page_tells_of_words_that_were_left_out(search: Cli) -> None:
    assert "Left out" not in search("search", "licentie").out
    assert "Left out, as they stand nearly everywhere: de voor." in search("search", "licentie", "--limit", "2").out
    assert search("search", "licentie", "--json").json()["ignored"] == ["de", "voor"]


def test_what_cannot_be_found_yet_is_told_beside_the_results(search: Cli) -> None:
    assert search("search", "licentie").err == ""
    assert isinstance(search.app, Twin)
    search.app.searching.unindexed = 1234
    for query in ("licentie", "nothing-has-this"):
        ran = search("search", query)
        assert ran.err.startswith("careful: 1,234 messages of the archive cannot be found yet: they wait")
        assert ran.code == 0
    ran = search("search", "licentie", "--json")
    assert (ran.json()["unindexed"], ran.err) == (1234, "")


def test_no_hits_asked_for_gives_the_number_alone(search: Cli) -> None:
    assert search("search", "licentie", "--limit", "0").out == "8 messages.\n"
    answer = search("search", "licentie", "--limit", "0", "--json").json()
    assert (answer["total"], answer["items"]) == (8, [])


# --- nothing found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--since", "2025"]], ids=["bare", "since"])
def test_did_you_mean_is_a_command_that_finds_something(search: Cli, options: list[str]) -> None:
    ran = search("search", "licenite", *options)
    assert ran.code == 0
    (command,) = told(ran, "Did you mean:")
    assert command == " ".join(["archiver search licentie", *options])
    assert ids(again(search, f"{command} --json"))


def test_the_words_of_a_date_are_not_loosened(search: Cli) -> None:
    told = search("search", "nergens", "since:last", "month").out
    assert "archiver search 'nergens*' since:last month\n" in told
    assert "month*" not in search("search", "since:last", "month", "-from:x", "nowhere").out


def test_every_looser_way_is_a_query_that_can_be_asked(search: Cli) -> None:
    ran = search("search", "kwijt'e", "sleutels", "--customer", "K1001", "--limit", "3")
    ways = [line.partition("archiver ")[2] for line in ran.out.splitlines() if "archiver search" in line]
    assert ways
    for way in ways:
        words = shlex.split(way)
        assert again(search, shlex.join(["archiver", *words])).code == 0
        query = " ".join(words[1:]).partition(" --")[0]
        parse(query, datetime(2026, 3, 10, tzinfo=UTC))


def test_a_name_in_a_field_is_loosened_too_and_nothing_else_in_one() -> None:
    asked = Asked(("from:verhagen", "type:pdf", "-to:claes", "cc:a@b.example", "subject:ab", "since:2025"))
    rest = ("type:pdf", "-to:claes", "cc:a@b.example", "subject:ab", "since:2025")
    assert {why: tuple(other.words) for other, why in asked.looser()} == {
        "words that begin so": ("from:verhagen*", *rest),
        "words spelt nearly so": ("from:verhagen~", *rest),
    }
    assert list(Asked(("type:pdf", "since:2025")).looser()) == []


def test_filters_are_named_and_can_be_left_out(search: Cli) -> None:
    ran = search("search", "onvindbaar", "--customer", "K1001", "--unlinked")
    assert ran.out.startswith("Nothing found for onvindbaar with --customer K1001 --unlinked.\n")
    assert "without --customer and --unlinked  archiver search onvindbaar\n" in ran.out


def test_words_that_were_ignored_are_not_proposed(search: Cli) -> None:
    search.twin.searching.ignored = ("van",)
    ran = search("search", "onvindbaar", "van")
    assert "any of the words" not in ran.out
    assert "any of the words       archiver search 'onvindbaar OR iets'\n" in search("search", "onvindbaar", "iets").out
    assert "archiver search 'onvindbaar*'\n" in ran.out


def test_an_empty_archive_is_told_as_such(cli: Cli) -> None:
    assert cli("search").out == "The archive is empty.\n"


@given(
    st.lists(
        st.sampled_from(["--limt", "-x", "it's"])
        | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
        max_size=4,
    ),
    st.booleans(),
)
def test_a_command_asks_for_the_words_that_were_typed(words: list[str], threads: bool) -> None:
    asked = Asked(tuple(words), limit=7, since="last month", customer="Peeters & Co", threads=threads)
    program, name, *rest = shlex.split(asked.command("archiver", offset=3))
    assert (program, name) == ("archiver", "search")
    options = ["--since", "last month", "--customer", "Peeters & Co", "--limit", "7"]
    options += ["--threads"] * threads + ["--offset", "3"]
    assert rest == ([*options, "--", *words] if any(w.startswith("--") for w in words) else [*words, *options])


# --- counts -----------------------------------------------------------------------------------------------------------


def test_counts_are_in_json_beside_the_hits(search: Cli) -> None:
    answer = search("search", "licentie", "--facets", "--limit", "1", "--json").json()
    assert set(answer) == {"total", "more", "suggestion", "ignored", "unindexed", "items", "facets"}
    assert answer["facets"] == {
        "customers": [
            {"reference": "K1001", "name": "Peeters Bouw bvba", "count": 3},
            {"reference": "K1002", "name": "Janssens & Zonen", "count": 2},
        ],
        "years": [{"year": 2026, "count": 4}, {"year": 2025, "count": 1}, {"year": 2023, "count": 1}],
        "directions": [
            {"direction": "incoming", "count": 4},
            {"direction": "outgoing", "count": 1},
            {"direction": "internal", "count": 1},
        ],
        "types": [{"type": "pdf", "count": 3}, {"type": "sheet", "count": 1}],
        "languages": [{"language": "nl", "count": 4}, {"language": "fr", "count": 1}],
    }


@pytest.mark.parametrize("columns", [20, 33, 40, 80, 140])
@pytest.mark.parametrize("name", ["x", "Een bijzonder lange naam van een klant & 日本語 " * 3])
def test_bars_fit_the_terminal_and_numbers_stand_right(seen: Cli, columns: int, name: str) -> None:
    seen.columns = columns
    book = seen.twin.book
    book.records = [replace(r, customer=replace(r.customer, name=name)) for r in book.records]
    lines = seen("search", "licentie", "--facets", "--limit", "0").out.splitlines()
    assert max(map(cells, lines)) <= columns
    counts = [re.match(r"  .*? +(\d+)(?: |$)", line) for line in lines if line.startswith("  ")]
    assert len({cells(match[0][: match.end(1)]) for match in counts if match is not None}) == 1
    assert None not in counts


def test_the_longest_bar_is_the_largest_count_and_none_is_empty(seen: Cli) -> None:
    seen.twin.mails += [Mail(subject=f"licentie {n}") for n in range(900)]
    lines = seen("search", "licentie", "--facets", "--limit", "0").out.splitlines()
    bars = [re.findall(r"[▏▎▍▌▋▊▉█]+$", line) for line in lines if line.startswith("  ")]
    assert max(len(bar) for found_bars in bars for bar in found_bars) == 40
    assert ["▏"] in bars
    assert [] not in bars


def test_without_block_characters_bars_are_of_hashes_and_into_a_pipe_there_are_none(seen: Cli) -> None:
    seen.encoding = "ascii"
    assert re.search(r"2026 +4  #{40}\n", seen("search", "licentie", "--facets").out)
    seen.tty = False
    assert re.search(r"2026 +4\n", seen("search", "licentie", "--facets").out)


def test_nothing_found_has_no_counts(seen: Cli) -> None:
    assert "customers" not in seen("search", "onvindbaar", "--facets").out


# --- the first hit ----------------------------------------------------------------------------------------------------


def test_opening_shows_the_first_hit_as_show_does(search: Cli) -> None:
    newest = blob_id(2).hex()[:8]
    assert search("search", "licentie", "--open").out == search("show", newest).out
    assert search("search", "licentie", "--open", "--json").json() == search("show", newest, "--json").json()
    second = blob_id(1).hex()[:8]
    assert search("search", "licentie", "--open", "--offset", "1").out == search("show", second).out


def test_opening_nothing_says_that_nothing_was_found(search: Cli) -> None:
    assert search("search", "onvindbaar", "--open").out.startswith("Nothing found for onvindbaar.\n")
    assert search("search", "onvindbaar", "--open", "--json").json()["total"] == 0
    assert search("search", "--open", "--facets").code == 2


# --- saved searches ---------------------------------------------------------------------------------------------------


def test_a_saved_search_is_asked_for_by_its_name_with_all_its_options(search: Cli) -> None:
    ran = search("search", "licentie", "--customer", "Peeters Bouw", "--since", "2026", "--save", "van-an")
    assert ran.code == 0
    assert ran.err == "Saved: archiver search saved:van-an\n"
    assert search.twin.searching.saved["van-an"].query == '(licentie) customer:"K1001" since:"2026"'
    assert search("saved", "show", "van-an").out == '(licentie) customer:"K1001" since:"2026"\n'


@pytest.mark.parametrize("words", [["--save", "x", "(a"], ["--save", "a b", "offerte"], ["--save", "x"]], ids=" ".join)
def test_what_cannot_be_saved_is_refused_before_anything_is_shown(search: Cli, words: list[str]) -> None:
    before = dict(search.twin.searching.saved)
    ran = search("search", *words)
    assert (ran.code, ran.out, search.twin.searching.saved) == (2, "", before)


def test_the_passphrase_is_asked_for_once_only(seen: Cli) -> None:
    seen.twin.locked, seen.answers = True, [PASSPHRASE]
    assert seen("search", "licentie", "--customer", "K1001", "--save", "x").code == 0
    assert len(seen.prompts) == 1


def test_saving_over_a_name_says_what_it_stood_for_but_never_to_a_log(seen: Cli) -> None:
    assert "before: subject:offerte -direction:outgoing\n" in seen("search", "x", "--save", "open-offertes").err
    seen.tty = False
    assert seen("search", "licentie", "--save", "licenties").err == "Saved: archiver search saved:licenties\n"


def test_saved_searches_are_listed_shown_and_removed(search: Cli) -> None:
    assert search("saved", "--json").json() == search("saved", "list", "--json").json()
    assert [item["name"] for item in search("saved", "--json").json()["items"]] == ["licenties", "open-offertes"]
    assert search("saved", "show", "LICENTIES", "--json").json()["query"] == "licentie"
    search("search", "x", "--save", "Jaar-2025")
    assert search("saved", "show", "jaar-2025").out == "x\n"
    assert search("saved", "remove", "Jaar-2025").code == 0
    assert "did you mean licenties?" in search("saved", "show", "licentis").err
    assert search("saved", "remove", "licenties", "--json").json() == {"name": "licenties", "removed": True}
    assert search("saved", "remove", "licenties").code == 2
    assert search("saved", "--json", "list").code == 2
    search("saved", "remove", "open-offertes")
    assert search("saved").out == "No search is saved yet: archiver search --save NAME QUERY keeps one.\n"


# --- the screen -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 80, 140])
@pytest.mark.parametrize(
    "words",
    [["licentie"], ["licentie", "--threads"], ["licentie", "--facets"], ["nergens", "te", "vinden"]],
    ids=" ".join,
)
def test_no_line_is_wider_than_the_terminal_unless_it_is_a_command(seen: Cli, words: list[str], columns: int) -> None:
    seen.columns = columns
    for mail in seen.twin.mails:
        mail.subject = f"Een lang onderwerp over licenties 日本語 {mail.subject} " * 3
        mail.mailboxes = tuple(f"info/Een mailbox met een lange naam {n}" for n in range(4))
    lines = seen("search", *words).out.splitlines()
    assert [line for line in lines if cells(line) > columns and "archiver " not in line] == []


def test_nothing_of_mail_steers_the_terminal(seen: Cli) -> None:
    for mail in seen.twin.mails:
        mail.subject = mail.snippet = mail.file = HOSTILE
        mail.text, mail.mailboxes, mail.language = f"licentie {HOSTILE}", (HOSTILE, HOSTILE), HOSTILE
        mail.parts = tuple(replace(part, filename=HOSTILE) for part in mail.parts)
        mail.place = "attachment"
    seen.twin.searching.suggestions["x"] = HOSTILE
    saved = seen.twin.searching.saved
    saved["licenties"] = replace(saved["licenties"], name=HOSTILE, query=HOSTILE)
    for words in (["search", "licentie", "--facets"], ["search", "x"], ["saved"], ["search", HOSTILE]):
        ran = seen(*words)
        assert ran.code == 0, ran.err
        assert not {"\x1b", "\x07", "\u202e"} & {*ran.out, *ran.err}


def test_hits_are_shown_in_the_colours_of_the_terminal_itself(search: Cli) -> None:
    search.tty = True
    shown = search("search", "licentie").out
    styles = re.findall(r"\x1b\[([\d;]*)m[Ll]icentie\x1b\[0m", shown)
    # Attributes only: a colour that can be read on a dark ground cannot be read on a light one.
    assert styles
    assert all(int(code) < 10 for style in styles for code in style.split(";"))


def test_long_results_go_through_the_pager_unless_told_not_to(seen: Cli) -> None:
    seen.twin.mails *= 5
    seen("search", "licentie")
    seen("search", "licentie", "--no-pager")
    seen("search", "licentie", "--json")
    assert len(seen.pages) == 1


@given(st.text("ab é日\x1b", max_size=80), st.integers(0, 80), st.integers(20, 60))
def test_the_caret_stands_under_the_mistake_whatever_the_width(query: str, position: int, width: int) -> None:
    position = min(position, len(query))
    line, column = _around(query, position, width)
    assert cells(line) <= width
    assert column < width or position == len(query)
    rest = query[position:].replace("\x1b", "\\x1b")
    at = next(i for i in range(len(line) + 1) if cells(line[:i]) == column)
    assert rest.startswith(line[at:].removesuffix("…").rstrip()) or not rest


# --- highlighting -----------------------------------------------------------------------------------------------------


def hits_in(text: str, wanted_: Wanted) -> list[str]:
    return [span.text for span in marked(text, wanted_) if span.style == "hit"]


@pytest.mark.parametrize(
    ("typed", "text", "hits"),
    [
        ("offerte", "Offerte 14, offertes", ["Offerte"]),
        ("cafe", "Het Café", ["Café"]),
        ("offer*", "Offertes en offers", ["Offertes", "offers"]),
        ("offerte -factuur NOT klant", "factuur, klant, offerte", ["offerte"]),
        ('subject:"nieuwe offerte" since:2026', "Nieuwe offerte 2026", ["Nieuwe", "offerte"]),
        ("from:an OR klant:offerte", "an offerte OR", ["an"]),
        ("(a OR b)", "a b OR", ["a", "b"]),
        ("", "alles", []),
    ],
)
def test_words_of_the_query_are_marked_outside_of_the_snippet_too(typed: str, text: str, hits: Sequence[str]) -> None:
    look_for = wanted(typed, [])
    assert hits_in(text, look_for) == hits
    assert "".join(span.text for span in marked(text, look_for)) == text


def test_other_forms_that_a_snippet_marked_are_marked_too_and_ignored_words_never(search: Cli) -> None:
    summary: Any = None
    item = Item(summary, 0.0, "twee facturen", ((5, 13),))
    look_for = wanted("de factuur", [item], ["de"])
    assert hits_in("De facturen en de factuur", look_for) == ["facturen", "factuur"]


# --- help -------------------------------------------------------------------------------------------------------------


def test_the_help_has_every_field_and_fits_eighty_columns(cli: Cli) -> None:
    shown = cli("search", "--help").out
    assert max(map(len, shown.splitlines())) <= 80
    assert [field.name for field in QUERY_FIELDS if f"{field.name}:" not in shown] == []


def test_every_example_of_the_help_can_be_pasted_and_parsed(search: Cli) -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    for title, rows in sections():
        for typed, _why in rows:
            words = [word for word in shlex.split(typed.replace(", ", " ")) if word not in {"archiver", "search"}]
            query = " ".join(word for word in words if not word.startswith("--"))
            assert parse(query, now, saved=lambda: {"open-offers": "offerte"}), title
    customer = peeters().reference
    assert Twin().book.records == []
    for title, rows in sections():
        if title == "Examples":
            for typed, _why in rows:
                assert again(search, typed.replace("K1001", customer)).code == 0
