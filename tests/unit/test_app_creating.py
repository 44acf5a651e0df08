"""An `init` that could not end takes away what it made, or the next one does; nothing else is ever taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver import app
from archiver.app import creating
from archiver.config import ArchiveSettings, Settings
from archiver.crypto.kdf import DEFAULT_BOUNDS
from archiver.errors import DiskError, UsageError
from archiver.model.identity import Identity
from archiver.store.layout import MAKING

PASSPHRASE = "staple quick brown horse"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        archive=ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        identity=Identity(domains=("example.test",)),
    )


def make(settings: Settings) -> None:
    app.prepare_archive(settings, PASSPHRASE, kdf=DEFAULT_BOUNDS.floor).commit()


def fail(settings: Settings, monkeypatch: pytest.MonkeyPatch, *, killed: bool) -> None:
    """Run an init whose disk is full when it comes to the index; a killed one takes nothing away."""

    def full(*_: object) -> None:
        raise DiskError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(creating, "open_index", full)
        if killed:
            patched.setattr(creating, "_discard", lambda _: None)
        with pytest.raises(DiskError):
            make(settings)


def is_whole(settings: Settings) -> bool:
    report = app.verify(settings, full=True, ask=lambda: PASSPHRASE)
    return not report.problems and not (settings.archive.path / MAKING).exists()


def test_an_init_that_failed_leaves_nothing_and_can_be_run_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(settings, monkeypatch, killed=False)
    assert list(settings.archive.path.iterdir()) == []
    assert not settings.archive.collector_key_file.exists()
    make(settings)
    assert is_whole(settings)


def test_what_a_killed_init_left_the_next_one_takes_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(settings, monkeypatch, killed=True)
    assert (settings.archive.path / "archive.db").exists()
    assert settings.archive.collector_key_file.exists()
    make(settings)
    assert is_whole(settings)


def test_a_directory_with_mail_is_never_taken_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(settings, monkeypatch, killed=True)
    pack = settings.archive.path / "packs" / "ab" / f"{'ab' * 32}.pack"
    pack.parent.mkdir()
    pack.write_bytes(b"sealed")
    with pytest.raises(UsageError):
        make(settings)
    assert pack.exists()


@pytest.mark.parametrize("there", ["notes.txt", "packs/notes.txt", "folder/"])
def test_a_directory_with_anything_else_is_refused(settings: Settings, there: str) -> None:
    path = settings.archive.path / there
    path.parent.mkdir(parents=True)
    if there.endswith("/"):
        path.mkdir()
    else:
        path.write_text("mine")
    with pytest.raises(UsageError):
        make(settings)
    assert path.exists()


def test_the_credential_of_another_archive_is_left_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(settings, monkeypatch, killed=True)
    other = settings.archive.path.with_name("other")
    theirs = Settings(archive=ArchiveSettings(other, other.with_name("other-key")), identity=settings.identity)
    make(theirs)
    octets = other.with_name("other-key").read_bytes()
    settings.archive.collector_key_file.write_bytes(octets)
    with pytest.raises(UsageError):
        make(settings)
    assert settings.archive.collector_key_file.read_bytes() == octets
