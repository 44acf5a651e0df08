"""Files written by each released format open for ever: `tests/vectors/crypto-format-N.json`, never made anew.

The vectors' own checksum is here too, so that nobody "repairs" them together with the code.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from archiver.crypto.archive_file import read_archive_file
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.digest import blob_id
from archiver.crypto.kdf import KdfBounds, KdfParameters
from archiver.crypto.keyring import Keyring, read_keyring
from archiver.crypto.machine import MachineKey
from archiver.crypto.pending import open_delivery
from archiver.crypto.sealed import open_record, open_stream
from archiver.model.delivery import Arrival, SealedRecord

FILE = Path(__file__).parent.parent / "vectors" / "crypto-format-1.json"
SHA256 = "c14dacc1f9077f1f9bbf4132bff2ff821bc527b26d5a00b8a71385c0e4c31cc3"


@pytest.fixture
def vector() -> dict[str, Any]:
    octets = FILE.read_bytes()
    assert hashlib.sha256(octets).hexdigest() == SHA256
    value: dict[str, Any] = json.loads(octets)
    return value


def octets_of(vector: dict[str, Any], name: str) -> bytes:
    return base64.b64decode(vector[name])


def keyring_of(vector: dict[str, Any]) -> Keyring:
    bounds = KdfBounds.exactly(KdfParameters(passes=1, lanes=1, memory_kib=64))
    archive_id = bytes.fromhex(vector["archive_id"])
    return read_keyring(octets_of(vector, "keyring.json"), archive_id=archive_id, bounds=bounds)


def test_format_1_passphrase_recovery_code_and_machine_key_open_the_keyring(vector: dict[str, Any]) -> None:
    keyring = keyring_of(vector)
    for secret in (
        keyring.open_passphrase(vector["passphrase"]),
        keyring.open_recovery(vector["recovery_code"]),
        keyring.open_machine(MachineKey.from_bytes(vector["machine_key"].encode())),
    ):
        assert secret.epoch == 2
        assert secret.index_key.hex() == vector["index_key"]
        assert secret.audit_key.hex() == vector["audit_key"]
        keys = {str(one.epoch): one.database_key.hex() for one in (secret, *keyring.earlier(secret))}
        assert keys == vector["database_keys"]


def test_format_1_archive_json_and_credential(vector: dict[str, Any]) -> None:
    credential = CollectorCredential.from_bytes(octets_of(vector, "credential"))
    assert credential.digest_key.hex() == vector["digest_key"]
    assert credential.collect_key.hex() == vector["collect_key"]
    file = read_archive_file(octets_of(vector, "archive.json"))
    secret = keyring_of(vector).open_passphrase(vector["passphrase"])
    file.check(secret)
    assert file.recipient_for_collector(credential) == secret.ingest_key.public_key
    assert file.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_format_1_records(vector: dict[str, Any]) -> None:
    archive_id, name = bytes.fromhex(vector["archive_id"]), bytes.fromhex(vector["blob_id"])
    octets = vector["octets"].encode()
    assert blob_id(octets, bytes.fromhex(vector["digest_key"])) == name
    record, dek = octets_of(vector, "record"), bytes.fromhex(vector["dek"])
    assert open_record(record, archive_id=archive_id, blob_id=name, dek=dek) == octets
    file, dek = BytesIO(octets_of(vector, "streamed_record")), bytes.fromhex(vector["streamed_dek"])
    assert b"".join(open_stream(file, 0, archive_id=archive_id, blob_id=name, dek=dek)) == octets


def test_format_1_pending_file_of_an_earlier_epoch(vector: dict[str, Any]) -> None:
    keyring = keyring_of(vector)
    secret = keyring.open_passphrase(vector["passphrase"])
    secrets = (secret, *keyring.earlier(secret))
    delivery = open_delivery(octets_of(vector, "pending"), name=vector["pending_name"], secrets=secrets)
    name, dek = bytes.fromhex(vector["blob_id"]), bytes.fromhex(vector["dek"])
    length = len(octets_of(vector, "record"))
    assert delivery.pack == "ab" * 32
    assert delivery.records == (SealedRecord(name, 0, length, len(vector["octets"]), dek),)  # type: ignore[arg-type]
    assert delivery.arrivals == (
        Arrival(
            name,  # type: ignore[arg-type]
            "info",
            b"INBOX",
            "INBOX",
            "\\Inbox",
            9,
            7,
            "17-Jul-1996 02:44:25 -0700",
            ("\\Seen",),
            1_767_323_045,
        ),
    )
