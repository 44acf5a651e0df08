"""The collector's store when a page of collect.db cannot be read while a message is staged."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.crypto.sealed import WHOLE_LIMIT
from archiver.errors import IntegrityError
from archiver.model.message import BlobId
from archiver.model.octets import BytesOctets
from archiver.store import collect
from archiver.store.collect_db import CollectDatabase
from tests.twins.archive import INBOX, Archive, entry, mail


@pytest.mark.parametrize("whole_limit", [WHOLE_LIMIT, 0], ids=["small", "large"])
def test_a_message_that_was_not_sealed_does_not_count_as_archived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_limit: int
) -> None:
    archive = Archive(tmp_path / "archive").create()
    store = archive.collect()
    epoch = store.open_epoch("info", INBOX, 7)
    monkeypatch.setattr(collect, "WHOLE_LIMIT", whole_limit)

    def add(uid: int) -> bool:
        return store.add(epoch, entry(uid, mail(uid)), BytesOctets(mail(uid)))

    def unreadable(_database: CollectDatabase, _blob_id: BlobId) -> str | None:
        raise IntegrityError("collect.db: a page is damaged", what="collect.db")

    add(1)
    with monkeypatch.context() as patched:
        patched.setattr(CollectDatabase, "digest_state", unreadable)
        with pytest.raises(IntegrityError):
            add(2)
    store.flush()  # as the collector does at the end of whatever kind
    assert dict(store.accounted(epoch)) == {1: "archived"}
    assert add(2), "the next run brings it"
    store.close()
