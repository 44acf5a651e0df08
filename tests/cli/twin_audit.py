"""The audit trail of the twin: records in a list, and whatever a check is told to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from archiver.cli.application import AskPassphrase
from archiver.config import Settings
from archiver.model.audit import AuditEvent

LINE = f"archiver-checkpoint 1 {'ab' * 16} 1 2 {'cd' * 32} {'ef' * 32} {'01' * 32} 2026-03-10T12:00:00Z {'A' * 86}"
_AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Entry(NamedTuple):
    sequence: int
    event: AuditEvent
    epoch: int = 1

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.event.at / 1_000_000, tz=UTC)


class Page(NamedTuple):
    total: int
    items: tuple[Entry, ...]
    unreadable: int = 0


class Told(NamedTuple):
    what: str
    message: str


class Report(NamedTuple):
    records: int = 2
    checkpoints: int = 1
    anchors: int = 0
    first: datetime | None = _AT
    last: datetime | None = _AT
    problems: tuple[Told, ...] = ()
    remarks: tuple[Told, ...] = ()


class Made(NamedTuple):
    line: str = LINE
    public_key: str = "B" * 43
    anchored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass
class AuditTwin:
    """Set what the trail holds and what checking it finds; `reasons` are those that the commands were run for."""

    events: list[AuditEvent] = field(default_factory=list)
    unreadable: int = 0
    audit_report: Report = field(default_factory=Report)
    made: Made = field(default_factory=Made)
    reasons: list[str | None] = field(default_factory=list)

    def _begin(self, what: str, ask: AskPassphrase | None = None) -> None:
        raise NotImplementedError  # the whole twin of the application does it, for all its parts

    def audit_list(
        self,
        settings: Settings,
        *,
        ask: AskPassphrase,
        since: str | None,
        until: str | None,
        who: str | None,
        action: str | None,
        message: str | None,
        customer: str | None,
        query: str | None,
        limit: int,
        offset: int,
    ) -> Page:
        asked = (since, until, who, action, message, customer, query)
        self._begin(" ".join(["audit list", *(each for each in asked if each)]), ask)
        self.reasons.append(settings.purpose.reason)
        entries = [Entry(number, event) for number, event in enumerate(self.events, start=1)][::-1]
        return Page(len(entries), tuple(entries[offset : offset + limit]), self.unreadable)

    def audit_verify(self, settings: Settings, *, ask: AskPassphrase, anchor: str | None) -> Report:
        self._begin(f"audit verify {anchor or ''}".strip(), ask)
        return self.audit_report

    def audit_checkpoint(self, settings: Settings, *, ask: AskPassphrase) -> Made:
        self._begin("audit checkpoint", ask)
        return self.made


def events(blob_ids: Sequence[bytes]) -> list[AuditEvent]:
    """Return a search, and that its first hit was shown."""
    at = int(_AT.timestamp() * 1_000_000)
    return [
        AuditEvent(
            at=at, action="search", who="an", user="archiver", messages=tuple(blob_ids), query=b"\x2a" * 32,
            numbers={"total": len(blob_ids)},
        ),
        AuditEvent(
            at=at + 5_000_000, action="show", who="an", user="archiver", messages=tuple(blob_ids[:1]), form="raw",
            reason="ticket 12",
        ),
    ]  # fmt: skip
