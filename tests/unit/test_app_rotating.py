"""A rotation gives new keys to everything that an old key opened, loses nothing, and may be cut off anywhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app import known_keyring, rotating, syncing
from archiver.app.drilling import Drill
from archiver.app.forgetting import forget_earlier
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import Keys, find_keys, renewed
from archiver.config import ArchiveSettings, Purpose, Settings, SyncSettings, load
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.kdf import KdfBounds
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    DiskError,
    FormatError,
    IntegrityError,
    LockedError,
    UsageError,
    WrongKeyError,
)
from archiver.model.identity import Identity
from archiver.store import rekeying
from archiver.store.connection import open_database
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths
from archiver.store.lock import writer_lock
from tests.twins.archive import CHEAP
from tests.twins.linked_archive import letter

OWNER, ANNA = "only for tests, long enough", "another one for tests"
BOUNDS = KdfBounds.exactly(CHEAP)


def nobody() -> str | None:
    return None


def typing(words: str) -> Callable[[], str | None]:
    return lambda: words


def keys_of(settings: Settings, words: str = OWNER) -> Keys:
    keys = find_keys(settings, ask=typing(words), bounds=BOUNDS)
    assert keys is not None
    return keys


def bring(settings: Settings, *letters: bytes, unlocked: bool = True) -> None:
    folder = settings.archive.path.parent / "mail"
    folder.mkdir()
    for number, octets in enumerate(letters):
        (folder / f"{number}.eml").write_bytes(octets)
    app.import_paths(settings, [folder], ask=typing(OWNER) if unlocked else nobody, bounds=BOUNDS)
    shutil.rmtree(folder)


def settings_for(home: Path) -> Settings:
    return Settings(
        ArchiveSettings(home / "archive", home / "collector-key"),
        Identity(("ours.test",)),
        sync=SyncSettings(workers=1),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two messages, three keys; copied for each test."""
    home = tmp_path_factory.mktemp("made")
    settings = settings_for(home)
    new = app.prepare_archive(settings, OWNER, kdf=CHEAP, bounds=BOUNDS)
    new.commit()
    (home / "code").write_text(new.recovery_code)
    app.key_add(settings, name="anna", kind="passphrase", ask=typing(OWNER), new_passphrase=ANNA, bounds=BOUNDS)
    bring(settings, letter("one zebra"), letter("two zebra"))
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def settings(home: Path) -> Settings:
    return settings_for(home)


@pytest.fixture
def paths(settings: Settings) -> ArchivePaths:
    return ArchivePaths(settings.archive.path)


def rotate(settings: Settings, words: str = OWNER, *, disk: Disk | None = None) -> rotating.Rotation:
    return app.key_rotate(settings, ask=typing(words), bounds=BOUNDS, disk=disk)


def contents(settings: Settings, words: str = OWNER) -> set[bytes]:
    with app.open_archive(settings, ask=typing(words), bounds=BOUNDS) as archive:
        page = archive.search("zebra")
        assert page.total == len(page.items)
        return {archive.octets(item.summary.row) for item in page.items}


def nothing_is_left(paths: ArchivePaths) -> bool:
    return not [path.name for path in paths.root.iterdir() if ".next" in path.name or path.name.endswith(".tmp")]


# --- what a rotation does ---------------------------------------------------------------------------------------------


def test_everybody_opens_a_rotated_archive_with_what_he_had(settings: Settings, home: Path) -> None:
    before = contents(settings)
    assert len(before) == 2
    done = rotate(settings, ANNA)
    assert (done.epoch, done.slots) == (2, 3)
    assert contents(settings) == contents(settings, ANNA) == contents(settings, (home / "code").read_text()) == before


def test_the_old_keys_open_nothing_that_is_there_now(settings: Settings, paths: ArchivePaths) -> None:
    old = keys_of(settings).secret
    rotate(settings)
    new = keys_of(settings).secret
    for path, before, after in (
        (paths.database, old.database_key, new.database_key),
        (paths.index, old.index_key, new.index_key),
    ):
        with pytest.raises(WrongKeyError):
            open_database(path, before)
        open_database(path, after, readonly=True).close()
    assert nothing_is_left(paths)


def test_mail_and_cursors_stay_as_they_are(settings: Settings, paths: ArchivePaths) -> None:
    def untouched() -> dict[str, bytes]:
        files = [*paths.packs.rglob("*.pack"), paths.collect_database, settings.archive.collector_key_file]
        return {str(path): path.read_bytes() for path in files}

    before = untouched()
    rotate(settings)
    assert untouched() == before
    with open_unlocked(settings, keys_of(settings), write=False) as opened:
        assert not opened.index_is_behind(), "the index was carried over, not built anew"
        assert opened.lost_packs() == {}
    assert app.verify(settings, full=True, ask=typing(OWNER), bounds=BOUNDS).problems == ()


def test_what_was_deleted_is_in_no_page_of_the_new_files(settings: Settings, paths: ArchivePaths) -> None:
    keys = keys_of(settings)
    with open_database(paths.database, keys.secret.database_key) as connection:
        connection.execute("PRAGMA secure_delete = 0")
        connection.execute("CREATE TABLE gone (what TEXT)")
        connection.execute("INSERT INTO gone VALUES (?)", ("canary" * 2000,))
        connection.execute("DROP TABLE gone")
        assert connection.integer("PRAGMA freelist_count") > 0
    rotate(settings)
    with open_database(paths.database, keys_of(settings).secret.database_key, readonly=True) as connection:
        assert connection.integer("PRAGMA freelist_count") == 0


def test_the_key_of_the_earlier_audit_log_is_kept(settings: Settings) -> None:
    first = keys_of(settings).secret
    rotate(settings)
    second = keys_of(settings).secret
    rotate(settings)
    with open_unlocked(settings, keys_of(settings), write=False) as opened:
        assert opened.catalogue.meta(f"{rotating.AUDIT_KEY}1") == first.audit_key
        assert opened.catalogue.meta(f"{rotating.AUDIT_KEY}2") == second.audit_key


def test_since_when_the_keys_are_what_they_are_is_told_without_one(settings: Settings) -> None:
    before = app.key_list(settings, bounds=BOUNDS)
    rotate(settings)
    after = app.key_list(settings, bounds=BOUNDS)
    assert (before.epoch, before.rotated) == (1, None)
    assert (after.epoch, after.created, after.slots) == (2, before.created, before.slots)
    assert after.rotated is not None
    assert after.rotated >= before.created


class KeptKeys:
    """The kernel's keyring, as far as one user sees it."""

    kept: tuple[EpochSecret, int] | None = None

    def __init__(self, archive_id: bytes, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def store(self, secret: EpochSecret, *, seconds: int) -> bool:
        KeptKeys.kept = secret, int(self._clock().timestamp()) + seconds
        return True

    def read(self) -> tuple[int, bytes] | None:
        return None if self.kept is None else (self.kept[0].epoch, self.kept[0].export())

    def remaining(self) -> int | None:
        return None if self.kept is None else self.kept[1] - int(self._clock().timestamp())

    def forget(self) -> bool:
        had, KeptKeys.kept = self.kept is not None, None
        return had


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> type[KeptKeys]:
    monkeypatch.setattr("archiver.crypto.session.UnlockSession", KeptKeys)
    monkeypatch.setattr(KeptKeys, "kept", None)
    return KeptKeys


def test_whoever_rotates_stays_unlocked_for_as_long_as_was_left(settings: Settings, session: type[KeptKeys]) -> None:
    app.unlock(settings, ask=typing(OWNER), seconds=1000, bounds=BOUNDS)
    assert session.kept is not None
    _, until = session.kept
    done = rotate(settings)
    assert session.kept is not None
    assert session.kept[0].epoch == 2
    assert abs(session.kept[1] - until) <= 2
    assert done.session_until is not None
    keys = find_keys(settings, ask=nobody, bounds=BOUNDS)
    assert keys is not None


def test_another_users_session_asks_again_after_a_rotation(settings: Settings, session: type[KeptKeys]) -> None:
    app.unlock(settings, ask=typing(OWNER), seconds=1000, bounds=BOUNDS)
    theirs = session.kept
    rotate(settings)
    session.kept = theirs
    with pytest.raises(LockedError, match="locked"), app.open_archive(settings, ask=nobody, bounds=BOUNDS):
        pass


def test_locked_stays_locked_over_a_rotation(settings: Settings, session: type[KeptKeys]) -> None:
    assert rotate(settings).session_until is None
    assert session.kept is None


def test_a_person_is_asked_and_nobody_else_will_do(settings: Settings, home: Path) -> None:
    key_file = home / "machine"
    app.key_add(settings, name="host", kind="machine", ask=typing(OWNER), machine_key_file=key_file, bounds=BOUNDS)
    unattended = replace(settings, archive=replace(settings.archive, machine_key_file=key_file))
    with pytest.raises(LockedError):
        app.key_rotate(unattended, ask=nobody, bounds=BOUNDS)
    rotate(unattended)
    keys = find_keys(unattended, ask=nobody, bounds=BOUNDS)
    assert keys is not None
    assert keys.secret.epoch == 2, "the machine's slot was sealed to as well"


def test_a_machines_key_that_opens_nothing_is_passed_over_for_a_person(settings: Settings, home: Path) -> None:
    key_file, warned = home / "machine", list[str]()
    app.key_add(settings, name="host", kind="machine", ask=typing(OWNER), machine_key_file=key_file, bounds=BOUNDS)
    app.key_remove(settings, name="host", ask=typing(OWNER), bounds=BOUNDS)
    unattended = replace(
        settings,
        archive=replace(settings.archive, machine_key_file=key_file),
        purpose=Purpose(warn=warned.append),
    )

    def emptied() -> None:
        key_file.chmod(0o600)
        key_file.write_bytes(b"")

    spoilt: tuple[tuple[Callable[[], object], type[ArchiverError], str], ...] = (
        (lambda: None, WrongKeyError, "does not open this archive"),
        (lambda: key_file.chmod(0o644), ConfigurationError, "can be read or changed by others"),
        (emptied, FormatError, "not a machine key"),
    )
    for spoil, kind, message in spoilt:
        spoil()
        warned.clear()
        assert find_keys(unattended, ask=typing(OWNER), bounds=BOUNDS) is not None
        assert len(warned) == 1
        assert message in warned[0]
        warned.clear()
        with pytest.raises(kind, match=message) as refused:
            find_keys(unattended, ask=nobody, bounds=BOUNDS)
        assert refused.value.hint is not None
        assert warned == []
    with pytest.raises(WrongKeyError, match="passphrase"):
        find_keys(unattended, ask=typing("a wrong one, long enough"), bounds=BOUNDS)


def test_a_timers_sync_collects_though_its_key_opens_nothing_and_then_says_so(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file, collected = home / "machine", list[bool]()
    app.key_add(settings, name="host", kind="machine", ask=typing(OWNER), machine_key_file=key_file, bounds=BOUNDS)
    app.key_remove(settings, name="host", ask=typing(OWNER), bounds=BOUNDS)
    unattended = replace(settings, archive=replace(settings.archive, machine_key_file=key_file))
    monkeypatch.setattr(syncing, "choose", lambda *_: ())
    monkeypatch.setattr(syncing, "collect_all", lambda *_, **__: collected.append(True))
    with pytest.raises(WrongKeyError):
        app.sync(unattended, ask=nobody, bounds=BOUNDS)
    assert collected == [True]
    with pytest.raises(WrongKeyError):  # whoever is there may want to type it again
        app.sync(
            replace(settings, purpose=Purpose(ask=lambda: "why")), ask=typing("wrong, but long enough"), bounds=BOUNDS
        )
    assert collected == [True]


def test_systemd_hands_the_machines_key_over_as_a_credential(settings: Settings, home: Path) -> None:
    credentials = home / "credentials"
    credentials.mkdir()
    key_file = credentials / "archiver-machine"
    app.key_add(settings, name="host", kind="machine", ask=typing(OWNER), machine_key_file=key_file, bounds=BOUNDS)
    key_file.chmod(0o400)
    (home / "config.toml").write_text(
        f'[archive]\npath = "{settings.archive.path}"\ncollector_key_file = "{settings.archive.collector_key_file}"\n'
        '[identity]\ndomains = ["ours.test"]\n[sync]\nworkers = 1\n'
    )
    handed = load(home / "config.toml", {"CREDENTIALS_DIRECTORY": str(credentials)})
    with app.open_archive(handed, ask=nobody, bounds=BOUNDS) as archive:
        assert archive.search("zebra").total == 2
    without = load(home / "config.toml", {})
    with pytest.raises(LockedError, match="locked"), app.open_archive(without, ask=nobody, bounds=BOUNDS):
        pass


def test_without_room_for_a_second_copy_nothing_is_begun(
    settings: Settings, paths: ArchivePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rekeying, "free_octets", lambda _: 1 << 20)
    before = {path.name: path.read_bytes() for path in paths.root.iterdir() if path.is_file()}
    with pytest.raises(DiskError, match="1 MiB are free"):
        rotate(settings)
    after = {path.name: path.read_bytes() for path in paths.root.iterdir() if path.is_file()}
    assert {name for name in before if before[name] != after[name]} <= {"archive.lock"}


def test_a_damaged_index_is_left_out_and_built_anew(settings: Settings, paths: ArchivePaths) -> None:
    octets = bytearray(paths.index.read_bytes())
    octets[5000:9000] = os.urandom(4000)
    paths.index.write_bytes(octets)
    rotate(settings)
    assert len(contents(settings)) == 2


def test_a_damaged_catalogue_is_not_rotated(settings: Settings, paths: ArchivePaths) -> None:
    octets = bytearray(paths.database.read_bytes())
    octets[-4096:] = os.urandom(4096)
    paths.database.write_bytes(octets)
    keyring = paths.keyring.read_bytes()
    with pytest.raises(IntegrityError):
        rotate(settings)
    assert paths.keyring.read_bytes() == keyring


# --- mail that waits --------------------------------------------------------------------------------------------------


def test_mail_sealed_before_a_rotation_is_taken_in_after_it_and_then_the_old_secret_goes(settings: Settings) -> None:
    bring(settings, letter("three zebra"), unlocked=False)
    rotate(settings)
    assert app.key_list(settings, bounds=BOUNDS).epoch == 2
    assert keys_of(settings).keyring.earlier_epochs == (1,)
    bring(settings, letter("four zebra"), unlocked=False)
    assert len(contents(settings)) == 4
    assert keys_of(settings).keyring.earlier_epochs == (1,), "a search does not change keys"
    bring(settings, letter("five zebra"))
    assert keys_of(settings).keyring.earlier_epochs == ()
    assert len(contents(settings)) == 5


def test_rotating_often_keeps_the_secret_of_one_epoch_before(settings: Settings) -> None:
    bring(settings, letter("three zebra"), unlocked=False)
    for _ in range(3):
        rotate(settings)
    assert keys_of(settings).keyring.earlier_epochs == (3, 2, 1), "mail of the first still waits"
    assert len(contents(settings)) == 3
    rotate(settings)
    assert keys_of(settings).keyring.earlier_epochs == (4,)


def test_while_a_collector_works_the_old_secret_stays(settings: Settings, paths: ArchivePaths) -> None:
    rotate(settings)
    keys = keys_of(settings)
    with open_unlocked(settings, keys, write=True) as opened:
        with writer_lock(paths.lock("collect"), command="sync", now=keys.archive.created):
            assert not forget_earlier(opened.keys, opened.catalogue)
        assert keys_of(settings).keyring.earlier_epochs == (1,)
        assert forget_earlier(opened.keys, opened.catalogue)
    assert keys_of(settings).keyring.earlier_epochs == ()


# --- others at work ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [False, True], ids=["reading", "writing"])
def test_whoever_unlocked_before_a_rotation_goes_on_after_it(settings: Settings, write: bool) -> None:
    keys = keys_of(settings, ANNA)
    rotate(settings)
    with open_unlocked(settings, keys, write=write) as opened:
        assert opened.keys.secret.epoch == 2
        assert opened.catalogue.counts().messages == 2


def test_whoever_lost_his_slot_in_between_is_told_so(settings: Settings) -> None:
    keys = keys_of(settings, ANNA)
    app.key_remove(settings, name="anna", ask=typing(OWNER), bounds=BOUNDS)
    rotate(settings)
    with pytest.raises(LockedError, match="changed while this command ran"), open_unlocked(settings, keys, write=False):
        pass


def test_a_reader_keeps_the_archive_that_it_opened(settings: Settings) -> None:
    with app.open_archive(settings, ask=typing(OWNER), bounds=BOUNDS) as archive:
        assert archive.search("zebra").total == 2
        rotate(settings)
        bring(settings, letter("three zebra"))
        page = archive.search("zebra")
        assert page.total == 2
        assert all(b"zebra" in archive.octets(item.summary.row) for item in page.items)
    assert len(contents(settings)) == 3


def test_keys_that_are_still_right_are_not_opened_again(settings: Settings) -> None:
    keys = keys_of(settings)
    assert renewed(keys) is keys


# --- cut off ----------------------------------------------------------------------------------------------------------


class _Stopped(BaseException):
    """The process ended here."""


class StoppingDisk(Disk):
    """Ends the process before its n-th step."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _Stopped

    def create(self, path: Path, octets: bytes, *, mode: int = 0o600) -> None:
        self._step()
        super().create(path, octets, mode=mode)

    def sync_file(self, path: Path) -> None:
        self._step()
        super().sync_file(path)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def sync_directory(self, path: Path) -> None:
        self._step()
        super().sync_directory(path)

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)


def _cut_off(action: Callable[[Disk], object], fresh: Callable[[], None]) -> Iterator[int]:
    """Do it again and again, ending one step later each time, until it ends by itself; yield the number of steps."""
    for steps in range(200):
        fresh()
        try:
            action(StoppingDisk(steps))
        except _Stopped:
            yield steps
        else:
            return
    raise AssertionError("it never ended")


def test_cut_off_at_any_step_the_old_or_the_new_epoch_is_whole(made: Path, home: Path) -> None:
    settings = settings_for(home)
    paths = ArchivePaths(settings.archive.path)

    def fresh() -> None:
        shutil.rmtree(home)
        shutil.copytree(made, home)

    epochs = []
    for _ in _cut_off(lambda disk: rotate(settings, disk=disk), fresh):
        epochs.append(app.key_list(settings, bounds=BOUNDS).epoch)
        assert len(contents(settings, ANNA)) == 2
        assert rotate(settings, ANNA).epoch == epochs[-1] + 1
        assert nothing_is_left(paths)
        assert len(contents(settings)) == 2
    assert epochs == sorted(epochs)
    assert set(epochs) == {1, 2}


def test_what_a_rotation_left_before_its_commit_point_goes_with_the_next_writer(
    settings: Settings, paths: ArchivePaths
) -> None:
    class Ending(Disk):
        def rename(self, source: Path, target: Path) -> None:
            raise _Stopped

    with pytest.raises(_Stopped):
        rotate(settings, disk=Ending())
    assert len(contents(settings)) == 2
    assert not nothing_is_left(paths)
    with open_unlocked(settings, keys_of(settings), write=True):
        assert nothing_is_left(paths)


def test_a_log_that_a_reader_kept_alive_is_not_taken_for_the_new_databases(
    settings: Settings, paths: ArchivePaths
) -> None:
    keys = keys_of(settings)
    with open_database(paths.database, keys.secret.database_key, readonly=True) as reader, reader.snapshot():
        before = reader.integer("SELECT count(*) FROM messages")
        with open_unlocked(settings, keys, write=True) as opened:
            opened.catalogue.set_meta("test", "x" * 20_000)
        assert paths.database.with_name("archive.db-wal").stat().st_size > 0
        rotate(settings)
        assert len(contents(settings)) == 2
        assert reader.integer("SELECT count(*) FROM messages") == before
    with open_unlocked(settings, keys_of(settings), write=True) as opened:
        assert opened.catalogue.meta("test") == "x" * 20_000
        assert opened.catalogue.connection.check() == ()


@pytest.mark.parametrize("before", ["archive.db", "archive.json"])
def test_a_collector_comes_first_after_a_rotation_was_cut_off(
    settings: Settings, paths: ArchivePaths, before: str
) -> None:
    class Ending(Disk):
        def rename(self, source: Path, target: Path) -> None:
            if target.name == before:
                raise _Stopped
            super().rename(source, target)

    with pytest.raises(_Stopped):
        rotate(settings, disk=Ending())
    bring(settings, letter("three zebra"), unlocked=False)
    assert len(contents(settings, ANNA)) == 3
    assert nothing_is_left(paths)


def test_a_writer_waits_until_a_rotation_behind_its_commit_point_is_completed(
    settings: Settings, paths: ArchivePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ending(Disk):
        def rename(self, source: Path, target: Path) -> None:
            if target == paths.database:
                raise _Stopped
            super().rename(source, target)

    with pytest.raises(_Stopped):
        rotate(settings, disk=Ending())
    monkeypatch.setattr("archiver.app.unlocking._ROTATION_WAIT", 0.0)
    with (
        writer_lock(paths.lock("archive"), command="key rotate", now=datetime.now(UTC)),
        pytest.raises(LockedError, match="key rotate"),
    ):
        app.key_list(settings, bounds=BOUNDS)
    assert app.key_list(settings, bounds=BOUNDS).epoch == 2
    assert nothing_is_left(paths)
    assert len(contents(settings)) == 2


# --- older copies put back --------------------------------------------------------------------------------------------


def _everything_refuses(settings: Settings, words: str) -> None:
    uses: tuple[Callable[[], object], ...] = (
        lambda: contents(settings, words),
        lambda: rotate(settings, words),
        lambda: app.key_add(
            settings, name="x", kind="passphrase", ask=typing(words), new_passphrase="x" * 20, bounds=BOUNDS
        ),
        lambda: app.key_remove(settings, name="anna", ask=typing(words), bounds=BOUNDS),
        lambda: app.key_drill(settings, ask=typing(words), passphrase="anna", bounds=BOUNDS),
    )
    for use in uses:
        with pytest.raises(IntegrityError, match="older copy of one of the two"):
            use()


def test_a_removed_slot_does_not_come_back_with_an_older_keyring(settings: Settings, paths: ArchivePaths) -> None:
    older = paths.keyring.read_bytes()
    app.key_remove(settings, name="anna", ask=typing(OWNER), bounds=BOUNDS)
    newer = paths.keyring.read_bytes()
    paths.keyring.write_bytes(older)
    _everything_refuses(settings, ANNA)
    paths.keyring.write_bytes(newer)
    assert len(contents(settings)) == 2
    with pytest.raises(WrongKeyError):
        contents(settings, ANNA)


def test_a_keyring_of_an_earlier_epoch_is_refused(settings: Settings, paths: ArchivePaths) -> None:
    older = paths.keyring.read_bytes()
    rotate(settings)
    paths.keyring.write_bytes(older)
    with pytest.raises(IntegrityError, match="different epochs"):
        contents(settings)


def test_keyring_and_archive_file_of_an_earlier_epoch_do_not_open_the_database(
    settings: Settings, paths: ArchivePaths
) -> None:
    older = paths.keyring.read_bytes(), paths.archive_file.read_bytes()
    rotate(settings)
    paths.keyring.write_bytes(older[0])
    paths.archive_file.write_bytes(older[1])
    with pytest.raises(WrongKeyError, match=r"archive\.db"):
        contents(settings)


def test_the_whole_of_an_older_state_is_a_state(settings: Settings, home: Path) -> None:
    shutil.copytree(settings.archive.path, home / "backup")
    app.key_remove(settings, name="anna", ask=typing(OWNER), bounds=BOUNDS)
    rotate(settings)
    shutil.rmtree(settings.archive.path)
    shutil.copytree(home / "backup", settings.archive.path)
    assert len(contents(settings, ANNA)) == 2
    assert rotate(settings).epoch == 2


def test_one_who_put_it_back_himself_accepts_it(settings: Settings, paths: ArchivePaths) -> None:
    older = paths.keyring.read_bytes()
    app.key_remove(settings, name="anna", ask=typing(OWNER), bounds=BOUNDS)
    paths.keyring.write_bytes(older)
    names = [slot.name for slot in app.key_accept(settings, ask=typing(OWNER), bounds=BOUNDS)]
    assert names == ["owner", "recovery", "anna"]
    assert len(contents(settings, ANNA)) == 2


@pytest.mark.parametrize("change", ["add", "remove"])
def test_a_change_of_slots_cut_off_at_any_step_is_done_or_not(
    home: Path, made: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(home)

    def fresh() -> None:
        shutil.rmtree(home)
        shutil.copytree(made, home)

    def act(disk: Disk) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("archiver.app.keys.Disk", lambda: disk)
            if change == "add":
                app.key_add(
                    settings, name="x", kind="passphrase", ask=typing(OWNER), new_passphrase="x" * 20, bounds=BOUNDS
                )
            else:
                app.key_remove(settings, name="anna", ask=typing(OWNER), bounds=BOUNDS)

    seen = set()
    for _ in _cut_off(act, fresh):
        seen.add(len(app.key_list(settings, bounds=BOUNDS).slots))
        assert len(contents(settings)) == 2
        app.key_add(
            settings, name="later", kind="passphrase", ask=typing(OWNER), new_passphrase="y" * 20, bounds=BOUNDS
        )
        assert len(contents(settings, "y" * 20)) == 2
    assert seen == {3, 4 if change == "add" else 2}


@pytest.mark.parametrize("failing", ["create", "rename"])
def test_a_machines_key_goes_again_when_its_slot_cannot_be_written(
    settings: Settings, home: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = home / "machine"

    def add() -> None:
        app.key_add(settings, name="host", kind="machine", ask=typing(OWNER), machine_key_file=key_file, bounds=BOUNDS)

    def full(*_: object, **__: object) -> None:
        raise DiskError("the disk is full")

    disk = Disk()
    monkeypatch.setattr(disk, failing, full)
    with monkeypatch.context() as patched:
        patched.setattr("archiver.app.keys.Disk", lambda: disk)
        with pytest.raises(DiskError):
            add()
    assert not key_file.exists()
    add()
    unattended = replace(settings, archive=replace(settings.archive, machine_key_file=key_file))
    assert find_keys(unattended, ask=nobody, bounds=BOUNDS) is not None


def test_a_machines_key_stays_when_its_slot_was_written_after_all(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = home / "machine"

    def failing(*_: object) -> None:
        raise DiskError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(known_keyring, "accept", failing)
        with pytest.raises(DiskError):
            app.key_add(
                settings, name="host", kind="machine", ask=typing(OWNER), machine_key_file=key_file, bounds=BOUNDS
            )
    unattended = replace(settings, archive=replace(settings.archive, machine_key_file=key_file))
    assert find_keys(unattended, ask=nobody, bounds=BOUNDS) is not None


def test_a_machines_key_whose_slot_was_never_written_is_told_and_left(settings: Settings, home: Path) -> None:
    key_file = home / "machine"

    def add(name: str) -> None:
        app.key_add(settings, name=name, kind="machine", ask=typing(OWNER), machine_key_file=key_file, bounds=BOUNDS)

    add("host")
    with pytest.raises(UsageError, match="cannot be written"):
        add("second")  # it is in use
    app.key_remove(settings, name="host", ask=typing(OWNER), bounds=BOUNDS)
    kept = key_file.read_bytes()
    with pytest.raises(UsageError, match="does not open this archive") as refused:
        add("host")
    assert "killed" in str(refused.value.hint)
    assert key_file.read_bytes() == kept


def test_an_archive_that_knows_no_keyring_learns_it_from_whoever_writes_first(
    settings: Settings, paths: ArchivePaths
) -> None:
    keys = keys_of(settings)
    with open_unlocked(settings, keys, write=True) as opened:
        opened.catalogue.connection.execute("DELETE FROM meta WHERE key = ?", (known_keyring.KNOWN,))
    assert len(contents(settings)) == 2
    with open_unlocked(settings, keys, write=True) as opened:
        assert opened.catalogue.meta(known_keyring.KNOWN) == keys.keyring.fingerprint


def test_a_slot_smuggled_in_is_refused_before_a_rotation_seals_to_it(settings: Settings, paths: ArchivePaths) -> None:
    import json

    before = paths.keyring.read_bytes()
    other = settings_for(settings.archive.path.parent / "other")
    app.prepare_archive(other, "somebody else's passphrase", kdf=CHEAP, bounds=BOUNDS).commit()
    mine, theirs = json.loads(before), json.loads(ArchivePaths(other.archive.path).keyring.read_bytes())
    mine["slots"].append({**theirs["slots"][0], "name": "guest"})
    _sign_again(paths.keyring, mine)
    with pytest.raises(IntegrityError, match="does not hold its key"):
        rotate(settings)
    assert nothing_is_left(paths)


def _sign_again(path: Path, fields: dict[str, object]) -> None:
    """Write a keyring with the right checksum, which needs no key."""
    import hashlib

    import msgspec

    def text(values: dict[str, object]) -> bytes:
        return msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n"

    fields.pop("checksum")
    path.write_bytes(text({**fields, "checksum": hashlib.sha256(text(fields)).hexdigest()}))


# --- the drill --------------------------------------------------------------------------------------------------------


def test_a_drill_opens_a_message_with_nothing_but_the_recovery_code(settings: Settings, home: Path) -> None:
    rotate(settings)
    done = app.key_drill(settings, ask=typing((home / "code").read_text()), bounds=BOUNDS)
    assert (done.kind, done.epoch, done.messages) == ("recovery", 2, 2)
    assert done.octets in {len(octets) for octets in contents(settings)}


def test_a_drill_opens_any_of_the_messages(settings: Settings) -> None:
    def drill(number: int) -> Drill:
        pick = number.to_bytes(8, "big")
        return app.key_drill(settings, ask=typing(ANNA), passphrase="anna", bounds=BOUNDS, random=lambda _: pick)

    assert len({drill(number).blob_id for number in range(4)}) == 2


def test_a_drill_takes_no_passphrase_for_a_code_and_no_code_of_elsewhere(settings: Settings) -> None:
    with pytest.raises(ArchiverError, match="no recovery code"):
        app.key_drill(settings, ask=typing(OWNER), bounds=BOUNDS)
    with pytest.raises(WrongKeyError):
        app.key_drill(settings, ask=typing(OWNER), passphrase="anna", bounds=BOUNDS)
    with pytest.raises(LockedError):
        app.key_drill(settings, ask=nobody, bounds=BOUNDS)


def test_a_drill_fails_where_the_message_is_damaged(settings: Settings, paths: ArchivePaths, home: Path) -> None:
    for path in paths.packs.rglob("*.pack"):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:100] + os.urandom(1000))
    with pytest.raises(IntegrityError):
        app.key_drill(settings, ask=typing((home / "code").read_text()), bounds=BOUNDS)


def test_a_drill_needs_no_index_and_no_collector(settings: Settings, paths: ArchivePaths, home: Path) -> None:
    paths.index.unlink()
    paths.collect_database.unlink()
    settings.archive.collector_key_file.unlink()
    assert app.key_drill(settings, ask=typing((home / "code").read_text()), bounds=BOUNDS).blob_id is not None


def test_a_drill_opens_a_backup_and_leaves_it_as_it_was(settings: Settings, home: Path) -> None:
    app.backup(settings, home / "backup", ask=nobody, bounds=BOUNDS)

    def files() -> dict[str, bytes]:
        found = (path for path in (home / "backup").rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in found}

    before = files()
    rotate(settings)
    copy = replace(settings, archive=replace(settings.archive, path=home / "backup"))
    done = app.key_drill(copy, ask=typing((home / "code").read_text()), bounds=BOUNDS)
    assert (done.epoch, done.messages) == (1, 2)
    assert done.blob_id is not None
    assert files() == before


def test_a_drill_of_a_backup_without_the_pack_fails(settings: Settings, home: Path) -> None:
    app.backup(settings, home / "backup", ask=nobody, bounds=BOUNDS)
    for path in (home / "backup").rglob("*.pack"):
        path.unlink()
    copy = replace(settings, archive=replace(settings.archive, path=home / "backup"))
    with pytest.raises(IntegrityError):
        app.key_drill(copy, ask=typing((home / "code").read_text()), bounds=BOUNDS)


# --- the audit trail --------------------------------------------------------------------------------------------------


def test_what_is_done_to_keys_is_in_the_audit_trail_before_it_is_done(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[tuple[str, str | None]] = []

    def record(_settings: Settings, _keys: Keys, action: str, *, note: str | None = None, **_: object) -> None:
        keep(action, note)

    def record_alone(_settings: Settings, _paths: ArchivePaths, _secret: EpochSecret, action: str) -> None:
        keep(action, None)

    def keep(action: str, note: str | None) -> None:
        recorded.append((action, note))
        raise _Stopped

    for module in ("auditing", "rotating", "drilling"):
        for name, value in (("record", record), ("record_alone", record_alone)):
            monkeypatch.setattr(f"archiver.app.{module}.{name}", value, raising=False)
    keyring = ArchivePaths(settings.archive.path).keyring
    before = keyring.read_bytes()
    uses: dict[str, Callable[[], object]] = {
        "key-add": lambda: app.key_add(
            settings, name="x", kind="passphrase", ask=typing(OWNER), new_passphrase="x" * 20, bounds=BOUNDS
        ),
        "key-remove": lambda: app.key_remove(settings, name="anna", ask=typing(OWNER), bounds=BOUNDS),
        "key-accept": lambda: app.key_accept(settings, ask=typing(OWNER), bounds=BOUNDS),
        "key-rotate": lambda: rotate(settings),
        "key-drill": lambda: app.key_drill(settings, ask=typing((home / "code").read_text()), bounds=BOUNDS),
        "unlock": lambda: app.unlock(settings, ask=typing(OWNER), seconds=10, bounds=BOUNDS),
    }
    for use in uses.values():
        with pytest.raises(_Stopped):
            use()
    assert [action for action, _ in recorded] == list(uses)
    assert recorded[:2] == [("key-add", "passphrase x"), ("key-remove", "anna")]
    assert keyring.read_bytes() == before
