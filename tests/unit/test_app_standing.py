"""What `archiver doctor` finds of owner, keys, memory, the person behind it and the walls of a service."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.app import standing
from archiver.app.checking import doctor
from archiver.app.people import Person
from archiver.config import ArchiveSettings, Settings
from archiver.crypto.kdf import KdfBounds
from archiver.crypto.keyring import create_keyring
from archiver.model.account import Account
from archiver.model.identity import Identity
from archiver.store.layout import ArchivePaths
from tests.twins.archive import CHEAP

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def settings_with(home: Path, machine_key: Path | None = None) -> Settings:
    return Settings(ArchiveSettings(home / "archive", home / "collector", machine_key), Identity(("example.be",)))


@pytest.fixture
def paths(tmp_path: Path) -> ArchivePaths:
    found = ArchivePaths(tmp_path / "archive")
    for directory in (found.root, found.packs, found.pending):
        directory.mkdir()
    (found.root / "archive.json").write_bytes(b"")
    (found.pending / "one.pending").write_bytes(b"")
    return found


def test_an_archive_that_is_all_ones_own_is_fine(paths: ArchivePaths) -> None:
    assert standing.owner(paths, user=os.geteuid()).ok is True


def test_another_user_than_the_owner_is_told_how_to_become_it(paths: ArchivePaths) -> None:
    found = standing.owner(paths, user=os.geteuid() + 1)
    assert found.ok is False
    assert found.hint is not None
    assert found.hint.startswith("sudo -u ")


@pytest.mark.parametrize("name", ["archive.json", "pending/one.pending", "packs"])
def test_what_another_user_made_within_is_named(
    paths: ArchivePaths, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        status = real(path)
        if path != paths.root / name:
            return status
        fields = list(status)
        fields[4] = status.st_uid + 1
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "lstat", lstat)
    found = standing.owner(paths, user=os.geteuid())
    assert (found.ok, name in found.message) == (False, True)
    assert "chown" in (found.hint or "")


def test_core_dumps_are_seen_to_be_off_only_when_they_are() -> None:
    # What cannot be undone is done in a process of its own.
    program = (
        "import resource; from archiver.app import standing; from archiver.crypto import hardening; "
        "print(standing.core_dumps().ok); "
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print(standing.core_dumps().ok); "
        "hardening.forbid_core_dumps(); print(standing.core_dumps().ok)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.split() == ["None", "None", "True"]


@pytest.mark.parametrize(
    ("lines", "ok"),
    [
        ([], True),
        (["/dev/dm-1 partition 1 0 -2"], True),
        (["/dev/zram0 partition 1 0 -2"], True),
        (["/dev/sda2 partition 1 0 -2"], None),
        (["/dev/dm-1 partition 1 0 -2", "/swapfile file 1 0 -3"], None),
    ],
    ids=["none", "mapped", "in memory", "a partition", "one of two"],
)
def test_swap_that_may_lie_open_on_a_disk_is_told(tmp_path: Path, lines: list[str], ok: bool | None) -> None:
    listing = tmp_path / "swaps"
    listing.write_text("\n".join(["Filename Type Size Used Priority", *lines]) + "\n")
    found = standing.swap(listing)
    assert found is not None
    assert found.ok is ok


def test_swap_that_cannot_be_seen_is_not_spoken_of(tmp_path: Path) -> None:
    assert standing.swap(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("person", "login", "user", "ok"),
    [
        (Person("an", "archiver"), 1001, 992, True),
        (Person("an", "archiver", "an"), None, 992, True),
        (Person("archiver", "archiver"), None, 992, None),
        (Person("an", "an"), None, 1001, True),
        (Person("root", "root"), None, 0, True),
    ],
    ids=["logged in", "named by sudo", "nobody known", "a person's own user", "root"],
)
def test_a_trail_that_could_name_no_person_is_worth_a_look(
    person: Person, login: int | None, user: int, ok: bool | None
) -> None:
    found = standing.recorded_as(person, login=login, user=user)
    assert found.ok is ok
    assert person.name in found.message


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        ("NoNewPrivs:\t1\nSeccomp:\t2\n", ""),
        ("NoNewPrivs:\t0\nSeccomp:\t2\n", "NoNewPrivileges="),
        ("NoNewPrivs:\t1\nSeccomp:\t0\nSeccomp_filters:\t3\n", "SystemCallFilter="),
    ],
)
def test_a_service_without_its_walls_is_told(tmp_path: Path, status: str, missing: str) -> None:
    (tmp_path / "status").write_text(status)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "imap_info").write_bytes(b"canary")
    found = standing.service({"CREDENTIALS_DIRECTORY": str(tmp_path / "given")}, status=tmp_path / "status")
    assert found is not None
    assert found.ok is (None if missing else True)
    assert missing in found.message
    assert "imap_info" in found.message
    assert "canary" not in found.message


def test_outside_of_a_service_nothing_is_said_of_one() -> None:
    assert standing.service({}) is None


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_machine_key_is_tried_and_only_one_that_opens_the_archive_is_fine(tmp_path: Path) -> None:
    keyring, secret, _ = create_keyring(
        archive_id=bytes(16),
        passphrase="een goede wachtzin",
        kdf=CHEAP,
        bounds=KdfBounds.exactly(CHEAP),
        now=NOW,
        random=os.urandom,
    )
    assert standing.machine_key(settings_with(tmp_path), keyring) is None
    file = tmp_path / "machine-key"
    keyring, key = keyring.add_machine(secret, name="host", now=NOW, random=os.urandom)
    elsewhere = standing.machine_key(settings_with(tmp_path), keyring)
    assert elsewhere is not None
    assert (elsewhere.ok, "not at hand" in elsewhere.message) == (True, True)

    file.write_bytes(key.to_bytes())
    file.chmod(0o600)
    opens = standing.machine_key(settings_with(tmp_path, file), keyring)
    assert opens is not None
    assert opens.ok is True

    removed = standing.machine_key(settings_with(tmp_path, file), keyring.remove(secret, "host"))
    file.chmod(0o644)
    readable = standing.machine_key(settings_with(tmp_path, file), keyring)
    for wrong in (removed, readable):
        assert wrong is not None
        assert (wrong.ok, bool(wrong.hint)) == (False, True)
        assert key.secret.hex() not in wrong.message


def test_a_disk_that_became_read_only_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk() -> bool | None:
        return next(check.ok for check in doctor(settings_with(tmp_path), connect=False) if check.name == "disk")

    assert disk() is not False
    real = os.statvfs(tmp_path)
    fields = [real.f_bsize, real.f_frsize, real.f_blocks, real.f_bfree, real.f_bavail, real.f_files, real.f_ffree]
    read_only = os.statvfs_result((*fields, real.f_favail, real.f_flag | os.ST_RDONLY, real.f_namemax))
    monkeypatch.setattr(os, "statvfs", lambda _: read_only)
    assert disk() is False


def test_a_password_that_only_a_service_gets_is_no_failure_elsewhere(tmp_path: Path) -> None:
    account = Account("info", "imap.example.be", "info", password_credential="imap_info")
    settings = Settings(
        ArchiveSettings(tmp_path / "archive", tmp_path / "collector"), Identity(("example.be",)), (account,)
    )
    (found,) = [check for check in doctor(settings) if check.name == "account info"]
    assert found.ok is None
    assert "archiver-doctor" in (found.hint or "")
