"""collect.db: cursors and digests, under the collector's own key.

Knows the tables and every statement over them. Knows no files, no sealing, no threads: `collect.py` holds the lock.
What is lost with it costs a second fetch, never a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from archiver.core.footing import Footing
from archiver.model.mailbox import RemoteMailbox
from archiver.model.message import BlobId
from archiver.model.status import Failure, MailboxStatus
from archiver.store import schema
from archiver.store.connection import StoreConnection

APPLICATION_ID = 0x41525643
"""PRAGMA application_id: "ARVC"."""

ARCHIVED, EXCLUDED, FAILED = 1, 2, 3
_STATES = {ARCHIVED: "archived", EXCLUDED: "excluded", FAILED: "failed"}

INTERRUPTED = "the last run was interrupted; the next one continues"

Statement = tuple[str, Sequence[object]]

_TABLES = """
CREATE TABLE accounts (account TEXT PRIMARY KEY, problem TEXT) WITHOUT ROWID;
-- current: the epoch in force; listed: whether the server still has this mailbox.
CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, name BLOB NOT NULL, display TEXT NOT NULL, special_use TEXT,
    current INTEGER, listed INTEGER NOT NULL DEFAULT 1, problem TEXT, UNIQUE (account, name)
);
-- server, uid_next, complete, last_sync: of the last finished run. finished: whether nothing was written since.
CREATE TABLE epochs (
    id INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, uid_validity INTEGER NOT NULL, server INTEGER NOT NULL DEFAULT 0,
    uid_next INTEGER, complete INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 1, last_sync INTEGER,
    listed_all INTEGER, problem TEXT, UNIQUE (mailbox, uid_validity)
);
-- state: 1 archived (or erased, as its digest says), 2 excluded, 3 failed.
CREATE TABLE uids (
    epoch INTEGER NOT NULL, uid INTEGER NOT NULL, state INTEGER NOT NULL, digest INTEGER, PRIMARY KEY (epoch, uid)
) WITHOUT ROWID;
CREATE TABLE notes (
    epoch INTEGER NOT NULL, uid INTEGER NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL,
    last_try INTEGER NOT NULL, PRIMARY KEY (epoch, uid)
) WITHOUT ROWID;
CREATE TABLE packs (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
CREATE TABLE digests (
    id INTEGER PRIMARY KEY, blob_id BLOB NOT NULL UNIQUE, pack INTEGER, erased INTEGER NOT NULL DEFAULT 0
);
"""


def _first(connection: StoreConnection) -> None:
    connection.execute(_TABLES)


_FOOTINGS = """
-- How an account stands with its server (core/footing.py); not_before in Unix seconds. place and refused are keyed
-- digests. day: days since 1970-01-01 UTC; octets: received on that day.
CREATE TABLE footings (
    account TEXT PRIMARY KEY, place BLOB, failures INTEGER NOT NULL DEFAULT 0, not_before INTEGER, reason TEXT,
    refused BLOB, day INTEGER NOT NULL DEFAULT 0, octets INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""


def _second(connection: StoreConnection) -> None:
    connection.execute(_FOOTINGS)


MIGRATIONS: tuple[schema.Migration, ...] = (_first, _second)


class CollectDatabase:
    """The statements of collect.db over one connection."""

    def __init__(self, connection: StoreConnection, *, readonly: bool = False) -> None:
        if readonly:
            schema.check_format(connection, APPLICATION_ID, len(MIGRATIONS))
        else:
            schema.migrate(connection, APPLICATION_ID, MIGRATIONS)
        self.connection = connection

    # --- mailboxes ------------------------------------------------------------------------------------------------

    def open_epoch(self, account: str, mailbox: RemoteMailbox, uid_validity: int) -> int:
        """Return the id of an epoch, made current; writes only when something differs, since each write is synced."""
        found = self.connection.one(
            "SELECT m.id, e.id, m.current IS e.id AND m.listed AND m.display IS ? AND m.special_use IS ?"
            " FROM mailboxes m JOIN epochs e ON e.mailbox = m.id AND e.uid_validity = ?"
            " WHERE m.account = ? AND m.name = ?",
            (mailbox.display, mailbox.special_use, uid_validity, account, mailbox.name),
        )
        if found is not None and found[2] and uid_validity:
            return _int(found[1])
        with self.connection.transaction():
            number = self._mailbox(account, mailbox)
            self.connection.execute(
                "INSERT OR IGNORE INTO epochs (mailbox, uid_validity) VALUES (?, ?)", (number, uid_validity)
            )
            epoch = self.connection.integer(
                "SELECT id FROM epochs WHERE mailbox = ? AND uid_validity = ?", (number, uid_validity)
            )
            self.connection.execute(
                "UPDATE mailboxes SET current = ?, listed = 1, display = ?, special_use = ? WHERE id = ?",
                (epoch, mailbox.display, mailbox.special_use, number),
            )
            if not uid_validity:
                self.connection.execute("DELETE FROM uids WHERE epoch = ?", (epoch,))
                self.connection.execute("DELETE FROM notes WHERE epoch = ?", (epoch,))
        return epoch

    def _mailbox(self, account: str, mailbox: RemoteMailbox) -> int:
        self.connection.execute(
            "INSERT OR IGNORE INTO mailboxes (account, name, display, special_use) VALUES (?,?,?,?)",
            (account, mailbox.name, mailbox.display, mailbox.special_use),
        )
        return self.connection.integer(
            "SELECT id FROM mailboxes WHERE account = ? AND name = ?", (account, mailbox.name)
        )

    def place(self, epoch: int) -> tuple[str, bytes, str, str | None, int]:
        """Return account, raw name, display, special use and UIDVALIDITY of an epoch; KeyError when there is none."""
        row = self.connection.one(
            "SELECT m.account, m.name, m.display, m.special_use, e.uid_validity"
            " FROM epochs e JOIN mailboxes m ON m.id = e.mailbox WHERE e.id = ?",
            (epoch,),
        )
        if row is None:
            raise KeyError(epoch)
        account, name, display, special_use, uid_validity = row
        raw = name if isinstance(name, bytes) else b""
        return str(account), raw, str(display), None if special_use is None else str(special_use), _int(uid_validity)

    def counters(self, epoch: int) -> tuple[int, int | None, bool]:
        """Return (server, UIDNEXT, complete) of the last finished run; (-1, None, False) when it did not finish."""
        row = self.connection.one(
            "SELECT server, uid_next, complete, finished AND problem IS NULL FROM epochs WHERE id = ?", (epoch,)
        )
        if row is None:
            raise KeyError(epoch)
        if not row[3]:
            return -1, None, False
        return _int(row[0]), row[1] if isinstance(row[1], int) else None, bool(row[2])

    def listed_all_at(self, epoch: int) -> datetime | None:
        """Return when a finished run last listed every message."""
        row = self.connection.one("SELECT listed_all FROM epochs WHERE id = ?", (epoch,))
        return None if row is None or row[0] is None else _instant(row[0])

    def accounted(self, epoch: int) -> Mapping[int, str]:
        """Return uid → state."""
        return {
            _int(uid): "erased" if erased else _STATES[_int(state)]
            for uid, state, erased in self.connection.execute(
                "SELECT u.uid, u.state, d.erased FROM uids u LEFT JOIN digests d ON d.id = u.digest WHERE u.epoch = ?",
                (epoch,),
            )
        }

    def statuses(self) -> list[MailboxStatus]:
        """Return the figures of every listed mailbox, and a line for each account that could not be read at all."""
        found = [
            MailboxStatus(str(account), "", 0, 0, 0, 0, 0, None, str(problem))
            for account, problem in self.connection.execute(
                "SELECT account, problem FROM accounts WHERE problem IS NOT NULL ORDER BY account"
            )
        ]
        for account, display, epoch, problem, server, last_sync, finished in self.connection.execute(
            "SELECT m.account, m.display, e.id, COALESCE(m.problem, e.problem), e.server, e.last_sync, e.finished"
            " FROM mailboxes m LEFT JOIN epochs e ON e.id = m.current WHERE m.listed ORDER BY m.account, m.name"
        ):
            counts = {"archived": 0, "excluded": 0, "failed": 0, "erased": 0}
            for state, erased, count in self.connection.execute(
                "SELECT u.state, COALESCE(d.erased, 0), count(*) FROM uids u LEFT JOIN digests d ON d.id = u.digest"
                " WHERE u.epoch = ? GROUP BY 1, 2",
                (epoch,),
            ):
                counts["erased" if erased else _STATES[_int(state)]] += _int(count)
            reason = INTERRUPTED if problem is None and epoch is not None and not finished else problem
            found.append(
                MailboxStatus(
                    account=str(account),
                    mailbox=str(display),
                    server=_int(server),
                    **counts,
                    last_sync=None if last_sync is None else _instant(last_sync),
                    problem=None if reason is None else str(reason),
                )
            )
        return found

    def failures(self) -> list[Failure]:
        """Return the messages that could not be fetched, of mailboxes that are listed, in their current epoch."""
        return [
            Failure(str(account), str(display), _int(validity), _int(uid), str(reason), _int(tries), _instant(last))
            for account, display, validity, uid, reason, tries, last in self.connection.execute(
                "SELECT m.account, m.display, e.uid_validity, n.uid, n.reason, n.attempts, n.last_try"
                " FROM notes n JOIN uids u ON u.epoch = n.epoch AND u.uid = n.uid JOIN epochs e ON e.id = n.epoch"
                " JOIN mailboxes m ON m.current = e.id WHERE m.listed AND u.state = ?"
                " ORDER BY m.account, m.name, n.uid",
                (FAILED,),
            )
        ]

    # --- footings ------------------------------------------------------------------------------------------------

    def footing(self, account: str) -> Footing:
        """Return how the account stands with its server."""
        row = self.connection.one(
            "SELECT place, failures, not_before, reason, refused FROM footings WHERE account = ?", (account,)
        )
        if row is None:
            return Footing()
        place, failures, not_before, reason, refused = row
        return Footing(
            place=place if isinstance(place, bytes) else b"",
            failures=_int(failures),
            not_before=None if not_before is None else _instant(not_before),
            reason=None if reason is None else str(reason),
            refused=refused if isinstance(refused, bytes) else None,
        )

    def octets_received(self, account: str, day: int) -> int:
        """Return what was received on that day, 0 when the last day known is another."""
        row = self.connection.one("SELECT octets FROM footings WHERE account = ? AND day = ?", (account, day))
        return 0 if row is None else _int(row[0])

    # --- digests --------------------------------------------------------------------------------------------------

    def digest_state(self, blob_id: BlobId) -> str | None:
        """Return "kept", "erased", or None for octets that are new."""
        row = self.connection.one("SELECT erased FROM digests WHERE blob_id = ?", (blob_id,))
        return None if row is None else "erased" if row[0] else "kept"

    def packs(self) -> frozenset[str]:
        """Return the packs whose commit was completed."""
        rows = self.connection.execute("SELECT name FROM packs")
        return frozenset(name.hex() for (name,) in rows if isinstance(name, bytes))

    def digests_of(self, pack: str) -> Iterator[BlobId]:
        """Yield the digests that a pack was registered with, without those erased since."""
        for (blob_id,) in self.connection.execute(
            "SELECT d.blob_id FROM digests d JOIN packs p ON p.id = d.pack WHERE p.name = ? AND NOT d.erased",
            (bytes.fromhex(pack),),
        ):
            if isinstance(blob_id, bytes):
                yield BlobId(blob_id)

    def register(self, pack: str | None, blob_ids: Iterable[BlobId]) -> None:
        """Record digests as kept in a pack (None: known from the catalogue), within the caller's transaction."""
        number: int | None = None
        if pack is not None:
            self.connection.execute("INSERT OR IGNORE INTO packs (name) VALUES (?)", (bytes.fromhex(pack),))
            number = self.connection.integer("SELECT id FROM packs WHERE name = ?", (bytes.fromhex(pack),))
        self.connection.execute_many(
            "INSERT OR IGNORE INTO digests (blob_id, pack) VALUES (?, ?)", [(each, number) for each in blob_ids]
        )

    def erase(self, blob_ids: Iterable[BlobId]) -> None:
        """Mark digests as erased: their octets are never stored again."""
        with self.connection.transaction():
            self.connection.execute_many(
                "INSERT INTO digests (blob_id, erased) VALUES (?, 1) ON CONFLICT DO UPDATE SET erased = 1",
                [(each,) for each in blob_ids],
            )

    def erased(self) -> Iterator[BlobId]:
        """Yield the digests marked as erased."""
        for (blob_id,) in self.connection.execute("SELECT blob_id FROM digests WHERE erased"):
            if isinstance(blob_id, bytes):
                yield BlobId(blob_id)

    def forget_pack(self, pack: str) -> int:
        """Forget the messages of a lost pack, so that the next run fetches them again; return how many."""
        with self.connection.transaction():
            number = self.connection.integer("SELECT id FROM packs WHERE name = ?", (bytes.fromhex(pack),))
            which = "digest IN (SELECT id FROM digests WHERE pack = ? AND NOT erased)"
            self.connection.execute(
                f"UPDATE epochs SET finished = 0 WHERE id IN (SELECT epoch FROM uids WHERE {which})",  # noqa: S608
                (number,),
            )
            self.connection.execute(f"DELETE FROM uids WHERE {which}", (number,))  # noqa: S608 constant
            self.connection.execute("DELETE FROM digests WHERE pack = ? AND NOT erased", (number,))
            forgotten = self.connection.changes()
            self.connection.execute("DELETE FROM packs WHERE id = ?", (number,))
        return forgotten

    def forget(self, blob_ids: Iterable[BlobId]) -> int:
        """Forget messages that do not open, so that the next run fetches them again; return how many were known."""
        which = "digest IN (SELECT id FROM temp.forgotten)"
        with self.connection.transaction():
            self.connection.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten (id INTEGER PRIMARY KEY)")
            self.connection.execute("DELETE FROM temp.forgotten")
            self.connection.execute_many(
                "INSERT INTO temp.forgotten SELECT id FROM digests WHERE blob_id = ? AND NOT erased",
                [(each,) for each in blob_ids],
            )
            self.connection.execute(
                f"UPDATE epochs SET finished = 0 WHERE id IN (SELECT epoch FROM uids WHERE {which})"  # noqa: S608
            )
            self.connection.execute(f"DELETE FROM uids WHERE {which}")  # noqa: S608 constant
            self.connection.execute("DELETE FROM digests WHERE id IN (SELECT id FROM temp.forgotten)")
            return self.connection.changes()


# --- statements that a batch stages, to be run in its transaction -----------------------------------------------------


def located(epoch: int, uid: int, blob_id: BlobId) -> list[Statement]:
    """Account for a message whose octets are kept (or erased)."""
    return [
        (
            "INSERT OR REPLACE INTO uids VALUES (?, ?, 1, (SELECT id FROM digests WHERE blob_id = ?))",
            (epoch, uid, blob_id),
        ),
        ("DELETE FROM notes WHERE epoch = ? AND uid = ?", (epoch, uid)),
    ]


def noted(epoch: int, uid: int, state: int, reason: str, now: datetime) -> list[Statement]:
    """Account for a message that is not kept; what is archived stays so."""
    return [
        (
            "INSERT INTO uids VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE SET state = excluded.state WHERE state <> 1",
            (epoch, uid, state),
        ),
        (
            (
                "INSERT INTO notes VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET"
                " reason = excluded.reason, attempts = attempts + 1, last_try = excluded.last_try"
            ),
            (epoch, uid, reason, int(now.timestamp())),
        ),
    ]


def gone(epoch: int, uid: int) -> list[Statement]:
    """Stop accounting for a message that the server no longer has."""
    return [
        ("DELETE FROM uids WHERE epoch = ? AND uid = ?", (epoch, uid)),
        ("DELETE FROM notes WHERE epoch = ? AND uid = ?", (epoch, uid)),
    ]


def unfinished(epoch: int) -> Statement:
    """Mark that a run has begun to write, so that its end can be missed."""
    return "UPDATE epochs SET finished = 0 WHERE id = ? AND finished", (epoch,)


def finished(
    epoch: int,
    server: int,
    uid_next: int | None,
    problem: str | None,
    now: datetime,
    *,
    complete: bool,
    listed_all: bool,
) -> list[Statement]:
    """Record the end of a mailbox's run."""
    seconds = int(now.timestamp())
    return [
        (
            (
                "UPDATE epochs SET finished = 1, server = ?, uid_next = ?, complete = ?, problem = ?, last_sync = ?,"
                " listed_all = CASE WHEN ? THEN ? ELSE listed_all END WHERE id = ?"
            ),
            (server, uid_next, int(complete), problem, seconds, listed_all, seconds, epoch),
        ),
        ("UPDATE mailboxes SET problem = NULL WHERE current = ?", (epoch,)),
    ]


def listed(account: str, mailboxes: Sequence[RemoteMailbox]) -> list[Statement]:
    """Record which mailboxes the server has, which also proves that the account can be read.

    A new one counts from now on, and is not complete before it has been read.
    """
    names = [mailbox.name for mailbox in mailboxes]
    marks = ",".join("?" * len(names))
    return [
        *(
            (
                "INSERT OR IGNORE INTO mailboxes (account, name, display, special_use) VALUES (?,?,?,?)",
                (account, mailbox.name, mailbox.display, mailbox.special_use),
            )
            for mailbox in mailboxes
        ),
        (
            (
                f"UPDATE mailboxes SET listed = name IN ({marks})"  # noqa: S608 only question marks
                f" WHERE account = ? AND listed <> (name IN ({marks}))"
            ),
            (*names, account, *names),
        ),
        ("UPDATE accounts SET problem = NULL WHERE account = ?", (account,)),
    ]


def troubled(account: str, mailbox: RemoteMailbox | None, problem: str) -> list[Statement]:
    """Record that a mailbox, or the whole account, could not be read this time."""
    if mailbox is None:
        return [
            (
                "INSERT INTO accounts VALUES (?, ?) ON CONFLICT DO UPDATE SET problem = excluded.problem",
                (account, problem),
            )
        ]
    return [
        (
            (
                "INSERT INTO mailboxes (account, name, display, special_use, problem) VALUES (?,?,?,?,?)"
                " ON CONFLICT (account, name) DO UPDATE SET problem = excluded.problem, listed = 1"
            ),
            (account, mailbox.name, mailbox.display, mailbox.special_use, problem),
        )
    ]


def stands(account: str, footing: Footing) -> list[Statement]:
    """Record how an account stands with its server."""
    return [
        (
            (
                "INSERT INTO footings (account, place, failures, not_before, reason, refused) VALUES (?,?,?,?,?,?)"
                " ON CONFLICT DO UPDATE SET place = excluded.place, failures = excluded.failures,"
                " not_before = excluded.not_before, reason = excluded.reason, refused = excluded.refused"
            ),
            (
                account,
                footing.place,
                footing.failures,
                None if footing.not_before is None else int(footing.not_before.timestamp()),
                footing.reason,
                footing.refused,
            ),
        )
    ]


def received(account: str, day: int, octets: int) -> list[Statement]:
    """Add to what was received on a day; a new day begins at nothing."""
    return [
        (
            (
                "INSERT INTO footings (account, day, octets) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " octets = excluded.octets + CASE WHEN day = excluded.day THEN octets ELSE 0 END, day = excluded.day"
            ),
            (account, day, octets),
        )
    ]


def _instant(seconds: object) -> datetime:
    return datetime.fromtimestamp(_int(seconds), tz=UTC)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
