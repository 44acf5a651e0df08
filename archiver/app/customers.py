"""Changing customers in a real archive: the use cases of `archiver.core.customers.editing`, under the writer's lock.

Before anything is changed, mail that waits is taken in, unless a sync waits to do that itself, and the index is brought
up to the catalogue: a number of a new customer is looked for in the index, and nothing may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from archiver.app.opening import Opened, open_unlocked
from archiver.app.people import this_user
from archiver.app.reading import OpenArchive
from archiver.app.unlocking import AskPassphrase, Keys, require_keys
from archiver.config import Settings
from archiver.core.customers.editing import CustomerEditing, relink_when_stale
from archiver.core.ingest import take_in
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import IntegrityError

_LOCK_WAIT = 10.0
"""Seconds to wait for another writer."""


class CustomerEditor(CustomerEditing):
    """The customers of an unlocked archive, for changing."""

    def __init__(self, settings: Settings, keys: Keys, opened: Opened, *, dry_run: bool) -> None:
        super().__init__(opened.edit_ports(), opened.rules(), who=this_user(), dry_run=dry_run)
        self._reading = (settings, keys, opened)

    @property
    def archive(self) -> OpenArchive:
        """The archive for reading, as it is now: ask again after a change, because a reader remembers the records."""
        return OpenArchive(*self._reading)


@contextmanager
def change_customers(
    settings: Settings,
    *,
    ask: AskPassphrase,
    command: str,
    dry_run: bool = False,
    bounds: KdfBounds = DEFAULT_BOUNDS,
    wait: float = _LOCK_WAIT,
) -> Iterator[CustomerEditor]:
    """Unlock, open for writing and bring up to date; with `dry_run` the changes are worked out and not kept.

    Waits so many seconds for another writer. Raises NoArchiveError, LockedError (naming who writes), WrongKeyError,
    IntegrityError.
    """
    keys = require_keys(settings, ask=ask, bounds=bounds)
    with ExitStack() as stack:
        try:
            opened = _open(settings, keys, stack, command=command, wait=wait)
        except IntegrityError as error:
            if error.what != keys.paths.index.name:
                raise
            stack.close()
            opened = _open(settings, keys, stack, command=command, wait=wait, new_index=True)
        yield CustomerEditor(settings, keys, opened, dry_run=dry_run)


def _open(
    settings: Settings, keys: Keys, stack: ExitStack, *, command: str, wait: float, new_index: bool = False
) -> Opened:
    opened = stack.enter_context(
        open_unlocked(settings, keys, write=True, new_index=new_index, command=command, wait=wait)
    )
    take_in(opened.ingest_ports(), pause=opened.is_wanted)
    relink_when_stale(opened.edit_ports(), opened.rules())
    return opened
