"""Who wrote a message whose From a list or a gateway rewrote; and who did not."""

from __future__ import annotations

import pytest

from archiver.mail.parse import parse

LIST = "List-Id: Vragen <vragen.firma.example>\nList-Post: <mailto:vragen@firma.example>\n"


def author(header: str) -> list[str]:
    return [str(one) for one in parse(f"{header}\n\nx\n".encode()).author]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # Google Groups
        (
            ("From: \"'Jan Peeters' via Vragen\" <vragen@firma.example>\n"
            "X-Original-From: Jan Peeters <jan@klant.example>\nX-Original-Sender: jan@klant.example\n"
            "Mailing-list: list vragen@firma.example; contact x+owners@g.example"),
            "Jan Peeters <jan@klant.example>",
        ),
        (
            "From: \"'Jan' via Vragen\" <vragen@firma.example>\nX-Original-Sender: jan@klant.example\n" + LIST.strip(),
            "Jan <jan@klant.example>",
        ),
        # Mailman: the author is in Reply-To, or in Cc
        (
            "From: Jan via Vragen <vragen@firma.example>\nReply-To: Jan <jan@klant.example>\n" + LIST.strip(),
            "Jan <jan@klant.example>",
        ),
        (
            "From: Jan via Vragen <vragen@firma.example>\n"
            "Reply-To: Vragen <vragen@firma.example>, Jan <jan@klant.example>\n" + LIST.strip(),
            "Jan <jan@klant.example>",
        ),
        (
            "From: Jan via Vragen <vragen@firma.example>\nReply-To: vragen@firma.example\n"
            "Cc: Eva <eva@ander.example>, Jan <jan@klant.example>\n" + LIST.strip(),
            "Jan <jan@klant.example>",
        ),
        (
            "From: Vragen <vragen@firma.example>\nReply-To: Jan <jan@klant.example>\n" + LIST.strip(),
            "Jan <jan@klant.example>",
        ),
        # a list in a subdomain of its own
        (
            ("From: Info <info@firma.example>\nX-Original-From: Jan <jan@klant.example>\n"
            "List-Id: <info.lists.firma.example>\n"
            "List-Post: <mailto:info@lists.firma.example>"),
            "Jan <jan@klant.example>",
        ),
        # without a list: a program that writes for somebody
        ("From: Jan via Webwinkel <noreply@winkel.example>\nReply-To: jan@klant.example", "jan@klant.example"),
        ('From: "Jan (via Webwinkel)" <noreply@winkel.example>\nReply-To: jan@klant.example', "jan@klant.example"),
        # written into the address
        ("From: Jan <jan=klant.example@dmarc.firma.example>\n" + LIST.strip(), "Jan <jan@klant.example>"),
        ("From: Jan <jan=40klant.example@dmarc.lists.example>\n" + LIST.strip(), "Jan <jan@klant.example>"),
        ("From: Jan via groups <jan=klant.example@groups.example>", "Jan via groups <jan@klant.example>"),
        ("From: Jan <jan@klant.example.invalid>", "Jan <jan@klant.example>"),
        ("From: Jan <SRS0=HHHH=TT=klant.example=jan@relay.example>", "Jan <jan@klant.example>"),
        ("From: SRS0+aB3d=7x=klant.example=jan@relay.example", "jan@klant.example"),
        ("From: SRS1=abcd=a.example==HHH=TT=klant.example=jan@relay.example", "jan@klant.example"),
        ("From: Jan <prvs=1234ab56cd=jan@klant.example>", "Jan <jan@klant.example>"),
        # Gmail keeps what it took the place of
        (
            "From: jan.klant@gmail.example\nX-Google-Original-From: Jan <jan@klant.example>\nX-Gm-Message-State: AO",
            "Jan <jan@klant.example>",
        ),
    ],
)  # fmt: skip
def test_the_author_behind_a_rewritten_from_is_found(header: str, expected: str) -> None:
    assert author(header) == [expected]


@pytest.mark.parametrize(
    "header",
    [
        "From: Jan <jan@klant.example>",
        "From: Jan <jan@klant.example>\nReply-To: eva@ander.example",
        # a list that left From alone: whatever else the author wrote into the header
        "From: Mal <mal@kwaad.example>\nX-Original-From: Jan <jan@klant.example>\n" + LIST.strip(),
        "From: Mal <mal@kwaad.example>\nReply-To: Jan <jan@klant.example>\n" + LIST.strip(),
        # nor in a list of the domain that its author writes from
        "From: An <an@firma.example>\nX-Original-From: Jan <jan@klant.example>\n" + LIST.strip(),
        "From: An <an@firma.example>\nReply-To: Jan <jan@klant.example>\n" + LIST.strip(),
        # no sign of a list at all
        "From: Mal <mal@kwaad.example>\nX-Original-From: Jan <jan@klant.example>",
        "From: Mal <mal@kwaad.example>\nX-Original-Sender: jan@klant.example",
        "From: Mal <mal@kwaad.example>\nX-Google-Original-From: jan@klant.example",
        "From: Mal <jan=klant.example@kwaad.example>",
        # our own web form: Reply-To is read by itself
        "From: Formulier <info@firma.example>\nReply-To: Jan <jan@klant.example>\nTo: info@firma.example",
        # whom a bounce is about is no author
        "From: bounces+jan=klant.example@lists.example\n" + LIST.strip(),
        "From: vragen-return-12-jan=klant.example@lists.example\n" + LIST.strip(),
        "From: owner-jan=klant.example@lists.example\n" + LIST.strip(),
        # an address in a display name
        'From: "jan@klant.example via Vragen" <vragen@firma.example>\n' + LIST.strip(),
        # several could be meant
        "From: X via Vragen <vragen@firma.example>\nReply-To: jan@klant.example, eva@ander.example\n" + LIST.strip(),
        "From: Vragen <vragen@firma.example>\nReply-To: vragen@firma.example\n" + LIST.strip(),
        "From: Maria Via <maria@klant.example>\nReply-To: eva@ander.example",
        "From: a@x.example, b@y.example\nX-Original-From: jan@klant.example\n" + LIST.strip(),
        "From: jan@x.invalid",
        "From:",
    ],
)
def test_nobody_else_is_taken_for_the_author(header: str) -> None:
    assert author(header) == []


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ("From: a@x.example", False),
        ("Auto-Submitted: no", False),
        ("Auto-Submitted: No (a person)", False),
        ("Precedence: first-class", False),
        ("Return-Path: <a@x.example>", False),
        ("X-Auto-Response-Suppress: DR, RN", False),
        ("Subject: Out of office", False),
        ("Auto-Submitted: auto-replied", True),
        ('Auto-Submitted: auto-generated; owner-email="a@x.example"', True),
        ("Precedence: Bulk", True),
        ("Precedence: list", True),
        ("Precedence: junk", True),
        ("List-Id: <nieuws.x.example>", True),
        ("List-Unsubscribe: <https://x.example/u>", True),
        ("X-Autoreply: yes", True),
        ("X-Autorespond: afwezig", True),
        ("X-Auto-Response-Suppress: All", True),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply", True),
        ("Return-Path: < >", True),
        ("Content-Type: multipart/report; boundary=b", True),
    ],
)  # fmt: skip
def test_what_a_program_sent_says_so_in_its_header(header: str, automatic: bool) -> None:
    body = "--b\n\nx\n--b--\n" if "boundary" in header else "x\n"
    assert parse(f"{header}\n\n{body}".encode()).automatic is automatic
