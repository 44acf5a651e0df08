"""Packs: written once, named by their SHA-256, read record by record.

Knows where a record begins and ends in a pack, and how a pack is checked without any key. Sealing itself is
`archiver.crypto`'s; which records go together is the collector's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.crypto.digest import BlobDigest, blob_id, blob_id_of
from archiver.crypto.sealed import (
    RECORD_HEADER_LENGTH,
    RecordHeader,
    StreamSealer,
    open_record,
    open_stream,
    parse_record_header,
)
from archiver.errors import ArchiverError, FormatError, IntegrityError, shortage
from archiver.model.delivery import SealedRecord
from archiver.model.message import BlobId
from archiver.store.durable import TEMPORARY_SUFFIX, Disk, publish, write_durably
from archiver.store.layout import ArchivePaths

if TYPE_CHECKING:
    from archiver.core.ports import Octets

_READ = 1 << 20
_RESTORE = "restore this pack from a backup; `archiver verify` tells what else is damaged"


class PlacedHeader(Struct, frozen=True):
    """A record's clear header and where the record lies, in bytes of the pack."""

    offset: int
    header: RecordHeader


class PackWriter:
    """Makes packs durable. Raises DiskError; what it leaves behind then is a temporary file."""

    def __init__(self, paths: ArchivePaths, disk: Disk, *, archive_id: bytes, random: Callable[[int], bytes]) -> None:
        self._paths = paths
        self._disk = disk
        self._archive_id = archive_id
        self._random = random

    def write(self, records: Sequence[bytes]) -> str:
        """Write sealed records as one pack, durable on return; return its name."""
        octets = b"".join(records)
        name = sha256(octets).hexdigest()
        path = self._path(name)
        write_durably(self._disk, path, octets)
        return name

    def write_large(self, octets: Octets, identifier: BlobId, digest_key: bytes) -> tuple[str, SealedRecord]:
        """Seal one message of any size as a pack of its own with flat memory; read back and durable on return.

        Raises IntegrityError when the octets change while they are read, or do not read back.
        """
        temporary = self._paths.packs / f"{self._random(8).hex()}{TEMPORARY_SUFFIX}"
        with self._disk.writing(temporary) as file:
            sealer = StreamSealer(
                file, archive_id=self._archive_id, blob_id=identifier, octets=octets.size, random=self._random
            )
            for piece in octets:
                sealer.write(piece)
            length = sealer.finish()
            kept = blob_id_of(
                open_stream(file, 0, archive_id=self._archive_id, blob_id=identifier, dek=sealer.dek), digest_key
            )
            if kept != identifier:
                raise IntegrityError("a large message does not read back as it was sealed", what="sealed record")
            file.seek(0)
            digest = sha256()
            while piece := file.read(_READ):
                digest.update(piece)
        name = digest.hexdigest()
        publish(self._disk, temporary, self._path(name))
        return name, SealedRecord(identifier, 0, length, octets.size, sealer.dek)

    def _path(self, name: str) -> Path:
        path = self._paths.pack(name)
        if self._disk.make_directory(path.parent):
            self._disk.sync_directory(path.parent.parent)
        return path


class PackFiles:
    """The packs on disk, checked without a key (port `Packs`)."""

    def __init__(self, paths: ArchivePaths) -> None:
        self._paths = paths

    def names(self) -> Sequence[str]:
        """Return the names of all packs, ascending."""
        return list(self._paths.pack_names())

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name now."""
        return self._paths.pack(name).is_file()

    def size(self, name: str) -> int:
        """Return the bytes of a pack; 0 when it is gone."""
        try:
            return self._paths.pack(name).stat().st_size
        except OSError:
            return 0

    def modified(self, name: str) -> float:
        """Return when a pack was written, in Unix seconds; infinity when it is gone."""
        try:
            return self._paths.pack(name).stat().st_mtime
        except OSError:
            return float("inf")

    def reread(self, name: str) -> None:
        """Have the system forget its copy of a pack, so that the next reading comes from the disk."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self._paths.pack(name), os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)

    def check(self, name: str) -> tuple[int, int]:
        """Compare a pack with its name and walk its records; return (records, bytes); raises IntegrityError."""
        digest = sha256()
        size = 0
        try:
            with self._paths.pack(name).open("rb") as file:
                while piece := file.read(_READ):
                    digest.update(piece)
                    size += len(piece)
        except OSError as error:
            raise shortage(error) or _unreadable(name) from error
        if digest.hexdigest() != name:
            raise IntegrityError(f"pack {name[:12]} is not what its name says", what=f"pack {name}", hint=_RESTORE)
        return sum(1 for _ in self.headers(name)), size

    def headers(self, name: str) -> Iterator[PlacedHeader]:
        """Walk the clear headers of a pack; raises IntegrityError when records do not fill it exactly."""
        try:
            with self._paths.pack(name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                offset = 0
                while offset < size:
                    header = parse_record_header(os.pread(file.fileno(), RECORD_HEADER_LENGTH, offset))
                    yield PlacedHeader(offset, header)
                    offset += header.record_length
        except OSError as error:
            raise shortage(error) or _unreadable(name) from error
        except (IntegrityError, FormatError) as error:
            raise IntegrityError(
                f"pack {name[:12]}: a record's header is damaged", what=f"pack {name}", hint=_RESTORE
            ) from error
        if offset != size or not size:
            raise IntegrityError(f"pack {name[:12]} is cut short", what=f"pack {name}", hint=_RESTORE)


class PackVault:
    """Reads sealed octets (port `Vault`). The files of the last few packs stay open; not for several threads."""

    _OPEN_FILES = 16

    def __init__(self, paths: ArchivePaths, *, archive_id: bytes, digest_key: bytes) -> None:
        self._paths = paths
        self._archive_id = archive_id
        self._digest_key = digest_key
        self._files: dict[str, int] = {}

    def read(self, pack: str, record: SealedRecord) -> bytes:
        """Open one record and check its digest; raises IntegrityError naming pack and message."""
        sealed = self._sealed(pack, record)
        try:
            octets = open_record(sealed, archive_id=self._archive_id, blob_id=record.blob_id, dek=record.dek)
        except ArchiverError as error:
            raise _damaged(pack, record) from error
        if len(octets) != record.octets or blob_id(octets, self._digest_key) != record.blob_id:
            raise _damaged(pack, record)
        return octets

    def stream(self, pack: str, record: SealedRecord) -> Iterator[bytes]:
        """Yield the octets in pieces of at most 1 MiB; they count only once the iteration has ended without error."""
        digest = BlobDigest(self._digest_key)
        try:
            with self._paths.pack(pack).open("rb") as file:
                for piece in open_stream(
                    file, record.offset, archive_id=self._archive_id, blob_id=record.blob_id, dek=record.dek
                ):
                    digest.update(piece)
                    yield piece
        except OSError as error:
            raise shortage(error) or _damaged(pack, record) from error
        except (ValueError, ArchiverError) as error:
            raise _damaged(pack, record) from error
        if digest.blob_id() != record.blob_id:
            raise _damaged(pack, record)

    def close(self) -> None:
        """Close the files; may be called twice."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _sealed(self, pack: str, record: SealedRecord) -> bytes:
        try:
            sealed = self._pread(pack, record)
        except OSError as error:
            raise shortage(error) or _damaged(pack, record) from error
        except (ValueError, OverflowError) as error:
            raise _damaged(pack, record) from error
        if len(sealed) != record.length:
            raise _damaged(pack, record)
        return sealed

    def _pread(self, pack: str, record: SealedRecord) -> bytes:
        try:
            return os.pread(self._file(pack), record.length, record.offset)
        except OSError:
            # Once more, from the disk anew: what is called damaged here stays so until a repair.
            if (descriptor := self._files.pop(pack, None)) is not None:
                os.close(descriptor)
            return os.pread(self._file(pack), record.length, record.offset)

    def _file(self, pack: str) -> int:
        descriptor = self._files.pop(pack, None)
        if descriptor is None:
            if len(self._files) >= self._OPEN_FILES:
                os.close(self._files.pop(next(iter(self._files))))
            descriptor = os.open(self._paths.pack(pack), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._files[pack] = descriptor  # the most recently used is last
        return descriptor

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


def _unreadable(name: str) -> IntegrityError:
    return IntegrityError(f"pack {name[:12]} is missing or cannot be read", what=f"pack {name}", hint=_RESTORE)


def _damaged(pack: str, record: SealedRecord) -> IntegrityError:
    return IntegrityError(
        f"message {record.blob_id.hex()[:12]} in pack {pack[:12]} is damaged or missing",
        what=f"pack {pack}, message {record.blob_id.hex()[:12]}",
        hint=_RESTORE,
    )
