"""The files by which a backup knows itself: backup.json of a generation, and the mark of a backup's directory.

Knows what they say and that they say it under the collector credential's MAC (docs/format.md, Backups). A backup host
checks digests without any key; whoever has the archive's keys also finds files that were exchanged for older genuine
ones.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Struct

from archiver.crypto import jsonfile
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.derive import bind, equal, extract
from archiver.crypto.jsonfile import ArchiveIdHex, JsonFile, Octets32
from archiver.errors import IntegrityError, WrongKeyError

MANIFEST: Final = "backup.json"
MARK: Final = "archiver-backup.json"

_Sha256Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Size = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Path = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)?$")]


class StateFile(Struct, frozen=True):
    """A file of STATE: path below the generation's directory, bytes, SHA-256 in hex."""

    path: _Path
    size: _Size
    sha256: _Sha256Hex


class PackFile(Struct, frozen=True):
    """A pack, by its name, and its bytes."""

    name: _Sha256Hex
    size: _Size


class _BackupJson(JsonFile, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int = jsonfile.FORMAT
    archive: ArchiveIdHex
    created: datetime
    state: tuple[StateFile, ...]
    packs: tuple[PackFile, ...]
    damaged: tuple[_Sha256Hex, ...]
    collector_mac: Octets32 = bytes(32)

    def mac(self, key: bytes) -> bytes:
        return extract(key, bind(b"backup.json") + jsonfile.body(self, without=("collector_mac",)))


class _MarkJson(JsonFile, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int = jsonfile.FORMAT
    archive: ArchiveIdHex
    created: datetime


class Manifest(Struct, frozen=True):
    """backup.json, parsed; believed for damage by its checksum, against people only after `check`."""

    _file: _BackupJson

    @property
    def archive_id(self) -> bytes:
        """16 octets."""
        return bytes.fromhex(self._file.archive)

    @property
    def created(self) -> datetime:
        """When the state was copied, UTC."""
        return self._file.created

    @property
    def state(self) -> tuple[StateFile, ...]:
        """The files of STATE."""
        return self._file.state

    @property
    def packs(self) -> tuple[PackFile, ...]:
        """The packs that belong to it."""
        return self._file.packs

    @property
    def damaged(self) -> tuple[str, ...]:
        """Packs that were damaged or gone in the archive itself, and of which the backup had no good copy."""
        return self._file.damaged

    def to_bytes(self) -> bytes:
        """Render the file."""
        return jsonfile.write(self._file)

    def check(self, credential: CollectorCredential) -> None:
        """Raise IntegrityError when this was not written with this archive's keys, WrongKeyError for another's."""
        if credential.archive_id != self.archive_id:
            raise WrongKeyError("the backup is of another archive", hint="name another directory")
        if not equal(self._file.mac(credential.mac_key), self._file.collector_mac):
            raise IntegrityError(
                "backup.json was not written by the owner of this archive",
                what=MANIFEST,
                hint="take another state, and find out who changed it",
            )


def create_manifest(
    credential: CollectorCredential,
    *,
    created: datetime,
    state: tuple[StateFile, ...],
    packs: tuple[PackFile, ...],
    damaged: tuple[str, ...] = (),
) -> Manifest:
    """Make the manifest of one generation."""
    bare = _BackupJson(
        archive=credential.archive_id.hex(),
        created=created.astimezone(UTC).replace(microsecond=0),
        state=state,
        packs=packs,
        damaged=damaged,
    )
    return Manifest(msgspec.structs.replace(bare, collector_mac=bare.mac(credential.mac_key)))


def read_manifest(octets: bytes) -> Manifest:
    """Parse backup.json; raises IntegrityError when it is damaged, FormatError when it is of another release."""
    manifest = jsonfile.read(octets, _BackupJson, what=MANIFEST)
    paths = [file.path for file in manifest.state]
    names = [pack.name for pack in manifest.packs]
    if len(set(paths)) != len(paths) or len(set(names)) != len(names):
        raise jsonfile.damaged(MANIFEST)
    return Manifest(manifest)


def create_mark(archive_id: bytes, created: datetime) -> bytes:
    """Render the mark of a directory that holds backups of this archive and nothing else."""
    return jsonfile.write(_MarkJson(archive=archive_id.hex(), created=created.astimezone(UTC).replace(microsecond=0)))


def read_mark(octets: bytes) -> bytes:
    """Return the archive id of a backup's directory; raises IntegrityError, FormatError."""
    return bytes.fromhex(jsonfile.read(octets, _MarkJson, what=MARK).archive)
