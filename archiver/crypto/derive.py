"""Binding and key derivation (docs/format.md §1).

Knows how fields are joined without ambiguity and how one key becomes others; standard library only, so that the fast
paths of the command line need not load `cryptography`. Knows no label: each belongs to the module that uses it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

Random = Callable[[int], bytes]
"""Unpredictable octets, as many as asked: os.urandom outside tests."""


def bind(*fields: bytes) -> bytes:
    """Join fields, each behind its length as u16: no two different lists of fields give the same octets."""
    return b"".join(len(field).to_bytes(2, "big") + field for field in fields)


def extract(salt: bytes, secret: bytes) -> bytes:
    """HKDF-Extract with SHA-256 (RFC 5869 §2.2): 32 octets."""
    return hmac.digest(salt, secret, "sha256")


def expand(key: bytes, label: bytes, length: int = 32) -> bytes:
    """HKDF-Expand with SHA-256 (RFC 5869 §2.3); `key` must be uniformly random, `length` at most 8,160."""
    block = hmac.digest(key, label + b"\x01", "sha256")
    if length <= 32:
        return block[:length]
    blocks, counter = [block], 1
    while 32 * counter < length:
        counter += 1
        block = hmac.digest(key, block + label + bytes((counter,)), "sha256")
        blocks.append(block)
    return b"".join(blocks)[:length]


def equal(left: bytes, right: bytes) -> bool:
    """Compare in time that tells nothing about the contents."""
    return hmac.compare_digest(left, right)


def u32(number: int) -> bytes:
    """Four octets, big-endian."""
    return number.to_bytes(4, "big")
