"""archive.json: what may be known of an archive, and the key to which the collector seals (docs/format.md §3).

The ingest key is handed out only after a MAC has verified: there is no way around it here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Struct

from archiver.crypto import jsonfile
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.derive import bind, equal, extract
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.jsonfile import ArchiveIdHex, EpochNumber, JsonFile, Octets32
from archiver.crypto.kdf import KdfParameters
from archiver.crypto.recipients import PUBLIC_KEY_LENGTH, PublicKey
from archiver.errors import IntegrityError, WrongKeyError

WHAT: Final = "archive.json"
_MACS: Final = ("collector_mac", "epoch_mac")


class _ArchiveJson(JsonFile, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int = jsonfile.FORMAT
    archive: ArchiveIdHex
    created: datetime
    rotated: datetime | None = None
    epoch: EpochNumber
    kdf: KdfParameters
    ingest_public_key: Annotated[bytes, msgspec.Meta(min_length=PUBLIC_KEY_LENGTH, max_length=PUBLIC_KEY_LENGTH)]
    collector_mac: Octets32 = bytes(32)
    epoch_mac: Octets32 = bytes(32)

    def mac(self, key: bytes) -> bytes:
        """One of the two MACs."""
        return extract(key, bind(b"archive.json") + jsonfile.body(self, without=_MACS))


class ArchiveFile(Struct, frozen=True):
    """archive.json, parsed; `archive_id`, `created`, `rotated`, `epoch`, `kdf` are believed only after `check`."""

    _file: _ArchiveJson

    @property
    def archive_id(self) -> bytes:
        """16 octets."""
        return bytes.fromhex(self._file.archive)

    @property
    def created(self) -> datetime:
        """When `archiver init` ran, UTC."""
        return self._file.created

    @property
    def rotated(self) -> datetime | None:
        """When this epoch began, UTC; None for the first, which began with the archive."""
        return self._file.rotated

    @property
    def epoch(self) -> int:
        """The epoch of the ingest key."""
        return self._file.epoch

    @property
    def kdf(self) -> KdfParameters:
        """Parameters for new passphrase slots."""
        return self._file.kdf

    def to_bytes(self) -> bytes:
        """Render the file."""
        return jsonfile.write(self._file)

    def recipient_for_collector(self, credential: CollectorCredential) -> PublicKey:
        """Return the ingest key once the collector's MAC has verified; IntegrityError or WrongKeyError otherwise."""
        if credential.archive_id != self.archive_id:
            raise WrongKeyError(
                "the collector credential belongs to another archive", hint="name the right one in the configuration"
            )
        if not equal(self._file.mac(credential.mac_key), self._file.collector_mac):
            raise IntegrityError(
                "archive.json was not written by the owner of this archive: mail is not sealed to its key",
                what=WHAT,
                hint="restore archive.json from the latest backup, and find out who changed it",
            )
        return PublicKey.from_bytes(self._file.ingest_public_key)

    def check(self, secret: EpochSecret) -> None:
        """Raise IntegrityError when this file was not written with this archive's keys."""
        mine = secret.archive_id == self.archive_id and secret.epoch == self.epoch
        if not mine or not equal(self._file.mac(secret.archive_file_mac_key), self._file.epoch_mac):
            raise IntegrityError(
                "archive.json was not written by the owner of this archive",
                what=WHAT,
                hint="restore archive.json from the latest backup, and find out who changed it",
            )


def create_archive_file(
    secret: EpochSecret,
    credential: CollectorCredential,
    *,
    created: datetime,
    kdf: KdfParameters,
    rotated: datetime | None = None,
) -> ArchiveFile:
    """Make archive.json for an epoch; `created` keeps its value over later epochs, which began when `rotated` says."""
    bare = _ArchiveJson(
        archive=secret.archive_id.hex(),
        created=created.astimezone(UTC).replace(microsecond=0),
        rotated=rotated and rotated.astimezone(UTC).replace(microsecond=0),
        epoch=secret.epoch,
        kdf=kdf,
        ingest_public_key=secret.ingest_key.public_key.to_bytes(),
    )
    return ArchiveFile(
        msgspec.structs.replace(
            bare, collector_mac=bare.mac(credential.mac_key), epoch_mac=bare.mac(secret.archive_file_mac_key)
        )
    )


def read_archive_file(octets: bytes) -> ArchiveFile:
    """Parse archive.json; raises IntegrityError when it is damaged, FormatError when it is of another release."""
    return ArchiveFile(jsonfile.read(octets, _ArchiveJson, what=WHAT))
