"""Records brought out of damaged packs, and packs taken out of the way.

A sealed record is the same octets wherever it lies: it is copied as it stands, under the key it has. What is copied is
opened before and after, from the new file, and a file that is not wanted any more is moved to `quarantine/`, never
deleted. Knows where else a record may lie: elsewhere in a pack that grew or shrank, in the quarantine, in packs that
nobody names. Knows nothing of the catalogue.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from archiver.crypto.digest import BlobDigest
from archiver.crypto.sealed import RECORD_HEADER_LENGTH, open_stream, parse_record_header
from archiver.errors import ArchiverError, FormatError, IntegrityError, shortage
from archiver.model.delivery import SealedRecord
from archiver.model.message import BlobId
from archiver.store.deliveries import pack_of, waiting_names
from archiver.store.durable import TEMPORARY_SUFFIX, Disk, publish, translated
from archiver.store.layout import ArchivePaths
from archiver.store.packs import PackFiles

MOST_RECORDS = 200
MOST_OCTETS = 8 << 20
"""Sealed octets to a new pack; a larger record is alone in its own (docs/format.md §7)."""

_PIECE = 1 << 20
_START = b"AVR1"
_BLOB_ID = slice(8, 40)


class Source(Struct, frozen=True):
    """A record that opens, and the file and offset where it does."""

    record: SealedRecord
    path: Path
    offset: int


class Salvage:
    """Finds records that open, and copies them into new packs. Only under both locks."""

    def __init__(
        self,
        paths: ArchivePaths,
        disk: Disk,
        *,
        archive_id: bytes,
        digest_key: bytes,
        random: Callable[[int], bytes],
    ) -> None:
        self._paths = paths
        self._disk = disk
        self._archive_id = archive_id
        self._digest_key = digest_key
        self._random = random
        self._files = PackFiles(paths)

    # --- finding --------------------------------------------------------------------------------------------------

    def find(self, pack: str, records: Sequence[SealedRecord]) -> tuple[list[Source], list[SealedRecord]]:
        """Return the records of a pack that open, in their order, and those that do not, wherever in it they lie."""
        path = self._paths.pack(pack)
        good, missed = list[Source](), list[SealedRecord]()
        for record in records:
            if self._opens(path, record.offset, record):
                good.append(Source(record, path, record.offset))
            else:
                missed.append(record)
        if missed:
            moved = self._search([path], missed)
            good += moved.values()
            missed = [record for record in missed if record.blob_id not in moved]
        return good, missed

    def find_elsewhere(self, records: Sequence[SealedRecord], unnamed: Iterable[str]) -> Mapping[BlobId, Source]:
        """Look for records in the quarantine, and in the packs that nobody names."""
        kept = sorted(self._paths.quarantine.iterdir()) if self._paths.quarantine.is_dir() else []
        paths = [path for path in kept if ".pack" in path.name] + [self._paths.pack(name) for name in unnamed]
        return self._search(paths, records)

    def _search(self, paths: Iterable[Path], records: Sequence[SealedRecord]) -> dict[BlobId, Source]:
        wanted = {record.blob_id: record for record in records}
        found: dict[BlobId, Source] = {}
        for path in paths:
            for offset, blob_id in _starts(path):
                if blob_id in wanted and blob_id not in found and self._opens(path, offset, wanted[blob_id]):
                    found[blob_id] = Source(wanted[blob_id], path, offset)
            if len(found) == len(wanted):
                break
        return found

    def _opens(self, path: Path, offset: int, record: SealedRecord) -> bool:
        """Tell whether a record opens there to the octets that it is named by; a second reading may, too."""
        return self._opens_once(path, offset, record) or self._opens_once(path, offset, record)

    def _opens_once(self, path: Path, offset: int, record: SealedRecord) -> bool:
        digest = BlobDigest(self._digest_key)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                if parse_record_header(file.read(RECORD_HEADER_LENGTH)).record_length != record.length:
                    return False
                size = 0
                for piece in open_stream(
                    file, offset, archive_id=self._archive_id, blob_id=record.blob_id, dek=record.dek
                ):
                    digest.update(piece)
                    size += len(piece)
        except (OSError, ValueError, ArchiverError) as error:
            if isinstance(error, OSError) and (short := shortage(error)):
                raise short from error
            return False
        return size == record.octets and digest.blob_id() == record.blob_id

    # --- copying --------------------------------------------------------------------------------------------------

    def copy(self, sources: Sequence[Source], *, instead_of: str) -> dict[BlobId, tuple[str, int]]:
        """Copy records into new packs, durable on return; return pack and offset of each.

        Should a new pack turn out to be `instead_of` itself, as it once was, the damaged file makes room for it.
        Raises DiskError, and IntegrityError when what was written does not open: then the disk or the memory is bad.
        """
        places: dict[BlobId, tuple[str, int]] = {}
        for group in _groups(sources):
            temporary = self._paths.packs / f"{self._random(8).hex()}{TEMPORARY_SUFFIX}"
            offsets = self._write(temporary, group)
            for source, offset in zip(group, offsets, strict=True):
                if not self._opens(temporary, offset, source.record):
                    self._disk.remove(temporary)
                    raise IntegrityError(
                        "what was copied out of a damaged pack does not read back",
                        what=f"pack {instead_of}",
                        hint="nothing was moved; the disk or the memory of this machine is failing",
                    )
            name = _digest(temporary)
            self._disk.sync_file(temporary)
            if name == instead_of:
                self.quarantine(name)
            path = self._paths.pack(name)
            if self._disk.make_directory(path.parent):
                self._disk.sync_directory(path.parent.parent)
            publish(self._disk, temporary, path)
            places.update((source.record.blob_id, (name, at)) for source, at in zip(group, offsets, strict=True))
        return places

    def _write(self, temporary: Path, group: Sequence[Source]) -> list[int]:
        offsets: list[int] = []
        with self._disk.writing(temporary) as file:
            for source in group:
                offsets.append(file.tell())
                left = source.record.length
                with source.path.open("rb") as origin:
                    origin.seek(source.offset)
                    while left and (piece := origin.read(min(left, _PIECE))):
                        file.write(piece)
                        left -= len(piece)
        return offsets

    # --- out of the way -------------------------------------------------------------------------------------------

    def quarantine(self, pack: str) -> bool:
        """Move the file of a pack to `quarantine/`, durably; False when there is none."""
        path = self._paths.pack(pack)
        if not path.exists():
            return False
        self.set_aside(path)
        return True

    def set_aside(self, path: Path) -> Path:
        """Move any file of the archive to `quarantine/`, under its own name or one with a number; return where to."""
        target = self._paths.quarantine / path.name
        if self._disk.make_directory(self._paths.quarantine):
            self._disk.sync_directory(self._paths.root)
        number = 0
        while target.exists():
            number += 1
            target = self._paths.quarantine / f"{path.name}.{number}"
        self._disk.rename(path, target)
        self._disk.sync_directory(self._paths.quarantine)
        self._disk.sync_directory(path.parent)
        return target

    def remove_in_vain(self, pack: str, *, kept: Callable[[Collection[BlobId]], bool]) -> bool:
        """Delete a pack that nobody names, when `kept` says that each message in it is kept elsewhere or erased.

        A damaged one is moved to the quarantine instead: what was in it, nobody can tell. Returns whether it is gone.
        """
        try:
            self._files.check(pack)
            blob_ids = [placed.header.blob_id for placed in self._files.headers(pack)]
        except (IntegrityError, FormatError):
            return self.quarantine(pack)
        if not kept(blob_ids):
            return False
        self._disk.remove(self._paths.pack(pack))
        self._disk.sync_directory(self._paths.pack(pack).parent)
        return True


def orphaned_packs(paths: ArchivePaths, *, catalogued: Iterable[str]) -> list[str]:
    """Return packs that no pending delivery and no message of the catalogue names: nobody has their keys.

    Left by a collector killed between a pack and its keys; its messages were fetched again. Only under both locks.
    """
    listed = list(paths.pack_names())  # first: the keys of what comes later are seen, or it is not in the list
    waiting = {pack_of(name) for name in waiting_names(paths)}
    named = set(catalogued)
    return [name for name in listed if name not in waiting and name not in named]


def _groups(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Yield what goes together in one pack."""
    group: list[Source] = []
    octets = 0
    for source in sources:
        if group and (len(group) >= MOST_RECORDS or octets + source.record.length > MOST_OCTETS):
            yield group
            group, octets = [], 0
        group.append(source)
        octets += source.record.length
    if group:
        yield group


def _starts(path: Path) -> Iterator[tuple[int, BlobId]]:
    """Yield where records may begin in a file, and of which message; whatever looks like it.

    Read piece by piece, past what cannot be read: a map of the file would end the program at the first bad sector.
    """
    overlap = RECORD_HEADER_LENGTH - 1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if short := shortage(error):
            raise short from error
        return
    try:
        for start in range(0, os.fstat(descriptor).st_size, _PIECE):
            try:
                octets = os.pread(descriptor, _PIECE + overlap, start)
            except OSError:
                continue
            at = octets.find(_START)
            while 0 <= at < _PIECE:
                if len(header := octets[at : at + RECORD_HEADER_LENGTH]) == RECORD_HEADER_LENGTH:
                    yield start + at, BlobId(header[_BLOB_ID])
                at = octets.find(_START, at + 1)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    digest = sha256()
    with translated(path), path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
