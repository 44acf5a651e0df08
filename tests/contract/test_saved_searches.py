"""What every store of saved searches promises; run by the twin in memory and by archive.db."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.core.ports import SavedSearches
from archiver.model.search import SavedSearch
from archiver.store.saved import SqliteSavedSearches
from tests.twins.archive import START, Archive
from tests.twins.stores import MemorySavedSearches

OFFERS = SavedSearch("Open-offers", "subject:offerte is:unlinked", START)


@pytest.fixture(params=["memory", "sqlite"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SavedSearches]:
    if request.param == "memory":
        yield MemorySavedSearches()
        return
    catalogue = Archive(tmp_path / "archive").create().catalogue()
    yield SqliteSavedSearches(catalogue.connection)
    catalogue.close()


def test_nothing_is_saved_at_first(saved: SavedSearches) -> None:
    assert list(saved.all()) == []
    assert saved.get("open-offers") is None
    assert not saved.remove("open-offers")


def test_a_search_is_found_by_its_name_in_whatever_case_and_keeps_its_own(saved: SavedSearches) -> None:
    saved.put(OFFERS)
    assert saved.get("OPEN-OFFERS") == OFFERS
    assert saved.get("open-offer") is None


def test_a_name_is_one_whatever_its_case(saved: SavedSearches) -> None:
    saved.put(OFFERS)
    later = SavedSearch("open-OFFERS", "subject:offre", START + timedelta(hours=1))
    saved.put(later)
    assert list(saved.all()) == [later]


def test_letters_beyond_ascii_have_no_case_either(saved: SavedSearches) -> None:
    saved.put(SavedSearch("Überfällig", "rechnung", START))
    found = saved.get("ÜBERFÄLLIG")
    assert found is not None
    assert found.query == "rechnung"


def test_all_come_by_name(saved: SavedSearches) -> None:
    for name in ("b", "C", "a"):
        saved.put(SavedSearch(name, f"query {name}", START))
    assert [each.name for each in saved.all()] == ["a", "b", "C"]


def test_a_search_that_is_removed_is_gone_and_the_others_stay(saved: SavedSearches) -> None:
    saved.put(OFFERS)
    saved.put(SavedSearch("other", "x", START))
    assert saved.remove("open-OFFERS")
    assert [each.name for each in saved.all()] == ["other"]
    assert not saved.remove("open-offers")
