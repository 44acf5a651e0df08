"""Whose messages a message forwards, in every shape that mail programs give a forward; and that a reply is none."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.mail.forwards import MAX_FORWARDED
from archiver.mail.parse import parse
from archiver.model.message import Message

TEXT = "Goedendag,\nwaar is onze sleutel?"
BLOCKS = {
    "en": "From: Jan Peeters <jan@klant.example>\nSent: Tuesday, March 3, 2026 10:15\nTo: Info\nSubject: Key",
    "nl": "Van: Jan Peeters <jan@klant.example>\nVerzonden: dinsdag 3 maart 2026 10:15\nAan: Info\nOnderwerp: Sleutel",
    "fr": "De : Jan Peeters <jan@klant.example>\nEnvoyé : mardi 3 mars 2026 10:15\nÀ : Info\nObjet : Clé",
    "de": "Von: Jan Peeters <jan@klant.example>\nGesendet: Dienstag, 3. März 2026 10:15\nAn: Info\nBetreff: Schlüssel",
    "bold": "*From:* Jan Peeters <jan@klant.example>\n*Sent:* Tuesday, March 3, 2026\n*To:* Info\n*Subject:* Key",
    "mailto": "From: Jan Peeters [mailto:jan@klant.example]\nSent: Tuesday, March 3, 2026\nTo: Info\nSubject: Key",
    "bare": "From: jan@klant.example\nDate: Tue, 3 Mar 2026\nTo: info@firma.example\nSubject: Key",
    "link": "Van: Jan Peeters <jan@klant.example<mailto:jan@klant.example>>\nDatum: 3 maart\nAan: Info\nOnderwerp: x",
    "folded": "Van: Jan Peeters van de boekhouding\n<jan@klant.example>\nVerzonden: 3 maart\nAan: Info\nOnderwerp: x",
    "no subject": "From: Jan Peeters <jan@klant.example>\nSent: Tuesday, March 3, 2026\nTo: Info",
    "spaced": "From: Jan Peeters <jan@klant.example>\n\nSent: Tuesday, March 3, 2026\n\nTo: Info\n\nSubject: Key",
    "many": "From: Jan <jan@klant.example>\nSent: 3 March\nTo: Info <info@firma.example>;\nEva <eva@derde.example>\n"
    "Cc: piet@derde.example\nSubject: Key\nImportance: High",
}  # fmt: skip


def mail(subject: str, body: str, media: str = "text/plain") -> Message:
    header = f"From: an@firma.example\nTo: bob@firma.example\nSubject: {subject}\nContent-Type: {media}; charset=utf-8"
    return parse(f"{header}\n\n{body}\n".encode())


def senders(message: Message) -> list[str]:
    return [one.addr_spec for one in message.forwarded]


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("rule", ["", "________________________________\n", "-----Original Message-----\n"])
@pytest.mark.parametrize("above", ["", "Wie neemt dit?\n\n"])
@pytest.mark.parametrize("subject", ["FW: Sleutel", "Fwd: Sleutel", "Doorst: Sleutel", "TR: Clé", "WG: AW: Schlüssel"])
def test_outlooks_block_under_a_subject_that_says_so_is_a_forward(
    block: str, rule: str, above: str, subject: str
) -> None:
    message = mail(subject, f"{above}{rule}{block}\n\n{TEXT}\n")
    assert senders(message) == ["jan@klant.example"]
    assert message.forwarded_text == TEXT


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("rule", ["", "________________________________\n", "-----Oorspronkelijk bericht-----\n"])
@pytest.mark.parametrize("subject", ["Re: Sleutel", "RE: FW: Sleutel", "Antw: Sleutel", "AW: WG: x", "[support] Re: x"])
def test_the_same_block_under_an_answer_is_a_reply(block: str, rule: str, subject: str) -> None:
    for above in ("Bedankt!\n\n", ""):
        message = mail(subject, f"{above}{rule}{block}\n\n{TEXT}\n")
        assert message.forwarded == ()
        assert message.forwarded_text == ""


def test_without_any_mark_an_empty_own_text_decides() -> None:
    block = f"{BLOCKS['nl']}\n\n{TEXT}"
    assert senders(mail("Sleutel", block)) == ["jan@klant.example"]
    assert senders(mail("Sleutel", f"Verzonden vanaf mijn iPhone\n\n{block}")) == ["jan@klant.example"]
    assert senders(mail("Sleutel", f"-- \nAn, Firma\n\n{block}")) == ["jan@klant.example"]
    assert senders(mail("Sleutel", f"In orde.\n\n{block}")) == []


@pytest.mark.parametrize(
    "separator",
    [
        "---------- Forwarded message ---------",
        "---------- Forwarded message ----------",
        "---------- Doorgestuurd bericht ---------",
        "---------- Message transféré ---------",
        "-------- Forwarded Message --------",
        "-------- Doorgestuurd bericht --------",
        "-------- Message transféré --------",
        "-------- Weitergeleitete Nachricht --------",
        "Begin forwarded message:",
        "Begin doorgestuurd bericht:",
        "Begin van doorgestuurd bericht:",
        "Début du message réexpédié :",
        "Début du message transféré :",
        "Anfang der weitergeleiteten Nachricht:",
        "Anfang der weitergeleiteten E-Mail:",
        "----- Forwarded Message -----",
        "----- Message transmis -----",
        "----- Weitergeleitete Mail ----",
        "----- Forwarded by An/Firma on 03/03/2026 10:15 -----",
        "----- Doorgestuurd door An/Firma op 03/03/2026 10:15 -----",
        "------- Forwarded message follows -------",
    ],
)
@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_a_separator_with_the_word_makes_a_forward_under_any_subject(separator: str, language: str) -> None:
    for subject in ("Fwd: Sleutel", "Sleutel", ""):
        message = mail(subject, f"Zie onder.\n\n{separator}\n\n{BLOCKS[language]}\n\n{TEXT}\n")
        assert senders(message) == ["jan@klant.example"]
        assert message.forwarded_text == TEXT


def test_apple_mail_marks_the_block_and_the_text() -> None:
    body = (
        "Voor jou.\n\n> Begin doorgestuurd bericht:\n> \n> Van: Jan <jan@klant.example>\n> Onderwerp: Sleutel\n"
        "> Datum: 3 maart 2026\n> Aan: info@firma.example\n> \n> Goedendag,\n> waar is onze sleutel?\n>> ouder\n"
    )
    message = mail("Fwd: Sleutel", body)
    assert senders(message) == ["jan@klant.example"]
    assert message.forwarded_text == TEXT
    message = mail("Fwd: Sleutel", body.replace("> Begin", "Begin"))
    assert (senders(message), message.forwarded_text) == (["jan@klant.example"], TEXT)


@pytest.mark.parametrize(
    "html",
    [
        # Gmail
        (
            '<div dir="ltr">Zie onder<br><br><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded '
            "message ---------<br>Van: <strong>Jan</strong> <span>&lt;<a "
            'href="mailto:jan@klant.example">jan@klant.example</a>&gt;'
            "</span><br>Date: di 3 mrt 2026 om 10:15<br>Subject: Sleutel<br>To: "
            "&lt;info@firma.example&gt;<br></div><br><br>"
            "<div>Goedendag,<br>waar is onze sleutel?</div></div></div>"
        ),
        # Outlook on the web
        (
            '<div>Zie onder</div><hr><div id="divRplyFwdMsg" dir="ltr"><b>Van:</b> Jan &lt;jan@klant.example&gt;<br>'
            "<b>Verzonden:</b> dinsdag 3 maart 2026 10:15<br><b>Aan:</b> "
            "info@firma.example<br><b>Onderwerp:</b> Sleutel"
            "<div>&nbsp;</div></div><div>Goedendag,<br>waar is onze sleutel?</div>"
        ),
        # Outlook on Windows
        (
            '<p>Zie onder</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p><b>Von:</b> Jan '
            "&lt;jan@klant.example&gt; <br><b>Gesendet:</b> Dienstag, 3. M&auml;rz 2026<br><b>An:</b> info<br>"
            "<b>Betreff:</b> Sleutel</p></div><p>Goedendag,<br>waar is onze sleutel?</p>"
        ),
        # Thunderbird
        (
            '<p>Zie onder</p><div class="moz-forward-container">-------- Message transf&eacute;r&eacute; '
            "--------<table>"
            "<tbody><tr><th>Sujet&nbsp;: </th><td>Sleutel</td></tr><tr><th>Date&nbsp;: </th>"
            "<td>Tue, 3 Mar 2026</td></tr><tr><th>De&nbsp;: </th><td>Jan "
            "<a>&lt;jan@klant.example&gt;</a></td></tr><tr><th>"
            "Pour&nbsp;: </th><td>info@firma.example</td></tr></tbody></table><br>Goedendag,<br>waar is onze "
            "sleutel?</div>"
        ),
        # Apple Mail
        (
            '<div>Zie onder<br><blockquote type="cite"><div>Begin doorgestuurd bericht:</div><br><div><b>Van: </b>Jan '
            "&lt;jan@klant.example&gt;</div><div><b>Onderwerp: </b>Sleutel</div><div><b>Datum: </b>3 maart</div><div>"
            "<b>Aan: </b>info@firma.example</div><br><div>Goedendag,<br>waar is onze sleutel?</div></blockquote></div>"
        ),
    ],
    ids=["gmail", "outlook web", "outlook", "thunderbird", "apple"],
)
def test_forwards_in_html_alone_are_read(html: str) -> None:
    message = mail("Fwd: Sleutel", html, "text/html")
    assert senders(message) == ["jan@klant.example"]
    assert message.forwarded_text == TEXT
    assert message.text == "Zie onder"


@pytest.mark.parametrize(
    "line",
    [
        "Jan Peeters <jan@klant.example>",
        "jan@klant.example on 03/03/2026 10:00:12",
        '"Jan Peeters" <jan@klant.example> op 03/03/2026 10:00',
    ],
)
def test_lotus_notes_names_the_sender_without_a_label(line: str) -> None:
    body = f"{line}\nTo: info@firma.example\ncc:\nSubject: Sleutel\n\n{TEXT}\n"
    message = mail(
        "Sleutel", f"fyi\n---------------------- Forwarded by An/Firma on 03/03/2026 ------------\n\n\n{body}"
    )
    assert senders(message) == ["jan@klant.example"]
    assert message.forwarded_text == TEXT


def test_attached_messages_are_forwarded_and_what_lies_in_them_too() -> None:
    inner = "From: Eva <eva@derde.example>\nSubject: diep\n\ndiep\n"
    outer = (
        "From: Jan <jan@klant.example>\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nhoog\n> oud\n"
        f"--c\nContent-Type: message/rfc822\n\n{inner}\n--c--\n"
    )
    body = f"--b\n\nzie bijlage\n--b\nContent-Type: message/rfc822\n\n{outer}\n--b--\n"
    for subject in ("Re: Sleutel", "Fwd: Sleutel"):
        message = mail(subject, body, "multipart/mixed; boundary=b")
        assert senders(message) == ["jan@klant.example", "eva@derde.example"]
        assert message.forwarded_text == "hoog\n\ndiep"


def test_the_messages_of_a_digest_are_not_forwarded() -> None:
    body = "--b\n\nFrom: jan@klant.example\nSubject: x\n\ntekst\n--b--\n"
    assert senders(mail("Digest", body, "multipart/digest; boundary=b")) == []


def test_a_forward_of_a_forward_names_the_outermost_first() -> None:
    inner = BLOCKS["en"].replace("jan@klant", "eva@derde").replace("Jan Peeters", "Eva")
    first = BLOCKS["nl"].replace("Onderwerp: Sleutel", "Onderwerp: FW: Sleutel")
    message = mail("FW: FW: Sleutel", f"{first}\n\nvoor jullie\n\n{inner}\n\n{TEXT}\n")
    assert senders(message) == ["jan@klant.example", "eva@derde.example"]
    assert message.forwarded_text == f"voor jullie\n\n{TEXT}"
    first = BLOCKS["nl"].replace("Onderwerp: Sleutel", "Onderwerp: RE: Sleutel")
    message = mail("FW: Sleutel", f"{first}\n\nbedankt\n\n{inner}\n\n{TEXT}\n")
    assert senders(message) == ["jan@klant.example"], "what the forwarded reply quotes is nobody's evidence"
    assert message.forwarded_text == "bedankt"


@pytest.mark.parametrize(
    "quote",
    [
        "On Tue, Mar 3, 2026 at 10:15 AM Eva <eva@derde.example> wrote:\n> BTW BE0428759497",
        "Op di 3 mrt 2026 om 10:15 schreef Eva <eva@derde.example>:\n> oud",
        "Le mar. 3 mars 2026 à 10:15, Eva <eva@derde.example> a écrit :\n\n> oud",
        "Am 03.03.2026 um 10:15 schrieb Eva:\n> alt",
        "> oud",
    ],
)
def test_forwarded_text_is_without_the_quotes_in_it(quote: str) -> None:
    message = mail("Fwd: x", f"---------- Forwarded message ---------\n{BLOCKS['en']}\n\n{TEXT}\n\n{quote}\n")
    assert senders(message) == ["jan@klant.example"]
    assert message.forwarded_text == TEXT
    assert message.vat_numbers == ()


@pytest.mark.parametrize(
    "body",
    [
        "Bedankt.\n\nOn Tue, Mar 3, 2026 at 10:15 AM Jan <jan@klant.example> wrote:\n> waar?\n",
        (
            "Bedankt.\n\nOp 3 mrt 2026 schreef Jan <jan@klant.example>:\n\n> ---------- Forwarded message ---------\n"
            "> From: Jan <jan@klant.example>\n> Date: 3 March\n> Subject: x\n> To: y\n>\n> tekst\n"
        ),
        (
            "Bedankt.\n\nVan: Bob <bob@firma.example>\nVerzonden: 3 maart\nAan: An\nOnderwerp: FW: x\n\nzie\n\n"
            "---------- Forwarded message ---------\nFrom: Jan <jan@klant.example>\nDate: 3 March\nSubject: "
            "x\n\ntekst\n"
        ),
        "> wat\nik zeg\n> nog\n---------- Forwarded message ---------\nFrom: Jan <jan@klant.example>\nDate: 3\nTo: x\n",
        "In message <123@klant.example>, Jan writes:\n> tekst\n",
        "geen",
        "",
    ],
)
def test_a_reply_is_no_forward_whatever_it_quotes(body: str) -> None:
    for subject in ("Re: Sleutel", "Re: Fwd: Sleutel", "Re: [Fwd: Sleutel]", "Sleutel"):
        message = mail(subject, body)
        assert message.forwarded == ()
        assert message.forwarded_text == ""


@pytest.mark.parametrize(
    "value",
    [
        "Jan Peeters",
        "Peeters, Jan </O=FIRMA/OU=X/CN=JAN>",
        "Jan@FIRMA",
        '"jan@klant.example" </O=FIRMA/CN=JAN>',
        "",
    ],
)
def test_a_sender_without_an_address_gives_nobody(value: str) -> None:
    message = mail("FW: x", f"From: {value}\nSent: 3 March 2026\nTo: Info\nSubject: x\n\n{TEXT}\n")
    assert message.forwarded == ()


def test_the_address_in_brackets_counts_and_not_the_name() -> None:
    block = 'From: "jan@klant.example" <mal@kwaad.example>\nSent: 3 March 2026\nTo: Info\nSubject: x\n\nx\n'
    assert senders(mail("FW: x", block)) == ["mal@kwaad.example"]
    block = "From: a@derde.example [mailto:a@derde.example] On Behalf Of J\nSent: 3 March\nTo: Info\nSubject: x\n\nx\n"
    assert senders(mail("FW: x", block)) == ["a@derde.example"]


@pytest.mark.parametrize("subject", ["[Fwd: Sleutel]", "Sleutel (fwd)", "[support] FW: x", "Fwd : x", "RV: x", "I: x"])
def test_other_marks_of_a_forward_are_known(subject: str) -> None:
    assert senders(mail(subject, f"zie\n\n{BLOCKS['en']}\n\n{TEXT}")) == ["jan@klant.example"]


def test_a_block_without_a_date_needs_the_subject() -> None:
    block = f"zie\n\nVan: Jan <jan@klant.example>\nAan: info\nOnderwerp: x\n\n{TEXT}\n"
    assert senders(mail("Fwd: x", block)) == ["jan@klant.example"]
    assert senders(mail("x", block)) == []


def test_attachments_without_end_are_bounded() -> None:
    parts = "".join(f"--b\nContent-Type: message/rfc822\n\nFrom: k{n}@klant.example\n\nx\n" for n in range(100))
    assert len(senders(mail("x", f"{parts}--b--\n", "multipart/mixed; boundary=b"))) == MAX_FORWARDED


LINES = st.sampled_from(
    ["From: Jan <jan@klant.example>", "Van: x", "Sent: 1", "To: y", "Subject: FW: z", "Subject: RE: z", "", "> ",
     ">> a",
     "---------- Forwarded message ---------", "-----Original Message-----", "________", "On 1 x wrote:", "tekst",
     "Begin forwarded message:", "----- Forwarded by A/B on 1 -----", "> From: eva@x.example", "--", "*From:*", "From:"]
)  # fmt: skip


@given(st.sampled_from(["", "Fwd: x", "Re: x", "Re: Fwd: x"]), st.lists(LINES | st.text(max_size=30), max_size=30))
@example("Fwd: x", ["From: Jan <jan@klant.example>"] * 20_000)
@example("Fwd: x", ["- " * 50_000, "From: " + "a" * 100_000, "Sent: 1", "To: x"])
@example("Fwd: x", ["---------- Forwarded message ---------"] * 5_000)
@settings(max_examples=300, deadline=None)
def test_any_lines_are_read_without_a_fault(subject: str, lines: list[str]) -> None:
    message = mail(subject, "\n".join(lines).encode("utf-8", "replace").decode())
    assert not [defect for defect in message.defects if defect.code == "parse-failed"]
    assert all(one.domain for one in message.forwarded)


@pytest.mark.parametrize(
    "block",
    [
        "From: Bob <bob@firma.example>\nSent: 3 March\nTo: Jan <jan@klant.example>; <eva@derde.example>\nSubject: x",
        "From: <form@firma.example>\nReply-To: jan@klant.example\nDate: 3 March\nTo: eva@derde.example\nSubject: x",
    ],
)
def test_behind_a_colleague_or_a_form_stand_whom_answers_go_to_and_whom_it_went_to(block: str) -> None:
    assert senders(mail("FW: Sleutel", f"{block}\n\n{TEXT}\n"))[1:] == ["jan@klant.example", "eva@derde.example"]


def test_behind_a_colleague_whose_message_is_attached_stand_they_too() -> None:
    inner = "From: bob@firma.example\nReply-To: jan@klant.example\nTo: eva@derde.example\nSubject: x\n\ntekst\n"
    body = f"--b\n\nzie bijlage\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    expected = ["bob@firma.example", "jan@klant.example", "eva@derde.example"]
    assert senders(mail("x", body, "multipart/mixed; boundary=b")) == expected


def test_behind_a_sender_from_elsewhere_stands_nobody() -> None:
    block = (
        "From: Jan <jan@klant.example>\nReply-To: eva@derde.example\nDate: 3 March\nTo: piet@derde.example\nSubject: x"
    )
    assert senders(mail("FW: Sleutel", f"{block}\n\n{TEXT}\n")) == ["jan@klant.example"]


def test_a_forwarded_delivery_report_gives_whom_it_is_about() -> None:
    words = "I'm sorry to have to inform you\n\n<jan@klant.example>: host mx said: 550 unknown\n"
    block = "From: <MAILER-DAEMON@relay.example>\nSent: 3 March\nTo: an@firma.example\nSubject: Undelivered"
    assert senders(mail("FW: Undelivered", f"{block}\n\n{words}")) == ["jan@klant.example"]
    inner = (
        "From: MAILER-DAEMON@relay.example\nTo: an@firma.example\nContent-Type: multipart/report; boundary=c\n\n"
        "--c\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; r\n\n"
        "Final-Recipient: rfc822; jan@klant.example\n--c--\n"
    )
    body = f"--b\n\nzie bijlage\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    assert senders(mail("FW: Undelivered", body, "multipart/mixed; boundary=b")) == ["jan@klant.example"]


def test_yahoo_writes_separator_and_fields_on_one_line() -> None:
    line = (
        "   ----- Forwarded Message ----- From: Jan Peeters <jan@klant.example>To: An <an@firma.example>"
        "Sent: Monday, March 3, 2025 at 10:14:02 AM GMT+1Subject: Sleutel"
    )
    assert senders(mail("Fw: Sleutel", f"{line}\n{TEXT}\n")) == ["jan@klant.example"]


def test_web_de_begins_with_the_date_within_a_quotation() -> None:
    html = (
        '<p>Bitte</p><blockquote><b>Gesendet:</b>&nbsp;3. M&auml;rz 2025<br><b>Von:</b>&nbsp;"Jan" '
        "&lt;jan@klant.example&gt;<br>"
        "<b>An:</b>&nbsp;an@firma.example<br><b>Betreff:</b>&nbsp;Schl&uuml;ssel<br><p>Wo?</p></blockquote>"
    )
    assert senders(mail("Fwd: x", html, "text/html")) == ["jan@klant.example"]
    assert senders(mail("AW: x", html, "text/html")) == []
