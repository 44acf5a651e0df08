"""Customers and changes to them, as lines for people.

Knows how a record, a change and its effect on links read on a terminal; knows nothing of what a command does. Numbers
are shown the way they are dialled and written, so whoever calls this waits for the library of telephone numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from archiver.cli.escape import visible, visible_lines
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, pad, wrap_spans
from archiver.cli.terminal import Terminal
from archiver.cli.wording import count
from archiver.model.customer import Consent, Contact, Customer
from archiver.model.link import LinkChanges

if TYPE_CHECKING:
    from archiver.cli.customer_answers import CustomerChange

LABEL_COLUMNS = 13
_TOLD = 12
Fact = tuple[str, Sequence[Span]]
"""A label, and what is said beside it."""
_VERBS = {
    "add": ("Added", "Would add"),
    "change": ("Changed", "Would change"),
    "remove": ("Removed", "Would remove"),
}
_SCALARS = (
    ("reference", "reference"),
    ("name", "name"),
    ("address", "address"),
    ("postal_code", "postal code"),
    ("city", "city"),
    ("country", "country"),
)


def titled(customer: Customer, *, gap: str = "  ") -> list[Span]:
    """Return a customer in a few words: reference and name."""
    return [Span(customer.reference, "accent"), Span(gap), Span(customer.name, "strong")]


def place(customer: Customer) -> str:
    """Return postal code, city and country on one line."""
    city = " ".join(part for part in (customer.postal_code, customer.city) if part)
    return ", ".join(part for part in (city, customer.country) if part)


def one_line(text: str) -> str:
    """Return an address of several lines as one."""
    return ", ".join(line.strip() for line in text.splitlines() if line.strip())


def labelled(terminal: Terminal, label: str, *values: str) -> None:
    """Print a label and its values, one a line; nothing when there is none."""
    for number, value in enumerate(value for value in values if value):
        fact(terminal, label if number == 0 else "", [Span(value)])


def fact(terminal: Terminal, label: str, spans: Iterable[Span], *, indent: int = 2) -> None:
    """Print something beside its label, wrapped on a terminal so that the labels stand free."""
    safe = [Span(visible(span.text), span.style) for span in spans]
    room = terminal.prose - indent - LABEL_COLUMNS if terminal.prose is not None else None
    for number, line in enumerate(wrap_spans(safe, room) if room is not None else [safe]):
        terminal.line(Span(" " * indent + pad(label if number == 0 else "", LABEL_COLUMNS), "faint"), *line)


def numbers(contact: Contact, region: str) -> list[tuple[str, str]]:
    """Return a contact's telephone numbers with what they are, as they are dialled from `region`."""
    from archiver.core.customers.records import show_phone

    phones = [("phone", show_phone(number, region)) for number in contact.phones]
    return phones + [("mobile", show_phone(number, region)) for number in contact.mobiles]


def contact_facts(contact: Contact, region: str) -> list[str]:
    """Return name, numbers and addresses: what one would call or write to."""
    shown = (contact.name, *(number for _, number in numbers(contact, region)), *contact.emails)
    return [fact for fact in shown if fact]


def contact_line(contact: Contact, region: str) -> str:
    """Return a contact on one line."""
    return ", ".join(contact_facts(contact, region))


def tell_pieces(terminal: Terminal, pieces: Sequence[str], *, indent: int, hanging: int = 2) -> None:
    """Print pieces with commas between them; on a terminal lines break between pieces only, never in a number."""
    line, first = "", True
    for number, piece in enumerate(map(visible, pieces)):
        fitting = piece + ("," if number + 1 < len(pieces) else "")
        margin = indent if first else indent + hanging
        if line and terminal.prose is not None and margin + cells(line) + 1 + cells(fitting) > terminal.prose:
            terminal.line(" " * margin, Span(line))
            line, first = "", False
        line = f"{line} {fitting}" if line else fitting
    if line:
        terminal.line(" " * (indent if first else indent + hanging), Span(line))


def tell_change(
    invocation: Invocation, change: CustomerChange, *, dry_run: bool, done: str | None = None, would: str | None = None
) -> None:
    """Print what changed, and what that did to the mail.

    `done` and `would` are other words for it than "Added", "Changed" and "Removed", and than "Would add" and so on.
    """
    terminal = invocation.terminal
    customer = change.after or change.record.customer
    same = change.before == change.after
    usual = _VERBS["add" if change.before is None else "remove" if change.after is None else "change"]
    if same:
        terminal.line("Nothing to change: ", *titled(customer, gap=" "), " is like that already.")
    else:
        terminal.wrapped(
            f"{(would or usual[1]) if dry_run else (done or usual[0])} ", *titled(customer, gap=" "), ".", hanging=2
        )
    if change.before is not None and change.after is not None:
        tell_fields(invocation, change.before, change.after)
    if change.links.messages or not same:
        tell_links(terminal, change.links, change.references, dry_run=dry_run)
    tell_warnings(terminal, change.warnings)
    if dry_run:
        terminal.line("Nothing was kept: this was a dry run.")


def tell_fields(invocation: Invocation, before: Customer, after: Customer, *, indent: int = 2) -> None:
    """Print what differs."""
    for label, spans in field_lines(before, after, _region(invocation), invocation.zone):
        fact(invocation.terminal, label, spans, indent=indent)


def tell_warnings(terminal: Terminal, warnings: Sequence[str]) -> None:
    """Print what is allowed and yet worth a look, on standard error."""
    for warning in warnings:
        terminal.told("careful:", "warn", warning)


def tell_links(
    terminal: Terminal, changes: LinkChanges, references: Mapping[int, str], *, dry_run: bool = False
) -> None:
    """Print how many messages gained or lost which link."""
    sentences = link_sentences(changes, references, dry_run=dry_run)
    if len(sentences) > 1:
        terminal.line(f"{count(changes.messages, 'message')} {'would change' if dry_run else 'changed'} in all:")
    for sentence in sentences[:_TOLD]:
        terminal.wrapped(sentence, hanging=2)
    if len(sentences) > _TOLD:
        more = count(len(sentences) - _TOLD, "more customer")
        terminal.line(f"… and so on for {more}; all of them: --json")


def link_sentences(changes: LinkChanges, references: Mapping[int, str], *, dry_run: bool = False) -> list[str]:
    """Return a sentence a customer, those with most messages first; one that says so when nothing changed."""
    by_kind = [dict(c) for c in (changes.gained, changes.lost, changes.candidates_gained, changes.candidates_lost)]
    touched = sorted({c for counts in by_kind for c in counts}, key=lambda c: (-sum(k.get(c, 0) for k in by_kind), c))
    if not touched:
        return ["No message changes its customer." if dry_run else "No message changed its customer."]
    return [_sentence(references.get(c) or "?", [kind.get(c, 0) for kind in by_kind], dry_run=dry_run) for c in touched]


def _sentence(reference: str, counts: Sequence[int], *, dry_run: bool) -> str:
    gained, lost, maybe, no_longer = counts
    parts = []
    if gained:
        parts.append(f"{count(gained, 'message')} {'would gain' if dry_run else 'gained'} the link to {reference}")
    if lost:
        verb = "would lose" if dry_run else "lost"
        parts.append(f"{lost:,} {verb} it" if gained else f"{count(lost, 'message')} {verb} the link to {reference}")
    linked = ", ".join(parts)
    perhaps = " and ".join(f"{number:,} {word}" for number, word in ((maybe, "more"), (no_longer, "fewer")) if number)
    if linked:
        return f"{linked}; {perhaps} might be theirs." if perhaps else f"{linked}."
    return f"{perhaps} {'message' if maybe + no_longer == 1 else 'messages'} might be {reference}'s."


def field_lines(before: Customer, after: Customer, region: str, zone: tzinfo | None) -> Iterator[Fact]:
    """Yield a line for each thing that differs: before and after, or what was added and what was taken away."""
    for field, label in _SCALARS:
        yield from _scalar(label, getattr(before, field), getattr(after, field))
    yield from _scalar("VAT", _vat(before), _vat(after))
    yield from _several("domain", before.domains, after.domains)
    yield from _several("licence", before.licences, after.licences)
    yield from _contacts(before.contacts, after.contacts, region)
    yield from _several("notes", note_lines(before.notes), note_lines(after.notes))
    yield from _several(
        "consent", [_consent(c, zone) for c in before.consents], [_consent(c, zone) for c in after.consents]
    )
    yield from _several("formerly", before.former_references, after.former_references)


def _consent(consent: Consent, zone: tzinfo | None) -> str:
    given = f"given by {consent.given_by} on {consent.given_at.astimezone(zone):%Y-%m-%d}"
    if consent.withdrawn_at is None:
        return given
    by = f" by {consent.withdrawn_by}" if consent.withdrawn_by else ""
    return f"{given}, withdrawn{by} on {consent.withdrawn_at.astimezone(zone):%Y-%m-%d}"


def _region(invocation: Invocation) -> str:
    return invocation.settings().customers.country


def _vat(customer: Customer) -> str:
    from archiver.core.customers.records import show_vat

    return show_vat(customer.vat) if customer.vat else ""


def _scalar(label: str, before: str, after: str) -> Iterator[Fact]:
    if before != after:
        old, new = one_line(before) or "(none)", one_line(after) or "(none)"
        yield label, [Span(old, "faint"), Span(" -> "), Span(new)]


def _several(label: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Fact]:
    for value in before:
        if value not in after:
            yield label, [Span(f"- {value}", "bad")]
    for value in after:
        if value not in before:
            yield label, [Span(f"+ {value}", "good")]


def _contacts(before: Sequence[Contact], after: Sequence[Contact], region: str) -> Iterator[Fact]:
    """Pair contacts by name or by a shared address; a pair tells what differs, the others come or go whole."""
    left = [contact for contact in before if contact not in after]
    for contact in (contact for contact in after if contact not in before):
        old = next((c for c in left if _same_person(c, contact)), None)
        if old is None:
            yield "contact", [Span(f"+ {contact_line(contact, region)}", "good")]
            continue
        left.remove(old)
        yield from _scalar("contact", old.name or "(no name)", contact.name or "(no name)")
        who = f"{contact.name or 'contact'}: "
        gone, came = _facts(old, region), _facts(contact, region)
        for fact in gone:
            if fact not in came:
                yield "contact", [Span(f"- {who}{fact}", "bad")]
        for fact in came:
            if fact not in gone:
                yield "contact", [Span(f"+ {who}{fact}", "good")]
    for contact in left:
        yield "contact", [Span(f"- {contact_line(contact, region)}", "bad")]


def _same_person(a: Contact, b: Contact) -> bool:
    return bool(set(a.emails) & set(b.emails)) or (a.name.casefold() == b.name.casefold() and bool(a.name or b.name))


def _facts(contact: Contact, region: str) -> list[str]:
    return [*contact.emails, *(f"{kind} {number}" for kind, number in numbers(contact, region))]


def show_contents(invocation: Invocation, customer: Customer) -> None:
    """Print a record: title, company, contacts, notes."""
    from archiver.core.customers.records import show_vat

    terminal, region = invocation.terminal, _region(invocation)
    terminal.wrapped(*titled(customer), hanging=4)
    labelled(terminal, "address", one_line(customer.address), place(customer))
    labelled(terminal, "VAT", show_vat(customer.vat) if customer.vat else "")
    labelled(terminal, "domains", ", ".join(customer.domains))
    labelled(terminal, "licences", ", ".join(customer.licences))
    for number, contact in enumerate(customer.contacts):
        label = "contacts" if number == 0 else ""
        terminal.line(Span(f"  {pad(label, LABEL_COLUMNS)}", "faint"), Span(contact.name or "(no name)", "strong"))
        for email in contact.emails:
            terminal.line(" " * (LABEL_COLUMNS + 4), email)
        for kind, shown in numbers(contact, region):
            terminal.line(" " * (LABEL_COLUMNS + 4), Span(pad(kind, 8), "faint"), shown)
    labelled(terminal, "notes", *note_lines(customer.notes))


def note_lines(text: str) -> list[str]:
    """Return notes as lines that are safe to show."""
    return [line for line in visible_lines(text) if line.strip()]
