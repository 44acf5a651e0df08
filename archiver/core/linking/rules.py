"""Which customers a message belongs to: the rules, and nothing else.

A pure function of the evidence of one message, the directory of all customers and what colleagues decided by hand: no
message's links depend on another's, so the order in which mail and customers arrive never matters. Links out of the
thread are suggestions, worked out when they are read, and have no place here.

The rules, strongest first (`model.link.Rule`). People who take part decide: contacts of a customer by their address,
others by their domain. Numbers in the text (VAT, licence, reference) come second to a contact, and before a domain. The
sender of a forwarded message, and the recipients of a delivery report, stand in where nobody in the header is known.
Where several customers fit equally, other evidence of the same message may decide between them; else all are ambiguous.

What nearly fitted is gathered by `archiver.core.linking.near_misses`, for `explain` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from archiver.core.linking.directory import Directory, address_key, canonical_number, exact_address
from archiver.core.linking.domains import ascii_domain, is_shared
from archiver.core.linking.mentions import is_part_of, licence_code, reference_code
from archiver.model.address import EmailAddress
from archiver.model.customer import Customer
from archiver.model.link import Decision, Evidence, Link, Outcome, Reason, Rule, Standing, Verdict
from archiver.model.message import Direction, Message

_NUMBERS = "subject or text"


class Identifiers(Struct, frozen=True):
    """All that can make a message's verdict change when a customer changes, as `core.customer_ports.Links` asks for it.

    `addresses` are keys (`core.directory.address_key`), `codes` are written as `core.mentions` does.
    """

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    vat_numbers: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()


def identifiers_of(customer: Customer) -> Identifiers:
    """Return what of a customer the rules read; domains of providers never link, and are left out."""
    codes = (
        *(licence_code(licence) for licence in customer.licences),
        *(reference_code(reference) for reference in (customer.reference, *customer.former_references)),
    )
    domains = (ascii_domain(domain) for domain in customer.domains)
    return Identifiers(
        addresses=frozenset(address_key(email) for email in customer.emails if "@" in email),
        domains=frozenset(domain for domain in domains if "." in domain and not is_shared(domain)),
        vat_numbers=frozenset({customer.vat, canonical_number(customer.vat)} if customer.vat else ()),
        codes=frozenset(code for code in codes if code),
    )


def touched_by(before: Customer | None, after: Customer | None) -> Identifiers:
    """Return the identifiers whose messages a change can link otherwise; None stands for no customer.

    An address that is only spelled otherwise, and a licence number that becomes a reference number, count as changed.
    """
    old, new = _details(before), _details(after)
    kinds: dict[str, set[str]] = {"addresses": set(), "domains": set(), "vat_numbers": set(), "codes": set()}
    for kind, value, _ in old ^ new:
        kinds[kind].add(value)
    return Identifiers(**{kind: frozenset(values) for kind, values in kinds.items()})


def _details(customer: Customer | None) -> frozenset[tuple[str, str, str]]:
    """Return identifiers as (kind, value, what else of it the rules read)."""
    if customer is None:
        return frozenset()
    found = identifiers_of(customer)
    licences = {licence_code(licence) for licence in customer.licences}
    references = {reference_code(reference) for reference in (customer.reference, *customer.former_references)}
    details = {("addresses", address_key(email), exact_address(email)) for email in customer.emails if "@" in email}
    details.update(("domains", domain, "") for domain in found.domains)
    details.update(("vat_numbers", number, "") for number in found.vat_numbers)
    details.update(("codes", code, "licence") for code in found.codes & licences)
    details.update(("codes", code, "reference") for code in found.codes & references)
    return frozenset(details)


def evidence_of(
    message: Message, direction: Direction, codes: Sequence[str] = (), decisions: Sequence[Decision] = ()
) -> Evidence:
    """Gather what the rules may read of a message; `codes` are what `Directory.code_book` found in it."""
    return Evidence(
        direction=direction,
        from_=message.from_,
        sender=message.sender,
        reply_to=message.reply_to,
        to=message.to,
        cc=message.cc,
        bcc=message.bcc,
        author=message.author,
        forwarded=message.forwarded,
        reported=message.reported,
        vat_numbers=message.vat_numbers,
        codes=tuple(codes),
        decisions=tuple(decisions),
    )


def decide(evidence: Evidence, directory: Directory) -> Verdict:
    """Apply the rules: links and candidates by customer id, and the findings that made them."""
    return _Case(evidence, directory).verdict() if len(directory) else Verdict()


def explain(
    evidence: Evidence, directory: Directory, *, message: Message | None = None, thread: Sequence[int] = ()
) -> Verdict:
    """Apply the rules, and tell what nearly fitted as well. The links are those of `decide`.

    With the message itself, what stands in quoted text and display names is looked at too. `thread` are the customers
    that other messages of the thread are linked to.
    """
    from archiver.core.linking.near_misses import near_misses

    case = _Case(evidence, directory)
    verdict = case.verdict()
    reasons = [*verdict.reasons, *case.forwarded_for_nothing()]
    reasons += near_misses(evidence, directory, case.participants, message=message, linked=verdict.linked)
    others = {survivor for one in thread if (survivor := directory.surviving(one)) is not None}
    others.difference_update(link.customer for link in verdict.links)
    if others:
        outcome = Outcome.NOTHING if verdict.links else Outcome.SUGGESTS
        note = "overruled" if verdict.links else ""
        reasons.append(Reason(Rule.THREAD, outcome, "thread", "", tuple(sorted(others)), note))
    return Verdict(verdict.links, tuple(reasons))


def participants_of(evidence: Evidence, directory: Directory) -> tuple[tuple[str, str], ...]:
    """Return who takes part on the other side, as (header field, addr-spec), each address once; ours too.

    Who sent a delivery report takes no part in it: a program did. A From that a mailing list rewrote gives way to its
    author, and Sender counts only where From is empty or ours (a secretary, a web form).
    """
    fields: list[tuple[str, Iterable[EmailAddress]]] = []
    if evidence.direction is not Direction.OUTGOING and not evidence.reported:
        writers = evidence.author or evidence.from_
        fields.append(("From", writers))
        if all(directory.known(writer.addr_spec).ours for writer in writers):
            fields.append(("Sender", evidence.sender))
    if not evidence.reported:
        fields.append(("Reply-To", evidence.reply_to))
    fields += (("To", evidence.to), ("Cc", evidence.cc), ("Bcc", evidence.bcc))
    once: dict[str, str] = {}
    for where, addresses in fields:
        for address in addresses:
            once.setdefault(address.addr_spec, where)
    return tuple((where, addr_spec) for addr_spec, where in once.items())


class _Finding(NamedTuple):
    """Something met in one place of a message, and all customers that it fits."""

    rule: Rule
    where: str
    value: str
    customers: frozenset[int]


class _Case:
    """One message before the rules."""

    def __init__(self, evidence: Evidence, directory: Directory) -> None:
        self._evidence = evidence
        self._directory = directory
        self._claims: dict[int, tuple[Standing, Rule]] = {}
        self._reasons: list[Reason] = []
        self._by_hand: set[int] = set()
        self._refused: set[int] = set()
        self.participants = participants_of(evidence, directory)
        self._contacts, self._domains = self._met(self.participants)
        self._forwarded_in_vain: list[_Finding] = []
        self._forwarded_suggests: list[_Finding] = []
        self._stand_in()
        self._numbers = self._named()

    def verdict(self) -> Verdict:
        """Return what the rules come to."""
        self._decide_by_hand()
        belonging = self._decide_by_people()
        self._decide_by_numbers(belonging)
        for finding in self._forwarded_suggests:
            if live := self._live(finding):
                self._enter(finding, live, Outcome.SUGGESTS)
        self._note_refusals()
        links = tuple(Link(customer, rule, standing) for customer, (standing, rule) in sorted(self._claims.items()))
        return Verdict(links, tuple(self._reasons))

    def forwarded_for_nothing(self) -> Iterable[Reason]:
        """Yield what was forwarded by somebody who takes part himself."""
        for finding in self._forwarded_in_vain:
            note = "forwarded-by-customer"
            yield Reason(
                Rule.FORWARD, Outcome.NOTHING, finding.where, finding.value, tuple(sorted(finding.customers)), note
            )

    # What is met

    def _met(
        self, places: Iterable[tuple[str, str]], rule: Rule | None = None
    ) -> tuple[list[_Finding], list[_Finding]]:
        """Return the contacts and the domains of customers among addresses; `rule` when they stand in for others."""
        contacts: list[_Finding] = []
        domains: list[_Finding] = []
        for where, addr_spec in places:
            known = self._directory.known(addr_spec)
            if known.contacts:
                contacts.append(_Finding(Rule.CONTACT if rule is None else rule, where, addr_spec, known.contacts))
            elif known.owners:
                domains.append(_Finding(Rule.DOMAIN if rule is None else rule, where, known.domain, known.owners))
        return contacts, domains

    def _stand_in(self) -> None:
        """Let reported recipients, else the sender of a forwarded message, take the place of unknown participants."""
        evidence = self._evidence
        if evidence.reported and not self._contacts and not self._domains:
            reported = [("delivery report", address.addr_spec) for address in evidence.reported]
            self._contacts, self._domains = self._met(reported, Rule.REPORT)
        known = self._directory.known
        foreign = next((a.addr_spec for a in evidence.forwarded if not known(a.addr_spec).ours), None)
        if foreign is None:
            return
        contacts, domains = self._met([("forwarded message", foreign)], Rule.FORWARD)
        if not self._contacts and not self._domains:
            self._contacts, self._domains = contacts, domains
        elif any(known(a.addr_spec).ours for a in evidence.author or evidence.from_ or evidence.sender):
            self._forwarded_suggests = contacts + domains
        elif not evidence.reported:
            self._forwarded_in_vain = contacts + domains

    def _named(self) -> list[_Finding]:
        """Return the numbers of customers in the text."""
        directory = self._directory
        found = [
            _Finding(Rule.VAT, _NUMBERS, vat, directory.by_vat(vat))
            for vat in dict.fromkeys(self._evidence.vat_numbers)
        ]
        codes = [code for code in dict.fromkeys(self._evidence.codes) if directory.by_code(code)]
        for code in codes:
            if len(codes) > 1 and any(is_part_of(code, other) for other in codes):
                continue
            licences, references = directory.by_licence(code), directory.by_reference(code)
            found += (
                _Finding(Rule.LICENCE, _NUMBERS, code, licences),
                _Finding(Rule.REFERENCE, _NUMBERS, code, references),
            )
        return [finding for finding in found if finding.customers]

    # What it comes to

    def _decide_by_hand(self) -> None:
        latest: dict[int, Decision] = {}
        for decision in sorted(self._evidence.decisions, key=lambda one: (one.at, one.id)):
            customer = self._directory.surviving(decision.customer)
            if customer is not None and decision.undone_at is None:
                latest[customer] = decision
        for customer, decision in sorted(latest.items()):
            by_hand = _Finding(Rule.HAND, "by hand", decision.who, frozenset({customer}))
            if decision.links:
                self._by_hand.add(customer)
                self._enter(by_hand, (customer,), Outcome.LINKS)
            else:
                self._refused.add(customer)
                self._note(by_hand, (customer,), Outcome.REFUSED, "unlinked-by-hand")

    def _decide_by_people(self) -> set[int]:
        """Link those who take part, and return them.

        A decision by hand settles what is open, and takes no link from another customer: who takes part only since
        others were refused decides between customers where nothing else does.
        """
        first = {one for finding in self._contacts for one in _only(finding.customers)}
        sole = {one for finding in self._contacts for one in _only(self._live(finding))}
        between = [(finding, self._decided(finding, first, sole)) for finding in self._contacts]
        contacts = {one for _, decided in between for one in decided}
        if self._refused:
            refused, self._refused = self._refused, set()
            first = {one for finding in self._contacts for one in self._decided(finding, first, first)}
            self._refused = refused
        else:
            first = contacts
        between += [(finding, self._decided(finding, first, contacts)) for finding in self._domains]
        for finding, decided in between:
            live = self._live(finding)
            if len(live) == 1:
                self._enter(finding, live, Outcome.LINKS)
            elif settled := decided | live & self._by_hand:
                # What decided between them is a finding of its own, and makes the link.
                self._note(finding, settled, Outcome.LINKS, "several-customers")
            elif live:
                self._enter(finding, live, Outcome.AMBIGUOUS, "several-customers")
        return {one for _, decided in between for one in decided}

    def _decided(self, finding: _Finding, taking_part: set[int], by_refusals: set[int]) -> frozenset[int]:
        """Return which of the customers that fit a person it is by the rules; nobody when nothing else tells.

        Those who take part, whoever was refused, come before numbers, and those who do `by_refusals` behind them.
        """
        live = self._live(finding)
        if len(live) < 2:
            return live
        if known := live & taking_part:
            return _only(known)
        return self._named_among(live) or _only(live & by_refusals)

    def _named_among(self, live: frozenset[int]) -> frozenset[int]:
        """Return which of several customers the numbers in the text name."""
        named = [live & self._live(number) for number in self._numbers]
        # A number that is one customer's alone says more than one that several share, also when a colleague refused the
        # others of them: that is said of those, and takes nothing from who was linked before.
        if alone := frozenset(one for number in self._numbers for one in _only(number.customers) & live):
            return _only(alone)
        return _only(frozenset(one for customers in named for one in customers))

    def _decide_by_numbers(self, taking_part: set[int]) -> None:
        """Link the customers that numbers name, as far as those who take part let them."""
        # Overruling does not end because a colleague refused a customer: his decision is about that customer only.
        taken = taking_part | {
            one for finding in self._contacts + self._domains for one in finding.customers & self._refused
        }
        free: list[_Finding] = []
        overruled, settled = bool(self._contacts), False
        for number in self._numbers:
            live = self._live(number)
            if fitting := live & (taking_part | self._by_hand):
                self._enter(number, fitting, Outcome.LINKS, "several-customers" if len(live) > 1 else "")
            if live and not live & taking_part:
                free.append(number)
            overruled = overruled or bool(number.customers & taken)
            settled = settled or bool(live & self._by_hand)
        common = frozenset.intersection(*(self._live(number) for number in free)) if free else frozenset()
        for number in free:
            live = self._live(number)
            if not overruled and len(common) == 1:
                self._enter(number, common, Outcome.LINKS, "several-customers" if len(live) > 1 else "")
            elif live & self._by_hand:
                continue
            elif overruled or settled:
                self._enter(number, live, Outcome.SUGGESTS, "overruled")
            else:
                self._enter(number, live, Outcome.AMBIGUOUS, "several-customers")

    def _note_refusals(self) -> None:
        """Tell which findings a colleague's refusal made void."""
        if not self._refused:
            return
        for finding in (*self._contacts, *self._domains, *self._numbers, *self._forwarded_suggests):
            if void := finding.customers & self._refused:
                self._note(finding, void, Outcome.REFUSED, "unlinked-by-hand")

    # How it is written down

    def _live(self, finding: _Finding) -> frozenset[int]:
        return finding.customers - self._refused if self._refused else finding.customers

    def _enter(self, finding: _Finding, customers: Iterable[int], outcome: Outcome, note: str = "") -> None:
        """Claim customers for a rule: per customer the best standing counts, and the strongest rule that gave it."""
        standing = _STANDINGS[outcome]
        for customer in customers:
            claim = (standing, finding.rule)
            self._claims[customer] = min(claim, self._claims.get(customer, claim))
        self._note(finding, customers, outcome, note)

    def _note(self, finding: _Finding, customers: Iterable[int], outcome: Outcome, note: str = "") -> None:
        self._reasons.append(
            Reason(finding.rule, outcome, finding.where, finding.value, tuple(sorted(customers)), note)
        )


_STANDINGS = {
    Outcome.LINKS: Standing.LINKED,
    Outcome.AMBIGUOUS: Standing.AMBIGUOUS,
    Outcome.SUGGESTS: Standing.SUGGESTED,
}


def _only(customers: frozenset[int] | set[int]) -> frozenset[int]:
    """Return the customer when there is exactly one, else nobody."""
    return frozenset(customers) if len(customers) == 1 else frozenset()
