"""What the audit trail says of one action: who, when, what, why. The query itself is never part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

ACTIONS: tuple[str, ...] = (
    "search",
    "facets",
    "saved",
    "saved-change",
    "show",
    "thread",
    "why",
    "history",
    "waiting",
    "unlinked",
    "ambiguous",
    "export",
    "customer-find",
    "customer-list",
    "customer-show",
    "customer-export",
    "customer-change",
    "customer-import",
    "link",
    "unlink",
    "undo",
    "relink",
    "sync",
    "import",
    "take-in",
    "reindex",
    "verify",
    "repair",
    "erase",
    "backup",
    "restore",
    "unlock",
    "lock",
    "key-add",
    "key-remove",
    "key-rotate",
    "key-drill",
    "key-accept",
    "audit-list",
    "audit-verify",
    "checkpoint",
)
"""What is recorded, by the names that `audit list` prints and `[audit] require_reason` understands."""

WITHIN = {"customer-export": "customer-list"}
"""Actions that want a reason where another one does, of which they are a graver form."""

BY_ITSELF = frozenset({"sync", "take-in", "checkpoint", "lock"})
"""What happens without a person, or must never be refused: no reason is wanted by "all"."""

_Octets32 = Annotated[bytes, Meta(min_length=32, max_length=32)]


class AuditEvent(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, kw_only=True):
    """One action. The order of the fields is the format's (docs/format.md).

    `at` is in microseconds since 1970, `who` the person, `user` the one that the process ran as, `claimed` whom sudo
    named where the kernel says otherwise or nothing. `query` is a keyed digest. `form` says how a message was shown,
    `note` is more about the action, such as a checkpoint's line. `tail` tells of a trail that did not end well before
    this record: octets that a crash left and that were cut off, or a damaged record.
    """

    version: Literal[1] = 1
    at: Annotated[int, Meta(ge=0)]
    action: str
    who: str
    user: str
    claimed: str | None = None
    messages: tuple[_Octets32, ...] = ()
    customers: tuple[str, ...] = ()
    query: _Octets32 | None = None
    reason: str | None = None
    numbers: Mapping[str, int] = {}
    form: str | None = None
    note: str | None = None
    tail: str | None = None
