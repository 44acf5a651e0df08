"""`archiver audit`: what the trail says, and whether it is whole.

Reading the trail is recorded too. A checkpoint that was kept elsewhere shows what the trail alone cannot: that its end
was cut off, or that the whole archive was put back to an older copy.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from archiver.app.auditing import audit_keys, checkpoint, record
from archiver.app.checkpoints import contents_digest, kept_checkpoint, keyring_digest
from archiver.app.clocks import local_clock
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import AskPassphrase, Keys, require_keys
from archiver.config import Settings
from archiver.crypto.audit import AuditKeys, Checkpoint, is_signed, read_checkpoint
from archiver.crypto.audit_chain import Chain, ChainRecord, Finding
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import ArchiverError, FormatError, IntegrityError, UsageError
from archiver.model.audit import ACTIONS, AuditEvent
from archiver.store.audit_log import walk

if TYPE_CHECKING:
    from archiver.app.opening import Opened
    from archiver.search.query.dates import Interval

EARLIER_KEY = "audit_key:"
"""The facts in archive.db that keep the audit keys of earlier epochs: this, and the epoch's number."""

_LONGEST_LINE = 1 << 16
"""Octets of a line in a file of anchors; what is behind them is taken for another one."""

_CHANGES_KEYS = frozenset({"key-add", "key-remove", "key-rotate", "key-accept", "restore"})
_CHANGES_CONTENTS = frozenset({"sync", "import", "take-in", "erase", "restore", "repair"})


class AuditEntry(Struct, frozen=True):
    """One record: its number in the trail, the epoch of its keys, and what it says."""

    sequence: int
    epoch: int
    event: AuditEvent

    @property
    def at(self) -> datetime:
        """When."""
        return datetime.fromtimestamp(self.event.at / 1_000_000, tz=UTC)


class AuditPage(Struct, frozen=True):
    """Some of `total` records, newest first; `unreadable` counts those that do not open."""

    total: int
    items: tuple[AuditEntry, ...]
    unreadable: int = 0


class AuditReport(Struct, frozen=True):
    """What `audit verify` found: `problems` are damage or tampering, `remarks` traces of crashes and the like.

    `anchors` counts the checkpoints from outside that were compared, `checkpoints` those within the trail.
    """

    records: int
    checkpoints: int
    anchors: int
    first: datetime | None
    last: datetime | None
    problems: tuple[Finding, ...]
    remarks: tuple[Finding, ...]


class MadeCheckpoint(Struct, frozen=True):
    """A checkpoint as one line, the public key that checks it, and what kept it from an anchor."""

    line: str
    public_key: str
    anchored: tuple[str, ...]
    problems: tuple[str, ...]


# --- listing ----------------------------------------------------------------------------------------------------------


def audit_list(
    settings: Settings,
    *,
    ask: AskPassphrase,
    since: str | None = None,
    until: str | None = None,
    who: str | None = None,
    action: str | None = None,
    message: str | None = None,
    customer: str | None = None,
    query: str | None = None,
    limit: int = 50,
    offset: int = 0,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> AuditPage:
    """Return records, newest first; a query is compared by its digest. Raises UsageError for what is no date."""
    if action is not None and action not in ACTIONS:
        raise UsageError("the audit trail knows no such action", hint=f"one of: {', '.join(ACTIONS)}")
    low = _interval(since).start if since is not None else None
    high = _interval(until).end if until is not None else None
    prefix = _prefix(message) if message is not None else None
    keys = require_keys(settings, ask=ask, bounds=bounds)
    with open_unlocked(settings, keys, write=False) as opened:
        by_epoch = _all_keys(opened.keys, opened)
        record(settings, opened.keys, "audit-list")
    digests = {epoch: each.query_digest(query) for epoch, each in by_epoch.items()} if query is not None else None
    entries: list[AuditEntry] = []
    unreadable = 0
    chain = Chain(keys.archive.archive_id)
    for found in walk(keys.paths, chain):
        entry = _opened(found, by_epoch)
        if entry is None:
            unreadable += 1
            continue
        event = entry.event
        if (
            (low is None or entry.at >= low)
            and (high is None or entry.at < high)
            and (who is None or who.casefold() in {name.casefold() for name in _people(event)})
            and (action is None or event.action == action)
            and (prefix is None or any(each.hex().startswith(prefix) for each in event.messages))
            and (customer is None or customer.casefold() in {each.casefold() for each in event.customers})
            and (digests is None or event.query == digests.get(entry.epoch))
        ):
            entries.append(entry)
    entries.reverse()
    unreadable += sum(finding.broken for finding in chain.findings)
    return AuditPage(len(entries), tuple(entries[offset : offset + limit]), unreadable)


def _people(event: AuditEvent) -> Iterator[str]:
    yield from (name for name in (event.who, event.user, event.claimed) if name)


def _interval(text: str) -> Interval:
    from archiver.search.query.dates import EXPECTED_DATE, parse_date

    interval = parse_date(text, local_clock())
    if interval is None:
        raise UsageError("this is not a date", hint=f"write {EXPECTED_DATE}")
    return interval


def _prefix(message: str) -> str:
    digits = message.strip().lower()
    if len(digits) < 4 or not set(digits) <= set("0123456789abcdef"):
        raise UsageError(
            "an id is at least four of the hexadecimal digits that `archiver search` shows",
            hint="copy it from the result of a search",
        )
    return digits


def _opened(found: ChainRecord, by_epoch: Mapping[int, AuditKeys]) -> AuditEntry | None:
    keys = by_epoch.get(found.header.epoch)
    if keys is None:
        return None
    try:
        event = keys.open(found.frame, what=found.what)
    except (IntegrityError, FormatError):
        return None
    return AuditEntry(found.header.sequence, found.header.epoch, event)


def _all_keys(keys: Keys, opened: Opened | None) -> dict[int, AuditKeys]:
    """Return the keys of this epoch's records and of all earlier ones that are known."""
    archive_id = keys.archive.archive_id
    found = {secret.epoch: audit_keys(secret) for secret in keys.secrets}
    for epoch in range(1, keys.secret.epoch):
        kept = opened.catalogue.meta(f"{EARLIER_KEY}{epoch}") if opened is not None and epoch not in found else None
        if isinstance(kept, bytes):
            found[epoch] = AuditKeys(kept, archive_id=archive_id, epoch=epoch)
    return found


# --- checking ---------------------------------------------------------------------------------------------------------


def audit_verify(
    settings: Settings, *, ask: AskPassphrase, anchor: str | None = None, bounds: KdfBounds = DEFAULT_BOUNDS
) -> AuditReport:
    """Check chain, contents, numbers and checkpoints; with an anchor, that nothing is missing since it was made.

    `anchor` is a line, a file with lines, or "mailbox" for those in the mailbox that is configured. What is damaged is
    reported, not raised. Raises UsageError for an anchor without a checkpoint of this archive.
    """
    lines = _anchored_lines(settings, anchor) if anchor is not None else ()
    keys = require_keys(settings, ask=ask, bounds=bounds)
    findings: list[Finding] = []
    contents = None
    by_epoch = _all_keys(keys, None)
    try:
        with open_unlocked(settings, keys, write=False) as opened:
            keys, contents = opened.keys, contents_digest(opened.catalogue)
            by_epoch = _all_keys(keys, opened)
    except ArchiverError as error:
        findings.append(Finding("archive.db", error.message))
    check = _Check(keys, by_epoch)
    check.walk()
    check.kept()
    anchors = [read_checkpoint(line) for line in lines]
    own = [each for each in anchors if each[0].archive_id == keys.archive.archive_id]
    if anchor is not None and not own:
        raise UsageError(
            "this anchor has no checkpoint of this archive", hint="a line that `archiver audit checkpoint` printed"
        )
    for found, signature in own:
        check.anchor(found, signature, contents)
    findings += [*check.chain.findings, *check.findings]
    # Recorded afterwards: a trail that is broken is reported all the same, and the record stands behind what was read.
    try:
        record(settings, keys, "audit-verify", numbers={"problems": sum(each.broken for each in findings)})
    except ArchiverError as error:
        findings.append(Finding("audit", error.message))
    return AuditReport(
        records=len(check.chain.digests),
        checkpoints=check.checkpoints,
        anchors=len(own),
        first=check.first,
        last=check.last,
        problems=tuple(dict.fromkeys(each for each in findings if each.broken)),
        remarks=tuple(dict.fromkeys(each for each in findings if not each.broken)),
    )


def findings_of(keys: Keys, opened: Opened) -> Sequence[Finding]:
    """Open every record of the trail and return what is wrong with chain, contents and checkpoints; records nothing."""
    check = _Check(keys, _all_keys(keys, opened))
    check.walk()
    check.kept()
    return [*check.chain.findings, *check.findings]


class _Check:
    """One walk over the trail, with keys."""

    def __init__(self, keys: Keys, by_epoch: Mapping[int, AuditKeys]) -> None:
        self._keys = keys
        self._by_epoch = by_epoch
        self.chain = Chain(keys.archive.archive_id)
        self.findings: list[Finding] = []
        self.checkpoints = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._last_of: dict[str, int] = {}
        """The number of the last record of each action: what an anchor is older than."""

    def walk(self) -> None:
        unknown: set[int] = set()
        for found in walk(self._keys.paths, self.chain):
            keys = self._by_epoch.get(found.header.epoch)
            if keys is None:
                if found.header.epoch not in unknown:
                    self._find(found, f"the keys of epoch {found.header.epoch} are not at hand")
                unknown.add(found.header.epoch)
                continue
            try:
                event = keys.open(found.frame, what=f"record {found.header.sequence}")
            except (IntegrityError, FormatError) as error:
                self._find(found, error.message)
                continue
            self._event(found, keys, event)

    def _event(self, found: ChainRecord, keys: AuditKeys, event: AuditEvent) -> None:
        at = datetime.fromtimestamp(event.at / 1_000_000, tz=UTC)
        self.first, self.last = self.first or at, at
        self._last_of[event.action] = found.header.sequence
        if event.tail is not None:
            told = f"record {found.header.sequence} found the trail's end as it should not be: {event.tail}"
            self._find(found, told, broken=False)
        if event.action == "checkpoint":
            self.checkpoints += 1
            try:
                made, signature = read_checkpoint(event.note or "")
            except UsageError:
                self._find(found, f"record {found.header.sequence} is a checkpoint without a line")
                return
            good = is_signed(made, signature, keys.public_key())
            fits = (made.count, made.head) == (found.header.sequence - 1, found.header.previous)
            if not (good and fits and made.archive_id == keys.archive_id):
                self._find(found, f"the checkpoint in record {found.header.sequence} is not that of its place")

    def kept(self) -> None:
        """Compare the newest checkpoint that lies beside the trail: a file that was lost, or put back alone, is found.

        It is as easily changed as the trail itself, so one that says nothing, or is not signed, is no finding.
        """
        kept = kept_checkpoint(self._keys.paths)
        if kept is None:
            return
        with suppress(ArchiverError):
            made, signature = read_checkpoint(kept.line)
            keys = self._by_epoch.get(made.epoch)
            if keys is not None and is_signed(made, signature, keys.public_key()):
                self._compare("audit/checkpoint.json", made)

    def anchor(self, made: Checkpoint, signature: bytes, contents: bytes | None) -> None:
        """Compare a checkpoint from outside."""
        name = f"anchor of {made.at:%Y-%m-%d %H:%M}"
        if made.epoch > self._keys.secret.epoch:
            told = f"is of epoch {made.epoch}, the archive is in epoch {self._keys.secret.epoch}: an older copy of it"
            self.findings.append(Finding(name, told))
            return
        keys = self._by_epoch.get(made.epoch)
        if keys is None or not is_signed(made, signature, keys.public_key()):
            self.findings.append(Finding(name, "was not signed with this archive's key"))
            return
        if not self._compare(name, made):
            return
        same_epoch = made.epoch == self._keys.secret.epoch
        if same_epoch and not self._since(made, _CHANGES_KEYS) and keyring_digest(self._keys.paths) != made.keyring:
            told = "saw another keyring.json, and no change of keys is recorded since"
            self.findings.append(Finding(name, told))
        if contents is not None and not self._since(made, _CHANGES_CONTENTS) and contents != made.contents:
            told = "saw other messages, and nothing is recorded since that changes them"
            self.findings.append(Finding(name, told))

    def _compare(self, name: str, made: Checkpoint) -> bool:
        """Compare how many records there are, and the last that it saw; False when there are fewer."""
        digests = self.chain.digests
        if made.count > len(digests):
            told = (
                f"counts {made.count:,} records, the trail has {len(digests):,}: its end was cut off, or an older copy "
                "of the archive was put back"
            )
            self.findings.append(Finding(name, told))
            return False
        if made.count and digests[made.count - 1] != made.head:
            self.findings.append(Finding(name, f"names another record {made.count}: the trail was written anew"))
        return True

    def _since(self, made: Checkpoint, actions: frozenset[str]) -> bool:
        return any(self._last_of.get(action, 0) > made.count for action in actions)

    def _find(self, found: ChainRecord, message: str, *, broken: bool = True) -> None:
        self.findings.append(Finding(found.what, message, broken))


def _anchored_lines(settings: Settings, anchor: str) -> Sequence[str]:
    if anchor.startswith("archiver-checkpoint "):
        return (anchor,)
    if anchor == "mailbox":
        from archiver.app.anchoring import lines_in_mailboxes

        return lines_in_mailboxes(settings)
    hint = "name a file of checkpoints, or give the line itself"
    try:
        with Path(anchor).open("rb") as file:
            if not (stat.S_ISREG(mode := os.fstat(file.fileno()).st_mode) or stat.S_ISFIFO(mode)):
                raise UsageError(f"{anchor} is no file", hint=hint)
            return list(_lines_of(file))
    except OSError as error:
        raise UsageError(f"cannot read {anchor}: {error.strerror}", hint=hint) from error


def _lines_of(file: BinaryIO) -> Iterator[str]:
    """Yield the checkpoints in a file that may be a whole system's log: it is never in memory as a whole."""
    while line := file.readline(_LONGEST_LINE):
        if (begins := line.find(b"archiver-checkpoint ")) >= 0:
            yield line[begins:].decode("utf-8", "replace").rstrip("\r\n")


# --- checkpoints ------------------------------------------------------------------------------------------------------


def audit_checkpoint(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> MadeCheckpoint:
    """Make a checkpoint now and bring it to the anchors; raises what opening the archive raises."""
    from archiver.app.anchoring import bring_to_anchors

    keys = require_keys(settings, ask=ask, bounds=bounds)
    line = checkpoint(settings, keys)
    anchored, problems = bring_to_anchors(settings, keys.paths)
    return MadeCheckpoint(line, audit_keys(keys.secret).public_key(), tuple(anchored), tuple(problems))
