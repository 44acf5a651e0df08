"""Power cut after every durable step of a rotation: the old epoch or the new one opens, with all that is in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from archiver import app
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import find_keys
from archiver.config import ArchiveSettings, Settings, SyncSettings
from archiver.crypto.kdf import KdfBounds
from archiver.errors import ArchiverError
from archiver.model.identity import Identity
from tests.twins.archive import CHEAP
from tests.twins.linked_archive import letter
from tests.twins.power_cut import PowerCut, PowerCutError, lose

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(CHEAP)


def ask() -> str | None:
    return PASSPHRASE


def _made(home: Path) -> Settings:
    settings = Settings(
        ArchiveSettings(home / "archive", home / "collector-key"),
        Identity(("ours.test",)),
        sync=SyncSettings(workers=1),
    )
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    (home / "mail.eml").write_bytes(letter("zebra"))
    app.import_paths(settings, [home / "mail.eml"], ask=ask, bounds=BOUNDS)
    return settings


def _again(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _wrong(settings: Settings) -> str | None:
    """Say what whoever comes first finds wrong: a reader, and then a writer."""
    try:
        for write in (False, True):
            keys = find_keys(settings, ask=ask, bounds=BOUNDS)
            assert keys is not None
            with open_unlocked(settings, keys, write=write) as opened:
                if opened.catalogue.counts().messages != 1 or opened.index.count() != 1:
                    return "something is missing"
    except ArchiverError as error:
        return error.message
    return None


def _found_wrong(home: Path, *, forgets_directory_syncs: bool = False) -> Iterator[str]:
    settings = _made(home)
    root, before, cut = settings.archive.path, home / "before", home / "cut"
    _again(root, before)
    counting = PowerCut()
    app.key_rotate(settings, ask=ask, bounds=BOUNDS, disk=counting)
    for step in range(1, counting.steps + 1):
        _again(before, root)
        disk = PowerCut(at=step, after=True, forgets_directory_syncs=forgets_directory_syncs)
        try:
            app.key_rotate(settings, ask=ask, bounds=BOUNDS, disk=disk)
        except PowerCutError:
            pass
        else:
            raise AssertionError("it was not cut")
        _again(root, cut)
        for number, undone in enumerate(disk.states()):
            if number:
                _again(cut, root)
            lose(undone)
            found = _wrong(settings)
            if found is not None:
                lost = ", ".join(f"{each.kind} {each.path.name}" for each in undone)
                yield f"after step {step}, without {lost}: {found}"


def test_a_power_cut_leaves_the_old_epoch_or_the_new_one(quick_path: Path) -> None:
    assert list(_found_wrong(quick_path)) == []


def test_the_model_notices_when_names_are_not_made_durable(quick_path: Path) -> None:
    assert next(_found_wrong(quick_path, forgets_directory_syncs=True), None) is not None
