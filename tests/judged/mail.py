"""Mail and questions as somebody writes them down who knows the desk: what is asked, and which messages answer it.

Knows how a note becomes the octets of a message, the same every time. Knows nothing of searching.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email import policy
from email.message import EmailMessage
from random import Random

from tests.judged.people import CLOSING, FIRMS, GREETING, OWN, STAFF, WROTE

_TYPES = {
    "pdf": ("application", "pdf"),
    "docx": ("application", "vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pptx": ("application", "vnd.openxmlformats-officedocument.presentationml.presentation"),
    "odt": ("application", "vnd.oasis.opendocument.text"),
    "ods": ("application", "vnd.oasis.opendocument.spreadsheet"),
    "rtf": ("application", "rtf"),
    "zip": ("application", "zip"),
    "csv": ("text", "csv"),
    "txt": ("text", "plain"),
    "html": ("text", "html"),
}
_FIRST_DAY = datetime(2022, 1, 3, 8, 30, tzinfo=timezone(timedelta(hours=1)))
DAYS = 1_420
"""The mail is of so many days from 3 January 2022 on: to the end of November 2025."""


@dataclass(frozen=True)
class Mail:
    """A message as noted down. What is not said is drawn: who writes, when, and how it is encoded.

    `quoted` is what it answers, repeated below. `sender` and `to` are "Name <address>"; `day` is "2024-03-05".
    With `ours`, the desk writes to a customer. Mails of one question with the same `thread` answer each other.
    """

    subject: str
    text: str
    quoted: str = ""
    sender: str = ""
    to: str = ""
    day: str = ""
    ours: bool = False
    files: tuple[tuple[str, bytes], ...] = ()
    thread: str = ""
    language: str = ""


@dataclass(frozen=True)
class Question:
    """What somebody at the desk types, what makes it hard, and the mail it is asked for.

    `near` shares words with the answers and answers nothing. With `suggested`, the words are misspelt, and what counts
    is what comes of following the suggestion. `notmuch` is the query in its language where that differs.
    """

    query: str
    kind: str
    language: str
    answers: tuple[Mail, ...]
    near: tuple[Mail, ...] = ()
    suggested: bool = False
    notmuch: str = ""


@dataclass(frozen=True)
class Letter:
    """A message of the set: its Message-ID without angle brackets, and its octets with CRLF line ends."""

    message_id: str
    octets: bytes


def letters(question: Question, number: int) -> tuple[list[Letter], list[Letter]]:
    """Make the mail of a question: (answers, near misses)."""
    made: tuple[list[Letter], list[Letter]] = ([], [])
    for side, mails in enumerate((question.answers, question.near)):
        for at, mail in enumerate(mails):
            noted = replace(
                mail,
                language=mail.language or question.language,
                thread=f"q{number}.{mail.thread}" if mail.thread else "",
            )
            made[side].append(write(noted, f"q{number}.{'an'[side]}{at}", Random(f"{number} {side} {at}")))
    return made


def write(mail: Mail, name: str, random: Random) -> Letter:
    """Make the octets of a message with the Message-ID <name@judged.example>."""
    language = mail.language
    firm = random.choice([firm for firm in FIRMS if firm.language == language])
    person, staff = random.choice(firm.people), random.choice(STAFF)
    theirs, mine = f"{person} <{firm.address(person)}>", f"{staff} <{staff.split()[0].lower()}@{OWN}>"
    sender = mail.sender or (mine if mail.ours else theirs)
    to = mail.to or (theirs if mail.ours else f"Support <support@{OWN}>")
    sent = (
        datetime.fromisoformat(f"{mail.day}T09:15:00+01:00")
        if mail.day
        else _FIRST_DAY + timedelta(days=random.randrange(DAYS), seconds=random.randrange(30_000))
    )
    message = EmailMessage(policy=policy.SMTP)
    message["Date"] = sent
    message["From"], message["To"], message["Subject"] = sender, to, mail.subject
    message["Message-ID"] = f"<{name}@judged.example>"
    if mail.thread:
        message["References"] = f"<{mail.thread}@judged.example>"
    who = sender.partition(" <")[0]
    text = f"{random.choice(GREETING[language])},\n\n{mail.text}\n\n{random.choice(CLOSING[language])},\n{who}\n"
    if mail.quoted:
        day = sent - timedelta(days=1)
        text += f"\n{WROTE[language].format(day=f'{day:%d/%m/%Y}', who=to.partition(' <')[0])}\n"
        text += "".join(f"> {line}\n" for line in mail.quoted.split("\n"))
    _add_text(message, text, random)
    for filename, octets in mail.files:
        main, sub = _TYPES.get(filename.rpartition(".")[2], ("application", "octet-stream"))
        message.add_attachment(octets, maintype=main, subtype=sub, filename=filename)
    for at, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{name}_{at}")
    return Letter(f"{name}@judged.example", message.as_bytes())


def _add_text(message: EmailMessage, text: str, random: Random) -> None:
    style = random.choice(("plain", "plain", "latin1", "base64", "html"))
    try:
        if style == "latin1":
            message.set_content(text, charset="iso-8859-15", cte="quoted-printable")
            return
    except UnicodeEncodeError:
        style = "plain"
    message.set_content(text, charset="utf-8", cte="base64" if style == "base64" else "quoted-printable")
    if style == "html":
        body = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>\n")
        message.add_alternative(f"<html><body>{body}</body></html>", subtype="html", cte="quoted-printable")
