"""Synthetic mail of an invented software firm: conversations in Dutch, French and English, the same for the same seed.

For the demonstration, tests and benchmarks. Knows who writes when, and about what; `demo.compose` makes the octets.
Mail comes in the order in which it was sent, and is made while it is asked for, so any number costs the same memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from demo.compose import Attachment, Draft, compose, compose_cheaply
from demo.people import DOMAIN, FIRM, PRODUCTS, STAFF, Customer, Person, customers
from demo.phrases import CLOSING, EXTRA, FILE_NAMES, GREETING, MONTHS, PAPERS, REPLY, TOPICS, Topic

START = datetime(2025, 1, 6, 8, 0, tzinfo=timezone(timedelta(hours=1)))
"""A Monday morning, the first day unless another is asked for."""

SOLVED = "Opgelost/Terminé"
"""A mailbox of support@ whose name is not ASCII: closed conversations are copied there, so their octets exist twice."""

_MAILS_PER_CONVERSATION = 3.96  # counted over 50,000 messages; only spreads the conversations over the time


@dataclass(frozen=True, slots=True)
class SyntheticMail:
    """One message as it lies in a mailbox; `octets` have CRLF line ends, `keywords` are IMAP flags and keywords.

    `conversation` counts from 0, `customer` is the customer's reference: what a test expects threads and links to be.
    """

    account: str
    mailbox: str
    octets: bytes
    sent_at: datetime
    keywords: tuple[str, ...]
    conversation: int
    customer: str


def messages(
    seed: int = 1, count: int = 800, start: datetime = START, *, days: int = 365, bulk: bool = False
) -> Iterator[SyntheticMail]:
    """Give exactly `count` messages sent from `start` on, spread over about `days`.

    With `bulk` they are plain text without attachments, with a vocabulary of 30,000 more words in a natural (Zipf)
    distribution: several thousand a second, for benchmarks.
    """
    # Not for secrets: the point is that it repeats.
    random = Random(seed)  # noqa: S311
    firm = customers()
    words = _Vocabulary(random) if bulk else None
    step = timedelta(days=days) / max(1.0, count / _MAILS_PER_CONVERSATION)
    waiting: list[tuple[datetime, int, SyntheticMail]] = []
    given = number = made = 0
    while given < count:
        begins = start + step * number
        conversation = _Conversation(random, number, random.choice(firm), words)
        for mail in conversation.mails(begins):
            # The running number keeps the heap from comparing messages, and equal times in the order they were made.
            heapq.heappush(waiting, (mail.sent_at, made, mail))
            made += 1
        number += 1
        while waiting and given < count and waiting[0][0] < start + step * number:
            yield heapq.heappop(waiting)[2]
            given += 1


class _Vocabulary:
    """Words that exist in no language, the n-th a n-th as frequent as the first (Zipf's law)."""

    def __init__(self, random: Random) -> None:
        onset = ("b", "d", "dr", "f", "g", "gr", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t", "v", "w", "z", "")
        vowel = ("a", "e", "i", "o", "u", "aa", "ee", "é", "oe", "ij", "ou")
        coda = ("", "n", "r", "s", "t", "k", "l", "m")
        syllables = [a + b + c for a in onset for b in vowel for c in coda]
        found = {"".join(random.choices(syllables, k=2 + rank % 3)): None for rank in range(30_000)}
        self.words = list(found)
        total = 0.0
        self.weights = [total := total + 1.0 / rank for rank in range(1, len(self.words) + 1)]

    def sentence(self, random: Random, length: int) -> str:
        return " ".join(random.choices(self.words, cum_weights=self.weights, k=length)).capitalize() + "."


class _Conversation:
    """One matter from the first question to the thanks: up to five mails, a copy, a forwarded one."""

    def __init__(self, random: Random, number: int, customer: Customer, words: _Vocabulary | None) -> None:
        self._random = random
        self._number = number
        self._customer = customer
        self._words = words
        self._contact = random.choice(customer.contacts)
        self._topic: Topic = random.choice(TOPICS[customer.language])
        self._staff = random.choice(STAFF[self._topic.account])
        self._values = {
            "product": random.choice(PRODUCTS),
            "version": f"{random.randint(7, 9)}.{random.randint(0, 9)}",
            "licence": customer.licence,
            "invoice": f"2025-{random.randint(1, 9999):04d}",
            "amount": f"€ {random.randint(12, 480) * 10},00",
            "code": f"E{random.randint(100, 999)}",
            "quantity": str(random.randint(2, 400)),
            "company": customer.company,
            "city": customer.city,
            "day": f"{random.randint(1, 28)} {random.choice(MONTHS[customer.language])}",
        }

    def mails(self, begins: datetime) -> Iterator[SyntheticMail]:
        random, topic = self._random, self._topic
        at = _working_time(begins.replace(microsecond=0) + timedelta(seconds=random.randint(0, 20_000)))
        draft = self._draft(None, at, self._contact, self._staff, topic.question, topic.asked)
        first = draft
        yield self._mail(draft, "INBOX", ("\\Seen", "\\Answered"))
        if topic.account == "info" and random.random() < 0.15:
            yield self._forward(draft)
        turns = [
            (self._staff, self._contact, topic.answer, topic.answered),
            (self._contact, self._staff, topic.more, topic.added),
            (self._staff, self._contact, topic.solution, None),
            (self._contact, self._staff, topic.thanks, None),
        ]
        for sender, recipient, text, attached in turns[: random.choices((0, 1, 2, 3, 4), (1, 2, 1, 3, 5))[0]]:
            at = _working_time(at + timedelta(seconds=random.randint(1_200, 80_000)))
            draft = self._draft(draft, at, sender, recipient, text, attached)
            incoming = sender is self._contact
            flags = ("\\Seen", "\\Answered") if incoming else ("\\Seen",)
            yield self._mail(draft, "INBOX" if incoming else "Sent", flags)
        if draft is not first and topic.account == "support" and random.random() < 0.3:
            yield self._mail(draft, SOLVED, ("\\Seen", "$Label1"))

    def _draft(
        self, parent: Draft | None, at: datetime, sender: Person, recipient: Person, text: str, kind: str | None
    ) -> Draft:
        random, language = self._random, self._customer.language
        lines = [GREETING[language].format(name=recipient.first), "", self._fill(text)]
        if sender is self._contact and random.random() < (0.3 if parent else 0.9):
            lines += ["", self._fill(random.choice(EXTRA[language]))]
        if self._words is not None:
            lines += ["", *(self._words.sentence(random, random.randint(6, 20)) for _ in range(random.randint(1, 8)))]
        ours = sender is self._staff
        company = FIRM if ours else f"{self._customer.company} ({self._customer.reference})"
        lines += ["", f"{CLOSING[language]},", sender.name, company]
        subject = self._fill(self._topic.subject)
        return Draft(
            message_id=f"{self._number}.{random.getrandbits(64):016x}@{sender.address.partition('@')[2]}",
            sender=sender,
            recipient=recipient,
            copies=self._copies(sender),
            subject=(REPLY[language] if parent else "") + subject,
            sent_at=at,
            language=language,
            text="\n".join(lines),
            parent=parent,
            attachment=self._attachment(kind) if kind and self._words is None else None,
            style=random.choices(("plain", "latin1", "base64", "html", "outlook"), (4, 1, 1, 4, 2))[0],
            boundary=f"=_{random.getrandbits(64):016x}",
        )

    def _copies(self, sender: Person) -> tuple[Person, ...]:
        others = [person for person in self._customer.contacts if person is not self._contact]
        return tuple(others[:1]) if others and self._random.random() < 0.25 and sender is not others[0] else ()

    def _attachment(self, kind: str) -> Attachment:
        language = self._customer.language
        name = FILE_NAMES[language, kind].format(number=self._values["invoice" if kind == "pdf" else "licence"])
        text = " – ".join((FIRM, self._customer.company, self._values["licence"], self._values["amount"]))
        paper = PAPERS.get((language, kind))
        return Attachment(kind, name, f"{text}\n{self._fill(paper)}" if paper else text)

    def _forward(self, draft: Draft) -> SyntheticMail:
        """Pass the question on to a colleague, the message attached whole (message/rfc822)."""
        colleague = self._random.choice(STAFF["support"])
        forwarded = replace(
            draft,
            message_id=f"{self._number}.{self._random.getrandbits(64):016x}@{DOMAIN}",
            sender=self._staff,
            recipient=colleague,
            copies=(),
            subject=f"Fwd: {draft.subject}",
            sent_at=draft.sent_at + timedelta(minutes=12),
            text=f"{colleague.first}, kan jij dit bekijken? / peux-tu regarder ?\n\n{self._staff.first}",
            parent=None,
            attachment=None,
            forwarded=draft,
            style="plain",
            boundary=f"=_{self._random.getrandbits(64):016x}",
        )
        return self._mail(forwarded, "INBOX", ("\\Seen",), account="support")

    def _mail(
        self, draft: Draft, mailbox: str, keywords: tuple[str, ...], *, account: str | None = None
    ) -> SyntheticMail:
        return SyntheticMail(
            account=account or self._topic.account,
            mailbox=mailbox,
            octets=compose(draft) if self._words is None else compose_cheaply(draft),
            sent_at=draft.sent_at,
            keywords=(*keywords, "\\Flagged") if self._random.random() < 0.03 else keywords,
            conversation=self._number,
            customer=self._customer.reference,
        )

    def _fill(self, template: str) -> str:
        return template.format_map(self._values)


def _working_time(at: datetime) -> datetime:
    """Move a time at night or at a weekend to the next morning, keeping minutes and seconds."""
    if at.hour >= 18:
        at = at.replace(hour=8) + timedelta(days=1)
    elif at.hour < 8:
        at = at.replace(hour=8)
    while at.weekday() >= 5:
        at += timedelta(days=1)
    return at


def unix_seconds(at: datetime) -> int:
    """Seconds since 1970 UTC, as INTERNALDATE and file times want them."""
    return int(at.astimezone(UTC).timestamp())
