"""The audit trail on disk: one append-only file an epoch, `audit/<epoch>.log`, under a lock of its own.

Knows frames, not what is in them. Appending looks at the last record only, so that damage further up keeps nobody from
working; what a crash in mid-append left behind is cut off by the next append, which is told of it. Reading takes no
lock: a record is seen whole or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.crypto.audit import (
    END,
    HEADER_LENGTH,
    MAX_FRAME,
    BrokenFrameError,
    digest_of,
    genesis,
    parse_header,
    trailing_length,
)
from archiver.errors import NOT_OURS, READ_ONLY, SHORT, DiskError, FormatError, LockedError, hint_for, shortage
from archiver.store.durable import Disk, opened
from archiver.store.layout import ArchivePaths

if TYPE_CHECKING:
    import mmap

    from archiver.crypto.audit_chain import Chain, ChainRecord, Finding

_NAME = re.compile(r"[0-9]{8,10}\.log")
_POLL_SECONDS = 0.001
_WAIT_SECONDS = 60.0


class Tail(Struct, frozen=True):
    """Where the trail ends: the last record's number and digest. `torn` describes octets that no record ends with.

    `last` is the record itself, None in an empty trail; it may be damaged, its number is then what its header says.
    """

    sequence: int
    digest: bytes
    last: bytes | None = None
    torn: str | None = None


class _End(Struct, frozen=True):
    """The end of one file: its last whole record, and up to where the file is made of records."""

    last: bytes | None
    end: int
    torn: bytes


Build = Callable[[Tail], bytes]
"""Makes the octets to append, one record or several, from what they follow."""


class AuditLog:
    """One archive's trail; nothing is touched by making one."""

    def __init__(self, paths: ArchivePaths, archive_id: bytes, *, disk: Disk | None = None) -> None:
        self._paths = paths
        self._archive_id = archive_id
        self._disk = disk or Disk()

    def files(self) -> list[Path]:
        """Return the files in the order of their epochs."""
        return audit_files(self._paths)

    def append(self, epoch: int, build: Build) -> None:
        """Append what `build` makes to the file of an epoch; durable when this returns.

        Raises DiskError, LockedError; what `build` raises passes through, and nothing is written then.
        """
        try:
            self._append(epoch, build)
        except DiskError as error:
            raise DiskError(
                f"the audit trail cannot be written, so nothing is shown or changed: {error.message}",
                hint=error.hint
                if error.hint in {NOT_OURS, READ_ONLY, SHORT}
                else "make room, or mend what keeps audit/ in the archive's folder from being written, and try again",
            ) from error

    def _append(self, epoch: int, build: Build) -> None:
        self._make_directory()
        with self._locked():
            path, files = self._paths.audit_log(epoch), self.files()
            if files and _epoch_of(files[-1]) > epoch:
                # A reader that was open before the keys were rotated: the chain goes on where it is by now.
                path = files[-1]
            new = path not in files
            own = _End(None, 0, b"") if new else _end_of(path)
            octets = build(self._tail(own, [file for file in files if file != path]))
            try:
                self._disk.append(path, octets, at=own.end)
                self._disk.sync_file(path)
            except DiskError:
                # What was written of it is taken back, if the disk lets us; else the next append does.
                with contextlib.suppress(DiskError):
                    self._disk.append(path, b"", at=own.end)
                raise
            if new:
                self._disk.sync_directory(path.parent)

    def tail(self) -> Tail:
        """Return where the trail ends now."""
        return self._tail(_End(None, 0, b""), self.files())

    def _tail(self, own: _End, earlier: list[Path]) -> Tail:
        last, torn = own.last, own.torn
        while last is None and earlier:
            found = _end_of(earlier.pop())
            last, torn = found.last, torn or found.torn
        described = None if not torn else f"{len(torn)} octets, SHA-256 {hashlib.sha256(torn).hexdigest()}"
        if last is None:
            return Tail(0, genesis(self._archive_id), None, described)
        return Tail(_sequence_of(last), digest_of(last), last, described)

    def _make_directory(self) -> None:
        if not self._paths.audit.is_dir() and self._disk.make_directory(self._paths.audit):
            self._disk.sync_directory(self._paths.root)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the trail's own lock for as long as an append takes: milliseconds, or what a busy disk makes of them."""
        path = self._paths.lock("audit")
        try:
            descriptor = opened(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise shortage(error) or DiskError(
                f"{path.name}: {os.strerror(error.errno or 0)}",
                hint=hint_for(error, "check the owner and the mode of the archive"),
            ) from error
        try:
            end = time.monotonic() + _WAIT_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise LockedError(
                            "another process keeps the audit trail", hint="see which `archiver` hangs, and end it"
                        ) from None
                    time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)


def audit_files(paths: ArchivePaths) -> list[Path]:
    """Return the files of an archive's trail in the order of their epochs; empty when there is none yet."""
    try:
        names = [path.name for path in paths.audit.iterdir() if _NAME.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise shortage(error) or DiskError(
            f"{paths.audit.name}: {os.strerror(error.errno or 0)}",
            hint=hint_for(error, "check the owner and the mode of the archive"),
        ) from error
    return [paths.audit / name for name in sorted(names, key=lambda name: (len(name), name))]


def walk(paths: ArchivePaths, chain: Chain) -> Iterator[ChainRecord]:
    """Walk over the whole trail, a record at a time; what is wrong is in `chain.findings` then."""
    files = audit_files(paths)
    for path in files:
        octets = _octets(path)
        try:
            pieces = (piece for _, piece in frames(octets))
            yield from chain.file(f"audit/{path.name}", _epoch_of(path), pieces, last=path == files[-1])
        finally:
            if not isinstance(octets, bytes):
                octets.close()


def verify_chain(paths: ArchivePaths, archive_id: bytes) -> Sequence[Finding]:
    """Check the chain of records without any key; see `Finding.broken` for what is damage."""
    from archiver.crypto.audit_chain import Chain

    chain = Chain(archive_id)
    for _ in walk(paths, chain):
        pass
    return chain.findings


def _octets(path: Path) -> bytes | mmap.mmap:
    """Return a file as octets that are not all in memory."""
    import mmap

    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return b""
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise shortage(error) or DiskError(
            f"{path.name}: {os.strerror(error.errno or 0)}",
            hint=hint_for(error, "check the owner and the mode of the archive"),
        ) from error


def _epoch_of(path: Path) -> int:
    return int(path.stem)


def frames(octets: bytes | mmap.mmap) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, octets) of what a file is made of: records, and stretches between them that are none.

    A stretch that is no record goes up to the next place where one begins and ends.
    """
    at = 0
    while at < len(octets):
        frame = _frame_at(octets, at)
        if frame is None:
            found = at + 1
            while (found := octets.find(b"AVA1", found)) >= 0 and _frame_at(octets, found) is None:
                found += 1
            frame = octets[at:] if found < 0 else octets[at:found]
        yield at, frame
        at += len(frame)


def _frame_at(octets: bytes | mmap.mmap, at: int) -> bytes | None:
    try:
        length = parse_header(octets[at : at + HEADER_LENGTH]).frame_length
    except (BrokenFrameError, FormatError):
        return None
    frame = octets[at : at + length]
    return frame if trailing_length(frame) == length == len(frame) else None


def _end_of(path: Path) -> _End:
    """Find the last record of a file: nearly always by the trailer that ends it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if not size:
                return _End(None, 0, b"")
            file.seek(max(0, size - 8192))
            window = file.read(8192)
            length = trailing_length(window)
            if length is not None and length <= size:
                if length > len(window):
                    file.seek(size - length)
                    window = file.read(length)
                return _End(window[-length:], size, b"")
            start = max(0, size - 2 * MAX_FRAME)
            file.seek(start)
            return _last_whole(file.read(), start)
    except OSError as error:
        raise shortage(error) or DiskError(
            f"{path.name}: {os.strerror(error.errno or 0)}",
            hint=hint_for(error, "check the owner and the mode of the archive"),
        ) from error


def _last_whole(window: bytes, start: int) -> _End:
    """Find what a torn append left: the last place at which a record ends, and what stands behind it."""
    at = len(window)
    while (at := window.rfind(END, 0, at)) >= 0:
        end = at + len(END)
        length = trailing_length(window[:end])
        if length is not None and length <= end:
            return _behind(window, end - length, end, start)
        at += len(END) - 1
    return _behind(window, 0, 0, start)


def _behind(window: bytes, begin: int, end: int, start: int) -> _End:
    """Take a record behind the last whole one for whole when only its trailer is damaged: it was acknowledged."""
    rest = window[end:]
    with contextlib.suppress(BrokenFrameError, FormatError):
        if parse_header(rest).frame_length == len(rest):
            return _End(rest, start + len(window), b"")
    return _End(window[begin:end] or None, start + end, rest)


def _sequence_of(frame: bytes) -> int:
    try:
        return parse_header(frame).sequence
    except (BrokenFrameError, FormatError):
        return 0
