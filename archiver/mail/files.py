"""What `archiver import` reads: mbox files, Maildir, .eml files, and folders of them.

Knows how to tell these formats apart and what each says beside the message (folder, date of arrival, flags).
Deliberately changes nothing: the files are only read, and the octets are yielded as they stand.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from archiver.errors import FormatError, UsageError
from archiver.mail.mbox import as_internal_date, is_mbox, read_mbox

_BEGINNING = 4096
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_INFO = re.compile(r"[:;!]2,([A-Za-z]*)\Z")
_FLAGS = {"D": "\\Draft", "F": "\\Flagged", "P": "$Forwarded", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
_MAIL_SUFFIXES = frozenset(".eml .mbox .mbx .mail".split())  # noqa: SIM905 - a table
_KNOWN_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "an Outlook .msg file", "export the message as .eml"),
    (b"!BDN", "an Outlook data file (.pst)", "convert it to mbox first, with readpst for instance"),
    (b"\x1f\x8b", "compressed (gzip)", "unpack it first"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"BZh", "compressed (bzip2)", "unpack it first"),
    (b"\xfd7zXZ", "compressed (xz)", "unpack it first"),
)


class ImportItem(Struct, frozen=True):
    """One message found.

    `mailbox` names the file or folder (octets of its path below the path given), `display` the
    same for people; `received_at` is in INTERNALDATE's syntax, None when the format does not tell.
    """

    mailbox: bytes
    display: str
    received_at: str | None
    keywords: tuple[str, ...]
    octets: bytes


def import_items(paths: Iterable[Path]) -> Iterator[ImportItem]:
    """Yield every message below the paths, files and folders in the order of their names.

    Raises UsageError when a path does not exist, cannot be read, or holds no mail; FormatError when a file that was
    named is in none of the formats. Both name the file. Files within a folder that are no mail are passed over.
    """
    for path in paths:
        if path.is_dir():
            found = False
            for item in _folder(path, path.resolve().name or "/", set()):
                found = True
                yield item
            if not found:
                raise UsageError(
                    f"{path}: no mail in this folder",
                    hint="expected mbox files, a Maildir (cur, new, tmp) or .eml files",
                )
        elif path.exists():
            yield from _file(path, path.name)
        else:
            raise UsageError(f"{path}: there is no such file or folder")


def _file(path: Path, name: str) -> Iterator[ImportItem]:
    """Read a file that was named by the user."""
    beginning = _beginning(path)
    if is_mbox(beginning):
        yield from _mbox(path, name)
    elif _is_message(beginning) or _is_called_message(path, beginning):
        yield ImportItem(os.fsencode(name), _display(name), None, (), _octets(path))
    elif beginning.strip():
        for signature, what, hint in _KNOWN_OTHERS:
            if beginning.startswith(signature):
                raise FormatError(f"{path}: this is {what}; it cannot be imported", hint=hint)
        raise FormatError(f"{path}: neither an mbox file nor a message", hint="expected mbox, Maildir or .eml")
    # An empty file is an mbox without messages.


def _folder(path: Path, name: str, seen: set[tuple[int, int]]) -> Iterator[ImportItem]:
    """Go through a folder; `seen` holds the folders on the way, so that links in a circle end."""
    identity = _identity(path)
    if identity in seen:
        return
    seen.add(identity)
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as problem:
        raise _unreadable(path, problem) from None
    names = {entry.name for entry in entries}
    maildir = {"cur", "new"} <= names and (path / "cur").is_dir()
    if maildir:
        yield from _maildir(path, name)
    for entry in entries:
        if maildir and entry.name in {"cur", "new", "tmp"}:
            continue
        below = Path(entry.path)
        if entry.is_dir():
            yield from _folder(below, f"{name}/{entry.name}", seen)
        elif entry.is_file():
            yield from _within(below, name)


def _within(path: Path, folder: str) -> Iterator[ImportItem]:
    """Read a file found in a folder, if it is mail; a folder of single messages is their mailbox."""
    suffix = path.suffix.lower()
    if suffix and suffix not in _MAIL_SUFFIXES and not path.name.isdigit():
        return
    beginning = _beginning(path)
    if is_mbox(beginning) and suffix != ".eml":
        yield from _mbox(path, f"{folder}/{path.name}")
    elif _is_called_message(path, beginning) or (
        (suffix == ".eml" or path.name.isdigit()) and (_is_message(beginning) or is_mbox(beginning))
    ):
        yield ImportItem(os.fsencode(folder), _display(folder), None, (), _octets(path))


def _mbox(path: Path, name: str) -> Iterator[ImportItem]:
    mailbox, display = os.fsencode(name), _display(name)
    try:
        with path.open("rb") as stream:
            for received, octets in read_mbox(stream):
                yield ImportItem(mailbox, display, as_internal_date(received) if received else None, (), octets)
    except OSError as problem:
        raise _unreadable(path, problem) from None


def _maildir(path: Path, name: str) -> Iterator[ImportItem]:
    """Read cur and new; files are named time.unique.host:2,FLAGS, and the file's own time is that of its arrival."""
    mailbox, display = os.fsencode(name), _display(name)
    for part in ("new", "cur"):
        try:
            entries = sorted(os.scandir(path / part), key=lambda entry: entry.name)
        except OSError as problem:
            raise _unreadable(path / part, problem) from None
        for entry in entries:
            if entry.name.startswith(".") or not entry.is_file():
                continue
            info = _INFO.search(entry.name)
            keywords = tuple(_FLAGS[flag] for flag in dict.fromkeys(info[1]) if flag in _FLAGS) if info else ()
            received = as_internal_date(datetime.fromtimestamp(max(0, entry.stat().st_mtime), UTC))
            yield ImportItem(mailbox, display, received, keywords, _octets(Path(entry.path)))


def _is_message(beginning: bytes) -> bool:
    """Whether a file begins with a header field; a "From " line or a byte order mark may stand before it."""
    beginning = beginning.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if beginning.startswith(b"From "):
        beginning = beginning.partition(b"\n")[2]
    return _FIELD.match(beginning) is not None


def _is_called_message(path: Path, beginning: bytes) -> bool:
    """Whether a file has the name of a message and is in no other format known: then it is kept, however it begins.

    Real messages begin with white space, without any header, with a "From " line that is none: damage, and mail.
    """
    if path.suffix.lower() != ".eml" or not beginning.strip():
        return False
    return not any(beginning.startswith(signature) for signature, _, _ in _KNOWN_OTHERS)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_BEGINNING)
    except OSError as problem:
        raise _unreadable(path, problem) from None


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise _unreadable(path, problem) from None


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as problem:
        raise _unreadable(path, problem) from None
    return status.st_dev, status.st_ino


def _display(name: str) -> str:
    """Return a name for people: octets that are no text are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _unreadable(path: Path, problem: OSError) -> UsageError:
    return UsageError(
        f"{path}: cannot be read: {problem.strerror}",
        hint="check the file and its disk, then run it again: what is in the archive already is not taken twice",
    )
