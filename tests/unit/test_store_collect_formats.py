"""A collect.db of the first format: read as it is, converted by the next sync, everything kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.core.footing import Footing
from archiver.errors import FormatError
from archiver.model.octets import BytesOctets
from archiver.store import collect_db, schema
from archiver.store.collect_db import CollectDatabase
from archiver.store.connection import open_database
from tests.twins.archive import INBOX, Archive, entry, mail


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive whose collector is of the release before footings."""
    archive = Archive(tmp_path / "archive").create()
    with monkeypatch.context() as before:
        before.setattr(collect_db, "MIGRATIONS", collect_db.MIGRATIONS[:1])
        store = archive.collect()
        epoch = store.open_epoch("info", INBOX, 7)
        store.add(epoch, entry(1, mail(1)), BytesOctets(mail(1)))
        store.finish(epoch, server=1, uid_next=2, complete=True, problem=None, listed_all=True)
        store.flush()
        store.close()
    return archive


def test_a_reader_needs_no_conversion(older: Archive) -> None:
    with open_database(older.paths.collect_database, older.credential.collect_key, readonly=True) as connection:
        (status,) = CollectDatabase(connection, readonly=True).statuses()
    assert (status.archived, status.complete) == (1, True)


def test_the_next_sync_converts_it_and_keeps_everything(older: Archive) -> None:
    store = older.collect()
    try:
        epoch = store.open_epoch("info", INBOX, 7)
        assert (store.accounted(epoch), store.counters(epoch)) == ({1: "archived"}, (1, 2, True))
        assert store.footing("info") == Footing()
        store.note_footing("info", Footing(failures=2, not_before=datetime(2026, 3, 1, tzinfo=UTC)))
        store.flush()
    finally:
        store.close()
    store = older.collect()
    try:
        assert store.footing("info").failures == 2
    finally:
        store.close()


def test_a_newer_format_is_refused(older: Archive) -> None:
    more: tuple[Callable[..., None], ...] = (*collect_db.MIGRATIONS, lambda _: None)
    with open_database(older.paths.collect_database, older.credential.collect_key) as connection:
        schema.migrate(connection, collect_db.APPLICATION_ID, more)
    with pytest.raises(FormatError, match="format 3"):
        older.collect()
