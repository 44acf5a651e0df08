"""A process that does nothing but record: `python -m tests.twins.audit_writer HOME COUNT NAME`.

Prints the number of each record once it is acknowledged. Imports little, so that many can run side by side.
"""

from __future__ import annotations

import sys
from pathlib import Path

from archiver.app.auditing import record
from archiver.app.unlocking import Keys, require_keys
from archiver.config import ArchiveSettings, Settings
from archiver.crypto.kdf import KdfBounds, KdfParameters
from archiver.model.identity import Identity

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(KdfParameters(passes=1, lanes=1, memory_kib=64))


def opened(home: Path) -> tuple[Settings, Keys]:
    """Open the archive in a folder."""
    settings = Settings(ArchiveSettings(home / "archive", home / "collector-key"), Identity(("ours.example",)))
    return settings, require_keys(settings, ask=lambda: PASSPHRASE, bounds=BOUNDS)


def main(home: Path, count: int, name: str) -> None:
    """Record so many searches, telling of each."""
    settings, keys = opened(home)
    for number in range(count):
        record(settings, keys, "search", query=f"{name} {number}")
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
