"""The epoch secret and the keys that follow from it (docs/format.md §4).

Standard library only until the ingest key is used. Knows every label, and nothing of slots or files.
"""

from __future__ import annotations

from typing import Final

from archiver.crypto.derive import bind, expand, u32
from archiver.crypto.recipients import PrivateKey

SECRET_LENGTH: Final = 32


class EpochSecret:
    """What an unlocked archive is unlocked with. Shows nothing of itself, and is neither compared nor pickled."""

    __slots__ = ("_secret", "archive_id", "epoch")

    def __init__(self, secret: bytes, *, archive_id: bytes, epoch: int) -> None:
        if len(secret) != SECRET_LENGTH:
            raise ValueError("an epoch secret has 32 octets")
        self._secret = secret
        self.archive_id = archive_id
        self.epoch = epoch

    def __repr__(self) -> str:
        return f"EpochSecret(epoch={self.epoch}, …)"

    def __reduce__(self) -> str:
        raise TypeError("epoch secrets are not pickled")

    def _key(self, label: bytes) -> bytes:
        return expand(self._secret, bind(b"archiver 1 epoch", self.archive_id, u32(self.epoch), label))

    def export(self) -> bytes:
        """Return the 32 octets, for the unlocked session and for sealing to slots; never for a file or a log."""
        return self._secret

    @property
    def database_key(self) -> bytes:
        """Raw page key of archive.db, 32 octets."""
        return self._key(b"database")

    @property
    def index_key(self) -> bytes:
        """Raw page key of index.db, 32 octets."""
        return self._key(b"index")

    @property
    def audit_key(self) -> bytes:
        """Key of audit records, 32 octets."""
        return self._key(b"audit")

    @property
    def ingest_key(self) -> PrivateKey:
        """The private key that opens pending files."""
        return PrivateKey(self._key(b"ingest"))

    @property
    def keyring_mac_key(self) -> bytes:
        """Key of keyring.json's MAC."""
        return self._key(b"keyring")

    @property
    def archive_file_mac_key(self) -> bytes:
        """Key of archive.json's `epoch_mac`."""
        return self._key(b"archive file")

    @property
    def earlier_key(self) -> bytes:
        """Seals the secrets of earlier epochs."""
        return self._key(b"earlier")

    @property
    def commitment(self) -> bytes:
        """Published in keyring.json: no other secret has it."""
        return self._key(b"commitment")
