"""What is damaged is named, and brought back where it still is; what opened before a repair opens after it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app import repairing
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import require_keys
from archiver.config import Settings
from archiver.core.repairing import RepairReport
from archiver.errors import IntegrityError, LockedError
from archiver.store.layout import ArchivePaths
from archiver.store.lock import writer_lock
from archiver.store.packs import PackFiles
from archiver.store.salvage import Salvage
from tests.crash.mending import Mending, in_one_process, mail, opening
from tests.crash.program import nobody
from tests.twins.archive import START

MUTATIONS = int(os.environ.get("ARCHIVER_REPAIRS", "12"))
"""`benchmarks/reliability.py` does thousands."""


@pytest.fixture(scope="module")
def base(quick_module_path: Path) -> Iterator[Mending]:
    """An archive of twelve messages, all taken in, and its server; it is copied for each test."""
    mending = Mending(quick_module_path, seed=3, messages=12)
    with in_one_process():
        app.sync(mending.settings, ask=nobody)
    yield mending
    mending.close()


@pytest.fixture
def settings(base: Mending, quick_path: Path) -> Iterator[Settings]:
    """The settings of such a copy, whose mail is collected and parsed in this process."""
    copy = quick_path / "archive"
    shutil.copytree(base.settings.archive.path, copy)
    with in_one_process():
        yield replace(base.settings, archive=replace(base.settings.archive, path=copy))


def packs(settings: Settings) -> list[Path]:
    return sorted((settings.archive.path / "packs").rglob("*.pack"))


def pack_with(settings: Settings, octets: bytes) -> tuple[Path, int, int]:
    """Return the pack that holds a message, and where in it."""
    keys = require_keys(settings, ask=nobody)
    with open_unlocked(settings, keys, write=False) as opened:
        for pack, record in opened.catalogue.sealed_records():
            if opened.vault.read(pack, record) == octets:
                return keys.paths.pack(pack), record.offset, record.length
    raise AssertionError


def flip(path: Path, at: int) -> None:
    octets = bytearray(path.read_bytes())
    octets[at] ^= 1
    path.write_bytes(octets)


def damage(settings: Settings, octets: bytes) -> Path:
    path, offset, length = pack_with(settings, octets)
    flip(path, offset + length - 5)
    return path


def table_page(settings: Settings, table: str) -> int:
    """Return the first page of a table, counted from 0."""
    keys = require_keys(settings, ask=nobody)
    with open_unlocked(settings, keys, write=False) as opened:
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        return opened.catalogue.connection.integer(sql, (table,)) - 1


def repair(settings: Settings, *, fetch: bool = False) -> RepairReport:
    return app.repair(settings, ask=nobody, confirm=lambda _: True, fetch=fetch)


def verify(settings: Settings) -> list[tuple[str, str]]:
    return [(problem.kind, problem.what) for problem in app.verify(settings, full=True, ask=nobody).problems]


@pytest.mark.timeout(120 + 3 * MUTATIONS)
def test_whatever_is_damaged_is_named_and_what_the_server_has_comes_back(quick_path: Path) -> None:
    mending = Mending(quick_path, seed=MUTATIONS)
    try:
        found = mending.run(MUTATIONS)
    finally:
        mending.close()
    assert found.problems == []
    assert found.named["pack"] > 0


def test_one_bad_record_costs_its_pack_mates_nothing_and_comes_back_from_the_server(settings: Settings) -> None:
    before = opening(settings)
    path = damage(settings, mail(3))
    report = app.verify(settings, full=True, ask=nobody)
    (problem,) = [problem for problem in report.problems if problem.kind == "message"]
    assert [(seen.account, seen.mailbox) for seen in problem.places] == [("info", "Sent")]
    assert problem.at is not None
    done = repair(settings)
    assert (done.exit_code, len(done.remaining), done.fetchable) == (4, 1, 1)
    assert opening(settings) == before - {mail(3)}
    assert not path.exists()
    assert (settings.archive.path / "quarantine" / path.name).exists()
    assert app.status(settings, ask=nobody).problems
    app.sync(settings, ask=nobody)
    assert opening(settings) == before
    assert verify(settings) == []
    assert app.status(settings, ask=nobody).complete


def test_a_mended_message_keeps_its_row_its_links_and_its_decisions(settings: Settings) -> None:
    with app.change_customers(settings, ask=nobody, command="link") as editor:
        (item,) = editor.archive.search('subject:"nummer 3"').items
        editor.unlink(item.summary.row, editor.archive.customer("K1"), why="not theirs")
    before = item.summary
    damage(settings, mail(3))
    repair(settings, fetch=True)
    with app.open_archive(settings, ask=nobody) as archive:
        (after,) = archive.search('subject:"nummer 3"').items
        assert after.summary == replace(before, customers=())
        assert archive.octets(after.summary.row) == mail(3)
        assert archive.search("zebra").total == 12


def test_a_message_that_no_server_has_stays_marked_and_is_named_until_its_pack_is_put_back(
    base: Mending, settings: Settings
) -> None:
    before = opening(settings)
    only_here = min(base.gone)
    path, *_ = pack_with(settings, only_here)
    good = path.read_bytes()
    damage(settings, only_here)
    assert repair(settings, fetch=True).exit_code == 4
    assert [kind for kind, _ in verify(settings)] == ["message"]
    assert opening(settings) == before - {only_here}
    path.write_bytes(good)  # from a backup
    assert repair(settings).exit_code == 0
    assert opening(settings) == before
    assert app.status(settings, ask=nobody).complete


def test_octets_that_slipped_into_a_pack_cost_one_message_at_most(settings: Settings) -> None:
    before = opening(settings)
    path = packs(settings)[0]
    octets = path.read_bytes()
    path.write_bytes(octets[:5] + b"x" + octets[5:])
    repair(settings)
    assert len(before - opening(settings)) <= 1
    path = packs(settings)[0]
    path.write_bytes(b"AVR1" + path.read_bytes())
    repair(settings)
    assert len(before - opening(settings)) <= 1


def test_a_record_that_lies_in_the_quarantine_and_opens_is_taken_from_there(settings: Settings) -> None:
    before = opening(settings)
    path = packs(settings)[0]
    quarantine = settings.archive.path / "quarantine"
    quarantine.mkdir()
    path.rename(quarantine / path.name)
    assert repair(settings).exit_code == 0
    assert opening(settings) == before
    assert path.exists()


def test_the_same_message_in_two_packs_is_read_from_the_good_one(settings: Settings) -> None:
    """It waits in a second pack, since collect.db was lost: the copy that comes mends the one that is damaged."""
    before = opening(settings)
    for path in settings.archive.path.glob("collect.db*"):
        path.unlink()
    app.sync(settings, ask=nobody, collect_only=True)
    assert len(packs(settings)) > 6
    damage(settings, mail(3))
    assert repair(settings).exit_code == 0
    assert opening(settings) == before
    assert verify(settings) == []


def test_a_pack_damaged_twice_is_mended_twice(settings: Settings) -> None:
    before = opening(settings)
    for number in (3, 5):
        damage(settings, mail(number))
        assert repair(settings, fetch=True).exit_code == 0
        assert opening(settings) == before
    assert verify(settings) == []


def test_repair_does_nothing_without_consent_or_where_nothing_is_wrong(settings: Settings) -> None:
    assert repair(settings).steps == ()
    path = damage(settings, mail(3))
    before = {file: file.read_bytes() for file in settings.archive.path.rglob("*.pack")}
    for report in (
        app.repair(settings, ask=nobody, confirm=lambda _: False),
        app.repair(settings, ask=nobody, confirm=lambda _: True, dry_run=True),
    ):
        assert (report.exit_code, len(report.steps)) == (4, 2)
    assert {file: file.read_bytes() for file in settings.archive.path.rglob("*.pack")} == before
    assert path.exists()


def test_repair_refuses_while_a_sync_runs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairing, "_WAIT", 0.0)
    damage(settings, mail(3))
    with writer_lock(settings.archive.path / "archive.lock", command="sync", now=START), pytest.raises(LockedError):
        repair(settings)


def test_a_damaged_archive_database_is_not_touched(settings: Settings) -> None:
    database = settings.archive.path / "archive.db"
    octets = bytearray(database.read_bytes())
    octets[5000] ^= 1
    database.write_bytes(octets)
    with pytest.raises(IntegrityError, match=r"archive\.db") as refused:
        repair(settings)
    assert "backup" in str(refused.value.hint)
    assert database.read_bytes() == octets


def test_a_damaged_index_or_collector_is_made_anew(settings: Settings) -> None:
    before = opening(settings)
    for name in ("index.db", "collect.db"):
        path = settings.archive.path / name
        octets = bytearray(path.read_bytes())
        octets[4096 * 2 + 50] ^= 1
        path.write_bytes(octets)
        assert verify(settings) != []
        assert repair(settings).exit_code == 0, name
        assert verify(settings) == []
    app.sync(settings, ask=nobody)
    assert opening(settings) == before
    with app.open_archive(settings, ask=nobody) as archive:
        assert archive.search("zebra").total == len(before)


def test_a_pack_sealed_in_vain_goes_when_all_in_it_is_kept_elsewhere(settings: Settings) -> None:
    (good, *_) = packs(settings)
    known = good.read_bytes()
    in_vain = ArchivePaths(settings.archive.path).pack(_named(known + known))
    in_vain.parent.mkdir(exist_ok=True)
    in_vain.write_bytes(known + known)
    assert verify(settings) == []
    repair(settings)
    assert in_vain.exists(), "it may be new"
    os.utime(in_vain, (1, 1))
    assert "sealed-in-vain" in {remark.kind for remark in app.verify(settings, full=True, ask=nobody).remarks}
    repair(settings)
    assert not in_vain.exists()


def test_a_pack_whose_messages_the_catalogue_lacks_is_never_deleted(settings: Settings) -> None:
    octets = bytearray(packs(settings)[0].read_bytes())
    octets[8:40] = bytes(32)  # another message's identifier
    stranger = ArchivePaths(settings.archive.path).pack(_named(bytes(octets)))
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(octets)
    os.utime(stranger, (1, 1))
    repair(settings)
    assert stranger.exists()


def _named(octets: bytes) -> str:
    from hashlib import sha256

    return sha256(octets).hexdigest()


def test_what_reads_badly_once_and_well_again_is_unsteady_and_no_damage(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, bad = PackFiles.check, set[str]()

    def once_bad(self: PackFiles, name: str) -> tuple[int, int]:
        if name not in bad:
            bad.add(name)
            raise IntegrityError(f"pack {name[:12]} is not what its name says", what=f"pack {name}")
        return real(self, name)

    monkeypatch.setattr(PackFiles, "check", once_bad)
    report = app.verify(settings, full=False, ask=nobody)
    assert (report.problems, len(report.unsteady)) == ((), len(packs(settings)))


def test_a_sample_is_drawn_again_by_its_seed_and_twenty_parts_are_all(settings: Settings) -> None:
    first = app.verify(settings, full=True, ask=nobody, subset="40%")
    again = app.verify(settings, full=True, ask=nobody, subset="40%", seed=first.seed)
    assert (first.octets, first.messages) == (again.octets, again.messages)
    assert 0 < first.packs < first.packs_total
    parts = [app.verify(settings, full=True, ask=nobody, subset=f"{n}/3") for n in (1, 2, 3)]
    assert sum(part.messages for part in parts) == 12
    assert sum(part.packs for part in parts) == first.packs_total
    with pytest.raises(Exception, match="part of an archive"):
        app.verify(settings, full=False, ask=nobody, subset="0%")


def test_packs_alone_are_verified_on_a_backup_host(settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(settings.archive.path / "packs", copy / "packs")
    shutil.copy(settings.archive.path / "archive.json", copy)
    there = replace(settings, archive=replace(settings.archive, path=copy))
    assert app.verify(there, full=False, ask=nobody).problems == ()
    flip(packs(there)[0], 100)
    (problem,) = app.verify(there, full=False, ask=nobody).problems
    assert problem.kind == "pack"


def test_leftovers_and_strangers_are_told_and_are_no_damage(settings: Settings) -> None:
    root = settings.archive.path
    (root / "notes.txt").write_text("mine")
    (root / "packs" / "ab.tmp").write_bytes(b"half")
    (root / "pending" / "old.pending.damaged").write_bytes(b"bad")
    report = app.verify(settings, full=False, ask=nobody)
    assert report.problems == ()
    assert {(remark.kind, remark.what) for remark in report.remarks} == {
        ("stray", "notes.txt"), ("temporary", "packs/ab.tmp"), ("set-aside", "pending/old.pending.damaged"),
    }  # fmt: skip


STEPS = 40


def test_a_repair_cut_off_at_any_step_loses_nothing_and_the_next_one_completes_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every operation on the disk, and every transaction, is the last one once."""
    from archiver.store import mending as records
    from archiver.store.durable import Disk

    before = opening(settings)
    damage(settings, mail(3))
    damage(settings, mail(2))
    kept = settings.archive.path.with_name("kept")
    shutil.copytree(settings.archive.path, kept)

    class CutError(BaseException):
        """The power is gone."""

    left = 0

    def cut() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise CutError

    def cutting(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def wrapped(*args: object, **kwargs: object) -> object:
            cut()
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapped)

    for name in ("create", "writing", "sync_file", "rename", "sync_directory", "remove", "make_directory"):
        cutting(Disk, name)
    cutting(records.Mending, "settle")
    cutting(Salvage, "copy")
    completed = False
    for step in range(STEPS * 3):
        shutil.rmtree(settings.archive.path)
        shutil.copytree(kept, settings.archive.path)
        left = step
        try:
            repair(settings)
            completed = True
        except CutError:
            pass
        left = 1_000_000
        assert before - opening(settings) == {mail(3), mail(2)}, step
        assert repair(settings, fetch=True).exit_code == 0, step
        assert opening(settings) == before, step
        assert verify(settings) == [], step
        if completed:
            break
    assert completed
    assert step > 10


@pytest.mark.parametrize("way", ["backup", "copy"])
def test_a_damaged_archive_database_comes_back_from_a_backup_and_from_what_still_reads_of_it(
    base: Mending, settings: Settings, quick_path: Path, way: str
) -> None:
    """Of mail that came after the backup the damaged database alone has the keys, and no server the mail."""
    place = quick_path / "backups"
    if way == "backup":
        app.backup(settings, place, ask=nobody)
    else:
        shutil.copytree(settings.archive.path, place)
    later = mail(99)
    uid = base.server.deliver("info", b"INBOX", later)
    app.sync(settings, ask=nobody)
    del base.server.accounts["info"][b"INBOX"].messages[uid]
    before, kept = opening(settings), 0
    assert later in before
    whole = quick_path / "whole"
    shutil.copytree(settings.archive.path, whole)
    pages = (whole / "archive.db").stat().st_size // 4096
    for page in (0, *range(2 if way == "backup" else 3, pages, pages // 4)):
        shutil.rmtree(settings.archive.path)
        shutil.copytree(whole, settings.archive.path)
        flip(settings.archive.path / "archive.db", page * 4096 + 300)
        if not any(kind == "database" for kind, _ in verify(settings)):
            continue  # a page that holds nothing
        done = app.repair(settings, ask=nobody, confirm=lambda _: True, fetch=True, backup=place)
        assert before - opening(settings) <= {later}, page
        kept += later in opening(settings)
        assert verify(settings) == [], page
        assert done.steps[0].action == "database"
        with app.open_archive(settings, ask=nobody) as archive:
            assert archive.search("zebra").total == len(opening(settings))
    assert kept > 0


def test_an_exchange_of_databases_cut_off_at_any_step_is_completed_by_the_next_run(
    base: Mending, settings: Settings, quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With mail whose keys are in the damaged database only, and which no server has."""
    from archiver.store.durable import Disk

    class CutError(BaseException):
        """The power is gone."""

    place, whole = quick_path / "copy", quick_path / "whole"
    shutil.copytree(settings.archive.path, place)
    uid = base.server.deliver("info", b"INBOX", mail(99))
    app.sync(settings, ask=nobody)
    del base.server.accounts["info"][b"INBOX"].messages[uid]
    before = opening(settings)
    flip(settings.archive.path / "archive.db", table_page(settings, "decisions") * 4096 + 300)
    shutil.copytree(settings.archive.path, whole)
    left = 1_000_000
    for name in ("rename", "sync_directory", "sync_file"):
        real = getattr(Disk, name)

        def wrapped(*args: object, real: Callable[..., object] = real) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise CutError
            return real(*args)

        monkeypatch.setattr(Disk, name, wrapped)
    for step in range(200):
        shutil.rmtree(settings.archive.path)
        shutil.copytree(whole, settings.archive.path)
        left = step
        try:
            app.repair(settings, ask=nobody, confirm=lambda _: True, backup=place)
            break
        except CutError:
            left = 1_000_000
        app.repair(settings, ask=nobody, confirm=lambda _: True, backup=place)
        assert opening(settings) == before, step
        assert verify(settings) == [], step
    left = 1_000_000
    assert step > 8
    assert opening(settings) == before


def test_a_damaged_audit_trail_is_named_without_a_key_and_never_mended(settings: Settings) -> None:
    (trail, *_) = sorted((settings.archive.path / "audit").glob("*.log"))
    flip(trail, trail.stat().st_size // 2)
    octets = trail.read_bytes()
    assert {problem.kind for problem in app.verify(settings, full=False, ask=nobody).problems} == {"audit"}
    assert repair(settings).exit_code == 4
    assert trail.read_bytes().startswith(octets[: len(octets) // 2])
