"""Public keys to which anyone may seal and only their holder opens (docs/format.md §1).

HPKE (RFC 9180) in base mode, suite MLKEM768-X25519 + HKDF-SHA256 + AES-256-GCM, as `cryptography` implements it. Base
mode does not say who sealed; where that matters a MAC says it. What is sealed for whom and why goes into `info`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from archiver.crypto.derive import expand
from archiver.errors import ArchiverError, FormatError, IntegrityError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

SUITE: Final = b"\x01"
"""The suite's number in formats and infos."""
ENCAPSULATION_LENGTH: Final = 1120
OVERHEAD: Final = ENCAPSULATION_LENGTH + 16
"""Octets that sealing adds."""
PUBLIC_KEY_LENGTH: Final = 1184 + 32
SEED_LENGTH: Final = 32


def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _unsupported() -> ArchiverError:
    return ArchiverError(
        "the installed cryptography library has no ML-KEM-768",
        hint="install the wheel of `cryptography` from PyPI, which brings its own OpenSSL",
    )


class PublicKey:
    """Seals to the holder of the private key."""

    def __init__(self, octets: bytes) -> None:
        """Take 1,216 octets; raises FormatError when they are no public key."""
        if len(octets) != PUBLIC_KEY_LENGTH:
            raise FormatError("a public key has the wrong length", hint="restore the file that holds it from a backup")
        self._octets = bytes(octets)

    @classmethod
    def from_bytes(cls, octets: bytes) -> PublicKey:
        """Read what `to_bytes` wrote; raises FormatError."""
        key = cls(octets)
        _ = key._key  # parsed at the door
        return key

    def to_bytes(self) -> bytes:
        """1,184 octets of ML-KEM-768, 32 of X25519."""
        return self._octets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self._octets == other._octets

    def __hash__(self) -> int:
        return hash(self._octets)

    @cached_property
    def _key(self) -> MLKEM768X25519PublicKey:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
        from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

        try:
            return MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self._octets[:1184]),
                X25519PublicKey.from_public_bytes(self._octets[1184:]),
            )
        except UnsupportedAlgorithm as error:
            raise _unsupported() from error
        except ValueError as error:  # FIPS 203 §7.2: coefficients out of range
            raise FormatError(
                "a public key is not one of this kind", hint="restore the file that holds it from a backup"
            ) from error

    def seal(self, octets: bytes, *, info: bytes) -> bytes:
        """Seal; the same `info` is needed to open. Adds `OVERHEAD` octets."""
        try:
            return _suite().encrypt(octets, self._key, info=info)
        except ValueError as error:  # an X25519 point of low order
            raise FormatError("a public key is not usable", hint="restore the file that holds it") from error


class PrivateKey:
    """Opens what was sealed to its public key; derived whole from a seed of 32 random octets."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_LENGTH:
            raise ValueError("a seed has 32 octets")
        self._seed = seed

    @classmethod
    def from_seed(cls, seed: bytes) -> PrivateKey:
        """Derive; the same seed gives the same pair."""
        return cls(seed)

    def __repr__(self) -> str:
        return "PrivateKey(…)"

    def __reduce__(self) -> str:
        raise TypeError("private keys are not pickled")

    @cached_property
    def _keys(self) -> tuple[MLKEM768X25519PrivateKey, PublicKey]:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
        from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

        try:
            lattice = MLKEM768PrivateKey.from_seed_bytes(expand(self._seed, b"archiver 1 mlkem768 seed", 64))
        except UnsupportedAlgorithm as error:
            raise _unsupported() from error
        curve = X25519PrivateKey.from_private_bytes(expand(self._seed, b"archiver 1 x25519 key", 32))
        public = PublicKey(lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw())
        return MLKEM768X25519PrivateKey(lattice, curve), public

    @property
    def public_key(self) -> PublicKey:
        """The other half."""
        return self._keys[1]

    def open(self, sealed: bytes, *, info: bytes, what: str) -> bytes:
        """Open; raises IntegrityError naming `what` when octets, key or info are not those it was sealed with."""
        from cryptography.exceptions import InvalidTag

        try:
            return _suite().decrypt(sealed, self._keys[0], info=info)
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(
                f"{what} is damaged, or was sealed for another archive", what=what, hint="restore it from a backup"
            ) from error
