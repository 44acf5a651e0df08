"""erasures.log: what was erased and when, beside archive.db, so that a restore of an older one erases it again.

A line an erasure: the message's identifier in hex, the time, and a MAC under the collector credential's MAC key. No
line is worth anything to somebody without that key, and none holds anything of a message. A line that a kill cut short,
or that somebody changed, is passed over and counted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from archiver.crypto.derive import bind, equal, extract
from archiver.errors import DiskError, shortage
from archiver.model.message import BlobId
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths

_LINE = re.compile(rb"([0-9a-f]{64}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([0-9a-f]{64})")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def erasure_log_of(paths: ArchivePaths) -> Path:
    """Return where an archive's log of erasures lies."""
    return paths.root / "erasures.log"


class ErasureLog(Struct, frozen=True):
    """What a log tells: identifiers with the time of erasure, and how many lines say nothing that can be believed."""

    erased: Mapping[BlobId, datetime]
    damaged: int = 0


def read_erasures(path: Path, mac_key: bytes) -> ErasureLog:
    """Read a log; one that is missing tells nothing. Raises DiskError when it cannot be read."""
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return ErasureLog({})
    except OSError as error:
        raise shortage(error) or DiskError(
            f"{path.name}: {os.strerror(error.errno or 0)}", hint="check its owner and mode"
        ) from error
    erased: dict[BlobId, datetime] = {}
    damaged = 0
    for line in octets.split(b"\n"):
        if not line:
            continue
        matched = _LINE.fullmatch(line)
        if matched is None or not equal(_mac(matched[1], matched[2], mac_key), bytes.fromhex(matched[3].decode())):
            damaged += 1
            continue
        erased.setdefault(BlobId(bytes.fromhex(matched[1].decode())), _instant(matched[2]))
    return ErasureLog(erased, damaged)


def log_erasures(path: Path, erased: Mapping[BlobId, datetime], mac_key: bytes, disk: Disk) -> None:
    """Append what the log does not say yet, durable on return; only under the "archive" lock."""
    known = read_erasures(path, mac_key).erased
    lines = [_line(blob_id, at, mac_key) for blob_id, at in erased.items() if blob_id not in known]
    if not lines:
        return
    size, ends = _end(path)
    disk.append(path, (b"" if ends else b"\n") + b"".join(lines), at=size)
    disk.sync_file(path)
    disk.sync_directory(path.parent)


def _end(path: Path) -> tuple[int, bool]:
    """Return the size of a log, and whether its last line is whole."""
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return 0, True
    return len(octets), not octets or octets.endswith(b"\n")


def _line(blob_id: BlobId, at: datetime, mac_key: bytes) -> bytes:
    name, time = blob_id.hex().encode(), at.astimezone(UTC).strftime(_TIME).encode()
    return b"%b %b %b\n" % (name, time, _mac(name, time, mac_key).hex().encode())


def _mac(name: bytes, time: bytes, mac_key: bytes) -> bytes:
    return extract(mac_key, bind(b"erasures.log", name, time))


def _instant(time: bytes) -> datetime:
    try:
        return datetime.strptime(time.decode(), _TIME).replace(tzinfo=UTC)
    except ValueError:  # 31 February under a good MAC: it was not us
        return datetime.fromtimestamp(0, UTC)


def merged(logs: Iterable[Mapping[BlobId, datetime]]) -> dict[BlobId, datetime]:
    """Return what any of several logs tells, with the earliest time."""
    found: dict[BlobId, datetime] = {}
    for log in logs:
        for blob_id, at in log.items():
            found[blob_id] = min(at, found.get(blob_id, at))
    return found
