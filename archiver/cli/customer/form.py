"""A customer asked for field by field, each answer checked before the next question.

Knows the order in which a person tells such things, and nothing of how records are kept. Whoever seems to be known
already is named at once, so that nobody becomes a customer twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.model.customer import Contact, Customer, CustomerRecord

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive

_NUMBERED = re.compile(r"(.*?)([0-9]+)")
_FIRST = "K1001"
_SCALARS = (
    ("address", "Street and number"),
    ("postal_code", "Postal code"),
    ("city", "Town"),
    ("country", "Country"),
    ("vat", "VAT number"),
)
_OF_CONTACT = (
    ("emails", "email", "  E-mail (several: with commas)"),
    ("phones", "phone", "  Phone"),
    ("mobiles", "mobile", "  Mobile"),
)
_REACHABLE = frozenset({"email", "emails", "phone", "phones", "mobile", "mobiles"})
_NOTHING = "-"
_UNNAMED = "(no name)"
_EMPTY: dict[str, Any] = {"vat": None, "domains": (), "licences": ()}
_LISTS = (("domains", "Domains"), ("licences", "Licences"))


def next_reference(records: Iterable[CustomerRecord]) -> str:
    """Return the reference after the highest of the usual kind: K1042 after K1041; K1001 where there is none yet."""
    kinds: dict[str, list[str]] = {}
    for record in records:
        for reference in (record.customer.reference, *record.customer.former_references):
            parts = _NUMBERED.fullmatch(reference)
            if parts is not None:
                kinds.setdefault(parts[1].casefold(), []).append(reference)
    if not kinds:
        return _FIRST
    usual = max(kinds.values(), key=len)
    highest = max(usual, key=lambda reference: int(_digits(reference)))
    digits = _digits(highest)
    return highest.removesuffix(digits) + str(int(digits) + 1).zfill(len(digits))


def ask_customer(invocation: Invocation, archive: OpenArchive, draft: Customer, *, again: bool = False) -> Customer:
    """Ask for what `draft` leaves open and return all of it, checked by itself but not yet kept.

    With `again` the draft is what was answered before: everything is asked for, and Enter keeps it.
    """
    form = _Form(invocation, archive)
    note = invocation.terminal.note
    if again:
        note("Enter keeps what is in brackets, - empties it; Ctrl-C adds nothing.")
    else:
        note("A new customer. Enter leaves a field empty, Ctrl-C leaves everything as it was.")
    if again or not draft.name:
        draft = form.ask(draft, "name", "Name", default=draft.name, needed=True)
    form.point_out(draft.name, {"name"})
    taken = {record.customer.reference.casefold() for record in archive.customers()}
    asked = again
    while asked or not draft.reference or draft.reference.casefold() in taken:
        if draft.reference.casefold() in taken:
            note(f"  another customer has the reference {draft.reference}")
        default = draft.reference if asked else next_reference(archive.customers())
        draft = form.ask(replace(draft, reference=""), "reference", "Reference", default=default, needed=True)
        asked = False
    for field, question in _SCALARS:
        default = invocation.settings().customers.country if field == "country" and not again else ""
        draft = form.ask(draft, field, question, default=getattr(draft, field) or default)
        if field == "vat":
            form.point_out(draft.vat or "", {"vat"})
    for field, question in _LISTS:
        default = ", ".join(getattr(draft, field))
        draft = form.ask(draft, field, f"{question} (several: with commas)", default=default, split=True)
    before, draft = draft.contacts, replace(draft, contacts=())
    for contact in before:
        name = form.answer("Contact", contact.name or _UNNAMED)
        if name != _NOTHING:
            draft = form.ask_contact(draft, "" if name == _UNNAMED else name, contact)
    while True:
        more = "Another contact" if draft.contacts else "Contact"
        name = form.answer(f"{more} (name; Enter for none)")
        if not name:
            break
        draft = form.ask_contact(draft, name)
    return form.ask(draft, "notes", "Notes", default=draft.notes)


class _Form:
    """Questions and checks."""

    def __init__(self, invocation: Invocation, archive: OpenArchive) -> None:
        self._invocation = invocation
        self._archive = archive

    def answer(self, question: str, default: str = "") -> str:
        shown = f" [{visible(default)}]" if default else ""
        return self._invocation.read_line(f"{question}{shown}: ").strip() or default

    def ask(
        self,
        draft: Customer,
        field: str,
        question: str,
        *,
        default: str = "",
        needed: bool = False,
        split: bool = False,
    ) -> Customer:
        """Ask until the answer is right, and return the draft with it, canonical."""
        while True:
            typed = self.answer(question, default)
            if typed == _NOTHING and not needed:
                typed = ""
            if not typed and not needed:
                return replace(draft, **{field: _EMPTY.get(field, "")})
            given: dict[str, Any] = {field: _parted(typed) if split else typed}
            made = self._canonical(replace(draft, **given), field)
            if made is not None:
                return made

    def ask_contact(self, draft: Customer, name: str, before: Contact | None = None) -> Customer:
        """Ask for a contact's addresses and numbers; those of `before` are offered."""
        contact = Contact(name)
        for field, kind, question in _OF_CONTACT:
            while True:
                typed = self.answer(question, ", ".join(getattr(before, field)) if before else "")
                values = _parted(typed) if typed != _NOTHING else ()
                given: dict[str, Any] = {field: values}
                # Numbers without a country are those of the customer's country, so this must be known to the check.
                made = self._canonical(
                    Customer("", "", country=draft.country, contacts=(replace(contact, **given),)), kind
                )
                if made is not None:
                    contact = made.contacts[0] if made.contacts else contact
                    break
            for value in getattr(contact, field):
                self.point_out(value, _REACHABLE)
        return replace(draft, contacts=(*draft.contacts, contact))

    def point_out(self, text: str, fields: Collection[str]) -> None:
        """Name customers that have this already."""
        if not text:
            return
        for match in self._archive.find_customers(text, limit=3):
            if match.field in fields:
                known = match.record.customer
                town = f", {known.city}" if known.city else ""
                self._invocation.terminal.note(f"  there is {known.reference} {known.name}{town}")

    def _canonical(self, customer: Customer, field: str) -> Customer | None:
        """Return the customer in canonical form; None after telling what is wrong with the field."""
        from archiver.core.customers.records import examined

        settings = self._invocation.settings()
        canonical, problems = examined(
            customer,
            identity=settings.identity,
            region=settings.customers.country,
            shared_domains=settings.customers.shared_domains,
        )
        wrong = [problem for problem in problems if problem.field == field]
        for problem in wrong:
            hint = f" ({problem.hint})" if problem.hint else ""
            self._invocation.terminal.told(" ", "warn", f"{problem.message}{hint}")
        return None if wrong else canonical


def _parted(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _digits(reference: str) -> str:
    """Return the number that a reference ends with; "0" where it ends with none."""
    parts = _NUMBERED.fullmatch(reference)
    return parts[2] if parts is not None else "0"
