"""Situations in which a program answers: delivery reports, absence notes, receipts."""

from __future__ import annotations

from tests.labelled.letters import Letter
from tests.labelled.situations import Labelled, Scene, box, situation
from tests.labelled.world import OWN_DOMAIN


def _returned(scene: Scene, recipient: str) -> bytes:
    return scene.writer.octets(scene.letter(scene.colleague(), scene.language, to=recipient))


def _report(scene: Scene, recipient: str, *, whole: bool = True, original: str = "") -> Letter:
    boundary = f"dsn{scene.random.randrange(16**6):06x}"
    message = _returned(scene, original or recipient)
    head = message.partition(b"\r\n\r\n")[0] + b"\r\n"
    status = f"Reporting-MTA: dns; mx.provider.example\n\nFinal-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\n"
    if original:
        status = status.replace("Final-Recipient", f"Original-Recipient: rfc822;{original}\nFinal-Recipient", 1)
    parts = [
        b"Content-Type: text/plain; charset=utf-8\n\n" + f"I'm sorry to have to inform you that your message could not be delivered.\n\n<{recipient}>: user unknown\n".encode(),
        b"Content-Type: message/delivery-status\n\n" + status.encode(),
        b"Content-Type: message/rfc822\n\n" + message if whole else b"Content-Type: text/rfc822-headers\n\n" + head,
    ]  # fmt: skip
    payload = b"".join(f"--{boundary}\n".encode() + part + b"\n" for part in parts) + f"--{boundary}--\n".encode()
    letter = Letter(
        "Mail Delivery System <MAILER-DAEMON@mx.provider.example>", to=f"wannes@{OWN_DOMAIN}",
        subject="Undelivered Mail Returned to Sender",
        content_type=f'multipart/report; report-type=delivery-status; boundary="{boundary}"', payload=payload,
    )  # fmt: skip
    letter.extra = (("Return-Path", "<>"), ("Auto-Submitted", "auto-replied"))
    return letter


@situation
def delivery_report_about_mail_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(_report(scene, a.person.email, whole=scene.random.random() < 0.5), a)


@situation
def delivery_report_after_the_contacts_mailbox_redirected(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(_report(scene, "somebody.else@gmail.com", original=a.person.email), a)


@situation
def delivery_report_about_mail_to_a_stranger(scene: Scene) -> Labelled:
    return scene.done(_report(scene, scene.stranger()[1]))


@situation
def delivery_report_in_plain_words(scene: Scene) -> Labelled:
    a = scene.firm()
    address = a.person.email
    body = scene.random.choice(
        (
            (
                "Hi. This is the qmail-send program at mx.provider.example.\nI'm afraid I wasn't able to deliver your message to the "
                f"following addresses.\n\n<{address}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
                f"Return-Path: <wannes@{OWN_DOMAIN}>\nFrom: wannes@{OWN_DOMAIN}\nTo: {address}\nSubject: Offerte\n\nBeste\n"
            ),
            (
                "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more "
                f"of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {address}\n    Unrouteable address\n"
            ),
        )
    )
    letter = Letter(
        "Mail Delivery Subsystem <mailer-daemon@mx.provider.example>", to=f"wannes@{OWN_DOMAIN}",
        subject="failure notice", body=body,
    )  # fmt: skip
    letter.extra = (("Return-Path", "<>"),)
    return scene.done(letter, a)


@situation
def absence_note_of_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language, subject="Automatisch antwoord: Offerte")
    letter.extra = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"))
    return scene.done(letter, a)


@situation
def read_receipt_of_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    boundary = "mdn0"
    payload = (
        f"--{boundary}\nContent-Type: text/plain\n\nUw bericht is gelezen.\n--{boundary}\nContent-Type: message/disposition-notification\n\n"
        f"Final-Recipient: rfc822;{a.person.email}\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--{boundary}--\n"
    )
    letter = Letter(
        box(a.person), to=f"wannes@{OWN_DOMAIN}", subject="Gelezen: Offerte",
        content_type=f'multipart/report; report-type=disposition-notification; boundary="{boundary}"', payload=payload.encode(),
    )  # fmt: skip
    return scene.done(letter, a)
