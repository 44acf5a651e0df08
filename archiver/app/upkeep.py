"""`archiver status`: whether everything is there, as far as it is known without looking at each message."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from archiver.app.opening import open_unlocked
from archiver.app.unlocking import AskPassphrase, Keys, find_keys, read_credential, read_public
from archiver.config import Settings
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import ConfigurationError, FormatError, UnreadableError, WrongKeyError
from archiver.model.account import IMPORTED
from archiver.model.status import Failure, MailboxStatus
from archiver.search.index import SCHEMA_VERSION, index_version
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
    """Report the figures; without a key those of the collector only, for which its credential is enough.

    A machine's key that opens nothing is a problem of the set-up, named in the report; a person's is a WrongKeyError.
    """
    paths, archive, _ = read_public(settings, bounds=bounds)
    problems: list[str] = []
    keys = _keys_at_hand(settings, ask or _nobody, bounds, problems)
    totals = StatusReport(None, None, len(waiting_names(paths)), None, None, keys is not None, (), (), ())
    credential = None
    if keys is not None:
        totals, credential = _totals(settings, keys, totals, problems)
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


def _keys_at_hand(settings: Settings, ask: AskPassphrase, bounds: KdfBounds, problems: list[str]) -> Keys | None:
    """Return what opens the archive, if anything does; the collector's figures need none."""
    given = None

    def asked() -> str | None:
        nonlocal given
        given = ask()
        return given

    try:
        return find_keys(settings, ask=asked, bounds=bounds)
    except (WrongKeyError, FormatError, ConfigurationError, UnreadableError) as error:
        if given is not None:
            raise
        problems.append(error.message)
        return None


def _totals(
    settings: Settings, keys: Keys, totals: StatusReport, problems: list[str]
) -> tuple[StatusReport, CollectorCredential]:
    with open_unlocked(settings, keys, write=False) as opened:
        counts = opened.catalogue.counts()
        totals = replace(
            totals,
            messages=counts.messages,
            octets=counts.octets,
            indexed=opened.index.count() if index_version(opened.connection) == SCHEMA_VERSION else 0,
            defects=counts.defects,
            unlinked=counts.unlinked,
            customers=counts.customers,
        )
        if damaged := len(opened.catalogue.damaged()):
            several = "1 message does" if damaged == 1 else f"{damaged:,} messages do"
            problems.append(f"{several} not open any more: archiver repair")
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
