"""Sealed records: what opens, and every way in which something must not."""

from __future__ import annotations

import hashlib
import os
import random
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archiver.crypto import sealed
from archiver.crypto.aead import gcm
from archiver.crypto.chunks import CHUNK, TAG, BrokenChunkError, ChunkSealer, nonce, open_chunks
from archiver.crypto.derive import bind, expand
from archiver.crypto.dictionary import DICTIONARY
from archiver.crypto.sealed import (
    RECORD_HEADER_LENGTH,
    StreamSealer,
    open_record,
    open_stream,
    parse_record_header,
    seal_record,
)
from archiver.errors import ArchiverError, FormatError, IntegrityError

ARCHIVE = bytes(range(16))
OTHER_ARCHIVE = bytes(range(1, 17))
BLOB = bytes(range(32))
OTHER_BLOB = bytes(range(1, 33))


def noise(size: int, seed: int = 1) -> bytes:
    """Octets that do not compress."""
    return random.Random(seed).randbytes(size)


def seal(octets: bytes, *, archive_id: bytes = ARCHIVE, blob_id: bytes = BLOB) -> tuple[bytes, bytes]:
    return seal_record(octets, archive_id=archive_id, blob_id=blob_id, random=os.urandom)


def opened(record: bytes, dek: bytes, *, archive_id: bytes = ARCHIVE, blob_id: bytes = BLOB) -> bytes:
    return open_record(record, archive_id=archive_id, blob_id=blob_id, dek=dek)


def seal_stream(octets: bytes, *, blob_id: bytes = BLOB, piece: int = 100_000) -> tuple[BytesIO, bytes]:
    file = BytesIO()
    sealer = StreamSealer(file, archive_id=ARCHIVE, blob_id=blob_id, octets=len(octets), random=os.urandom)
    for start in range(0, len(octets), piece):
        sealer.write(octets[start : start + piece])
    assert sealer.finish() == len(file.getvalue())
    return file, sealer.dek


def streamed(file: BytesIO, dek: bytes, *, archive_id: bytes = ARCHIVE, blob_id: bytes = BLOB) -> bytes:
    return b"".join(open_stream(file, 0, archive_id=archive_id, blob_id=blob_id, dek=dek))


@pytest.mark.parametrize("size", [0, 1, 2, 100, 4096, CHUNK - 1, CHUNK, CHUNK + 1])
def test_a_whole_record_gives_back_its_octets(size: int) -> None:
    octets = noise(size)
    record, dek = seal(octets)
    assert opened(record, dek) == octets
    assert parse_record_header(record).record_length == len(record)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
@pytest.mark.parametrize("piece", [65_537, 4 * CHUNK])
def test_a_streamed_record_gives_back_its_octets(size: int, piece: int) -> None:
    octets = noise(size)
    file, dek = seal_stream(octets, piece=piece)
    assert streamed(file, dek) == octets
    assert opened(file.getvalue(), dek) == octets
    header = parse_record_header(file.getvalue())
    assert header.chunked
    assert header.record_length == len(file.getvalue())


def test_highly_compressible_octets_are_streamed_in_small_pieces() -> None:
    octets = bytes(12 * CHUNK + 5)
    file, dek = seal_stream(octets)
    pieces = list(open_stream(file, 0, archive_id=ARCHIVE, blob_id=BLOB, dek=dek))
    assert max(map(len, pieces)) <= CHUNK
    assert b"".join(pieces) == octets


def test_a_stream_reader_keeps_its_place_when_the_file_is_read_by_others() -> None:
    octets = noise(3 * CHUNK)
    file, dek = seal_stream(octets)
    pieces = []
    for piece in open_stream(file, 0, archive_id=ARCHIVE, blob_id=BLOB, dek=dek):
        pieces.append(piece)
        file.seek(7)
    assert b"".join(pieces) == octets


def test_records_of_a_pack_can_be_walked_without_a_key() -> None:
    records = [seal(noise(size, size), blob_id=bytes([size]) * 32)[0] for size in (10, 200, 30)]
    pack, at, found = b"".join(records), 0, []
    while at < len(pack):
        header = parse_record_header(pack[at : at + RECORD_HEADER_LENGTH])
        found.append(header.blob_id)
        at += header.record_length
    assert at == len(pack)
    assert found == [bytes([size]) * 32 for size in (10, 200, 30)]


def test_every_flipped_bit_of_a_whole_record_is_noticed() -> None:
    record, dek = seal(b"a small message")
    for bit in range(8 * len(record)):
        flipped = bytearray(record)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((IntegrityError, FormatError)):
            opened(bytes(flipped), dek)


def test_every_flipped_bit_of_a_streamed_record_is_noticed() -> None:
    file, dek = seal_stream(b"a small message")
    record = file.getvalue()
    for bit in range(8 * len(record)):
        flipped = bytearray(record)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((IntegrityError, FormatError)):
            streamed(BytesIO(bytes(flipped)), dek)


def test_every_cut_of_a_record_is_noticed() -> None:
    record, dek = seal(b"a small message")
    for length in range(len(record)):
        with pytest.raises(IntegrityError):
            opened(record[:length], dek)
    with pytest.raises(IntegrityError):
        opened(record + b"\0", dek)


@pytest.mark.parametrize("stream", [False, True])
def test_a_record_opens_for_its_own_archive_message_and_key_only(stream: bool) -> None:
    record, dek = seal(b"octets")
    if stream:
        file, dek = seal_stream(b"octets")
        record = file.getvalue()
    _, other_dek = seal(b"octets")
    for archive_id, blob_id, key in (
        (OTHER_ARCHIVE, BLOB, dek),
        (ARCHIVE, OTHER_BLOB, dek),
        (ARCHIVE, BLOB, other_dek),
        (ARCHIVE, BLOB, dek[:31]),
        (ARCHIVE, BLOB, b""),
    ):
        with pytest.raises(IntegrityError) as caught:
            open_record(record, archive_id=archive_id, blob_id=blob_id, dek=key)
        assert caught.value.what == f"message {blob_id.hex()[:12]}"


def test_a_blob_id_put_into_another_message_s_header_does_not_open_as_that_message() -> None:
    record, dek = seal(b"octets")
    forged = record[:8] + OTHER_BLOB + record[40:]
    with pytest.raises(IntegrityError):
        opened(forged, dek, blob_id=OTHER_BLOB)


def test_a_record_sealed_as_another_kind_does_not_open() -> None:
    dek, iv = os.urandom(32), os.urandom(12)
    for kind, fails in ((b"record", False), (b"meta", True)):
        context = bind(b"AVR1", b"\x01\x00", ARCHIVE, kind, BLOB)
        plain = struct.pack(">Q", 3) + zlib.compress(b"abc")
        body = AESGCM(expand(dek, b"archiver 1 record body")).encrypt(iv, plain, context)
        commitment = expand(dek, b"archiver 1 record commitment")
        record = b"AVR1\x01\x00\0\0" + BLOB + struct.pack(">Q", len(body)) + iv + commitment + body
        if fails:
            with pytest.raises(IntegrityError):
                opened(record, dek)
        else:
            assert opened(record, dek) == b"abc"


def craft(plain: bytes) -> tuple[bytes, bytes]:
    """Seal any plain text correctly, as a hostile collector could."""
    dek, iv = os.urandom(32), os.urandom(12)
    context = bind(b"AVR1", b"\x01\x00", ARCHIVE, b"record", BLOB)
    body = AESGCM(expand(dek, b"archiver 1 record body")).encrypt(iv, plain, context)
    commitment = expand(dek, b"archiver 1 record commitment")
    return b"AVR1\x01\x00\0\0" + BLOB + struct.pack(">Q", len(body)) + iv + commitment + body, dek


def craft_stream(plain: bytes) -> tuple[BytesIO, bytes]:
    dek, prefix = os.urandom(32), os.urandom(7)
    body = BytesIO()
    context = bind(b"AVR1", b"\x01\x01", ARCHIVE, b"record", BLOB)
    sealer = ChunkSealer(body, key=expand(dek, b"archiver 1 record body"), prefix=prefix, context=context)
    sealer.write(plain)
    length = sealer.finish()
    commitment = expand(dek, b"archiver 1 record commitment")
    head = b"AVR1\x01\x01\0\0" + BLOB + struct.pack(">Q", length) + prefix + bytes(5) + commitment
    return BytesIO(head + body.getvalue()), dek


HOSTILE = {
    "a length that is too small": struct.pack(">Q", 2) + zlib.compress(b"abc"),
    "a length that is too large": struct.pack(">Q", 4) + zlib.compress(b"abc"),
    "a length of zero before octets": struct.pack(">Q", 0) + zlib.compress(b"abc"),
    "an absurd length": struct.pack(">Q", 2**64 - 1) + zlib.compress(b"abc"),
    "a bomb": struct.pack(">Q", 10) + zlib.compress(bytes(50 << 20)),
    "a stream cut off": struct.pack(">Q", 3) + zlib.compress(b"abc")[:-2],
    "octets behind the stream": struct.pack(">Q", 3) + zlib.compress(b"abc") + b"x",
    "a second stream behind the first": struct.pack(">Q", 6) + zlib.compress(b"abc") * 2,
    "no zlib stream": struct.pack(">Q", 3) + b"garbage!",
    "a wrong checksum within zlib": struct.pack(">Q", 3) + zlib.compress(b"abc")[:-1] + b"\xff",
}


@pytest.mark.parametrize("plain", HOSTILE.values(), ids=HOSTILE)
def test_a_well_sealed_record_with_hostile_plain_text_is_refused(plain: bytes) -> None:
    record, dek = craft(plain)
    with pytest.raises(IntegrityError):
        opened(record, dek)
    file, dek = craft_stream(plain)
    with pytest.raises(IntegrityError):
        streamed(file, dek)


def test_of_a_bomb_no_octet_more_than_stated_is_handed_out() -> None:
    file, dek = craft_stream(struct.pack(">Q", 10) + zlib.compress(bytes(50 << 20)))
    handed_out: list[bytes] = []
    with pytest.raises(IntegrityError):
        handed_out.extend(open_stream(file, 0, archive_id=ARCHIVE, blob_id=BLOB, dek=dek))
    assert sum(map(len, handed_out)) <= 10


def test_what_is_stated_behind_the_end_of_a_stream_is_refused_even_in_a_later_chunk() -> None:
    octets = noise(CHUNK + 100)
    file, dek = craft_stream(struct.pack(">Q", len(octets)) + zlib.compress(octets) + bytes(CHUNK))
    with pytest.raises(IntegrityError):
        streamed(file, dek)


def test_the_limit_of_the_caller_is_kept() -> None:
    record, dek = seal(bytes(1000))
    with pytest.raises(IntegrityError):
        open_record(record, archive_id=ARCHIVE, blob_id=BLOB, dek=dek, limit=999)
    file, dek = seal_stream(bytes(1000))
    with pytest.raises(IntegrityError):
        open_record(file.getvalue(), archive_id=ARCHIVE, blob_id=BLOB, dek=dek, limit=999)


@pytest.mark.parametrize(
    ("at", "octets", "error"),
    [
        (0, b"AVR2", FormatError),
        (0, b"PK\3\4", IntegrityError),
        (4, b"\x02", FormatError),
        (5, b"\x02", IntegrityError),
        (5, b"\x81", IntegrityError),
        (6, b"\x01", IntegrityError),
        (40, b"\0\0\0\0\0\0\0\x18", IntegrityError),
        (40, b"\x7f\xff\xff\xff\xff\xff\xff\xff", IntegrityError),
        (40, b"\0\0\0\0\0\xa0\0\0", IntegrityError),
    ],
)
def test_headers_out_of_range_are_refused_before_any_key_is_used(
    at: int, octets: bytes, error: type[ArchiverError]
) -> None:
    record, _ = seal(b"octets")
    with pytest.raises(error):
        parse_record_header(record[:at] + octets + record[at + len(octets) :])


def test_a_chunked_record_has_a_counter_free_nonce() -> None:
    file, _ = seal_stream(b"octets")
    record = bytearray(file.getvalue())
    record[59] = 1
    with pytest.raises(IntegrityError):
        parse_record_header(bytes(record))


def test_no_nonce_and_no_key_is_used_twice() -> None:
    records = [seal(b"the same") for _ in range(200)]
    assert len({dek for _, dek in records}) == 200
    assert len({parse_record_header(record).nonce for record, _ in records}) == 200


def test_a_record_shows_neither_octets_nor_their_number() -> None:
    octets = b"canary " * 500
    record, _ = seal(octets)
    assert b"canary" not in record
    assert struct.pack(">Q", len(octets)) not in record


def test_sealing_notices_a_machine_that_errs(monkeypatch: pytest.MonkeyPatch) -> None:
    real = sealed._deflate
    monkeypatch.setattr(sealed, "_deflate", lambda octets: real(bytes([octets[0] ^ 1]) + octets[1:]))
    with pytest.raises(IntegrityError):
        seal(b"octets")


@pytest.mark.parametrize("given", [99, 101])
def test_a_streamed_message_of_another_size_than_stated_is_refused(given: int) -> None:
    sealer = StreamSealer(BytesIO(), archive_id=ARCHIVE, blob_id=BLOB, octets=100, random=os.urandom)
    if given > 100:
        with pytest.raises(IntegrityError):
            sealer.write(bytes(given))
    else:
        sealer.write(bytes(given))
        with pytest.raises(IntegrityError):
            sealer.finish()


def test_a_message_over_the_limit_is_not_sealed_whole() -> None:
    with pytest.raises(ValueError, match="StreamSealer"):
        seal(bytes(sealed.WHOLE_LIMIT + 1))


def test_error_texts_hold_nothing_of_the_message() -> None:
    record, _ = seal(b"canary canary")
    with pytest.raises(IntegrityError) as caught:
        opened(record, os.urandom(32))
    assert "canary" not in f"{caught.value.message} {caught.value.hint} {caught.value.what}"


# --- chunks ---

KEY, PREFIX_ = bytes(32), bytes(7)


def chunked(plain: bytes) -> bytes:
    file = BytesIO()
    sealer = ChunkSealer(file, key=KEY, prefix=PREFIX_, context=b"c")
    sealer.write(plain)
    assert sealer.finish() == len(file.getvalue())
    return file.getvalue()


def unchunked(octets: bytes, context: bytes = b"c") -> bytes:
    return b"".join(open_chunks(BytesIO(octets), len(octets), key=KEY, prefix=PREFIX_, context=context))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1])
def test_chunks_join_to_what_was_written(size: int) -> None:
    plain = noise(size)
    octets = chunked(plain)
    assert len(octets) == size + TAG * max(1, -(-size // CHUNK))
    assert unchunked(octets) == plain


SEALED_CHUNK = CHUNK + TAG
HOSTILE_CHUNKS = {
    "the last chunk cut off": lambda o: o[: 2 * SEALED_CHUNK],
    "a chunk cut in the middle": lambda o: o[SEALED_CHUNK:],
    "two chunks exchanged": lambda o: o[SEALED_CHUNK : 2 * SEALED_CHUNK] + o[:SEALED_CHUNK] + o[2 * SEALED_CHUNK :],
    "a chunk doubled": lambda o: o[:SEALED_CHUNK] + o,
    "the last chunk doubled": lambda o: o + o[2 * SEALED_CHUNK :],
    "an octet lost at the end": lambda o: o[:-1],
    "an octet more at the end": lambda o: o + b"\0",
    "a tag's length more at the end": lambda o: o + bytes(TAG),
    "nothing at all": lambda _: b"",
    "less than a tag": lambda o: o[: TAG - 1],
}


@pytest.mark.parametrize("hostile", HOSTILE_CHUNKS.values(), ids=HOSTILE_CHUNKS)
def test_chunks_that_were_tampered_with_do_not_open(hostile) -> None:  # type: ignore[no-untyped-def]
    octets = chunked(noise(2 * CHUNK + 10))
    with pytest.raises(BrokenChunkError):
        unchunked(hostile(octets))


def test_chunks_bind_their_context() -> None:
    with pytest.raises(BrokenChunkError):
        unchunked(chunked(b"octets"), context=b"d")


def test_a_file_shorter_than_the_stated_length_is_noticed() -> None:
    octets = chunked(b"octets")
    with pytest.raises(BrokenChunkError):
        list(open_chunks(BytesIO(octets[:-3]), len(octets), key=KEY, prefix=PREFIX_, context=b"c"))


def test_nonces_tell_prefix_number_and_end() -> None:
    assert nonce(b"prefix!", 258, last=True) == b"prefix!\x00\x00\x01\x02\x01"
    assert nonce(b"prefix!", 258, last=False) == b"prefix!\x00\x00\x01\x02\x00"


def test_the_preset_dictionary_is_the_one_of_format_1() -> None:
    expected = "564a41b6303d154d6bfb59d54a05099b4ba47524adc8137ef0794eaaeeeb2aad"
    assert hashlib.sha256(DICTIONARY).hexdigest() == expected
    assert expected in (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")


def test_a_record_is_deflated_with_the_preset_dictionary() -> None:
    octets = b"Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n"
    assert len(sealed._deflate(octets)) < len(zlib.compress(octets)) // 2


def test_the_cipher_is_the_one_that_is_documented_wherever_the_library_keeps_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert type(gcm(bytes(32))) is AESGCM
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.bindings._rust", None)
    assert type(gcm(bytes(32))) is AESGCM


def test_of_the_library_only_this_cipher_is_loaded() -> None:
    script = (
        "import sys\nfrom archiver.crypto.aead import gcm\ngcm(bytes(32))\n"
        "assert 'cryptography.hazmat.bindings._rust' in sys.modules\n"
        "assert not [name for name in sys.modules if name.startswith('cryptography.hazmat.primitives')]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_where_a_release_keeps_the_cipher_elsewhere_it_is_the_documented_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.bindings import _rust

    key, sealed = bytes(range(32)), gcm(bytes(range(32))).encrypt(bytes(12), b"text", b"beside")
    monkeypatch.setattr(_rust, "openssl", object())
    assert type(gcm(key)) is AESGCM
    assert gcm(key).decrypt(bytes(12), sealed, b"beside") == b"text"
