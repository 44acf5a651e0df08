"""Compound files ([MS-CFB]): the streams of Office before 2007, of Outlook messages, of encrypted office files.

Knows sectors, their chains and the directory; nothing of what is in a stream. Chains that go in circles end where they
began: each sector is taken once.
"""

from __future__ import annotations

import struct

from archiver.mail.attachments.bounds import DAMAGED, Allowance, UnreadError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 5000
_END_OF_CHAIN = 0xFFFFFFFA
"""This and above are no sectors (section 2.1)."""


class CompoundFile:
    """The streams by their path, names in lower case ("worddocument", "objectpool/1/…"); raises UnreadError."""

    def __init__(self, octets: bytes, allowance: Allowance) -> None:
        self._octets = octets
        self._allowance = allowance
        try:
            self._open()
        except (struct.error, IndexError, ValueError):
            raise UnreadError(DAMAGED) from None

    def _open(self) -> None:
        octets = self._octets
        if not octets.startswith(SIGNATURE):
            raise ValueError("signature")
        shift, mini_shift = struct.unpack_from("<HH", octets, 30)
        fat_count, directory, _, self._cutoff, mini_fat, mini_count, difat, difat_count = struct.unpack_from(
            "<IIIIIIII", octets, 44
        )
        if shift not in {9, 12} or mini_shift != 6:
            raise ValueError("sectors")
        self._size: int = 1 << shift
        self._mini_size: int = 1 << mini_shift
        sectors = len(octets) // self._size + 1
        per_sector = self._size // 4
        listed = list(struct.unpack_from("<109I", octets, 76))
        seen: set[int] = set()
        while difat < _END_OF_CHAIN and difat not in seen and len(seen) <= min(difat_count, sectors):
            seen.add(difat)
            numbers = struct.unpack_from(f"<{per_sector}I", octets, self._offset(difat))
            listed.extend(numbers[:-1])
            difat = numbers[-1]
        self._fat: list[int] = []
        for number in [one for one in listed if one < _END_OF_CHAIN][: min(fat_count, sectors)]:
            self._allowance.tick()
            piece = octets[self._offset(number) : self._offset(number) + self._size]
            self._fat.extend(struct.unpack(f"<{len(piece) // 4}I", piece[: len(piece) // 4 * 4]))
        self._mini_fat: list[int] = []
        if mini_fat < _END_OF_CHAIN and mini_count:
            table = self._chain(mini_fat, mini_count * self._size)
            self._mini_fat = list(struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4]))
        self._read_directory(self._chain(directory, MAX_ENTRIES * 128))

    def _offset(self, sector: int) -> int:
        return (sector + 1) * self._size

    def _chain(self, start: int, size: int) -> bytes:
        """Return the sectors of a chain, at most `size` octets of them, as far as they are there."""
        kept: list[bytes] = []
        seen: set[int] = set()
        left = size
        while start < _END_OF_CHAIN and start not in seen and left > 0:
            seen.add(start)
            piece = self._octets[self._offset(start) : self._offset(start) + self._size]
            if not piece:
                break
            kept.append(piece[:left])
            left -= len(piece)
            if start >= len(self._fat):
                break
            start = self._fat[start]
        return b"".join(kept)

    def _read_directory(self, directory: bytes) -> None:
        self._entries: list[tuple[str, int, int, int, int, int, int]] = []
        for at in range(0, len(directory) - 127, 128):
            length, kind, _, left, right, child = struct.unpack_from("<HBBIII", directory, at + 64)
            start, size = struct.unpack_from("<IQ", directory, at + 116)
            name = directory[at : at + min(max(length - 2, 0), 62)].decode("utf-16-le", "replace")
            size = size if self._size == 4096 else size & 0xFFFFFFFF
            self._entries.append((name.lower(), kind, left, right, child, start, size))
        if not self._entries or self._entries[0][1] != 5:
            raise ValueError("root")
        root = self._entries[0]
        self._mini = self._chain(root[5], min(root[6], len(self._octets)))
        self._streams: dict[str, tuple[int, int]] = {}
        stack = [(root[4], "")]
        seen: set[int] = set()
        while stack:
            number, prefix = stack.pop()
            if number in seen or number >= len(self._entries):
                continue
            seen.add(number)
            name, kind, left, right, child, start, size = self._entries[number]
            stack += [(left, prefix), (right, prefix)]
            if kind == 1:
                stack.append((child, f"{prefix}{name}/"))
            elif kind == 2:
                self._streams.setdefault(prefix + name, (start, size))

    @property
    def names(self) -> list[str]:
        """Paths of the streams, in the order of their names."""
        return sorted(self._streams)

    def __contains__(self, name: str) -> bool:
        return name in self._streams

    def stream(self, name: str) -> bytes:
        """Return a stream's octets, b"" when there is none; as many as there are when it is cut off."""
        start, size = self._streams.get(name, (_END_OF_CHAIN, 0))
        size = min(size, len(self._octets))
        self._allowance.tick()
        if size >= self._cutoff:
            return self._chain(start, size)
        kept: list[bytes] = []
        seen: set[int] = set()
        left = size
        while start < len(self._mini_fat) and start not in seen and left > 0:
            seen.add(start)
            piece = self._mini[start * self._mini_size : (start + 1) * self._mini_size]
            kept.append(piece[:left])
            left -= len(piece) or left
            start = self._mini_fat[start]
        return b"".join(kept)
