"""What is asked of archive.db for each message that is opened or listed is answered by an index, not by a walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from archiver.model.delivery import Delivery, SealedRecord
from archiver.model.message import BlobId, Message
from archiver.store.catalogue import SqliteCatalogue
from archiver.store.connection import StoreConnection
from tests.twins.archive import Archive, message_of

BLOB = BlobId(bytes(range(32)))


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqliteCatalogue]:
    opened = Archive(tmp_path / "archive").create().catalogue()
    yield opened
    opened.close()


ASKED: dict[str, Callable[[SqliteCatalogue, int], object]] = {
    "where its octets are": lambda catalogue, row: catalogue.sealed(row),
    "its line": lambda catalogue, row: catalogue.summaries([row]),
    "all about it": lambda catalogue, row: catalogue.details(row),
    "its row": lambda catalogue, _: catalogue.row(BLOB),
    "which begin so": lambda catalogue, _: catalogue.resolve(BLOB.hex()[:8]),
    "which way it went": lambda catalogue, row: catalogue.directions([row]),
    "whether it went beyond its bounds": lambda catalogue, row: catalogue.with_defects([row], ["parse-timeout"]),
    "what a second reading found": lambda catalogue, row: catalogue.note_readings({row: Message()}),
    "what follows": lambda catalogue, _: catalogue.unindexed(0, 10),
}


@pytest.mark.parametrize("what", ASKED)
def test_no_table_is_walked_for_one_message(
    catalogue: SqliteCatalogue, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = SealedRecord(BLOB, 0, 90, 1000, bytes(32))
    row = catalogue.take_in(Delivery("ab" * 32, (record,), ()), [message_of(BLOB)])[BLOB]
    asked: list[str] = []
    for name in ("execute", "one"):
        original = getattr(StoreConnection, name)

        def noted(
            self: StoreConnection, sql: str, bindings: Sequence[object] = (), run: Callable[..., object] = original
        ) -> object:
            asked.append(sql)
            return run(self, sql, bindings)

        monkeypatch.setattr(StoreConnection, name, noted)
    ASKED[what](catalogue, row)
    monkeypatch.undo()
    reading = [sql for sql in asked if sql.startswith("SELECT") and not sql.endswith("LIMIT 1")]
    assert reading
    for sql in reading:
        plan = [
            str(step[3]) for step in catalogue.connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * sql.count("?"))
        ]
        assert not [step for step in plan if step.startswith("SCAN")], sql
