"""The audit trail: one record for whatever is looked at or changed, durable before anything of it is shown.

Called by the use cases, so that no command gets around it. Who acts is what the process says (`app.people`), why is
what the command line was told (`Settings.purpose`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from archiver.app.clocks import clock
from archiver.app.people import this_person
from archiver.app.unlocking import Keys
from archiver.config import Settings
from archiver.crypto.audit import AuditKeys, BrokenFrameError, digest_of, parse_frame
from archiver.errors import FormatError, IntegrityError, UsageError
from archiver.model.audit import ACTIONS, AuditEvent
from archiver.model.message import BlobId
from archiver.store.audit_log import AuditLog, Tail

_AT_ONCE = 1000
"""Messages or customers named by one record; more make several records, written in one go."""
_LONGEST_REASON = 500


def record(
    settings: Settings,
    keys: Keys,
    action: str,
    *,
    messages: Iterable[BlobId] = (),
    customers: Iterable[str] = (),
    query: str | None = None,
    numbers: Mapping[str, int] | None = None,
    form: str | None = None,
    note: str | None = None,
) -> None:
    """Record one action; durable when this returns. Of a query only a keyed digest is kept.

    `form` says how a message is shown ("raw", "html"). Raises DiskError when it cannot be written, and then nothing may
    be shown or done; UsageError when the configuration wants a reason and none was given; LockedError.
    """
    if action not in ACTIONS:
        raise ValueError(action)
    reason = reason_for(settings, action)
    audit = audit_keys(keys)
    person = this_person()
    event = AuditEvent(
        at=int(clock().timestamp() * 1_000_000),
        action=action,
        who=person.name,
        user=person.user,
        claimed=person.claimed,
        query=None if query is None else audit.query_digest(query),
        reason=reason,
        numbers=dict(numbers or {}),
        form=form,
        note=note,
    )
    _append(AuditLog(keys.paths, audit.archive_id), audit, list(_pieces(event, tuple(messages), tuple(customers))))


def reason_for(settings: Settings, action: str) -> str | None:
    """Return why; asks for it once where a person is there. Raises UsageError when it is wanted and not given."""
    purpose = settings.purpose
    reason = purpose.reason
    required = settings.audit.require_reason
    if not reason and (action in required or "all" in required) and purpose.ask is not None:
        reason = purpose.ask()
    text = " ".join((reason or "").split())[:_LONGEST_REASON]
    if text:
        return text
    if action in required or "all" in required:
        raise UsageError(
            "the configuration wants a reason for this",
            hint='say why behind the command: --reason "ticket 12", or in ARCHIVER_REASON',
        )
    return None


def audit_keys(keys: Keys) -> AuditKeys:
    """Return the keys of the records of the present epoch."""
    return AuditKeys(keys.secret.audit_key, archive_id=keys.secret.archive_id, epoch=keys.secret.epoch)


def _pieces(event: AuditEvent, messages: tuple[BlobId, ...], customers: tuple[str, ...]) -> Iterable[AuditEvent]:
    from msgspec.structs import replace

    for at in range(0, max(len(messages), len(customers), 1), _AT_ONCE):
        yield replace(event, messages=messages[at : at + _AT_ONCE], customers=customers[at : at + _AT_ONCE])


def _append(log: AuditLog, audit: AuditKeys, events: list[AuditEvent]) -> None:
    def build(tail: Tail) -> bytes:
        sequence, previous = tail.sequence, tail.digest
        frames = []
        notes = _notes(tail, audit)
        for event in (_with_note(events[0], notes), *events[1:]):
            sequence += 1
            frame = audit.seal(event, sequence=sequence, previous=previous, random=os.urandom)
            previous = digest_of(frame)
            frames.append(frame)
        return b"".join(frames)

    log.append(audit.epoch, build)


def _notes(tail: Tail, audit: AuditKeys) -> str | None:
    """Say what is wrong with the end of the trail that a record follows; None when all is well."""
    if tail.torn is not None:
        return f"torn: {tail.torn}"
    if tail.last is not None:
        with suppress(FormatError):
            try:
                header = parse_frame(tail.last)
                if header.epoch == audit.epoch:
                    audit.open(tail.last, what="audit")
            except (BrokenFrameError, IntegrityError):
                return f"damaged: {tail.digest.hex()}"
    return None


def _with_note(event: AuditEvent, note: str | None) -> AuditEvent:
    from msgspec.structs import replace

    return event if note is None else replace(event, tail=note)
