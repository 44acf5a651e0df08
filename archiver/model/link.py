"""Links between messages and customers: by which rule, on what evidence, and what nearly fitted.

Plain values; the rules themselves are `archiver.core.linking.rules`.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum, IntEnum

from msgspec import Struct

from archiver.model.address import EmailAddress
from archiver.model.message import BlobId, Direction


class Rule(IntEnum):
    """What makes a link, strongest first. The numbers are kept on disk."""

    HAND = 0  # a colleague said so
    CONTACT = 1  # a contact's exact address takes part
    VAT = 2  # the customer's VAT number in subject or text
    LICENCE = 3  # a licence number of theirs in subject or text
    REFERENCE = 4  # our own number for them in subject or text
    DOMAIN = 5  # an address in the customer's own domain takes part
    FORWARD = 6  # the message forwards one of theirs
    REPORT = 7  # a delivery report about a message to them
    THREAD = 8  # others of the thread are theirs: only ever a suggestion


class Standing(IntEnum):
    """What a rule came to for one customer. The numbers are kept on disk."""

    LINKED = 0
    AMBIGUOUS = 1  # several customers fit equally: nothing is guessed, a person decides
    SUGGESTED = 2  # named by a rule that a stronger one overruled, or by the thread


class Link(Struct, frozen=True):
    """A message belongs to a customer, or might; `customer` is the internal id, `rule` the strongest that says so."""

    customer: int
    rule: Rule
    standing: Standing = Standing.LINKED


class Decision(Struct, frozen=True):
    """What a colleague said by hand about one message and one customer; it outranks every rule until it is undone."""

    id: int
    blob_id: BlobId
    customer: int
    links: bool
    who: str
    at: datetime
    why: str
    undone_at: datetime | None = None
    undone_by: str | None = None


class Evidence(Struct, frozen=True):
    """What the rules may read of one message. Quoted text and display names are deliberately not among it.

    `author` is who wrote a message whose From a mailing list rewrote; `forwarded` the senders of the messages that
    this one forwards, outermost first, and whom those of the forwarder's own domain wrote to; `reported` the recipients
    that a delivery report is about. `vat_numbers` are canonical; `codes` are the licence and reference numbers that
    were found, as `archiver.core.linking.mentions` writes them.
    `decisions` are those by hand that stand.
    """

    direction: Direction
    from_: tuple[EmailAddress, ...] = ()
    sender: tuple[EmailAddress, ...] = ()
    reply_to: tuple[EmailAddress, ...] = ()
    to: tuple[EmailAddress, ...] = ()
    cc: tuple[EmailAddress, ...] = ()
    bcc: tuple[EmailAddress, ...] = ()
    author: tuple[EmailAddress, ...] = ()
    forwarded: tuple[EmailAddress, ...] = ()
    reported: tuple[EmailAddress, ...] = ()
    vat_numbers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()


class Outcome(Enum):
    """What became of one finding, for `why`."""

    LINKS = "links"
    AMBIGUOUS = "ambiguous"
    SUGGESTS = "suggests"
    REFUSED = "refused"  # a colleague said no
    NOTHING = "nothing"  # nearly fitted; `note` says what was missing


class Reason(Struct, frozen=True):
    """One finding: a rule met something in one place of a message. `note` is a stable code for why it was not more.

    `where` names the header field or part: "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "subject or text",
    "forwarded message", "delivery report", "thread", "quoted text", "display name" or "by hand". `value` is the
    address, domain or number met, or who decided by hand; `customers` are the internal ids of all that fit it, none for
    what nearly fitted nobody.

    Notes: "" · several-customers · overruled · own-address · shared-domain (freemail and other providers) ·
    public-suffix · look-alike · quoted-only · unknown-address · unlinked-by-hand · forwarded-by-customer.
    """

    rule: Rule
    outcome: Outcome
    where: str
    value: str
    customers: tuple[int, ...] = ()
    note: str = ""


class Verdict(Struct, frozen=True):
    """What the rules make of a message: its links and candidates by customer id, and every finding behind them."""

    links: tuple[Link, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def linked(self) -> tuple[int, ...]:
        """The customers that the message belongs to."""
        return tuple(link.customer for link in self.links if link.standing is Standing.LINKED)

    @property
    def candidates(self) -> tuple[int, ...]:
        """The customers that it might belong to."""
        return tuple(link.customer for link in self.links if link.standing is not Standing.LINKED)


class LinkChanges(Struct, frozen=True):
    """How many messages gained or lost a link or a candidate, by customer id; `messages` counts those that changed."""

    messages: int = 0
    gained: tuple[tuple[int, int], ...] = ()
    lost: tuple[tuple[int, int], ...] = ()
    candidates_gained: tuple[tuple[int, int], ...] = ()
    candidates_lost: tuple[tuple[int, int], ...] = ()
