"""What the system does not give back now may be whole: it is read again, or named, and stays where it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from archiver import app
from archiver.config import ArchiveSettings, Settings
from archiver.crypto.kdf import DEFAULT_BOUNDS
from archiver.errors import IntegrityError, UnreadableError
from archiver.model.identity import Identity
from archiver.model.octets import BytesOctets
from tests.crash.flipping import parsing_here
from tests.twins.archive import INBOX, Archive, entry, mail

PASSPHRASE = "staple quick brown horse"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "archive").create()
    store = archive.collect()
    try:
        store.add(store.open_epoch("info", INBOX, 7), entry(1, mail(1)), BytesOctets(mail(1)))
        store.flush()
    finally:
        store.close()
    return archive


def failing(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many readings of records fail."""
    left, plain = [times], os.pread

    def pread(descriptor: int, length: int, offset: int) -> bytes:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.EIO, "Input/output error")
        return plain(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", pread)


def test_a_record_that_cannot_be_read_once_is_read_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = archive.deliveries().waiting()
    delivery = archive.deliveries().open(name)
    vault = archive.vault()
    try:
        failing(1, monkeypatch)
        assert vault.read(delivery.pack or "", delivery.records[0]) == mail(1)
        failing(2, monkeypatch)
        with pytest.raises(IntegrityError):
            vault.read(delivery.pack or "", delivery.records[0])
    finally:
        vault.close()


def test_a_delivery_that_cannot_be_read_is_told_apart_from_a_damaged_one(archive: Archive) -> None:
    (name,) = archive.deliveries().waiting()
    path = archive.paths.pending / name
    octets = path.read_bytes()
    path.unlink()
    path.mkdir()
    with pytest.raises(UnreadableError):
        archive.deliveries().open(name)
    path.rmdir()
    path.write_bytes(octets[:-1])
    with pytest.raises(IntegrityError) as damaged:
        archive.deliveries().open(name)
    assert not isinstance(damaged.value, UnreadableError)


def test_a_delivery_that_cannot_be_read_is_not_set_aside_and_the_next_run_takes_it_in(tmp_path: Path) -> None:
    settings = Settings(
        archive=ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        identity=Identity(domains=("example.test",)),
    )
    app.prepare_archive(settings, PASSPHRASE, kdf=DEFAULT_BOUNDS.floor).commit()
    file = tmp_path / "mail.eml"
    file.write_bytes(mail(1))
    app.import_paths(settings, [file], ask=lambda: None)  # without a key: it waits
    (path,) = (settings.archive.path / "pending").iterdir()
    aside = path.rename(tmp_path / path.name)
    path.mkdir()
    file.write_bytes(mail(2))
    with parsing_here():
        report = app.import_paths(settings, [file], ask=lambda: PASSPHRASE)
        assert report.damaged == (f"pending/{path.name}",)
        assert path.is_dir(), "it was set aside"
        path.rmdir()
        aside.rename(path)
        assert app.import_paths(settings, [file], ask=lambda: PASSPHRASE).damaged == ()
    assert app.status(settings, ask=lambda: PASSPHRASE).messages == 2
