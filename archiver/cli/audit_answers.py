"""What the application answers about the audit trail; only the type checker reads this."""

# ruff: noqa: D102 - the attributes are described where they are defined, in `archiver.app.audit_reading`

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from archiver.model.audit import AuditEvent


class AuditEntry(Protocol):
    """One record."""

    @property
    def sequence(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def event(self) -> AuditEvent: ...


class AuditPage(Protocol):
    """Some records of `total`, newest first."""

    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[AuditEntry]: ...
    @property
    def unreadable(self) -> int: ...


class Finding(Protocol):
    """One thing about the trail."""

    @property
    def what(self) -> str: ...
    @property
    def message(self) -> str: ...


class AuditReport(Protocol):
    """What a check of the trail found."""

    @property
    def records(self) -> int: ...
    @property
    def checkpoints(self) -> int: ...
    @property
    def anchors(self) -> int: ...
    @property
    def first(self) -> datetime | None: ...
    @property
    def last(self) -> datetime | None: ...
    @property
    def problems(self) -> Sequence[Finding]: ...
    @property
    def remarks(self) -> Sequence[Finding]: ...


class MadeCheckpoint(Protocol):
    """A checkpoint as a line."""

    @property
    def line(self) -> str: ...
    @property
    def public_key(self) -> str: ...
    @property
    def anchored(self) -> Sequence[str]: ...
    @property
    def problems(self) -> Sequence[str]: ...
