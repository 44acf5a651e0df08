"""Fetching the octets of listed messages over one connection: pipelined, routed by UID, each accounted for.

An outcome is given for every entry or an error is raised; nothing is inferred from silence. A message that a server
leaves out of a reply that it calls OK is asked after by itself: gone, still there, or there and not given.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Container, Iterator, Sequence
from typing import Literal

from archiver.core.ports import Fetched, FetchOutcome, Octets, Unfetchable, Vanished
from archiver.errors import ServerUnreachableError
from archiver.imap.faults import TRANSIENT_CODES, ConnectionBrokenError, ThrottledError, TransientRefusalError
from archiver.imap.partials import Key, Partial, Partials
from archiver.imap.plan import CHUNK, Batch, batches, split_big
from archiver.imap.reader import Reader
from archiver.imap.responses import Body, Condition, FetchItems
from archiver.model.mailbox import MessageEntry, Uid

IN_FLIGHT = 2
"""Commands sent ahead: the server works on the next batch while this one is read."""

_STUB = re.compile(
    rb"(?:\A|\n)Subject: Retrieval using the IMAP4 protocol failed for the following\s+message:\s+\d+\s*\r?\n",
    re.IGNORECASE,
)
"""What Exchange sends in place of a message that it cannot convert; a reply to one has "Re:" and does not match."""
_STUB_WORDS = b"Retrieval using the IMAP4 protocol failed"
_STUB_BYTES = 16 << 10


class BodyFetcher:
    """Fetches from one open mailbox."""

    def __init__(self, reader: Reader, mailbox: bytes, uid_validity: int, partials: Partials) -> None:
        self._reader = reader
        self._mailbox = mailbox
        self._uid_validity = uid_validity
        self._partials = partials
        self._depth = IN_FLIGHT
        self._flying: dict[bytes, Batch] = {}

    @property
    def idle(self) -> bool:
        """Whether no command is unanswered; otherwise the connection can serve nothing else."""
        return not self._flying

    def fetch(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        """Give one outcome for each entry. Raises ServerUnreachableError kinds of `faults`."""
        cut = frozenset(entry.uid for entry in entries if self._partials.was_cut(self._key(entry.uid)))
        whole, parts = split_big(entries, cut)
        try:
            yield from self._whole(whole)
            for entry in parts:
                yield from self._in_parts(entry)
        except ConnectionBrokenError as error:
            if error.in_transit is not None:
                self._partials.note_cut(self._key(error.in_transit))
            raise

    # --- whole messages -----------------------------------------------------------------------------------------------

    def _whole(self, entries: Sequence[MessageEntry]) -> Iterator[FetchOutcome]:
        sizes = {entry.uid: entry.size for entry in entries}
        waiting = deque(batches(entries))
        owed: set[int] = set()
        missing: list[Uid] = []
        while waiting or self._flying:
            while waiting and len(self._flying) < self._depth:
                batch = waiting.popleft()
                owed.update(batch.uids)
                self._send(batch)
            response = self._reader.receive(owed)
            if isinstance(response, FetchItems):
                outcome = _judged(response, owed, sizes)
                if outcome is not None:
                    owed.discard(outcome.uid)
                    yield outcome
            elif isinstance(response, Condition):
                if response.code == b"THROTTLED":
                    self._depth = 1
                if response.tag in self._flying:
                    left = [uid for uid in self._flying.pop(response.tag).uids if uid in owed]
                    if response.status != b"OK":
                        check_refusal(response, left[0] if left else None)
                    owed.difference_update(left)
                    missing.extend(left)
        if missing:
            yield from self._one_by_one(missing, sizes)

    def _send(self, batch: Batch) -> None:
        tag = self._reader.send(
            b"UID FETCH " + batch.sequence_set() + b" (UID BODY.PEEK[])", expect=batch.octets + 200 * len(batch.uids)
        )
        self._flying[tag] = batch

    def _one_by_one(self, missing: Sequence[Uid], sizes: dict[Uid, int]) -> Iterator[FetchOutcome]:
        there = self._present(missing)
        for uid in missing:
            if uid in there:
                yield self._single(uid, sizes.get(uid, 0))
            else:
                yield Vanished(uid)

    def _present(self, uids: Sequence[Uid]) -> set[int]:
        """Return which of them the server still has; all of them when it does not answer OK."""
        there: set[int] = set()
        for batch in batches(MessageEntry(uid, 0) for uid in uids):
            wanted = frozenset(batch.uids)
            tag = self._reader.send(b"UID FETCH " + batch.sequence_set() + b" (UID FLAGS)")
            for response in self._until(tag, ()):
                if isinstance(response, FetchItems):
                    if response.uid in wanted:
                        there.add(response.uid or 0)
                elif response.status != b"OK":
                    check_refusal(response, None)
                    there.update(wanted)
        return there

    def _single(self, uid: Uid, size: int) -> FetchOutcome:
        """Ask for one message alone; the last word on it for this connection."""
        outcome: FetchOutcome | None = None
        reason = "the server answers without the message"
        batch = Batch((uid,), size)
        tag = self._reader.send(b"UID FETCH " + batch.sequence_set() + b" (UID BODY.PEEK[])", expect=size)
        try:
            for response in self._until(tag, batch.uids):
                if isinstance(response, FetchItems):
                    if response.uid == uid and response.body is not None and response.body.octets is None:
                        reason = "the server gives NIL instead of the message"
                    found = _judged(response, batch.uids if outcome is None else (), {uid: size})
                    outcome = outcome or found
                elif response.status != b"OK":
                    check_refusal(response, uid)
                    reason = "the server refuses to give the message"
        except BaseException:
            if isinstance(outcome, Fetched):
                outcome.octets.close()
            raise
        if outcome is not None:
            return outcome
        return Unfetchable(uid, reason) if uid in self._present([uid]) else Vanished(uid)

    def _until(self, tag: bytes, wanted: Container[int]) -> Iterator[FetchItems | Condition]:
        """Yield FETCH responses until the tagged one, which comes last."""
        while True:
            response = self._reader.receive(wanted)
            if isinstance(response, FetchItems):
                yield response
            elif isinstance(response, Condition) and response.tag is not None:
                self._flying.pop(response.tag, None)
                if response.tag == tag:
                    yield response
                    return

    # --- big messages in parts ----------------------------------------------------------------------------------------

    def _in_parts(self, entry: MessageEntry) -> Iterator[FetchOutcome]:
        key = self._key(entry.uid)
        partial = self._partials.open(key)
        start = partial.received
        try:
            whole = self._parts(entry, partial)
        except ServerUnreachableError as error:
            if isinstance(error, ConnectionBrokenError):
                raise ConnectionBrokenError(
                    error.message, hint=error.hint, in_transit=entry.uid, progressed=partial.received > start
                ) from None
            raise
        if whole is True:
            yield Fetched(entry.uid, self._partials.take(key))
            return
        self._partials.drop(key)
        if whole is False:
            yield from self._one_by_one([entry.uid], {entry.uid: entry.size})
        else:
            yield Fetched(entry.uid, whole)

    def _parts(self, entry: MessageEntry, partial: Partial) -> bool | Octets:
        """Fetch 1 MiB parts until the end: True when complete, False when the server cannot do it, or the whole octets.

        The end is a part shorter than asked (RFC 3501 §6.4.5) that reaches RFC822.SIZE, or an empty part: a server may
        cap parts below what we ask, and its RFC822.SIZE may be too big.
        """
        ahead: dict[int, bytes] = {}
        asked = partial.received
        result: bool | Octets | None = None
        try:
            while result is None:
                while len(self._flying) < self._depth:
                    self._ask_part(entry.uid, asked)
                    asked += CHUNK
                response = self._reader.receive((entry.uid,))
                if isinstance(response, FetchItems):
                    if response.body is not None:
                        result = _part(response, entry.uid, ahead)
                elif isinstance(response, Condition) and response.tag in self._flying:
                    result = self._part_answered(response, partial, ahead, entry.uid)
                while result is None and partial.received in ahead:
                    piece = ahead.pop(partial.received)
                    partial.spool.write(piece)
                    partial.received += len(piece)
                    if not piece or (len(piece) < CHUNK and partial.received >= entry.size):
                        result = True
                    elif len(piece) < CHUNK:
                        ahead.clear()
                        asked = partial.received
            self._finish_flying()
        except BaseException:
            if result is not None and not isinstance(result, bool):
                result.close()
            raise
        return result

    def _part_answered(
        self, answer: Condition, partial: Partial, ahead: dict[int, bytes], uid: Uid
    ) -> Literal[False] | None:
        """Take note of a tagged answer; False when it came without the part, and none is on its way."""
        if answer.tag is not None:
            asked = self._flying.pop(answer.tag)
            if answer.status != b"OK":
                check_refusal(answer, uid)
                return False
            if asked.octets == partial.received and partial.received not in ahead:
                return False
        return None

    def _ask_part(self, uid: Uid, offset: int) -> None:
        command = b"UID FETCH %d (UID BODY.PEEK[]<%d.%d>)" % (uid, offset, CHUNK)
        self._flying[self._reader.send(command, expect=CHUNK)] = Batch((uid,), offset)

    def _finish_flying(self) -> None:
        while self._flying:
            response = self._reader.receive(())
            if isinstance(response, Condition) and response.tag is not None:
                self._flying.pop(response.tag, None)
            elif isinstance(response, FetchItems) and response.body is not None:
                _drop(response.body)

    def _key(self, uid: Uid) -> Key:
        return (self._mailbox, self._uid_validity, uid)


def check_refusal(answer: Condition, uid: Uid | None) -> None:
    """Raise ThrottledError or TransientRefusalError when a NO or BAD means "later"; return for a plain refusal."""
    if answer.wait is not None or answer.code in {b"THROTTLED", b"OVERQUOTA"}:
        raise ThrottledError(
            "the server limits how much this account may read",
            hint="the next run goes on where this one stopped",
            wait=answer.wait,
        )
    if answer.code in TRANSIENT_CODES or answer.not_now:
        raise TransientRefusalError("the server does not answer this at the moment", in_transit=uid)


def _judged(response: FetchItems, owed: Container[int], sizes: dict[Uid, int]) -> FetchOutcome | None:
    """Turn a FETCH response into an outcome; None (and the octets dropped) when it is not one that was asked for."""
    body = response.body
    if body is None or body.octets is None:
        return None
    if response.uid is None or response.uid not in owed or body.origin is not None:
        body.octets.close()
        return None
    uid = Uid(response.uid)
    if body.octets.size == 0 and sizes.get(uid, 0) > 0:
        return None
    if body.octets.size <= _STUB_BYTES and _is_stub(b"".join(body.octets)):
        body.octets.close()
        return Unfetchable(uid, "the server gives a notice instead of the message")
    return Fetched(uid, body.octets)


def _is_stub(octets: bytes) -> bool:
    # The plain search rules out nearly every message, and is a hundred times faster than the expression.
    return _STUB_WORDS in octets and _STUB.search(octets) is not None


def _part(response: FetchItems, uid: Uid, ahead: dict[int, bytes]) -> bool | Octets | None:
    """Sort a part in; False when the server does not do parts, the octets when it sent all of them instead."""
    body = response.body
    if body is None or response.uid != uid:
        _drop(body)
        return None
    if body.octets is None:
        return False
    if body.octets.size > CHUNK:
        if body.origin is None:
            return body.octets
        body.octets.close()
        return False
    if body.origin is None:
        body.octets.close()
        return False
    ahead[body.origin] = b"".join(body.octets)
    body.octets.close()
    return None


def _drop(body: Body | None) -> None:
    if body is not None and body.octets is not None:
        body.octets.close()
