"""What `backup --json` and `restore --json` print; the contract of `archiver.cli.shapes` holds here too."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

from archiver.cli.shapes import Json, moment

if TYPE_CHECKING:
    from archiver.cli.backup_answers import BackupCheck, BackupReport, RestoreReport


def backup(report: BackupReport, zone: tzinfo | None) -> Json:
    """Return what a backup came to."""
    return {
        "generation": report.generation,
        "created": moment(report.created, zone),
        "state": {"files": report.state_files, "octets": report.state_octets},
        "packs": report.packs,
        "copied": report.copied,
        "octets": report.octets,
        "damaged": list(report.damaged),
        "rescued": list(report.rescued),
        "mended": list(report.mended),
        "vanished": list(report.vanished),
        "generations": list(report.generations),
        "removed": list(report.removed),
        "erased_before": moment(report.erased_before, zone),
        "erased_gone_by": moment(report.erased_gone_by, zone),
        "seconds": round(report.seconds, 3),
    }


def checked(found: BackupCheck, zone: tzinfo | None) -> Json:
    """Return what a check of backups found, newest generation first."""
    return {
        "archive": found.archive_id,
        "good": not found.problems,
        "packs": found.packs,
        "octets": found.octets,
        "generations": [
            {
                "generation": each.generation,
                "created": moment(each.created, zone),
                "state_octets": each.state_octets,
                "packs": each.packs,
                "messages": each.messages,
                "problems": list(each.problems),
            }
            for each in found.generations
        ],
        "problems": list(found.problems),
    }


def restored(report: RestoreReport, zone: tzinfo | None) -> Json:
    """Return what a restore came to."""
    return {
        "origin": report.origin,
        "created": moment(report.created, zone),
        "messages": report.messages,
        "packs": report.packs,
        "octets": report.octets,
        "indexed": report.indexed,
        "missing": report.missing,
        "lost": report.lost,
        "erased": report.erased,
        "erasures_known": report.erasures_known,
        "erasures_unread": report.erasures_unread,
        "set_aside": None if report.set_aside is None else str(report.set_aside),
        "credential": report.credential,
        "revived_keys": list(report.revived.names),
        "keys_rotated_since": report.revived.rotated,
        "seconds": round(report.seconds, 3),
    }
