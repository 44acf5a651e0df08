"""Passphrases to keys: Argon2id (RFC 9106), with a floor and a ceiling for its parameters.

The parameters stand in keyring.json, so they are hostile until shown otherwise: too low and a passphrase is easily
guessed, too high and opening eats the machine. Bounds are an argument; the defaults are what the product uses.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from msgspec import Struct

from archiver.errors import IntegrityError, LockedError, UsageError

MINIMUM_PASSPHRASE_LENGTH: Final = 10


class KdfParameters(Struct, frozen=True):
    """Argon2id's costs; `memory_kib` in KiB."""

    passes: int
    lanes: int
    memory_kib: int


class KdfBounds(Struct, frozen=True):
    """The lowest and highest parameters accepted, field by field."""

    floor: KdfParameters
    ceiling: KdfParameters

    @classmethod
    def exactly(cls, parameters: KdfParameters) -> KdfBounds:
        """Accept these parameters only."""
        return cls(parameters, parameters)

    def check(self, parameters: KdfParameters, *, what: str) -> None:
        """Raise IntegrityError naming `what` when a parameter is out of bounds."""
        for name in ("passes", "lanes", "memory_kib"):
            if not getattr(self.floor, name) <= getattr(parameters, name) <= getattr(self.ceiling, name):
                raise IntegrityError(
                    f"{what}: the key-derivation parameter {name} is outside the accepted range",
                    what=what,
                    hint="the file was tampered with or made by another program; restore it from a backup",
                )


# 3 passes over 256 MiB take about 0.45 s on one core; the floor is RFC 9106 §4's second recommendation less one pass.
DEFAULT_KDF: Final = KdfParameters(passes=3, lanes=4, memory_kib=256 * 1024)
DEFAULT_BOUNDS: Final = KdfBounds(
    floor=KdfParameters(passes=2, lanes=1, memory_kib=64 * 1024),
    ceiling=KdfParameters(passes=64, lanes=64, memory_kib=4 * 1024 * 1024),
)


def check_passphrase(passphrase: str) -> None:
    """Raise UsageError when a new passphrase is too short to be of use."""
    if len(passphrase.strip()) < MINIMUM_PASSPHRASE_LENGTH:
        raise UsageError(
            f"a passphrase needs at least {MINIMUM_PASSPHRASE_LENGTH} characters",
            hint="take five or more random words: whoever steals a backup may guess for years",
        )


def stretch(passphrase: str, salt: bytes, parameters: KdfParameters) -> bytes:
    """Derive 32 octets; the passphrase is taken in Unicode NFC, so that the keyboard it is typed on does not matter.

    Raises LockedError when there is not enough memory.
    """
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    argon = Argon2id(
        salt=salt,
        length=32,
        iterations=parameters.passes,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kib,
    )
    try:
        return argon.derive(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass"))
    except MemoryError as error:
        raise LockedError(
            "the archive stays locked: deriving the key needs more memory than there is",
            hint=f"free {parameters.memory_kib // 1024} MiB of memory and try again",
        ) from error
