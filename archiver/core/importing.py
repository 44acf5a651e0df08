"""Import: bring mbox files, Maildirs and .eml files in along the path that mail from a server takes.

Knows how a file's messages become arrivals of the pseudo-account "import". Reading the formats is `archiver.mail`'s
business. Every run is an epoch of its own: a file may have changed since the last time, so a position in it proves
nothing; the digests see to it that the same octets are kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime

from archiver.core.collect import AccountOutcome
from archiver.core.ports import CollectStore
from archiver.core.progress import OnProgress, Progress, silent
from archiver.errors import ArchiverError
from archiver.mail.files import ImportItem
from archiver.model.account import IMPORTED
from archiver.model.mailbox import MessageEntry, RemoteMailbox, Uid
from archiver.model.octets import BytesOctets


def import_items(
    items: Iterable[ImportItem],
    store: CollectStore,
    *,
    now: datetime,
    on_progress: OnProgress = silent,
    stopped: Callable[[], bool] = lambda: False,
) -> AccountOutcome:
    """Store every item; a second import of the same files adds no message.

    Items of one mailbox follow each other. Raises what reading the files or writing the store raises, after making
    durable what came before.
    """
    new = known = octets = 0
    epoch: int | None = None
    mailbox: bytes | None = None
    uid = 0
    incomplete: tuple[str, ...] = ()
    try:
        for item in items:
            if epoch is None or item.mailbox != mailbox:
                if epoch is not None:
                    store.finish(epoch, server=uid, uid_next=None, complete=True, problem=None)
                epoch = store.open_epoch(IMPORTED, RemoteMailbox(item.mailbox, item.display), int(now.timestamp()))
                mailbox, uid = item.mailbox, 0
            uid += 1
            entry = MessageEntry(Uid(uid), len(item.octets), item.received_at, item.keywords)
            is_new = store.add(epoch, entry, BytesOctets(item.octets))
            octets += len(item.octets)
            new += is_new
            known += not is_new
            on_progress(Progress("import", IMPORTED, item.display, done=new + known, total=None, octets=octets))
            if stopped():
                incomplete = (f"{item.display}: stopped before the end",)
                break
        if epoch is not None:
            problem = "stopped before the end" if incomplete else None
            store.finish(epoch, server=uid, uid_next=None, complete=not incomplete, problem=problem)
    except BaseException:
        with suppress(ArchiverError):  # a store that has failed says so again; the first error tells why
            store.flush()
        raise
    store.flush()
    return AccountOutcome(
        account=IMPORTED, new=new, known=known, octets=octets, exit_code=4 if incomplete else 0, incomplete=incomplete
    )
