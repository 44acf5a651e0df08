"""Canary words: looking for plain text in every file and line that a program leaves behind, in the forms it hides in.

Knows bytes only: a word as it is, in UTF-16, in base64 at any of its three alignments, in hex, and inside zlib streams
at any place of a file.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_INFLATED = 4 << 20


def forms(word: bytes) -> dict[str, bytes]:
    """Return the byte strings that betray a word."""
    text = word.decode()
    found = {
        "plain": word,
        "lower case": word.lower(),
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "hex": word.hex().encode(),
    }
    for shift in range(3):
        # Characters that also depend on what stands before and behind the word are left out.
        encoded = base64.b64encode(b"\0" * shift + word)
        found[f"base64 at {shift}"] = encoded[(0, 2, 3)[shift] : len(encoded) - (4 if encoded.endswith(b"=") else 0)]
    return found


class Canaries:
    """Words by what they stand for."""

    def __init__(self, words: Mapping[str, bytes]) -> None:
        self._forms = [
            (f"{name} ({form})", pattern) for name, word in words.items() for form, pattern in forms(word).items()
        ]
        every = sorted({pattern for _, pattern in self._forms}, key=len, reverse=True)
        self._any = re.compile(b"|".join(re.escape(pattern) for pattern in every))

    def in_octets(self, octets: bytes) -> list[str]:
        """Return what is betrayed by these octets, also by zlib streams inside them."""
        found = set(self._in_plain(octets))
        for start in _ZLIB.finditer(octets):
            try:
                inflated = zlib.decompressobj().decompress(octets[start.start() :], _INFLATED)
            except zlib.error:
                continue
            found.update(f"{each}, inflated" for each in self._in_plain(inflated))
        return sorted(found)

    def in_files(self, roots: Iterable[Path], *, but: Iterable[Path] = ()) -> list[str]:
        """Return file and word for everything found below these directories, in names and in contents."""
        left_out = set(but)
        return [
            f"{path}: {what}"
            for root in roots
            for path in sorted(root.rglob("*"))
            if path not in left_out
            for what in self.in_octets(str(path).encode() + b"\n" + (path.read_bytes() if path.is_file() else b""))
        ]

    def _in_plain(self, octets: bytes) -> list[str]:
        if self._any.search(octets) is None:
            return []
        return [name for name, pattern in self._forms if pattern in octets]
