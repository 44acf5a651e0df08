"""Power cut after every durable step of collect and take-in: nothing lost, nothing doubled, the next run completes."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.errors import ArchiverError
from archiver.model.octets import BytesOctets
from archiver.store import collect as collect_module
from tests.twins.archive import INBOX, Archive, entry, mail
from tests.twins.power_cut import PowerCut, PowerCutError, Volatile, lose

LARGE = 5000
"""Above the limit (lowered here) of one whole record: sealed by streaming."""


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_module, "MOST_RECORDS", 2)
    monkeypatch.setattr(collect_module, "WHOLE_LIMIT", 4096)


def server() -> dict[int, bytes]:
    """Five messages in three batches, one octet string twice, one message that goes alone."""
    messages = {uid: mail(uid) for uid in range(1, 5)}
    messages[5] = mail(1)
    messages[6] = b"x" * LARGE
    return messages


def sync(archive: Archive) -> None:
    """What a run does: list, compare, fetch what is not accounted for, take in."""
    store = archive.collect()
    try:
        epoch = store.open_epoch("info", INBOX, 7)
        accounted = store.accounted(epoch)
        for uid, octets in server().items():
            if accounted.get(uid) != "archived":
                store.add(epoch, entry(uid, octets), BytesOctets(octets))
        store.finish(epoch, server=len(server()), uid_next=None, complete=True, problem=None)
        store.flush()
    finally:
        store.close()
    archive.ingest()


def losses(root: Path) -> list[str]:
    """Say what is wrong after one more, undisturbed run."""
    archive = Archive(root)
    sync(archive)
    problems = []
    catalogue, vault, store = archive.catalogue(), archive.vault(), archive.collect()
    try:
        kept = []
        for pack, record in catalogue.sealed_records():
            try:
                kept.append(vault.read(pack, record))
            except ArchiverError as error:
                problems.append(error.message)
        if sorted(kept) != sorted(set(server().values())):
            problems.append(f"{len(kept)} messages are kept, {len(set(server().values()))} were sent")
        seen = [catalogue.details(row) for _, row in catalogue.unindexed(0, 100)]
        uids = sorted(place.uid for details in seen if details is not None for place in details.seen)
        if uids != sorted(server()):
            problems.append(f"seen at {uids}")
        if not all(status.complete for status in store.statuses()):
            problems.append("the figures are not complete")
        if archive.deliveries().waiting():
            problems.append("deliveries are left over")
        if list(root.rglob("*.tmp")):
            problems.append("temporary files are left over")
    finally:
        catalogue.close()
        vault.close()
        store.close()
    return problems


def repeatable(root: Path, disk: PowerCut) -> Archive:
    """Every run takes the same steps: packs of one name are of one directory, which is made once."""
    return Archive(root, disk=disk, random=random.Random(7).randbytes).create()


def undisturbed(tmp_path: Path) -> PowerCut:
    disk = PowerCut()
    sync(repeatable(tmp_path / "whole", disk))
    return disk


def crash(root: Path, disk: PowerCut) -> Archive:
    archive = repeatable(root, disk)
    with pytest.raises(PowerCutError):
        sync(archive)
    return archive


def test_a_power_cut_at_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    whole, states = undisturbed(tmp_path), 0
    assert whole.steps > 25
    for at in range(1, whole.steps + 1):
        # Before a step is the same as after the one before it, unless a database committed in between.
        for after in {True, at not in whole.begins}:
            disk = PowerCut(at=at, after=after)
            crash(tmp_path / "crashed", disk)
            for undone in disk.states():
                shutil.copytree(tmp_path / "crashed", tmp_path / "found")
                lose(_elsewhere(undone, tmp_path))
                assert losses(tmp_path / "found") == [], f"step {at}, after={after}, undone {undone}"
                shutil.rmtree(tmp_path / "found")
                states += 1
            shutil.rmtree(tmp_path / "crashed")
    assert states > 3 * whole.steps


def test_the_model_sees_what_a_missing_directory_sync_costs(tmp_path: Path) -> None:
    """The model itself can fail: without directory syncs some state of some step loses mail."""
    bad = 0
    for at in range(1, undisturbed(tmp_path).steps + 1):
        disk = PowerCut(at=at, after=True, forgets_directory_syncs=True)
        crash(tmp_path / "crashed", disk)
        undone = tuple(v for v in disk.volatile if v.kind == "renamed")
        lose(undone)
        bad += bool(losses(tmp_path / "crashed"))
        shutil.rmtree(tmp_path / "crashed")
    assert bad > 0


def _elsewhere(undone: tuple[Volatile, ...], tmp_path: Path) -> tuple[Volatile, ...]:

    def moved(path: Path) -> Path:
        return tmp_path / "found" / path.relative_to(tmp_path / "crashed")

    return tuple(
        replace(each, path=moved(each.path), source=None if each.source is None else moved(each.source))
        for each in undone
    )
