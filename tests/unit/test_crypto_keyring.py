"""Slots, recovery codes and the keyring: who gets in, who does not, and what tampering earns."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from archiver.crypto import recovery_code
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.kdf import DEFAULT_BOUNDS, DEFAULT_KDF, KdfBounds, KdfParameters
from archiver.crypto.keyring import Keyring, create_keyring, read_keyring
from archiver.crypto.machine import MachineKey
from archiver.crypto.recipients import PrivateKey
from archiver.crypto.slots import create_slot
from archiver.errors import ArchiverError, FormatError, IntegrityError, LockedError, UsageError, WrongKeyError

ARCHIVE = bytes(range(16))
NOW = datetime(2024, 2, 29, 12, 30, 45, 678, tzinfo=UTC)
CHEAP = KdfParameters(passes=1, lanes=1, memory_kib=64)
BOUNDS = KdfBounds.exactly(CHEAP)
PASSPHRASE = "een goede wachtzin"


def create(archive_id: bytes = ARCHIVE) -> tuple[Keyring, EpochSecret, str]:
    return create_keyring(
        archive_id=archive_id, passphrase=PASSPHRASE, kdf=CHEAP, bounds=BOUNDS, now=NOW, random=os.urandom
    )


def read(octets: bytes) -> Keyring:
    return read_keyring(octets, archive_id=ARCHIVE, bounds=BOUNDS)


def same(left: EpochSecret, right: EpochSecret) -> bool:
    return (left.archive_id, left.epoch, left.export()) == (right.archive_id, right.epoch, right.export())


def test_passphrase_recovery_code_and_machine_key_all_open_the_same_epoch() -> None:
    keyring, secret, code = create()
    keyring, key = keyring.add_machine(secret, name="host", now=NOW, random=os.urandom)
    keyring = keyring.add_passphrase(
        secret, name="anna", passphrase="de zin van Anna", kdf=CHEAP, now=NOW, random=os.urandom
    )
    again = read(keyring.to_bytes())
    assert same(again.open_passphrase(PASSPHRASE), secret)
    assert same(again.open_passphrase("de zin van Anna"), secret)
    assert same(again.open_passphrase("de zin van Anna", name="anna"), secret)
    assert same(again.open_recovery(code), secret)
    assert same(again.open_machine(MachineKey.from_bytes(key.to_bytes())), secret)
    assert same(again.open_exported(secret.epoch, secret.export()), secret)
    assert [(slot.name, slot.kind) for slot in again.slots] == [
        ("owner", "passphrase"),
        ("recovery", "recovery"),
        ("host", "machine"),
        ("anna", "passphrase"),
    ]
    assert again.slots[0].created == datetime(2024, 2, 29, 12, 30, 45, tzinfo=UTC)


def test_wrong_secrets_are_refused_as_wrong_not_as_damage() -> None:
    keyring, secret, _ = create()
    _, _, other_code = create()
    keyring, key = keyring.add_machine(secret, name="host", now=NOW, random=os.urandom)
    with pytest.raises(WrongKeyError):
        keyring.open_passphrase(PASSPHRASE + " ")
    with pytest.raises(WrongKeyError):
        keyring.open_passphrase("")
    with pytest.raises(WrongKeyError):
        keyring.open_recovery(other_code)
    with pytest.raises(WrongKeyError):
        keyring.open_machine(MachineKey(ARCHIVE, bytes(32)))
    with pytest.raises(WrongKeyError):
        keyring.open_machine(MachineKey(bytes(16), key.secret))
    with pytest.raises(WrongKeyError):
        keyring.open_exported(1, bytes(32))
    with pytest.raises(WrongKeyError):
        keyring.open_exported(2, secret.export())
    with pytest.raises(WrongKeyError):
        keyring.open_exported(1, secret.export()[:31])
    with pytest.raises(UsageError):
        keyring.open_passphrase(PASSPHRASE, name="nobody")
    with pytest.raises(UsageError):
        keyring.open_passphrase(PASSPHRASE, name="recovery")


def test_a_passphrase_is_the_same_however_its_accents_are_composed() -> None:
    keyring, secret, _ = create()
    keyring = keyring.add_passphrase(
        secret, name="b", passphrase="un café\u0301 serre\u0301", kdf=CHEAP, now=NOW, random=os.urandom
    )
    assert same(keyring.open_passphrase("un caf\u00e9\u0301 serr\u00e9"), secret)


def test_secrets_show_themselves_nowhere() -> None:
    keyring, secret, code = create()
    keyring, key = keyring.add_machine(secret, name="host", now=NOW, random=os.urandom)
    shown = repr(secret) + str(secret) + repr(key) + repr(secret.ingest_key) + repr(keyring) + repr(keyring.slots)
    for hidden in (secret.export(), key.secret, secret.database_key):
        assert hidden.hex() not in shown
        assert repr(hidden)[2:-1] not in shown
    assert code not in shown
    for octets in (secret.export(), key.secret):
        assert octets.hex().encode() not in keyring.to_bytes()
    with pytest.raises(TypeError):
        secret.__reduce__()


def test_every_key_of_an_epoch_differs_and_depends_on_archive_and_epoch() -> None:
    labels = ["database_key", "index_key", "audit_key", "keyring_mac_key", "archive_file_mac_key", "earlier_key"]
    labels.append("commitment")
    raw = bytes(32)
    keys = [
        getattr(EpochSecret(raw, archive_id=archive, epoch=epoch), label)
        for archive in (ARCHIVE, bytes(16))
        for epoch in (1, 2)
        for label in labels
    ]
    keys += [
        EpochSecret(raw, archive_id=archive, epoch=epoch).ingest_key.public_key.to_bytes()
        for archive in (ARCHIVE, bytes(16))
        for epoch in (1, 2)
    ]
    assert len(set(keys)) == len(keys)


# --- changing ---


def test_the_last_two_slots_and_the_last_person_stay() -> None:
    keyring, secret, _ = create()
    for name in ("owner", "recovery"):
        with pytest.raises(UsageError):
            keyring.remove(secret, name)
    keyring, _ = keyring.add_machine(secret, name="a", now=NOW, random=os.urandom)
    keyring, _ = keyring.add_machine(secret, name="b", now=NOW, random=os.urandom)
    keyring = keyring.remove(secret, "owner")
    with pytest.raises(UsageError):
        keyring.remove(secret, "recovery")
    keyring = keyring.remove(secret, "a")
    with pytest.raises(UsageError):
        keyring.remove(secret, "b")
    with pytest.raises(UsageError):
        keyring.remove(secret, "nobody")


def test_a_removed_slot_opens_nothing() -> None:
    keyring, secret, code = create()
    keyring, _ = keyring.add_machine(secret, name="a", now=NOW, random=os.urandom)
    keyring = read(keyring.remove(secret, "owner").to_bytes())
    with pytest.raises(WrongKeyError):
        keyring.open_passphrase(PASSPHRASE)
    assert same(keyring.open_recovery(code), secret)


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "é", "a" * 65, "a\n", "a/b"])
def test_names_that_could_confuse_are_refused(name: str) -> None:
    keyring, secret, _ = create()
    with pytest.raises(UsageError):
        keyring.add_machine(secret, name=name, now=NOW, random=os.urandom)


def test_a_name_is_given_once() -> None:
    keyring, secret, _ = create()
    with pytest.raises(UsageError):
        keyring.add_machine(secret, name="owner", now=NOW, random=os.urandom)


def test_short_passphrases_are_refused() -> None:
    keyring, secret, _ = create()
    with pytest.raises(UsageError):
        keyring.add_passphrase(secret, name="b", passphrase="1234567 ", kdf=CHEAP, now=NOW, random=os.urandom)
    with pytest.raises(UsageError):
        create_keyring(archive_id=ARCHIVE, passphrase="short", kdf=CHEAP, bounds=BOUNDS, now=NOW, random=os.urandom)


def test_a_change_needs_the_secret_of_this_keyring() -> None:
    keyring, _, _ = create()
    _, foreign, _ = create()
    with pytest.raises(IntegrityError):
        keyring.add_machine(foreign, name="host", now=NOW, random=os.urandom)
    with pytest.raises(IntegrityError):
        keyring.remove(foreign, "owner")


def test_a_rotation_needs_no_passphrase_and_keeps_the_earlier_secrets_until_told() -> None:
    keyring, first, code = create()
    keyring, second = keyring.rotate(first, random=os.urandom)
    keyring, third = read(keyring.to_bytes()).rotate(second, random=os.urandom)
    again = read(keyring.to_bytes())
    assert third.epoch == 3
    assert same(again.open_passphrase(PASSPHRASE), third)
    assert same(again.open_recovery(code), third)
    assert [earlier.export() for earlier in again.earlier(third)] == [second.export(), first.export()]
    assert [earlier.epoch for earlier in again.earlier(third)] == [2, 1]
    assert read(again.forget_earlier(third).to_bytes()).earlier(third) == ()
    with pytest.raises(WrongKeyError):
        again.open_exported(first.epoch, first.export())
    with pytest.raises(IntegrityError):
        again.earlier(second)


def test_no_earlier_secret_is_dropped_unasked_however_often_one_rotates() -> None:
    keyring, secret, _ = create()
    for _ in range(64):
        keyring, secret = keyring.rotate(secret, random=os.urandom)
    assert [earlier.epoch for earlier in keyring.earlier(secret)] == list(range(64, 0, -1))
    with pytest.raises(UsageError):
        keyring.rotate(secret, random=os.urandom)
    keyring, secret = keyring.forget_earlier(secret).rotate(secret, random=os.urandom)
    assert read(keyring.to_bytes()).epoch == 66


def test_a_machine_without_memory_leaves_the_archive_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.kdf import argon2

    class Starved:
        """Argon2id where the memory is not to be had."""

        def __init__(self, **_: object) -> None: ...

        def derive(self, _: bytes) -> bytes:
            raise MemoryError

    keyring, _, _ = create()
    monkeypatch.setattr(argon2, "Argon2id", Starved)
    with pytest.raises(LockedError):
        keyring.open_passphrase(PASSPHRASE)


# --- tampering ---


def test_every_flipped_bit_of_the_file_is_noticed_without_a_key() -> None:
    keyring, secret, _ = create()
    octets = keyring.rotate(secret, random=os.urandom)[0].to_bytes()
    # Long runs of base64 differ in nothing but place: every 7th octet of them, and every octet of everything else.
    for at in range(len(octets)):
        if at % 7 and re.fullmatch(rb"[A-Za-z0-9+/]{40}", octets[max(0, at - 20) : at + 20]):
            continue
        for bit in range(8):
            flipped = bytearray(octets)
            flipped[at] ^= 1 << bit
            with pytest.raises((IntegrityError, FormatError)):
                read(bytes(flipped))


@pytest.mark.parametrize("octets", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b'{"format": "1"}'])
def test_what_is_no_keyring_is_damage(octets: bytes) -> None:
    with pytest.raises(IntegrityError):
        read(octets)


def test_another_version_is_told_apart_from_damage() -> None:
    keyring, _, _ = create()
    with pytest.raises(FormatError):
        read(keyring.to_bytes().replace(b'"format": 1', b'"format": 2'))


def respell(octets: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change the file as somebody who can write it would: checksum and spelling are right again."""
    value = json.loads(octets)
    del value["checksum"]
    change(value)
    body = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    value["checksum"] = hashlib.sha256(body).hexdigest()
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def test_the_respelling_of_an_unchanged_file_is_the_file() -> None:
    keyring, _, _ = create()
    assert respell(keyring.to_bytes(), lambda _: None) == keyring.to_bytes()


def _set(path: list[str | int], value: Any) -> Callable[[dict[str, Any]], None]:
    def change(whole: dict[str, Any]) -> None:
        at: Any = whole
        for step in path[:-1]:
            at = at[step]
        assert at[path[-1]] != value
        at[path[-1]] = value

    return change


def _swap(whole: dict[str, Any]) -> None:
    whole["slots"].reverse()


def _swap_names(whole: dict[str, Any]) -> None:
    first, second = whole["slots"][0], whole["slots"][1]
    first["name"], second["name"] = second["name"], first["name"]


def _unknown(whole: dict[str, Any]) -> None:
    whole["slots"][0]["note"] = "x"


def _double(whole: dict[str, Any]) -> None:
    whole["slots"].append(whole["slots"][0])


ZEROS = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
TAMPERED: dict[str, Callable[[dict[str, Any]], None]] = {
    "another archive": _set(["archive"], "00" * 16),
    "an archive id in capitals": _set(["archive"], ARCHIVE.hex().upper()),
    "another epoch": _set(["epoch"], 2),
    "epoch 0": _set(["epoch"], 0),
    "another commitment": _set(["commitment"], ZEROS),
    "another mac": _set(["mac"], ZEROS),
    "another salt": _set(["slots", 0, "salt"], ZEROS),
    "another check": _set(["slots", 0, "check"], ZEROS),
    "another name": _set(["slots", 1, "name"], "recover"),
    "another kind": _set(["slots", 0, "kind"], "machine"),
    "a kind unheard of": _set(["slots", 0, "kind"], "tpm"),
    "another date": _set(["slots", 0, "created"], "2020-01-01T00:00:00Z"),
    "a recovery slot with a kdf": _set(["slots", 1, "kdf"], {"passes": 1, "lanes": 1, "memory_kib": 64}),
    "a passphrase slot without a kdf": _set(["slots", 0, "kdf"], None),
    "fewer passes": _set(["slots", 0, "kdf", "passes"], 0),
    "more memory": _set(["slots", 0, "kdf", "memory_kib"], 2**40),
    "negative lanes": _set(["slots", 0, "kdf", "lanes"], -1),
    "a short salt": _set(["slots", 0, "salt"], "AAAA"),
    "slots in another order": _swap,
    "names exchanged": _swap_names,
    "an unknown field": _unknown,
    "a slot doubled": _double,
    "no slots": _set(["slots"], []),
    "a slot removed": lambda whole: whole["slots"].pop(1),
    "the passphrase's own slot removed": lambda whole: whole["slots"].pop(0),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_a_tamperer_who_mends_the_checksum_still_opens_nothing(change: Callable[[dict[str, Any]], None]) -> None:
    keyring, _, _ = create()
    octets = respell(keyring.to_bytes(), change)
    with pytest.raises((IntegrityError, WrongKeyError)):
        read(octets).open_passphrase(PASSPHRASE)


def test_a_tampered_slot_list_is_noticed_also_by_an_unlocked_session() -> None:
    keyring, secret, _ = create()
    octets = respell(keyring.to_bytes(), _set(["slots", 1, "created"], "2020-01-01T00:00:00Z"))
    with pytest.raises(IntegrityError):
        read(octets).open_exported(1, secret.export())


def test_a_smuggled_recipient_is_found_before_anything_is_sealed_to_it() -> None:
    keyring, secret, _ = create()
    thief = EpochSecret(bytes(32), archive_id=ARCHIVE, epoch=1)
    slot = create_slot(thief, name="thief", kind="machine", secret=bytes(32), kdf=None, now=NOW, random=os.urandom)

    def smuggle(whole: dict[str, Any]) -> None:
        whole["slots"].append(json.loads(msgspec.json.encode(slot)))

    forged = read(respell(keyring.to_bytes(), smuggle))
    with pytest.raises(IntegrityError):
        forged.open_passphrase(PASSPHRASE)
    with pytest.raises(IntegrityError):
        forged.rotate(secret, random=os.urandom)
    # The thief's own secret opens the thief's own slot: what is in it is not this archive's.
    with pytest.raises(IntegrityError):
        forged.open_machine(MachineKey(ARCHIVE, bytes(32)))


def test_a_public_key_put_in_place_of_a_slot_s_own_is_found() -> None:
    keyring, secret, _ = create()
    forged_key = base64.b64encode(PrivateKey.from_seed(bytes(32)).public_key.to_bytes()).decode()
    forged = read(respell(keyring.to_bytes(), _set(["slots", 1, "public_key"], forged_key)))
    with pytest.raises(IntegrityError):
        forged.rotate(secret, random=os.urandom)


def test_the_keyring_of_another_archive_is_refused() -> None:
    keyring, _, _ = create(bytes(16))
    with pytest.raises(IntegrityError):
        read(keyring.to_bytes())


# --- key derivation ---


def test_the_product_refuses_parameters_below_its_floor_and_above_its_ceiling() -> None:
    keyring, _, _ = create()
    with pytest.raises(IntegrityError):
        read_keyring(keyring.to_bytes(), archive_id=ARCHIVE)
    with pytest.raises(IntegrityError):
        create_keyring(archive_id=ARCHIVE, passphrase=PASSPHRASE, kdf=CHEAP, now=NOW, random=os.urandom)
    keyring, secret, _ = create()
    with pytest.raises(IntegrityError):
        keyring.add_passphrase(secret, name="b", passphrase=PASSPHRASE, kdf=DEFAULT_KDF, now=NOW, random=os.urandom)


@pytest.mark.parametrize("field", ["passes", "lanes", "memory_kib"])
def test_bounds_hold_for_every_parameter(field: str) -> None:
    DEFAULT_BOUNDS.check(DEFAULT_KDF, what="keyring.json")
    DEFAULT_BOUNDS.check(DEFAULT_BOUNDS.floor, what="keyring.json")
    DEFAULT_BOUNDS.check(DEFAULT_BOUNDS.ceiling, what="keyring.json")
    low = msgspec.structs.replace(DEFAULT_KDF, **{field: getattr(DEFAULT_BOUNDS.floor, field) - 1})
    high = msgspec.structs.replace(DEFAULT_KDF, **{field: getattr(DEFAULT_BOUNDS.ceiling, field) + 1})
    for parameters in (low, high):
        with pytest.raises(IntegrityError):
            DEFAULT_BOUNDS.check(parameters, what="keyring.json")


# --- recovery codes ---


def test_a_recovery_code_is_read_however_it_is_typed() -> None:
    code = recovery_code.generate(lambda size: bytes(range(7, 7 + size)))
    assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{5}-){6}[0-9A-HJKMNP-TV-Z]{5}", code)
    symbols = recovery_code.read(code)
    assert len(symbols) == 28
    for typed in (
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " "),
        f"  {code}\n",
        code.replace("0", "O").replace("1", "l"),
        code.replace("0", "o").replace("1", "I"),
        code.replace("-", "\N{EN DASH}"),
    ):
        assert recovery_code.read(typed) == symbols


def test_any_wrong_symbol_is_answered_with_its_group() -> None:
    code = recovery_code.generate(os.urandom)
    for at, right in enumerate(code):
        if right == "-":
            continue
        for wrong in recovery_code.ALPHABET.replace(right, ""):
            with pytest.raises(WrongKeyError, match=f"group {at // 6 + 1}$"):
                recovery_code.read(code[:at] + wrong + code[at + 1 :])


def test_neighbours_and_groups_that_changed_places_are_noticed() -> None:
    code = recovery_code.generate(lambda size: bytes(range(100, 100 + size)))
    for at in range(len(code) - 1):
        pair = code[at : at + 2]
        if "-" in pair or pair[0] == pair[1]:
            continue
        with pytest.raises(WrongKeyError):
            recovery_code.read(code[:at] + pair[::-1] + code[at + 2 :])
    groups = code.split("-")
    for one in range(7):
        for two in range(one):
            exchanged = list(groups)
            exchanged[one], exchanged[two] = exchanged[two], exchanged[one]
            with pytest.raises(WrongKeyError):
                recovery_code.read("-".join(exchanged))


@pytest.mark.parametrize("typed", ["", "x", "A" * 34, "A" * 36, "U" * 35, "é" * 35])
def test_what_is_no_recovery_code_is_refused(typed: str) -> None:
    with pytest.raises(WrongKeyError):
        recovery_code.read(typed)


def test_a_mistyped_recovery_code_is_still_seen_to_be_meant_as_one() -> None:
    code = recovery_code.generate(os.urandom)
    for typed in (
        code,
        code.lower(),
        code.replace("-", " "),
        f" {code}\n",
        code.replace("-", "\N{EN DASH}"),
        "U" + code[1:],
    ):
        assert recovery_code.looks_like(typed)
    for typed in ("", PASSPHRASE, code[:-1], code[6:], "een twee drie vier vijf zes zeven"):
        assert not recovery_code.looks_like(typed)


def test_an_error_never_repeats_what_was_typed() -> None:
    code = recovery_code.generate(os.urandom)
    with pytest.raises(ArchiverError) as caught:
        recovery_code.read(code[:-1] + ("0" if code[-1] != "0" else "1"))
    text = f"{caught.value.message} {caught.value.hint}"
    assert not any(group in text for group in code.split("-"))


def test_a_recovery_code_has_140_random_bits() -> None:
    zeros = recovery_code.read(recovery_code.generate(bytes))
    seen = set()
    for bit in range(140):
        number = 1 << bit
        seen.add(recovery_code.read(recovery_code.generate(lambda size, n=number: n.to_bytes(size, "big"))))  # type: ignore[misc]
    assert len(seen | {zeros}) == 141


def test_the_file_begins_with_its_format_and_ends_with_its_checksum() -> None:
    keyring, _, _ = create()
    fields = list(json.loads(keyring.to_bytes()))
    assert (fields[0], fields[-1]) == ("format", "checksum")
