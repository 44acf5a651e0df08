"""Octets of a message that are in memory already; the spooled kind is in `archiver.crypto`."""

from __future__ import annotations

from collections.abc import Iterator

PIECE = 1 << 20
"""Octets objects yield pieces of at most this many bytes."""


class BytesOctets:
    """An Octets object (`archiver.core.ports`) around bytes."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self._octets)

    def __iter__(self) -> Iterator[bytes]:
        if len(self._octets) <= PIECE:
            if self._octets:
                yield self._octets
            return
        for start in range(0, len(self._octets), PIECE):
            yield self._octets[start : start + PIECE]

    def __bytes__(self) -> bytes:
        return self._octets

    def close(self) -> None:
        """Nothing to free."""
