"""archive.json, the collector credential, machine keys, pending files, digests: octets to values, or refused."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from archiver.crypto.archive_file import ArchiveFile, create_archive_file, read_archive_file
from archiver.crypto.collector import CollectorCredential, create_credential
from archiver.crypto.derive import bind, expand, extract
from archiver.crypto.digest import BlobDigest, blob_id, blob_id_from_hex, blob_id_of
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.hardening import die_with_parent, forbid_core_dumps
from archiver.crypto.kdf import KdfParameters
from archiver.crypto.machine import MachineKey, check_private_file
from archiver.crypto.pending import open_delivery, seal_delivery
from archiver.crypto.recipients import OVERHEAD, PrivateKey, PublicKey
from archiver.errors import ArchiverError, ConfigurationError, FormatError, IntegrityError, UsageError, WrongKeyError
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.message import BlobId

ARCHIVE = bytes(range(16))
NOW = datetime(2024, 2, 29, 13, 30, tzinfo=timezone(timedelta(hours=1)))
KDF = KdfParameters(passes=3, lanes=4, memory_kib=262144)
SECRET = EpochSecret(bytes(range(32)), archive_id=ARCHIVE, epoch=1)
CREDENTIAL = CollectorCredential(ARCHIVE, bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32)
NAME = "0123456789abcdef-deadbeef.pending"


# --- archive.json ---


def archive_file() -> ArchiveFile:
    return create_archive_file(SECRET, CREDENTIAL, created=NOW, kdf=KDF)


def respell(octets: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(octets)
    del value["checksum"]
    change(value)
    body = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    value["checksum"] = hashlib.sha256(body).hexdigest()
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def test_archive_json_gives_its_values_and_the_ingest_key_back() -> None:
    read = read_archive_file(archive_file().to_bytes())
    assert (read.archive_id, read.epoch, read.kdf) == (ARCHIVE, 1, KDF)
    assert read.created == NOW
    assert read.created.tzinfo == UTC
    read.check(SECRET)
    assert read.recipient_for_collector(CREDENTIAL) == SECRET.ingest_key.public_key


def test_every_flipped_bit_of_archive_json_and_the_credential_is_noticed() -> None:
    for octets, read in (
        (archive_file().to_bytes(), read_archive_file),
        (CREDENTIAL.to_bytes(), CollectorCredential.from_bytes),
    ):
        for bit in range(8 * len(octets)):
            flipped = bytearray(octets)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises((IntegrityError, FormatError)):
                read(bytes(flipped))


def test_a_swapped_ingest_key_is_refused_by_collector_and_reader() -> None:
    thief = EpochSecret(bytes(32), archive_id=ARCHIVE, epoch=1)
    theirs = json.loads(create_archive_file(thief, CREDENTIAL, created=NOW, kdf=KDF).to_bytes())
    own = json.loads(archive_file().to_bytes())

    def swap(whole: dict[str, Any]) -> None:
        whole["ingest_public_key"] = theirs["ingest_public_key"]

    forged = read_archive_file(respell(archive_file().to_bytes(), swap))
    with pytest.raises(IntegrityError):
        forged.recipient_for_collector(CREDENTIAL)
    with pytest.raises(IntegrityError):
        forged.check(SECRET)
    assert own["ingest_public_key"] != theirs["ingest_public_key"]


def test_each_changed_field_of_archive_json_is_refused_by_both_sides() -> None:
    for field, value in (
        ("created", "2020-01-01T00:00:00Z"),
        ("epoch", 2),
        ("kdf", {"passes": 1, "lanes": 1, "memory_kib": 64}),
    ):
        forged = read_archive_file(
            respell(archive_file().to_bytes(), lambda whole, f=field, v=value: whole.__setitem__(f, v))  # type: ignore[misc]
        )
        with pytest.raises(IntegrityError):
            forged.recipient_for_collector(CREDENTIAL)
        with pytest.raises(IntegrityError):
            forged.check(SECRET)


def test_the_two_macs_of_archive_json_do_not_stand_in_for_each_other() -> None:
    def exchange(whole: dict[str, Any]) -> None:
        whole["collector_mac"], whole["epoch_mac"] = whole["epoch_mac"], whole["collector_mac"]

    forged = read_archive_file(respell(archive_file().to_bytes(), exchange))
    with pytest.raises(IntegrityError):
        forged.recipient_for_collector(CREDENTIAL)
    with pytest.raises(IntegrityError):
        forged.check(SECRET)


def test_a_credential_of_another_archive_gets_no_key() -> None:
    with pytest.raises(WrongKeyError):
        archive_file().recipient_for_collector(replace(CREDENTIAL, archive_id=bytes(16)))
    with pytest.raises(IntegrityError):
        archive_file().recipient_for_collector(replace(CREDENTIAL, mac_key=bytes(32)))


# --- the credential and machine keys ---


def test_a_credential_is_read_back_and_shows_no_key() -> None:
    credential = create_credential(archive_id=ARCHIVE, random=os.urandom)
    assert CollectorCredential.from_bytes(credential.to_bytes()) == credential
    assert len({credential.collect_key, credential.digest_key, credential.mac_key}) == 3
    shown = repr(credential)
    for key in (credential.collect_key, credential.digest_key, credential.mac_key):
        assert repr(key) not in shown
        assert key.hex() not in shown


def test_a_newer_credential_is_told_apart_from_a_damaged_one() -> None:
    with pytest.raises(FormatError):
        CollectorCredential.from_bytes(CREDENTIAL.to_bytes().replace(b'"format": 1', b'"format": 9'))


def test_a_machine_key_is_one_line_and_strict() -> None:
    key = MachineKey(ARCHIVE, bytes(range(32)))
    octets = key.to_bytes()
    assert octets.count(b"\n") == 1
    assert MachineKey.from_bytes(octets) == key
    assert MachineKey.from_bytes(octets.rstrip()) == key
    for wrong in (b"", octets[:-2], octets.upper(), octets + octets, octets.replace(b" 1 ", b" 2 ")):
        with pytest.raises(FormatError):
            MachineKey.from_bytes(wrong)


def status(mode: int, *, uid: int | None = None, gid: int = 1000, kind: int = stat.S_IFREG) -> os.stat_result:
    return os.stat_result((kind | mode, 0, 0, 1, os.geteuid() if uid is None else uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_file_of_its_user_alone_is_accepted(mode: int) -> None:
    check_private_file(status(mode), "credential")


def test_the_mode_that_systemd_gives_its_credentials_is_accepted() -> None:
    check_private_file(status(0o440, uid=0, gid=0), "credential")


@pytest.mark.parametrize(
    "wrong",
    [
        status(0o644),
        status(0o640),
        status(0o604),
        status(0o602),
        status(0o620),
        status(0o460, uid=0, gid=0),
        status(0o444, uid=0, gid=0),
        status(0o600, uid=54321),
        status(0o700, kind=stat.S_IFDIR),
        status(0o600, kind=stat.S_IFIFO),
    ],
)
def test_a_key_file_that_others_can_read_or_change_is_refused(wrong: os.stat_result) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_private_file(wrong, "/etc/archiver/credential")
    assert "/etc/archiver/credential" in caught.value.message
    assert len(caught.value.problems) == 1


# --- pending files ---


def delivery(records: int = 2, pack: str | None = "ab" * 32) -> Delivery:
    kept = tuple(
        SealedRecord(BlobId(bytes([n]) * 32), offset=n * 100, length=100, octets=2**40, dek=bytes([n + 1]) * 32)
        for n in range(records)
    )
    seen = (
        Arrival(
            BlobId(bytes(32)), "info", b"INBOX/\xff\x00", "INBOX/\ufffd", "\\Inbox", 2**32 - 1, 1,
            "17-Jul-1996 02:44:25 -0700", ("\\Seen", "klant"), 1_700_000_000,
        ),
        Arrival(BlobId(bytes([1]) * 32), "import", b"x", "x", None, 0, 0, None, (), 0),
    )  # fmt: skip
    return Delivery(pack, kept, seen)


def seal(
    what: Delivery, *, name: str = NAME, archive_id: bytes = ARCHIVE, epoch: int = 1, secret: EpochSecret = SECRET
) -> bytes:
    return seal_delivery(what, archive_id=archive_id, epoch=epoch, name=name, recipient=secret.ingest_key.public_key)


@pytest.mark.parametrize("what", [delivery(), delivery(0, None), delivery(200), Delivery(None, (), ())])
def test_a_delivery_comes_out_as_it_went_in(what: Delivery) -> None:
    assert open_delivery(seal(what), name=NAME, secrets=[SECRET]) == what


def test_a_mailbox_name_that_is_no_unicode_arrives_with_its_octets_unharmed() -> None:
    first = replace(delivery().arrivals[0], mailbox_display="a\udcffb\U0001f600", keywords=("\ud800",))
    opened = open_delivery(seal(Delivery(None, (), (first,))), name=NAME, secrets=[SECRET])
    assert opened.arrivals == (replace(first, mailbox_display="a\ufffdb\U0001f600", keywords=("\ufffd",)),)


def test_every_flipped_bit_of_a_pending_file_is_noticed() -> None:
    octets = seal(delivery(1))
    # The KEM's 1,120 octets are alike: every bit of the header and of the rest, one bit in each octet of those.
    for bit in range(8 * len(octets)):
        if 32 <= bit // 8 < 32 + 1120 and bit % 8 != bit // 8 % 8:
            continue
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((IntegrityError, FormatError, WrongKeyError)):
            open_delivery(bytes(flipped), name=NAME, secrets=[SECRET])


def test_every_kind_of_cut_of_a_pending_file_is_noticed() -> None:
    octets = seal(delivery(1))
    for length in (*range(64), len(octets) // 2, len(octets) - 1):
        with pytest.raises(IntegrityError):
            open_delivery(octets[:length], name=NAME, secrets=[SECRET])
    with pytest.raises(IntegrityError):
        open_delivery(octets + b"\0", name=NAME, secrets=[SECRET])


def test_a_pending_file_opens_under_its_own_name_archive_and_epoch_only() -> None:
    with pytest.raises(IntegrityError) as caught:
        open_delivery(seal(delivery()), name="renamed.pending", secrets=[SECRET])
    assert caught.value.what == "renamed.pending"
    with pytest.raises(IntegrityError):
        open_delivery(seal(delivery(), archive_id=bytes(16)), name=NAME, secrets=[SECRET])
    elsewhere = EpochSecret(SECRET.export(), archive_id=bytes(16), epoch=1)
    with pytest.raises(IntegrityError):
        open_delivery(seal(delivery()), name=NAME, secrets=[elsewhere])
    later = EpochSecret(bytes(32), archive_id=ARCHIVE, epoch=2)
    with pytest.raises(WrongKeyError):
        open_delivery(seal(delivery()), name=NAME, secrets=[later])
    assert open_delivery(seal(delivery()), name=NAME, secrets=[later, SECRET]) == delivery()


def test_an_archive_id_or_epoch_rewritten_in_the_header_does_not_help() -> None:
    second = EpochSecret(SECRET.export(), archive_id=ARCHIVE, epoch=2)
    octets = seal(delivery())
    forged = octets[:24] + (2).to_bytes(4, "big") + octets[28:]
    with pytest.raises(IntegrityError):
        open_delivery(forged, name=NAME, secrets=[second, SECRET])


GOOD: list[Any] = [1, "ab" * 32, [[bytes(32), 0, 100, 10, bytes(32)]], []]
HOSTILE: dict[str, Any] = {
    "another version": [2, None, [], []],
    "too few fields": [1, None, []],
    "too many fields": [*GOOD, 0],
    "a map": {"pack": None},
    "a pack's name that is a path": [1, "../../etc/passwd", [], []],
    "a pack's name in capitals": [1, "AB" * 32, [], []],
    "a short key": [1, None, [[bytes(32), 0, 100, 10, bytes(31)]], []],
    "a long blob id": [1, None, [[bytes(33), 0, 100, 10, bytes(32)]], []],
    "a negative offset": [1, None, [[bytes(32), -1, 100, 10, bytes(32)]], []],
    "an offset beyond 63 bits": [1, None, [[bytes(32), 2**63, 100, 10, bytes(32)]], []],
    "text for octets": [1, None, [["a" * 32, 0, 100, 10, bytes(32)]], []],
    "a uid beyond 32 bits": [1, None, [], [[bytes(32), "a", b"", "", None, 0, 2**32, None, [], 0]]],
    "a number for a name": [1, None, [], [[bytes(32), 1, b"", "", None, 0, 1, None, [], 0]]],
}


def raw(plain: bytes) -> bytes:
    """Seal any plain text, as somebody with the public key could."""
    info = bind(b"AVP1", b"\x01", ARCHIVE, b"pending", NAME.encode(), (1).to_bytes(4, "big"))
    sealed = SECRET.ingest_key.public_key.seal(plain, info=info)
    return b"AVP1\x01\0\0\0" + ARCHIVE + (1).to_bytes(4, "big") + len(sealed).to_bytes(4, "big") + sealed


def test_the_hostile_cases_differ_from_a_good_one() -> None:
    assert len(open_delivery(raw(msgspec.msgpack.encode(GOOD)), name=NAME, secrets=[SECRET]).records) == 1


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_well_sealed_delivery_with_hostile_content_is_refused(value: Any) -> None:
    with pytest.raises(IntegrityError):
        open_delivery(raw(msgspec.msgpack.encode(value)), name=NAME, secrets=[SECRET])


@pytest.mark.parametrize("plain", [b"", b"\xc1", b"\x94\x01", b"\xa1\xff", b"\xdd\xff\xff\xff\xff"])
def test_a_well_sealed_delivery_that_is_no_messagepack_is_refused(plain: bytes) -> None:
    with pytest.raises(IntegrityError):
        open_delivery(raw(plain), name=NAME, secrets=[SECRET])


def test_newer_pending_files_are_told_apart_from_damaged_ones() -> None:
    octets = seal(delivery())
    for newer in (b"AVP2" + octets[4:], octets[:4] + b"\x02" + octets[5:]):
        with pytest.raises(FormatError):
            open_delivery(newer, name=NAME, secrets=[SECRET])


# --- recipients ---


def test_what_is_sealed_to_a_key_opens_with_it_and_its_info_only() -> None:
    key, other = PrivateKey.from_seed(bytes(32)), PrivateKey.from_seed(bytes([1]) * 32)
    public = PublicKey.from_bytes(key.public_key.to_bytes())
    sealed = public.seal(b"octets", info=b"info")
    assert len(sealed) == len(b"octets") + OVERHEAD
    assert key.open(sealed, info=b"info", what="x") == b"octets"
    assert public.seal(b"octets", info=b"info") != sealed
    for opener, info, octets in (
        (other, b"info", sealed),
        (key, b"inf0", sealed),
        (key, b"info", sealed[:-1]),
        (key, b"info", sealed[:100]),
        (key, b"info", b""),
    ):
        with pytest.raises(IntegrityError) as caught:
            opener.open(octets, info=info, what="the thing")
        assert caught.value.what == "the thing"


def test_the_same_seed_gives_the_same_pair() -> None:
    assert PrivateKey.from_seed(bytes(32)).public_key == PrivateKey.from_seed(bytes(32)).public_key
    assert PrivateKey.from_seed(bytes(32)).public_key != PrivateKey.from_seed(bytes([1]) * 32).public_key
    with pytest.raises(ValueError, match="32"):
        PrivateKey.from_seed(bytes(31))


@pytest.mark.parametrize("octets", [b"", bytes(1215), bytes(1217), b"\xff" * 1216])
def test_what_is_no_public_key_is_refused(octets: bytes) -> None:
    with pytest.raises(FormatError):
        PublicKey.from_bytes(octets)


def test_a_public_key_whose_curve_half_is_of_low_order_seals_nothing() -> None:
    good = PrivateKey.from_seed(bytes(32)).public_key.to_bytes()
    with pytest.raises(FormatError):
        PublicKey.from_bytes(good[:1184] + bytes(32)).seal(b"octets", info=b"")


@pytest.mark.parametrize("half", ["MLKEM768PublicKey", "MLKEM768PrivateKey"])
def test_a_library_without_ml_kem_is_answered_with_what_to_install(half: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import mlkem

    def refuse(octets: bytes) -> None:
        raise UnsupportedAlgorithm("not in this build")

    public = PrivateKey.from_seed(bytes(32)).public_key.to_bytes()
    monkeypatch.setattr(getattr(mlkem, half), "from_public_bytes", refuse, raising=False)
    monkeypatch.setattr(getattr(mlkem, half), "from_seed_bytes", refuse, raising=False)
    use: Callable[[], object] = {
        "MLKEM768PublicKey": lambda: PublicKey.from_bytes(public),
        "MLKEM768PrivateKey": lambda: PrivateKey.from_seed(bytes(32)).public_key,
    }[half]
    with pytest.raises(ArchiverError, match="ML-KEM") as caught:
        use()
    assert "PyPI" in str(caught.value.hint)


# --- digests and derivation ---


def test_blob_ids_are_hmac_sha_256_as_rfc_4231_has_it() -> None:
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert blob_id(b"Hi There", b"\x0b" * 20).hex() == expected
    assert blob_id_of([b"Hi", b"", b" There"], b"\x0b" * 20).hex() == expected
    digest = BlobDigest(b"\x0b" * 20)
    digest.update(b"Hi There")
    assert digest.blob_id().hex() == expected
    assert blob_id_from_hex(expected.upper()).hex() == expected


@pytest.mark.parametrize("text", ["", "00", "g" * 64, "0" * 63, "0" * 65, " " + "0" * 63, "0" * 64 + "\n"])
def test_what_is_no_whole_identifier_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        blob_id_from_hex(text)


def test_key_derivation_is_hkdf_as_rfc_5869_has_it() -> None:
    # RFC 5869 A.1
    pseudorandom = extract(bytes(range(13)), b"\x0b" * 22)
    assert pseudorandom.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert expand(pseudorandom, bytes(range(0xF0, 0xFA)), 42).hex() == expected


def test_bound_fields_cannot_run_into_each_other() -> None:
    assert len({bind(b"ab", b"c"), bind(b"a", b"bc"), bind(b"abc"), bind(b"abc", b""), bind(b"", b"abc"), bind()}) == 6
    with pytest.raises(OverflowError):
        bind(bytes(65536))


# --- hardening ---


def test_a_hardened_process_dumps_no_core() -> None:
    pid = os.fork()
    if pid == 0:  # in a child, for it cannot be undone
        import resource

        done = forbid_core_dumps()
        limits = resource.getrlimit(resource.RLIMIT_CORE)
        dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
        os._exit(0 if done and limits == (0, 0) and dumpable == 0 else 1)
    _, result = os.waitpid(pid, 0)
    assert result == 0


def test_a_child_started_for_one_parent_ends_with_it() -> None:
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        mine = os.getpid()
        if os.fork() == 0:
            die_with_parent(mine)
            os.write(writing, b"ready")
            signal.pause()
            os._exit(0)
        os.close(writing)
        os.read(reading, 5)
        os._exit(0)
    os.close(writing)
    assert os.waitpid(parent, 0)[1] == 0
    # The child holds the other end: the pipe ends when the child does, and never if it outlives its parent.
    assert os.read(reading, 5) == b""
    os.close(reading)


def test_a_child_whose_parent_is_gone_already_ends_itself() -> None:
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent(1 if os.getppid() != 1 else 2)
        except SystemExit as ended:
            os._exit(7 if ended.code == 1 else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
