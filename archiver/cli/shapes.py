"""What `--json` prints: a contract with scripts, field by field.

Times are ISO 8601 with an offset, addresses are objects of `name` and `address`, absent values are null. Only adding a
field is a compatible change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from archiver.model.address import EmailAddress
from archiver.model.catalogue import Details, Summary
from archiver.model.message import Message
from archiver.model.status import MailboxStatus

if TYPE_CHECKING:
    from archiver.cli.answers import (
        Check,
        Damage,
        RepairReport,
        SearchItem,
        SearchPage,
        SlotInfo,
        StatusReport,
        VerifyReport,
    )
    from archiver.cli.application import OpenArchive
    from archiver.model.search import SavedSearch
    from archiver.model.shown import Hyperlink

Json = Mapping[str, object]

_FIGURES = ("server", "archived", "excluded", "failed", "erased")


def listing(total: int, items: Iterable[Json]) -> Json:
    """Return a list as every command prints one."""
    return {"total": total, "items": list(items)}


def moment(at: datetime | None, zone: tzinfo | None) -> str | None:
    """Return a time as ISO 8601 with offset."""
    return at.astimezone(zone).isoformat() if at is not None else None


def hit(item: SearchItem, archive: OpenArchive, zone: tzinfo | None) -> Json:
    """Return one hit of a search; `marks` are spans of the snippet, in characters (code points).

    `place` is where the snippet stands: "text", "quoted", "attachment" (then `file` is its name), "header" or "".
    """
    return {
        **message_line(item.summary, archive, zone),
        "snippet": item.snippet,
        "marks": [[start, end] for start, end in item.marks],
        "place": item.place,
        "file": item.file,
        "score": item.score,
        "copies": [archive.short_id(copy) for copy in item.copies],
        "others": item.others,
    }


def search_page(page: SearchPage, archive: OpenArchive, zone: tzinfo | None) -> dict[str, object]:
    """Return a page of hits; `total` counts messages with their copies, `more` says that other hits follow.

    `unindexed` counts messages of the archive that no search finds yet.
    """
    return {
        "total": page.total,
        "more": page.more,
        "suggestion": page.suggestion,
        "ignored": list(page.ignored),
        "unindexed": page.unindexed,
        "items": [hit(item, archive, zone) for item in page.items],
    }


def saved_search(search: SavedSearch, zone: tzinfo | None) -> Json:
    """Return a search that was saved."""
    return {"name": search.name, "query": search.query, "saved_at": moment(search.saved_at, zone)}


def message_line(summary: Summary, archive: OpenArchive, zone: tzinfo | None) -> dict[str, object]:
    """Return what hits, rows of a thread and shown messages have in common.

    `customers` are the references of those the message belongs to, `candidates` of those it might: never mixed.
    """
    return {
        "id": archive.short_id(summary.blob_id),
        "thread": summary.thread,
        "message_id": summary.message_id,
        "sent_at": moment(summary.sent_at, zone),
        "direction": summary.direction.value,
        "from": _addresses(summary.from_),
        "to": _addresses(summary.to),
        "cc": _addresses(summary.cc),
        "subject": summary.subject,
        "customers": list(summary.customers),
        "candidates": list(summary.candidates),
        "mailboxes": list(summary.mailboxes),
        "attachments": list(summary.attachments),
        "octets": summary.octets,
        "language": summary.language,
    }


def whole_message(details: Details, message: Message, archive: OpenArchive, zone: tzinfo | None) -> dict[str, object]:
    """Return all that `show` knows of a message; the place in its conversation counts copies of a message once."""
    from archiver.cli.kinds import FILE_KINDS, defect_sentence
    from archiver.model.files import file_type

    return {
        **message_line(details.summary, archive, zone),
        "bcc": _addresses(details.bcc),
        "reply_to": _addresses(details.reply_to),
        "received_at": moment(details.received_at, zone),
        "archived_at": moment(details.archived_at, zone),
        "octets": details.octets,
        "text": message.text,
        "quoted": message.quoted,
        "parts": [
            {
                "part": part.path,
                "content_type": part.content_type,
                "kind": part.kind.value,
                "octets": part.size,
                "filename": part.filename,
                "charset": part.charset,
                "content_id": part.content_id,
                "type": file_type(part.content_type, part.filename).value if part.kind in FILE_KINDS else None,
            }
            for part in details.parts
        ],
        "defects": [
            {"code": defect.code, "detail": defect.detail, "sentence": defect_sentence(defect, details.parts)}
            for defect in details.defects
        ],
        "conversation": _conversation(details.summary, archive),
        "seen": [
            {
                "account": seen.account,
                "mailbox": seen.mailbox,
                "uid_validity": seen.uid_validity,
                "uid": seen.uid,
                "keywords": list(seen.keywords),
            }
            for seen in details.seen
        ],
    }


def _conversation(summary: Summary, archive: OpenArchive) -> Json:
    from archiver.cli.conversation import placed

    def named(one: Summary | None) -> str | None:
        return archive.short_id(one.blob_id) if one is not None else None

    place = placed(archive.thread(summary.row), summary)
    return {
        "position": place.position,
        "of": place.of,
        "copies": [named(one) for one in place.copies],
        "answer": named(place.answer),
        "newest": named(place.newest),
    }


def links(found: Iterable[Hyperlink]) -> list[Json]:
    """Return where the links of a message's HTML go."""
    return [{"text": link.text, "url": link.url} for link in found]


def status(report: StatusReport, zone: tzinfo | None) -> Json:
    """Return the figures; an account's are the sums of its mailboxes, its last sync the oldest of theirs."""
    return {
        "messages": report.messages,
        "octets": report.octets,
        "pending": report.pending,
        "indexed": report.indexed,
        "defects": report.defects,
        "unlinked": report.unlinked,
        "customers": report.customers,
        "complete": report.complete,
        "unlocked": report.unlocked,
        "accounts": [_account(name, rows, zone) for name, rows in by_account(report.accounts).items()],
        "failures": [
            {
                "account": failure.account,
                "mailbox": failure.mailbox,
                "uid_validity": failure.uid_validity,
                "uid": failure.uid,
                "reason": failure.reason,
                "attempts": failure.attempts,
                "last_try": moment(failure.last_try, zone),
            }
            for failure in report.failures
        ],
        "problems": list(report.problems),
    }


def by_account(mailboxes: Sequence[MailboxStatus]) -> Mapping[str, Sequence[MailboxStatus]]:
    """Group mailboxes by account, both in the order given."""
    groups: dict[str, list[MailboxStatus]] = {}
    for mailbox in mailboxes:
        groups.setdefault(mailbox.account, []).append(mailbox)
    return groups


def last_sync(mailboxes: Sequence[MailboxStatus]) -> datetime | None:
    """Return since when all of these are known: the oldest, None if one was never synced."""
    times = [mailbox.last_sync for mailbox in mailboxes]
    known = [time for time in times if time is not None]
    return min(known) if known and len(known) == len(times) else None


def verification(report: VerifyReport, zone: tzinfo | None) -> Json:
    """Return what verify checked and found."""
    return {
        "packs": report.packs,
        "records": report.records,
        "octets": report.octets,
        "full": report.checked_full,
        "sound": not report.problems,
        "problems": [damage(each, zone) for each in report.problems],
        "unsteady": [damage(each, zone) for each in report.unsteady],
        "remarks": [damage(each, zone) for each in report.remarks],
        "messages": report.messages,
        "packs_total": report.packs_total,
        "subset": report.subset,
        "seed": report.seed,
    }


def damage(found: Damage, zone: tzinfo | None) -> Json:
    """Return one finding; what is not known of it is null."""
    return {
        "kind": found.kind,
        "what": found.what,
        "message": found.message,
        "id": found.blob_id.hex() if found.blob_id is not None else None,
        "at": moment(found.at, zone),
        "mailboxes": [
            {"account": seen.account, "mailbox": seen.mailbox, "uid_validity": seen.uid_validity, "uid": seen.uid}
            for seen in found.places
        ],
    }


def repair(report: RepairReport, zone: tzinfo | None) -> Json:
    """Return what a repair did, or would do, and what stays damaged."""
    return {
        "dry_run": report.dry_run,
        "confirmed": report.confirmed,
        "mended": not report.remaining and not report.lost,
        "steps": [{"action": step.action, "what": step.what, "message": step.message} for step in report.steps],
        "remaining": [damage(each, zone) for each in report.remaining],
        "fetchable": report.fetchable,
    }


def check(item: Check) -> Json:
    """Return one check of doctor; `ok` is null for a warning."""
    return {"name": item.name, "ok": item.ok, "message": item.message, "hint": item.hint}


def slot(item: SlotInfo, zone: tzinfo | None) -> Json:
    """Return one key slot."""
    return {"name": item.name, "kind": item.kind, "created": moment(item.created, zone)}


def _account(name: str, mailboxes: Sequence[MailboxStatus], zone: tzinfo | None) -> Json:
    return {
        "name": name,
        **{figure: sum(getattr(mailbox, figure) for mailbox in mailboxes) for figure in _FIGURES},
        "complete": all(mailbox.complete for mailbox in mailboxes),
        "last_sync": moment(last_sync(mailboxes), zone),
        "mailboxes": [
            {
                "name": mailbox.mailbox,
                **{figure: getattr(mailbox, figure) for figure in _FIGURES},
                "complete": mailbox.complete,
                "last_sync": moment(mailbox.last_sync, zone),
                "problem": mailbox.problem,
            }
            for mailbox in mailboxes
        ],
    }


def _addresses(addresses: Sequence[EmailAddress]) -> list[Json]:
    return [{"name": address.name, "address": address.addr_spec} for address in addresses]
