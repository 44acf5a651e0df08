"""A search whose index is not what it should be: behind, damaged, of another shape, gone, or in another's hands."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app import opening
from archiver.app.reading import OpenArchive
from archiver.app.unlocking import find_keys
from archiver.config import ArchiveSettings, SearchSettings, Settings, SyncSettings
from archiver.crypto.kdf import KdfBounds
from archiver.errors import IntegrityError, LockedError
from archiver.model.identity import Identity
from archiver.store import index_db
from archiver.store.ciphers import beginning_of, cipher_of
from archiver.store.connection import open_database
from archiver.store.lock import writer_lock
from tests.twins.archive import CHEAP
from tests.twins.linked_archive import letter

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(CHEAP)
MESSAGES = 30


def ask() -> str | None:
    return PASSPHRASE


@dataclass
class Archive:
    settings: Settings

    @property
    def index(self) -> Path:
        return self.settings.archive.path / "index.db"

    @contextmanager
    def opened(self) -> Iterator[OpenArchive]:
        with app.open_archive(self.settings, ask=ask, bounds=BOUNDS) as archive:
            yield archive

    def found(self) -> tuple[int, int]:
        """Search; return how much was found, and how much is said to be missing."""
        with self.opened() as archive:
            page = archive.search("question")
            return page.total, page.unindexed

    def reindex(self) -> None:
        with self.opened() as archive:
            archive.reindex()

    @contextmanager
    def another_writes(self) -> Iterator[None]:
        lock = self.settings.archive.path / "archive.lock"
        with writer_lock(lock, command="reindex", now=datetime.now(tz=UTC)):
            yield

    def change(self, *statements: str) -> None:
        keys = find_keys(self.settings, ask=ask, bounds=BOUNDS)
        assert keys is not None
        with open_database(self.index, keys.secret.index_key) as index:
            for statement in statements:
                index.execute(statement)
            index.checkpoint()

    def told(self, question: str) -> object:
        keys = find_keys(self.settings, ask=ask, bounds=BOUNDS)
        assert keys is not None
        with open_database(self.index, keys.secret.index_key, readonly=True) as index:
            (answer,) = index.one(question) or (None,)
            return answer


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    settings = Settings(
        ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        Identity(("ours.test",)),
        sync=SyncSettings(workers=1),
    )
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    (tmp_path / "mail").mkdir()
    for number in range(1, MESSAGES + 1):
        (tmp_path / "mail" / f"{number:02}.eml").write_bytes(letter("jan@acme.example", number=number))
    app.import_paths(settings, [tmp_path / "mail"], ask=ask, bounds=BOUNDS)
    return Archive(settings)


def test_what_another_process_has_not_indexed_yet_is_counted(archive: Archive) -> None:
    assert archive.found() == (MESSAGES, 0)
    archive.change(
        "DELETE FROM mail WHERE rowid IN (SELECT slot FROM slots ORDER BY slot DESC LIMIT 7)",
        "DELETE FROM slots WHERE slot IN (SELECT slot FROM slots ORDER BY slot DESC LIMIT 7)",
        f"UPDATE progress SET watermark = {MESSAGES - 7}",
    )
    with archive.another_writes():
        assert archive.found() == (MESSAGES - 7, 7)
    assert archive.found() == (MESSAGES, 0)


def test_an_index_of_an_earlier_release_becomes_a_new_file_with_todays_cipher(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_db, "fastest_cipher", lambda: "chacha20")
    archive.reindex()
    assert cipher_of(beginning_of(archive.index)) == "chacha20"
    monkeypatch.setattr(index_db, "fastest_cipher", lambda: "aegis")
    assert archive.found() == (MESSAGES, 0)
    assert cipher_of(beginning_of(archive.index)) == "chacha20", "an index that serves is left alone"
    archive.change("PRAGMA user_version = 5")
    assert archive.found() == (MESSAGES, 0)
    assert cipher_of(beginning_of(archive.index)) == "aegis"


def test_other_languages_have_the_families_of_words_made_anew_by_whoever_writes_next(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def families() -> object:
        with archive.opened() as opened:
            assert opened.search("questions").total == MESSAGES
        return archive.told("SELECT languages FROM lexicon_state")

    monkeypatch.setattr(opening, "_LARGE_RUN", MESSAGES)  # then the words are sorted at its end
    archive.reindex()
    assert families() == "de en fr nl"
    archive.settings = replace(archive.settings, search=SearchSettings(("fr", "en")))
    with archive.another_writes():
        assert families() == "de en fr nl", "found, but more slowly"
    assert families() == "en fr"


@pytest.mark.parametrize("change", ["PRAGMA user_version = 1", "PRAGMA user_version = 99", "DROP TABLE lexicon_state"])
def test_an_index_of_another_shape_is_built_anew_and_meanwhile_a_search_says_by_whom(
    archive: Archive, change: str
) -> None:
    archive.change(change)
    with archive.another_writes(), pytest.raises(LockedError, match="archiver reindex"):
        archive.found()
    assert archive.found() == (MESSAGES, 0)


def test_an_index_that_a_search_builds_anew_has_no_gaps_where_the_old_one_was(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_LARGE_RUN", MESSAGES)
    archive.change(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 500)"
        " INSERT INTO facts (direction, language, types) SELECT 9, hex(randomblob(1000)), i FROM n",
        "PRAGMA user_version = 1",
    )
    before = archive.index.stat().st_size
    assert archive.found() == (MESSAGES, 0)
    assert archive.index.stat().st_size < before - 500 * 2000


def test_words_that_a_stopped_run_left_behind_are_completed_by_the_next_search(archive: Archive) -> None:
    archive.change("DELETE FROM lexicon", "UPDATE lexicon_state SET version = version + 1, standing = 2")
    with archive.another_writes(), archive.opened() as opened:
        assert opened.search("questions").total == 0, "as typed only, for the time being"
    with archive.opened() as opened:
        assert opened.search("questions").total == MESSAGES
        assert opened.search("*estio*").total == MESSAGES


def test_an_index_that_is_gone_is_built_anew(archive: Archive) -> None:
    archive.index.unlink()
    with archive.another_writes(), pytest.raises(LockedError, match="archiver reindex"):
        archive.found()
    assert archive.found() == (MESSAGES, 0)


def test_an_index_deleted_while_it_is_searched_is_missed_by_the_next_search_only(archive: Archive) -> None:
    with archive.opened() as opened:
        assert opened.search("question").total == MESSAGES
        for each in archive.index.parent.glob("index.db*"):
            each.unlink()
        assert opened.search("question").total == MESSAGES
        assert opened.search("nr-1", sort="relevance").total >= 0
    assert archive.found() == (MESSAGES, 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_page_is_told_with_its_way_out_or_mended_and_never_a_bug(archive: Archive, seed: int) -> None:
    """Searches meet the damage at any of their steps; what they find all the same is all there is."""
    archive.change("PRAGMA wal_checkpoint(TRUNCATE)")
    octets = bytearray(archive.index.read_bytes())
    pick = random.Random(seed)
    for _ in range(1 + seed % 3):
        octets[pick.randrange(len(octets))] ^= 1 << pick.randrange(8)
    archive.index.write_bytes(octets)
    told: IntegrityError | None = None
    try:
        assert archive.found() == (MESSAGES, 0)
        with archive.opened() as opened:
            opened.search("vraag*", sort="relevance")
            opened.search("qestion~")
            opened.facets("question")
    except IntegrityError as error:
        told = error
    if told is not None:
        assert (told.what, told.hint) == ("index.db", "run `archiver reindex`: nothing is lost")
        with archive.opened() as opened:
            assert opened.reindex() == MESSAGES
        assert archive.found() == (MESSAGES, 0)


def test_every_page_of_the_index_damaged_in_turn_is_never_read_as_good(archive: Archive) -> None:
    archive.change("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = archive.index.read_bytes()
    told: Counter[str | None] = Counter()
    with archive.opened() as opened:
        good = [opened.search(query).total for query in ("question", "questions", "qu*", "questoin~")]
    for page in range(0, len(whole), 4096):
        octets = bytearray(whole)
        octets[page + 2000] ^= 16
        archive.index.write_bytes(octets)
        try:
            with app.open_archive(archive.settings, ask=ask, take_in=False, bounds=BOUNDS) as opened:
                found = [opened.search(query).total for query in ("question", "questions", "qu*", "questoin~")]
        except IntegrityError as error:
            told[error.hint] += 1
        else:
            assert found == good
    assert sum(told.values()) > len(whole) // 4096 // 2
    assert set(told) == {"run `archiver reindex`: nothing is lost"}
