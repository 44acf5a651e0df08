"""Machine keys, and the check that a key file is private (docs/format.md §4).

A machine key opens the archive without a person: for timers on a host that is trusted. Where the file lies is the
configuration's business.
"""

from __future__ import annotations

import os
import re
import stat

from msgspec import Struct

from archiver.errors import ConfigurationError, FormatError


class MachineKey(Struct, frozen=True):
    """The secret of a machine slot: 32 random octets, and the archive they belong to."""

    archive_id: bytes
    secret: bytes

    def __repr__(self) -> str:
        return "MachineKey(…)"

    def to_bytes(self) -> bytes:
        """One line of ASCII."""
        return f"archiver-machine-key 1 {self.archive_id.hex()} {self.secret.hex()}\n".encode("ascii")

    @classmethod
    def from_bytes(cls, octets: bytes) -> MachineKey:
        """Read what `to_bytes` wrote; raises FormatError."""
        found = re.fullmatch(rb"archiver-machine-key 1 ([0-9a-f]{32}) ([0-9a-f]{64})\n?", octets)
        if found is None:
            raise FormatError(
                "this is not a machine key that this release reads", hint="make one with `archiver key add --machine`"
            )
        return cls(bytes.fromhex(found[1].decode("ascii")), bytes.fromhex(found[2].decode("ascii")))


def check_private_file(status: os.stat_result, name: str) -> None:
    """Raise ConfigurationError when others than its owner may read or change a key file; `name` goes into the message.

    systemd shows its own credentials as root:root with mode 0440, where the group bits stand for an access list; that
    is let through.
    """
    mode = stat.S_IMODE(status.st_mode)
    problem = None
    if not stat.S_ISREG(status.st_mode):
        problem = "is not a regular file"
    elif status.st_uid not in (0, os.geteuid()):
        problem = "belongs to another user"
    elif mode & 0o007 or mode & 0o020 or (mode & 0o070 and (status.st_uid, status.st_gid) != (0, 0)):
        problem = "can be read or changed by others"
    if problem is not None:
        raise ConfigurationError(
            f"the key file {name} {problem}",
            problems=(f"{name} {problem}",),
            hint=f"chmod 600 {name}, owned by its user",
        )
