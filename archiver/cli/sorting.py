"""`archiver unlinked --interactive`: a person is asked about one group of unlinked mail after the other.

While a person thinks, the archive is open for reading only; each decision is carried out by itself, so that mail keeps
coming in meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from archiver.cli.asking import asker_once
from archiver.cli.assigning import draft_for, with_group
from archiver.cli.escape import visible
from archiver.cli.groups import look_alikes, reason_of, show_group, show_look_alikes
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, cut
from archiver.cli.wording import ARROWS, arrow, count, subject_of
from archiver.errors import UsageError
from archiver.model.customer import CustomerRecord

if TYPE_CHECKING:
    from archiver.cli.application import CustomerEditor, OpenArchive
    from archiver.cli.customer_answers import CustomerChange, Proposal, UnlinkedGroup

_SHOWN = 5
_MATCHES = 9


class _EnoughError(Exception):
    """The person wants to stop."""


_Decision = Callable[["CustomerEditor"], "CustomerChange"]
"""What a person decided about a group."""


def sort_out(invocation: Invocation, text: str | None) -> None:
    """Walk through the groups, most mail first, and do what the person says at once."""
    from archiver.cli.customer.text import tell_change

    settings, ask = invocation.settings(), asker_once(invocation)
    terminal = invocation.terminal
    walk = _Walk(invocation, text)
    while True:
        # Opened anew after each decision: it may settle other groups too, and there is one more customer to choose.
        with invocation.app.open_archive(settings, ask=ask) as archive:
            decision = walk.next_decision(archive)
            if decision is None:
                left = archive.unlinked(text=text, limit=1)
                break
        try:
            with invocation.app.change_customers(settings, ask=ask, command="unlinked") as editor:
                change = decision(editor)
        except UsageError as error:
            # A person is there to do better; anything worse ends the walk.
            terminal.problem(error.message, hint=error.hint)
            for problem in error.problems:
                terminal.note("  ", problem)
            continue
        walk.settled(change)
        tell_change(invocation, change, dry_run=False)
    terminal.line()
    terminal.line(
        f"{count(walk.decided, 'decision')}, {count(walk.linked, 'message')} linked; "
        f"{count(left.total, 'group')} left, {count(left.messages, 'message')} unlinked in all."
    )


class _Walk:
    """One person's way through the groups: what was skipped, what was decided."""

    def __init__(self, invocation: Invocation, text: str | None) -> None:
        self._invocation = invocation
        self._terminal = invocation.terminal
        self._text = text
        self._seen: set[str] = set()
        self._current = ""
        self.decided = 0
        self.linked = 0

    def next_decision(self, archive: OpenArchive) -> _Decision | None:
        """Show groups and ask until the person decides about one; None when there are no more, or it was enough."""
        while True:
            page = archive.unlinked(text=self._text, limit=len(self._seen) + 1)
            group = next((group for group in page.items if group.name not in self._seen), None)
            if group is None:
                return None
            self._current = group.name
            self._terminal.line()
            number, every = len(self._seen) + 1, page.total + self.decided
            self._terminal.line(Span(f"{number:,} of {max(every, number):,}", "faint"))
            try:
                decision = self._ask_about(archive, group)
            except _EnoughError:
                return None
            if decision is not None:
                return decision
            self._seen.add(group.name)

    def settled(self, change: CustomerChange) -> None:
        """Take note of a decision that was carried out."""
        self._seen.add(self._current)
        self.decided += 1
        self.linked += dict(change.links.gained).get(change.record.id, 0)

    def _ask_about(self, archive: OpenArchive, group: UnlinkedGroup) -> _Decision | None:
        """Return what is to be done about a group; None to skip it."""
        show_group(self._invocation, archive, group)
        show_look_alikes(self._invocation, group, look_alikes(archive, [group]))
        records = [proposal.record for proposal in group.proposals if proposal.record is not None][:_MATCHES]
        for number, proposal in enumerate((p for p in group.proposals if p.record is not None), start=1):
            self._terminal.wrapped(Span(f"{number}  ", "accent"), _proposed(proposal), indent=4, hanging=3)
        numbers = f"[{_up_to(len(records))}] as proposed, " if records else ""
        prompt = f"{numbers}[l]ink, [c]reate, [m]essages, [s]kip, [q]uit: "
        while True:
            said = self._line(prompt)
            letter = said.casefold()
            if letter in {"", "s"}:
                return None
            if letter == "q":
                raise _EnoughError
            decision: _Decision | None = None
            if letter == "m":
                self._messages(archive, group)
            elif letter == "c":
                decision = self._create(archive, group)
            elif said.isdecimal() and 1 <= int(said) <= len(records):
                decision = _assigning(group, records[int(said) - 1])
            elif letter == "l" or (len(said) > 1 and not said.isdecimal()):
                # Whoever types a name means the customer of that name.
                decision = self._link(archive, group, "" if letter == "l" else said)
            else:
                self._terminal.note("Type one of the letters or numbers, or part of a customer's name.")
            if decision is not None:
                return decision

    def _messages(self, archive: OpenArchive, group: UnlinkedGroup) -> None:
        terminal = self._terminal
        for summary in archive.unlinked_messages(group, limit=_SHOWN):
            mark = arrow(summary.direction, plain=not terminal.can_show(ARROWS))
            head = f"{archive.short_id(summary.blob_id)}  {self._invocation.date(summary.at)}  {mark} "
            room = terminal.table_width - 4 - cells(head)
            terminal.line("    ", Span(head, "faint"), cut(subject_of(summary), room))
            terminal.wrapped(Span(" ".join(summary.preview.split()), "faint"), indent=8, limit=2)

    def _create(self, archive: OpenArchive, group: UnlinkedGroup) -> _Decision:
        from archiver.cli.customer.form import next_reference

        draft = draft_for(group)
        told = [f"domain {domain}" for domain in draft.domains]
        told += [f"contact {contact.name or contact.emails[0]}" for contact in draft.contacts]
        self._terminal.wrapped(Span(", ".join(told), "faint"), indent=4, limit=3)
        name = self._default("Name", draft.name)
        reference = self._default("Reference", next_reference(archive.customers()))
        return lambda editor: editor.add(replace(draft, name=name, reference=reference))

    def _link(self, archive: OpenArchive, group: UnlinkedGroup, text: str) -> _Decision | None:
        text = text or self._line("Which customer (part of a name, a number, an address; Enter goes back)? ")
        if not text:
            return None
        matches = archive.find_customers(text, limit=_MATCHES)
        if not matches:
            self._terminal.line("    No customer is like that.")
            return None
        for number, match in enumerate(matches, start=1):
            customer = match.record.customer
            found = "" if match.field in {"name", "reference"} else f" ({match.field}: {match.value})"
            told = f"{customer.reference} {customer.name}{found}"
            self._terminal.wrapped(Span(f"{number}  ", "accent"), told, indent=4, hanging=3)
        said = self._line(f"Which of them ([{_up_to(len(matches))}], Enter goes back)? ")
        if not (said.isdecimal() and 1 <= int(said) <= len(matches)):
            return None
        return _assigning(group, matches[int(said) - 1].record)

    def _default(self, what: str, value: str) -> str:
        return self._line(f"{what} [{visible(value)}]: ") or value

    def _line(self, prompt: str) -> str:
        self._terminal.flush()
        return self._invocation.read_line(prompt).strip()


def _assigning(group: UnlinkedGroup, record: CustomerRecord) -> _Decision:
    def assigned(editor: CustomerEditor) -> CustomerChange:
        # As it is now: it was read before a person thought about it.
        current = editor.archive.customer(record.customer.reference)
        return editor.edit(current, with_group(current.customer, group))

    return assigned


def _proposed(proposal: Proposal) -> str:
    if proposal.record is None:
        return ""
    customer, because = proposal.record.customer, reason_of(proposal)
    return f"{customer.reference} {customer.name}" + (f" ({because})" if because else "")


def _up_to(number: int) -> str:
    return "1" if number == 1 else f"1-{number}"
