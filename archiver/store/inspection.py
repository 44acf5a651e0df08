"""What an archive's directory shows without any key: files that are missing, cut short, left over, or not ours.

Knows which names belong here. Packs are `packs.py`'s; whether contents are right takes a key, except for the clear
beginning of pending files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from archiver.crypto.pending import check_header
from archiver.errors import ArchiverError, shortage
from archiver.store.deliveries import pack_of, waiting_names
from archiver.store.durable import TEMPORARY_SUFFIX
from archiver.store.layout import ArchivePaths

_NEXT = ".next"  # what a change of keys writes beside the file that it replaces
_PAGE = 4096
_DATABASES = ("archive.db", "index.db", "collect.db")
_OURS = re.compile(
    r"archive\.json|keyring\.json|erasures\.log|(archive|index|collect)\.db(-wal|-shm|-journal)?"
    r"|[a-z]+\.(lock|wanted)|packs|pending|spool|audit|quarantine|CACHEDIR\.TAG"
)
_DAMAGED = re.compile(r".*\.damaged(\.[0-9]+)?(-wal|-shm)?")
_PACK = re.compile(r"[0-9a-f]{64}\.pack")

Kind = Literal[
    "pack", "pending", "database", "index", "collector", "public", "temporary", "set-aside", "stray", "interrupted"
]


class Noticed(Struct, frozen=True):
    """One thing that is to be seen; `harmless` for what is no damage."""

    kind: Kind
    what: str
    message: str
    harmless: bool = True


def inspect(paths: ArchivePaths, *, archive_id: bytes | None, busy: bool) -> Iterator[Noticed]:
    """Look at every name in an archive's directory.

    `archive_id`, where it is known, is compared with that of pending files. While somebody writes (`busy`), temporary
    files are his.
    """
    yield from _missing(paths)
    yield from _root(paths, busy=busy)
    yield from _pending(paths, archive_id, busy=busy)
    yield from _packs(paths, busy=busy)


def holds_only_packs(paths: ArchivePaths) -> bool:
    """Tell a copy of the packs, on a backup host say, from an archive."""
    return not paths.keyring.exists() and not paths.database.exists() and paths.packs.is_dir()


def _missing(paths: ArchivePaths) -> Iterator[Noticed]:
    if not holds_only_packs(paths) and not paths.database.exists():
        yield Noticed("database", "archive.db", "archive.db is missing: bring it back from a backup", harmless=False)
    for name in _DATABASES:
        path = paths.root / name
        if path.is_file() and path.stat().st_size % _PAGE:
            kind: Kind = {"archive.db": "database", "index.db": "index"}.get(name, "collector")  # type: ignore[assignment]
            yield Noticed(kind, name, f"{name} ends in the middle of a page", harmless=False)


def _root(paths: ArchivePaths, *, busy: bool) -> Iterator[Noticed]:
    for path in sorted(paths.root.iterdir()):
        name = path.name
        if name.endswith(_NEXT):
            if not busy:
                yield Noticed("interrupted", name, "a change of keys was interrupted; the next command completes it")
        elif name.endswith(TEMPORARY_SUFFIX):
            if not busy:
                yield Noticed("temporary", name, "left over by a run that was interrupted")
        elif _DAMAGED.fullmatch(name):
            yield Noticed("set-aside", name, "damaged, set aside by an earlier run, and replaced")
        elif not _OURS.fullmatch(name):
            yield Noticed("stray", name, "no file of archiver's")
    if paths.quarantine.is_dir() and (kept := sum(1 for _ in paths.quarantine.iterdir())):
        yield Noticed(
            "set-aside",
            "quarantine",
            f"{kept} damaged, moved there by `archiver repair`",
        )


def _pending(paths: ArchivePaths, archive_id: bytes | None, *, busy: bool) -> Iterator[Noticed]:
    if not paths.pending.is_dir():
        return
    ours = set(waiting_names(paths))
    for path in sorted(paths.pending.iterdir()):
        what = f"pending/{path.name}"
        if path.name in ours:
            try:
                check_header(path.read_bytes(), name=path.name, archive_id=archive_id)
                pack = pack_of(path.name)
                if pack is not None and not paths.pack(pack).exists() and path.exists():
                    yield Noticed(
                        "pack", f"pack {pack}", f"pack {pack[:12]}, whose keys wait, is missing", harmless=False
                    )
            except FileNotFoundError:
                continue  # taken in meanwhile
            except (OSError, ArchiverError) as error:
                if isinstance(error, OSError) and (short := shortage(error)):
                    raise short from error
                yield Noticed("pending", what, f"pending delivery {path.name[:16]} is damaged", harmless=False)
        elif path.name.endswith(TEMPORARY_SUFFIX):
            if not busy:
                yield Noticed("temporary", what, "left over by a run that was interrupted")
        elif _DAMAGED.fullmatch(path.name):
            yield Noticed("set-aside", what, "a delivery that did not open; its mail is fetched again")
        else:
            yield Noticed("stray", what, "no file of archiver's")


def _packs(paths: ArchivePaths, *, busy: bool) -> Iterator[Noticed]:
    if not paths.packs.is_dir():
        if not holds_only_packs(paths):
            yield Noticed("public", "packs", "the folder of the packs is missing", harmless=False)
        return
    for path in sorted(paths.packs.iterdir()):
        if path.is_dir() and re.fullmatch("[0-9a-f]{2}", path.name):
            yield from (
                _no_pack(each, busy=busy)
                for each in sorted(path.iterdir())
                if not (_PACK.fullmatch(each.name) and each.name.startswith(path.name))
                if not (busy and each.name.endswith(TEMPORARY_SUFFIX))
            )
        elif not (busy and path.name.endswith(TEMPORARY_SUFFIX)):
            yield _no_pack(path, busy=busy)


def _no_pack(path: Path, *, busy: bool) -> Noticed:
    what = f"packs/{path.name}"
    if path.name.endswith(TEMPORARY_SUFFIX) and not busy:
        return Noticed("temporary", what, "left over by a run that was interrupted")
    return Noticed("stray", what, "no file of archiver's")
