"""What the names in a query stand for: mailboxes, customers, contacts, Message-IDs, looked up in the catalogue.

Knows the catalogue's tables that it may read (`cat`); records of customers it knows only by whom it asks.
"""

# ruff: noqa: S608 - the statements are our own; values are bound

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archiver.model.fields import FieldKind
from archiver.search.plan import ROW, Condition

if TYPE_CHECKING:
    from archiver.core.ports import Connection

CustomerLookUp = Callable[[str, bool], tuple[Sequence[int], Sequence[str]]]
"""Told a text and whether it is only the beginning of a name, returns internal ids, and near references when none."""

ContactLookUp = Callable[[str, bool], tuple[Sequence[str], Sequence[str]]]
"""Likewise, returns the addr-specs of the contacts that are meant, and near names when none is."""


class CatalogueNames:
    """`archiver.search.compile.Names` over the catalogue."""

    def __init__(
        self,
        connection: Connection,
        message_id_hash: Callable[[str], int] | None,
        customers: CustomerLookUp | None,
        contacts: ContactLookUp | None,
    ) -> None:
        self._connection = connection
        self._hash = message_id_hash
        self._customers = customers
        self._contacts = contacts

    def customers(self, value: str, *, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:
        """Ask whoever knows the records."""
        return ((), ()) if self._customers is None else self._customers(value, prefix)

    def contacts(self, value: str, *, prefix: bool) -> tuple[Sequence[str], Sequence[str]]:
        """Ask whoever knows the records; without one, an address stands for itself."""
        if self._contacts is None:
            return ((value,) if "@" in value and not prefix else ()), ()
        return self._contacts(value, prefix)

    def mailboxes(self, kind: FieldKind, value: str, *, prefix: bool) -> Sequence[int] | None:
        """Compare names without case; a mailbox also by any run of its path's parts, and by its special use."""
        rows = list(self._connection.execute("SELECT id, account, display, special_use FROM cat.mailboxes"))
        if not rows:
            return None
        wanted = value.casefold()
        found = []
        for identifier, account, display, special_use in rows:
            if kind is FieldKind.ACCOUNT:
                names = [str(account)]
            else:
                names = [*_runs(str(display)), str(special_use or "").removeprefix("\\"), str(special_use or "")]
                if wanted == "inbox":  # many servers keep all mailboxes below it
                    names = [str(display)]
            folded = [name.casefold() for name in names if name]
            if any(name.startswith(wanted) if prefix else name == wanted for name in folded):
                found.append(int(str(identifier)))
        return found

    def message_id(self, value: str) -> Condition:
        """Compare exactly; by the thread that the hash leads to when the hash is known."""
        sql = f"EXISTS (SELECT 1 FROM cat.messages AS m WHERE m.row = {ROW} AND m.message_id = ?)"
        if self._hash is None:
            return Condition(sql, (value,))
        thread = (
            "SELECT coalesce(d.into_thread, i.thread) FROM cat.message_ids AS i "
            "LEFT JOIN cat.merged AS d ON d.thread = i.thread WHERE i.hash = ?"
        )
        return Condition(
            f"{ROW} IN (SELECT row FROM cat.messages WHERE thread IN ({thread}) AND message_id = ?)",
            (self._hash(value), value),
        )


def _runs(display: str) -> list[str]:
    """Return every run of a mailbox path's parts, as written: a/b/c → a, a/b, a/b/c, b, b/c, c."""
    starts = [0, *(i + 1 for i, c in enumerate(display) if c in "/.")]
    ends = [*(i for i, c in enumerate(display) if c in "/."), len(display)]
    return [display[start:end] for start in starts for end in ends if start < end]
