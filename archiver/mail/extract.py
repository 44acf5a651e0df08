"""One body part's octets, and the header as lines: for `show --part` and `show --headers`.

Knows the same paths that `Message.parts` lists, members of TNEF and uuencoded blocks included.
"""

from __future__ import annotations

from archiver.errors import UsageError
from archiver.mail.defects import Defects
from archiver.mail.header import read_header, unstructured
from archiver.mail.structure import read
from archiver.mail.tnef import read_tnef
from archiver.mail.transfer import uu_block


def part_octets(octets: bytes, path: str) -> bytes:
    """Return a listed part's octets with its transfer encoding undone; of an attached message its own octets.

    Raises UsageError when the message has no such part, or a damaged one beyond reading.
    """
    wanted = path.strip()
    root = read(octets, Defects())
    holder = None
    for node in root.walk():
        if node.is_multipart:
            continue
        if node.path == wanted:
            return node.octets()[0]
        if wanted.rpartition(".")[0] == node.path and not node.is_nested:
            holder = node
    member = wanted.rpartition(".")[2]
    if holder is not None and member.isascii() and member.isdigit():
        found = _member(holder.octets()[0], int(member))
        if found is not None:
            return found
    raise UsageError(
        f"the message has no part {wanted!r}", hint="`archiver show ID` lists the parts with their numbers"
    )


def _member(octets: bytes, number: int) -> bytes | None:
    """Return the number-th member (from 1) of a TNEF stream, or uuencoded block of a text."""
    tnef = read_tnef(octets)
    if tnef is not None:
        return tnef.members[number - 1].octets if 1 <= number <= len(tnef.members) else None
    at = 0
    for count in range(1, min(number, 100) + 1):
        block = uu_block(octets, at)
        if block is None:
            return None
        at = block[1]
        if count == number:
            return block[3]
    return None


def header_lines(octets: bytes) -> list[tuple[str, str]]:
    """Return the header's fields in order, unfolded and decoded, names in their usual capitals; never raises."""
    octets = octets.removeprefix(b"\xef\xbb\xbf")
    fields, _ = read_header(octets, 0, len(octets), Defects())
    return [(_capitals(name), unstructured(value)) for name, value in fields]


def _capitals(name: str) -> str:
    """Return a field's name in its usual capitals."""
    special = {
        "message-id": "Message-ID",
        "mime-version": "MIME-Version",
        "dkim-signature": "DKIM-Signature",
        "content-id": "Content-ID",
    }
    return special.get(name, "-".join(piece[:1].upper() + piece[1:] for piece in name.split("-")))
