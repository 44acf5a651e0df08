"""The spool: what was written comes out, and the disk sees noise without a name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from archiver.core.ports import Octets, Spool
from archiver.crypto import spool as module
from archiver.crypto.chunks import CHUNK
from archiver.crypto.spool import EncryptedSpool
from archiver.errors import ArchiverError, IntegrityError
from archiver.model.octets import BytesOctets


@pytest.fixture(params=["unnamed", "unlinked"])
def directory(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory, once on a file system with O_TMPFILE and once without."""
    if request.param == "unlinked":
        real = os.open

        def without(path: str | Path, flags: int, *rest: int, **named: int) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "not here")
            return real(path, flags, *rest, **named)

        monkeypatch.setattr(os, "open", without)
    return tmp_path


def make(directory: Path, limit: int = 1000) -> EncryptedSpool:
    return EncryptedSpool(directory, random=os.urandom, memory_limit=limit)


def descriptors(directory: Path) -> list[str]:
    """Paths of files of this process in that directory, unlinked ones too."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith(str(directory)):
            found.append(str(entry))
    return found


def test_it_is_what_the_ports_ask_for(tmp_path: Path) -> None:
    spool: Spool = make(tmp_path)
    octets: Octets = BytesOctets(b"abc")
    assert (spool.size, octets.size) == (0, 3)
    spool.close()


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_octets_come_out_as_they_went_in_as_often_as_asked(directory: Path, size: int) -> None:
    octets = os.urandom(size)
    spool = make(directory)
    for start in range(0, size, 70_001):
        spool.write(octets[start : start + 70_001])
    assert spool.size == size
    for _ in range(2):
        pieces = list(spool)
        assert b"".join(pieces) == octets
        assert all(0 < len(piece) <= CHUNK for piece in pieces)
    spool.close()


def test_two_readers_at_once_do_not_disturb_each_other(directory: Path) -> None:
    octets = os.urandom(3 * CHUNK)
    spool = make(directory)
    spool.write(octets)
    both = list(zip(spool, spool, strict=True))
    assert b"".join(one for one, _ in both) == octets
    assert b"".join(other for _, other in both) == octets
    spool.close()


def test_the_disk_holds_no_plain_octets_and_no_name(directory: Path) -> None:
    spool = make(directory)
    for _ in range(40):
        spool.write(b"canary word " * 10_000)
        assert list(directory.iterdir()) == []
    assert len(b"".join(spool)) == spool.size
    files = descriptors(directory)
    assert len(files) == 1
    with Path(files[0]).open("rb") as file:
        held = file.read()
    assert len(held) > spool.size
    assert b"canary" not in held
    spool.close()
    assert descriptors(directory) == []


def test_small_messages_never_touch_the_disk(directory: Path) -> None:
    spool = make(directory)
    spool.write(bytes(1000))
    assert b"".join(spool) == bytes(1000)
    assert descriptors(directory) == []
    spool.write(b"x")
    assert len(descriptors(directory)) == 1
    spool.close()


def test_truncate_begins_anew_with_a_new_key(directory: Path) -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return os.urandom(size)

    spool = EncryptedSpool(directory, random=random, memory_limit=10)
    for octets in (b"first try " * 5, b"second " * 9, b"short"):
        spool.truncate()
        assert spool.size == 0
        spool.write(octets)
        assert b"".join(spool) == octets
        assert spool.size == len(octets)
    assert asked == [32, 7, 32, 7]
    assert descriptors(directory) == []
    spool.close()


def test_reading_before_the_end_of_writing_is_a_mistake_that_shows(directory: Path) -> None:
    spool = make(directory, limit=10)
    spool.write(bytes(20))
    assert b"".join(spool) == bytes(20)
    with pytest.raises(ValueError, match="truncate"):
        spool.write(b"more")
    spool.close()


def test_close_may_be_called_twice_and_ends_use(directory: Path) -> None:
    spool = make(directory, limit=10)
    spool.write(bytes(20))
    spool.close()
    spool.close()
    with pytest.raises(ValueError, match="closed"):
        spool.write(b"x")
    with pytest.raises(ValueError, match="closed"):
        iter(spool)


def test_a_disk_that_gives_back_other_octets_is_noticed(directory: Path) -> None:
    spool = make(directory, limit=10)
    spool.write(os.urandom(CHUNK + 100))
    assert b"".join(spool)
    with Path(descriptors(directory)[0]).open("r+b") as file:
        file.seek(CHUNK + 50)
        file.write(b"\0\0\0\0\0\0\0\0")
    with pytest.raises(IntegrityError):
        b"".join(spool)
    spool.close()


def test_a_full_disk_is_an_error_of_ours_and_the_spool_can_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full")
    monkeypatch.setattr(module, "_anonymous_file", lambda _: full.open("r+b", buffering=0))
    spool = make(tmp_path, limit=10)
    with pytest.raises(ArchiverError) as caught:
        spool.write(bytes(3 * CHUNK))
    assert "No space left" in caught.value.message
    assert caught.value.hint
    spool.close()


def test_a_directory_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    spool = make(tmp_path / "gone", limit=10)
    with pytest.raises(ArchiverError):
        spool.write(bytes(20))
    spool.close()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_octets_in_memory_come_in_pieces_of_at_most_a_mebibyte(size: int) -> None:
    octets = BytesOctets(bytes(size))
    assert octets.size == size
    for _ in range(2):
        pieces = list(octets)
        assert b"".join(pieces) == bytes(size)
        assert all(0 < len(piece) <= CHUNK for piece in pieces)
    assert bytes(octets) == bytes(size)
    octets.close()
    octets.close()
