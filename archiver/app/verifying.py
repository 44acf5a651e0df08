"""`archiver verify`: whether the stored bytes are what was stored, without a key or, in full, with one.

Changes nothing. What a sync, a reindex or a repair moves meanwhile is looked up again before it counts: packs at once,
the files against each other under the lock.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, suppress

from msgspec import Struct
from msgspec.structs import replace

from archiver.app.auditing import record
from archiver.app.clocks import clock
from archiver.app.opening import Opened, open_unlocked, stored_credential
from archiver.app.unlocking import AskPassphrase, Keys, read_credential, read_public_file, renewed, require_keys
from archiver.config import Settings
from archiver.core.erasing import Stage
from archiver.core.progress import OnProgress, silent
from archiver.core.repairing import OLD_ENOUGH
from archiver.core.sampling import Subset, choose, parse_subset
from archiver.core.verify import Opening, Problem, VerifyReport, verify_index, verify_packs
from archiver.crypto.archive_file import read_archive_file
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.crypto.keyring import read_keyring
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    DiskError,
    FormatError,
    IntegrityError,
    LockedError,
    NoArchiveError,
    ShortageError,
    WrongKeyError,
)
from archiver.search.index import SCHEMA_VERSION, index_version
from archiver.store.catalogue import SqliteCatalogue, open_catalogue
from archiver.store.connection import open_database
from archiver.store.deliveries import pack_of, waiting_names
from archiver.store.erasure_log import erasure_log_of, read_erasures
from archiver.store.inspection import holds_only_packs, inspect
from archiver.store.layout import ArchivePaths
from archiver.store.lock import is_held, writer_lock
from archiver.store.mending import Mending
from archiver.store.packs import PackFiles, PackVault

_LOCK_WAIT = 30.0
"""Seconds to wait for a writer before two files are compared again: a sync steps aside between two deliveries."""

SAMPLED_WORDS = 50
"""Messages whose subject is looked for in the index."""

_NO_CREDENTIAL = "the collector's credential is missing, so nothing is collected; `archiver repair` writes it again"


class Sample(Struct, frozen=True):
    """The packs to read, of which sample, drawn by which seed; all of them when `names` is None."""

    names: Sequence[str] | None = None
    subset: Subset | None = None
    seed: int | None = None


def verify(
    settings: Settings,
    *,
    full: bool,
    ask: AskPassphrase,
    subset: str | None = None,
    seed: int | None = None,
    on_progress: OnProgress = silent,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> VerifyReport:
    """Check every pack file, or a `subset` of them (5%, 1/20, 2G), and what can be seen of the others without a key.

    With `full`, which needs one, also every message in those packs, and the databases and what is pending whole. A
    sample is another one each time unless `seed` says which. Raises NoArchiveError, LockedError, WrongKeyError,
    FormatError, UsageError; damage is reported, not raised.
    """
    asked = None if subset is None else parse_subset(subset)
    report = look_around(settings, bounds=bounds)
    # Without these files no key opens anything, and they are named already.
    usable = not any(problem.kind == "public" for problem in report.problems)
    keys = require_keys(settings, ask=ask, bounds=bounds) if full and usable else None
    if keys is not None:
        with suppress(DiskError):  # nothing of mail is shown, and a copy on a medium that is read-only can be verified
            record(settings, keys, "verify")
    sample = _drawn(PackFiles(ArchivePaths(settings.archive.path)), asked, seed)
    report = look_around(settings, packs=True, only=sample.names, on_progress=on_progress, bounds=bounds)
    report = replace(report, subset=None if asked is None else asked.text, seed=sample.seed)
    return report if keys is None else examine(settings, keys, report, only=sample.names, on_progress=on_progress)


def look_around(
    settings: Settings,
    *,
    packs: bool = False,
    only: Sequence[str] | None = None,
    on_progress: OnProgress = silent,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> VerifyReport:
    """Report what can be seen without a key: the public files, every name in the archive and, with `packs`, those.

    With `only`, these of them are read.
    """
    paths = ArchivePaths(settings.archive.path)
    problems, remarks = list(_public(paths, bounds)), list[Problem]()
    busy = is_held(paths.lock("archive")) or is_held(paths.lock("collect"))
    for noticed in inspect(paths, archive_id=_archive_id(paths), busy=busy):
        seen = Problem(noticed.what, noticed.message, kind=noticed.kind)
        (remarks if noticed.harmless else problems).append(seen)
    report = VerifyReport(0, 0, 0, checked_full=False)
    for found in _trail(paths):
        (problems if found.kind == "audit" else remarks).append(found)
    if packs:
        report = verify_packs(PackFiles(paths), names=only, on_progress=on_progress)
    return replace(report, problems=(*problems, *report.problems), remarks=tuple(remarks))


def _drawn(packs: PackFiles, subset: Subset | None, seed: int | None) -> Sample:
    if subset is None:
        return Sample()
    chosen = seed if seed is not None else secrets.randbelow(2**31)
    names = choose(packs.names(), subset, size=packs.size, seed=chosen)
    return Sample(names, subset, None if subset.part is not None else chosen)


# --- without a key ----------------------------------------------------------------------------------------------------


def _public(paths: ArchivePaths, bounds: KdfBounds) -> Iterator[Problem]:
    """Read archive.json and keyring.json; a copy of the packs alone has no key slots."""
    archive_id = None
    try:
        archive_id = read_archive_file(read_public_file(paths.archive_file)).archive_id
    except IntegrityError as error:
        yield Problem(error.what, error.message, kind="public")
    except NoArchiveError:
        if not (paths.keyring.exists() or paths.database.exists()):
            raise
        yield Problem("archive.json", "archive.json is missing: bring it back from a backup", kind="public")
    if holds_only_packs(paths):
        return
    try:
        # Without archive.json its own id has to do: it is bound into every slot, and full verification opens one.
        octets = read_public_file(paths.keyring)
        if archive_id is not None:
            read_keyring(octets, archive_id=archive_id, bounds=bounds)
    except IntegrityError as error:
        yield Problem(error.what, error.message, kind="public")
    except NoArchiveError:
        yield Problem("keyring.json", "keyring.json is missing: bring it back from a backup", kind="public")


def _trail(paths: ArchivePaths) -> Iterator[Problem]:
    """Check the chain of the audit trail; what its records say takes a key."""
    from archiver.store.audit_log import verify_chain

    archive_id = _archive_id(paths)
    if archive_id is None:
        return
    try:
        findings = verify_chain(paths, archive_id)
    except ShortageError:
        raise
    except DiskError as error:
        yield Problem("audit", error.message, kind="audit")
        return
    for finding in findings:
        yield Problem(finding.what, finding.message, kind="audit" if finding.broken else "interrupted")


def _archive_id(paths: ArchivePaths) -> bytes | None:
    try:
        return read_archive_file(read_public_file(paths.archive_file)).archive_id
    except ShortageError:
        raise
    except ArchiverError:
        return None


# --- with a key -------------------------------------------------------------------------------------------------------


def examine(
    settings: Settings,
    keys: Keys,
    report: VerifyReport,
    *,
    only: Collection[str] | None = None,
    on_progress: OnProgress = silent,
) -> VerifyReport:
    """Add to a report what takes a key: every message (of the packs in `only`), databases, deliveries, leftovers."""
    listed = PackFiles(keys.paths).names()  # before the catalogue is read: what comes later is no leftover
    problems = [problem for problem in report.problems if not _told_again(problem)]
    unsteady, remarks, opened_messages = list(report.unsteady), list(report.remarks), 0
    opening, between, credential = None, list[Problem](), None
    try:
        with open_unlocked(settings, keys, write=False) as opened:
            credential = opened.credential
            problems += _databases(opened)
            opening = _open_all(opened.catalogue, opened.vault, keys, only, on_progress)
            between = list(_between_files(opened))
            problems += _records(opened)
            remarks += _in_vain(opened, listed)
            remarks += _of_another_release(opened)
    except (IntegrityError, NoArchiveError, WrongKeyError) as error:
        problems.append(_of_database(keys, error))
    if between:
        between, unsettled = _once_more(settings, keys, between)
        problems += between
        remarks += unsettled
    if opening is None:
        try:
            opening = _open_without_index(keys, only, on_progress)
        except (IntegrityError, NoArchiveError, WrongKeyError) as error:
            problems.append(_of_database(keys, error))
    if opening is not None:
        problems += opening.problems
        unsteady += opening.unsteady
        opened_messages = opening.opened
    damaged, absent = _collector(settings, keys, credential)
    problems += damaged
    return replace(
        report,
        checked_full=True,
        problems=tuple(dict.fromkeys(problems)),
        unsteady=tuple(unsteady),
        remarks=(*absent, *remarks),
        messages=opened_messages,
    )


def _between_files(opened: Opened) -> Iterator[Problem]:
    """Compare files, and tables, with each other; these are several readings, between which a writer may work."""
    if index_version(opened.connection) == SCHEMA_VERSION:
        yield from verify_index(opened.catalogue, opened.index)
    elif not index_version(opened.connection):
        yield Problem("index.db", "the index was begun and is not there; `archiver reindex` builds it", kind="index")
    yield from _consistency(opened)
    yield from _deliveries(opened)
    yield from _erasures(opened)


def _of_another_release(opened: Opened) -> Iterator[Problem]:
    if index_version(opened.connection) not in (0, SCHEMA_VERSION):
        yield Problem(
            "index.db", "index.db is of another release; the next sync or search builds it anew", kind="index"
        )


def _once_more(settings: Settings, keys: Keys, found: list[Problem]) -> tuple[list[Problem], list[Problem]]:
    """Compare again while nobody writes; return problems and remarks.

    An index that somebody is building for longer than we wait is no damage, and is remarked. Whatever cannot be
    compared again counts as it was found.
    """
    try:
        with writer_lock(keys.paths.lock("archive"), command="verify", now=clock(), wait_seconds=_LOCK_WAIT):
            now = renewed(keys, locked=True)
            with open_unlocked(settings, now, write=False) as opened:
                return list(_between_files(opened)), []
    except LockedError:
        being_built = [problem for problem in found if problem.kind == "index"]
        return [problem for problem in found if problem.kind != "index"], being_built
    except ShortageError:
        raise
    except (DiskError, IntegrityError, NoArchiveError, WrongKeyError):
        return found, []


def _open_all(
    catalogue: SqliteCatalogue,
    vault: PackVault,
    keys: Keys,
    only: Collection[str] | None,
    on_progress: OnProgress,
) -> Opening:
    chosen = None if only is None else frozenset(only)
    opening = Opening(catalogue, PackFiles(keys.paths), vault, only=chosen, on_progress=on_progress)
    opening.run()
    return opening


def _open_without_index(keys: Keys, only: Collection[str] | None, on_progress: OnProgress) -> Opening:
    """Open the messages of an archive whose index cannot be opened."""
    with ExitStack() as stack:
        catalogue = open_catalogue(keys.paths, keys.secret.database_key, readonly=True)
        stack.callback(catalogue.close)
        digest_key = stored_credential(catalogue).digest_key
        vault = PackVault(keys.paths, archive_id=keys.archive.archive_id, digest_key=digest_key)
        stack.callback(vault.close)
        return _open_all(catalogue, vault, keys, only, on_progress)


def _of_database(keys: Keys, error: ArchiverError) -> Problem:
    """Say of a database that it does not open; with the right keys at hand a wrong key is damage, too."""
    missing = "index.db" if keys.paths.database.exists() else "archive.db"
    told = error.what if isinstance(error, IntegrityError) else error.message.partition(" ")[0]
    if told == "keyring.json":
        return Problem(told, error.message, kind="public")
    what = told if told in {"archive.db", "index.db"} else missing
    return Problem(what, error.message, kind="index" if what == "index.db" else "database")


def _told_again(problem: Problem) -> bool:
    """Tell whether opening the databases says the same thing better."""
    return problem.kind in {"database", "index", "collector", "pending"} and "missing" not in problem.message


def _databases(opened: Opened) -> Iterator[Problem]:
    # The index has the catalogue attached: what is said of that here is said again below.
    lines = opened.connection.check()
    if any(not line.startswith("archive.db") and "in database cat" not in line for line in lines):
        yield Problem("index.db", _structure("index.db", lines), kind="index")
    if lines := opened.catalogue.connection.check():
        yield Problem("archive.db", _structure("archive.db", lines), kind="database")


def _structure(name: str, lines: Sequence[str]) -> str:
    """Return what SQLite says of a damaged database in one line."""
    first = " ".join(lines[0].replace("*** in database main ***", "").split())[:100]
    return first if first.startswith(name) else f"{name} is damaged: {first}"


def _consistency(opened: Opened) -> Iterator[Problem]:
    """Compare what the tables say with each other."""
    from archiver.core.customers.editing import directory_of
    from archiver.core.linking.relinking import is_stale
    from archiver.core.verify import verify_links
    from archiver.store.links import SqliteLinks

    for stray in Mending(opened.catalogue.connection).strays():
        yield Problem("archive.db", stray, kind="catalogue")
    for pack in opened.lost_packs():
        message = f"the keys of pack {pack[:12]} are missing; `archiver sync` fetches again what servers have of it"
        yield Problem("archive.db", message, kind="catalogue")
    links = SqliteLinks(opened.catalogue.connection)
    directory = directory_of(opened.customers.all(), opened.rules())
    yield from verify_links(links, links, None if is_stale(opened.catalogue, directory) else directory)


def _deliveries(opened: Opened) -> Iterator[Problem]:
    deliveries = opened.deliveries
    for name in deliveries.waiting():
        try:
            deliveries.open(name)
        except FileNotFoundError:
            continue  # taken in meanwhile
        except IntegrityError as error:
            yield Problem(f"pending/{name}", error.message, kind="pending")


def _erasures(opened: Opened) -> Iterator[Problem]:
    """Compare erasures.log with the tombstones: without it, a restore of an older backup knows nothing of them."""
    logged = read_erasures(erasure_log_of(opened.keys.paths), opened.credential.mac_key).erased
    begun = opened.erasures.under_way(Stage.INTENDED)
    if missing := sum(blob_id not in logged and blob_id not in begun for blob_id, _ in opened.erasures.erased()):
        erasures = "1 erasure is" if missing == 1 else f"{missing:,} erasures are"
        yield Problem(
            "erasures.log", f"{erasures} not in erasures.log; `archiver repair` writes it again", kind="erasures"
        )


def _records(opened: Opened) -> Iterator[Problem]:
    """Open the records of the audit trail; what their order shows is known already, and said once."""
    from archiver.app.audit_reading import findings_of

    try:
        findings = findings_of(opened.keys, opened)
    except ShortageError:
        raise
    except DiskError as error:
        yield Problem("audit", error.message, kind="audit")
        return
    for finding in findings:
        if finding.broken:
            yield Problem(finding.what, finding.message, kind="audit")


def _in_vain(opened: Opened, listed: Sequence[str]) -> Iterator[Problem]:
    """Name packs whose keys nobody has: left by a collector that was killed before it had written them."""
    paths = opened.keys.paths
    named = {pack_of(name) for name in waiting_names(paths)} | opened.catalogue.pack_names()
    packs, now = PackFiles(paths), time.time()
    for name in listed:
        if name not in named and packs.exists(name) and now - packs.modified(name) > OLD_ENOUGH:
            try:
                blob_ids = {placed.header.blob_id for placed in packs.headers(name)}
            except (IntegrityError, FormatError):
                continue  # its digest tells
            if lacking := blob_ids - opened.catalogue.known(blob_ids):
                message = (
                    f"nobody has its keys, and {len(lacking):,} of its messages (of {len(blob_ids):,}) are nowhere"
                    " else: a newer archive.db has them, if there is one; or import them again"
                )
            else:
                message = (
                    "sealed in vain: nobody has its keys, and its mail was fetched again; `archiver repair` removes it"
                )
            yield Problem(f"pack {name}", message, kind="sealed-in-vain")


def _collector(
    settings: Settings, keys: Keys, kept: CollectorCredential | None
) -> tuple[Sequence[Problem], Sequence[Problem]]:
    """Check collect.db and the credential that opens it; return problems and remarks.

    A credential that is missing costs no mail: `kept`, the catalogue's copy, opens collect.db as well.
    """
    if not keys.paths.collect_database.exists():
        return [], []
    named = str(settings.archive.collector_key_file)
    problems, remarks, credential = list[Problem](), list[Problem](), kept
    try:
        found = read_credential(settings, keys.archive)
    except ShortageError:
        raise
    except ConfigurationError as error:
        missing = isinstance(error.__cause__, FileNotFoundError)
        message = _NO_CREDENTIAL if missing else error.message
        remarks.append(Problem(named, message, kind="absent"))
    except ArchiverError as error:
        problems.append(Problem(named, error.message, kind="credential"))
    else:
        credential = kept or found
        if credential != found:
            problems.append(Problem(named, f"{named} is not this archive's credential", kind="credential"))
    if credential is not None:
        problems += _collect_database(keys.paths, credential)
    return problems, remarks


def _collect_database(paths: ArchivePaths, credential: CollectorCredential) -> Sequence[Problem]:
    try:
        with open_database(paths.collect_database, credential.collect_key, readonly=True) as connection:
            lines = connection.check()
            return [Problem("collect.db", _structure("collect.db", lines), kind="collector")] if lines else []
    except DiskError:
        raise  # a full disk is no damage
    except ArchiverError as error:
        return [Problem("collect.db", error.message, kind="collector")]
