"""Which way a message went, and when: the author decides, and a forged date does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archiver.core.placing import direction_of, is_automatic, sorting_instant
from archiver.model.address import EmailAddress
from archiver.model.delivery import Arrival
from archiver.model.identity import Identity
from archiver.model.message import BlobId, Direction, Message

US = Identity(domains=("example.be",), addresses=("support@partner.example",))
OURS, COLLEAGUE = EmailAddress("An", "an@example.be"), EmailAddress("", "Bob@Example.BE")
THEIRS, SHARED = EmailAddress("", "eva@customer.test"), EmailAddress("", "Support+ticket7@partner.example")
DAEMON = EmailAddress("Mail Delivery System", "MAILER-DAEMON@example.be")
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def arrival(*, special_use: str | None = "\\Inbox", account: str = "info") -> Arrival:
    return Arrival(BlobId(b"b" * 32), account, b"X", "X", special_use, 1, 1, None, (), 0)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message(from_=(THEIRS,), to=(OURS,)), Direction.INCOMING),
        (Message(from_=(OURS,), to=(THEIRS,)), Direction.OUTGOING),
        (Message(from_=(OURS,), to=(COLLEAGUE,)), Direction.INTERNAL),
        (Message(from_=(OURS,), to=(COLLEAGUE,), cc=(THEIRS,)), Direction.OUTGOING),
        (Message(from_=(OURS,), to=(COLLEAGUE,), bcc=(THEIRS,)), Direction.OUTGOING),
        (Message(from_=(OURS,)), Direction.OUTGOING),
        (Message(from_=(SHARED,), to=(THEIRS,)), Direction.OUTGOING),
        (Message(from_=(THEIRS,), to=(THEIRS,), delivered_to=(OURS,)), Direction.INCOMING),
        (Message(from_=(THEIRS,), sender=(OURS,), to=(OURS,)), Direction.INCOMING),
        (Message(sender=(OURS,), to=(THEIRS,)), Direction.OUTGOING),
        (Message(from_=(THEIRS,), to=(THEIRS,)), Direction.OTHER),
        # a list of ours rewrote From: its author is an outsider all the same, and the other way round
        (Message(from_=(OURS,), author=(THEIRS,), to=(OURS,)), Direction.INCOMING),
        (Message(from_=(THEIRS,), author=(OURS,), to=(THEIRS,)), Direction.OUTGOING),
        # our web form: the customer speaks
        (Message(from_=(OURS,), reply_to=(THEIRS,), to=(COLLEAGUE,)), Direction.INCOMING),
        (Message(from_=(OURS,), reply_to=(OURS, THEIRS), to=(OURS,)), Direction.INCOMING),
        (Message(from_=(OURS,), reply_to=(COLLEAGUE,), to=(OURS,)), Direction.INTERNAL),
        (Message(from_=(OURS,), reply_to=(EmailAddress("", "root"),), to=(OURS,)), Direction.INTERNAL),
        (Message(from_=(OURS,), reply_to=(THEIRS,), to=(THEIRS,)), Direction.OUTGOING),
        # our own mail server, and another's, report to us
        (Message(from_=(DAEMON,), reported=(THEIRS,), to=(OURS,)), Direction.INCOMING),
        (
            Message(from_=(EmailAddress("", "postmaster@relay.test"),), reported=(THEIRS,), to=(OURS,)),
            Direction.INCOMING,
        ),
        (Message(from_=(DAEMON,), reported=(COLLEAGUE,), to=(OURS,)), Direction.INTERNAL),
        (Message(), Direction.OTHER),
    ],
)
def test_the_author_decides_and_then_the_recipients(message: Message, expected: Direction) -> None:
    assert direction_of(message, US, []) is expected


def test_a_blind_copy_in_one_of_our_mailboxes_came_in() -> None:
    message = Message(from_=(THEIRS,), to=(THEIRS,))
    assert direction_of(message, US, [arrival()]) is Direction.INCOMING


def test_a_strangers_mail_in_sent_or_imported_proves_nothing() -> None:
    message = Message(from_=(THEIRS,), to=(THEIRS,))
    assert direction_of(message, US, [arrival(special_use="\\Sent")]) is Direction.OTHER
    assert direction_of(message, US, [arrival(account="import")]) is Direction.OTHER
    assert direction_of(Message(), US, [arrival()]) is Direction.OTHER, "without an author nobody wrote to us"


@pytest.mark.parametrize(
    ("sent", "topmost", "received", "expected"),
    [
        (NOON, None, NOON + HOUR, NOON),
        (NOON, NOON + HOUR, NOON + HOUR, NOON),
        (None, None, NOON, NOON),
        (None, NOON, NOON + DAY * 900, NOON),
        (None, None, None, NOON + DAY * 2000),
        # a forged future is held back by what the server says, a wrong clock is not
        (NOON + 23 * HOUR, None, NOON, NOON + 23 * HOUR),
        (NOON + 25 * HOUR, None, NOON, NOON),
        # mail that was moved to a new server keeps its date: INTERNALDATE bounds no past
        (NOON, None, NOON + DAY * 3000, NOON),
        (NOON - DAY * 365, NOON, NOON, NOON - DAY * 365),
        (NOON - DAY * 367, NOON, NOON, NOON),
        # a Received field from the future is not believed either
        (NOON, NOON + DAY * 400, NOON, NOON),
        (NOON + DAY * 400, NOON + DAY * 400, NOON, NOON),
    ],
)
def test_a_message_is_sorted_by_its_date_within_reason(
    sent: datetime | None, topmost: datetime | None, received: datetime | None, expected: datetime
) -> None:
    message = Message(sent_at=sent, arrived_at=topmost)
    assert sorting_instant(message, received, NOON + DAY * 2000) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message(from_=(THEIRS,)), False),
        (Message(from_=(THEIRS,), automatic=True), True),
        (Message(from_=(THEIRS,), automatic=True, list_id="News <news.customer.test>"), True),
        (Message(from_=(THEIRS,), automatic=True, list_id="Support <support.example.be>"), False),
        (Message(from_=(THEIRS,), automatic=True, list_id="<support.desk.Example.BE>"), False),
        (Message(from_=(THEIRS,), automatic=True, list_id="<support.notexample.be>"), True),
        (Message(automatic=True, list_id="<support.example.be>", auto_submitted="auto-replied"), True),
        (Message(automatic=True, list_id="<support.example.be>", auto_submitted="no"), False),
        (Message(from_=(OURS,), reply_to=(THEIRS,), automatic=True), False),
        (Message(from_=(OURS,), reply_to=(COLLEAGUE,), automatic=True), True),
        (Message(from_=(OURS,), reply_to=(THEIRS,), automatic=True, list_id="<news.customer.test>"), True),
    ],
)
def test_what_people_write_through_our_own_list_or_form_is_not_automatic(message: Message, expected: bool) -> None:
    assert is_automatic(message, US) is expected
