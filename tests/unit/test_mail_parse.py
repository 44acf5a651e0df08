"""Octets to Message: header fields, charsets, parts; each case reduced from something real software has sent."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from archiver.errors import UsageError
from archiver.mail.charset import codec_name, decode
from archiver.mail.defects import CODES
from archiver.mail.extract import header_lines, part_octets
from archiver.mail.parse import parse, parse_header
from archiver.mail.tnef import read_tnef
from archiver.model.address import EmailAddress
from archiver.model.message import Defect, Message, PartKind


def message(*header: str, body: bytes = b"", charset: str = "ascii") -> bytes:
    return "\r\n".join(header).encode(charset) + b"\r\n\r\n" + body


def codes(parsed: Message) -> set[str]:
    return {defect.code for defect in parsed.defects}


def test_an_ordinary_message_is_read_whole() -> None:
    parsed = parse(
        message(
            'From: "Peeters, Jan" <jan@klant.example>',
            "To: support@firma.example, =?utf-8?q?J=C3=B6rg?= <joerg@firma.example>",
            "Subject: =?utf-8?b?TGljZW50aWU=?= 4711",
            "Date: Tue, 03 Mar 2026 10:15:00 +0100",
            "Message-ID: <a1@klant.example>",
            "In-Reply-To: <z9@firma.example>",
            "References: <z8@firma.example> <z9@firma.example>",
            "Received: from a by b; Tue, 03 Mar 2026 09:15:04 +0000",
            "Auto-Submitted: No",
            "List-Id: Klanten <klanten.firma.example>",
            body=b"Goedendag,\r\n\r\nwaar is mijn sleutel?\r\n> Uw bericht\r\n",
        )
    )
    assert parsed.from_ == (EmailAddress("Peeters, Jan", "jan@klant.example"),)
    assert parsed.to == (EmailAddress("", "support@firma.example"), EmailAddress("Jörg", "joerg@firma.example"))
    assert parsed.subject == "Licentie 4711"
    assert parsed.sent_at is not None
    assert parsed.sent_at.isoformat() == "2026-03-03T10:15:00+01:00"
    assert parsed.arrived_at == datetime(2026, 3, 3, 9, 15, 4, tzinfo=UTC)
    assert (parsed.message_id, parsed.in_reply_to) == ("a1@klant.example", ("z9@firma.example",))
    assert parsed.references == ("z8@firma.example", "z9@firma.example")
    assert parsed.text == "Goedendag,\n\nwaar is mijn sleutel?"
    assert parsed.quoted == "Uw bericht"
    assert parsed.auto_submitted == "no"
    assert [(part.path, part.content_type, part.kind) for part in parsed.parts] == [("1", "text/plain", PartKind.TEXT)]
    assert parsed.defects == ()


@pytest.mark.parametrize(
    ("label", "octets", "text"),
    [
        ("utf8", "één".encode(), "één"),
        ("UTF-8;format=flowed", "één".encode(), "één"),
        ("'utf-8'", "één".encode(), "één"),
        ("iso-8859-1", "€ 5 “ja”".encode("cp1252"), "€ 5 “ja”"),
        ("us-ascii", "één".encode(), "één"),
        ("us-ascii", "één".encode("latin-1"), "één"),
        ("utf-8", "één".encode("latin-1"), "één"),
        ("x-unknown", "één".encode("latin-1"), "één"),
        (None, "één".encode(), "één"),
        (None, "één".encode("latin-1"), "één"),
        ("gb2312", "朱镕基".encode("gb18030"), "朱镕基"),
        ("ks_c_5601-1987", "똠방각하".encode("cp949"), "똠방각하"),
        ("iso-2022-jp", b"\x1b$B-!\x1b(B\x1b$B4A;z\x1b(B", "①漢字"),
        ("iso-8859-8-i", "שלום".encode("iso8859-8"), "שלום"),
        ("unicode-1-1-utf-7", b"Hi +AOk-", "Hi é"),
        ("x-mac-cyrillic", "мир".encode("mac_cyrillic"), "мир"),
        ("x-sjis", "①".encode("cp932"), "①"),
        ("utf-16", "één".encode("utf-16"), "één"),
        ("utf-8", "één".encode()[:-2], "é"),
        ("base64", b"plain", "plain"),
        ("unicode_escape", b"\\x41", "\\x41"),
    ],
)
def test_a_text_is_read_in_the_charset_that_was_meant(label: str | None, octets: bytes, text: str) -> None:
    assert decode(octets, label)[0] == text


def test_codecs_that_are_no_charsets_are_never_used() -> None:
    for label in (
        "base64",
        "zlib",
        "hex",
        "rot13",
        "idna",
        "punycode",
        "unicode_escape",
        "undefined",
        "../etc",
        "a" * 90,
    ):
        assert codec_name(label) is None, label


def test_control_characters_and_lone_surrogates_never_leave() -> None:
    text, _ = decode(b"a\x00b\x1b[31mc\x7f\r\nd\re\x0cf\tg", None)
    assert text == "ab[31mc\nd\ne\nf\tg"
    decode(b"+2AA-", "utf-7")[0].encode("utf-8")
    decode("\x9b31m\x85x\u2028y".encode(), "utf-8")[0].encode()
    assert decode("\x9b31m\x85x\u2028y".encode(), "utf-8")[0] == "31m\nx\ny"


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (b"=?utf-8?b?w6k=?= =?utf-8?b?w6k=?=", "éé"),
        (b"=?utf-8?b?ww==?= =?utf-8?b?qQ==?=", "é"),
        (b"=?utf-8?Q?one two?=", "one two"),
        (b"=?utf-8?q?a=3Fb?= c", "a?b c"),
        (b'"=?iso-8859-1?q?caf=E9?="', '"café"'),
        (b"=?iso-8859-1*fr?q?caf=E9?=", "café"),
        (b"=?nonsense?q?caf=C3=A9?=", "café"),
        (b"=?utf-8?b?w6k?=", "é"),
        (b"=?utf-8?q?no end", "=?utf-8?q?no end"),
        ("één".encode(), "één"),
        ("één".encode("latin-1"), "één"),
        (b"one\r\n two\r\n\tthree", "one two three"),
        (b"=?utf-8?q?a?=b=?utf-8?q?c?=", "abc"),
    ],
)
def test_encoded_words_are_read_with_their_usual_lies(written: bytes, subject: str) -> None:
    assert parse(b"Subject: " + written + b"\r\n\r\n").subject == subject


def test_raw_octets_in_a_header_are_read_in_the_charset_of_the_body() -> None:
    octets = b"Subject: " + "광고".encode("cp949") + b"\r\nContent-Type: text/plain; charset=euc-kr\r\n\r\n"
    parsed = parse(octets)
    assert parsed.subject == "광고"
    assert codes(parsed) == {"header-charset"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("root", [("", "root")]),
        ("jan@x.example (Jan Peeters)", [("Jan Peeters", "jan@x.example")]),
        ('"=?utf-8?q?J=C3=B6rg?=" <j@x.example>', [("Jörg", "j@x.example")]),
        ("=?utf-8?q?Jan_=3Cjan=40x=2Eexample=3E?=", [("Jan", "jan@x.example")]),
        ("'jan@x.example' <jan@x.example>", [("", "jan@x.example")]),
        ("'jan@x.example'", [("", "jan@x.example")]),
        ("o'hara@x.example", [("", "o'hara@x.example")]),
        ("Jan <jan@x.example", [("Jan", "jan@x.example")]),
        ("undisclosed-recipients:;", []),
        ("<>", []),
        ("Team: a@x.example, B <b@x.example>;", [("", "a@x.example"), ("B", "b@x.example")]),
        ('"Peeters, Jan" <jan@x.example>, b@x.example', [("Peeters, Jan", "jan@x.example"), ("", "b@x.example")]),
        ("ceo@bank.example <thief@x.example>", [("ceo@bank.example", "thief@x.example")]),
        ("a@x.example;b@x.example", [("", "b@x.example"), ("", "a@x.example")]),
    ],
)
def test_addresses_are_read_and_none_is_invented(written: str, expected: list[tuple[str, str]]) -> None:
    parsed = parse(message(f"To: {written}"))
    assert [(one.name, one.addr_spec) for one in parsed.to] == expected


def test_several_fields_of_one_name_are_joined() -> None:
    assert len(parse(message("To: a@x.example", "To: b@x.example")).to) == 2


def test_identifiers_survive_junk_and_stay_bounded() -> None:
    many = " ".join(f"<{number}@x>" for number in range(150))
    parsed = parse(
        message('In-Reply-To: Your message of "Mon" <a@b> and c@d', f"References: {many}", "Message-ID: odd one")
    )
    assert parsed.in_reply_to == ("a@b",)
    assert len(parsed.references) == 100
    assert parsed.references[-1] == "149@x"
    assert parsed.message_id == "odd"
    assert parse(message("References: a@b c@d")).references == ("a@b", "c@d")
    assert parse(message("References: <a@b\r\n c>")).references == ("a@bc",)


def multipart(kind: str, *parts: bytes, boundary: str = "b1") -> bytes:
    head = f'MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    mark = b"--" + boundary.encode()
    return head + b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nplain words"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>html <b>words</b></p>"
IMAGE = (
    b"Content-Type: image/png; name=logo.png\r\nContent-ID: <i1>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0K"
)


def test_parts_are_numbered_as_imap_numbers_them() -> None:
    inner = b"Subject: inner\r\nFrom: a@x.example\r\n" + multipart("mixed", b"\r\ninner text", IMAGE, boundary="b3")
    single = b"Content-Type: message/rfc822\r\n\r\nSubject: single\r\n\r\nsingle text"
    octets = multipart(
        "mixed",
        multipart("alternative", PLAIN, HTML, boundary="b2"),
        b"Content-Type: message/rfc822\r\n\r\n" + inner,
        single,
        b"Content-Type: application/pdf\r\nContent-Disposition: attachment;"
        b" filename*0*=utf-8''offerte%20;\r\n filename*1*=%E2%82%AC.pdf\r\n\r\nx",
    )
    parsed = parse(octets)
    assert [(part.path, part.content_type, part.kind.value) for part in parsed.parts] == [
        ("1.1", "text/plain", "text"),
        ("1.2", "text/html", "html"),
        ("2", "message/rfc822", "message"),
        ("2.1", "text/plain", "text"),
        ("2.2", "image/png", "inline"),
        ("3", "message/rfc822", "message"),
        ("3.1", "text/plain", "text"),
        ("4", "application/pdf", "attachment"),
    ]
    assert parsed.parts[-1].filename == "offerte €.pdf"
    assert parsed.text == "plain words"
    assert "inner text" in parsed.quoted
    assert "single text" in parsed.quoted
    assert "Subject: inner" in parsed.quoted
    assert part_octets(octets, "2.2") == b"\x89PNG\r\n"
    assert part_octets(octets, "3") == b"Subject: single\r\n\r\nsingle text"
    with pytest.raises(UsageError):
        part_octets(octets, "9.9")


def test_every_part_that_is_listed_can_be_taken_out() -> None:
    octets = multipart("mixed", multipart("alternative", PLAIN, HTML, boundary="b2"), IMAGE, UUENCODED)
    for part in parse(octets).parts:
        assert len(part_octets(octets, part.path)) == part.size, part.path


UUENCODED = b"Content-Type: text/plain\r\n\r\nSee below.\r\nbegin 644 data.bin\r\n#0V%T\r\n`\r\nend\r\nBye."


def test_uuencoded_blocks_are_listed_and_taken_out_of_the_text() -> None:
    parsed = parse(UUENCODED)
    assert parsed.text == "See below.\nBye."
    assert [(part.path, part.filename, part.size) for part in parsed.parts] == [
        ("1", None, len(UUENCODED) - 28),
        ("1.1", "data.bin", 3),
    ]
    assert part_octets(UUENCODED, "1.1") == b"Cat"
    assert parse(b"\r\nbegin 644 of the story\r\nis not data\r\n").text == "begin 644 of the story\nis not data"


def test_html_is_read_only_where_there_is_no_plain_text() -> None:
    assert parse(multipart("alternative", PLAIN, HTML)).text == "plain words"
    assert parse(multipart("alternative", b"Content-Type: text/plain\r\n\r\n \r\n", HTML)).text == "html words"
    assert parse(HTML).text == "html words"


def test_a_message_cut_off_is_read_as_far_as_it_goes() -> None:
    octets = multipart("mixed", PLAIN, HTML)
    parsed = parse(octets[: octets.index(b"html words") if b"html words" in octets else octets.index(b"<p>") + 7])
    assert parsed.text.startswith("plain words")
    assert "multipart-unclosed" in codes(parsed)


def test_a_multipart_without_boundary_becomes_text() -> None:
    parsed = parse(b"Content-Type: multipart/mixed\r\n\r\nthe words")
    assert (parsed.text, codes(parsed)) == ("the words", {"boundary-missing"})


@pytest.mark.parametrize("media", ["message/rfc822", "message/global"])
def test_a_multipart_in_a_message_that_turns_out_to_have_no_parts_has_a_number_of_its_own(media: str) -> None:
    octets = b"Content-Type: %b\r\n\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\nthe words\r\n" % media.encode()
    parsed = parse(octets)
    assert [(part.path, part.content_type) for part in parsed.parts] == [("1", media), ("1.1", "text/plain")]
    assert part_octets(octets, "1.1") == b"the words\r\n"
    assert codes(parsed) == {"boundary-missing"}


def test_a_wrong_boundary_is_found_out() -> None:
    octets = multipart("mixed", PLAIN, HTML).replace(b'boundary="b1"', b'boundary="wrong"')
    assert [part.content_type for part in parse(octets).parts] == ["text/plain", "text/html"]


def test_a_boundary_that_begins_like_another_is_not_taken_for_it() -> None:
    inner = multipart("alternative", PLAIN, HTML, boundary="b1-x")
    assert [part.path for part in parse(multipart("mixed", inner, IMAGE)).parts] == ["1.1", "1.2", "2"]


def test_delimiter_lines_written_twice_make_no_part() -> None:
    octets = multipart("mixed", PLAIN).replace(b"--b1\r\n", b"--b1\r\n--b1\r\n")
    assert [part.path for part in parse(octets).parts] == ["1"]


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("base64", b"d29y\r\nZHM=\r\n", "words"),
        ("base64", b"d29yZHM", "words"),
        ("base64", b"d29y=\r\nZHM=", "words"),
        ("base64", b"d29yZHM=\r\n_____\r\nlist footer!", "words"),
        ("base64", b"these are plain words, not encoded.", "these are plain words, not encoded."),
        ("BASE64 ", b"d29yZHM=", "words"),
        ("quoted-printable", b"w=6Frds =\r\nmore", "words more"),
        ("quoted-printable", b"100 % =ZZ", "100 % =ZZ"),
        ("8-bit", b"words", "words"),
        ("x-nonsense", b"words", "words"),
    ],
)
def test_transfer_encodings_are_undone_tolerantly(encoding: str, body: bytes, text: str) -> None:
    assert parse(message(f"Content-Transfer-Encoding: {encoding}", body=body)).text == text


def test_a_header_line_that_is_no_field_does_not_end_the_header() -> None:
    parsed = parse(b"From: a@x.example\r\nnonsense here\r\nSubject: still read\r\n\r\nbody")
    assert (parsed.subject, parsed.text, codes(parsed)) == ("still read", "body", {"header-syntax"})


def test_a_missing_empty_line_begins_the_body_at_the_first_line_that_is_no_field() -> None:
    parsed = parse(b"Subject: x\r\nDear all,\r\nthis: is text\r\n")
    assert (parsed.subject, parsed.text) == ("x", "Dear all,\nthis: is text")


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends_are_understood(ends: bytes) -> None:
    parsed = parse(multipart("mixed", PLAIN, HTML).replace(b"\r\n", ends))
    assert (parsed.text, len(parsed.parts)) == ("plain words\n\nhtml words", 2)


def test_an_mbox_line_before_the_header_is_skipped() -> None:
    assert parse(b"From jan Tue Mar  3 10:15:00 2026\nSubject: x\n\n").subject == "x"


def test_invitations_and_delivery_reports_are_readable() -> None:
    calendar = (
        b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
        b"SUMMARY:Overleg\\, deel 2\r\nDTSTART;TZID=Europe/Brussels:20260303T101500\r\nLOCATION:Zaal\r\n  4\r\n"
        b'ORGANIZER;CN="Jan: P":mailto:jan@x.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
    )
    report = b"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; weg@x.example\r\nStatus: 5.1.1\r\n"
    parsed = parse(multipart("report", PLAIN, calendar, report))
    assert "Summary: Overleg, deel 2\nStart: 2026-03-03 10:15 (Europe/Brussels)\nLocation: Zaal 4" in parsed.text
    assert "Organizer: Jan: P <jan@x.example>" in parsed.text
    assert "weg@x.example" in parsed.text
    assert [part.kind.value for part in parsed.parts] == ["text", "calendar", "report"]


def test_signatures_are_listed_as_such() -> None:
    signed = multipart("signed", PLAIN, b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\nx")
    opaque = b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"
    assert parse(signed).parts[1].kind is PartKind.SIGNATURE
    assert parse(signed).defects == ()
    assert (parse(opaque).parts[0].kind, codes(parse(opaque))) == (PartKind.SIGNATURE, {"smime-unread"})


def tnef_attribute(level: int, identifier: int, data: bytes) -> bytes:
    return bytes([level]) + identifier.to_bytes(4, "little") + len(data).to_bytes(4, "little") + data + b"\0\0"


TNEF = (
    b"\x78\x9f\x3e\x22\x01\x00"
    + tnef_attribute(1, 0x0002800C, b"body words\0")
    + tnef_attribute(2, 0x00069002, b"\0" * 14)
    + tnef_attribute(2, 0x00018010, b"SHORT~1.TXT\0")
    + tnef_attribute(2, 0x0006800F, b"content")
    + tnef_attribute(
        2,
        0x00069005,
        (1).to_bytes(4, "little") + b"\x1f\x00\x07\x37" + (1).to_bytes(4, "little")
        + (22).to_bytes(4, "little") + "lange.txt\0é".encode("utf-16-le") + b"\0\0",
    )
)  # fmt: skip


def test_members_of_winmail_dat_are_listed_and_can_be_taken_out() -> None:
    octets = message(
        "Content-Type: application/ms-tnef; name=winmail.dat", "Content-Transfer-Encoding: base64",
        body=base64.encodebytes(TNEF),
    )  # fmt: skip
    parsed = parse(octets)
    assert [part.path for part in parsed.parts] == ["1", "1.1"]
    assert (parsed.parts[1].filename or "").startswith("lange.txt")
    assert part_octets(octets, "1.1") == b"content"
    assert parsed.text == "body words"
    assert parsed.defects == ()


def test_a_damaged_winmail_dat_never_raises() -> None:
    for length in range(len(TNEF)):
        read_tnef(TNEF[:length])
        read_tnef(TNEF[:length] + b"\xff" * 40)
    damaged = read_tnef(TNEF[:-5])
    assert damaged is not None
    assert not damaged.whole


def test_nesting_parts_and_text_are_bounded_and_the_bound_is_noted() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(300))
    assert "depth-limit" in codes(parse(deep))
    many = multipart("mixed", *[b"\r\nx"] * 1500)
    assert "part-limit" in codes(parse(many))
    assert len(parse(many).parts) <= 1000
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 5000
    assert "depth-limit" in codes(parse(nested))
    long = parse(b"\r\n" + b"words words\r\n" * 300_000)
    assert len(long.text) <= 2 << 20
    assert "text-limit" in codes(long)


def test_a_fault_of_ours_costs_one_piece_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.mail.text.read_body", lambda *_, **__: 1 / 0)
    parsed = parse(message("Subject: kept", body=b"x"))
    assert parsed.subject == "kept"
    assert parsed.defects == (Defect("parse-failed", "body: ZeroDivisionError"),)


def test_the_header_alone_is_read_of_a_message_that_breaks_its_bounds() -> None:
    parsed = parse_header(
        message("Subject: kept", "Content-Type: multipart/mixed; boundary=b", body=b"x"), Defect("parse-timeout")
    )
    assert (parsed.subject, parsed.text) == ("kept", "")
    assert parsed.defects[0] == Defect("parse-timeout")


def test_names_of_files_keep_no_directories() -> None:
    part = b'Content-Type: application/pdf; name="..\\\\..\\\\x.pdf"\r\n\r\n'
    assert parse(part).parts[0].filename == "x.pdf"
    assert parse(b"Content-Type: application/pdf; name=../../etc/passwd\r\n\r\n").parts[0].filename == "passwd"


def test_the_header_is_shown_in_order_decoded_and_unfolded() -> None:
    octets = b"Received: a\r\n b\r\nReceived: c\r\nsubject: =?utf-8?q?=C3=A9?=\r\nmessage-id: <x>\r\n\r\nbody: no"
    assert header_lines(octets) == [("Received", "a b"), ("Received", "c"), ("Subject", "é"), ("Message-ID", "<x>")]


def test_what_python_writes_is_read_back() -> None:
    written = EmailMessage()
    written["From"] = "Zoë Maes <zoe@x.example>"
    written["Subject"] = "Überraschung für José — €" * 5
    written.set_content("Grüße\n")
    written.add_attachment(
        b"\0\1", maintype="application", subtype="octet-stream", filename="überlanger name € " * 6 + ".bin"
    )
    parsed = parse(bytes(written))
    assert parsed.subject == "Überraschung für José — €" * 5
    assert parsed.from_ == (EmailAddress("Zoë Maes", "zoe@x.example"),)
    assert parsed.text == "Grüße"
    assert parsed.parts[1].filename == " ".join(("überlanger name € " * 6 + ".bin").split())
    assert parsed.defects == ()


def test_every_code_says_what_it_means() -> None:
    assert all(meaning and code == code.lower() for code, meaning in CODES.items())


@pytest.mark.parametrize(
    "field",
    [
        b"Message-ID: " + b"m" * 500_000,
        b"References: <" + b" " * 500_000 + b"x",
        b"Content-Type: text/plain" + b";" * 500_000,
    ],
    ids=["a word without an at", "a bracket and blanks", "semicolons"],
)
def test_what_is_looked_for_in_a_field_is_gone_through_once(field: bytes) -> None:
    """Gone through from each of its characters anew, each of these takes minutes to hours: then this does not end."""
    assert parse(field + b"\r\nSubject: x\r\n\r\nbody\r\n").subject == "x"
