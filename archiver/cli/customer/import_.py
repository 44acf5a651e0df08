"""`archiver customer import`: customers out of a spreadsheet or an address book, all of them or none."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from archiver.cli.customer.text import tell_fields, tell_links, tell_warnings, titled
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.cli.wording import count, listed
from archiver.errors import IncompleteError, UsageError

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive
    from archiver.cli.customer_answers import CustomerChange, ImportChanges
    from archiver.core.customers.exchange import Problem, Reading
    from archiver.model.customer import Customer

Format = Literal["csv", "vcard"]

_MAX_OCTETS = 64 * 1024 * 1024
_TOLD = 20


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--format", "form", type=click.Choice(["csv", "vcard"]), help="What the file is; found out if left out.")
@click.option(
    "--reference-prefix", metavar="P", help="Number customers of a vCard file that have no number: P1, P2, ..."
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--keep-going", is_flag=True, help="Import what is right and report the rest, exit code 4.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    path: Path,
    form: Format | None,
    reference_prefix: str | None,
    dry_run: bool,
    keep_going: bool,
    as_json: bool,
) -> int:
    """Add and update customers from a CSV or vCard file.

    A customer whose reference is known is updated: what the file fills in replaces what there was, what it leaves empty
    stays, and a cell with - alone is emptied. Every bad row is reported with its line, and unless --keep-going is given
    nothing is imported then. FILE may be - for standard input.

    The columns of a CSV file are those that archiver customer export writes; their order is free, ";" and Windows-1252
    as Excel writes them are understood.
    """
    octets = _read(path)
    settings = invocation.settings()
    ask = asker(invocation)
    with invocation.app.change_customers(settings, ask=ask, command="customer import", dry_run=dry_run) as editor:
        reading = _parsed(invocation, octets, form or guessed_format(octets), reference_prefix, editor.archive)
        if reading.problems and not keep_going:
            return _refused(invocation, reading, as_json=as_json)
        changes = editor.import_(_merged_in(reading, editor.archive))
    code = IncompleteError.exit_code if reading.problems else 0
    invocation.terminal.outcome = code
    if as_json:
        _print_json(invocation, changes, reading.problems, dry_run=dry_run)
    else:
        _tell(invocation, changes, dry_run=dry_run)
    _tell_problems(invocation, reading.problems)
    if reading.problems:
        invocation.terminal.problem(
            f"{_rows(reading.problems)} left out; the others {'would be' if dry_run else 'were'} imported",
            hint="mend these and import the file again: what is in already stays as it is",
        )
    return code


def _read(path: Path) -> bytes:
    hint = "name a CSV or vCard file, or - for standard input"
    try:
        if str(path) == "-":
            octets = sys.stdin.buffer.read(_MAX_OCTETS + 1)
        else:
            with path.open("rb") as file:
                octets = file.read(_MAX_OCTETS + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint=hint) from None
    if len(octets) > _MAX_OCTETS:
        raise UsageError(f"{path} is too long for a file of customers", hint=hint)
    return octets


def guessed_format(octets: bytes) -> Format:
    """Tell a vCard by how it must begin (RFC 6350 §6.1.1); anything else is taken for CSV."""
    start = octets[:64].removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").removeprefix(b"\xff\xfe").lstrip()
    return "vcard" if start[:11].upper() == b"BEGIN:VCARD" else "csv"


def _parsed(
    invocation: Invocation, octets: bytes, form: Format, reference_prefix: str | None, archive: OpenArchive
) -> Reading:
    from archiver.core.customers import exchange

    settings = invocation.settings()
    region, identity, shared = settings.customers.country, settings.identity, settings.customers.shared_domains
    known = [record.customer for record in archive.customers()]
    if form == "vcard":
        return exchange.read_vcards(
            octets,
            region=region,
            identity=identity,
            shared_domains=shared,
            reference_prefix=reference_prefix,
            references={customer.name.lower(): customer.reference for customer in known},
        )
    if reference_prefix is not None:
        raise UsageError("--reference-prefix is for vCard files", hint="a CSV file has a column for the reference")
    references = {customer.reference.lower() for customer in known}
    return exchange.read_csv(octets, region=region, identity=identity, shared_domains=shared, known=references)


def _merged_in(reading: Reading, archive: OpenArchive) -> list[Customer]:
    """Return the customers as they will be: known ones with what the file says about them."""
    from archiver.core.customers.exchange import updated

    known = {record.customer.reference.casefold(): record.customer for record in archive.customers()}
    out = []
    for entry in reading.entries:
        old = known.get(entry.customer.reference.casefold())
        out.append(entry.customer if old is None else updated(old, entry.customer, entry.columns))
    return out


def _refused(invocation: Invocation, reading: Reading, *, as_json: bool) -> int:
    if as_json:
        _print_json(invocation, None, reading.problems, dry_run=False)
    _tell_problems(invocation, reading.problems)
    right = f"; --keep-going imports the {count(len(reading.entries), 'customer')} without a mistake"
    invocation.terminal.problem(
        f"{_rows(reading.problems)} cannot be imported, so nothing was",
        hint=f"mend the file and import it again{right if reading.entries else ''}",
    )
    return UsageError.exit_code


def _rows(problems: tuple[Problem, ...]) -> str:
    return count(len({problem.line for problem in problems}), "row")


def _tell_problems(invocation: Invocation, problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        place = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
        invocation.terminal.told(f"{place}:", "bad", problem.reason)


def _print_json(
    invocation: Invocation, changes: ImportChanges | None, problems: tuple[Problem, ...], *, dry_run: bool
) -> None:
    from archiver.cli.customer import shapes
    from archiver.cli.shapes import listing

    made = changes.changes if changes is not None else ()
    kinds = Counter(shapes.kind_of(change) for change in made)
    invocation.terminal.json(
        {
            **listing(len(made), [shapes.change_alone(change, invocation.zone) for change in made]),
            **{kind: kinds[kind] for kind in ("added", "changed", "unchanged")},
            "links": shapes.links(changes.links, changes.references) if changes is not None else None,
            "warnings": list(dict.fromkeys(warning for change in made for warning in change.warnings)),
            "problems": [
                {"line": problem.line, "column": problem.column or None, "reason": problem.reason}
                for problem in problems
            ],
            "dry_run": dry_run,
        }
    )


def _tell(invocation: Invocation, changes: ImportChanges, *, dry_run: bool) -> None:
    from archiver.cli.customer.shapes import kind_of

    terminal = invocation.terminal
    by_kind: dict[str, list[CustomerChange]] = {"added": [], "changed": [], "unchanged": []}
    for change in changes.changes:
        by_kind[kind_of(change)].append(change)
    touched = [*by_kind["changed"], *by_kind["added"]]
    shown = touched if dry_run else touched[:_TOLD]
    for change in shown:
        _tell_one(invocation, change)
    if len(touched) > len(shown):
        terminal.line(f"… and {len(touched) - len(shown):,} more; all of them: --json")
    if touched:
        terminal.line()
    figures = [count(len(by_kind[kind]), "customer") + f" {kind}" for kind in by_kind if by_kind[kind]]
    if figures:
        terminal.line(("Would be: " if dry_run else "") + listed(figures) + ".")
    else:
        terminal.line("There is no customer to import in it.")
    if touched:
        tell_links(terminal, changes.links, changes.references, dry_run=dry_run)
    tell_warnings(terminal, list(dict.fromkeys(warning for change in shown for warning in change.warnings)))
    if dry_run:
        terminal.line("Nothing was kept: this was a dry run.")


def _tell_one(invocation: Invocation, change: CustomerChange) -> None:
    terminal = invocation.terminal
    if change.after is None:
        return
    new = change.before is None
    terminal.wrapped(Span("+ " if new else "~ ", "good" if new else "warn"), *titled(change.after), hanging=4, limit=1)
    if change.before is not None:
        tell_fields(invocation, change.before, change.after, indent=4)
