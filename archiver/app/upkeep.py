"""`archiver status` and `archiver verify`: whether everything is there."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from archiver.app.opening import Opened, open_unlocked
from archiver.app.unlocking import AskPassphrase, Keys, find_keys, read_credential, read_public, require_keys
from archiver.config import Settings
from archiver.core.progress import OnProgress, silent
from archiver.core.verify import Problem, VerifyReport, verify_messages, verify_packs
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import ArchiverError, ConfigurationError, IntegrityError, NoArchiveError
from archiver.model.account import IMPORTED
from archiver.model.status import Failure, MailboxStatus
from archiver.store.connection import open_database
from archiver.store.deliveries import waiting_names
from archiver.store.layout import ArchivePaths


class StatusReport(Struct, frozen=True):
    """Totals (None without a key) and, per mailbox, whether everything on the server is accounted for."""

    messages: int | None
    octets: int | None
    pending: int
    indexed: int | None
    defects: int | None
    unlocked: bool
    accounts: tuple[MailboxStatus, ...]
    failures: tuple[Failure, ...]
    problems: tuple[str, ...]
    unlinked: int | None = None
    customers: int | None = None

    @property
    def complete(self) -> bool:
        """Tell whether nothing is missing anywhere."""
        return all(mailbox.complete for mailbox in self.accounts) and not self.problems


def status(settings: Settings, *, ask: AskPassphrase | None, bounds: KdfBounds = DEFAULT_BOUNDS) -> StatusReport:
    """Report the figures; without a key those of the collector only, for which its credential is enough."""
    paths, archive, _ = read_public(settings, bounds=bounds)
    keys = find_keys(settings, ask=ask or _nobody, bounds=bounds)
    problems: list[str] = []
    totals = StatusReport(None, None, len(waiting_names(paths)), None, None, keys is not None, (), (), ())
    credential = None
    if keys is not None:
        totals, credential = _totals(settings, keys, totals)
    else:
        try:
            credential = read_credential(settings, archive)
        except ConfigurationError as error:
            problems.append(f"the collector's figures cannot be read: {error.message}")
    mailboxes, failures = _collected(paths, credential)
    if settings.source is not None:
        mailboxes, failures = _configured(settings, mailboxes, failures)
    return replace(totals, accounts=tuple(mailboxes), failures=tuple(failures), problems=tuple(problems))


def _configured(
    settings: Settings, mailboxes: Sequence[MailboxStatus], failures: Sequence[Failure]
) -> tuple[Sequence[MailboxStatus], Sequence[Failure]]:
    """Keep to the accounts of the configuration, in its order, and to what was imported; name those never collected."""
    names = [account.name for account in settings.accounts]
    rows: list[MailboxStatus] = []
    for name in names:
        own = [mailbox for mailbox in mailboxes if mailbox.account == name]
        rows += own or [MailboxStatus(name, "", 0, 0, 0, 0, 0, None, "not collected yet")]
    rows += [mailbox for mailbox in mailboxes if mailbox.account == IMPORTED]
    return rows, [failure for failure in failures if failure.account in names]


def _nobody() -> str | None:
    return None


def _totals(settings: Settings, keys: Keys, totals: StatusReport) -> tuple[StatusReport, CollectorCredential]:
    with open_unlocked(settings, keys, write=False) as opened:
        counts = opened.catalogue.counts()
        totals = replace(
            totals,
            messages=counts.messages,
            octets=counts.octets,
            indexed=opened.index.count(),
            defects=counts.defects,
            unlinked=counts.unlinked,
            customers=counts.customers,
        )
        return totals, opened.credential


def _collected(
    paths: ArchivePaths, credential: CollectorCredential | None
) -> tuple[Sequence[MailboxStatus], Sequence[Failure]]:
    from archiver.store.collect_db import CollectDatabase

    if credential is None or not paths.collect_database.exists():
        return (), ()
    with open_database(paths.collect_database, credential.collect_key, readonly=True) as connection:
        database = CollectDatabase(connection, readonly=True)
        return database.statuses(), database.failures()


def verify(
    settings: Settings,
    *,
    full: bool,
    ask: AskPassphrase,
    on_progress: OnProgress = silent,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> VerifyReport:
    """Check every pack file; with `full`, which needs a key, also every message, the databases and what is pending."""
    from archiver.store.packs import PackFiles

    paths, _, _ = read_public(settings, bounds=bounds)
    packs = PackFiles(paths)
    if not full:
        return verify_packs(packs, on_progress=on_progress)
    keys = require_keys(settings, ask=ask, bounds=bounds)
    report = verify_packs(packs, on_progress=on_progress)
    problems = list(report.problems)
    try:
        with open_unlocked(settings, keys, write=False) as opened:
            problems += [Problem(line.partition(":")[0], line) for line in opened.connection.check()]
            problems += [Problem("archive.db", line) for line in opened.catalogue.connection.check()]
            problems += verify_messages(opened.catalogue, packs, opened.vault, opened.index, on_progress=on_progress)
            problems += [
                Problem(
                    "archive.db", f"the keys of pack {pack[:12]} are missing; `archiver sync` fetches its mail again"
                )
                for pack in opened.lost_packs()
            ]
            problems += _check_links(opened)
            ports = opened.ingest_ports()
            for name in ports.deliveries.waiting():
                try:
                    ports.deliveries.open(name)
                except IntegrityError as error:
                    problems.append(Problem(error.what, error.message))
    except (IntegrityError, NoArchiveError) as error:
        what = error.what if isinstance(error, IntegrityError) else "index.db"
        problems.append(Problem(what, error.message))
    problems += _check_collector(paths, settings, keys)
    return replace(report, checked_full=True, problems=tuple(problems))


def _check_links(opened: Opened) -> Sequence[Problem]:
    from archiver.core.customers.editing import directory_of
    from archiver.core.linking.relinking import is_stale
    from archiver.core.verify import verify_links
    from archiver.store.links import SqliteLinks

    links = SqliteLinks(opened.catalogue.connection)
    directory = directory_of(opened.customers.all(), opened.rules())
    return list(verify_links(links, links, None if is_stale(opened.catalogue, directory) else directory))


def _check_collector(paths: ArchivePaths, settings: Settings, keys: Keys) -> list[Problem]:
    if not paths.collect_database.exists():
        return []
    try:
        credential = read_credential(settings, keys.archive)
    except (ConfigurationError, IntegrityError) as error:
        return [Problem(str(settings.archive.collector_key_file), error.message)]
    try:
        with open_database(paths.collect_database, credential.collect_key, readonly=True) as connection:
            return [Problem("collect.db", line) for line in connection.check()]
    except ArchiverError as error:
        return [Problem("collect.db", error.message)]
