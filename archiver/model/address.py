"""E-mail addresses as typed values.

Knows RFC 5322 §3.4.1 addr-specs after parsing; how they are read from header fields is `archiver.mail`'s business.
"""

from __future__ import annotations

from msgspec import Struct


class EmailAddress(Struct, frozen=True):
    """A display name (decoded, possibly empty) and an addr-spec as the message wrote it.

    An addr_spec without "@" is kept: real mail has `From: root`, and it must stay findable.
    """

    name: str
    addr_spec: str

    @property
    def key(self) -> str:
        """The address for comparison: lower case, Unicode domain labels left as they are."""
        return self.addr_spec.strip().lower()

    @property
    def domain(self) -> str:
        """The part after the last "@", lower case; empty when there is none."""
        return self.key.rpartition("@")[2] if "@" in self.addr_spec else ""

    def __str__(self) -> str:
        """Render as `Name <addr-spec>` for people; not a header field, nothing is quoted."""
        return f"{self.name} <{self.addr_spec}>" if self.name else self.addr_spec
