"""Whatever the octets, a message comes out, and nothing in it that a database or a terminal would choke on."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.mail import wire
from archiver.mail.charset import decode
from archiver.mail.dates import field_date, internal_date
from archiver.mail.defects import CODES
from archiver.mail.extract import header_lines, part_octets
from archiver.mail.html import html_to_text
from archiver.mail.identifiers import identifiers
from archiver.mail.parse import parse
from archiver.mail.quotes import split_quotes
from archiver.mail.text import parse_text, texts
from archiver.model.message import Message
from tests.twins.awkward import awkward

PIECES = st.sampled_from(
    [
        b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Content-Type: ", b"Content-Transfer-Encoding: ",
        b"Received: ", b"References: ", b"Content-Disposition: attachment; filename",
        b"multipart/mixed; boundary=", b"multipart/alternative; boundary=b", b"text/html", b"text/plain; charset=",
        b"message/rfc822", b"text/calendar", b"application/ms-tnef", b"base64", b"quoted-printable", b"x-uuencode",
        b"utf-8", b"utf-7", b"iso-2022-jp", b"idna", b"--b", b"--b--", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n",
        b" ", b"\t", b'"', b"<", b">", b"@", b",", b";", b":", b"(", b")", b"\\", b"=?utf-8?q?", b"=?gb2312?b?",
        b"?=", b"=", b"*0*=", b"\x00", b"\xff", b"\xc3\xa9", b"+2AA-", b"\x1b$B", b"begin 644 x\n", b"end\n",
        b"#0V%T\n", b"<p>", b"<blockquote>", b"BEGIN:VEVENT\n", b'x\x9f>"\x01\x00', b"On 1 x wrote:", b"> ",
        b"From: x\nSent: 1\nTo: y\n", b"From: <a@x.example>\n", b"Subject: FW: ", b"Subject: RE: ", b"List-Id: <l.x>\n",
        b"X-Original-From: <b@x.example>\n", b" via x ", b"=40", b".invalid", b"multipart/report; boundary=b",
        b"message/delivery-status", b"Final-Recipient: rfc822; ", b"From: mailer-daemon@x.example\n", b"BE0428759497",
        b"application/pkcs7-mime", b"MIAGCSqGSIb3DQEHAqCAMIACAQExADCABgkqhkiG9w0BBwGggCSABAJ",
        b"0428.759.497", b"BTW ", b"NL ", b"---------- Forwarded message ---------\n", b"Begin forwarded message:\n",
    ]
)  # fmt: skip
MADE_UP = st.lists(PIECES | st.binary(max_size=8), max_size=60).map(b"".join)

SAMPLE = (
    b"From: =?utf-8?q?J=C3=B6rg?= <a@x.example>\r\nTo: b@x.example\r\nSubject: test\r\n"
    b"Date: Tue, 3 Mar 2026 10:15:00 +0100\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nd=C3=A9j=C3=A0 vu\r\n> old\r\n--b\r\n"
    b"Content-Type: text/html\r\n\r\n<p>x</p>\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n"
    b"\r\ninner\r\n--b\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"\r\nQUJD\r\n--b--\r\n"
)

UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def holds(message: Message) -> None:
    """What is true of every message that leaves the package."""
    texts = [message.subject, message.text, message.quoted, message.message_id or "", message.list_id or ""]
    texts += [*message.references, *message.in_reply_to, *message.vat_numbers, message.forwarded_text]
    evidence = (*message.author, *message.forwarded, *message.reported)
    senders = (*message.from_, *message.sender, *message.reply_to)
    for one in (*senders, *evidence, *message.to, *message.cc, *message.bcc, *message.delivered_to):
        texts += [one.name, one.addr_spec]
    for part in message.parts:
        texts += [part.path, part.content_type, part.filename or "", part.content_id or "", part.charset or ""]
    for text in texts:
        text.encode("utf-8")
        assert UNWANTED.search(text) is None
    assert all(one.domain for one in evidence)
    assert len(message.vat_numbers) <= 20
    for moment in (message.sent_at, message.arrived_at):
        assert moment is None or moment.utcoffset() is not None
    for defect in message.defects:
        assert defect.code in CODES
        assert not defect.code.startswith("parse-"), defect
    assert len({part.path for part in message.parts}) == len(message.parts)
    assert wire.decode(wire.encode(message)) == message


def reads_alone(octets: bytes, message: Message) -> None:
    """The text that is read without the header is the text of the whole."""
    alone = parse_text(octets)
    assert (alone.text, alone.quoted, alone.parts) == (message.text, message.quoted, message.parts)
    assert texts(octets) == (message.text, message.quoted)


@given(st.binary(max_size=400) | MADE_UP)
@example(b"")
@example(b"\n")
@example(b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n--\r\n")
@example(b"Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed\r\n\r\nx")
@settings(max_examples=400, deadline=None)
def test_any_octets_make_a_message(octets: bytes) -> None:
    message = parse(octets)
    holds(message)
    reads_alone(octets, message)
    header_lines(octets)
    for part in message.parts:
        part_octets(octets, part.path)


@given(st.integers(0, len(SAMPLE)), st.integers(0, len(SAMPLE)), st.binary(max_size=20) | PIECES)
@settings(max_examples=300, deadline=None)
def test_mail_with_pieces_lost_or_replaced_makes_a_message(start: int, length: int, new: bytes) -> None:
    octets = SAMPLE[:start] + new + SAMPLE[start + length % 60 :]
    message = parse(octets)
    holds(message)
    reads_alone(octets, message)
    for part in message.parts:
        part_octets(octets, part.path)


@given(st.integers(0, len(SAMPLE)))
@settings(max_examples=100, deadline=None)
def test_mail_cut_off_anywhere_makes_a_message(length: int) -> None:
    holds(parse(SAMPLE[:length]))


@given(
    st.binary(max_size=200),
    st.text(max_size=30) | st.sampled_from(["utf-8", "utf-7", "gb2312", "iso-2022-jp", "utf-16", "hz"]),
)
@settings(max_examples=300, deadline=None)
def test_any_octets_decode_to_clean_text(octets: bytes, label: str) -> None:
    text, code = decode(octets, label)
    text.encode("utf-8")
    assert UNWANTED.search(text) is None
    assert code is None or code in CODES


@given(st.text(max_size=300) | awkward(300))
@settings(max_examples=200, deadline=None)
def test_any_text_is_split_and_no_word_is_lost(text: str) -> None:
    own, quoted = split_quotes(text)
    words = re.findall(r"\w+", text)
    assert sorted(re.findall(r"\w+", own + "\n" + quoted)) == sorted(words) or ">" in text
    html_to_text(text)
    field_date(text)
    internal_date(text)
    identifiers(text)
