"""Members of zip archives, gzip and bzip2 streams and tar files, from octets in memory, inflated piece by piece.

Knows APPNOTE.TXT 6.3 (sections 4.3.7, 4.3.12, 4.3.16), RFC 1951 and RFC 1952. What an archive declares of sizes is
believed of nothing: octets are counted as they come out, also when many members share the same compressed octets. An
archive that lost its end is read from its beginning. Deliberately no ZIP64 (nothing in mail needs it), no passwords.
"""

from __future__ import annotations

import bz2
import re
import struct
import zlib
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from archiver.mail.attachments.bounds import DAMAGED, ENCRYPTED, LIMIT, RATIO_FROM, UNSUPPORTED, Allowance, UnreadError
from archiver.mail.charset import clean

_PIECE = 1 << 18
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
MAX_LISTED = 5000
"""Members that are listed; an office file has hundreds at most."""


class Member(Struct):
    """A file in a zip archive; `start` is where its compressed octets begin, None until its local header was read."""

    name: str
    flags: int
    method: int
    compressed: int
    header: int

    @property
    def is_folder(self) -> bool:
        """Whether this names a folder only."""
        return self.name.endswith("/")

    @property
    def encrypted(self) -> bool:
        """Whether a password is needed."""
        return bool(self.flags & 1)


class ZipFile(Struct):
    """The members of a zip archive; `whole` is False when the archive is cut off or its directory damaged."""

    octets: bytes
    members: Sequence[Member]
    whole: bool = True
    by_name: dict[str, Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for member in self.members:
            self.by_name.setdefault(member.name, member)

    def pieces(self, member: Member, allowance: Allowance) -> Iterator[bytes]:
        """Yield a member's octets, inflated; raises UnreadError, also in the middle."""
        if member.encrypted:
            raise UnreadError(ENCRYPTED)
        if member.method not in {_STORED, _DEFLATED, _BZIP2}:
            raise UnreadError(UNSUPPORTED)
        start = _content_start(self.octets, member.header)
        if start is None:
            raise UnreadError(DAMAGED)
        cut = start + member.compressed > len(self.octets)
        content = memoryview(self.octets)[start : start + member.compressed]
        if member.method == _STORED:
            for at in range(0, len(content), _PIECE):
                piece = content[at : at + _PIECE]
                allowance.inflate(len(piece))
                yield bytes(piece)
        elif member.method == _DEFLATED:
            yield from inflated(content, allowance, -15)
        else:
            yield from _unbzipped(content, allowance)
        if cut:
            raise UnreadError(DAMAGED)

    def read(self, member: Member, allowance: Allowance) -> bytes:
        """Return a member whole; raises UnreadError."""
        return b"".join(self.pieces(member, allowance))


def open_zip(octets: bytes, allowance: Allowance) -> ZipFile:
    """List an archive's members; raises UnreadError when there is none to be found."""
    try:
        members = _directory(octets, allowance)
    except (struct.error, ValueError):
        members = []
    if members:
        return ZipFile(octets, members)
    members = list(_from_the_beginning(octets, allowance))
    if not members and not octets.startswith(b"PK\x05\x06"):
        raise UnreadError(DAMAGED)
    return ZipFile(octets, members, whole=octets.startswith(b"PK\x05\x06"))


def _directory(octets: bytes, allowance: Allowance) -> list[Member]:
    """Read the central directory, which stands before its end record."""
    end = octets.rfind(b"PK\x05\x06", max(0, len(octets) - 65_558))
    if end < 0:
        return []
    _, _, _, _, count, size, offset, _ = _END.unpack_from(octets, end)
    at = end - size  # octets may stand before the archive: where the directory ends is surer than where it begins
    shift = at - offset
    if at < 0 or shift < 0:
        raise ValueError("directory")
    members: list[Member] = []
    while at < end and len(members) < count:
        if len(members) >= MAX_LISTED:
            break
        if not len(members) % 200:
            allowance.tick()
        fields = _CENTRAL.unpack_from(octets, at)
        if fields[0] != b"PK\x01\x02":
            raise ValueError("entry")
        flags, method, compressed, named, extra, comment, header = (
            fields[3], fields[4], fields[8], fields[10], fields[11], fields[12], fields[16],
        )  # fmt: skip
        name = octets[at + _CENTRAL.size : at + _CENTRAL.size + named]
        members.append(Member(_name(name, flags), flags, method, compressed, header + shift))
        at += _CENTRAL.size + named + extra + comment
    return members


def _from_the_beginning(octets: bytes, allowance: Allowance) -> Iterator[Member]:
    """Go from local header to local header, as far as they go: for an archive that is cut off."""
    at, count = octets.find(b"PK\x03\x04"), 0
    while at >= 0 and count < MAX_LISTED:
        allowance.tick()
        try:
            _, _, flags, method, _, _, _, compressed, _, named, extra = _LOCAL.unpack_from(octets, at)
        except struct.error:
            return
        start = at + _LOCAL.size + named + extra
        name = _name(octets[at + _LOCAL.size : at + _LOCAL.size + named], flags)
        if flags & 8 and not compressed:
            # The size follows the octets (section 4.3.9): up to the next signature, which inflating then finds out.
            following = octets.find(b"PK\x03\x04", start)
            compressed = (following if following >= 0 else len(octets)) - start
        if start > len(octets):
            return
        count += 1
        yield Member(name, flags, method, compressed, at)
        at = octets.find(b"PK\x03\x04", min(start + compressed, len(octets)))


def _content_start(octets: bytes, header: int) -> int | None:
    try:
        fields = _LOCAL.unpack_from(octets, header)
    except struct.error:
        return None
    if fields[0] != b"PK\x03\x04":
        return None
    start = header + _LOCAL.size + int(fields[9]) + int(fields[10])
    return start if start <= len(octets) else None


def _name(octets: bytes, flags: int) -> str:
    """Return a member's name: UTF-8 when bit 11 says so, or when it is, else code page 437 (section 4.4.4)."""
    try:
        name = octets.decode("utf-8")
    except UnicodeDecodeError:
        name = octets.decode("utf-8", "replace") if flags & 0x800 else octets.decode("cp437")
    return clean(name).replace("\n", " ").replace("\\", "/")


def inflated(content: memoryview | bytes, allowance: Allowance, window: int) -> Iterator[bytes]:
    """Inflate piece by piece; `window` is zlib's wbits (-15: raw deflate, 31: gzip). Raises UnreadError."""
    engine = zlib.decompressobj(window)
    view = memoryview(content)
    out = at = 0
    try:
        while not engine.eof:
            fed: memoryview | bytes = engine.unconsumed_tail
            if not fed:
                fed = view[at : at + _PIECE]
                at += len(fed)
                if not fed:
                    break
            piece = engine.decompress(fed, _PIECE * 4)
            out += len(piece)
            allowance.inflate(len(piece))
            if out > RATIO_FROM and out > allowance.ratio * max(1, len(view)):
                raise UnreadError(LIMIT)
            if piece:
                yield piece
    except zlib.error:
        raise UnreadError(DAMAGED) from None
    if not engine.eof:
        raise UnreadError(DAMAGED)


def _unbzipped(content: memoryview | bytes, allowance: Allowance) -> Iterator[bytes]:
    engine = bz2.BZ2Decompressor()
    view = memoryview(content)
    at = 0
    try:
        while not engine.eof:
            fed: memoryview | bytes = b""
            if engine.needs_input:
                fed = view[at : at + _PIECE]
                at += len(fed)
                if not fed:
                    raise UnreadError(DAMAGED)
            piece = engine.decompress(fed, _PIECE * 4)
            allowance.inflate(len(piece))
            if piece:
                yield piece
    except OSError:
        raise UnreadError(DAMAGED) from None


def gunzipped(octets: bytes, allowance: Allowance) -> bytes:
    """Return the first member of a gzip file; what came before damage is kept by the caller's own bounds."""
    return _joined(inflated(octets, allowance, 31))


def bunzipped(octets: bytes, allowance: Allowance) -> bytes:
    """Return what a bzip2 file holds."""
    return _joined(_unbzipped(octets, allowance))


def _joined(pieces: Iterator[bytes]) -> bytes:
    kept: list[bytes] = []
    try:
        kept.extend(pieces)
    except UnreadError as problem:
        raise PartlyError(problem.code, b"".join(kept)) from None
    return b"".join(kept)


class PartlyError(UnreadError):
    """A compressed file that ended early; `octets` came out of it before."""

    def __init__(self, code: str, octets: bytes) -> None:
        super().__init__(code)
        self.octets = octets


def tar_members(octets: bytes, allowance: Allowance) -> Iterator[tuple[str, bytes]]:
    """Yield (name, octets) of the files in a tar archive (POSIX ustar and pax, GNU long names); raises UnreadError."""
    at = 0
    long_name: str | None = None
    while at + 512 <= len(octets):
        block = octets[at : at + 512]
        if not block.strip(b"\0"):
            return
        try:
            size = int(block[124:136].split(b"\0")[0].strip() or b"0", 8)
        except ValueError:
            raise UnreadError(DAMAGED) from None
        kind = block[156:157]
        content = octets[at + 512 : at + 512 + size]
        if kind == b"L":
            long_name = _name(content.rstrip(b"\0")[:1000], 0)
        elif kind == b"x":
            found = re.search(rb"\d path=([^\n]{1,1000})\n", content[:65536])
            long_name = _name(found[1], 0) if found else None
        elif kind in {b"0", b"\0", b"7", b"5"}:
            name = long_name or _name(
                b"/".join(part for part in (block[345:500].rstrip(b"\0"), block[:100].split(b"\0")[0]) if part), 0
            )
            long_name = None
            allowance.member()
            if kind != b"5":
                yield name, content
        if len(content) < size:
            raise UnreadError(DAMAGED)
        at += 512 + -(-size // 512) * 512
