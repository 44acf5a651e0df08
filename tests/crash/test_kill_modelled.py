"""Power cut at every durable step of the whole path: collect, take in, link, index, over core and store."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.errors import ArchiverError
from archiver.model.customer import Contact, Customer
from archiver.store import collect as collect_module
from archiver.store.connection import StoreConnection
from archiver.store.customers import SqliteCustomers
from archiver.store.durable import Disk
from tests.twins.archive import START, Archive, mail
from tests.twins.mail_server import Server
from tests.twins.power_cut import PowerCut, PowerCutError, Volatile, lose
from tests.twins.whole_path import collect, ingest, look, statuses


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_module, "MOST_RECORDS", 2)


def mail_server() -> Server:
    """Two mailboxes in three packs; some octets in both, some twice in one."""
    server = Server()
    for name, numbers in ((b"INBOX", (1, 2, 3, 1)), (b"Sent", (3, 4, 5))):
        box = server.create(name)
        for number in numbers:
            box.deliver(mail(number))
    return server


def places(server: Server) -> dict[tuple[str, int, int], bytes]:
    return {
        (name.decode(), box.uid_validity, uid): octets
        for name, box in server.boxes.items()
        for uid, octets in box.messages.items()
    }


def create(root: Path, disk: Disk | None = None) -> Archive:
    """Make an archive with a customer whose mail all of it is, and whose packs have the same names in every run.

    Two names of one directory mean a step less: once in some 85 runs, were they random.
    """
    archive = Archive(root, disk=disk or Disk(), random=random.Random(7).randbytes).create()
    catalogue = archive.catalogue()
    try:
        customer = Customer("K1", "Firm", contacts=(Contact("Jan", ("a@example.test",)),))
        SqliteCustomers(catalogue.connection).add(customer, now=START)
    finally:
        catalogue.close()
    return archive


def run(archive: Archive, server: Server) -> None:
    """What `archiver sync` does."""
    collect(archive, server)
    ingest(archive)


def wrong(root: Path, server: Server) -> list[str]:
    """Say what is wrong after one more, undisturbed run."""
    archive = Archive(root)
    run(archive, server)
    kept, problems = look(archive), []
    if set(kept.octets) != set(places(server).values()) or set(kept.octets.values()) != {1}:
        problems.append(f"kept: {kept.octets}")
    if kept.places != places(server):
        problems.append(f"seen at: {sorted(kept.places)}")
    if kept.indexed != len(kept.octets):
        problems.append(f"{kept.indexed} indexed")
    if kept.wrong or kept.linked != len(kept.octets):
        problems.append(f"{kept.linked} linked, {kept.wrong} not as the rules say")
    if not all(status.complete for status in statuses(archive)):
        problems.append("not complete")
    if archive.deliveries().waiting():
        problems.append("deliveries are left over")
    return problems


def crash(root: Path, server: Server, disk: PowerCut) -> bool:
    """Run until the power goes; tell whether it did. The store may have said first that it stops."""
    try:
        run(create(root, disk), server)
    except PowerCutError:
        return True
    return False


def crashes(folder: Path, server: Server) -> Iterator[tuple[str, Path]]:
    """Yield every state of the disk that a cut at any step may leave, each in a directory of its own."""
    whole = PowerCut()
    assert not crash(folder / "whole", server, whole)
    for at in range(1, whole.steps + 1):
        for after in (False, True):
            disk = PowerCut(at=at, after=after)
            assert crash(folder / "crashed", server, disk)
            for undone in disk.states()[:16]:
                shutil.copytree(folder / "crashed", folder / "found")
                lose(moved(undone, folder))
                yield f"step {at} of {whole.steps}, after={after}, undone {undone}", folder / "found"
                shutil.rmtree(folder / "found")
            shutil.rmtree(folder / "crashed")


def moved(undone: tuple[Volatile, ...], folder: Path) -> tuple[Volatile, ...]:
    def elsewhere(path: Path) -> Path:
        return folder / "found" / path.relative_to(folder / "crashed")

    return tuple(
        replace(each, path=elsewhere(each.path), source=None if each.source is None else elsewhere(each.source))
        for each in undone
    )


@pytest.mark.slow
def test_a_power_cut_at_any_step_of_the_whole_path_loses_and_doubles_nothing(quick_path: Path) -> None:
    server, states = mail_server(), 0
    for what, found in crashes(quick_path, server):
        assert wrong(found, server) == [], what
        states += 1
    assert states > 100


@pytest.mark.slow
def test_a_kill_before_or_after_any_transaction_loses_and_doubles_nothing(
    quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's commits do not pass the disk of the model: here a run ends at each of them."""
    server = mail_server()
    real = StoreConnection.transaction
    count = stop = 0

    @contextmanager
    def cut(connection: StoreConnection) -> Iterator[None]:
        nonlocal count
        outermost = connection._depth == 0
        count += outermost
        number = count
        with real(connection):
            yield
            if outermost and number == stop:
                raise PowerCutError  # undone: nothing of it is there
        if outermost and number == -stop:
            raise PowerCutError  # done, and nobody heard of it

    def cut_run(archive: Archive) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(StoreConnection, "transaction", cut)
            run(archive, server)

    archive = create(quick_path / "whole")
    cut_run(archive)
    total, tried = count, 0
    assert total > 6
    for number in range(1, total + 1):
        for stop in (number, -number):
            count = 0
            archive = create(quick_path / "cut")
            with pytest.raises((PowerCutError, ArchiverError)):
                cut_run(archive)
            assert wrong(quick_path / "cut", server) == [], f"transaction {stop} of {total}"
            shutil.rmtree(quick_path / "cut")
            tried += 1
    assert tried == 2 * total
