"""The audit trail on disk: sealed, chained, durable, and found out whatever is done to it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from archiver import app
from archiver.app import anchoring, auditing, syncing
from archiver.app.audit_reading import AuditEntry, AuditReport
from archiver.app.checkpoints import kept_checkpoint
from archiver.app.unlocking import Keys
from archiver.config import ArchiveSettings, AuditSettings, Purpose, Settings
from archiver.crypto.audit import AuditKeys, digest_of, genesis, parse_frame, parse_header, read_checkpoint
from archiver.errors import DiskError, IntegrityError, UsageError
from archiver.model.audit import AuditEvent
from archiver.model.identity import Identity
from archiver.model.message import BlobId
from archiver.store.audit_log import AuditLog, audit_files, frames, verify_chain
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths
from tests.twins.archive import CHEAP
from tests.twins.audit_writer import BOUNDS, PASSPHRASE, opened

CANARY = "zwaluwstaartverbinding"


def ask() -> str | None:
    return PASSPHRASE


@dataclass
class Trail:
    """An archive and its trail."""

    settings: Settings
    keys: Keys

    @property
    def file(self) -> Path:
        return self.keys.paths.audit_log(1)

    def record(self, action: str = "search", **about: object) -> None:
        auditing.record(self.settings, self.keys, action, **about)  # type: ignore[arg-type]

    def verify(self, anchor: str | None = None) -> AuditReport:
        return app.audit_verify(self.settings, ask=ask, anchor=anchor, bounds=BOUNDS)

    def entries(self, **asked: object) -> list[AuditEntry]:
        page = app.audit_list(self.settings, ask=ask, bounds=BOUNDS, limit=10_000, **asked)  # type: ignore[arg-type]
        assert page.unreadable == 0
        return list(page.items)[::-1]

    def checkpoint(self) -> str:
        return app.audit_checkpoint(self.settings, ask=ask, bounds=BOUNDS).line

    def frames(self) -> list[bytes]:
        return [frame for _, frame in frames(self.file.read_bytes())]

    def write(self, pieces: list[bytes]) -> None:
        self.file.write_bytes(b"".join(pieces))


def new_archive(home: Path) -> Trail:
    settings = Settings(ArchiveSettings(home / "archive", home / "collector-key"), Identity(("ours.example",)))
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    return Trail(*opened(home))


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    return new_archive(tmp_path)


def blob(number: int) -> BlobId:
    return BlobId(bytes([number]) * 32)


# --- what a record says ----------------------------------------------------------------------------------------------


def test_a_record_says_who_when_what_and_why_and_never_the_query(trail: Trail) -> None:
    trail = Trail(replace(trail.settings, purpose=Purpose("  ticket\n12 ")), trail.keys)
    trail.record("search", messages=[blob(1), blob(2)], customers=["K1"], query=CANARY, numbers={"total": 2})
    event = trail.entries(action="search")[0].event
    assert (event.action, event.messages, event.customers) == ("search", (blob(1), blob(2)), ("K1",))
    assert (event.reason, dict(event.numbers)) == ("ticket 12", {"total": 2})
    assert event.who
    assert event.user
    assert event.at > 0
    for path in audit_files(trail.keys.paths):
        octets = path.read_bytes()
        for secret in (CANARY.encode(), b"ticket", b"search", event.who.encode(), blob(1)):
            # Four octets that are meant to be seen by nobody stand there by chance, too: once in some million runs.
            assert len(secret) < 6 or secret not in octets


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        ("ticket\r\n\u2028\x85 12\t", "ticket 12"),
        ("\x1b]0;owned\x07 \x00", "\\x1b]0;owned\\x07 \\x00"),
        ("12\u202e21 \u2066x", "12\\u202e21 \\u2066x"),
        ("a\u200bb\ufeff\u00ad\U000e0041", "a\\u200bb\\ufeff\\xad\\U000e0041"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("café 👩\u200d💻 日本 عمر", "café 👩\u200d💻 日本 عمر"),
        ("x" * 499 + "\x1b", "x" * 499 + "\\"),
    ],
)
def test_a_reason_is_one_line_in_which_everything_can_be_seen(trail: Trail, given: str, recorded: str) -> None:
    Trail(replace(trail.settings, purpose=Purpose(given)), trail.keys).record("show")
    assert trail.entries(action="show")[0].event.reason == recorded


@pytest.mark.parametrize("given", ["\n \t", "\u2028"])
def test_a_reason_of_blanks_only_is_none(trail: Trail, given: str) -> None:
    settings = replace(trail.settings, purpose=Purpose(given), audit=AuditSettings(require_reason=("show",)))
    with pytest.raises(UsageError, match="wants a reason"):
        Trail(settings, trail.keys).record("show")


def test_the_same_query_has_the_same_digest_and_another_archive_another(trail: Trail, tmp_path: Path) -> None:
    for query in ("Factuur  2024", "factuur 2024", "factuur 2025"):
        trail.record(query=query)
    assert len(trail.entries(query="FACTUUR 2024")) == 2
    one, two, three = (entry.event.query for entry in trail.entries(action="search"))
    assert one == two != three
    other = new_archive(tmp_path / "other")
    other.record(query="factuur 2024")
    assert other.entries(action="search")[0].event.query not in {one, three}


def test_a_trail_is_asked_by_day_person_action_message_and_customer(trail: Trail) -> None:
    trail.record("show", messages=[blob(7)])
    trail.record("history", customers=["K1001"], messages=[blob(8)])
    assert [each.event.action for each in trail.entries(message="0707")] == ["show"]
    assert [each.event.action for each in trail.entries(customer="k1001")] == ["history"]
    assert trail.entries(who="nobody-of-that-name") == []
    assert trail.entries(since="2999-01-01") == []
    assert len(trail.entries(since="today", action="show")) == 1
    assert trail.entries(until="2001", action="show") == []
    with pytest.raises(UsageError):
        trail.entries(action="dance")
    with pytest.raises(UsageError):
        trail.entries(message="zz")
    with pytest.raises(UsageError):
        trail.entries(since="no date")


def test_more_messages_than_one_record_names_are_several_records_of_one_action(trail: Trail) -> None:
    many = [BlobId(number.to_bytes(32, "big")) for number in range(2_500)]
    trail.record("search", messages=many)
    found = trail.entries(action="search")
    assert [len(each.event.messages) for each in found] == [1000, 1000, 500]
    assert [each for entry in found for each in entry.event.messages] == many
    assert trail.verify().problems == ()


def test_reading_the_trail_is_in_the_trail(trail: Trail) -> None:
    trail.entries()
    assert [each.event.action for each in trail.entries()] == ["audit-list", "audit-list"]


# --- why -------------------------------------------------------------------------------------------------------------


def test_an_action_that_wants_a_reason_is_refused_without_and_nothing_is_recorded(trail: Trail) -> None:
    settings = replace(trail.settings, audit=AuditSettings(require_reason=("show",)))
    strict = Trail(settings, trail.keys)
    strict.record("search")
    with pytest.raises(UsageError, match="reason") as refused:
        strict.record("show")
    assert "--reason" in (refused.value.hint or "")
    with pytest.raises(UsageError):
        Trail(replace(settings, purpose=Purpose("   ")), trail.keys).record("show")
    Trail(replace(settings, purpose=Purpose("ticket 12")), trail.keys).record("show")
    assert [each.event.action for each in trail.entries()] == ["search", "show", "audit-list"]


def test_all_wants_a_reason_for_whatever_a_person_does_and_not_of_a_timer(trail: Trail) -> None:
    strict = Trail(replace(trail.settings, audit=AuditSettings(require_reason=("all",))), trail.keys)
    for action in ("search", "show", "customer-list", "key-add", "import"):
        with pytest.raises(UsageError):
            strict.record(action)
    strict.record("sync")
    assert [each.event.action for each in trail.entries()] == ["sync", "checkpoint", "audit-list"]


def test_a_person_who_is_there_is_asked_for_the_reason_only_when_it_is_wanted(trail: Trail) -> None:
    asked: list[str] = []

    def why() -> str:
        asked.append("asked")
        return "ticket 13"

    settings = replace(trail.settings, purpose=Purpose(None, why), audit=AuditSettings(require_reason=("show",)))
    asking = Trail(settings, trail.keys)
    asking.record("search")
    assert asked == []
    asking.record("show")
    assert asked == ["asked"]
    assert trail.entries(action="show")[0].event.reason == "ticket 13"


# --- durable, before anything is shown -------------------------------------------------------------------------------


class Steps(Disk):
    """Remembers the order of what is done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def append(self, path: Path, octets: bytes, *, at: int, mode: int = 0o600) -> None:
        super().append(path, octets, at=at, mode=mode)
        self.done.append(f"append {path.name}")

    def sync_file(self, path: Path) -> None:
        super().sync_file(path)
        self.done.append(f"sync {path.name}")

    def sync_directory(self, path: Path) -> None:
        super().sync_directory(path)
        self.done.append(f"sync {path.name}/")


def keys_of(trail: Trail) -> AuditKeys:
    return auditing.audit_keys(trail.keys.secret)


def sealed(trail: Trail, *, sequence: int = 1, previous: bytes | None = None, **fields: object) -> bytes:
    keys = keys_of(trail)
    event = AuditEvent(at=1, action="search", who="an", user="an", **fields)  # type: ignore[arg-type]
    return keys.seal(event, sequence=sequence, previous=previous or genesis(keys.archive_id), random=os.urandom)


def test_file_and_name_are_synced_before_append_returns(trail: Trail) -> None:
    steps = Steps()
    log = AuditLog(trail.keys.paths, trail.keys.archive.archive_id, disk=steps)
    log.append(1, lambda tail: sealed(trail, sequence=tail.sequence + 1, previous=tail.digest))
    log.append(1, lambda tail: sealed(trail, sequence=tail.sequence + 1, previous=tail.digest))
    name = "00000001.log"
    assert steps.done == [
        "sync archive/",
        f"append {name}",
        f"sync {name}",
        "sync audit/",
        f"append {name}",
        f"sync {name}",
    ]
    assert verify_chain(trail.keys.paths, trail.keys.archive.archive_id) == []


class Refusing(Disk):
    """A disk that fails at one step."""

    def __init__(self, step: str) -> None:
        self.step = step

    def append(self, path: Path, octets: bytes, *, at: int, mode: int = 0o600) -> None:
        if self.step == "append" and octets:
            super().append(path, octets[: len(octets) // 2], at=at, mode=mode)
            raise DiskError("full")
        super().append(path, octets, at=at, mode=mode)

    def sync_file(self, path: Path) -> None:
        if self.step == "sync":
            raise DiskError("failing")
        super().sync_file(path)


@pytest.mark.parametrize("step", ["append", "sync"])
def test_a_disk_that_refuses_is_an_error_and_leaves_the_trail_as_it_was(trail: Trail, step: str) -> None:
    trail.record()
    before = trail.file.read_bytes()
    log = AuditLog(trail.keys.paths, trail.keys.archive.archive_id, disk=Refusing(step))
    with pytest.raises(DiskError):
        log.append(1, lambda tail: sealed(trail, sequence=tail.sequence + 1, previous=tail.digest))
    assert trail.file.read_bytes() == before
    trail.record()
    assert trail.verify().problems == ()


def test_what_cannot_be_recorded_is_refused(trail: Trail) -> None:
    trail.keys.paths.audit.write_text("in the way")
    with pytest.raises(DiskError):
        trail.record()


def test_modes_are_those_of_secrets(trail: Trail) -> None:
    trail.record("sync")
    paths = trail.keys.paths
    assert {oct(path.stat().st_mode & 0o777) for path in (trail.file, paths.checkpoint, paths.lock("audit"))} == {
        "0o600"
    }
    assert paths.audit.stat().st_mode & 0o777 == 0o700


# --- crashes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [1, 5, 71, 72, 73, 200, -1])
def test_a_torn_tail_is_cut_off_and_told_of(trail: Trail, left: int) -> None:
    trail.record()
    whole = trail.file.read_bytes()
    number = len(trail.frames())
    torn = sealed(trail, sequence=number + 1, previous=digest_of(trail.frames()[-1]), note="x" * 300)[:left]
    trail.file.write_bytes(whole + torn)
    report = trail.verify()  # which itself appends a record, behind what it read
    assert report.problems == ()
    assert [each.message for each in report.remarks] == [
        f"{len(torn)} octets of a record that was not finished, behind record {number}"
    ]
    assert trail.file.read_bytes().startswith(whole)
    last = trail.entries()[-2]
    assert last.event.action == "audit-verify"
    assert last.event.tail is not None
    assert last.event.tail.startswith(f"torn: {len(torn)} octets")
    again = trail.verify()
    assert again.problems == ()
    assert "found the trail's end as it should not be" in again.remarks[0].message


def test_a_file_that_a_power_cut_filled_with_zeros_goes_on_behind_its_last_record(trail: Trail) -> None:
    trail.record()
    whole = trail.file.read_bytes()
    trail.file.write_bytes(whole + bytes(5_000))
    trail.record()
    assert trail.file.read_bytes().startswith(whole)
    assert trail.verify().problems == ()


def test_damage_further_up_keeps_nobody_from_working_and_is_found(trail: Trail) -> None:
    for _ in range(4):
        trail.record()
    octets = bytearray(trail.file.read_bytes())
    octets[len(trail.frames()[0]) + 100] ^= 1
    trail.file.write_bytes(octets)
    trail.record("show")
    report = trail.verify()
    assert report.problems
    assert len(trail.frames()) == report.records + 1  # the check itself


@pytest.mark.parametrize("place", [0, 6, 14, 20, 40, 60, 80, -40, -6, -1])
def test_a_last_record_that_is_damaged_is_kept_as_it_is_and_told_of(trail: Trail, place: int) -> None:
    for _ in range(3):
        trail.record()
    octets = bytearray(trail.file.read_bytes())
    octets[len(octets) - len(trail.frames()[-1]) + place if place >= 0 else place] ^= 0x10
    trail.file.write_bytes(octets)
    trail.record("show")
    assert trail.file.read_bytes().startswith(bytes(octets))
    report = trail.verify()
    assert report.problems
    assert any("damaged" in each.message for each in report.remarks)


def start(home: Path, count: int, name: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.twins.audit_writer", str(home), str(count), name]
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )


def test_eight_processes_at_once_make_one_chain(trail: Trail, tmp_path: Path) -> None:
    running = [start(tmp_path, 25, f"process {number}") for number in range(8)]
    told = [process.communicate(timeout=120)[0].count("\n") for process in running]
    assert told == [25] * 8
    report = trail.verify()
    assert report.problems == report.remarks == ()
    assert len(trail.entries(action="search")) == 200
    for number in range(8):
        for each in (0, 24):
            assert len(trail.entries(query=f"process {number} {each}")) == 1


def test_killed_while_appending_the_chain_is_whole_and_nothing_told_is_lost(trail: Trail, tmp_path: Path) -> None:
    trail.record()
    told = 0
    for round_ in range(4):
        with start(tmp_path, 10_000, f"round {round_}") as process:
            assert process.stdout is not None
            for _ in range(3 + 7 * round_):
                process.stdout.readline()
            process.kill()
            told += 3 + 7 * round_ + process.stdout.read().count("\n")
    report = trail.verify()
    assert report.problems == ()
    recorded = len(trail.entries(action="search")) - 1
    assert told <= recorded <= told + 4


# --- tampering -------------------------------------------------------------------------------------------------------


def test_no_changed_octet_goes_unnoticed(trail: Trail) -> None:
    trail.record("show", messages=[blob(1)])
    trail.record("search", query="x")
    keys = keys_of(trail)
    octets = trail.file.read_bytes()
    unnoticed = []
    for at_ in range(len(octets)):
        changed = bytearray(octets)
        changed[at_] ^= 1 << (at_ % 8)
        trail.file.write_bytes(changed)
        broken = any(each.broken for each in verify_chain(trail.keys.paths, keys.archive_id))
        if not broken and all(opens(keys, frame) for frame in trail.frames()):
            unnoticed.append(at_)
    assert unnoticed == []


def opens(keys: AuditKeys, frame: bytes) -> bool:
    try:
        keys.open(frame, what="record")
    except IntegrityError:
        return False
    return True


def _swapped(pieces: list[bytes]) -> list[bytes]:
    return [pieces[0], pieces[2], pieces[1], *pieces[3:]]


def _doubled(pieces: list[bytes]) -> list[bytes]:
    return [*pieces[:2], pieces[1], *pieces[2:]]


def _left_out(pieces: list[bytes]) -> list[bytes]:
    return [pieces[0], *pieces[2:]]


def _first_left_out(pieces: list[bytes]) -> list[bytes]:
    return pieces[1:]


def _put_in(pieces: list[bytes]) -> list[bytes]:
    return [*pieces[:2], b"something else", *pieces[2:]]


@pytest.mark.parametrize("tamper", [_swapped, _doubled, _left_out, _first_left_out, _put_in])
def test_records_that_are_moved_doubled_or_left_out_are_found_without_a_key(
    trail: Trail, tamper: Callable[[list[bytes]], list[bytes]]
) -> None:
    for _ in range(4):
        trail.record()
    trail.write(tamper(trail.frames()))
    assert any(each.broken for each in verify_chain(trail.keys.paths, trail.keys.archive.archive_id))
    assert trail.verify().problems


def broken(trail: Trail) -> bool:
    return any(each.broken for each in verify_chain(trail.keys.paths, trail.keys.archive.archive_id))


def test_a_record_with_a_wrong_number_is_found_though_it_follows(trail: Trail) -> None:
    trail.file.parent.mkdir()
    first = sealed(trail)
    trail.write([first, sealed(trail, sequence=3, previous=digest_of(first))])
    assert broken(trail)
    trail.write([first, sealed(trail, sequence=2, previous=digest_of(first))])
    assert not broken(trail)


def test_a_record_put_in_the_place_of_another_is_found_though_its_number_fits(trail: Trail) -> None:
    trail.file.parent.mkdir()
    first = sealed(trail)
    second = sealed(trail, sequence=2, previous=digest_of(first))
    third = sealed(trail, sequence=3, previous=digest_of(second))
    trail.write([first, second, third])
    assert not broken(trail)
    trail.write([first, sealed(trail, sequence=2, previous=digest_of(first)), third])
    assert broken(trail)


@pytest.mark.parametrize("place", [0, 4, 6, 12, 13, 14, 15, -8, -7, -6, -5, -4, -1])
def test_a_damaged_frame_at_the_end_is_damage_and_not_the_trace_of_a_crash(trail: Trail, place: int) -> None:
    trail.record()
    octets = bytearray(trail.file.read_bytes())
    start = len(octets) - len(trail.frames()[-1])
    octets[start + place if place >= 0 else place] ^= 1
    trail.file.write_bytes(octets)
    assert broken(trail)


def test_octets_that_do_not_begin_as_a_record_are_damage_at_the_end_too(trail: Trail) -> None:
    trail.record()
    trail.file.write_bytes(trail.file.read_bytes() + b"x" * 200)
    assert broken(trail)


def test_an_unfinished_record_before_the_last_file_is_damage(trail: Trail) -> None:
    paths, archive_id = trail.keys.paths, trail.keys.archive.archive_id
    in_epoch(paths, archive_id, 1)()
    whole = paths.audit_log(1).read_bytes()
    paths.audit_log(1).write_bytes(whole + whole[:100])
    assert not broken(trail)
    in_epoch(paths, archive_id, 2)()
    assert broken(trail)


def test_a_record_made_anew_in_a_chain_made_anew_is_found_with_the_key(trail: Trail) -> None:
    """Somebody without the key can make frames and digests fit; the sealed text they cannot."""
    for _ in range(3):
        trail.record()
    pieces, previous = [], genesis(trail.keys.archive.archive_id)
    for frame in trail.frames():
        header = parse_frame(frame)
        forged = frame[:24] + previous + frame[56:]
        assert parse_header(forged).sequence == header.sequence
        forged = forged if header.sequence == 1 else forged[:100] + bytes([forged[100] ^ 1]) + forged[101:]
        pieces.append(forged)
        previous = digest_of(forged)
    trail.write(pieces)
    assert verify_chain(trail.keys.paths, trail.keys.archive.archive_id) == []
    assert trail.verify().problems


def test_records_of_another_archive_are_found(trail: Trail, tmp_path: Path) -> None:
    other = new_archive(tmp_path / "other")
    for each in (trail, other):
        each.record()
        each.record()
    shutil.copy(other.file, trail.file)
    assert broken(trail)  # without a key
    assert trail.verify().problems
    keys = keys_of(trail)
    assert not opens(keys, other.frames()[0])
    same_key = AuditKeys(trail.keys.secret.audit_key, archive_id=bytes(16), epoch=1)
    assert not opens(same_key, sealed(trail))


def test_the_end_of_the_trail_cut_off_is_found_with_an_anchor_only(trail: Trail) -> None:
    for _ in range(5):
        trail.record()
    anchor = trail.checkpoint()
    count = read_checkpoint(anchor)[0].count
    pieces = trail.frames()
    for keep in range(count - 2, 0, -1):
        trail.write(pieces[:keep])
        trail.keys.paths.checkpoint.unlink(missing_ok=True)  # whoever cuts knows of it, too
        assert trail.verify().problems == ()
        trail.write(pieces[:keep])
        assert any("cut off" in each.message for each in trail.verify(anchor).problems)
    trail.write(pieces[:count])  # what the checkpoint counts is there
    trail.keys.paths.checkpoint.unlink(missing_ok=True)
    assert trail.verify(anchor).problems == ()


def test_a_trail_that_was_lost_beside_its_newest_checkpoint_is_found_without_an_anchor(trail: Trail) -> None:
    for _ in range(3):
        trail.record()
    trail.checkpoint()
    pieces, kept = trail.frames(), trail.keys.paths.checkpoint.read_bytes()
    assert trail.verify().problems == ()
    trail.write(pieces[:2])
    (found,) = trail.verify().problems
    assert (found.what, "cut off" in found.message) == ("audit/checkpoint.json", True)
    trail.write(pieces[:2])
    full = app.verify(trail.settings, full=True, ask=ask, bounds=BOUNDS)
    assert [each.what for each in full.problems] == ["audit/checkpoint.json"]
    trail.file.unlink()
    for _ in range(10):
        trail.record()
    trail.keys.paths.checkpoint.write_bytes(kept)
    assert any("written anew" in each.message for each in trail.verify().problems)
    # Nobody has signed this one, so it tells nothing.
    trail.keys.paths.checkpoint.write_bytes(kept.replace(b"checkpoint 1 ", b"checkpoint 2 ", 1))
    assert trail.verify().problems == ()


def test_a_trail_that_is_gone_or_was_begun_anew_is_found_with_an_anchor(trail: Trail) -> None:
    trail.record()
    trail.record()
    anchor = trail.checkpoint()
    shutil.rmtree(trail.keys.paths.audit)
    assert trail.verify(anchor).problems
    for _ in range(10):
        trail.record()
    assert trail.verify().problems == ()
    assert any("written anew" in each.message for each in trail.verify(anchor).problems)


def test_a_whole_archive_put_back_to_an_older_copy_is_found_with_an_anchor(trail: Trail, tmp_path: Path) -> None:
    trail.record()
    shutil.copytree(trail.keys.paths.root, tmp_path / "older")
    for _ in range(3):
        trail.record()
    anchor = trail.checkpoint()
    assert trail.verify(anchor).problems == ()
    shutil.rmtree(trail.keys.paths.root)
    shutil.copytree(tmp_path / "older", trail.keys.paths.root)
    assert trail.verify().problems == ()
    assert trail.verify(anchor).problems


def test_another_keyring_without_a_recorded_change_is_found_with_an_anchor(trail: Trail) -> None:
    trail.record()
    anchor = trail.checkpoint()
    older = trail.keys.paths.keyring.read_bytes()
    app.key_add(trail.settings, name="an", kind="recovery", ask=ask, bounds=BOUNDS)
    assert trail.verify(anchor).problems == ()
    later = trail.checkpoint()
    trail.keys.paths.keyring.write_bytes(older)
    assert any("keyring" in each.message for each in app_report(trail, later).problems)


def app_report(trail: Trail, anchor: str) -> AuditReport:
    """Check although the keyring is refused by whatever else guards it."""
    from archiver.app.audit_reading import _Check

    check = _Check(trail.keys, {1: keys_of(trail)})
    check.walk()
    check.anchor(*read_checkpoint(anchor), None)
    findings = tuple(each for each in (*check.chain.findings, *check.findings) if each.broken)
    return AuditReport(0, 0, 1, None, None, findings, ())


def test_an_anchor_that_was_changed_or_is_of_another_archive_says_so(trail: Trail, tmp_path: Path) -> None:
    trail.record()
    trail.record()
    line = trail.checkpoint()
    words = line.split()
    fewer = " ".join([*words[:4], "1", *words[5:]])
    assert any("not signed" in each.message for each in trail.verify(fewer).problems)
    for cut in range(1, 20):
        with pytest.raises(UsageError):
            trail.verify(line[:-cut])
    with pytest.raises(UsageError):
        trail.verify(line.replace("archiver-checkpoint 1", "archiver-checkpoint 2"))
    other = new_archive(tmp_path / "other")
    with pytest.raises(UsageError, match="no checkpoint of this archive"):
        trail.verify(other.checkpoint())
    with pytest.raises(UsageError, match="cannot read"):
        trail.verify(str(tmp_path / "absent"))


def test_checkpoints_are_found_in_a_whole_log_and_no_device_is_read_for_ever(trail: Trail, tmp_path: Path) -> None:
    trail.record()
    line = trail.checkpoint()
    log = tmp_path / "syslog"
    told = b"Nov 23 host archiver[7]: " + line.encode()
    log.write_bytes(b"Nov 23 host kernel: \xff\xfe\n" + b"x" * 200_000 + b"\n" + told + b"\r\n")
    assert trail.verify(str(log)).anchors == 1
    with pytest.raises(UsageError, match="is no file"):
        trail.verify("/dev/zero")


def test_an_anchor_of_an_epoch_that_is_still_to_come_tells_of_an_older_copy(trail: Trail) -> None:
    later = AuditKeys(bytes(32), archive_id=trail.keys.archive.archive_id, epoch=7)
    trail.record()
    words = trail.checkpoint().split()
    made = replace(read_checkpoint(" ".join(words))[0], epoch=7)
    assert any("older copy" in each.message for each in trail.verify(later.sign(made)).problems)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def test_the_first_sync_of_a_day_makes_a_checkpoint_and_the_others_none(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail.record("sync")
    trail.record("sync")
    assert sum(each.event.action == "checkpoint" for each in trail.entries()) == 1
    kept = kept_checkpoint(trail.keys.paths)
    assert kept is not None
    monkeypatch.setattr(auditing, "is_due", lambda _: True)
    trail.record("sync")
    assert kept_checkpoint(trail.keys.paths) != kept
    assert trail.verify().checkpoints >= 2


def test_nobody_who_searches_waits_for_a_checkpoint(trail: Trail) -> None:
    for action in ("search", "show", "history", "customer-find"):
        trail.record(action)
    assert kept_checkpoint(trail.keys.paths) is None


def test_a_checkpoint_is_one_printable_line_that_any_file_may_hold(trail: Trail, tmp_path: Path) -> None:
    trail.record()
    line = trail.checkpoint()
    assert line.isprintable()
    assert line.isascii()
    assert len(line) < 450
    (tmp_path / "anchors").write_text(f"Nov 23 02:00 host archiver[1]: {line}\nsomething else\n")
    assert trail.verify(str(tmp_path / "anchors")).anchors == 1


def test_a_checkpoint_that_does_not_fit_its_place_is_found(trail: Trail) -> None:
    trail.record()
    line = trail.checkpoint()
    trail.record("checkpoint", note=line)
    trail.record("checkpoint", note="nothing")
    told = [each.message for each in trail.verify().problems]
    assert any("not that of its place" in each for each in told)
    assert any("without a line" in each for each in told)


@pytest.mark.parametrize("ending", [DiskError("the disk is full"), KeyboardInterrupt(), ValueError("a bug")])
@pytest.mark.parametrize("action", ["sync", "import"])
def test_a_run_that_is_cut_off_is_recorded_with_what_ended_it(
    trail: Trail, tmp_path: Path, action: str, ending: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ending

    monkeypatch.setattr(syncing, "choose", lambda *_: ())
    monkeypatch.setattr(syncing, "_take_in_by_turns", failing)
    monkeypatch.setattr(syncing, "CollectorProcess", lambda *_: SimpleNamespace(stop=lambda: None))
    (tmp_path / "one.eml").write_bytes(b"Subject: one\r\n\r\nwords\r\n")
    runs: dict[str, Callable[[], object]] = {
        "sync": lambda: app.sync(trail.settings, ask=ask, bounds=BOUNDS),
        "import": lambda: app.import_paths(trail.settings, [tmp_path / "one.eml"], ask=ask, bounds=BOUNDS),
    }
    with pytest.raises(type(ending)):
        runs[action]()
    (entry,) = trail.entries(action=action)
    assert entry.event.note == f"cut off: {type(ending).__name__}"
    assert trail.verify().problems == ()


def test_a_day_whose_checkpoint_cannot_be_made_does_not_stop_the_sync(trail: Trail) -> None:
    trail.keys.paths.database.write_bytes(b"damaged" * 1000)
    trail.record("sync")
    assert kept_checkpoint(trail.keys.paths) is None
    assert len(trail.frames()) == 1


# --- epochs ----------------------------------------------------------------------------------------------------------


def in_epoch(paths: ArchivePaths, archive_id: bytes, epoch: int) -> Callable[[], None]:
    keys = AuditKeys(bytes([epoch]) * 32, archive_id=archive_id, epoch=epoch)
    event = AuditEvent(at=1, action="search", who="an", user="an")

    def append() -> None:
        AuditLog(paths, archive_id).append(
            epoch, lambda t: keys.seal(event, sequence=t.sequence + 1, previous=t.digest, random=os.urandom)
        )

    return append


def test_the_chain_goes_on_over_the_files_of_epochs(trail: Trail) -> None:
    paths, archive_id = trail.keys.paths, trail.keys.archive.archive_id
    for epoch in (1, 1, 2, 2, 9, 10):
        in_epoch(paths, archive_id, epoch)()
    assert [path.name for path in audit_files(paths)] == [f"{epoch:08}.log" for epoch in (1, 2, 9, 10)]
    assert verify_chain(paths, archive_id) == []
    paths.audit_log(2).unlink()
    assert any(each.broken for each in verify_chain(paths, archive_id))


def test_who_opened_before_a_rotation_goes_on_in_the_new_file_and_it_is_told(trail: Trail) -> None:
    paths, archive_id = trail.keys.paths, trail.keys.archive.archive_id
    for epoch in (1, 2, 1, 2):
        in_epoch(paths, archive_id, epoch)()
    assert len(audit_files(paths)) == 2
    (finding,) = verify_chain(paths, archive_id)
    assert not finding.broken
    assert "after they were replaced" in finding.message


def test_a_record_of_a_later_epoch_in_an_earlier_file_is_found(trail: Trail) -> None:
    paths, archive_id = trail.keys.paths, trail.keys.archive.archive_id
    in_epoch(paths, archive_id, 2)()
    paths.audit_log(2).rename(paths.audit_log(1))
    assert any(each.broken for each in verify_chain(paths, archive_id))


def test_other_messages_without_a_recorded_change_are_found_with_an_anchor(trail: Trail) -> None:
    from archiver.app.audit_reading import _Check

    trail.record()
    line = trail.checkpoint()

    def told() -> list[str]:
        check = _Check(trail.keys, {1: keys_of(trail)})
        check.walk()
        check.anchor(*read_checkpoint(line), bytes(32))
        return [each.message for each in check.findings if each.broken]

    assert any("other messages" in each for each in told())
    trail.record("erase", messages=[blob(1)])
    assert told() == []


def test_syslog_gets_the_line_as_one_message_of_the_security_facility(
    trail: Trail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(place))
        daemon.settimeout(5)
        monkeypatch.setattr(anchoring, "_SYSLOG", str(place))
        settings = replace(trail.settings, audit=AuditSettings(anchors=("syslog",)))
        line = trail.checkpoint()
        assert anchoring.bring_to_anchors(settings, trail.keys.paths) == (["syslog"], [])
        assert daemon.recv(4096).decode() == f"<86>archiver[{os.getpid()}]: {line}"
    trail.checkpoint()
    anchored, problems = anchoring.bring_to_anchors(settings, trail.keys.paths)
    assert (anchored, len(problems)) == ([], 1)
    assert "syslog" in problems[0]


def test_a_full_verification_opens_the_records_too(trail: Trail) -> None:
    trail.record()
    trail.record("show")
    assert app.verify(trail.settings, full=True, ask=ask, bounds=BOUNDS).problems == ()
    frames_ = trail.frames()
    last = bytearray(frames_[-1])
    last[80] ^= 1  # in the sealed text of the last record, which no other record names
    trail.write([*frames_[:-1], bytes(last)])
    assert app.verify(trail.settings, full=False, ask=ask, bounds=BOUNDS).problems == ()
    found = app.verify(trail.settings, full=True, ask=ask, bounds=BOUNDS).problems
    assert [each.kind for each in found] == ["audit"]
