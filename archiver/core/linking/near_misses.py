"""What nearly linked a message to a customer, and why it did not: for people who ask.

Worked out for one message at a time. Nothing found here ever makes a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from archiver.core.linking.directory import Directory
from archiver.core.linking.domains import ascii_domain
from archiver.core.linking.lookalikes import resembles
from archiver.mail.vat import vat_numbers
from archiver.model.address import EmailAddress
from archiver.model.link import Evidence, Outcome, Reason, Rule
from archiver.model.message import Message

MAX_QUOTED = 262_144
"""Characters of quoted text that are looked at."""

MAX_FOUND = 20
"""Near misses told of one kind: beyond, nobody reads on."""

_ADDR_SPEC = re.compile(r"[^\s<>()\[\],;:\"'|]{1,64}@[^\s<>()\[\],;:\"'@|]{1,253}")


def near_misses(
    evidence: Evidence,
    directory: Directory,
    participants: Sequence[tuple[str, str]],
    *,
    message: Message | None = None,
    linked: Iterable[int] = (),
) -> list[Reason]:
    """Return what nearly fitted, in the order of the header, then display names and quoted text.

    `participants` are as `core.linking.participants_of` gives them; what only repeats the customers in `linked`, and
    an address that takes part besides being quoted, are left out.
    """
    known = frozenset(linked)
    reasons = [reason for where, addr_spec in participants if (reason := _unfitting(directory, where, addr_spec))]
    if participants and all(directory.known(addr_spec).ours for _, addr_spec in participants):
        reasons += [_miss(Rule.CONTACT, where, addr_spec, "own-address") for where, addr_spec in participants]
    taking_part = frozenset(addr_spec.lower() for _, addr_spec in participants)
    reasons += _in_names(evidence, directory, known)
    if message is not None:
        reasons += _in_quotes(message, directory, known)
    return [
        reason for reason in dict.fromkeys(reasons) if reason.note != "quoted-only" or reason.value not in taking_part
    ]


def _unfitting(directory: Directory, where: str, addr_spec: str) -> Reason | None:
    """Tell why an address that takes part links nobody; None when it links, or is plainly ours."""
    known = directory.known(addr_spec)
    if known.contacts or known.owners:
        return None
    _, at, domain = addr_spec.strip().rpartition("@")
    if known.ours:
        fitting = directory.by_address(addr_spec) | directory.carriers(domain)
        return _miss(Rule.CONTACT, where, addr_spec, "own-address", fitting) if fitting else None
    return _foreign(directory, where, addr_spec, ascii_domain(domain) if at else "")


def _foreign(directory: Directory, where: str, addr_spec: str, domain: str) -> Reason:
    """Tell why an address of somebody else is no customer's."""
    if note := directory.refusal(domain):
        return _miss(Rule.DOMAIN, where, addr_spec, note, directory.carriers(domain))
    carriers = directory.carriers(domain)  # of a public suffix above it
    alike = [customers for other, customers in directory.surviving_domains() if resembles(domain, other)]
    if alike:
        return _miss(Rule.DOMAIN, where, addr_spec, "look-alike", frozenset().union(*alike))
    if carriers:
        return _miss(Rule.DOMAIN, where, addr_spec, "public-suffix", carriers)
    return _miss(Rule.CONTACT, where, addr_spec, "unknown-address")


def _in_names(evidence: Evidence, directory: Directory, linked: frozenset[int]) -> Iterator[Reason]:
    fields: tuple[tuple[EmailAddress, ...], ...] = (
        evidence.author, evidence.from_, evidence.sender, evidence.reply_to, evidence.to, evidence.cc, evidence.bcc,
    )  # fmt: skip
    names = " ".join(address.name for field in fields for address in field if "@" in address.name)
    yield from _addresses_in(names, "display name", directory, linked)


def _in_quotes(message: Message, directory: Directory, linked: frozenset[int]) -> Iterator[Reason]:
    quoted = message.quoted[:MAX_QUOTED]
    if message.forwarded_text:
        quoted = quoted.replace(message.forwarded_text, " ")
    yield from _addresses_in(quoted, "quoted text", directory, linked)
    for vat in vat_numbers((quoted,)):
        if holders := directory.by_vat(vat) - linked:
            yield _miss(Rule.VAT, "quoted text", vat, "quoted-only", holders)
    for code in directory.code_book.found_in_text(quoted):
        for rule, holders in (
            (Rule.LICENCE, directory.by_licence(code)),
            (Rule.REFERENCE, directory.by_reference(code)),
        ):
            if holders - linked:
                yield _miss(rule, "quoted text", code, "quoted-only", holders - linked)


def _addresses_in(text: str, where: str, directory: Directory, linked: frozenset[int]) -> Iterator[Reason]:
    told = 0
    for addr_spec in dict.fromkeys(match.strip(".").lower() for match in _ADDR_SPEC.findall(text)):
        known = directory.known(addr_spec)
        fitting = (known.contacts or known.owners) - linked
        if fitting:
            yield _miss(Rule.CONTACT if known.contacts else Rule.DOMAIN, where, addr_spec, "quoted-only", fitting)
            told += 1
            if told == MAX_FOUND:
                return


def _miss(rule: Rule, where: str, value: str, note: str, customers: Iterable[int] = ()) -> Reason:
    return Reason(rule, Outcome.NOTHING, where, value, tuple(sorted(customers)), note)
