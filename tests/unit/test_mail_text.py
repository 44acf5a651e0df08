"""HTML to lines, and own text kept apart from quoted text."""

from __future__ import annotations

import pytest

from archiver.mail.html import html_to_text
from archiver.mail.quotes import split_quotes

HEADERS = {
    "en": "From: Jan <jan@x.example>\nSent: Tuesday, March 3, 2026 10:15\nTo: Piet\nSubject: Key",
    "nl": "Van: Jan <jan@x.example>\nVerzonden: dinsdag 3 maart 2026 10:15\nAan: Piet\nOnderwerp: Sleutel",
    "fr": "De : Jan <jan@x.example>\nEnvoyé : mardi 3 mars 2026 10:15\nÀ : Piet\nObjet : Clé",
    "de": "*Von:* Jan <jan@x.example>\n*Gesendet:* Dienstag, 3. März 2026 10:15\n*An:* Piet\n*Betreff:* Schlüssel",
}


@pytest.mark.parametrize("block", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("rule", ["", "________________________________\n", "-----Original Message-----\n"])
def test_the_message_below_an_outlook_header_block_is_quoted(block: str, rule: str) -> None:
    own, quoted = split_quotes(f"Mijn antwoord\n\n{rule}{block}\n\noude tekst")
    assert own == "Mijn antwoord"
    assert quoted.endswith("oude tekst")
    assert "jan@x.example>" in quoted


@pytest.mark.parametrize(
    "line",
    [
        "On Tue, Mar 3, 2026 at 10:15 AM Jan <jan@x.example> wrote:",
        "On Tue, Mar 3, 2026 at 10:15 AM Jan Peeters van de afdeling\n<jan@x.example> wrote:",
        "Op di 3 mrt 2026 om 10:15 schreef Jan <jan@x.example>:",
        "Le mar. 3 mars 2026 à 10:15, Jan <jan@x.example> a écrit :",
        "Am 03.03.2026 um 10:15 schrieb Jan:",
    ],
)
def test_an_attribution_and_what_it_attributes_are_quoted(line: str) -> None:
    assert split_quotes(f"eigen\n\n{line}\n\n> oud\n>> ouder\n\nslot")[0] == "eigen\n\nslot"
    assert split_quotes(f"eigen\n\n{line}\n\noud zonder tekens") == ("eigen", f"{line}\n\noud zonder tekens")


@pytest.mark.parametrize(
    "line",
    [
        "-----Original Message-----",
        "-----Oorspronkelijk bericht-----",
        "-----Message d'origine-----",
        "Begin forwarded message:",
        "-----Ursprüngliche Nachricht-----",
        "---------- Forwarded message ---------",
        "-------- Doorgestuurd bericht --------",
    ],
)
def test_everything_below_a_separator_is_quoted(line: str) -> None:
    assert split_quotes(f"zie onder\n{line}\noud") == ("zie onder", f"{line}\noud")


@pytest.mark.parametrize(
    "line",
    [
        "--- Start of Forwarded message ---",
        "==> Inline attachment follows: : ORIGINAL MESSAGE <==",
        "__URSPRÜNGLICHE NACHRICHT __",
        "-- or\u0131g\u0130nal me\u017fsage",
        "Anfang der weitergeleiteten E-Mail:",
    ],
)
def test_separators_are_written_in_many_ways(line: str) -> None:
    assert split_quotes(f"zie onder\n{line}\noud") == ("zie onder", f"{line}\noud")


@pytest.mark.parametrize(
    "line",
    [
        "- Original message",
        "-- Original messages",
        "-- original  message",
        "--- Start of inline attachment follows: original message",
        "Original message",
        "-- doorgestuurd",
    ],
)
def test_what_is_nearly_a_separator_is_the_senders_own(line: str) -> None:
    assert split_quotes(f"zie onder\n{line}\noud") == (f"zie onder\n{line}\noud", "")


def test_marks_of_any_depth_are_taken_off_and_nothing_else() -> None:
    assert split_quotes("> a\n>> b\n> > c <d@x.example>\neigen\nJD> e") == ("eigen", "a\nb\nc <d@x.example>\ne")


@pytest.mark.parametrize(
    "text",
    [
        "On Tuesday we wrote: no date",
        "On Tuesday he wrote:\nno date at all",
        "From: here to there",
        "a > b",
        "-- \nJan",
        "------\nkop\n------",
        "Le client a écrit une lettre.",
        "Op 3 maart schreef ik een brief.",
        "van: 3 tot: 4",
    ],
)
def test_text_that_looks_a_little_like_a_quote_stays_the_sender_s_own(text: str) -> None:
    assert split_quotes(text) == ("\n".join(line.rstrip() for line in text.split("\n")), "")


def test_a_message_that_is_all_quote_keeps_its_text_findable() -> None:
    assert split_quotes("> alles\n> is oud") == ("", "alles\nis oud")


def test_blocks_become_lines_and_cells_stay_apart() -> None:
    html = """<html><head><title>no</title><style>p{}</style></head><body><p>Dag&nbsp;<b>Jan</b>, zie
    <a href="http://x.example">hier</a></p><script>no()</script><div style="display: none">verborgen</div>
    <div hidden>ook</div>
    <table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table><ul><li>een<li>twee</ul>r1<br>r2
    <img src=x alt="logo"><!-- no --></body></html>"""
    text, whole = html_to_text(html)
    lines = [line for line in text.replace("\xa0", " ").split("\n") if line]
    assert lines == ["Dag Jan, zie hier", "a | b", "c | d", "- een", "- twee", "r1", "r2 logo"]
    assert whole


@pytest.mark.parametrize(
    "html",
    [
        "eigen<blockquote>oud</blockquote>",
        '<div>eigen</div><div class="gmail_quote"><div>On 3/3/2026 Jan wrote:</div><blockquote>oud</blockquote></div>',
        '<div>eigen</div><hr><div id="divRplyFwdMsg"><b>From:</b> Jan</div><div>oud</div>',
        '<p>eigen</p><div class="moz-cite-prefix">On 3/3/2026 Jan wrote:<br></div><blockquote>oud</blockquote>',
        (
            "<p>eigen</p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Jan<br><b>Sent:</b> 3 March<br>"
            "<b>To:</b> P</p></div><p>oud</p>"
        ),
    ],
)
def test_what_mail_programs_mark_as_quoted_is_quoted(html: str) -> None:
    own, quoted = split_quotes(html_to_text(html)[0])
    assert own == "eigen"
    assert quoted.rstrip().endswith("oud")


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000,
        "<blockquote>" * 50_000 + "x",
        "<b><i><p>" * 30_000,
        "<a " + "x=1 " * 100_000,
        "<" * 200_000,
        "&" * 200_000,
        "</div>" * 50_000,
        "<table>" * 50_000,
        "<!--" * 50_000,
        "<p>x" * 60_000,
        "\x00<p>\ud800",
    ],
    ids=lambda html: html[:8],
)
def test_hostile_html_ends_with_bounded_text(html: str) -> None:
    text, _ = html_to_text(html)
    assert len(text) <= 4 << 20
    text.encode("utf-8")


def test_html_that_is_not_read_whole_says_so() -> None:
    assert html_to_text("<p>x</p>" * 110_000)[1] is False
    text, whole = html_to_text("<div>" * 50_000 + "word")
    assert (text.strip(), whole) == ("word", False)


@pytest.mark.parametrize(
    "line",
    [
        "On " + "1 " * 150,
        "From: " + "x" * 300,
        "_" * 300,
        "-" * 300,
        "On 1" + " wrote" * 60,
        ">" * 300,
        " " * 390 + "x",
        "schrieb " * 40 + ":",
        "From: a\nSent: b",
        "On 1",
        "-----",
    ],
    ids=lambda line: line[:8],
)
def test_lines_made_to_cost_time_are_split_without_losing_a_word(line: str) -> None:
    # Enough of them that anything worse than linear would run into the suite's own time limit.
    text = (line + "\n") * 2_000
    own, quoted = split_quotes(text)
    assert (own + quoted).count("1") == text.count("1")
    assert (own + quoted).count("wrote") == text.count("wrote")


def test_cells_without_text_leave_no_trace_between_those_that_have_some() -> None:
    row = "<tr><td>\n</td><td>2191442</td><td><img src=x></td><td>&nbsp;</td><td><span>Serial</span></td><td></td></tr>"
    assert html_to_text(f"<table>{row}{row}</table>") == ("2191442 | Serial\n2191442 | Serial", True)
