"""The one place that wires: settings, keys, stores, servers and parsers become use cases that the command line calls.

A module for each kind of use; the names here are imported from them when first used, so that a command pays only for
what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

_HOME = {
    "prepare_archive": "creating",
    "lock": "unlocking",
    "unlock": "unlocking",
    "import_paths": "syncing",
    "sync": "syncing",
    "open_archive": "reading",
    "audit_checkpoint": "audit_reading",
    "audit_list": "audit_reading",
    "audit_verify": "audit_reading",
    "change_customers": "customers",
    "save_search": "saving",
    "remove_search": "saving",
    "doctor": "checking",
    "status": "upkeep",
    "backup": "backing_up",
    "verify_backup": "backing_up",
    "restore": "restoring",
    "repair": "repairing",
    "verify": "verifying",
    "key_accept": "keys",
    "key_add": "keys",
    "key_drill": "drilling",
    "key_list": "keys",
    "key_remove": "keys",
    "key_rotate": "rotating",
}

if TYPE_CHECKING:
    from archiver.app.audit_reading import audit_checkpoint, audit_list, audit_verify
    from archiver.app.backing_up import backup, verify_backup
    from archiver.app.checking import doctor
    from archiver.app.creating import prepare_archive
    from archiver.app.customers import change_customers
    from archiver.app.drilling import key_drill
    from archiver.app.keys import key_accept, key_add, key_list, key_remove
    from archiver.app.reading import open_archive
    from archiver.app.repairing import repair
    from archiver.app.restoring import restore
    from archiver.app.rotating import key_rotate
    from archiver.app.saving import remove_search, save_search
    from archiver.app.syncing import import_paths, sync
    from archiver.app.unlocking import lock, unlock
    from archiver.app.upkeep import status
    from archiver.app.verifying import verify
else:

    def __getattr__(name: str) -> object:
        """Import what is asked for."""
        if name not in _HOME:
            raise AttributeError(name)
        return getattr(import_module(f"archiver.app.{_HOME[name]}"), name)


__all__ = [
    "audit_checkpoint",
    "audit_list",
    "audit_verify",
    "backup",
    "change_customers",
    "doctor",
    "import_paths",
    "key_accept",
    "key_add",
    "key_drill",
    "key_list",
    "key_remove",
    "key_rotate",
    "lock",
    "open_archive",
    "prepare_archive",
    "remove_search",
    "repair",
    "restore",
    "save_search",
    "status",
    "sync",
    "unlock",
    "verify",
    "verify_backup",
]
