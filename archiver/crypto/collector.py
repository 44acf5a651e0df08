"""The collector's credential: what runs unattended and opens no mail (docs/format.md §5)."""

from __future__ import annotations

from msgspec import Struct

from archiver.crypto import jsonfile
from archiver.crypto.derive import Random
from archiver.crypto.jsonfile import ArchiveIdHex, JsonFile, Octets32

WHAT = "the collector credential"


class _CredentialFile(JsonFile, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int = jsonfile.FORMAT
    archive: ArchiveIdHex
    collect_key: Octets32
    digest_key: Octets32
    mac_key: Octets32


class CollectorCredential(Struct, frozen=True):
    """Keys of collect.db, of blob ids and of archive.json's `collector_mac`, 32 octets each."""

    archive_id: bytes
    collect_key: bytes
    digest_key: bytes
    mac_key: bytes

    def __repr__(self) -> str:
        return "CollectorCredential(…)"

    def to_bytes(self) -> bytes:
        """Render the credential file."""
        return jsonfile.write(
            _CredentialFile(
                archive=self.archive_id.hex(),
                collect_key=self.collect_key,
                digest_key=self.digest_key,
                mac_key=self.mac_key,
            )
        )

    @classmethod
    def from_bytes(cls, octets: bytes) -> CollectorCredential:
        """Read the file; raises IntegrityError when it is damaged, FormatError when it is of another release."""
        file = jsonfile.read(octets, _CredentialFile, what=WHAT)
        return cls(bytes.fromhex(file.archive), file.collect_key, file.digest_key, file.mac_key)


def create_credential(*, archive_id: bytes, random: Random) -> CollectorCredential:
    """Make the credential of a new archive."""
    return CollectorCredential(archive_id, random(32), random(32), random(32))
