"""What the application answers about customers, their history and mail that belongs to nobody, by what is shown.

Protocols as in `archiver.cli.answers`. Only the type checker reads this.
"""

# ruff: noqa: D102 - the classes say what their attributes are

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from archiver.core.customer_ports import Correspondent
from archiver.model.catalogue import Summary
from archiver.model.customer import Customer, CustomerRecord
from archiver.model.link import Decision, LinkChanges, Verdict


class CustomerMatch(Protocol):
    """A customer that fits what was typed; `field` says what fitted ("name", "vat", "phone", ...), `value` as kept."""

    @property
    def record(self) -> CustomerRecord: ...
    @property
    def field(self) -> str: ...
    @property
    def value(self) -> str: ...


class CustomerFigures(Protocol):
    """How much mail there is with a customer."""

    @property
    def linked(self) -> int: ...
    @property
    def candidates(self) -> int: ...
    @property
    def newest(self) -> datetime | None: ...
    @property
    def oldest(self) -> datetime | None: ...


class Explanation(Protocol):
    """Why a message is linked as it is; `customers` has the record of every id that `verdict` and `decisions` name."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def decisions(self) -> Sequence[Decision]: ...
    @property
    def customers(self) -> Mapping[int, CustomerRecord]: ...


class HistoryThread(Protocol):
    """A conversation with a customer; `messages` are those asked for, newest first, `contact` the customer's side."""

    @property
    def messages(self) -> Sequence[Summary]: ...
    @property
    def contact(self) -> str: ...


class History(Protocol):
    """A page of a customer's history: threads by their newest message; `total` counts all messages that were asked for.

    `candidates` counts messages that might be the customer's, which are not among them.
    """

    @property
    def total(self) -> int: ...
    @property
    def threads(self) -> Sequence[HistoryThread]: ...
    @property
    def more(self) -> bool: ...
    @property
    def candidates(self) -> int: ...


class WaitingThread(Protocol):
    """A conversation that nobody answered: since `message`, the oldest incoming one without an answer."""

    @property
    def message(self) -> Summary: ...
    @property
    def messages(self) -> int: ...
    @property
    def age(self) -> timedelta: ...


class WaitingPage(Protocol):
    """Some of `total` conversations, oldest first."""

    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[WaitingThread]: ...


class Proposal(Protocol):
    """What to do with unlinked mail: an existing `record`, or a `draft` of a new customer; `because` says why.

    Reasons: "domain-like" · "name-like" · "thread" · "new".
    """

    @property
    def record(self) -> CustomerRecord | None: ...
    @property
    def draft(self) -> Customer | None: ...
    @property
    def because(self) -> str: ...


class UnlinkedGroup(Protocol):
    """Unlinked mail of one domain, or of one address where the domain is a provider's; `name` is that.

    With `automatic`, programs write there and nobody of ours ever wrote back.
    """

    @property
    def name(self) -> str: ...
    @property
    def shared(self) -> bool: ...
    @property
    def addresses(self) -> Sequence[Correspondent]: ...
    @property
    def incoming(self) -> int: ...
    @property
    def outgoing(self) -> int: ...
    @property
    def other(self) -> int: ...
    @property
    def newest(self) -> Summary: ...
    @property
    def automatic(self) -> bool: ...
    @property
    def proposals(self) -> Sequence[Proposal]: ...


class UnlinkedPage(Protocol):
    """Some of `total` groups, most mail first; `messages` counts all unlinked mail."""

    @property
    def messages(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[UnlinkedGroup]: ...


class AmbiguousPage(Protocol):
    """Some of `total` messages that several customers fit equally; their summaries' candidates are those."""

    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[Summary]: ...


class CustomerChange(Protocol):
    """What a change came to. `before` is None for a new customer, `after` for a removed one; both equal: no change.

    `links` counts messages by internal id; `references` names these. `warnings` say what is allowed and yet
    worth a look: an address or number that another customer has too.
    """

    @property
    def record(self) -> CustomerRecord: ...
    @property
    def before(self) -> Customer | None: ...
    @property
    def after(self) -> Customer | None: ...
    @property
    def links(self) -> LinkChanges: ...
    @property
    def references(self) -> Mapping[int, str]: ...
    @property
    def warnings(self) -> Sequence[str]: ...


class ImportChanges(Protocol):
    """What an import of customers came to: one change a customer, and what all of them did to the links."""

    @property
    def changes(self) -> Sequence[CustomerChange]: ...
    @property
    def links(self) -> LinkChanges: ...
    @property
    def references(self) -> Mapping[int, str]: ...
