"""Whether a trail is whole: each record names the one before it by digest, and is numbered. Needs no key.

Knows the order of records, not what is in them: who holds the keys opens each record that is handed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archiver.crypto.audit import (
    HEADER_LENGTH,
    BrokenFrameError,
    FrameHeader,
    digest_of,
    genesis,
    parse_frame,
    parse_header,
    trailing_length,
)
from archiver.errors import FormatError


class Finding(NamedTuple):
    """One thing about the trail: `what` is the file, `broken` says that it is damage and not the trace of a crash."""

    what: str
    message: str
    broken: bool = True


class ChainRecord(NamedTuple):
    """A record that stands in its place or is found with a problem; `frame` is all of its octets."""

    what: str
    header: FrameHeader
    frame: bytes


class Chain:
    """Walks over a trail from its first record; `digests` are those of all records so far, in order."""

    def __init__(self, archive_id: bytes) -> None:
        self.digests: list[bytes] = []
        self.findings: list[Finding] = []
        self._digest = genesis(archive_id)
        self._sequence = 0
        self._lost = False
        """Whether something before was no record, so that what follows cannot be compared with it."""

    def file(self, name: str, epoch: int, pieces: Iterator[bytes], *, last: bool) -> Iterator[ChainRecord]:
        """Take the pieces of one file in their order, and yield its records; `last` says that no file follows."""
        piece = next(pieces, None)
        while piece is not None:
            following = next(pieces, None)
            found = self._take(name, epoch, piece, at_end=following is None, last=last)
            if found is not None:
                yield found
            piece = following

    def _take(self, name: str, epoch: int, piece: bytes, *, at_end: bool, last: bool) -> ChainRecord | None:
        try:
            header = parse_frame(piece)
        except FormatError as error:
            self._find(name, error.message)
            self._lost = True
            return None
        except BrokenFrameError:
            if at_end and is_torn(piece):
                told = f"{len(piece)} octets of a record that was not finished, behind record {self._sequence}"
                # Before the last file's end nothing is torn: the next append would have cut it off.
                self.findings.append(Finding(name, told, broken=not last))
            else:
                self._find(name, f"{len(piece)} octets behind record {self._sequence} are no record")
                self._lost = True
            return None
        self._check(name, epoch, header)
        self._sequence, self._digest, self._lost = header.sequence, digest_of(piece), False
        self.digests.append(self._digest)
        return ChainRecord(name, header, piece)

    def _check(self, name: str, epoch: int, header: FrameHeader) -> None:
        if header.epoch > epoch:
            self._find(name, f"record {header.sequence} is of epoch {header.epoch}, in the file of epoch {epoch}")
        elif header.epoch < epoch:
            told = f"record {header.sequence} was made with the keys of epoch {header.epoch}, after they were replaced"
            self.findings.append(Finding(name, told, broken=False))
        if self._lost:
            return
        if header.sequence != self._sequence + 1:
            self._find(name, f"record {header.sequence} stands where record {self._sequence + 1} belongs")
        elif header.previous != self._digest:
            self._find(name, f"record {header.sequence} does not follow the record before it")

    def _find(self, name: str, message: str) -> None:
        self.findings.append(Finding(name, message))


def is_torn(piece: bytes) -> bool:
    """Tell whether these octets at a file's end may be what a crash left of an append: a record's beginning."""
    if trailing_length(piece) is not None:
        return False
    if len(piece) < HEADER_LENGTH:
        return True
    try:
        return parse_header(piece).frame_length > len(piece)
    except (BrokenFrameError, FormatError):
        # A power cut may leave zeros where the size was written and the octets were not.
        return not any(piece)
