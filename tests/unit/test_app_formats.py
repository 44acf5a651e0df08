"""After an upgrade whoever comes first converts the archive, also a reader, and nobody notices anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver import app
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import Keys, find_keys
from archiver.config import ArchiveSettings, Settings, SyncSettings
from archiver.crypto.kdf import KdfBounds
from archiver.errors import FormatError, LockedError
from archiver.model.customer import Customer
from archiver.model.identity import Identity
from archiver.store import schema
from archiver.store.connection import open_database
from archiver.store.lock import writer_lock
from tests.twins.archive import CHEAP
from tests.twins.first_release import make_first_format
from tests.twins.linked_archive import letter

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(CHEAP)
VAT = "BE0428759497"


def ask() -> str | None:
    return PASSPHRASE


def keys_of(settings: Settings) -> Keys:
    keys = find_keys(settings, ask=ask, bounds=BOUNDS)
    assert keys is not None
    return keys


def bring(settings: Settings, *letters: bytes, unlocked: bool = True) -> None:
    folder = settings.archive.path.parent / "mail"
    folder.mkdir()
    for number, octets in enumerate(letters):
        (folder / f"{number}.eml").write_bytes(octets)
    app.import_paths(settings, [folder], ask=ask if unlocked else (lambda: None), bounds=BOUNDS)
    shutil.rmtree(folder)


@pytest.fixture
def upgraded(tmp_path: Path) -> Settings:
    """An archive with two messages that the first release took in, and nobody has opened since."""
    settings = Settings(
        ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        Identity(("ours.test",)),
        sync=SyncSettings(workers=1),
    )
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    bring(settings, letter("jan@acme.example", number=1), letter("x@x.example", text=f"our VAT: {VAT}", number=2))
    keys = keys_of(settings)
    with open_database(keys.paths.database, keys.secret.database_key) as database:
        make_first_format(database)
    return settings


def found(settings: Settings, query: str = "question") -> Sequence[tuple[str, ...]]:
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        return [item.summary.customers for item in archive.search(query).items]


def counted(settings: Settings) -> int | None:
    return app.status(settings, ask=ask, bounds=BOUNDS).unlinked


def verified(settings: Settings) -> list[str]:
    return [problem.message for problem in app.verify(settings, full=True, ask=ask, bounds=BOUNDS).problems]


def waiting(settings: Settings) -> int:
    with app.open_archive(settings, ask=ask, take_in=False, bounds=BOUNDS) as archive:
        return archive.waiting(everyone=True).total


def reindexed(settings: Settings) -> int:
    with app.open_archive(settings, ask=ask, take_in=False, bounds=BOUNDS) as archive:
        return archive.reindex()


@pytest.mark.parametrize(
    ("first", "expected"), [(found, [(), ()]), (counted, 2), (verified, []), (waiting, 2), (reindexed, 2)]
)
def test_the_first_command_after_an_upgrade_just_works_whatever_it_is(
    upgraded: Settings, first: Callable[[Settings], object], expected: object
) -> None:
    assert first(upgraded) == expected
    assert verified(upgraded) == []


def test_mail_that_waited_while_the_release_changed_is_taken_in_by_a_search(upgraded: Settings) -> None:
    bring(upgraded, letter("an@acme.example", number=3), unlocked=False)
    assert len(found(upgraded)) == 3


def test_a_customer_may_come_before_the_first_run_that_completes_earlier_mail(upgraded: Settings) -> None:
    with app.change_customers(upgraded, ask=ask, command="customer add", bounds=BOUNDS) as editor:
        editor.add(Customer("K1", "Firm", vat=VAT, domains=("acme.example",)))
    assert sorted(found(upgraded)) == [(), ("K1",)]
    assert verified(upgraded) == []
    bring(upgraded, letter("later@x.example", number=3))
    assert sorted(found(upgraded)) == [(), ("K1",), ("K1",)]
    assert verified(upgraded) == []


def test_readers_who_come_together_convert_it_once(upgraded: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(found, [upgraded] * 8)) == [[(), ()]] * 8


def test_while_somebody_writes_the_first_reader_says_who_it_is(upgraded: Settings) -> None:
    keys = keys_of(upgraded)
    with (
        writer_lock(keys.paths.lock("archive"), command="sync", now=datetime.now(tz=UTC)),
        pytest.raises(LockedError, match="archiver sync"),
        open_unlocked(upgraded, keys, write=False, wait=0.0),
    ):
        pass
    assert found(upgraded) == [(), ()]


def test_an_archive_of_a_newer_release_is_left_alone(upgraded: Settings) -> None:
    keys = keys_of(upgraded)
    with open_database(keys.paths.database, keys.secret.database_key) as database:
        database.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    for first in (found, counted, waiting):
        with pytest.raises(FormatError, match="reads up to"):
            first(upgraded)
