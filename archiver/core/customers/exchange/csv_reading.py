"""Customers out of CSV, as this program writes it and as spreadsheets of several countries do.

A row is a contact; the customer's columns stand in its first row and are repeated or empty below. Knows what
spreadsheets do to numbers and what it cannot undo; a customer with one bad row is bad as a whole, and every bad row is
reported.

An empty cell says nothing: on a second import it leaves the record as it is. `-` alone empties a customer's column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field

from archiver.core.customers.exchange.columns import COLUMNS, CONTACT_COLUMNS, LIST_COLUMNS, column_names, folded_name
from archiver.core.customers.exchange.csv_cells import bare_cell, damage
from archiver.core.customers.exchange.reading import Entry, Problem, Reading, decoded
from archiver.core.customers.records import RecordProblem, examined
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity

_LARGEST_CELL = 1 << 20
"""Characters of a cell; more is a quotation mark that is never closed."""

_NOTHING = "-"
_PROSE = frozenset(("name", "address", "city", "notes"))

_FIELDS = {"contact": "contacts", "email": "contacts", "phone": "contacts", "mobile": "contacts"}


def read_csv(
    octets: bytes,
    *,
    region: str,
    identity: Identity | None = None,
    shared_domains: Collection[str] = (),
    known: Collection[str] = (),
) -> Reading:
    """Read customers; everything that is wrong is a problem with its line, nothing is raised.

    `region` is the country of numbers that name none. With `identity`, own addresses and domains are problems too.
    `known` are references of customers that exist, in lower case: for these the name may be left out.
    """
    text = decoded(octets)
    if isinstance(text, Problem):
        return Reading(problems=(text,))
    problems: list[Problem] = []
    delimiter, skipped, text = _delimiter(text)
    rows = _rows(text, delimiter, skipped, problems)
    head = next(rows, None)
    header = _header(head, problems) if head else None
    if header is None:
        if head is None and not problems:
            problems.append(Problem(1, "", "the file is empty"))
        return Reading(problems=tuple(problems))
    groups = _Groups(header, problems)
    for row in rows:
        groups.take(row)
    header.report_unknown(problems)
    entries = []
    for group in groups.finished():
        raw = group.customer()
        customer, wrong = examined(raw, identity=identity, region=region, shared_domains=shared_domains)
        may_lack_name = "name" not in group.cells and raw.reference.casefold() in known
        wrong = tuple(problem for problem in wrong if not (may_lack_name and problem.field == "name"))
        problems.extend(group.problem(problem, header) for problem in wrong)
        if not wrong and not group.bad:
            entries.append(Entry(customer, group.line, group.fields()))
    return Reading(tuple(entries), tuple(sorted(set(problems))))


class _Row(Struct, frozen=True):
    """A row by the line that it begins on; no cells: it could not be read."""

    line: int
    cells: Sequence[str] | None


def _delimiter(text: str) -> tuple[str, int, str]:
    """Find out what separates cells; return it, how many lines were skipped for it, and the text below these."""
    first, _, rest = text.partition("\n")
    if told := re.match(r'^"?sep=(.)"?\s*$', first.rstrip("\r"), re.IGNORECASE):
        return told[1], 1, rest
    names = column_names()
    line = next((line for line in text.splitlines() if line.strip()), "")

    def fits(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        return sum(folded_name(cell) in names for cell in cells), len(cells)

    return max((",", ";", "\t"), key=fits), 0, text


def _rows(text: str, delimiter: str, skipped: int, problems: list[Problem]) -> Iterator[_Row]:
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            reason = 'a quotation mark is not closed, or something stands behind it: write " within a cell as ""'
            problems.append(Problem(line, "", reason))
            yield _Row(line, None)
            continue
        if any(cell.strip() for cell in cells):
            yield _Row(line, cells)


class _Header(Struct):
    """The columns of the file by position, and what they are called there."""

    line: int
    columns: Sequence[str | None]
    names: Mapping[str, str]
    unknown: Mapping[int, str]
    met: set[int] = field(default_factory=set)

    def report_unknown(self, problems: list[Problem]) -> None:
        problems.extend(
            Problem(self.line, name, f"no such column: known are {', '.join(COLUMNS)}")
            for position, name in self.unknown.items()
            if position in self.met
        )


def _header(row: _Row, problems: list[Problem]) -> _Header | None:
    names = column_names()
    cells = [" ".join(bare_cell(cell).split()) for cell in row.cells or ()]
    columns = [names.get(folded_name(cell)) for cell in cells]
    found = [column for column in columns if column is not None]
    if "reference" not in found:
        reason = "the first line must name the columns, reference among them"
        problems.append(Problem(row.line, "", reason if found else f"{reason}: {', '.join(COLUMNS)}"))
        return None
    twice = [column for column in dict.fromkeys(found) if found.count(column) > 1]
    problems.extend(Problem(row.line, column, "this column is there twice") for column in twice)
    if twice:
        return None
    unknown = {position: cells[position] for position, column in enumerate(columns) if column is None}
    called = {column: cells[position] for position, column in enumerate(columns) if column is not None}
    return _Header(row.line, columns, called, unknown)


class _Group(Struct):
    """The rows of one customer: its own cells with the line of each, and its contacts with theirs."""

    line: int
    cells: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    contacts: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    bad: bool = False

    def customer(self) -> Customer:
        cells = {column: "" if cell == _NOTHING else cell for column, cell in self.cells.items()}
        return Customer(
            reference=cells.get("reference", ""),
            name=cells.get("name", ""),
            address=cells.get("address", ""),
            postal_code=cells.get("postal_code", ""),
            city=cells.get("city", ""),
            country=cells.get("country", ""),
            vat=cells.get("vat") or None,
            domains=_values(cells.get("domains", "")),
            licences=_values(cells.get("licences", "")),
            contacts=tuple(
                Contact(
                    own.get("contact", ""),
                    _values(own.get("email", "")),
                    _values(own.get("phone", "")),
                    _values(own.get("mobile", "")),
                )
                for _, own in self.contacts
            ),
            notes=cells.get("notes", ""),
        )

    def fields(self) -> frozenset[str]:
        return frozenset(self.cells) | (frozenset(("contacts",)) if self.contacts else frozenset())

    def problem(self, problem: RecordProblem, header: _Header) -> Problem:
        line = self.lines.get(problem.field, self.line)
        if problem.contact is not None:
            line = self.contacts[problem.contact][0]
        reason = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
        return Problem(line, header.names.get(problem.field, problem.field), reason)


def _values(cell: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in re.split(r"[|\n]", cell) if value.strip())


class _Groups:
    """Gathers rows to customers, in the order of the file."""

    def __init__(self, header: _Header, problems: list[Problem]) -> None:
        self._header = header
        self._problems = problems
        self._groups: dict[str, _Group] = {}
        self._current: _Group | None = None

    def finished(self) -> Iterator[_Group]:
        yield from self._groups.values()

    def take(self, row: _Row) -> None:
        if row.cells is None:  # it may have been a contact of this customer, or the first row of the next
            self._spoil(self._current)
            self._current = None
            return
        cells, bad = self._cells(row)
        if not cells and not bad:
            return
        group = self._group(row.line, cells)
        if group is None:
            return
        group.bad = group.bad or bad
        for column, cell in cells.items():
            if column in CONTACT_COLUMNS:
                continue
            there = group.cells.setdefault(column, cell)
            group.lines.setdefault(column, row.line)
            if not _same(column, there, cell):
                reason = f"it says something else than line {group.lines[column]}, which is the same customer's"
                self._report(row.line, column, reason)
                self._spoil(group)
        contact = {c: cell for c, cell in cells.items() if c in CONTACT_COLUMNS and cell != _NOTHING}
        if contact:
            group.contacts.append((row.line, contact))

    def _cells(self, row: _Row) -> tuple[dict[str, str], bool]:
        """Return the cells that are filled in by column, and whether one of the row's is beyond repair."""
        cells: dict[str, str] = {}
        bad = False
        for position, raw in enumerate(row.cells or ()):
            cell = bare_cell(raw)
            if not cell:
                continue
            if position >= len(self._header.columns):
                self._report(row.line, "", "it has more cells than the first line has columns")
                return cells, True
            column = self._header.columns[position]
            if column is None:
                self._header.met.add(position)
                continue
            damaged = damage(raw, prose=column in _PROSE)
            if damaged:
                self._report(row.line, column, damaged)
                bad = True
            else:
                cells[column] = cell
        return cells, bad

    def _group(self, line: int, cells: Mapping[str, str]) -> _Group | None:
        """Return the customer that a row belongs to; None, and a problem, where that cannot be told."""
        reference = " ".join(cells.get("reference", "").split()).casefold()
        current = self._current
        if not reference:
            if current is None:
                self._report(line, "reference", "it is missing: give your own number for the customer")
            elif "name" in cells and not _same("name", current.cells.get("name", ""), cells["name"]):
                self._report(line, "reference", "it is missing, and the name is not that of the customer above")
                self._current = None
                return None
            return current
        group = self._groups.get(reference)
        if group is None:
            group = self._groups[reference] = _Group(line)
        elif group is not current:
            reason = f"it is that of line {group.line} again: the rows of a customer must stand together"
            self._report(line, "reference", reason)
            self._spoil(group)
        self._current = group
        return group

    def _report(self, line: int, column: str, reason: str) -> None:
        self._problems.append(Problem(line, self._header.names.get(column, column), reason))

    @staticmethod
    def _spoil(group: _Group | None) -> None:
        if group is not None:
            group.bad = True


def _same(column: str, one: str, other: str) -> bool:
    if column in LIST_COLUMNS:
        return set(_values(one.casefold())) == set(_values(other.casefold()))
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())
