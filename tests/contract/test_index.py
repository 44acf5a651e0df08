"""What every Index promises; run by the twin in memory and by FTS5 in index.db."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.core.ports import Index
from archiver.model.catalogue import IndexDocument
from archiver.search.index import FullTextIndex
from archiver.store.index_db import open_index
from tests.twins.archive import Archive
from tests.twins.stores import MemoryIndex


@pytest.fixture(params=["memory", "fts5"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    if request.param == "memory":
        yield MemoryIndex()
        return
    archive = Archive(tmp_path / "archive").create()
    with open_index(archive.paths, archive.secret.index_key, archive.secret.database_key) as connection:
        yield FullTextIndex(connection)


def document(row: int, subject: str = "invoice") -> IndexDocument:
    return IndexDocument(
        row=row, subject=subject, from_="a@example.test", to="", cc="", bcc="", text="own", quoted="", filenames=""
    )


def test_it_begins_empty(index: Index) -> None:
    assert (index.count(), index.watermark()) == (0, 0)


def test_documents_and_watermark_move_together(index: Index) -> None:
    index.add([document(5), document(9)], 2)
    assert (index.count(), index.watermark()) == (2, 2)
    index.add([document(7)], 3)
    assert (index.count(), index.watermark()) == (3, 3)


def test_adding_a_row_again_replaces_it(index: Index) -> None:
    index.add([document(5)], 1)
    index.add([document(5, "corrected")], 1)
    assert index.count() == 1


def test_the_watermark_never_goes_back(index: Index) -> None:
    index.add([document(5)], 9)
    index.add([document(6)], 4)
    assert index.watermark() == 9


def test_clearing_makes_room_for_building_anew(index: Index) -> None:
    index.add([document(5)], 9)
    index.clear()
    assert (index.count(), index.watermark()) == (0, 0)
    index.add([document(5)], 1)
    assert (index.count(), index.watermark()) == (1, 1)
