"""The invented mail is valid, repeatable and belongs to nobody."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from archiver.mail.parse import parse
from demo import attachments
from demo.people import DOMAIN, customers
from demo.phrases import PAPERS
from demo.synthetic import SOLVED, START, SyntheticMail, messages

COUNT = 200
RICH = list(messages(5, COUNT))
BULK = list(messages(5, COUNT, bulk=True))
BOTH = pytest.mark.parametrize("mails", [RICH, BULK], ids=["rich", "bulk"])


def parsed(mail: SyntheticMail) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(mail.octets)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("bulk", [False, True])
def test_the_same_seed_gives_the_same_octets_and_another_seed_others(bulk: bool) -> None:
    def digest(seed: int) -> str:
        return hashlib.sha256(b"".join(m.octets for m in messages(seed, 50, bulk=bulk))).hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


@BOTH
def test_exactly_as_many_as_asked_come_in_the_order_of_their_dates(mails: list[SyntheticMail]) -> None:
    assert len(mails) == COUNT
    assert all(a.sent_at <= b.sent_at for a, b in itertools.pairwise(mails))
    assert mails[0].sent_at >= START
    assert timedelta(days=300) < mails[-1].sent_at - START < timedelta(days=430)


@BOTH
def test_every_message_parses_without_a_defect(mails: list[SyntheticMail]) -> None:
    for mail in mails:
        message = parsed(mail)
        for part in message.walk():
            assert part.defects == []
            if part.get_content_charset() is not None:
                assert "\ufffd" not in part.get_content()
        for name in ("Date", "From", "To", "Subject", "Message-ID"):
            assert message[name] is not None
            assert message[name].defects == ()
        assert message["Date"].datetime == mail.sent_at


@BOTH
def test_lines_end_in_cr_lf_and_are_of_lawful_length(mails: list[SyntheticMail]) -> None:
    """RFC 5322 §2.1.1: 998 characters without the line end."""
    for mail in mails:
        assert b"\n" not in mail.octets.replace(b"\r\n", b"")
        assert b"\r" not in mail.octets.replace(b"\r\n", b"")
        assert max(map(len, mail.octets.split(b"\r\n"))) <= 998


@BOTH
def test_every_address_lies_in_a_reserved_domain(mails: list[SyntheticMail]) -> None:
    """RFC 2606 §2: no such name can ever belong to anybody."""
    for mail in mails:
        found = re.findall(rb"@([a-z0-9.-]+)", mail.octets.replace(b"=\r\n", b""))
        assert found
        assert all(domain.rstrip(b".").endswith((b".example", b".test")) for domain in found)


@BOTH
def test_a_conversation_is_one_chain_of_references(mails: list[SyntheticMail]) -> None:
    known: dict[str, int] = {}
    answers = 0
    for mail in mails:
        message = parsed(mail)
        parent = message["In-Reply-To"]
        if parent is not None:
            answers += 1
            assert known[str(parent)] == mail.conversation
        known[str(message["Message-ID"])] = mail.conversation
    assert answers > COUNT / 3


def test_the_year_has_all_that_mail_has() -> None:
    kinds: Counter[str] = Counter()
    for mail in RICH:
        message = parsed(mail)
        kinds.update({part.get_content_type() for part in message.walk()})
        kinds.update({f"charset {part.get_content_charset()}" for part in message.walk() if part.get_content_charset()})
        kinds.update({f"file .{n.rpartition('.')[2]}" for p in message.walk() if (n := p.get_filename())})
        if not message["From"].addresses[0].display_name.isascii():
            kinds["accents in a name"] += 1
    wanted = {
        "text/plain",
        "text/html",
        "multipart/alternative",
        "multipart/mixed",
        "message/rfc822",
        "charset utf-8",
        "charset iso-8859-1",
        "file .pdf",
        "file .docx",
        "file .png",
        "file .csv",
        "file .log",
        "accents in a name",
    }
    assert wanted <= set(kinds)
    assert {m.mailbox for m in RICH} == {"INBOX", "Sent", SOLVED}
    assert {m.account for m in RICH} == {"info", "support"}
    assert {c.language for c in customers() if c.reference in {m.customer for m in RICH}} == {"nl", "fr", "en"}


def test_a_closed_conversation_lies_in_two_mailboxes_with_the_same_octets() -> None:
    solved = [mail for mail in RICH if mail.mailbox == SOLVED]
    elsewhere = {mail.octets for mail in RICH if mail.mailbox != SOLVED}
    assert solved
    assert all(mail.octets in elsewhere for mail in solved)


def test_customers_are_told_apart_by_reference_domain_and_licence() -> None:
    everyone = customers()
    assert len(everyone) >= 25
    for attribute in ("reference", "domain", "licence", "company"):
        assert len({getattr(customer, attribute) for customer in everyone}) == len(everyone)
    assert all(customer.domain != DOMAIN for customer in everyone)


def test_attached_files_begin_and_end_as_their_format_demands() -> None:
    import io
    import zipfile

    text = "Zilverlinde – (Hôtel) \\ €"
    assert attachments.make("pdf", text).startswith(b"%PDF-1.4\n")
    assert attachments.make("pdf", text).endswith(b"%%EOF\n")
    assert attachments.make("png", text).endswith(b"IEND\xaeB`\x82")
    with zipfile.ZipFile(io.BytesIO(attachments.make("docx", text))) as docx:
        assert docx.testzip() is None
        assert text in docx.read("word/document.xml").decode()


def test_an_attached_paper_says_what_no_mail_says_and_archiver_reads_it() -> None:
    languages = {customer.reference: customer.language for customer in customers()}
    papers = 0
    for mail in RICH:
        message = parse(mail.octets)
        said = {attached.path: attached.text for attached in message.attached}
        for part in message.parts:
            paper = PAPERS.get((languages[mail.customer], (part.filename or "").rpartition(".")[2]))
            if paper is not None:
                last = paper.split("\n")[-1].partition(":")[0].strip()
                assert last in said[part.path]
                assert last not in message.text + message.quoted
                papers += 1
    assert papers > 5


def test_the_cross_references_of_a_pdf_point_at_its_objects() -> None:
    pdf = attachments.make("pdf", "x")
    table = int(pdf.split(b"startxref\n")[1].split()[0])
    assert pdf[table:].startswith(b"xref\n")
    offsets = [int(line[:10]) for line in pdf[table:].split(b"\n")[3:9]]
    for number, offset in enumerate(offsets, start=1):
        assert pdf[offset:].startswith(b"%d 0 obj\n" % number)
