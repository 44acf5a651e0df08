"""Blob ids: the keyed digest that names a message for ever (docs/format.md §5).

Standard library only. Keyed, so that a digest in the collector's database or in a pack tells nobody which mail it is.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

from archiver.errors import UsageError
from archiver.model.message import BlobId


def blob_id(octets: bytes, key: bytes) -> BlobId:
    """HMAC-SHA-256 of the octets under the digest key."""
    return BlobId(hmac.digest(key, octets, "sha256"))


class BlobDigest:
    """The same over pieces."""

    def __init__(self, key: bytes) -> None:
        self._hmac = hmac.new(key, digestmod="sha256")

    def update(self, piece: bytes) -> None:
        """Append a piece."""
        self._hmac.update(piece)

    def blob_id(self) -> BlobId:
        """Return the id of what was appended so far."""
        return BlobId(self._hmac.digest())


def blob_id_of(pieces: Iterable[bytes], key: bytes) -> BlobId:
    """Digest pieces, such as an Octets object, without joining them."""
    digest = BlobDigest(key)
    for piece in pieces:
        digest.update(piece)
    return digest.blob_id()


def blob_id_from_hex(text: str) -> BlobId:
    """Read a whole id; raises UsageError when it is not 64 hexadecimal digits."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text) is None:
        raise UsageError("a whole identifier has 64 hexadecimal digits", hint="`archiver search` prints identifiers")
    return BlobId(bytes.fromhex(text))
