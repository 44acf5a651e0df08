"""A message's text in the order it was written, own and quoted apart, and the links of its HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.mail.quotes import passages, split_quotes
from archiver.mail.reading import links, shown_text
from archiver.mail.structure import Node
from archiver.mail.text import parse_text, texts
from archiver.model.shown import Hyperlink, Passage

LINES = st.sampled_from(
    [
        "Dag An,",
        "",
        "  ",
        "> citaat",
        "> > ouder citaat",
        ">From hier",
        "An> initialen",
        "Op 3 maart 2026 schreef An Peeters:",
        "On 3 March 2026 An Peeters wrote:",
        "-----Original Message-----",
        "________________________________",
        "From: An <an@klant.example>",
        "Sent: Tuesday 3 March 2026",
        "To: info@ons.example",
        "Met vriendelijke groet",
        "-- ",
        "| tabel | met streep |",
    ]
)


def plain(text: str) -> bytes:
    return b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode()


def html(text: str, kind: str = "text/html") -> bytes:
    return f"Subject: x\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{text}".encode()


def test_an_answer_between_the_lines_stays_between_them() -> None:
    text = "Dag An,\n\nOp 3 maart 2026 schreef An:\n> Wanneer?\nMorgen.\n\n> Hoeveel?\n\nDrie.\n"
    assert shown_text(plain(text)) == (
        Passage("Dag An,"),
        Passage("Op 3 maart 2026 schreef An:\n> Wanneer?", quoted=True),
        Passage("Morgen."),
        Passage("> Hoeveel?", quoted=True),
        Passage("Drie."),
    )


def test_a_blank_line_within_a_quote_does_not_end_it() -> None:
    assert shown_text(plain("> een\n\n> twee\n")) == (Passage("> een\n\n> twee", quoted=True),)


def test_what_follows_a_separator_is_quoted_with_its_marks_as_they_stand() -> None:
    text = "Zie onder.\n\n-----Original Message-----\nGoedendag,\n> ouder\n"
    assert shown_text(plain(text)) == (
        Passage("Zie onder."),
        Passage("-----Original Message-----\nGoedendag,\n> ouder", quoted=True),
    )


def test_html_is_read_with_its_quotes_where_they_stood() -> None:
    octets = html("<p>Boven.</p><blockquote><p>Citaat.</p></blockquote><p>Onder.</p>")
    assert shown_text(octets) == (Passage("Boven."), Passage("> Citaat.", quoted=True), Passage("Onder."))


def test_an_attached_message_counts_as_quoted() -> None:
    octets = (
        b'Subject: x\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nZie bijlage.\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Vraag\r\n\r\nHoeveel kost het?\r\n--b--\r\n"
    )
    found = shown_text(octets)
    assert [passage.quoted for passage in found] == [False, True, True]
    assert "Subject: Vraag" in found[1].text
    assert found[2].text == "Hoeveel kost het?"


def test_no_text_gives_no_passage() -> None:
    assert shown_text(b"") == ()
    assert shown_text(plain(" \n\n ")) == ()


@given(st.lists(LINES, max_size=25))
def test_a_passage_is_own_or_quoted_just_as_the_index_has_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = passages(text)
    own, quoted = split_quotes(text)
    kept = [line.strip() for piece, is_quoted in found if not is_quoted for line in piece.split("\n") if line.strip()]
    assert kept == [line.strip() for line in own.split("\n") if line.strip()]
    # Quoted lines lose their marks in the index, and what is only a mark is nothing there.
    shown = [line for piece, is_quoted in found if is_quoted for line in piece.split("\n")]
    assert all(any(line in one for one in shown) for line in quoted.split("\n") if line)
    every = [line for piece, _ in found for line in piece.split("\n") if line]
    assert every == [line.rstrip() for line in lines if line.strip()]


@given(st.binary(max_size=400))
def test_whatever_the_octets_the_text_is_that_of_the_index(octets: bytes) -> None:
    message = parse_text(octets)
    words = " ".join(passage.text for passage in shown_text(octets) if not passage.quoted).split()
    assert words == message.text.split()
    links(octets)


def test_the_words_are_read_without_the_attachments() -> None:
    octets = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\neigen\n> oud\n--b\n"
        b"Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\nbijlage\n--b\n"
        b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n%%%%\n--b\n"
        b"Content-Type: message/rfc822\n\nSubject: binnenin\n\ndoorgestuurd\n--b--\n"
    )
    message = parse_text(octets)
    assert [part.path for part in message.parts] == ["1", "2", "3", "4", "4.1"]
    assert texts(octets) == (message.text, message.quoted)
    assert texts(octets)[0] == "eigen"
    assert "binnenin" in texts(octets)[1]
    with pytest.MonkeyPatch.context() as patch:
        decoded: list[str] = []
        octets_of = Node.octets

        def noted(node: Node) -> tuple[bytes, bool]:
            decoded.append(node.path)
            return octets_of(node)

        patch.setattr(Node, "octets", noted)
        texts(octets)
    assert decoded == ["1", "4.1"]


def test_links_are_listed_once_with_the_words_that_were_linked() -> None:
    octets = html(
        '<a href="https://shop.example/a?b=1"><img src="x"></a><a href=" https://shop.example/a?b=1">De winkel</a>'
        '<a href="#top">boven</a><a href="javascript:alert(1)">klik</a><a href="mailto:info@ons.example">schrijf</a><a>'
    )
    assert links(octets) == (
        Hyperlink("De winkel", "https://shop.example/a?b=1"),
        Hyperlink("schrijf", "mailto:info@ons.example"),
    )


@pytest.mark.parametrize(
    "octets", [b"", plain("https://shop.example"), html("<a href='https://x.example'>", "text/css")]
)
def test_without_html_there_are_no_links(octets: bytes) -> None:
    assert links(octets) == ()
