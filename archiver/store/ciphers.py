"""How pages of a database are encrypted, and the octets at the beginning of a file that say so.

Both ciphers are those of SQLite3 Multiple Ciphers. `chacha20` is ChaCha20-Poly1305 (RFC 8439). `aegis` is AEGIS-256
(draft-irtf-cfrg-aegis-aead), a quarter of the work on a processor that has AES, and for index.db only: its tag does not
cover what stands in the clear, the first 24 octets. All of these are known beforehand, and looked at here.

The first 16 are derived from the key, which tells a wrong key from a damaged page. The others are SQLite's own
(https://www.sqlite.org/fileformat.html, section 1.3).
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from hmac import digest as hmac_digest
from pathlib import Path
from typing import Final, Literal

from archiver.store.durable import translated

Cipher = Literal["chacha20", "aegis"]

RESERVED: Final[dict[Cipher, int]] = {"chacha20": 32, "aegis": 64}
"""Octets at the end of each page for its nonce and its tag."""

PAGE_SIZE = 4096

_CLEAR = 24
_SALT = 16
_RESERVED_AT = 20
_BEFORE_A_LOG, _WITH_A_LOG = bytes((1, 1)), bytes((2, 2))
_FRACTIONS = bytes((64, 32, 32))

_PROCESSORS = Path("/proc/cpuinfo")


def raw_key(key: bytes, cipher: Cipher) -> str:
    """Return a key of 32 octets as the cipher takes it, with our salt; no two ciphers have one key."""
    if len(key) != 32:
        raise ValueError("a database key has 32 octets")
    pages = hmac_digest(key, b"archiver 1 aegis pages", sha256) if cipher == "aegis" else key
    return f"raw:{pages.hex()}{_salt(key).hex()}"


def beginning_of(path: Path) -> bytes:
    """Return the octets of a file that are in the clear; raises DiskError."""
    with translated(path), path.open("rb") as file:
        return file.read(_CLEAR)


def cipher_of(beginning: bytes) -> Cipher:
    """Return the cipher that a file with this beginning has: chacha20 where it says nothing that is known."""
    return "aegis" if beginning[_RESERVED_AT : _RESERVED_AT + 1] == bytes((RESERVED["aegis"],)) else "chacha20"


def fastest_cipher() -> Cipher:
    """Return the cipher for a new index on this machine: AEGIS, unless AES would be worked out by a program.

    That would be slow, and other processes could tell more from its time.
    """
    with contextlib.suppress(OSError):
        for line in _PROCESSORS.read_text("utf-8", "replace").splitlines():
            name, _, flags = line.partition(":")
            if name.strip() in {"flags", "Features"}:  # x86 and ARM
                return "aegis" if "aes" in flags.split() else "chacha20"
    return "chacha20"


def salt_is_ours(beginning: bytes, key: bytes) -> bool:
    """Say whether a file with this beginning is, or was, a database under this key."""
    return beginning[:_SALT] == _salt(key)


def is_whole(beginning: bytes, cipher: Cipher) -> bool:
    """Say whether what stands in the clear behind the salt is as we write it."""
    size = PAGE_SIZE.to_bytes(2)
    behind = bytes((RESERVED[cipher],)) + _FRACTIONS
    return beginning[_SALT:] in {size + versions + behind for versions in (_BEFORE_A_LOG, _WITH_A_LOG)}


def _salt(key: bytes) -> bytes:
    return hmac_digest(key, b"archiver 1 database salt", sha256)[:_SALT]
