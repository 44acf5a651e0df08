"""`archiver show`: one message for people, and its octets, header fields and parts for whoever needs them exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import wrap
from archiver.cli.secrets import asker
from archiver.cli.terminal import Terminal
from archiver.errors import UsageError
from archiver.model.message import PartKind

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive

_TEXT_KINDS = frozenset({PartKind.TEXT, PartKind.HTML, PartKind.CALENDAR, PartKind.REPORT})


class _Asked(Struct, frozen=True):
    """What of the message is wanted, and where to."""

    name: str
    raw: bool
    headers: bool
    part: str | None
    text: bool
    all_parts: bool
    html: bool
    output: Path | None
    force: bool
    quoted: bool
    links: bool
    as_json: bool

    def check(self) -> None:
        """Raise UsageError for what does not go together."""
        whole = {
            "--raw": self.raw,
            "--headers": self.headers,
            "--part": self.part is not None,
            "--all-parts": self.all_parts,
            "--html": self.html,
            "--json": self.as_json,
        }
        if sum(whole.values()) > 1:
            raise UsageError(f"{', '.join(list(whole)[:-1])} and --json exclude each other", hint="choose one")
        if self.text and self.part is None:
            raise UsageError("--text is of one attachment", hint=f"archiver show {self.named} --part N --text")
        if self.all_parts and (self.output is None or str(self.output) == "-"):
            raise UsageError(
                "--all-parts saves into a folder", hint=f"archiver show {self.named} --all-parts --output FOLDER"
            )
        if self.output is not None and not (self.raw or self.html or self.all_parts or self.part is not None):
            raise UsageError(
                "--output saves --raw, --html, --part or --all-parts",
                hint=f"archiver show {self.named} --raw --output FILE",
            )

    @property
    def named(self) -> str:
        """The ID as typed, to be said again."""
        return visible(self.name)


@click.command("show")
@click.argument("name", metavar="ID")
@click.option(
    "--raw", is_flag=True, help="The octets exactly as received; on a terminal, with control characters escaped."
)
@click.option("--headers", is_flag=True, help="All header fields.")
@click.option("--part", metavar="N", help="One part, by the number in the list of attachments.")
@click.option("--text", is_flag=True, help="With --part: the text of the attachment (PDF, Word, Excel, ...).")
@click.option("--all-parts", is_flag=True, help="All attachments, saved into the folder of --output.")
@click.option(
    "--html",
    is_flag=True,
    help="A page for the browser that loads and runs nothing; on a terminal saved as ID.html.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save to this new file (mode 0600), or into this folder under the part's own name.",
)
@click.option("--force", is_flag=True, help="With --output: replace the file if there is one.")
@click.option("--quoted", is_flag=True, help="Also what the message repeats of others, where it stands.")
@click.option("--links", is_flag=True, help="Also where the links of the HTML go.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long the message is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    name: str,
    raw: bool,
    headers: bool,
    part: str | None,
    text: bool,
    all_parts: bool,
    html: bool,
    output: Path | None,
    force: bool,
    quoted: bool,
    links: bool,
    no_pager: bool,
    as_json: bool,
) -> None:
    """Show one message, or save it or a part of it.

    ID is what search prints; its first digits are enough while no other message begins with them. What the message
    repeats of others is left out where it is long: --quoted shows it.
    """
    asked = _Asked(name, raw, headers, part, text, all_parts, html, output, force, quoted, links, as_json)
    asked.check()
    settings = invocation.settings()
    terminal = invocation.terminal
    paged = not (no_pager or raw or html or all_parts or as_json or (part is not None and not text))
    with terminal.paged(wanted=paged), invocation.app.open_archive(settings, ask=asker(invocation)) as archive:
        _answer(invocation, archive, archive.resolve(name), asked)


def _answer(invocation: Invocation, archive: OpenArchive, row: int, asked: _Asked) -> None:
    terminal = invocation.terminal
    if asked.raw:
        from archiver.cli.saving import give

        octets = archive.octets(row)
        own_name = f"{_id_of(archive, row)}.eml"
        give(terminal, octets, asked.output, force=asked.force, own_name=own_name, text=True)
    elif asked.html:
        _html(terminal, archive, row, asked)
    elif asked.part is not None:
        _part(terminal, archive, row, asked.part, asked)
    elif asked.all_parts:
        _all_parts(terminal, archive, row, asked)
    elif asked.headers:
        for field, value in archive.headers(row):
            _header_field(terminal, field, value)
    else:
        show_message(invocation, archive, row, quoted=asked.quoted, links=asked.links, as_json=asked.as_json)


def show_message(
    invocation: Invocation,
    archive: OpenArchive,
    row: int,
    *,
    quoted: bool = False,
    links: bool = False,
    as_json: bool = False,
) -> None:
    """Print a message as this command does; `archiver search --open` shows its first hit so."""
    if as_json:
        from archiver.cli import shapes

        shape = shapes.whole_message(archive.details(row), archive.parsed(row), archive, invocation.zone)
        if links:
            shape["links"] = shapes.links(archive.links(row))
        invocation.terminal.json(shape)
    else:
        from archiver.cli.message import show

        show(invocation, archive, row, quoted=quoted, links=links)


def _id_of(archive: OpenArchive, row: int) -> str:
    return archive.short_id(archive.details(row).summary.blob_id)


def _html(terminal: Terminal, archive: OpenArchive, row: int, asked: _Asked) -> None:
    from archiver.cli.saving import give

    octets = archive.safe_html(row).encode("utf-8", "replace")
    own_name = f"{_id_of(archive, row)}.html"
    output = asked.output or (Path(own_name) if terminal.out_is_terminal else None)
    give(terminal, octets, output, force=asked.force, own_name=own_name, text=True)


def _part(terminal: Terminal, archive: OpenArchive, row: int, path: str, asked: _Asked) -> None:
    from archiver.cli.saving import give, safe_name

    if asked.text:
        text = archive.part_text(row, path)
        if asked.output is not None:
            octets = text.encode("utf-8", "replace")
            own_name = f"{safe_name(archive.part(row, path)[0])}.txt"
            give(terminal, octets, asked.output, force=asked.force, own_name=own_name, text=True)
            return
        from archiver.cli.prose import print_text, text_lines
        from archiver.model.shown import Passage

        print_text(terminal, text_lines([Passage(text)], quoted=True, width=terminal.prose))
        return
    listed, octets = archive.part(row, path)
    is_text = listed.kind in _TEXT_KINDS or listed.content_type.startswith("text/")
    give(
        terminal,
        octets,
        asked.output,
        force=asked.force,
        own_name=safe_name(listed),
        text=is_text,
        charset=listed.charset,
    )


def _all_parts(terminal: Terminal, archive: OpenArchive, row: int, asked: _Asked) -> None:
    """Save everything that came with the message; nothing at all when one of the files is there already."""
    from archiver.cli.kinds import FILE_KINDS
    from archiver.cli.saving import distinct, safe_name, save

    folder = asked.output
    assert folder is not None  # noqa: S101 - checked before
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="make it first, or name another one")
    files = [part for part in archive.details(row).parts if part.kind in FILE_KINDS]
    if not files:
        raise UsageError("nothing came with this message", hint=f"archiver show {asked.named} shows it")
    names = distinct(safe_name(part) for part in files)
    there = next((name for name in names if (folder / name).is_symlink() or (folder / name).exists()), None)
    if there is not None and not asked.force:
        raise UsageError(f"{folder / there} exists already", hint="name another folder, or use --force")
    for part, name in zip(files, names, strict=True):
        _, octets = archive.part(row, part.path)
        save(terminal, octets, folder / name, force=asked.force)


def _header_field(terminal: Terminal, name: str, value: str) -> None:
    text = visible(f"{name}: {' '.join(value.split())}")
    lines = wrap(text, terminal.prose - 4) if terminal.prose else [text]
    for number, line in enumerate(lines):
        terminal.line(line if number == 0 else "    " + line)
