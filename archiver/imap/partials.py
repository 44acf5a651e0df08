"""Big messages that have arrived in part, kept over reconnects.

Outlives the connection, not the run: nothing here is durable, and the spools encrypt what they hold.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from archiver.core.ports import Spool
from archiver.model.mailbox import Uid

Key = tuple[bytes, int, Uid]
"""(mailbox name, uid validity, uid)."""


class Partial(Struct):
    """The first `received` bytes of a message."""

    spool: Spool
    received: int = 0


class Partials:
    """Partial messages by key, and the messages that once did not come through whole."""

    def __init__(self, new_spool: Callable[[], Spool]) -> None:
        self._new_spool = new_spool
        self._partials: dict[Key, Partial] = {}
        self._cut: set[Key] = set()

    def open(self, key: Key) -> Partial:
        """Return what there is of this message, maybe nothing yet; without UIDVALIDITY always from the start."""
        if key[1] == 0:
            self.drop(key)
        if key not in self._partials:
            self._partials[key] = Partial(self._new_spool())
        return self._partials[key]

    def take(self, key: Key) -> Spool:
        """Hand over a complete message; the caller closes it."""
        return self._partials.pop(key).spool

    def drop(self, key: Key) -> None:
        """Forget what arrived."""
        partial = self._partials.pop(key, None)
        if partial is not None:
            partial.spool.close()

    def note_cut(self, key: Key) -> None:
        """Remember that the connection broke within this message: next time it is asked for in parts."""
        self._cut.add(key)

    def was_cut(self, key: Key) -> bool:
        """Tell whether `note_cut` was called for it."""
        return key in self._cut

    def close(self) -> None:
        """Forget everything."""
        for key in list(self._partials):
            self.drop(key)
        self._cut.clear()
