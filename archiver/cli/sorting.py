"""Deciding whose unlinked mail is: by options for scripts, and by asking a person about one group after the other.

Knows how a decision becomes a change of a customer's record, and how that is told. Which mail is linked then, and what
is proposed, is for the application to say.

While a person thinks, the archive is open for reading only: each decision opens it for writing by itself, so that mail
keeps coming in meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from archiver.cli.asking import asker_once
from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut
from archiver.cli.secrets import asker
from archiver.cli.unlinked import group_named, reason_of, show_group
from archiver.cli.wording import ARROWS, arrow, count, subject_of
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer, CustomerRecord

if TYPE_CHECKING:
    from archiver.cli.application import (
        AskPassphrase,
        CustomerChange,
        CustomerEditor,
        OpenArchive,
        Proposal,
        UnlinkedGroup,
    )

_BATCH = 50
_SHOWN = 5
_MATCHES = 9


def decide(
    invocation: Invocation, *, assign: Sequence[str], create: Sequence[str], dry_run: bool, as_json: bool
) -> None:
    """Do what the options say, in their order, assignments first; raises UsageError before anything is changed."""
    from archiver.cli.customer_form import next_reference

    assignments = [_pair(word, "--assign NAME=CUSTOMER") for word in assign]
    creations = [(name, reference or None) for name, _, reference in (word.partition("=") for word in create)]
    changes: list[CustomerChange] = []
    with invocation.app.change_customers(
        invocation.settings(), ask=asker(invocation), command="unlinked", dry_run=dry_run
    ) as editor:
        # All names first: half of a wrong command is worse than none of it.
        wanted = [(_group(editor.archive, name), editor.archive.customer(customer)) for name, customer in assignments]
        drafts = [(_draft_for(_group(editor.archive, name)), reference) for name, reference in creations]
        for group, record in wanted:
            # Looked up again: an earlier assignment may have changed the same record.
            current = editor.archive.customer(record.customer.reference)
            changes.append(editor.edit(current, with_group(current.customer, group)))
        for draft, reference in drafts:
            named = reference or next_reference(editor.archive.customers())
            changes.append(editor.add(replace(draft, reference=named)))
    if as_json:
        from archiver.cli.customer_shapes import change as shape
        from archiver.cli.shapes import listing

        items = [shape(change, invocation.zone, dry_run=dry_run) for change in changes]
        invocation.terminal.json(listing(len(items), items))
        return
    for change in changes:
        _tell(invocation, change, dry_run=dry_run)


def _tell(invocation: Invocation, change: CustomerChange, *, dry_run: bool = False) -> None:
    from archiver.cli.customer_text import tell_change

    tell_change(invocation, change, done="Added" if change.before is None else "Changed", dry_run=dry_run)


def _pair(word: str, form: str) -> tuple[str, str]:
    name, equals, customer = word.partition("=")
    if not (name and equals and customer):
        raise UsageError("a group and a customer are written with = between them", hint=form)
    return name, customer


def _group(archive: OpenArchive, name: str) -> UnlinkedGroup:
    return group_named(archive.unlinked(text=name, limit=_BATCH).items, name)


def _draft_for(group: UnlinkedGroup) -> Customer:
    """Return the new customer that was proposed, else the least that the group says by itself."""
    for proposal in group.proposals:
        if proposal.draft is not None:
            return proposal.draft
    if group.shared:
        named = next((address.name for address in group.addresses if address.name.strip()), group.name)
        return with_group(Customer("", named), group)
    return with_group(Customer("", group.name), group)


def with_group(customer: Customer, group: UnlinkedGroup) -> Customer:
    """Return a customer with a group's domain, or, where that is a provider's, its addresses among the contacts."""
    if not group.shared:
        return replace(customer, domains=tuple(dict.fromkeys((*customer.domains, group.name))))
    contacts = list(customer.contacts)
    known = {email.casefold() for email in customer.emails}
    for correspondent in group.addresses:
        if correspondent.address.casefold() in known:
            continue
        name = correspondent.name.strip()
        same = next((i for i, c in enumerate(contacts) if name and c.name.casefold() == name.casefold()), None)
        if same is None:
            contacts.append(Contact(name=name, emails=(correspondent.address,)))
        else:
            contacts[same] = replace(contacts[same], emails=(*contacts[same].emails, correspondent.address))
    return replace(customer, contacts=tuple(contacts))


class _EnoughError(Exception):
    """The person wants to stop."""


def sort_out(invocation: Invocation, text: str | None) -> None:
    """Walk through the groups, most mail first, and do what the person says at once."""
    settings, ask = invocation.settings(), asker_once(invocation)
    terminal = invocation.terminal
    done: set[str] = set()
    with invocation.app.open_archive(settings, ask=ask) as archive:
        session = _Sorting(invocation, archive, ask)
        try:
            while True:
                # Looked up anew each time: a decision may settle other groups too.
                page = archive.unlinked(text=text, limit=len(done) + 1)
                group = next((group for group in page.items if group.name not in done), None)
                if group is None:
                    break
                done.add(group.name)
                terminal.line()
                terminal.line(Span(f"{len(done)} of {max(page.total, len(done))}", "faint"))
                session.take(group)
        except _EnoughError:
            pass
        left = archive.unlinked(text=text, limit=1)
    terminal.line()
    terminal.line(
        f"{count(session.decided, 'decision')}, {count(session.linked, 'message')} linked; "
        f"{count(left.total, 'group')} left, {count(left.messages, 'message')} unlinked in all."
    )


class _Sorting:
    """One person's walk through the groups."""

    def __init__(self, invocation: Invocation, archive: OpenArchive, ask: AskPassphrase) -> None:
        self._invocation = invocation
        self._terminal = invocation.terminal
        self._archive = archive
        self._ask = ask
        self.decided = 0
        self.linked = 0

    def take(self, group: UnlinkedGroup) -> None:
        """Show a group and do what the person says, until it is settled or skipped."""
        show_group(self._invocation, self._archive, group)
        proposals = [proposal for proposal in group.proposals if proposal.record is not None][:_MATCHES]
        for number, proposal in enumerate(proposals, start=1):
            self._terminal.wrapped(Span(f"{number}  ", "accent"), self._proposed(proposal), indent=4, hanging=3)
        numbers = ("1, " if len(proposals) == 1 else f"1-{len(proposals)}, ") if proposals else ""
        prompt = f"[{numbers}l)ink to another, c)reate, m)essages, s)kip, q)uit] "
        while True:
            said = self._line(prompt).casefold()
            if said in {"", "s"}:
                return
            if said == "q":
                raise _EnoughError
            try:
                if self._did(said, group, proposals):
                    return
            except UsageError as error:
                # A person is there to do better; anything worse ends the walk.
                self._terminal.problem(error.message, hint=error.hint)
                for problem in error.problems:
                    self._terminal.note("  ", problem)

    def _did(self, said: str, group: UnlinkedGroup, proposals: Sequence[Proposal]) -> bool:
        if said == "m":
            self._messages(group)
        elif said == "c":
            return self._create(group)
        elif said == "l":
            return self._link(group)
        elif said.isdecimal() and 1 <= int(said) <= len(proposals):
            record = proposals[int(said) - 1].record
            return record is not None and self._assign(group, record)
        else:
            self._terminal.note("Type one of the letters or numbers.")
        return False

    def _proposed(self, proposal: Proposal) -> str:
        record = proposal.record
        if record is None:
            return ""
        because = f" ({reason_of(proposal)})" if reason_of(proposal) else ""
        return f"{record.customer.reference} {record.customer.name}{because}"

    def _messages(self, group: UnlinkedGroup) -> None:
        terminal = self._terminal
        for summary in self._archive.unlinked_messages(group, limit=_SHOWN):
            mark = arrow(summary.direction, plain=not terminal.can_show(ARROWS))
            head = f"{self._archive.short_id(summary.blob_id)}  {self._invocation.date(summary.at)}  {mark} "
            room = terminal.table_width - 4 - cells(head)
            terminal.line("    ", Span(head, "faint"), cut(subject_of(summary), room))
            terminal.wrapped(Span(" ".join(summary.preview.split()), "faint"), indent=8, limit=2)

    def _create(self, group: UnlinkedGroup) -> bool:
        from archiver.cli.customer_form import next_reference

        draft = _draft_for(group)
        name = self._default("Name", draft.name)
        reference = self._default("Reference", next_reference(self._archive.customers()))
        return self._change(lambda editor: editor.add(replace(draft, name=name, reference=reference)))

    def _link(self, group: UnlinkedGroup) -> bool:
        text = self._line("Which customer (part of a name, a number, an address; empty to go back)? ")
        if not text:
            return False
        matches = self._archive.find_customers(text, limit=_MATCHES)
        if not matches:
            self._terminal.line("    No customer is like that.")
            return False
        for number, match in enumerate(matches, start=1):
            customer = match.record.customer
            found = "" if match.field in {"name", "reference"} else f" ({match.field}: {match.value})"
            told = f"{customer.reference} {customer.name}{found}"
            self._terminal.wrapped(Span(f"{number}  ", "accent"), told, indent=4, hanging=3)
        said = self._line(f"Which of them [1{f'-{len(matches)}' if len(matches) > 1 else ''}, empty to go back]? ")
        if not (said.isdecimal() and 1 <= int(said) <= len(matches)):
            return False
        return self._assign(group, matches[int(said) - 1].record)

    def _assign(self, group: UnlinkedGroup, record: CustomerRecord) -> bool:
        def assigned(editor: CustomerEditor) -> CustomerChange:
            current = editor.archive.customer(record.customer.reference)
            return editor.edit(current, with_group(current.customer, group))

        return self._change(assigned)

    def _change(self, change: Callable[[CustomerEditor], CustomerChange]) -> bool:
        invocation = self._invocation
        with invocation.app.change_customers(invocation.settings(), ask=self._ask, command="unlinked") as editor:
            changed = change(editor)
        self.decided += 1
        self.linked += dict(changed.links.gained).get(changed.record.id, 0)
        _tell(invocation, changed)
        return True

    def _default(self, what: str, value: str) -> str:
        return self._line(f"{what} [{visible(value)}]: ") or value

    def _line(self, prompt: str) -> str:
        self._terminal.flush()
        return self._invocation.read_line(prompt).strip()
