"""`archiver show`: one message for people, and its octets, header fields and parts for whoever needs them exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible, visible_lines
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, pad, table, wrap
from archiver.cli.secrets import asker, write_new
from archiver.cli.terminal import Terminal
from archiver.cli.wording import count, long_date, people, size
from archiver.errors import UsageError
from archiver.model.catalogue import Details, Summary
from archiver.model.message import Message, Part, PartKind

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive

_LABEL_COLUMNS = 10
_MAX_NAME_BYTES = 120
_TEXT_KINDS = frozenset({PartKind.TEXT, PartKind.HTML, PartKind.CALENDAR, PartKind.REPORT})
_EXTENSIONS = {PartKind.MESSAGE: ".eml", PartKind.TEXT: ".txt", PartKind.HTML: ".html", PartKind.CALENDAR: ".ics"}
_FILE_CHARACTERS = frozenset(" ._-+,()[]@#=&'")


@click.command("show")
@click.argument("name", metavar="ID")
@click.option(
    "--raw", is_flag=True, help="The octets exactly as received; on a terminal, with control characters escaped."
)
@click.option("--headers", is_flag=True, help="All header fields.")
@click.option("--part", metavar="N", help="One part, by the number in the list of parts.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save --raw or --part to this new file (mode 0600), or into this folder under the part's own name.",
)
@click.option("--force", is_flag=True, help="With --output: replace the file if there is one.")
@click.option("--quoted", is_flag=True, help="Also what the message repeats of others.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long the message is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    name: str,
    raw: bool,
    headers: bool,
    part: str | None,
    output: Path | None,
    force: bool,
    quoted: bool,
    no_pager: bool,
    as_json: bool,
) -> None:
    """Show one message, or save a part of it.

    ID is what search prints; its first digits are enough while no other message begins with them.
    """
    if raw + headers + (part is not None) + as_json > 1:
        raise UsageError("--raw, --headers, --part and --json exclude each other", hint="choose one")
    if output is not None and not raw and part is None:
        raise UsageError("--output saves --raw or --part", hint=f"archiver show {visible(name)} --raw --output FILE")
    settings = invocation.settings()
    terminal = invocation.terminal
    paged = not (no_pager or raw or part is not None or as_json)
    with terminal.paged(wanted=paged), invocation.app.open_archive(settings, ask=asker(invocation)) as archive:
        row = archive.resolve(name)
        if raw:
            _give(terminal, archive.octets(row), output, force=force, own_name=f"{_id_of(archive, row)}.eml", text=True)
        elif part is not None:
            listed, octets = archive.part(row, part)
            is_text = listed.kind in _TEXT_KINDS or listed.content_type.startswith("text/")
            _give(
                terminal, octets, output, force=force, own_name=safe_name(listed), text=is_text, charset=listed.charset
            )
        elif headers:
            for field, value in archive.headers(row):
                _header_field(terminal, field, value)
        else:
            show_message(invocation, archive, row, quoted=quoted, as_json=as_json)


def show_message(
    invocation: Invocation, archive: OpenArchive, row: int, *, quoted: bool = False, as_json: bool = False
) -> None:
    """Print a message as this command does; `archiver search --open` shows its first hit so."""
    details, message = archive.details(row), archive.parsed(row)
    if as_json:
        from archiver.cli.shapes import whole_message

        invocation.terminal.json(whole_message(details, message, archive, invocation.zone))
    else:
        _show(invocation, archive, details, message, quoted=quoted)


def safe_name(part: Part) -> str:
    """Return a file name for a part: the sender's, without anything that a file system or a shell could stumble over.

    No folder, no leading dot or dash, no control character, at most 120 bytes; the part's number when nothing is left.
    """
    wished = (part.filename or "").replace("\\", "/").rpartition("/")[2]
    kept = (
        "".join(c if c.isalnum() or c in _FILE_CHARACTERS else "_" for c in wished).strip(" ").lstrip(".-").rstrip(". ")
    )
    if not kept.strip("_ "):
        return f"part-{part.path}{_EXTENSIONS.get(part.kind, '.bin')}"
    stem, dot, extension = kept.rpartition(".")
    if not dot or len(extension.encode()) > 16:
        return _within(kept, _MAX_NAME_BYTES)
    return _within(stem, _MAX_NAME_BYTES - 1 - len(extension.encode())) + dot + extension


def _within(text: str, octets: int) -> str:
    return text.encode("utf-8", "replace")[:octets].decode("utf-8", "ignore")


def _id_of(archive: OpenArchive, row: int) -> str:
    return archive.short_id(archive.details(row).summary.blob_id)


def _give(
    terminal: Terminal,
    octets: bytes,
    output: Path | None,
    *,
    force: bool,
    own_name: str,
    text: bool,
    charset: str | None = None,
) -> None:
    if output is not None and str(output) != "-":
        path = output / own_name if output.is_dir() else output
        write_new(path, octets, force=force)
        terminal.line(f"Saved {size(len(octets))} to ", str(path))
    elif not terminal.out_is_terminal:
        terminal.octets(octets)
    elif text:
        for line in visible_lines(_decoded(octets, charset).removesuffix("\n").removesuffix("\r")):
            terminal.line(line)
    else:
        raise UsageError("this part is not text, and standard output is a terminal", hint="save it with --output FILE")


def _decoded(octets: bytes, charset: str | None) -> str:
    try:
        return octets.decode(charset or "utf-8")
    except (LookupError, UnicodeError):
        return octets.decode("utf-8", "backslashreplace")


def _show(invocation: Invocation, archive: OpenArchive, details: Details, message: Message, *, quoted: bool) -> None:
    terminal, summary = invocation.terminal, details.summary
    name = archive.short_id(summary.blob_id)
    written = details.summary.sent_at or details.received_at
    _field(terminal, "date", long_date(written, zone=invocation.zone) if written else "(none given)")
    for label, addresses in (
        ("from", summary.from_),
        ("to", summary.to),
        ("cc", summary.cc),
        ("bcc", details.bcc),
        ("reply to", details.reply_to if details.reply_to != summary.from_ else ()),
    ):
        if addresses:
            _field(terminal, label, people(addresses))
    _field(terminal, "subject", summary.subject.strip() or "(none)", style="strong")
    _field(terminal, "kept as", f"{name} ({summary.direction.value}, {size(details.octets)})")
    if summary.mailboxes:
        _field(terminal, "seen in", ", ".join(summary.mailboxes))
    _customers(terminal, archive, summary)
    terminal.line()
    _text(terminal, message, quoted=quoted, name=name)
    _parts(terminal, details.parts, name)
    if details.defects:
        terminal.line()
        terminal.line(Span("defects", "warn"), " (the message is kept as it came; --raw shows it)")
        for defect in details.defects:
            terminal.line(f"  {defect.code}", f"  {defect.detail}" if defect.detail else "")


def _customers(terminal: Terminal, archive: OpenArchive, summary: Summary) -> None:
    """Print whose message it is and by which rule, and apart from that whose it might be."""
    if not (summary.customers or summary.candidates):
        return
    from archiver.cli.reasons import RULES, conversation_candidates
    from archiver.model.link import Rule

    explanation = archive.why(summary.row)
    verdict = explanation.verdict
    rules = {link.customer: link.rule for link in verdict.links}
    candidates = verdict.candidates if verdict.links else conversation_candidates(verdict)
    for label, customers in (("customer", verdict.linked), ("might be", candidates)):
        for one in customers:
            customer, rule = explanation.customers[one].customer, RULES[rules.get(one, Rule.THREAD)]
            _field(terminal, label, f"{customer.reference} {customer.name} ({rule})")


def _text(terminal: Terminal, message: Message, *, quoted: bool, name: str) -> None:
    if message.text.strip():
        body(terminal, message.text)
    elif not message.quoted.strip():
        terminal.line(Span("(no text)", "faint"))
    if not message.quoted.strip():
        return
    terminal.line()
    if quoted:
        body(terminal, message.quoted, faint=True)
    else:
        lines = count(len(message.quoted.strip().splitlines()), "quoted line")
        terminal.line(Span(f"[{lines} not shown: archiver show {name} --quoted]", "faint"))


def body(terminal: Terminal, text: str, *, faint: bool = False, indent: int = 0) -> None:
    """Print the text of a message, wrapped on a terminal, without blank lines at either end."""
    margin = " " * indent
    for line in visible_lines(text.strip("\r\n")):
        wrapped = wrap(line.rstrip(), terminal.prose - indent) if terminal.prose else [line.rstrip()]
        for piece in wrapped:
            terminal.line(Span(margin + piece, "faint" if faint else "") if piece else "")


def _parts(terminal: Terminal, parts: tuple[Part, ...], name: str) -> None:
    # A plain message has one text part, which has just been shown.
    if len(parts) < 2 and all(part.kind is PartKind.TEXT for part in parts):
        return
    terminal.line()
    terminal.line(Span("parts", "faint"))
    rows = [
        [
            Span(f"  {part.path}", "accent"),
            Span(visible(part.filename) if part.filename else "-"),
            Span(visible(part.content_type), "faint"),
            Span(size(part.size)),
        ]
        for part in parts
    ]
    terminal.lines(table(("", "", "", ""), rows, width=terminal.table_width, numbers=(3,)))
    saved = next((part for part in parts if part.kind not in _TEXT_KINDS), parts[0])
    terminal.line(Span(f"Save one: archiver show {name} --part {saved.path} --output .", "faint"))


def _header_field(terminal: Terminal, name: str, value: str) -> None:
    text = visible(f"{name}: {' '.join(value.split())}")
    lines = wrap(text, terminal.prose - 4) if terminal.prose else [text]
    for number, line in enumerate(lines):
        terminal.line(line if number == 0 else "    " + line)


def _field(terminal: Terminal, label: str, value: str, *, style: str = "") -> None:
    flat = " ".join(value.split())
    head = pad(label, _LABEL_COLUMNS)
    text = visible(flat)
    lines = wrap(text, terminal.prose - _LABEL_COLUMNS) if terminal.prose else [text]
    for number, line in enumerate(lines):
        shown = Span(line, "strong") if style else Span(line)
        terminal.line(Span(head if number == 0 else " " * _LABEL_COLUMNS, "faint"), shown)
