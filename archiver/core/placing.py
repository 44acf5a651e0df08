"""Where a message belongs: its direction, and the instant it is sorted by.

Pure decisions over parsed values; both can be derived again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from archiver.model.address import EmailAddress
from archiver.model.delivery import Arrival
from archiver.model.identity import Identity
from archiver.model.message import Direction, Message

_CLOCK_SKEW = timedelta(days=1)
"""A Date this much after arrival is a wrong clock or a wrong zone; beyond, it is forged."""

_IN_TRANSIT = timedelta(days=366)
"""A Date this much before the topmost Received field is a slow server or an old draft; beyond, it is forged."""


def direction_of(message: Message, identity: Identity, arrivals: Iterable[Arrival]) -> Direction:
    """Decide which way a message went.

    The author (whoever wrote what a list rewrote, else From, else Sender) decides: one of us makes it outgoing, or
    internal when every recipient is one of us. Anybody else's mail is incoming when it was addressed to us, or lies in
    a mailbox of ours that is not Sent: a blind copy or a list has no address of ours in its header.

    What our own programs send to ourselves for somebody else is incoming, too: our web form's mail, whose Reply-To is
    an outsider (it is the customer who speaks), and our mail server's report on a message to one.
    """
    authors = message.author or message.from_ or message.sender
    recipients = message.to + message.cc + message.bcc
    if any(identity.owns(author) for author in authors):
        if recipients and all(identity.owns(recipient) for recipient in recipients):
            if _has_outsider(message.reply_to, identity) or _has_outsider(message.reported, identity):
                return Direction.INCOMING
            return Direction.INTERNAL
        return Direction.OUTGOING
    if any(identity.owns(recipient) for recipient in recipients + message.delivered_to):
        return Direction.INCOMING
    uses = {arrival.special_use for arrival in arrivals if arrival.account != "import"}
    if uses and authors and "\\Sent" not in uses:
        return Direction.INCOMING
    return Direction.OTHER


def _has_outsider(addresses: Iterable[EmailAddress], identity: Identity) -> bool:
    return any(address.domain and not identity.owns(address) for address in addresses)


def is_automatic(message: Message, identity: Identity) -> bool:
    """Tell whether a program sent a message, so that nobody waits for an answer to it.

    A list's mark on it does not count when the list is our own: people write to the group that our support desk is.
    Nor does that of our own web form, which sends what a visitor wrote.
    """
    if not message.automatic or message.auto_submitted not in {None, "", "no"}:
        return message.automatic
    if message.list_id is not None and _is_our_list(message.list_id, identity):
        return False
    form = any(identity.owns(author) for author in message.from_) and _has_outsider(message.reply_to, identity)
    return not (form and message.list_id is None)


def _is_our_list(list_id: str, identity: Identity) -> bool:
    """Tell whether a List-Id (RFC 2919 §3), whose labels end in the domain of whoever runs the list, is below ours."""
    labels = list_id.rpartition("<")[2].partition(">")[0].strip().rstrip(".").split(".")
    return any(identity.owns(EmailAddress("", "list@" + ".".join(labels[at:]))) for at in range(len(labels)))


def sorting_instant(message: Message, received_at: datetime | None, archived_at: datetime) -> datetime:
    """Return the instant a message is listed at: its Date, held within reason by when it arrived.

    INTERNALDATE is late on migrated mail and never early, so it bounds the future only; the topmost Received field,
    where there is one, bounds the past too.
    """
    arrived = message.arrived_at
    if arrived is not None and received_at is not None and arrived > received_at + _CLOCK_SKEW:
        arrived = None
    latest = arrived or received_at or archived_at
    sent = message.sent_at
    if sent is None:
        return latest
    if sent > latest + _CLOCK_SKEW:
        return latest
    if arrived is not None and sent < arrived - _IN_TRANSIT:
        return arrived
    return sent
