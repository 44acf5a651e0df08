"""Messages as mail programs write them: header fields, bodies, forwards and reports in several styles and languages.

Knows the styles; nothing of who is linked to what. Everything is invented.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.header import Header
from random import Random

SENTENCES = {
    "nl": (
        "Sinds de update van vorige week krijgen we een foutmelding bij het afdrukken.",
        "Kunt u ons de nieuwe prijslijst bezorgen voor drie extra werkposten?",
        "De reservekopie van vannacht is niet gelukt, wat kunnen we doen?",
        "Bedankt voor het snelle antwoord, alles werkt weer naar behoren.",
        "Graag hadden we volgende maand een opleiding voor twee nieuwe medewerkers.",
    ),
    "fr": (
        "Depuis la mise à jour nous recevons un message d'erreur à l'impression.",
        "Pouvez-vous nous envoyer une offre pour trois postes supplémentaires ?",
        "La sauvegarde de cette nuit a échoué, que devons-nous faire ?",
        "Merci pour votre réponse rapide, tout fonctionne à nouveau.",
        "Nous souhaitons une formation pour deux nouveaux collègues le mois prochain.",
    ),
    "de": (
        "Seit der letzten Aktualisierung erscheint beim Drucken eine Fehlermeldung.",
        "Bitte senden Sie uns ein Angebot für drei weitere Arbeitsplätze.",
        "Die Sicherung der letzten Nacht ist fehlgeschlagen, was sollen wir tun?",
        "Vielen Dank für die schnelle Antwort, es läuft alles wieder.",
        "Wir hätten nächsten Monat gern eine Schulung für zwei neue Kollegen.",
    ),
    "en": (
        "Since last week's update we get an error when printing invoices.",
        "Could you send us a quote for three more seats?",
        "The backup failed last night, what should we do?",
        "Thanks for the quick answer, everything works again.",
        "We would like a training for two new colleagues next month.",
    ),
}
SUBJECTS = {
    "nl": ("Fout bij afdrukken", "Prijsvraag extra werkposten", "Reservekopie mislukt", "Opleiding"),
    "fr": ("Erreur d'impression", "Demande d'offre", "Sauvegarde échouée", "Formation"),
    "de": ("Fehler beim Drucken", "Angebot gewünscht", "Sicherung fehlgeschlagen", "Schulung"),
    "en": ("Printing error", "Quote for more seats", "Backup failed", "Training"),
}
GREETINGS = {
    "nl": ("Beste,", "Met vriendelijke groeten"), "fr": ("Bonjour,", "Bien cordialement"),
    "de": ("Guten Tag,", "Mit freundlichen Grüßen"), "en": ("Hello,", "Kind regards"),
}  # fmt: skip
REPLY = {"nl": "Antw: ", "fr": "RE: ", "de": "AW: ", "en": "Re: "}
FORWARD = {"nl": "Doorst: ", "fr": "TR: ", "de": "WG: ", "en": "Fwd: "}
LANGUAGES = tuple(SENTENCES)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun")


@dataclass
class Letter:
    """A message in the making; `extra` header fields come first, as a server puts them."""

    from_: str
    to: str = ""
    cc: str = ""
    bcc: str = ""
    reply_to: str = ""
    subject: str = ""
    body: str = ""
    html: str = ""
    message_id: str = ""
    references: Sequence[str] = ()
    extra: Sequence[tuple[str, str]] = ()
    attached: Sequence[tuple[str, bytes, str]] = ()
    """Content type, octets, file name."""
    content_type: str = ""
    payload: bytes = field(default=b"")
    """With content_type: a body of its own, parts and all."""


class Writer:
    """Writes letters of one set: every one with its own date and Message-ID, repeatable for one seed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._count = 0

    def text(self, language: str, *, signed: str = "") -> str:
        hello, bye = GREETINGS[language]
        sentences = self.random.sample(SENTENCES[language], 2)
        return "\n".join([hello, "", *sentences, "", bye, signed]).rstrip() + "\n"

    def subject(self, language: str) -> str:
        self._count += 1
        return f"{self.random.choice(SUBJECTS[language])} ({self._count})"

    def new_id(self, domain: str = "mailer.example") -> str:
        self._count += 1
        return f"<{self._count:06d}.{self.random.randrange(16**8):08x}@{domain}>"

    def octets(self, letter: Letter) -> bytes:
        """Return the message, CRLF line ends, in one of the encodings that mail programs use."""
        self._count += 1
        day = 1 + self._count % 28
        lines = [f"{name}: {value}" for name, value in letter.extra]
        lines += ["From: " + _address(letter.from_)]
        for name, value in (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc), ("Reply-To", letter.reply_to)):
            if value:
                lines.append(f"{name}: {_address(value)}")
        lines.append("Subject: " + _encoded(letter.subject))
        lines.append(f"Date: {day:02d} {_MONTHS[self._count % 6]} 2025 10:{self._count % 60:02d}:00 +0100")
        lines.append("Message-ID: " + (letter.message_id or self.new_id()))
        if letter.references:
            lines += ["In-Reply-To: " + letter.references[-1], "References: " + " ".join(letter.references)]
        lines.append("MIME-Version: 1.0")
        head = "\n".join(lines) + "\n"
        return (head.encode("utf-8") + self._body(letter)).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def _body(self, letter: Letter) -> bytes:
        if letter.content_type:
            return f"Content-Type: {letter.content_type}\n\n".encode() + letter.payload
        inner = self._texts(letter)
        if not letter.attached:
            return inner
        boundary = f"mix{self._count:05d}"
        parts = [inner]
        for kind, octets, name in letter.attached:
            disposition = f'Content-Type: {kind}; name="{name}"\nContent-Disposition: attachment; filename="{name}"\n'
            if kind.startswith("message/"):
                parts.append(disposition.encode() + b"\n" + octets)
            else:
                parts.append(
                    disposition.encode() + b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(octets)
                )
        return f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n'.encode() + _joined(boundary, parts)

    def _texts(self, letter: Letter) -> bytes:
        if not letter.html:
            return self._text_part(letter.body, "plain")
        if not letter.body:
            return self._text_part(letter.html, "html")
        boundary = f"alt{self._count:05d}"
        parts = [self._text_part(letter.body, "plain"), self._text_part(letter.html, "html")]
        return f'Content-Type: multipart/alternative; boundary="{boundary}"\n\n'.encode() + _joined(boundary, parts)

    def _text_part(self, text: str, kind: str) -> bytes:
        how = self.random.choice(("8bit", "quoted-printable", "base64"))
        charset = "utf-8"
        octets = text.encode(charset)
        if how == "quoted-printable":
            octets = quopri.encodestring(octets)
        elif how == "base64":
            octets = base64.encodebytes(octets)
        return f"Content-Type: text/{kind}; charset={charset}\nContent-Transfer-Encoding: {how}\n\n".encode() + octets


def _joined(boundary: str, parts: Sequence[bytes]) -> bytes:
    marked = b"".join(f"--{boundary}\n".encode() + part.rstrip(b"\n") + b"\n" for part in parts)
    return marked + f"--{boundary}--\n".encode()


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode()


def _address(text: str) -> str:
    """Encode display names; what is in angle brackets stays as it is."""
    if text.isascii():
        return text
    if "<" not in text:
        return text
    name, _, rest = text.rpartition("<")
    return f"{_encoded(name.strip().strip(chr(34)))} <{rest}"


def mailbox(name: str, address: str) -> str:
    return f'"{name}" <{address}>' if any(c in name for c in ",.@()") else f"{name} <{address}>"


# --- forwards and replies as mail programs write them -----------------------------------------------------------------

_OUTLOOK = {
    "en": ("From", "Sent", "To", "Subject", "Monday, 3 March 2025 10:14"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp", "maandag 3 maart 2025 10:14"),
    "fr": ("De", "Envoyé", "À", "Objet", "lundi 3 mars 2025 10:14"),
    "de": ("Von", "Gesendet", "An", "Betreff", "Montag, 3. März 2025 10:14"),
}
_GMAIL = {
    "en": ("---------- Forwarded message ---------", "From", "Date", "Subject", "To"),
    "nl": ("---------- Forwarded message ---------", "Van", "Date", "Subject", "To"),
    "fr": ("---------- Forwarded message ---------", "De", "Date", "Subject", "To"),
    "de": ("---------- Forwarded message ---------", "Von", "Date", "Subject", "To"),
}
_APPLE = {
    "en": ("Begin forwarded message:", "From", "Subject", "Date", "To"),
    "nl": ("Begin doorgestuurd bericht:", "Van", "Onderwerp", "Datum", "Aan"),
    "fr": ("Début du message réexpédié :", "De", "Objet", "Date", "À"),
    "de": ("Anfang der weitergeleiteten Nachricht:", "Von", "Betreff", "Datum", "An"),
}
_THUNDERBIRD = {
    "en": ("-------- Forwarded Message --------", "Subject", "Date", "From", "To"),
    "nl": ("-------- Doorgestuurd bericht --------", "Onderwerp", "Datum", "Van", "Aan"),
    "fr": ("-------- Message transféré --------", "Sujet", "Date", "De", "Pour"),
    "de": ("-------- Weitergeleitete Nachricht --------", "Betreff", "Datum", "Von", "An"),
}
_ORIGINAL = {
    "en": "-----Original Message-----", "nl": "-----Oorspronkelijk bericht-----",
    "fr": "-----Message d'origine-----", "de": "-----Ursprüngliche Nachricht-----",
}  # fmt: skip

FORWARD_STYLES = (
    "outlook", "outlook-original", "outlook-rule", "outlook-mailto", "gmail", "apple", "thunderbird", "outlook-html", "gmail-html",
)  # fmt: skip


def forwarded(
    style: str, language: str, *, note: str, name: str, address: str, to: str, subject: str, text: str
) -> tuple[str, str]:
    """Return (plain body, HTML body) of a forward; one of them is empty."""
    if style.startswith("outlook"):
        f, sent, t, s, date = _OUTLOOK[language]
        who = f"{name} [mailto:{address}]" if style == "outlook-mailto" else f"{name} <{address}>"
        if style == "outlook-html":
            esc = f"{name} &lt;{address}&gt;"
            paragraphs = "".join(f"<p>{line}</p>" for line in text.splitlines() if line)
            return "", (
                f"<html><body><p>{note}</p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>{f}:</b> {esc}<br>"
                f"<b>{sent}:</b> {date}<br><b>{t}:</b> {to}<br><b>{s}:</b> {subject}</p></div>{paragraphs}</body></html>"
            )
        rule = {"outlook-original": _ORIGINAL[language] + "\n", "outlook-rule": "_" * 32 + "\n"}.get(style, "")
        return f"{note}\n\n{rule}{f}: {who}\n{sent}: {date}\n{t}: {to}\n{s}: {subject}\n\n{text}", ""
    if style == "gmail-html":
        head, f, d, s, t = _GMAIL[language]
        lines = "<br>".join(text.splitlines())
        return "", (
            f'<div dir="ltr">{note}<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{head}<br>{f}: '
            f'<strong class="gmail_sendername" dir="auto">{name}</strong> <span dir="auto">&lt;<a href="mailto:{address}">'
            f"{address}</a>&gt;</span><br>{d}: Mon, Mar 3, 2025 at 10:14<br>{s}: {subject}<br>{t}: &lt;{to}&gt;<br></div>"
            f"<br><br>{lines}</div></div>"
        )
    table = {"gmail": _GMAIL, "apple": _APPLE, "thunderbird": _THUNDERBIRD}[style][language]
    if style == "gmail":
        head, f, d, s, t = table
        return (
            f"{note}\n\n{head}\n{f}: {name} <{address}>\n{d}: Mon, Mar 3, 2025 at 10:14\n{s}: {subject}\n{t}: <{to}>\n\n\n{text}",
            "",
        )
    if style == "apple":
        head, f, s, d, t = table
        block = f"{f}: {name} <{address}>\n{s}: {subject}\n{d}: 3 March 2025 at 10:14:02 CET\n{t}: {to}\n\n{text}"
        quoted = "\n".join("> " + line if line else ">" for line in block.splitlines())
        return f"{note}\n\n{head}\n\n{quoted}\n", ""
    head, s, d, f, t = table
    return (
        f"{note}\n\n\n{head}\n{s}: \t{subject}\n{d}: \tMon, 3 Mar 2025 10:14:02 +0100\n{f}: \t{name} <{address}>\n{t}: \t{to}\n\n\n{text}",
        "",
    )


_WROTE = {
    "en": "On Mon, 3 Mar 2025 at 10:14, {who} wrote:", "nl": "Op ma 3 mrt 2025 om 10:14 schreef {who}:",
    "fr": "Le lun. 3 mars 2025 à 10:14, {who} a écrit :", "de": "Am Mo., 3. März 2025 um 10:14 Uhr schrieb {who}:",
}  # fmt: skip


def replied(style: str, language: str, *, own: str, name: str, address: str, to: str, subject: str, text: str) -> str:
    """Return the body of a reply that quotes what it answers; `style` is "marks" or "outlook"."""
    if style == "outlook":
        f, sent, t, s, date = _OUTLOOK[language]
        return f"{own}\n\n{f}: {name} <{address}>\n{sent}: {date}\n{t}: {to}\n{s}: {subject}\n\n{text}"
    quoted = "\n".join("> " + line for line in text.splitlines())
    return f"{own}\n\n{_WROTE[language].format(who=f'{name} <{address}>')}\n{quoted}\n"
