"""The audit trail: one record for whatever is looked at or changed, durable before anything of it is shown.

Called by the use cases, so that no command gets around it. Who acts is what the process says (`app.people`), why is
what the command line was told (`Settings.purpose`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from archiver.app.checkpoints import is_due
from archiver.app.clocks import clock
from archiver.app.people import this_person
from archiver.config import Settings
from archiver.crypto.audit import AuditKeys, BrokenFrameError, digest_of, parse_frame
from archiver.errors import ArchiverError, FormatError, IntegrityError, UsageError
from archiver.model.audit import ACTIONS, BY_ITSELF, WITHIN, AuditEvent
from archiver.model.message import BlobId
from archiver.store.audit_log import AuditLog, Tail
from archiver.store.layout import ArchivePaths

if TYPE_CHECKING:
    from archiver.app.unlocking import Keys
    from archiver.crypto.epoch import EpochSecret

_AT_ONCE = 1000
"""Messages or customers named by one record; more make several records, written in one go."""
_LONGEST_REASON = 500
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset({0x200C, 0x200D})
_WITH_CHECKPOINT = frozenset({"sync", "import", "take-in", "reindex", "verify", "backup"})
"""Actions that make the day's checkpoint where there is none: it digests the id of every message, too long to wait for
at the telephone."""


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
    event = _event(settings, audit_keys(keys.secret), action, query=query, numbers=numbers, form=form, note=note)
    _append(keys.paths, audit_keys(keys.secret), event, tuple(messages), tuple(customers))
    if action in _WITH_CHECKPOINT and is_due(keys.paths):
        # What cannot be made now is made by the next such action, which must not fail for it.
        with suppress(ArchiverError):
            checkpoint(settings, keys)


def checkpoint(settings: Settings, keys: Keys) -> str:
    """Make a checkpoint now, record it and return its line; raises what opening the catalogue raises."""
    from archiver.app.checkpoints import make_checkpoint

    audit = audit_keys(keys.secret)
    return make_checkpoint(keys, audit, _event(settings, audit, "checkpoint"), _noted)


def record_alone(settings: Settings, paths: ArchivePaths, secret: EpochSecret, action: str) -> None:
    """Record an action that is about no message and no customer, where nothing but the secret is at hand."""
    audit = audit_keys(secret)
    _append(paths, audit, _event(settings, audit, action), (), ())


def _event(
    settings: Settings,
    audit: AuditKeys,
    action: str,
    *,
    query: str | None = None,
    numbers: Mapping[str, int] | None = None,
    form: str | None = None,
    note: str | None = None,
) -> AuditEvent:
    if action not in ACTIONS:
        raise ValueError(action)
    reason = reason_for(settings, action)
    person = this_person()
    return AuditEvent(
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


class Trail:
    """What one opened archive has recorded so far: what is shown in one go is one record.

    A record of a customer or a message stands for what comes with it, so that `archiver history` does not say once more
    for each line that it was shown.
    """

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys
        self._named: set[bytes] = set()
        self._shown: set[tuple[bytes, str | None]] = set()
        self._customers: set[str] = set()
        self._anything = False

    def record(
        self,
        action: str,
        *,
        messages: Iterable[BlobId] = (),
        customers: Iterable[str] = (),
        query: str | None = None,
        numbers: Mapping[str, int] | None = None,
        form: str | None = None,
        names: bool = True,
    ) -> None:
        """Record an action; what it `names` need not be recorded again where it is only named."""
        messages, customers = tuple(messages), tuple(customers)
        record(
            self._settings,
            self._keys,
            action,
            messages=messages,
            customers=customers,
            query=query,
            numbers=numbers,
            form=form,
        )
        self._anything = True
        if names:
            self._named.update(messages)
        self._customers.update(customers)

    def named(self, blob_id: BlobId) -> None:
        """Record that what the catalogue has of a message is shown, unless it was named already."""
        if blob_id not in self._named:
            self.shown(blob_id)

    def shown(self, blob_id: BlobId, form: str | None = None) -> None:
        """Record that a message is shown: once, and once more for each form of it that goes into a file."""
        if (blob_id, form) in self._shown or (form is None and self.was_shown(blob_id)):
            return
        self.record("show", messages=[blob_id], form=form)
        self._shown.add((blob_id, form))

    def was_shown(self, blob_id: BlobId) -> bool:
        """Tell whether the message was shown in any form."""
        return any(each == blob_id for each, _ in self._shown)

    def customer(self, reference: str) -> None:
        """Record that a customer's record is shown, once."""
        if reference not in self._customers:
            self.record("customer-show", customers=[reference])

    def all_customers(self, count: int) -> None:
        """Record that all customers are listed, unless it is for the names in something recorded already."""
        if not self._anything:
            self.record("customer-list", numbers={"customers": count})


def reason_for(settings: Settings, action: str) -> str | None:
    """Return why; asks for it once where a person is there. Raises UsageError when it is wanted and not given."""
    purpose, wanted = settings.purpose, settings.audit.require_reason
    required = action in wanted or WITHIN.get(action) in wanted or ("all" in wanted and action not in BY_ITSELF)
    reason = purpose.reason
    if required and not (reason or "").strip() and purpose.ask is not None:
        reason = purpose.ask()
    text = _one_line(reason or "")[:_LONGEST_REASON]
    if text:
        return text
    if required:
        raise UsageError(
            "the configuration wants a reason for this",
            hint='say why behind the command: --reason "ticket 12", or in ARCHIVER_REASON',
        )
    return None


def _one_line(text: str) -> str:
    """Return a text as one line that shows all there is in it, whoever prints it later.

    Blanks and line breaks become one blank; controls, what turns the direction of reading or is not drawn at all, and
    octets that were no UTF-8 become escapes. The joiners that emoji and some scripts need stay.
    """
    text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text
    from unicodedata import category

    def shown(character: str) -> str:
        code = ord(character)
        if category(character) not in _UNSEEN or code in _JOINERS:
            return character
        if 0xDC80 <= code <= 0xDCFF:  # an octet of the command line, as Python keeps what is no UTF-8
            return f"\\x{code - 0xDC00:02x}"
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return "".join(map(shown, text))


def audit_keys(secret: EpochSecret) -> AuditKeys:
    """Return the keys of the records of an epoch."""
    return AuditKeys(secret.audit_key, archive_id=secret.archive_id, epoch=secret.epoch)


def _append(
    paths: ArchivePaths,
    audit: AuditKeys,
    event: AuditEvent,
    messages: tuple[BlobId, ...],
    customers: tuple[str, ...],
) -> None:
    from msgspec.structs import replace

    def build(tail: Tail) -> bytes:
        sequence, previous, noted = tail.sequence, tail.digest, _noted(tail, audit)
        frames = []
        for at in range(0, max(len(messages), len(customers), 1), _AT_ONCE):
            sequence += 1
            piece = replace(
                event, messages=messages[at : at + _AT_ONCE], customers=customers[at : at + _AT_ONCE], tail=noted
            )
            frames.append(audit.seal(piece, sequence=sequence, previous=previous, random=os.urandom))
            previous, noted = digest_of(frames[-1]), None
        return b"".join(frames)

    AuditLog(paths, audit.archive_id).append(audit.epoch, build)


def _noted(tail: Tail, audit: AuditKeys) -> str | None:
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
