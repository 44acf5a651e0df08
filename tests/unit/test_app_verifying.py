"""`archiver verify --full` beside writers: what is being made is no damage, and what is damaged is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from archiver import app
from archiver.app import verifying
from archiver.app.opening import Opened, open_collect_store
from archiver.app.unlocking import require_keys
from archiver.config import ArchiveSettings, Settings, SyncSettings
from archiver.core.verify import Problem
from archiver.crypto.collector import CollectorCredential, create_credential
from archiver.crypto.kdf import KdfBounds
from archiver.errors import ConfigurationError, IntegrityError
from archiver.model.identity import Identity
from archiver.search.index import SCHEMA_VERSION
from archiver.store.connection import open_database
from archiver.store.layout import ArchivePaths
from archiver.store.lock import writer_lock
from tests.twins.archive import CHEAP, Clock
from tests.twins.linked_archive import letter

BOUNDS = KdfBounds.exactly(CHEAP)


def ask() -> str:
    return "only for tests, long enough"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made") / "home"
    (home / "mail").mkdir(parents=True)
    settings = at_home(home)
    app.prepare_archive(settings, ask(), kdf=CHEAP, bounds=BOUNDS).commit()
    for number in (1, 2):
        (home / "mail" / f"{number}.eml").write_bytes(letter("jan@acme.example", text="words", number=number))
    app.import_paths(settings, [home / "mail"], ask=ask, bounds=BOUNDS)
    return home


def at_home(home: Path) -> Settings:
    return Settings(
        ArchiveSettings(home / "archive", home / "collector-key"),
        Identity(("ours.test",)),
        sync=SyncSettings(workers=1),
    )


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    shutil.copytree(made, tmp_path / "home")
    return at_home(tmp_path / "home")


def change_index(settings: Settings, sql: str) -> None:
    keys = require_keys(settings, ask=ask, bounds=BOUNDS)
    with open_database(keys.paths.index, keys.secret.index_key) as connection:
        connection.execute(sql)


def verified(settings: Settings) -> tuple[list[str], list[str]]:
    report = app.verify(settings, full=True, ask=ask, bounds=BOUNDS)
    return [each.message for each in report.problems], [each.message for each in report.remarks]


def test_what_a_writer_was_in_the_middle_of_is_no_damage(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first, looked = [Problem("index.db", "1 of 2 messages are indexed", kind="index")], verifying._between_files
    times: list[bool] = []

    def once_bad(opened: Opened) -> list[Problem]:
        times.append(True)
        return first if len(times) == 1 else list(looked(opened))

    monkeypatch.setattr(verifying, "_between_files", once_bad)
    assert verified(settings) == ([], [])
    assert len(times) == 2


def test_an_index_that_lacks_messages_is_damage_once_nobody_writes(settings: Settings) -> None:
    change_index(settings, "DELETE FROM slots WHERE slot = (SELECT max(slot) FROM slots)")
    change_index(settings, "DELETE FROM mail WHERE rowid = (SELECT max(rowid) FROM mail)")
    problems, _ = verified(settings)
    assert [line for line in problems if "1 of 2 messages are indexed" in line]


def test_an_index_that_somebody_builds_all_the_while_is_remarked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_LOCK_WAIT", 0.1)
    behind = Problem("index.db", "0 of 2 messages are indexed", kind="index")
    stray = Problem("archive.db", "a row without its message", kind="catalogue")
    monkeypatch.setattr(verifying, "_between_files", lambda _: [behind, stray])
    with writer_lock(ArchivePaths(settings.archive.path).lock("archive"), command="reindex", now=Clock()()):
        problems, remarks = verified(settings)
    assert (problems, remarks) == ([stray.message], [behind.message])


def test_an_index_of_another_release_is_no_damage_and_one_that_was_only_begun_is_named(settings: Settings) -> None:
    change_index(settings, f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    problems, remarks = verified(settings)
    assert problems == []
    assert [line for line in remarks if "of another release" in line]
    # A reindex that was killed when it had made the file, and no table in it yet.
    change_index(settings, "PRAGMA user_version = 0")
    problems, remarks = verified(settings)
    assert problems == ["the index was begun and is not there; `archiver reindex` builds it"]
    assert app.repair(settings, ask=ask, confirm=lambda _: True, bounds=BOUNDS).steps
    assert verified(settings) == ([], [])


def test_a_credential_that_is_missing_is_no_damage_and_repair_writes_it_again(settings: Settings) -> None:
    written = settings.archive.collector_key_file.read_bytes()
    settings.archive.collector_key_file.unlink()
    problems, remarks = verified(settings)
    assert problems == []
    assert [line for line in remarks if "`archiver repair` writes it again" in line]
    with pytest.raises(ConfigurationError, match="is missing") as refused, open_collect_store(settings):
        pass
    assert "archiver repair" in str(refused.value.hint)
    repaired = app.repair(settings, ask=ask, confirm=lambda _: True, bounds=BOUNDS)
    assert ([step.action for step in repaired.steps], repaired.exit_code) == (["credential"], 0)
    assert settings.archive.collector_key_file.read_bytes() == written
    assert settings.archive.collector_key_file.stat().st_mode & 0o777 == 0o600
    assert verified(settings) == ([], [])


def test_without_its_credential_a_damaged_collector_database_is_found_all_the_same(settings: Settings) -> None:
    settings.archive.collector_key_file.unlink()
    database = settings.archive.path / "collect.db"
    octets = bytearray(database.read_bytes())
    octets[4096 + 50] ^= 1
    database.write_bytes(octets)
    report = app.verify(settings, full=True, ask=ask, bounds=BOUNDS)
    assert [problem.kind for problem in report.problems] == ["collector"]


def test_a_credential_that_others_may_read_is_told_and_another_ones_is_damage(settings: Settings) -> None:
    path = settings.archive.collector_key_file
    path.chmod(0o644)
    problems, remarks = verified(settings)
    assert problems == []
    assert [line for line in remarks if "can be read or changed by others" in line]
    path.chmod(0o600)
    credential = CollectorCredential.from_bytes(path.read_bytes())
    others = create_credential(archive_id=bytes(16), random=os.urandom)
    forged = create_credential(archive_id=credential.archive_id, random=os.urandom)
    for octets in (others.to_bytes(), forged.to_bytes(), b"{}"):
        path.write_bytes(octets)
        report = app.verify(settings, full=True, ask=ask, bounds=BOUNDS)
        assert [problem.kind for problem in report.problems] == ["credential"]
        with pytest.raises(IntegrityError, match="credential") as refused:
            app.repair(settings, ask=ask, confirm=lambda _: True, bounds=BOUNDS)
        assert "move it away" in str(refused.value.hint)
