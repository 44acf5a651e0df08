"""A draft of a mail to the octets of a message: MIME as real programs write it, CRLF line ends, always the same octets.

Knows message formats (RFC 5322, RFC 2045–2047, RFC 2231), nothing of what is said.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from functools import lru_cache
from html import escape

from demo import attachments
from demo.people import Person
from demo.phrases import MONTHS, OUTLOOK, WROTE

_QUOTED_LEVELS = 3


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to attach: its kind (a key of `attachments.TYPES`), its name, and the lines of text it holds."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before it is octets. `parent` is what it answers and quotes, `forwarded` what it carries whole.

    `style` is "plain" (UTF-8, quoted-printable), "latin1", "base64", "html" (alternative parts) or "outlook" (HTML, the
    quoted message under a block of its header fields).
    """

    message_id: str
    sender: Person
    recipient: Person
    copies: tuple[Person, ...]
    subject: str
    sent_at: datetime
    language: str
    text: str
    parent: Draft | None
    attachment: Attachment | None
    style: str
    boundary: str
    forwarded: Draft | None = None


def compose(draft: Draft) -> bytes:
    """Make the octets of a message with everything the draft asks for."""
    message = EmailMessage(policy=policy.SMTP)
    message["Date"] = draft.sent_at
    message["From"] = _address(draft.sender)
    message["To"] = _address(draft.recipient)
    if draft.copies:
        message["Cc"] = [_address(person) for person in draft.copies]
    message["Subject"] = draft.subject
    message["Message-ID"] = f"<{draft.message_id}>"
    if draft.parent is not None:
        message["In-Reply-To"] = f"<{draft.parent.message_id}>"
        message["References"] = " ".join(f"<{message_id}>" for message_id in _references(draft))
    message["MIME-Version"] = "1.0"
    _add_text(message, draft)
    if draft.attachment is not None:
        main, sub = attachments.TYPES[draft.attachment.kind]
        octets = attachments.make(draft.attachment.kind, draft.attachment.text)
        message.make_mixed(boundary=f"{draft.boundary}_mixed")
        message.add_attachment(octets, maintype=main, subtype=sub, filename=draft.attachment.name)
    if draft.forwarded is not None:
        message.make_mixed(boundary=f"{draft.boundary}_mixed")
        carried = BytesParser(policy=policy.SMTP).parsebytes(compose(draft.forwarded))
        message.add_attachment(carried)
    return message.as_bytes()


def compose_cheaply(draft: Draft) -> bytes:
    """Make the octets of a plain text message (UTF-8, 8 bit) without any library that thinks: for benchmarks."""
    references = _references(draft)
    header = [
        f"Date: {format_datetime(draft.sent_at)}",
        f"From: {_mailbox(draft.sender)}",
        f"To: {_mailbox(draft.recipient)}",
        *([f"Cc: {', '.join(map(_mailbox, draft.copies))}"] if draft.copies else ()),
        f"Subject: {_encoded(draft.subject)}",
        f"Message-ID: <{draft.message_id}>",
        *([f"In-Reply-To: <{references[-1]}>", f"References: <{references[-1]}>"] if references else ()),
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    body = _quoting(draft, levels=1).replace("\n", "\r\n")
    return ("\r\n".join(header) + f"\r\n\r\n{body}\r\n").encode()


def _add_text(message: EmailMessage, draft: Draft) -> None:
    text = (_with_header_block(draft) if draft.style == "outlook" else _quoting(draft, _QUOTED_LEVELS)) + "\n"
    if draft.style == "latin1":
        message.set_content(text.replace("€", "EUR").replace("–", "-"), charset="iso-8859-1", cte="quoted-printable")
    elif draft.style == "base64":
        message.set_content(text, charset="utf-8", cte="base64")
    else:
        message.set_content(text, charset="utf-8", cte="quoted-printable")
    if draft.style in {"html", "outlook"}:
        message.make_alternative(boundary=f"{draft.boundary}_alternative")
        message.add_alternative(_html(draft), subtype="html", charset="utf-8", cte="quoted-printable")


def _quoting(draft: Draft, levels: int) -> str:
    """Give the text, then what it answers behind "> ", a few levels deep."""
    if draft.parent is None or levels == 0:
        return draft.text
    quoted = "\n".join(f"> {line}".rstrip() for line in _quoting(draft.parent, levels - 1).split("\n"))
    return f"{draft.text}\n\n{_attribution(draft.parent, draft.language)}\n{quoted}"


def _attribution(quoted: Draft, language: str) -> str:
    return WROTE[language].format(
        date=_day(quoted.sent_at, language),
        time=f"{quoted.sent_at:%H:%M}",
        name=quoted.sender.name,
        address=quoted.sender.address,
    )


def _with_header_block(draft: Draft) -> str:
    """Give the text, then what it answers under a block of its header fields, unmarked, as Outlook does."""
    if draft.parent is None:
        return draft.text
    return "\n".join((draft.text, "", *_header_block(draft.parent, draft.language), "", draft.parent.text))


def _header_block(quoted: Draft, language: str) -> tuple[str, ...]:
    rule, from_, sent, to, subject = OUTLOOK[language]
    return (
        rule,
        f"{from_}: {quoted.sender.name} <{quoted.sender.address}>",
        f"{sent}: {_day(quoted.sent_at, language)} {quoted.sent_at:%H:%M}",
        f"{to}: {quoted.recipient.name} <{quoted.recipient.address}>",
        f"{subject}: {quoted.subject}",
    )


def _html(draft: Draft) -> str:
    own = _paragraphs(draft.text)
    quoted = ""
    if draft.parent is not None and draft.style == "outlook":
        block = "<br>\n".join(escape(line) for line in _header_block(draft.parent, draft.language)[1:])
        quoted = f'<div style="border-top:1px solid #aaa"><p>{block}</p></div>\n{_paragraphs(draft.parent.text)}'
    elif draft.parent is not None:
        line = escape(_attribution(draft.parent, draft.language))
        quoted = f'<p>{line}</p>\n<blockquote type="cite">\n{_paragraphs(draft.parent.text)}</blockquote>\n'
    style = "<style>p { font-family: sans-serif; color: #222 }</style>"
    return f"<html><head>{style}</head>\n<body>\n{own}{quoted}</body></html>\n"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{'<br>'.join(escape(part).split(chr(10)))}</p>\n" for part in text.split("\n\n"))


def _references(draft: Draft) -> tuple[str, ...]:
    found: list[str] = []
    parent = draft.parent
    while parent is not None:
        found.append(parent.message_id)
        parent = parent.parent
    return tuple(reversed(found))


def _day(at: datetime, language: str) -> str:
    return f"{at.day} {MONTHS[language][at.month - 1]} {at.year}"


def _address(person: Person) -> Address:
    local, _, domain = person.address.partition("@")
    return Address(person.name, local, domain)


@lru_cache(maxsize=256)
def _mailbox(person: Person) -> str:
    return f"{_encoded(person.name)} <{person.address}>"


def _encoded(text: str) -> str:
    """Write encoded words (RFC 2047 §2, 75 characters at most) when the text is not ASCII."""
    if text.isascii():
        return text
    pieces = (text[at : at + 14] for at in range(0, len(text), 14))
    return "\r\n ".join(f"=?utf-8?b?{b64encode(piece.encode()).decode()}?=" for piece in pieces)
