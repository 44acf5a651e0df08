"""A message laid out for people: order, folding, wrapping, files, defects, the conversation; and what can be saved."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.cli.conversation import placed
from archiver.cli.escape import visible
from archiver.cli.kinds import defect_sentence, is_program, kind_in_words
from archiver.cli.layout import cells
from archiver.cli.prose import text_lines, wrapped
from archiver.cli.saving import distinct, safe_name
from archiver.cli.thread import bare_subject
from archiver.cli.wording import ago, ordinal
from archiver.model.address import EmailAddress
from archiver.model.message import Defect, Direction, Part, PartKind
from archiver.model.shown import Hyperlink, Passage
from tests.cli.harness import Cli
from tests.cli.twin import NOW, Mail, OpenTwin, Twin, blob_id
from tests.twins.awkward import awkward

ONE = blob_id(0).hex()[:8]
US = EmailAddress("Support", "info@ons.example")
TEXT = Part("1", "text/plain", PartKind.TEXT, 300, charset="utf-8")
PDF = Part("2", "application/pdf", PartKind.ATTACHMENT, 48_213, filename="contract.pdf")
LONG = Passage("\n".join(f"> regel {n}" for n in range(12)), quoted=True)


def shown(cli: Cli, mail: Mail, *words: str) -> str:
    cli.app = Twin(mails=[mail])
    ran = cli("show", ONE, *words)
    assert ran.code == 0, ran.err
    return ran.out


def lines_of(*passages: Passage, quoted: bool = False, width: int | None = 40, more: str = "") -> list[str]:
    return ["".join(span.text for span in line) for line in text_lines(passages, quoted=quoted, width=width, more=more)]


# --- text -------------------------------------------------------------------------------------------------------------


def test_a_long_quote_is_told_where_it_stood(cli: Cli) -> None:
    out = shown(cli, Mail(passages=(Passage("Boven."), LONG, Passage("Onder."))))
    assert f"Boven.\n\n[12 quoted lines: archiver show {ONE} --quoted]\n\nOnder.\n" in out


def test_quoted_shows_it_in_its_place(cli: Cli) -> None:
    out = shown(cli, Mail(passages=(Passage("Boven."), LONG, Passage("Onder."))), "--quoted")
    assert "Boven.\n\n> regel 0\n" in out
    assert "> regel 11\n\nOnder.\n" in out


def test_the_way_to_quotes_is_told_once() -> None:
    assert lines_of(Passage("a"), LONG, Passage("b"), LONG, more=": how") == [
        "a", "", "[12 quoted lines: how]", "", "b", "", "[12 quoted lines]",
    ]  # fmt: skip


def test_quotes_that_follow_each_other_are_told_as_one() -> None:
    assert lines_of(Passage("a"), LONG, Passage("> b", quoted=True), LONG) == ["a", "", "[25 quoted lines]"]


def test_a_short_quote_is_shown_for_the_words_to_hide_it_are_as_long() -> None:
    assert lines_of(Passage("> Morgen?", quoted=True), Passage("Ja.")) == ["> Morgen?", "", "Ja."]


def test_a_message_that_only_repeats_others_is_shown_whole() -> None:
    assert len(lines_of(LONG)) == 12


def test_what_others_wrote_and_signatures_are_dimmed(cli: Cli) -> None:
    cli.tty = True
    out = shown(cli, Mail(passages=(Passage("Dag\n--\nAn Peeters"), Passage("> Oud", quoted=True))))
    assert "\nDag\n\x1b[2m--\x1b[0m\n\x1b[2mAn Peeters\x1b[0m\n\n\x1b[2m> Oud\x1b[0m\n" in out


def test_a_rule_high_up_in_a_text_is_no_signature() -> None:
    passage = Passage("Kop\n--\n" + "\n".join(f"regel {n}" for n in range(40)))
    assert all(span.style == "" for line in text_lines([passage], quoted=False, width=None) for span in line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("een twee drie vier vijf", ["een twee drie", "vier vijf"]),
        ("- een twee drie vier", ["- een twee", "  drie vier"]),
        ("  * een twee drie vier", ["  * een twee", "    drie vier"]),
        ("12. een twee drie vier", ["12. een twee", "    drie vier"]),
        ("> een twee drie vier", ["> een twee", "> drie vier"]),
        ("> > - een twee drie", ["> > - een twee", "> >   drie"]),
        ("    een twee drie vier", ["    een twee", "    drie vier"]),
        ("zie https://shop.example/a/b/c/d?e=f nu", ["zie", "https://shop.example/a/b/c/d?e=f", "nu"]),
        ("abcdefghijklmnopqrstuvwxyz", ["abcdefghijklmn", "opqrstuvwxyz"]),
        ("abcdefghijklmnopqrst https://x.example", ["abcdefghijklmn", "opqrst", "https://x.example"]),
        (" " * 20 + "een twee drie vier", ["een twee drie", "vier"]),
        ("", [""]),
    ],
)
def test_lines_are_broken_at_words_and_keep_their_place(line: str, expected: list[str]) -> None:
    assert wrapped(line, 14) == expected


@example("een twee ", 8)
@example("1\ufe0f" * 9, 8)
@given((st.text(max_size=120) | awkward(120)).map(visible), st.integers(8, 40))
def test_wrapping_loses_no_word(line: str, width: int) -> None:
    pieces = wrapped(line, width)
    bare = re.sub(r"[\s>]", "", line)
    assert re.sub(r"[\s>]", "", "".join(pieces)) == bare
    assert all(cells(piece) <= width or "www." in piece or "//" in piece for piece in pieces)


def test_into_a_pipe_no_line_is_broken(cli: Cli) -> None:
    line = "woord " * 60 + "einde"
    assert f"\n{line}\n" in shown(cli, Mail(passages=(Passage(line),)))


def test_the_conversation_is_read_without_what_stands_above_already(cli: Cli) -> None:
    mails = [
        Mail(passages=(Passage("Vraag."), LONG)),
        Mail(passages=(LONG, Passage("Antwoord."), LONG)),
        Mail(passages=(LONG,)),
    ]
    cli.app = Twin(mails=mails)
    out = cli("thread", "--full", ONE).out
    assert "  Vraag.\n\n" in out
    assert "  [12 quoted lines]\n\n  Antwoord.\n\n" in out
    assert "  (no text of its own)\n" in out


def test_a_conversation_lists_a_message_once_however_many_mailboxes_got_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = OpenTwin.plain_summary
    monkeypatch.setattr(OpenTwin, "plain_summary", lambda twin, row: replace(plain(twin, row), message_id="same@x"))
    cli.app = Twin(mails=[Mail(), Mail(), Mail(from_=(US,), parts=(TEXT, PDF))])
    out = cli("thread", "--full", blob_id(1).hex()[:8]).out
    assert f"* {blob_id(1).hex()[:8]}" in out
    assert ONE not in out
    assert "\n  [1 file: contract.pdf]\n" in out
    assert out.endswith("2 messages; 1 copy in other mailboxes left out.\n")
    assert cli("thread", ONE, "--json").json()["total"] == 3


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: AW: Offerte", "offerte"),
        ("[lijst] Re: Offerte", "offerte"),
        ("Re: [lijst] Offerte", "offerte"),
        ("[lijst]", "lijst]"),
        ("[", ""),
        ("Offerte: nieuw", "offerte: nieuw"),
    ],
)
def test_subjects_are_compared_without_what_programs_put_before_them(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare


# --- around the text --------------------------------------------------------------------------------------------------


def test_the_age_of_a_message_is_told_to_people_only(cli: Cli) -> None:
    mail = Mail(at=NOW - timedelta(days=400))
    assert "2025" in shown(cli, mail)
    assert "ago" not in shown(cli, mail)
    cli.tty, cli.environ["NO_COLOR"] = True, "1"
    assert "(+00:00), 13 months ago\n" in shown(cli, mail)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1, "in the future"), (0, "today"), (1, "yesterday"), (2, "2 days ago"), (13, "13 days ago"),
        (14, "2 weeks ago"), (60, "8 weeks ago"), (61, "2 months ago"), (729, "23 months ago"), (731, "2 years ago"),
        (4000, "10 years ago"),
    ],
)  # fmt: skip
def test_how_long_ago_is_said_in_one_unit(days: int, words: str) -> None:
    assert ago(NOW - timedelta(days=days), now=NOW, zone=UTC) == words


def test_yesterday_is_a_day_and_not_twenty_four_hours() -> None:
    now = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)
    assert ago(now - timedelta(hours=1), now=now, zone=UTC) == "yesterday"


def test_numbers_are_told_in_order() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1003)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "1,003rd",
    ]  # fmt: skip


def test_the_answer_to_a_message_is_told(cli: Cli) -> None:
    answer = Mail(direction=Direction.OUTGOING, from_=(US,), at=NOW - timedelta(days=1))
    later = Mail(at=NOW)
    cli.app = Twin(mails=[Mail(), answer, later])
    out = cli("show", ONE).out
    assert f"thread    1st of 3 messages: archiver thread {ONE}\n" in out
    assert f"answered  2026-03-09 12:00 by Support: archiver show {blob_id(1).hex()[:8]}\n" in out
    assert "answered" not in cli("show", blob_id(2).hex()[:8]).out


def test_a_message_that_others_of_its_side_followed_says_so(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail(), Mail(at=NOW)])
    out = cli("show", ONE).out
    assert "followed  2026-03-10 12:00 by An Peeters" in out


def test_a_message_alone_has_no_place_in_a_conversation(cli: Cli) -> None:
    assert "thread" not in shown(cli, Mail())


def test_copies_of_a_message_count_once_and_are_named() -> None:
    archive = OpenTwin([Mail(), Mail(direction=Direction.OUTGOING, from_=(US,)), Mail()])
    sent, received, answer = (archive.plain_summary(row) for row in range(3))
    received = replace(received, message_id=sent.message_id, from_=sent.from_)
    place = placed([sent, received, answer], received)
    assert (place.position, place.of, [one.row for one in place.copies]) == (1, 2, [0])
    assert place.newest == answer
    forged = replace(received, from_=(US,))
    assert placed([sent, forged, answer], forged).of == 3


def test_files_are_told_in_words_and_structure_is_left_out(cli: Cli) -> None:
    html = Part("1.2", "text/html", PartKind.HTML, 900, charset="utf-8")
    logo = Part("3", "image/png", PartKind.INLINE, 900, filename="logo.png")
    out = shown(cli, Mail(parts=(TEXT, html, PDF, logo)))
    assert "attachments\n  2  contract.pdf  PDF document  48 kB\n" in out
    assert f"  save one: archiver show {ONE} --part 2 --output .\n" in out
    assert f"  read one: archiver show {ONE} --part 2 --text\n" in out
    assert f"1 image within the text: archiver show {ONE} --html\n" in out
    assert f"As it was laid out: archiver show {ONE} --html\n" in out
    assert "text/html" not in out
    assert "attachments" not in shown(cli, Mail())


@pytest.mark.parametrize(
    ("name", "content_type", "words"),
    [
        ("a.pdf", "application/octet-stream", "PDF document"),
        ("a.docx", "application/octet-stream", "Word document"),
        ("a.xlsx", "", "Excel sheet"),
        ("a.ods", "", "spreadsheet"),
        ("a.pdf.exe", "application/pdf", "PROGRAM"),
        ("a.pdf .scr. ", "application/pdf", "PROGRAM"),
        (None, "application/pdf", "PDF document"),
        (None, "application/x-nobody-knows", "file"),
        ("stem.m4a", "audio/mp4", "sound"),
    ],
)
def test_a_file_is_called_what_people_call_it(name: str | None, content_type: str, words: str) -> None:
    part = Part("2", content_type, PartKind.ATTACHMENT, 1, filename=name)
    assert kind_in_words(part) == words
    assert is_program(part) is (words == "PROGRAM")


def test_a_signature_is_said_to_be_unchecked_and_what_is_encrypted_to_be_encrypted(cli: Cli) -> None:
    opaque = Part("1", "application/pkcs7-mime", PartKind.SIGNATURE, 900, filename="smime.p7m")
    sealed = Defect("smime-encrypted", "1")
    assert "smime.p7m  signature, not checked  900" in shown(cli, Mail(parts=(opaque, TEXT)))
    assert "smime.p7m  encrypted  900" in shown(cli, Mail(parts=(opaque,), defects=(sealed,)))
    words = {"pgp-signature": "signature, not checked", "pgp-encrypted": "encrypted", "pgp-keys": "key"}
    for content_type, expected in words.items():
        assert kind_in_words(Part("2", f"application/{content_type}", PartKind.SIGNATURE, 1)) == expected


def test_a_defect_is_a_sentence_about_the_file_it_is_in(cli: Cli) -> None:
    mail = Mail(parts=(TEXT, PDF), defects=(Defect("attachment-encrypted", "2 PDF"), Defect("date-syntax")))
    out = shown(cli, mail)
    assert "  2 contract.pdf (PDF): an attachment needs a password or a key; its text cannot be searched\n" in out
    assert "  the Date field cannot be read\n" in out
    defects = cli("show", ONE, "--json").json()["defects"]
    assert [defect["code"] for defect in defects] == ["attachment-encrypted", "date-syntax"]
    assert defects[1]["sentence"] == "the Date field cannot be read"


def test_every_defect_has_a_sentence() -> None:
    from archiver.mail.defects import CODES

    assert all(" " in defect_sentence(Defect(code), ()) for code in CODES)
    assert defect_sentence(Defect("from-a-later-release", "2"), (PDF,)) == "from-a-later-release (part 2)"
    assert defect_sentence(Defect("header-charset", "subject"), (PDF,)).endswith(" (subject)")


def test_links_are_listed_when_asked_for(cli: Cli) -> None:
    mail = Mail(links=(Hyperlink("De winkel", "https://shop.example/a"), Hyperlink("", "https://t.example/\x1b[2J")))
    out = shown(cli, mail, "--links")
    assert "links\n  De winkel\n    https://shop.example/a\n  (an image)\n    https://t.example/\\x1b[2J\n" in out
    assert "shop.example" not in shown(cli, mail)
    assert cli("show", ONE, "--json", "--links").json()["links"][0] == {
        "text": "De winkel", "url": "https://shop.example/a",
    }  # fmt: skip
    assert "No links in the HTML.\n" in shown(cli, Mail(), "--links")


def test_json_tells_language_types_and_the_conversation(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail(parts=(TEXT, PDF), language="nl"), Mail(direction=Direction.OUTGOING, at=NOW)])
    shape = cli("show", ONE, "--json").json()
    assert shape["language"] == "nl"
    assert [part["type"] for part in shape["parts"]] == [None, "pdf"]
    other = blob_id(1).hex()[:8]
    assert shape["conversation"] == {"position": 1, "of": 2, "copies": [], "answer": other, "newest": other}


# --- saving -----------------------------------------------------------------------------------------------------------


def test_the_text_of_an_attachment_is_printed_and_can_be_saved(cli: Cli) -> None:
    mail = Mail(parts=(TEXT, PDF), texts={"2": "Artikel 1\n\x1b[2J"})
    assert shown(cli, mail, "--part", "2", "--text") == "Artikel 1\n\\x1b[2J\n"
    target = cli.home / "a.txt"
    shown(cli, mail, "--part", "2", "--text", "--output", str(target))
    assert target.read_text() == "Artikel 1\n\x1b[2J"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_the_text_of_an_attachment_saved_into_a_folder_is_called_after_it(cli: Cli) -> None:
    shown(cli, Mail(parts=(TEXT, PDF), texts={"2": "x"}), "--part", "2", "--text", "--output", str(cli.home))
    assert [path.name for path in cli.home.iterdir()] == ["contract.pdf.txt"]


def test_an_attachment_without_text_says_why(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail(parts=(TEXT, PDF))])
    ran = cli("show", ONE, "--part", "2", "--text")
    assert (ran.code, ran.out) == (2, "")
    assert "hint:" in ran.err


def test_all_attachments_are_saved_under_names_of_their_own(cli: Cli) -> None:
    parts = (TEXT, PDF, replace(PDF, path="3"), replace(PDF, path="4", filename="CONTRACT.PDF"))
    mail = Mail(parts=parts, contents={"1": b"t", "2": b"two", "3": b"three", "4": b"four"})
    out = shown(cli, mail, "--all-parts", "--output", str(cli.home))
    saved = {path.name: path.read_bytes() for path in cli.home.iterdir()}
    assert saved == {"contract.pdf": b"two", "contract (2).pdf": b"three", "CONTRACT (3).PDF": b"four"}
    assert out.count("Saved ") == 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in cli.home.iterdir())


@pytest.mark.parametrize(
    ("filename", "name"),
    [("../../out.pdf", "out.pdf"), ("/etc/out.pdf", "out.pdf"), ("..", "part-2.bin"), (".out\x1b\r\n", "out___")],
)
@pytest.mark.parametrize(
    ("words", "ending"), [(["--part", "2"], ""), (["--part", "2", "--text"], ".txt"), (["--all-parts"], "")]
)
def test_however_a_part_is_saved_its_name_stays_within_the_folder(
    cli: Cli, words: list[str], ending: str, filename: str, name: str
) -> None:
    folder = cli.home / "a" / "b"
    folder.mkdir(parents=True)
    part = replace(PDF, filename=filename)
    out = shown(cli, Mail(parts=(TEXT, part), texts={"2": "x"}, contents={"2": b"x"}), *words, "--output", str(folder))
    assert [path for path in cli.home.rglob("*") if path.is_file()] == [folder / (name + ending)]
    assert out.rstrip("\n").isprintable()


def test_all_attachments_or_none_are_saved_where_one_would_overwrite(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail(parts=(PDF, replace(PDF, path="3", filename="b.pdf")), contents={"2": b"2", "3": b"3"})])
    (cli.home / "b.pdf").write_bytes(b"precious")
    assert cli("show", ONE, "--all-parts", "--output", str(cli.home)).code == 2
    assert {path.name: path.read_bytes() for path in cli.home.iterdir()} == {"b.pdf": b"precious"}
    assert cli("show", ONE, "--all-parts", "--output", str(cli.home), "--force").code == 0
    assert (cli.home / "b.pdf").read_bytes() == b"3"


@pytest.mark.parametrize(
    "words",
    [
        ["--all-parts"], ["--all-parts", "--output", "-"], ["--all-parts", "--output", "/nowhere/at/all"],
        ["--text"], ["--html", "--raw"], ["--part", "1", "--all-parts"], ["--output", "x"],
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_with_the_way_that_does(cli: Cli, words: list[str]) -> None:
    cli.app = Twin(mails=[Mail(parts=(PDF,), contents={"2": b"2"})])
    ran = cli("show", ONE, *words)
    assert (ran.code, ran.out) == (2, "")
    assert "hint:" in ran.err


def test_nothing_to_save_is_said(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail()])
    assert cli("show", ONE, "--all-parts", "--output", str(cli.home)).code == 2


def test_html_goes_to_a_pipe_or_to_a_private_file(cli: Cli) -> None:
    page = "<!DOCTYPE html>\n<p>\u00e9</p>\n"
    cli.monkeypatch.chdir(cli.home)
    assert shown(cli, Mail(html=page), "--html") == page
    cli.tty, cli.environ["NO_COLOR"] = True, "1"
    assert shown(cli, Mail(html=page), "--html") == f"Saved 26 B to {ONE}.html\n"
    saved = cli.home / f"{ONE}.html"
    assert saved.read_text(encoding="utf-8") == page
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert cli("show", ONE, "--html").code == 2
    assert cli("show", ONE, "--html", "--force").code == 0


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("CON", "_CON"),
        ("con.pdf", "_con.pdf"),
        ("Lpt1 .txt", "_Lpt1.txt"),
        ("COM\u00b9.log", "_COM\u00b9.log"),
        ("console.pdf", "console.pdf"),
        ("factuur.pdf          .exe", "factuur.pdf.exe"),
        ("factuur.pdf" + " " * 60 + "open .exe", "factuur.pdf open.exe"),
        ("a.pdf. . .", "a.pdf"),
        ("Zoe\u0308.pdf", "Zo\u00eb.pdf"),
        ("\u0915\u093f\u0924\u093e\u092c.pdf", "\u0915\u093f\u0924\u093e\u092c.pdf"),
        ("a\u3164b\u115fc.pdf", "a_b_c.pdf"),
        ("a\u200bb\u2066c\u2069.pdf", "a_b_c_.pdf"),
        ("a" + "\u0301" * 40 + ".pdf", "\u00e1" + "\u0301" * 5 + "_" * 34 + ".pdf"),
        ("file:///etc/passwd", "passwd"),
        ("a:b|c?d*e.txt", "a_b_c_d_e.txt"),
        ("a\uff0ebat", "a_bat"),
        (". . .", "part-2.bin"),
    ],
)
def test_a_name_misleads_neither_people_nor_programs(filename: str, name: str) -> None:
    assert safe_name(Part("2", "application/x", PartKind.ATTACHMENT, 1, filename=filename)) == name


@given(st.lists(st.sampled_from(["a.pdf", "A.PDF", "a (2).pdf", "b", "B", "b (2)"]), max_size=8))
def test_no_two_files_are_called_the_same(names: list[str]) -> None:
    found = distinct(names)
    assert len({name.casefold() for name in found}) == len(names)
    assert found[:1] == names[:1]
