"""What leaves the archive as files: names made safe, nothing overwritten unasked, readable by their owner alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from archiver.cli.escape import visible, visible_lines
from archiver.cli.secrets import write_new
from archiver.cli.terminal import Terminal
from archiver.cli.wording import size
from archiver.errors import UsageError
from archiver.model.message import Part, PartKind

_MAX_NAME_BYTES = 120
_MAX_EXTENSION_BYTES = 16
_EXTENSIONS = {PartKind.MESSAGE: ".eml", PartKind.TEXT: ".txt", PartKind.HTML: ".html", PartKind.CALENDAR: ".ics"}
_FILE_CHARACTERS = frozenset(" ._-+,()[]@#=&'")
_DEVICES = frozenset(
    [
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789\u00b9\u00b2\u00b3"),
    ]
)
_MARKS = 5
"""More combining marks on a letter than any language writes would paint over other lines."""


def safe_name(part: Part) -> str:
    """Return a file name for a part: the sender's, without anything that a file system or a shell could stumble over.

    No folder, no leading dot or dash, nothing invisible, nothing that turns the direction of writing, no name that
    Windows takes for a device, no run of blanks that hides the ending, at most 120 bytes; the part's number when
    nothing is left.
    """
    wished = unicodedata.normalize("NFC", part.filename or "").replace("\\", "/").rpartition("/")[2]
    kept = " ".join("".join(_kept(wished)).split()).lstrip(".- ").rstrip(". ")
    if not kept.strip("_ ."):
        return f"part-{part.path.replace('>', '-').replace('/', '-')}{_EXTENSIONS.get(part.kind, '.bin')}"
    if kept.partition(".")[0].rstrip().lower() in _DEVICES:
        kept = f"_{kept}"
    stem, dot, extension = kept.rpartition(".")
    if not dot or len(extension.encode()) > _MAX_EXTENSION_BYTES:
        return _within(kept, _MAX_NAME_BYTES).rstrip(". ")
    return _within(stem, _MAX_NAME_BYTES - 1 - len(extension.encode())).rstrip(". ") + dot + extension


def _kept(name: str) -> Iterable[str]:
    """Yield the characters of a name, "_" in place of those that could mislead a person or a program."""
    marks = 0
    for character in name:
        is_mark = unicodedata.category(character) in {"Mn", "Mc"}
        marks = marks + 1 if is_mark else 0
        if ((character.isalnum() or character in _FILE_CHARACTERS) and visible(character) == character) or (
            is_mark and marks <= _MARKS and visible(character) == character
        ):
            yield character
        else:
            yield "_"


def _within(text: str, octets: int) -> str:
    return text.encode("utf-8", "replace")[:octets].decode("utf-8", "ignore")


def distinct(names: Iterable[str]) -> list[str]:
    """Return names of which no two are the same, whether capitals count or not: the later ones get a number."""
    taken: set[str] = set()
    out = []
    for name in names:
        stem, dot, extension = name.rpartition(".") if "." in name.strip(".") else (name, "", "")
        number, one = 2, name
        while one.casefold() in taken:
            one = f"{stem} ({number}){dot}{extension}"
            number += 1
        taken.add(one.casefold())
        out.append(one)
    return out


def give(
    terminal: Terminal,
    octets: bytes,
    output: Path | None,
    *,
    force: bool,
    own_name: str,
    text: bool,
    charset: str | None = None,
) -> None:
    """Save octets to a new file, or into a folder by their own name; without `output` give them to standard output.

    A terminal gets text only, escaped. Raises UsageError.
    """
    if output is not None and str(output) != "-":
        save(terminal, octets, output / own_name if output.is_dir() else output, force=force)
    elif not terminal.out_is_terminal:
        terminal.octets(octets)
    elif text:
        for line in visible_lines(_decoded(octets, charset).removesuffix("\n").removesuffix("\r")):
            terminal.line(line)
    else:
        raise UsageError("this part is not text, and standard output is a terminal", hint="save it with --output FILE")


def save(terminal: Terminal, octets: bytes, path: Path, *, force: bool) -> None:
    """Save octets to a new file and say so."""
    write_new(path, octets, force=force)
    terminal.line(f"Saved {size(len(octets))} to ", str(path))


def _decoded(octets: bytes, charset: str | None) -> str:
    try:
        return octets.decode(charset or "utf-8")
    except (LookupError, UnicodeError):
        return octets.decode("utf-8", "backslashreplace")
