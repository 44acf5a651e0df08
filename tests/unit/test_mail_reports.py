"""Delivery reports: whom they are about, which message came back, and what is no report."""

from __future__ import annotations

import pytest

from archiver.mail.parse import parse
from archiver.model.message import Message

COPY = (
    "Message-ID: <weg@firma.example>\nFrom: an@firma.example\nTo: Jan <jan@klant.example>\nCc: eva@klant.example\n"
    "Subject: Uw sleutel\n"
)
DAEMON = "From: Mail Delivery System <MAILER-DAEMON@relay.example>\nTo: an@firma.example\nSubject: Undelivered\n"


def report(
    status: str, returned: str = f"Content-Type: message/rfc822\n\n{COPY}\ntekst", header: str = DAEMON
) -> Message:
    parts = ["Content-Type: text/plain\n\nsorry", f"Content-Type: message/delivery-status\n\n{status}", returned]
    body = "".join(f"--b\n{part}\n" for part in parts if part) + "--b--\n"
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n"
    return parse(f"{header}{kind}\n{body}".encode())


def plain(text: str, header: str = DAEMON) -> Message:
    return parse(f"{header}\n{text}\n".encode())


def about(message: Message) -> list[str]:
    return [one.addr_spec for one in message.reported]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            "Reporting-MTA: dns; r.example\n\nFinal-Recipient: rfc822; jan@klant.example\nAction: failed",
            ["jan@klant.example"],
        ),
        ("\nReporting-MTA: dns; r\n\n\nFinal-Recipient: RFC822;<jan@klant.example>\n", ["jan@klant.example"]),
        (
            (
                "Reporting-MTA: dns; r\n\nOriginal-Recipient: rfc822;jan@klant.example\n"
                "Final-Recipient: rfc822;jp123@intern.klant.example\n\nFinal-Recipient: rfc822; eva@klant.example"
            ),
            ["jan@klant.example", "jp123@intern.klant.example", "eva@klant.example"],
        ),
        ("Reporting-MTA: dns; r\n\nFinal-Recipient: utf-8; jörg@klant.example", ["jörg@klant.example"]),
        ("Reporting-MTA: dns; r\n\nFinal-Recipient: utf-8; j\\x{F6}rg@klant.example", ["jörg@klant.example"]),
        (
            "Reporting-MTA: dns; r\n\nOriginal-Recipient: rfc822; jan+2Bfacturen@klant.example",
            ["jan+facturen@klant.example"],
        ),
        ("Reporting-MTA: dns; r\n\nFinal-Recipient: jan@klant.example", ["jan@klant.example"]),
        # nothing to be read there: whom the returned message was for
        ("Reporting-MTA: dns; r\n\nFinal-Recipient: x400; /c=be/", ["jan@klant.example", "eva@klant.example"]),
        ("", ["jan@klant.example", "eva@klant.example"]),
    ],
)
def test_a_report_names_the_recipients_of_its_status(status: str, expected: list[str]) -> None:
    assert about(report(status)) == expected


STATUS = "Reporting-MTA: dns; r\n\nFinal-Recipient: rfc822; jan@klant.example"


@pytest.mark.parametrize(
    "returned",
    [
        f"Content-Type: message/rfc822\n\n{COPY}\ntekst",
        f"Content-Type: text/rfc822-headers\n\n{COPY}",
        f"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{COPY}\ntekst",
    ],
)
def test_a_report_joins_the_thread_of_what_came_back(returned: str) -> None:
    message = report(STATUS, returned)
    assert message.references == ("weg@firma.example",)
    assert message.automatic
    assert message.forwarded == (), "what is returned is not forwarded"


def test_references_that_are_there_stay_and_none_comes_twice() -> None:
    header = DAEMON + "References: <eerst@firma.example> <weg@firma.example>\n"
    assert report(STATUS, header=header).references == ("eerst@firma.example", "weg@firma.example")
    header = DAEMON + "References: <eerst@firma.example>\n"
    assert report(STATUS, header=header).references == ("eerst@firma.example", "weg@firma.example")


@pytest.mark.parametrize(
    "text",
    [
        (
            "Hi. This is the qmail-send program at relay.example.\nI'm afraid I wasn't able to deliver "
            "your message to the following addresses.\n\n<jan@klant.example>:\nSorry, no mailbox here by that "
            "name. (#5.1.1)\n\n"
            f"--- Below this line is a copy of the message.\n\nReturn-Path: <an@firma.example>\n{COPY}"
        ),
        (
            "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
            "delivered to one or more of its recipients.\n\n  jan@klant.example\n"
            "    SMTP error from remote mail server: 550\n\n"
            f"------ This is a copy of the message, including all the headers. ------\n\n{COPY}"
        ),
        (
            "I'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n"
            f"<jan@klant.example>: host mx.klant.example[192.0.2.1] said: 550 User\n    unknown\n\n{COPY}"
        ),
        (
            "Your message did not reach some or all of the intended recipients.\n\n"
            "      Subject:\tUw sleutel\n      Sent:\t3/3\n\n"
            f"The following recipient(s) cannot be reached:\n\n      jan@klant.example on 3/3/2026 10:15\n\n{COPY}"
        ),
        f"   ----- The following addresses had permanent fatal errors -----\n<jan@klant.example>\n\n{COPY}",
        f"Your message to jan@klant.example couldn't be delivered.\n\nOriginal Message Headers\n\n{COPY}",
        f"Uw bericht aan <jan@klant.example> kon niet worden bezorgd.\n\n{COPY}",
        f"Votre message à jan@klant.example n'a pas pu être remis.\n\n{COPY}",
    ],
)
def test_reports_in_words_are_read_when_a_mail_server_sends_them(text: str) -> None:
    message = plain(text)
    assert about(message) == ["jan@klant.example"]
    assert message.references == ("weg@firma.example",)
    person = "From: Eva <eva@ander.example>\nTo: an@firma.example\nSubject: Fout?\n"
    assert plain(text, person).reported == ()
    assert plain(text, person).references == ()


@pytest.mark.parametrize(
    "sender",
    ["postmaster@relay.example", "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@firma.example", "mailer-daemon"],
)
def test_a_mail_server_is_known_by_its_address(sender: str) -> None:
    assert about(plain("<jan@klant.example>: onbekend", f"From: {sender}\n")) == ["jan@klant.example"]
    assert about(plain("<jan@klant.example>: onbekend", f"From: x-{sender}\n")) == []


def test_the_field_of_exim_and_gmail_comes_before_words() -> None:
    header = DAEMON + "X-Failed-Recipients: jan@klant.example, eva@klant.example\n"
    assert about(plain("<ander@klant.example>: onbekend", header)) == ["jan@klant.example", "eva@klant.example"]
    person = "From: mal@kwaad.example\nX-Failed-Recipients: jan@klant.example\n"
    assert about(plain("x", person)) == []


def test_neither_who_reports_nor_who_is_told_is_reported() -> None:
    status = "R: 1\n\nFinal-Recipient: rfc822; AN@firma.example\n\nFinal-Recipient: rfc822; mailer-daemon@relay.example"
    assert about(report(status, returned="")) == []


@pytest.mark.parametrize("media", ["message/disposition-notification", "message/global-disposition-notification"])
def test_a_receipt_joins_its_message_and_reports_on_nobody(media: str) -> None:
    body = (
        "From: jan@klant.example\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
        f"--b\n\ngelezen\n--b\nContent-Type: {media}\n\nReporting-UA: x\nFinal-Recipient: rfc822; jan@klant.example\n"
        "Original-Message-ID: <weg@firma.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n"
    )
    message = parse(body.encode())
    assert message.references == ("weg@firma.example",)
    assert message.reported == ()


def test_a_complaint_is_about_the_recipient_that_it_names() -> None:
    complaint = (
        "From: abuse@relay.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <jan@klant.example>\n"
        f"--b\nContent-Type: message/rfc822\n\n{COPY}\n--b--\n"
    )
    assert about(parse(complaint.encode())) == ["jan@klant.example"]


def test_a_complaint_about_nobody_and_a_report_that_somebody_forwards_are_no_reports() -> None:
    complaint = (
        "From: abuse@relay.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
        f"--b\nContent-Type: message/rfc822\n\n{COPY}\n--b--\n"
    )
    assert parse(complaint.encode()).reported == ()
    inner = (
        f"{DAEMON}Content-Type: multipart/report; boundary=c\n\n"
        f"--c\nContent-Type: message/delivery-status\n\n{STATUS}\n--c--\n"
    )
    outer = (
        "From: eva@ander.example\nContent-Type: multipart/mixed; boundary=b\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    )
    assert parse(outer.encode()).reported == ()
    daemon = outer.replace("eva@ander.example", "postmaster@firma.example", 1)
    assert "jan@klant.example" not in about(parse(daemon.encode()))


def test_a_report_on_thousands_is_bounded() -> None:
    status = "R: 1\n\n" + "\n\n".join(f"Final-Recipient: rfc822; k{number}@klant.example" for number in range(2000))
    assert 0 < len(report(status).reported) <= 50
