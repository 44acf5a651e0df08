"""Where messages lie on their servers, as rows of archive.db. Knows nothing of the messages themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from archiver.model.message import BlobId
from archiver.store import reading
from archiver.store.connection import StoreConnection

if TYPE_CHECKING:
    from archiver.model.delivery import Arrival
    from archiver.store.numbers import Numbers


def locate(
    connection: StoreConnection, numbers: Numbers, arrivals: Iterable[Arrival], rows: Mapping[BlobId, int]
) -> None:
    """Write the places of arrivals within the caller's transaction; `rows` are those of the messages that are kept.

    A message that is not kept has its place by its digest.
    """
    from archiver.mail.dates import internal_date  # for writers; who reads need not load it

    mailboxes: dict[tuple[str, bytes, int], int] = {}
    located: list[tuple[object, ...]] = []
    for arrival in arrivals:
        at = (arrival.account, arrival.mailbox, arrival.uid_validity)
        if at not in mailboxes:
            mailboxes[at] = _mailbox(connection, arrival)
        row = rows.get(arrival.blob_id)
        received = internal_date(arrival.received_at) if arrival.received_at else None
        located.append(
            (
                mailboxes[at],
                arrival.uid,
                row,
                arrival.blob_id if row is None else None,
                None if received is None else reading.epoch_seconds(received),
                numbers.term("\n".join(arrival.keywords)) if arrival.keywords else None,
            ),
        )
    # The last to speak is right: a server without UIDVALIDITY gives the same UID to another message later.
    if located:
        connection.execute_many("INSERT OR REPLACE INTO locations VALUES (?,?,?,?,?,?)", located)


def _mailbox(connection: StoreConnection, arrival: Arrival) -> int:
    connection.execute(
        "INSERT INTO mailboxes (account, name, uid_validity, display, special_use) VALUES (?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET display = excluded.display,"
        " special_use = COALESCE(excluded.special_use, special_use)",
        (arrival.account, arrival.mailbox, arrival.uid_validity, arrival.mailbox_display, arrival.special_use),
    )
    return connection.integer(
        "SELECT id FROM mailboxes WHERE account = ? AND name = ? AND uid_validity = ?",
        (arrival.account, arrival.mailbox, arrival.uid_validity),
    )
