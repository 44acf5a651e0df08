"""Packs and the collector's batches: limits, large messages, recovery, damage."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from archiver.crypto import sealed
from archiver.crypto.digest import blob_id
from archiver.errors import ArchiverError, DiskError, IntegrityError
from archiver.model.octets import BytesOctets
from archiver.store import collect as collect_module
from archiver.store.deliveries import pack_of, waiting_names
from archiver.store.durable import Disk
from archiver.store.packs import PackFiles
from archiver.store.salvage import orphaned_packs
from tests.twins.archive import INBOX, Archive, entry, mail, read_statuses


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive").create()


def collect(archive: Archive, *messages: bytes, uid: int = 1) -> None:
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    for number, octets in enumerate(messages, uid):
        store.add(epoch, entry(number, octets), BytesOctets(octets))
    store.flush()
    store.close()


def test_a_batch_becomes_a_pack_at_200_messages(archive: Archive) -> None:
    collect(archive, *map(mail, range(450)))
    packs = PackFiles(archive.paths)
    assert sorted(packs.check(name)[0] for name in packs.names()) == [50, 200, 200]
    assert sorted(filter(None, map(pack_of, waiting_names(archive.paths)))) == sorted(packs.names())


def test_a_pack_holds_at_most_eight_mebibytes_of_mail(archive: Archive) -> None:
    size = 3 * 2**20
    collect(archive, *(mail(n, size=size) for n in range(5)))
    packs = PackFiles(archive.paths)
    assert sorted(packs.check(name)[0] for name in packs.names()) == [1, 2, 2]


def test_a_large_message_is_alone_in_its_pack_and_reads_back(archive: Archive) -> None:
    octets = random.Random(3).randbytes(9 * 2**20)
    collect(archive, mail(1), octets, octets)
    archive.ingest()
    catalogue, vault = archive.catalogue(), archive.vault()
    kept = {pack: (record, vault.read(pack, record)) for pack, record in catalogue.sealed_records()}
    assert sorted(len(o) for _, o in kept.values()) == sorted([len(mail(1)), len(octets)])
    (large,) = [(pack, record) for pack, (record, o) in kept.items() if o == octets]
    assert b"".join(vault.stream(*large)) == octets
    assert catalogue.counts().messages == 2
    catalogue.close()
    vault.close()


def test_an_old_batch_is_made_durable_when_the_next_message_comes(archive: Archive) -> None:
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    store.add(epoch, entry(1), BytesOctets(mail(1)))
    archive.clock.advance(9)
    store.add(epoch, entry(2), BytesOctets(mail(2)))
    assert waiting_names(archive.paths) == []
    archive.clock.advance(2)
    store.add(epoch, entry(3), BytesOctets(mail(3)))
    assert len(waiting_names(archive.paths)) == 1
    store.close()


def test_deliveries_keep_their_order_when_the_clock_steps_back(archive: Archive) -> None:
    collect(archive, mail(1))
    archive.clock.advance(-86_400)
    collect(archive, mail(2), uid=2)
    opened = [archive.deliveries().open(name) for name in archive.deliveries().waiting()]
    assert [arrival.uid for each in opened for arrival in each.arrivals] == [1, 2]


def test_several_accounts_collect_the_same_mail_at_once_and_it_is_kept_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect_module, "MOST_RECORDS", 7)
    store, new = archive.collect(), [0] * 4

    def run(number: int) -> None:
        epoch = store.open_epoch(f"account{number}", INBOX, 7)
        for uid in range(1, 101):
            octets = mail(uid % 60)
            new[number] += store.add(epoch, entry(uid, octets), BytesOctets(octets))
        store.finish(epoch, server=100, uid_next=101, complete=True, problem=None)
        store.flush()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new) == 60
    assert [(s.archived, s.complete) for s in store.statuses()] == [(100, True)] * 4
    store.close()
    archive.ingest()
    catalogue = archive.catalogue()
    assert catalogue.counts().messages == 60
    assert sum(1 for _ in catalogue.connection.execute("SELECT 1 FROM locations")) == 400
    catalogue.close()


def test_a_commit_waits_for_what_another_account_is_sealing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, release, seal = threading.Event(), threading.Event(), sealed.seal_record

    def slow(octets: bytes, **rest: object) -> tuple[bytes, bytes]:
        begun.set()
        assert release.wait(20)
        return seal(octets, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(collect_module, "seal_record", slow)
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    adding = threading.Thread(target=store.add, args=(epoch, entry(1), BytesOctets(mail(1))))
    flushing = threading.Thread(target=store.flush)
    adding.start()
    assert begun.wait(20)
    flushing.start()
    flushing.join(0.3)  # a commit that does not wait is done by now, without the octets
    release.set()
    for thread in (adding, flushing):
        thread.join(20)
    store.close()
    (name,) = waiting_names(archive.paths)
    assert len(archive.deliveries().open(name).records) == 1


def test_a_commit_that_failed_stops_the_store_and_the_next_one_goes_on(archive: Archive) -> None:
    class Full(Disk):
        def sync_file(self, path: Path) -> None:
            raise DiskError("the disk is full")

    archive.disk = Full()
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    store.add(epoch, entry(1), BytesOctets(mail(1)))
    with pytest.raises(DiskError):
        store.flush()
    with pytest.raises(ArchiverError, match="stopped"):
        store.add(epoch, entry(2), BytesOctets(mail(2)))
    store.close()
    archive.disk = Disk()
    collect(archive, mail(1), mail(2))
    archive.ingest()
    catalogue = archive.catalogue()
    assert catalogue.counts().messages == 2
    catalogue.close()


def test_a_lost_collector_database_is_refilled_from_the_catalogue(archive: Archive) -> None:
    collect(archive, mail(1), mail(2))
    archive.ingest()
    archive.paths.collect_database.unlink()
    catalogue, store = archive.catalogue(), archive.collect()
    assert store.fresh
    store.seed(catalogue.blob_ids())
    epoch = store.open_epoch("info", INBOX, 7)
    assert not store.add(epoch, entry(1), BytesOctets(mail(1)))
    store.close()
    catalogue.close()
    reopened = archive.collect()
    assert not reopened.fresh
    reopened.close()


def test_a_damaged_collector_database_is_set_aside(archive: Archive) -> None:
    collect(archive, mail(1))
    path = archive.paths.collect_database
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 50 + path.read_bytes()[150:])
    store = archive.collect()
    assert store.fresh
    store.close()
    assert path.with_name("collect.db.damaged").exists()


def test_a_pack_whose_commit_was_cut_off_is_adopted(archive: Archive) -> None:
    collect(archive, mail(1))
    archive.paths.collect_database.unlink()  # the commit never happened
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    assert not store.add(epoch, entry(1), BytesOctets(mail(1)))
    store.flush()
    store.close()
    assert len(list(archive.paths.pack_names())) == 1


def test_a_pack_without_keys_is_never_taken_for_kept_and_is_found(archive: Archive) -> None:
    collect(archive, mail(1))
    (name,) = waiting_names(archive.paths)
    (archive.paths.pending / name).unlink()
    archive.paths.collect_database.unlink()
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    assert store.add(epoch, entry(1), BytesOctets(mail(1)))
    store.flush()
    store.close()
    archive.ingest()
    catalogue = archive.catalogue()
    assert orphaned_packs(archive.paths, catalogued=catalogue.pack_names()) == [pack_of(name)]
    assert catalogue.counts().messages == 1
    catalogue.close()


def test_the_messages_of_a_lost_pack_are_fetched_again_and_mended(archive: Archive) -> None:
    collect(archive, mail(1), mail(2))
    (name,) = waiting_names(archive.paths)
    (archive.paths.pending / name).unlink()
    store = archive.collect()
    assert store.forget_pack(pack_of(name) or "") == 2
    epoch = store.open_epoch("info", INBOX, 7)
    assert dict(store.accounted(epoch)) == {}
    assert store.counters(epoch) == (-1, None, False)
    assert store.add(epoch, entry(1), BytesOctets(mail(1)))
    store.close()


def test_figures_can_be_read_while_a_run_writes(archive: Archive) -> None:
    assert read_statuses(archive.paths, archive.credential) == ([], [])
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    store.add(epoch, entry(1), BytesOctets(mail(1)))
    store.note_failed(epoch, 2, "no answer")
    store.flush()
    statuses, failures = read_statuses(archive.paths, archive.credential)
    assert [(s.archived, s.failed, s.complete) for s in statuses] == [(1, 1, False)]
    assert [f.uid for f in failures] == [2]
    store.close()


def test_every_damage_to_a_pack_is_seen_without_a_key(archive: Archive) -> None:
    collect(archive, *map(mail, range(20)))
    packs = PackFiles(archive.paths)
    (name,) = packs.names()
    path, choose = archive.paths.pack(name), random.Random(5)
    whole = path.read_bytes()
    for _ in range(300):
        damaged = bytearray(whole)
        if choose.random() < 0.7:
            damaged[choose.randrange(len(whole))] ^= 1 << choose.randrange(8)
        else:
            del damaged[choose.randrange(len(whole)) :]
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError) as caught:
            packs.check(name)
        assert name in caught.value.what
    path.unlink()
    with pytest.raises(IntegrityError):
        packs.check(name)


def test_a_damaged_record_is_named_and_its_neighbours_are_read(archive: Archive) -> None:
    messages = [mail(n) for n in range(8)]
    collect(archive, *messages)
    (name,) = waiting_names(archive.paths)
    delivery = archive.deliveries().open(name)
    bad = delivery.records[3]
    path = archive.paths.pack(delivery.pack or "")
    octets = bytearray(path.read_bytes())
    octets[bad.offset + bad.length - 5] ^= 1
    path.write_bytes(octets)
    vault = archive.vault()
    for record, message in zip(delivery.records, messages, strict=True):
        if record is bad:
            with pytest.raises(IntegrityError) as caught:
                vault.read(delivery.pack or "", record)
            assert record.blob_id.hex()[:12] in caught.value.what
        else:
            assert vault.read(delivery.pack or "", record) == message
    vault.close()


def test_a_record_never_opens_as_another_message(archive: Archive) -> None:
    collect(archive, mail(1), mail(2))
    (name,) = waiting_names(archive.paths)
    one, two = archive.deliveries().open(name).records
    vault, pack = archive.vault(), pack_of(name) or ""
    from msgspec.structs import replace

    for forged in (
        replace(one, blob_id=two.blob_id),
        replace(one, offset=two.offset, length=two.length),
        replace(one, dek=two.dek),
        replace(one, octets=one.octets + 1),
        replace(one, offset=2**70),
    ):
        with pytest.raises(IntegrityError):
            vault.read(pack, forged)
    assert blob_id(vault.read(pack, one), archive.credential.digest_key) == one.blob_id
    vault.close()


def test_every_damage_to_a_pending_delivery_is_seen_and_named(archive: Archive) -> None:
    collect(archive, mail(1))
    (name,) = waiting_names(archive.paths)
    path, choose = archive.paths.pending / name, random.Random(9)
    whole = path.read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[choose.randrange(len(whole))] ^= 1 << choose.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(ArchiverError):
            archive.deliveries().open(name)
    path.write_bytes(whole)
    renamed = f"{'0' * 15}1-{pack_of(name)}.pending"
    path.rename(archive.paths.pending / renamed)
    with pytest.raises(IntegrityError, match="pending"):
        archive.deliveries().open(renamed)
    with pytest.raises(FileNotFoundError):
        archive.deliveries().open(name)
