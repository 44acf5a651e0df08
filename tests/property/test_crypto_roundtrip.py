"""Whatever goes in comes out, and whatever was changed does not."""

from __future__ import annotations

import contextlib
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from archiver.crypto import chunks, recovery_code
from archiver.crypto.derive import bind
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.machine import MachineKey
from archiver.crypto.pending import open_delivery, seal_delivery
from archiver.crypto.sealed import StreamSealer, open_record, open_stream, seal_record
from archiver.errors import FormatError, IntegrityError, WrongKeyError
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.message import BlobId

ARCHIVE = bytes(range(16))
SECRET = EpochSecret(bytes(range(32)), archive_id=ARCHIVE, epoch=1)
PUBLIC = SECRET.ingest_key.public_key
octets32 = st.binary(min_size=32, max_size=32)
lengths = st.integers(0, 2**63 - 1)
uids = st.integers(0, 2**32 - 1)
deliveries = st.builds(
    Delivery,
    st.none() | st.from_regex(r"\A[0-9a-f]{64}\Z"),
    st.lists(st.builds(SealedRecord, octets32.map(BlobId), lengths, lengths, lengths, octets32), max_size=4).map(tuple),
    st.lists(
        st.builds(
            Arrival,
            octets32.map(BlobId),
            st.text(),
            st.binary(),
            st.text(),
            st.none() | st.text(),
            uids,
            uids,
            st.none() | st.text(),
            st.lists(st.text(), max_size=3).map(tuple),
            lengths,
        ),
        max_size=4,
    ).map(tuple),
)


def fixed(size: int) -> bytes:
    return bytes(range(7, 7 + size))


@given(st.binary(max_size=5000), octets32, st.data())
def test_a_record_gives_its_octets_back_and_no_changed_record_gives_anything(
    octets: bytes, blob_id: bytes, data: st.DataObject
) -> None:
    record, dek = seal_record(octets, archive_id=ARCHIVE, blob_id=blob_id, random=fixed)
    assert open_record(record, archive_id=ARCHIVE, blob_id=blob_id, dek=dek) == octets
    at = data.draw(st.integers(0, len(record) - 1))
    put = data.draw(st.binary(max_size=3))
    changed = record[:at] + put + record[at + data.draw(st.integers(0, 3)) :]
    if changed == record:
        return
    try:
        open_record(changed, archive_id=ARCHIVE, blob_id=blob_id, dek=dek)
    except (IntegrityError, FormatError):
        return
    raise AssertionError("a changed record was read as good")


@given(st.lists(st.binary(max_size=4000), max_size=6))
def test_pieces_that_are_streamed_come_out_joined(pieces: list[bytes]) -> None:
    file = BytesIO()
    file.write(b"something before")
    size = sum(map(len, pieces))
    sealer = StreamSealer(file, archive_id=ARCHIVE, blob_id=bytes(32), octets=size, random=fixed)
    for piece in pieces:
        sealer.write(piece)
    length = sealer.finish()
    assert sealer.offset + length == len(file.getvalue())
    opened = open_stream(file, sealer.offset, archive_id=ARCHIVE, blob_id=bytes(32), dek=sealer.dek)
    assert b"".join(opened) == b"".join(pieces)


@given(deliveries)
def test_any_delivery_arrives(delivery: Delivery) -> None:
    name = "x.pending"
    octets = seal_delivery(delivery, archive_id=ARCHIVE, epoch=1, name=name, recipient=PUBLIC)
    assert open_delivery(octets, name=name, secrets=[SECRET]) == delivery


@given(st.binary(max_size=300))
def test_no_octets_make_a_pending_file_by_chance(octets: bytes) -> None:
    for candidate in (octets, b"AVP1\x01\0\0\0" + octets, b"AVP1\x01\0\0\0" + ARCHIVE + octets):
        try:
            open_delivery(candidate, name="x.pending", secrets=[SECRET])
        except (IntegrityError, FormatError, WrongKeyError):
            continue
        raise AssertionError("noise was read as good")


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_binding_is_injective(left: list[bytes], right: list[bytes]) -> None:
    assert (bind(*left) == bind(*right)) == (left == right)


@given(st.binary(min_size=18, max_size=18))
def test_every_recovery_code_is_read_back(octets: bytes) -> None:
    code = recovery_code.generate(lambda _: octets)
    symbols = recovery_code.read(code.lower().replace("-", " "))
    assert symbols == "".join(group[:4] for group in code.split("-")).encode()


@given(st.text(max_size=50))
def test_no_text_makes_reading_a_recovery_code_fail_otherwise_than_foreseen(text: str) -> None:
    with contextlib.suppress(WrongKeyError):
        assert len(recovery_code.read(text)) == 28


@given(st.binary(min_size=16, max_size=16), octets32)
def test_every_machine_key_is_read_back(archive_id: bytes, secret: bytes) -> None:
    key = MachineKey(archive_id, secret)
    assert MachineKey.from_bytes(key.to_bytes()) == key


@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(0, 2**32 - 1), st.booleans())
def test_no_two_chunks_share_a_nonce(one: int, one_last: bool, two: int, two_last: bool) -> None:
    left = chunks.nonce(bytes(7), one, last=one_last)
    right = chunks.nonce(bytes(7), two, last=two_last)
    assert (left == right) == ((one, one_last) == (two, two_last))
