"""Why a message is linked as it is, in sentences that a colleague understands.

A sentence says what was met and where, whose it is, and what came of it. Which rules there are and what they find is
`archiver.core.linking.rules`'s business; here they only get words. A note that these words do not know yet gets a
sentence without it, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from archiver.cli.wording import listed
from archiver.model.customer import CustomerRecord
from archiver.model.link import Decision, Link, Outcome, Reason, Rule, Standing, Verdict

Names = Mapping[int, CustomerRecord]
"""The records of all customers that a sentence may have to name, by internal id."""

RULES: Mapping[Rule, str] = {
    Rule.HAND: "by hand",
    Rule.CONTACT: "contact",
    Rule.VAT: "VAT number",
    Rule.LICENCE: "licence number",
    Rule.REFERENCE: "our reference",
    Rule.DOMAIN: "domain",
    Rule.FORWARD: "forwarded",
    Rule.REPORT: "delivery report",
    Rule.THREAD: "conversation",
}
"""A rule in a word or two, for where a sentence has no room."""

# What beats a candidate, from the customer's side of the sentence.
_STRONGER: Mapping[Rule, str] = {
    Rule.HAND: "a colleague linked the message to {}",
    Rule.CONTACT: "a contact of {} takes part",
    Rule.VAT: "the VAT number of {} is in it",
    Rule.LICENCE: "a licence number of {} is in it",
    Rule.REFERENCE: "our number for {} is in it",
    Rule.DOMAIN: "an address in the domain of {} takes part",
    Rule.FORWARD: "it forwards a message of {}",
    Rule.REPORT: "it reports on a message to {}",
    Rule.THREAD: "the conversation is with {}",
}
# What was met, for one customer and for several that it fits.
_CLAUSES: Mapping[Rule, tuple[str, str]] = {
    Rule.HAND: ("{who} said so by hand", "{who} said so by hand"),
    Rule.CONTACT: (
        "{value} {place} is a contact of theirs{contact}",
        "{value} {place} is a contact of each of them",
    ),
    Rule.VAT: ("the VAT number {value} {place} is theirs", "the VAT number {value} {place} is that of each of them"),
    Rule.LICENCE: (
        "the licence number {value} {place} is theirs",
        "the licence number {value} {place} is that of each of them",
    ),
    Rule.REFERENCE: (
        "our number for them, {value}, stands {place}",
        "our number for them, {value}, stands {place}",
    ),
    Rule.DOMAIN: ("the domain {value} {place} is theirs", "the domain {value} {place} is that of each of them"),
    Rule.FORWARD: (
        "it forwards a message from {value}, which is theirs",
        "it forwards a message from {value}, which is that of each of them",
    ),
    Rule.REPORT: (
        "it reports on a message to {value}, which is theirs",
        "it reports on a message to {value}, which is that of each of them",
    ),
    Rule.THREAD: ("others of the conversation are theirs", "others of the conversation are theirs"),
}
# What nearly fitted, by note.
_NEARLY: Mapping[str, str] = {
    "own-address": "{value} {place} is our own: it says nothing about the customer.",
    "shared-domain": (
        "{value} {place} is no contact of a customer, and {domain} is a mail provider: its domain says nothing about "
        "the customer."
    ),
    "public-suffix": "{domain}, from {value} {place}, is nobody's own domain: it says nothing about the customer.",
    "look-alike": "{value} {place}: {domain} looks like {original}, but is another domain: careful.",
    "quoted-only": "{what}{of} stands only in quoted text, which others wrote: it does not link.",
    "display-name": (
        "{what}{of} stands only in the name beside another address, where anybody can write anything: it does not link."
    ),
    "unlinked-by-hand": "Not linked to {whose}: a colleague said that the message is not theirs.",
    "unknown-address": "{value} {place} is known of no customer, nor is its domain.",
    "": "{what} {place} is known of no customer.",
}


def sentence(reason: Reason, verdict: Verdict, names: Names) -> str:
    """Return what one finding was and what came of it; `verdict` is the one that it belongs to."""
    if reason.rule is Rule.THREAD and reason.outcome is not Outcome.LINKS:
        return _conversation(reason, names)
    if reason.outcome is Outcome.NOTHING and reason.note != "forwarded-by-customer":
        return _nothing(reason, names)
    whose, clause = label(reason.customers, names), _clause(reason, names)
    but = f"{clause}, but {_but(reason, verdict, names)}"
    refused = f"{_who(reason)} said by hand" if reason.rule is Rule.HAND else f"{clause}, but a colleague said"
    shared = "; others have it too, but what else the message says decides"
    several = len(reason.customers) > 1
    said = {
        Outcome.LINKS: f"Linked to {whose}: {clause}{shared if reason.note == 'several-customers' else ''}.",
        Outcome.REFUSED: f"Not linked to {whose}: {refused} that the message is not theirs.",
        Outcome.AMBIGUOUS: f"Undecided between {whose}: {clause}; a person has to say whose it is."
        if several
        else f"Perhaps {whose}: {clause}, but others fit equally; a person has to say whose it is.",
        Outcome.SUGGESTS: f"Not linked to {whose}: {but}; listed as a candidate.",
        Outcome.NOTHING: f"Not linked to {whose}: {but}.",
    }
    return said[reason.outcome]


def _conversation(reason: Reason, names: Names) -> str:
    whose = label(reason.customers, names)
    if reason.outcome is Outcome.SUGGESTS:
        return f"Might belong to {whose}: others of the conversation are theirs; listed as a candidate."
    return f"Others of the conversation belong to {whose}, but this message says itself whose it is."


def decision_sentence(decision: Decision, names: Names, *, zone: tzinfo | None) -> str:
    """Return who decided what by hand, when and why, and who took it back."""
    said = "belongs to" if decision.links else "does not belong to"
    whose = label([decision.customer], names)
    sentence = f"{decision.who} said on {decision.at.astimezone(zone):%Y-%m-%d %H:%M} that it {said} {whose}"
    sentence += f": {_ended(decision.why)}" if decision.why.strip() else "."
    if decision.undone_at is not None:
        by = f" by {decision.undone_by}" if decision.undone_by else ""
        sentence += f" Taken back on {decision.undone_at.astimezone(zone):%Y-%m-%d %H:%M}{by}."
    return sentence


def summary_sentence(verdict: Verdict, names: Names) -> str:
    """Return the outcome of it all."""
    ambiguous = [link.customer for link in verdict.links if link.standing is Standing.AMBIGUOUS]
    suggested = [link.customer for link in verdict.links if link.standing is Standing.SUGGESTED]
    if not verdict.links:
        suggested = list(conversation_candidates(verdict))
    parts = []
    if verdict.linked:
        parts.append(f"This message is linked to {label(verdict.linked, names)}.")
    if ambiguous:
        parts.append(f"It fits {label(ambiguous, names)} equally, and waits for a decision.")
    if suggested:
        parts.append(f"It might belong to {label(suggested, names, last='or')}{' too' if verdict.linked else ''}.")
    return " ".join(parts) or "This message is linked to no customer."


def conversation_candidates(verdict: Verdict) -> tuple[int, ...]:
    """Return the customers that only the rest of the conversation speaks for: candidates that are stored nowhere."""
    every = (reason for reason in verdict.reasons if reason.rule is Rule.THREAD)
    return tuple(one for reason in every if reason.outcome is Outcome.SUGGESTS for one in reason.customers)


def label(customers: Sequence[int], names: Names, *, last: str = "and") -> str:
    """Return customers as people know them, by reference and name."""
    return listed((_label(customer, names) for customer in customers), last=last) or "no customer"


def _label(customer: int, names: Names) -> str:
    record = names.get(customer)
    if record is None:
        return "a customer that is no longer kept"
    return f"{record.customer.reference} {record.customer.name}".strip()


def _clause(reason: Reason, names: Names) -> str:
    """Return what was met, where, and whose it is."""
    template = _CLAUSES[reason.rule][len(reason.customers) > 1]
    return template.format(
        value=_value(reason, names), place=_place(reason.where), contact=_contact(reason, names), who=_who(reason)
    )


def _but(reason: Reason, verdict: Verdict, names: Names) -> str:
    """Return why it came to a candidate only."""
    if reason.note == "forwarded-by-customer":
        sent_on = label(verdict.linked, names) if verdict.linked else "another customer"
        return f"it was {sent_on} who sent it on"
    if not verdict.linked:
        return "it is not certain enough"
    return listed(_beaten_by(link, names) for link in verdict.links if link.standing is Standing.LINKED)


def _beaten_by(link: Link, names: Names) -> str:
    record = names.get(link.customer)
    return _STRONGER[link.rule].format(record.customer.reference if record is not None else "another customer")


def _nothing(reason: Reason, names: Names) -> str:
    """Return what nearly fitted, and what was missing."""
    note = "display-name" if reason.where == "display name" else reason.note
    if note not in _NEARLY or not note:
        if reason.customers:
            return f"Not linked to {label(reason.customers, names)}: {_clause(reason, names)}, which is not enough."
        note = ""
    return _NEARLY[note].format(
        value=reason.value,
        domain=_domain(reason.value),
        place=_place(reason.where),
        what=_what(reason, names),
        whose=label(reason.customers, names),
        of=f" of {label(reason.customers, names)}" if reason.customers else "",
        original=_original(reason, names) if note == "look-alike" else "",
    )


def _what(reason: Reason, names: Names) -> str:
    """Return the value with what kind it is, at the beginning of a sentence."""
    kinds = {Rule.VAT: "VAT number", Rule.LICENCE: "licence number", Rule.REFERENCE: "number"}
    kind = kinds.get(reason.rule) or ("address" if "@" in reason.value else "domain")
    return f"The {kind} {_value(reason, names)}"


def _value(reason: Reason, names: Names) -> str:
    """Return what was met as people write it: a number as it stands in the customer's record."""
    if reason.rule is Rule.VAT:
        return vat(reason.value)
    if reason.rule not in {Rule.LICENCE, Rule.REFERENCE}:
        return reason.value
    from archiver.core.linking.mentions import licence_code, reference_code

    for customer in (names[one].customer for one in reason.customers if one in names):
        if reason.rule is Rule.LICENCE:
            written = {licence_code(licence): licence for licence in customer.licences}
        else:
            written = {reference_code(one): one for one in (*customer.former_references, customer.reference)}
        if reason.value in written:
            return written[reason.value]
    return reason.value.removeprefix("# ").upper()


def _who(reason: Reason) -> str:
    return reason.value if reason.rule is Rule.HAND and reason.value else "a colleague"


def _place(where: str) -> str:
    """Return where something was met, as the end of a phrase."""
    return {
        "subject or text": "in the subject or text",
        "quoted text": "in the quoted text",
        "forwarded message": "in the forwarded message",
        "delivery report": "in the delivery report",
        "display name": "in a display name",
        "thread": "in the conversation",
    }.get(where, f"in {where}")


def _contact(reason: Reason, names: Names) -> str:
    """Return the contact's name in parentheses, where the address is that of a contact with a name."""
    record = names.get(reason.customers[0]) if reason.customers else None
    if record is None:
        return ""
    wanted = _plain(reason.value)
    for contact in record.customer.contacts:
        if contact.name and any(_plain(email) == wanted for email in contact.emails):
            return f" ({contact.name})"
    return ""


def _plain(addr_spec: str) -> str:
    local, at, domain = addr_spec.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}".casefold()


def _domain(value: str) -> str:
    return value.rpartition("@")[2]


def _original(reason: Reason, names: Names) -> str:
    """Return what a look-alike was taken for: the customer's own domain nearest to it, and whose that is."""
    from difflib import SequenceMatcher

    met = _domain(reason.value)
    known = [
        (SequenceMatcher(None, met, domain).ratio(), domain, customer)
        for customer in reason.customers
        if customer in names
        for domain in _domains(names[customer])
    ]
    if not known:
        return f"an address of {label(reason.customers, names)}" if reason.customers else "a customer's address"
    _, domain, customer = max(known)
    return f"{domain} of {_label(customer, names)}"


def _domains(record: CustomerRecord) -> list[str]:
    return [*record.customer.domains, *(_domain(email) for email in record.customer.emails)]


def vat(number: str) -> str:
    """Return a canonical VAT number as people write it; the Belgian one with its points."""
    if number.startswith("BE") and len(number) == 12:
        return f"BE {number[2:6]}.{number[6:9]}.{number[9:]}"
    return f"{number[:2]} {number[2:]}" if number[:2].isalpha() else number


def _ended(text: str) -> str:
    flat = " ".join(text.split())
    return flat if flat.endswith((".", "!", "?")) else f"{flat}."
