"""The real application: the use cases of `archiver.app`, each imported when it is called.

A command must not wait for what only others need, so that `archiver search` starts fast. `kdf` and `bounds` are for
tests with cheap keys; without them the application's own, strong ones hold.
"""

# ruff: noqa: D102 - the methods are described where they are implemented

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archiver.cli.application import (
    AskPassphrase,
    Check,
    NewArchive,
    OpenArchive,
    SlotInfo,
    SlotKind,
    StatusReport,
    SyncReport,
    VerifyReport,
)
from archiver.core.progress import OnProgress

if TYPE_CHECKING:
    from archiver.config import Settings
    from archiver.crypto.kdf import KdfBounds, KdfParameters


class Wired:
    """Satisfies `archiver.cli.application.Application`."""

    def __init__(self, *, kdf: KdfParameters | None = None, bounds: KdfBounds | None = None) -> None:
        self._kdf: dict[str, Any] = {} if kdf is None else {"kdf": kdf}
        self._bounds: dict[str, Any] = {} if bounds is None else {"bounds": bounds}

    def prepare_archive(self, settings: Settings, passphrase: str) -> NewArchive:
        from archiver.app.creating import prepare_archive

        return prepare_archive(settings, passphrase, **self._kdf)

    def sync(
        self,
        settings: Settings,
        accounts: Sequence[str],
        *,
        collect_only: bool,
        ask: AskPassphrase,
        on_progress: OnProgress,
        stopped: Callable[[], bool],
    ) -> SyncReport:
        from archiver.app.syncing import sync

        return sync(
            settings,
            accounts,
            collect_only=collect_only,
            ask=ask,
            on_progress=on_progress,
            stopped=stopped,
            **self._bounds,
        )

    def import_paths(
        self,
        settings: Settings,
        paths: Sequence[Path],
        *,
        ask: AskPassphrase,
        on_progress: OnProgress,
        stopped: Callable[[], bool],
    ) -> SyncReport:
        from archiver.app.syncing import import_paths

        return import_paths(settings, paths, ask=ask, on_progress=on_progress, stopped=stopped, **self._bounds)

    def open_archive(
        self, settings: Settings, *, ask: AskPassphrase, take_in: bool = True, on_progress: OnProgress | None = None
    ) -> AbstractContextManager[OpenArchive]:
        from archiver.app.reading import open_archive

        return open_archive(settings, ask=ask, take_in=take_in, on_progress=on_progress, **self._bounds)

    def status(self, settings: Settings, *, ask: AskPassphrase | None) -> StatusReport:
        from archiver.app.checking import status

        return status(settings, ask=ask, **self._bounds)

    def verify(self, settings: Settings, *, full: bool, ask: AskPassphrase, on_progress: OnProgress) -> VerifyReport:
        from archiver.app.checking import verify

        return verify(settings, full=full, ask=ask, on_progress=on_progress, **self._bounds)

    def unlock(self, settings: Settings, *, ask: AskPassphrase, seconds: int) -> datetime | None:
        from archiver.app.opening import unlock

        return unlock(settings, ask=ask, seconds=seconds, **self._bounds)

    def lock(self, settings: Settings) -> bool:
        from archiver.app.opening import lock

        return lock(settings)

    def doctor(self, settings: Settings, *, connect: bool) -> Sequence[Check]:
        from archiver.app.checking import doctor

        return doctor(settings, connect=connect)

    def key_list(self, settings: Settings) -> Sequence[SlotInfo]:
        from archiver.app.keys import key_list

        return key_list(settings, **self._bounds)

    def key_add(
        self,
        settings: Settings,
        *,
        name: str,
        kind: SlotKind,
        ask: AskPassphrase,
        new_passphrase: str | None,
        machine_key_file: Path | None,
    ) -> str | None:
        from archiver.app.keys import key_add

        return key_add(
            settings,
            name=name,
            kind=kind,
            ask=ask,
            new_passphrase=new_passphrase,
            machine_key_file=machine_key_file,
            **self._bounds,
        )

    def key_remove(self, settings: Settings, *, name: str, ask: AskPassphrase) -> None:
        from archiver.app.keys import key_remove

        key_remove(settings, name=name, ask=ask, **self._bounds)
