"""The one spelling in which archive.json, keyring.json and the collector credential are written (docs/format.md §2).

Knows canonical JSON, the checksum and the version, and no other field. A file with any other spelling of the same
values is refused as damaged, so that no changed bit goes unnoticed.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, TypeVar

import msgspec

from archiver.errors import FormatError, IntegrityError

FORMAT: Final = 1

Octets32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
ArchiveIdHex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
EpochNumber = Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]


class JsonFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the file structs: subclasses put `format` first and end with `checksum`."""

    checksum: str = ""


class _Version(msgspec.Struct):
    format: int


FileType = TypeVar("FileType", bound=JsonFile)


def body(value: JsonFile, *, without: tuple[str, ...] = ()) -> bytes:
    """Render the canonical JSON without `checksum` and the fields named: what MACs are computed over."""
    return _rendered(_fields(value, without=("checksum", *without)))


def write(value: JsonFile) -> bytes:
    """Render the file with its checksum."""
    checksum = hashlib.sha256(body(value)).hexdigest()
    return _rendered({**_fields(value, without=("checksum",)), "checksum": checksum})


def _fields(value: JsonFile, *, without: tuple[str, ...]) -> dict[str, object]:
    """Return the fields in order; one that a file may lack is None here and not written there."""
    named = ((name, getattr(value, name)) for name in value.__struct_fields__ if name not in without)
    return {name: content for name, content in named if content is not None}


def _rendered(fields: dict[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def read(octets: bytes, kind: type[FileType], *, what: str) -> FileType:
    """Parse strictly. Raises FormatError for an unknown version, IntegrityError naming `what` for anything damaged."""
    try:
        version = msgspec.json.decode(octets, type=_Version).format
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(what) from error
    if version != FORMAT:
        raise FormatError(f"{what} has format {version}; this release reads {FORMAT}", hint="upgrade archiver")
    try:
        value = msgspec.json.decode(octets, type=kind)
        if write(value) != octets:
            raise damaged(what)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise damaged(what) from error
    return value


def damaged(what: str) -> IntegrityError:
    """Build the error for a file whose content is not what was written."""
    return IntegrityError(
        f"{what} is damaged, or was changed by something else than archiver",
        what=what,
        hint="restore it from the latest backup",
    )
