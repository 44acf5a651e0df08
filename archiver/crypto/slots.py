"""One key slot: a secret that a person or a machine has, and the epoch secret sealed to it (docs/format.md §4).

The secret gives a *master*, the master a check and a key pair. A slot is a public-key recipient, so a new epoch secret
is sealed to it without the secret. Whether a list of slots is the genuine one is the keyring's business.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Struct

from archiver.crypto.derive import Random, bind, equal, expand, extract, u32
from archiver.crypto.epoch import SECRET_LENGTH, EpochSecret
from archiver.crypto.jsonfile import Octets32
from archiver.crypto.kdf import KdfParameters, stretch
from archiver.crypto.recipients import OVERHEAD, PUBLIC_KEY_LENGTH, SUITE, PrivateKey, PublicKey

SlotKind = Literal["passphrase", "recovery", "machine"]
WHAT: Final = "keyring.json"
_SEALED: Final = OVERHEAD + SECRET_LENGTH


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A slot as keyring.json has it."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
    kind: SlotKind
    created: datetime
    salt: Octets32
    kdf: KdfParameters | None
    check: Octets32
    public_key: Annotated[bytes, msgspec.Meta(min_length=PUBLIC_KEY_LENGTH, max_length=PUBLIC_KEY_LENGTH)]
    sealed: Annotated[bytes, msgspec.Meta(min_length=_SEALED, max_length=_SEALED)]

    @property
    def personal(self) -> bool:
        """Whether a person holds its secret."""
        return self.kind != "machine"


class SlotInfo(Struct, frozen=True):
    """What `archiver key list` shows of a slot."""

    name: str
    kind: SlotKind
    created: datetime


def create_slot(
    epoch_secret: EpochSecret,
    *,
    name: str,
    kind: SlotKind,
    secret: str | bytes,
    kdf: KdfParameters | None,
    now: datetime,
    random: Random,
) -> Slot:
    """Seal the epoch secret to a new slot; `secret` is a passphrase (str, with `kdf`) or random octets."""
    salt = random(32)
    master = _master(secret, salt, kdf)
    context = _context(epoch_secret.archive_id, kind, name)
    public_key = PrivateKey.from_seed(expand(master, context + b"seed")).public_key
    return Slot(
        name=name,
        kind=kind,
        created=now.astimezone(UTC).replace(microsecond=0),
        salt=salt,
        kdf=kdf,
        check=expand(master, context + b"check"),
        public_key=public_key.to_bytes(),
        sealed=_seal(epoch_secret, public_key, name),
    )


def reseal(slot: Slot, epoch_secret: EpochSecret) -> Slot:
    """Seal another epoch's secret to the same slot; its own secret is not needed."""
    sealed = _seal(epoch_secret, PublicKey.from_bytes(slot.public_key), slot.name)
    return msgspec.structs.replace(slot, sealed=sealed)


def open_slot(slot: Slot, secret: str | bytes, *, archive_id: bytes, epoch: int) -> EpochSecret | None:
    """Return what the slot holds, or None when the secret is not this slot's.

    Raises IntegrityError when the secret is right and the sealed octets are not. The result is not yet compared with
    the keyring's commitment.
    """
    master = _master(secret, slot.salt, slot.kdf)
    context = _context(archive_id, slot.kind, slot.name)
    if not equal(expand(master, context + b"check"), slot.check):
        return None
    key = PrivateKey.from_seed(expand(master, context + b"seed"))
    opened = key.open(slot.sealed, info=_info(archive_id, slot.name, epoch), what=WHAT)
    return EpochSecret(opened, archive_id=archive_id, epoch=epoch)


def _master(secret: str | bytes, salt: bytes, kdf: KdfParameters | None) -> bytes:
    if isinstance(secret, str):
        if kdf is None:
            raise TypeError("a passphrase slot has key-derivation parameters")
        return stretch(secret, salt, kdf)
    return extract(salt, secret)


def _context(archive_id: bytes, kind: str, name: str) -> bytes:
    return bind(b"archiver 1 slot", archive_id, kind.encode(), name.encode())


def _info(archive_id: bytes, name: str, epoch: int) -> bytes:
    return bind(b"archiver 1", SUITE, archive_id, b"slot", name.encode(), u32(epoch))


def _seal(epoch_secret: EpochSecret, public_key: PublicKey, name: str) -> bytes:
    info = _info(epoch_secret.archive_id, name, epoch_secret.epoch)
    return public_key.seal(epoch_secret.export(), info=info)
