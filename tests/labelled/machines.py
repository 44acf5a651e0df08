"""Situations in which programs of other makes write: reports of delivery, calendars, signed and sealed mail."""

from __future__ import annotations

import base64

from tests.labelled.letters import Letter
from tests.labelled.situations import SITUATIONS, Labelled, Scene, Situation, box, firm, situation
from tests.labelled.world import OWN_DOMAIN, Firm

_EXCHANGE = f"Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{OWN_DOMAIN}>"
_GOOGLE = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"


def _parts(boundary: str, *parts: tuple[str, str]) -> bytes:
    return "".join(f"--{boundary}\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts).encode() + f"--{boundary}--\n".encode()  # fmt: skip


def _report(from_: str, subject: str, *parts: tuple[str, str], kind: str = "delivery-status") -> Letter:
    letter = Letter(
        from_, to=f"wannes@{OWN_DOMAIN}", subject=subject,
        content_type=f'multipart/report; report-type={kind}; boundary="rp"', payload=_parts("rp", *parts),
    )  # fmt: skip
    letter.extra = (("Return-Path", "<>"), ("Auto-Submitted", "auto-replied"))
    return letter


def _original(scene: Scene, a: Firm, to: str | None = None) -> str:
    return scene.writer.octets(scene.letter(f"wannes@{OWN_DOMAIN}", a.language, to=to or a.person.email)).decode()


def _status(recipient: str, action: str = "failed", status: str = "5.1.1") -> str:
    return (
        f"Reporting-MTA: dns;mx.provider.example\n\nFinal-Recipient: {recipient}\nAction: {action}\nStatus: {status}\n"
    )


@situation
def report_by_exchange_in_html(scene: Scene) -> Labelled:
    a = scene.firm()
    html = f"<html><body><p>Delivery has failed to these recipients or groups:</p><p><a href='mailto:{a.person.email}'>{a.person.email}</a></p></body></html>"
    letter = _report(
        _EXCHANGE, "Undeliverable: Offerte", ("text/html; charset=utf-8", html),
        ("message/delivery-status", _status(f"rfc822;{a.person.email}")), ("message/rfc822", _original(scene, a)),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def report_by_our_own_postmaster_in_words(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"postmaster@{OWN_DOMAIN}", "en", to=f"wannes@{OWN_DOMAIN}", subject="Undeliverable: Offerte",
        body=f"Delivery has failed to these recipients or groups:\n\n{a.person.email}\nThe email address you entered couldn't be found.\n",
    )  # fmt: skip
    letter.extra = (("Return-Path", "<>"), ("Auto-Submitted", "auto-replied"))
    return scene.done(letter, a)


@situation
def report_by_google_with_the_failed_recipient_in_a_field(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = Letter(
        _GOOGLE, to=f"wannes@{OWN_DOMAIN}", subject="Delivery Status Notification (Failure)",
        body=f"** Address not found **\n\nYour message wasn't delivered to {a.person.email} because the address couldn't be found.\n",
    )  # fmt: skip
    letter.extra = (("X-Failed-Recipients", a.person.email), ("Auto-Submitted", "auto-replied"), ("Return-Path", "<>"))
    return scene.done(letter, a)


def _delayed(status: str, subject: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.firm()
        text = f"Your message to {a.person.email} has been delayed."
        letter = _report(
            "MAILER-DAEMON@mx.provider.example", subject, ("text/plain", text),
            ("message/delivery-status", _status(f"rfc822; <{a.person.email}>", status, "4.4.7")),
            ("text/rfc822-headers", f"From: wannes@{OWN_DOMAIN}\nTo: {a.person.email}\nSubject: Offerte\n"),
        )  # fmt: skip
        return scene.done(letter, a)

    return write


SITUATIONS["report that mail to a contact is delayed"] = _delayed("delayed", "Delayed Mail (still being retried)")
SITUATIONS["report that mail to a contact was delivered"] = _delayed("delivered", "Successful Mail Delivery Report")


@situation
def report_with_a_recipient_beyond_ascii(scene: Scene) -> Labelled:
    a = firm("K2012")
    letter = _report(
        "MAILER-DAEMON@mx.provider.example", "Undelivered Mail", ("text/plain", "Sorry"),
        ("message/global-delivery-status", _status("utf-8; maelle@cafébrûlé.example")),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def report_with_a_recipient_beyond_ascii_escaped(scene: Scene) -> Labelled:
    a = firm("K2012")
    letter = _report(
        "MAILER-DAEMON@mx.provider.example", "Undelivered Mail", ("text/plain", "Sorry"),
        ("message/delivery-status", _status("utf-8; maelle@caf\\x{E9}br\\x{FB}l\\x{E9}.example")),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def report_with_a_recipient_of_another_network(scene: Scene) -> Labelled:
    a = scene.firm()
    status = f"Reporting-MTA: x400; mta=x;\n\nOriginal-Recipient: rfc822; {a.person.email}\nFinal-Recipient: x400; /S=moerman/O=x/C=be/\nAction: failed\nStatus: 5.1.1\n"
    letter = _report(
        "MAILER-DAEMON@mx.provider.example", "Undelivered Mail", ("text/plain", "Sorry"), ("message/delivery-status", status)
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def report_about_two_recipients(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    status = (
        _status(f"rfc822;{a.person.email}")
        + f"\nFinal-Recipient: rfc822;{b.person.email}\nAction: failed\nStatus: 5.2.2\n"
    )
    letter = _report(
        "MAILER-DAEMON@mx.provider.example", "Undelivered Mail", ("text/plain", "Sorry"), ("message/delivery-status", status),
        ("message/rfc822", _original(scene, a, f"{a.person.email}, {b.person.email}")),
    )  # fmt: skip
    return scene.done(letter, a, b)


@situation
def report_with_nothing_but_the_original(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = _report(
        "MAILER-DAEMON@mx.provider.example", "Mail delivery failed: returning message to sender",
        ("text/plain", "The original follows."), ("message/rfc822", _original(scene, a)),
    )  # fmt: skip
    letter.extra = (("Return-Path", "<>"),)
    return scene.done(letter, a)


_WORDS = {
    "German": ("Mail-Zustellung fehlgeschlagen", "Die folgende Nachricht konnte nicht zugestellt werden an:\n\n    {a}\n\nGrund: 550 unknown user\n"),
    "French": ("Échec de la remise", "Votre message n'a pas pu être remis au destinataire suivant :\n\n  {a}\n\nAdresse inconnue\n"),
    "Dutch": ("Onbestelbaar: Offerte", "Uw bericht kon niet worden afgeleverd bij de volgende geadresseerden:\n\n{a}\n\nHet adres is niet gevonden.\n"),
    "exim": ("Mail delivery failed: returning message to sender", "A message that you sent could not be delivered to one or more of its\nrecipients.\n\n  {a}\n    host mx.x.example [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<{a}>:\n    550 5.1.1 User unknown\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <wannes@zilverlinde.example>\nTo: {a}\n"),
    "sendmail": ("Returned mail: see transcript for details", "   ----- The following addresses had permanent fatal errors -----\n<{a}>\n    (reason: 550 5.1.1 User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.x.example.:\n>>> DATA\n<<< 550 User unknown\n"),
}  # fmt: skip


def _in_words(language: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.firm()
        subject, body = _WORDS[language]
        letter = Letter(
            "Mail Delivery System <MAILER-DAEMON@mx.provider.example>", to=f"wannes@{OWN_DOMAIN}", subject=subject,
            body=body.format(a=a.person.email),
        )  # fmt: skip
        letter.extra = (("Return-Path", "<>"), ("Auto-Submitted", "auto-replied"))
        return scene.done(letter, a)

    return write


for _language in _WORDS:
    SITUATIONS[f"report in words, {_language}"] = _in_words(_language)


@situation
def complaint_about_our_newsletter_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    feedback = f"Feedback-Type: abuse\nUser-Agent: FBL/1\nVersion: 1\nOriginal-Rcpt-To: {a.person.email}\nOriginal-Mail-From: <news@{OWN_DOMAIN}>\n"
    letter = _report(
        "Complaints <fbl@provider.example>", "Complaint", ("text/plain", "This is an abuse report."),
        ("message/feedback-report", feedback), ("message/rfc822", _original(scene, a)), kind="feedback-report",
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def own_forward_of_an_attached_report(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(
        _report(
            "MAILER-DAEMON@mx.provider.example", "Undelivered", ("text/plain", "Sorry"),
            ("message/delivery-status", _status(f"rfc822;{a.person.email}")), ("message/rfc822", _original(scene, a)),
        )
    )  # fmt: skip
    letter = scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject="FW: Undelivered")
    letter.attached = (("message/rfc822", inner, "report.eml"),)
    return scene.done(letter, a)


@situation
def report_that_names_no_contact_but_quotes_one(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(
        scene.letter(f"wannes@{OWN_DOMAIN}", "nl", to="nobody@vereniging.test", body=f"Vraag het aan {a.person.email}.\n")
    ).decode()  # fmt: skip
    letter = _report(
        "MAILER-DAEMON@mx.provider.example", "Undelivered", ("text/plain", "Sorry"),
        ("message/delivery-status", _status("rfc822;nobody@vereniging.test")), ("message/rfc822", inner),
    )  # fmt: skip
    return scene.done(letter, candidates=None)


@situation
def mailbox_asks_the_sender_to_prove_himself(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        box(a.person), a.language, to=f"wannes@{OWN_DOMAIN}", subject="Bevestig uw adres",
        body="Klik hier zodat ik uw bericht ontvang.\n",
    )  # fmt: skip
    letter.extra = (("Auto-Submitted", "auto-replied"), ("Return-Path", "<>"))
    return scene.done(letter, a)


def _calendar(method: str, organiser: str, attendee: str) -> bytes:
    return (
        f"BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:{method}\nBEGIN:VEVENT\nUID:1@x\nSUMMARY:Overleg\nORGANIZER;CN=O:mailto:{organiser}\n"
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{attendee}\nDTSTART:20250303T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    ).encode()


@situation
def contact_accepts_an_invitation(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = Letter(
        box(a.person), to=f"wannes@{OWN_DOMAIN}", subject="Geaccepteerd: Overleg",
        content_type="text/calendar; method=REPLY; charset=utf-8",
        payload=_calendar("REPLY", f"wannes@{OWN_DOMAIN}", a.person.email),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def calendar_service_sends_a_contacts_invitation(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = Letter(
        box(a.person), to=f"wannes@{OWN_DOMAIN}", subject="Invitation: Overleg", reply_to=a.person.email,
        content_type="text/calendar; method=REQUEST; charset=utf-8",
        payload=_calendar("REQUEST", a.person.email, f"wannes@{OWN_DOMAIN}"),
    )  # fmt: skip
    letter.extra = (("Sender", "Google Calendar <calendar-notification@google.com>"),)
    return scene.done(letter, a)


@situation
def invitation_of_ours_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = Letter(
        f"wannes@{OWN_DOMAIN}", to=box(a.person), subject="Uitnodiging: Overleg",
        content_type="text/calendar; method=REQUEST; charset=utf-8",
        payload=_calendar("REQUEST", f"wannes@{OWN_DOMAIN}", a.person.email),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def contact_signs_with_a_certificate(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = Letter(
        box(a.person), to=scene.desk(), subject="Vraag",
        content_type='multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="sg"',
        payload=_parts("sg", ("text/plain; charset=utf-8", "Beste\n"), ("application/pkcs7-signature", "MIAGCSqGSIb3")),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def contact_seals_all(scene: Scene) -> Labelled:
    a = scene.firm()
    kind, payload = scene.random.choice(
        (
            ('application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', b"MIAGCSqGSIb3DQEHA6CAMIACAQAx\n"),
            (
                'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="en"',
                _parts("en", ("application/pgp-encrypted", "Version: 1"), ("application/octet-stream", "-----BEGIN PGP MESSAGE-----")),
            ),
        )
    )  # fmt: skip
    return scene.done(Letter(box(a.person), to=scene.desk(), subject="...", content_type=kind, payload=payload), a)


@situation
def stranger_signs_in_the_text_with_a_licence_in_it(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        scene.stranger_box(), "en",
        body=f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nLicence {a.licences[0]}\n\n- -- \nVAT {a.vat}\n-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n",
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def own_forward_signed_with_a_certificate(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(scene.letter(box(a.person), a.language, to=f"wannes@{OWN_DOMAIN}")).decode()
    mixed = _parts("mx", ("text/plain; charset=utf-8", "Zie bijlage"), ("message/rfc822", inner)).decode()
    letter = Letter(
        scene.colleague(), to=f"support@{OWN_DOMAIN}", subject="FW: Vraag",
        content_type='multipart/signed; protocol="application/pkcs7-signature"; boundary="sg"',
        payload=_parts("sg", ('multipart/mixed; boundary="mx"', mixed), ("application/pkcs7-signature", "MIAGCSqGSIb3")),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def own_forward_as_flowed_text(scene: Scene) -> Labelled:
    a = scene.firm()
    body = (
        f"Zie onder. \nGraag jij.\n\n-------- Forwarded Message --------\nSubject: Vraag\nDate: Mon, 3 Mar 2025 10:14:02 +0100\n \nFrom: {a.person.name} \n<{a.person.email}>\nTo: info@{OWN_DOMAIN}\n\n\n"
        "Een lange zin die over \nregels loopt.\n"
    ).replace("\n \n", "\n")
    letter = Letter(
        f"wannes@{OWN_DOMAIN}", to=f"support@{OWN_DOMAIN}", subject="Fwd: Vraag",
        content_type="text/plain; charset=utf-8; format=flowed", payload=body.encode(),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def contact_sends_a_file_of_exchange(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language)
    letter.attached = (("application/ms-tnef", base64.b64decode("eJ8+IgAAAAAAAAAA"), "winmail.dat"),)
    return scene.done(letter, a)


@situation
def absence_note_of_a_stranger_that_names_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        scene.stranger_box(),
        "en",
        subject="Automatic reply: Quote",
        body=f"I am away. Please write to {a.person.email}.\n",
    )
    letter.extra = (("Auto-Submitted", "auto-replied"),)
    return scene.done(letter, candidates=None)
