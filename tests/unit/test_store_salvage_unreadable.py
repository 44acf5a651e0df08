"""Records are copied out of a damaged pack, and the new file cannot be read back."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import DiskError
from archiver.model.octets import BytesOctets
from archiver.store.durable import TEMPORARY_SUFFIX
from archiver.store.salvage import Salvage, Source
from tests.twins.archive import INBOX, Archive, entry, mail


def test_a_copy_that_cannot_be_read_for_its_name_is_the_fault_of_the_disk_and_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(tmp_path / "archive").create()
    store = archive.collect()
    store.add(store.open_epoch("info", INBOX, 7), entry(1, mail(1)), BytesOctets(mail(1)))
    store.flush()
    store.close()
    deliveries = archive.deliveries()
    (delivery,) = [deliveries.open(name) for name in deliveries.waiting()]
    assert delivery.pack is not None
    (record,) = delivery.records
    pack = archive.paths.pack(delivery.pack)
    salvage = Salvage(
        archive.paths,
        archive.disk,
        archive_id=archive.archive_id,
        digest_key=archive.credential.digest_key,
        random=archive.random,
    )
    opened: list[Path] = []
    really = Path.open

    def opening(path: Path, *arguments: Any) -> Any:
        if path.suffix == TEMPORARY_SUFFIX:
            opened.append(path)
            if len(opened) == 2:  # the first reading opened the record
                raise OSError(errno.EIO, "Input/output error")
        return really(path, *arguments)

    monkeypatch.setattr(Path, "open", opening)
    with pytest.raises(DiskError, match="Input/output error"):
        salvage.copy([Source(record, pack, record.offset)], instead_of=delivery.pack)
    assert pack.exists()
