"""One encrypted SQLite database, opened the way all of ours are.

Knows the cipher, the pragmas, and how to tell a wrong key from a damaged page; translates every error of apsw. Knows no
table. Nothing slow is derived from the raw key: keys come from HKDF, so a second derivation (50 ms at every
opening) would add nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from archiver.errors import (
    READ_ONLY,
    ArchiverError,
    DiskError,
    FormatError,
    IntegrityError,
    LockedError,
    NoArchiveError,
    UsageError,
    WrongKeyError,
    shortage,
)
from archiver.store.ciphers import PAGE_SIZE, Cipher, beginning_of, cipher_of, is_whole, raw_key, salt_is_ours
from archiver.store.durable import opened, translated

if TYPE_CHECKING:
    import apsw

Synchronous = Literal["FULL", "NORMAL"]
Value = None | int | float | str | bytes

_BUSY_MILLISECONDS = 10_000
_CACHE_KIBIBYTES = 16 * 1024
"""Decrypted pages kept in memory: SQLite's own 2 MiB costs a second decryption for most pages of a batch."""
_CHECKPOINT_PAGES = 4000


class StoreConnection:
    """A connection to one database file; satisfies `archiver.core.ports.Connection`.

    Not for several threads at the same time. Rows are tuples; bindings are positional "?". Raises IntegrityError naming
    the file for damaged pages, LockedError when another process holds the write lock too long, DiskError when the
    disk refuses a write.
    """

    def __init__(self, database: apsw.Connection, path: Path, cipher: Cipher = "chacha20") -> None:
        self._database = database
        self._path = path
        self._cipher = cipher
        self._depth = 0

    @property
    def path(self) -> Path:
        """The main database's file."""
        return self._path

    def execute(self, sql: str, bindings: Sequence[object] = ()) -> Iterator[tuple[object, ...]]:
        """Run one statement; it has taken its first step on return, and the rows are read as they are asked for."""
        import apsw

        try:
            cursor = self._database.execute(sql, bindings)
        except apsw.Error as error:
            raise _translate(error, self._path) from error
        except OverflowError:
            raise _too_large() from None
        return self._rows(cursor)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of bindings."""
        import apsw

        try:
            for _ in self._database.executemany(sql, rows):
                pass
        except apsw.Error as error:
            raise _translate(error, self._path) from error

    def one(self, sql: str, bindings: Sequence[object] = ()) -> tuple[object, ...] | None:
        """Return the first row, or None; the statement is finished then, so that it holds no read transaction open."""
        import apsw

        try:
            cursor = self._database.execute(sql, bindings)
            row: tuple[object, ...] | None = cursor.fetchone()
            cursor.close()
        except apsw.Error as error:
            raise _translate(error, self._path) from error
        except OverflowError:
            raise _too_large() from None
        return row

    def integer(self, sql: str, bindings: Sequence[object] = ()) -> int:
        """Return the single integer that a statement answers; 0 for NULL or no row."""
        row = self.one(sql, bindings)
        return row[0] if row is not None and isinstance(row[0], int) else 0

    def changes(self) -> int:
        """Return how many rows the last statement changed."""
        return self._database.changes()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write in one transaction (IMMEDIATE), rolled back by any exception; inside another it is part of that."""
        if self._depth:
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if not self._database.getautocommit():
                self.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read several statements from one state of the database."""
        if self._depth or not self._database.getautocommit():
            yield
            return
        self.execute("BEGIN")
        try:
            yield
        finally:
            if not self._database.getautocommit():
                self.execute("ROLLBACK")

    def attach(self, path: Path, key: bytes, name: str) -> None:
        """Attach another of our databases read-only under `name`; same errors as `open_database`."""
        if not path.is_file():
            raise NoArchiveError(f"{path.name} is missing", hint="run `archiver init`, or restore a backup")
        import apsw

        cipher = _cipher(path, key)
        uri = f"file:{_quoted(path)}?mode=ro&cipher={cipher}"
        try:
            self._database.execute(f"ATTACH DATABASE ? AS {name} KEY ?", (uri, raw_key(key, cipher)))
            self._database.execute(f"SELECT count(*) FROM {name}.sqlite_schema").fetchall()  # noqa: S608 our own name
        except apsw.NotADBError as error:
            raise _not_a_database(path, key) from error
        except apsw.Error as error:
            raise _translate(error, path) from error

    def checkpoint(self, *, wait_seconds: float = 0.25) -> bool:
        """Move the write-ahead log into the database and cut it to nothing; False when readers need it for longer."""
        import apsw

        self._database.set_busy_timeout(int(wait_seconds * 1000))
        try:
            self._database.wal_checkpoint("main", mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:
            return False
        except apsw.Error as error:
            raise _translate(error, self._path) from error
        finally:
            self._database.set_busy_timeout(_BUSY_MILLISECONDS)
        return True

    def vacuum(self) -> None:
        """Rewrite the database without gaps; needs room for a second copy, and nobody else reading."""
        self.execute("VACUUM")
        self.checkpoint()

    def copy_into(self, path: Path, key: bytes) -> None:
        """Write everything, row by row, into an empty file under another key and the same cipher; not durable yet.

        Raises IntegrityError when a page here is damaged, DiskError when the disk refuses.
        """
        # The key goes as a parameter of the name: VACUUM has no other way, and no text of SQL holds it.
        uri = f"file:{_quoted(path)}?cipher={self._cipher}&hexkey={raw_key(key, self._cipher).encode().hex()}"
        self.execute("VACUUM INTO ?", (uri,))

    def check(self) -> tuple[str, ...]:
        """Read every page in use and the structure on them; return what is wrong, empty when all is well."""
        try:
            found = [str(row[0]) for row in self.execute("PRAGMA integrity_check(20)")]
        except IntegrityError as error:
            return (error.message,)
        return () if found == ["ok"] else tuple(found)

    def close(self) -> None:
        """Close; may be called twice."""
        import apsw

        try:
            self._database.close()
        except apsw.Error as error:
            raise _translate(error, self._path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rows(self, cursor: apsw.Cursor) -> Iterator[tuple[object, ...]]:
        import apsw

        try:
            yield from cursor
        except apsw.Error as error:
            raise _translate(error, self._path) from error


def open_database(
    path: Path,
    key: bytes,
    *,
    readonly: bool = False,
    create: bool = False,
    synchronous: Synchronous = "FULL",
    cipher: Cipher = "chacha20",
) -> StoreConnection:
    """Open a page-encrypted database with its raw 32-octet key; `cipher` is that of a new one, others say theirs.

    Raises NoArchiveError when the file is missing (and `create` is not set), WrongKeyError, and IntegrityError when the
    key is right and the first page is not. A read-only connection works while another process writes.
    """
    import apsw

    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UsageError(
            "the path of the archive has bytes that are no UTF-8, and SQLite opens no such file",
            hint="give the archive's directory, or the one above it, another name",
        ) from None
    exists = path.is_file() and path.stat().st_size > 0
    if not exists and not create:
        raise NoArchiveError(f"{path.name} is missing", hint="run `archiver init`, or restore a backup")
    if not exists:
        # SQLite would create it with the mode that the umask gives.
        with translated(path):
            os.close(opened(path, os.O_RDWR | os.O_CREAT))
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
    try:
        database = apsw.Connection(str(path), flags=flags)
    except apsw.Error as error:
        raise _translate(error, path) from error
    try:
        cipher = _cipher(path, key) if exists else cipher
        _configure(database, key, cipher, readonly=readonly, exists=exists, synchronous=synchronous)
    except ArchiverError:
        database.close()
        raise
    except apsw.NotADBError as error:
        database.close()
        raise _not_a_database(path, key) from error
    except apsw.Error as error:
        problem = _translate(error, path)  # before the close: it looks whether another file can be opened
        database.close()
        raise problem from error
    return StoreConnection(database, path, cipher)


_RESTORE = "restore this file from a backup; `archiver verify` tells what else is damaged"
_REBUILD = "run `archiver reindex`: nothing is lost"


def _configure(
    database: apsw.Connection, key: bytes, cipher: Cipher, *, readonly: bool, exists: bool, synchronous: Synchronous
) -> None:
    import apsw

    database.pragma("cipher", cipher)
    # As hex of the text "raw:<hex>": the pragma then derives nothing, and the key is no part of any SQL text.
    database.pragma("hexkey", raw_key(key, cipher).encode().hex())
    database.set_busy_timeout(_BUSY_MILLISECONDS)
    database.pragma("cache_size", -_CACHE_KIBIBYTES)
    database.pragma("temp_store", 2)  # MEMORY: nothing of a sort or a join may reach a temporary file
    database.pragma("trusted_schema", 0)
    database.pragma("cell_size_check", 1)
    database.pragma("mmap_size", 0)  # pages are decrypted into the cache; a map would only hold ciphertext
    if not exists:
        database.pragma("page_size", PAGE_SIZE)
    database.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # the first page: key and damage show here
    if readonly:
        database.pragma("query_only", 1)
        # The last one to close would move the log into the file and delete the log by its name, which since may be that
        # of another database: a rotation puts one there. Only who holds the writers' lock does that.
        database.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        return
    database.pragma("journal_mode", "wal")
    database.pragma("synchronous", synchronous)
    database.pragma("secure_delete", 1)
    # Rows arrive in the order of mailboxes, not of dates: the same pages are written again and again.
    database.wal_autocheckpoint(_CHECKPOINT_PAGES)
    database.pragma("journal_size_limit", 16 << 20)


def _cipher(path: Path, key: bytes) -> Cipher:
    """Return the cipher of a file, having looked at what its pages' tags leave out."""
    beginning = beginning_of(path)
    cipher = cipher_of(beginning)
    if cipher == "aegis" and not (salt_is_ours(beginning, key) and is_whole(beginning, cipher)):
        raise _not_a_database(path, key)
    return cipher


def _not_a_database(path: Path, key: bytes) -> ArchiverError:
    if salt_is_ours(beginning_of(path), key):
        return IntegrityError(f"{path.name}: the first page is damaged", what=path.name, hint=_RESTORE)
    return WrongKeyError(
        f"{path.name} does not open with this key, or its first octets are damaged",
        hint="check that keyring, collector credential and databases belong to the same archive",
    )


def _too_large() -> UsageError:
    return UsageError("a number is larger than any the archive can hold", hint="give a smaller one")


def _quoted(path: Path) -> str:
    """Return a path as it stands in a URI for SQLite, which ends it at a "?" or "#"."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _translate(error: apsw.Error, path: Path) -> ArchiverError:  # noqa: PLR0911 a table of cases
    """Turn an error of the library into ours; the library's text may quote SQL values, so it is not passed on."""
    import apsw

    name = path.name
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return IntegrityError(f"{name}: a page is damaged", what=name, hint=_way_out(path))
    if isinstance(error, (apsw.FullError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError)):
        return _refused(path, _reason(error), _to_open(error))
    if isinstance(error, apsw.IOError):
        # All others are about writing, or about a file beside it that is made anew: nothing of this one is damaged.
        if getattr(error, "extendedresult", 0) in {
            apsw.SQLITE_IOERR_READ,
            apsw.SQLITE_IOERR_SHORT_READ,
            apsw.SQLITE_IOERR_CORRUPTFS,
            apsw.SQLITE_IOERR_DATA,
        }:
            return IntegrityError(f"{name}: a page cannot be read", what=name, hint=_way_out(path))
        return _refused(path, _reason(error), "free space or mend the disk, then run it again")
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return LockedError(f"{name} is being written by another process", hint="try again in a moment")
    if isinstance(error, apsw.SchemaChangeError):
        return FormatError(f"{name}: its tables changed while they were read", hint="run the command again")
    # What is left is a mistake of ours (SQL, types): the class says which, the text stays out.
    return ArchiverError(f"{name}: database error {type(error).__name__}", hint="please report this as a bug")


def _refused(path: Path, reason: str, hint: str) -> DiskError:
    """Return what to say of a write that failed, or of a file that was to be opened for writing."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.statvfs(descriptor).f_flag & os.ST_RDONLY:
                return DiskError(f"{path.name}: the disk is read-only", hint=READ_ONLY)
        finally:
            os.close(descriptor)
    except OSError as error:
        if short := shortage(error):  # the library met the same, and says only that a file cannot be opened
            return short
    return DiskError(f"{path.name}: {reason}", hint=hint)


def _to_open(error: apsw.Error) -> str:
    import apsw

    if isinstance(error, apsw.FullError):
        return "free space, then run it again"
    return "free space or mend permissions, then run it again; `archiver doctor --no-connect` names what is not yours"


def _way_out(path: Path) -> str:
    """Return the hint for a damaged database: the index is in no backup, and is made from the others."""
    return _REBUILD if path.name == "index.db" else _RESTORE


def _reason(error: apsw.Error) -> str:
    import apsw

    if isinstance(error, apsw.FullError):
        return "the disk is full"
    if isinstance(error, apsw.CantOpenError):
        return "the file cannot be opened"
    if isinstance(error, (apsw.ReadOnlyError, apsw.PermissionsError)):
        return "the file cannot be written"
    return "the disk refused a write"
