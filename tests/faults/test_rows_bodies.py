"""Rows 20 to 38 of `rows.py`: octets, and connections that end among them."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from archiver.imap import plan
from tests.fakes.imap_server import Asked, Cut, Silence, body, uids_asked
from tests.faults.trial import PASSWORD, USER, Trial

BODIES = rb"UID FETCH [0-9:,]+ \(UID BODY"
INBOX_BODIES = rb"UID FETCH 1:5 \(UID BODY"


def inbox(trial: Trial) -> dict[int, bytes]:
    return trial.server.accounts[USER][b"INBOX"].messages


def test_row_20_uid_and_size_behind_the_octets(trial: Trial) -> None:
    def behind(asked: Asked) -> bytes:
        box = trial.server._open[asked.connection].messages
        line = b"* %d FETCH (BODY[] {%d}\r\n%b FLAGS (\\Seen) RFC822.SIZE %d UID %d)\r\n"
        given = [line % (uid, len(box[uid]), box[uid], len(box[uid]), uid) for uid in uids_asked(asked)]
        return b"".join(given) + b"%T OK done\r\n"

    trial.imap.on(BODIES, behind)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_21_answers_of_two_commands_come_mixed(trial: Trial) -> None:
    for number in range(4):
        trial.deliver(b"INBOX", b"%d" % number + b"x" * (3 << 20))
    held: list[Asked] = []

    def mixed(asked: Asked) -> bytes:
        held.append(asked)
        if len(held) == 1:
            return b""
        box = inbox(trial)
        pieces = [body(uid, box[uid]) for each in reversed(held) for uid in uids_asked(each)]
        answer = b"".join(pieces) + b"%T OK done\r\n" + held[0].tag + b" OK done\r\n"
        held.clear()
        return answer

    trial.imap.on(BODIES, mixed, times=4)
    trial.account = replace(trial.account, mailboxes=("INBOX",))
    trial.server.accounts[USER].pop(b"Archive")
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_22_the_same_uid_twice_the_first_good_octets_stay(trial: Trial) -> None:
    def twice(asked: Asked) -> bytes:
        *_, last = uids_asked(asked)
        again = b"* 1 FETCH (UID 1 BODY[] NIL)\r\n" + body(last, b"other octets under the same UID")
        answer = trial.server._fetch(asked)
        return b"* 1 FETCH (UID 2 BODY[] NIL)\r\n" + answer.replace(b"%T OK", again + b"%T OK")

    trial.imap.on(BODIES, twice)
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("value", [b"NIL", b'""'])
def test_row_23_nothing_instead_of_a_message_is_no_empty_mail(trial: Trial, value: bytes) -> None:
    def nothing(asked: Asked) -> bytes:
        answer = trial.server._fetch(asked)
        octets = inbox(trial)[3]
        return answer.replace(body(3, octets), b"* 3 FETCH (UID 3 BODY[] %b FLAGS ())\r\n" % value)

    trial.imap.on(BODIES, nothing)
    trial.imap.on(rb"UID FETCH 1:2 ", trial.server._fetch)
    outcome = trial.run()
    assert (outcome.exit_code, outcome.failed, set(trial.failed())) == (4, 1, {3})
    assert b"" not in trial.kept().values()
    trial.imap.on(BODIES, trial.server._fetch)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_23_an_empty_message_of_size_nothing_is_a_message(trial: Trial) -> None:
    trial.deliver(b"INBOX", b"")
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert b"" in trial.kept().values()


def test_row_24_only_body_peek_is_asked_for(trial: Trial) -> None:
    trial.run()
    assert trial.sound()
    asked = [line for line in trial.said(b"UID FETCH") if b"BODY" in line or b"RFC822 " in line]
    assert asked
    assert all(line.endswith(b"(UID BODY.PEEK[])") for line in asked)


def test_row_25_a_notice_in_place_of_a_message_is_never_taken_for_it(trial: Trial) -> None:
    notice = b"Subject: Retrieval using the IMAP4 protocol failed for the following message: 205\r\n\r\nSorry.\r\n"

    def stub(asked: Asked) -> bytes:
        return trial.server._fetch(asked).replace(body(3, inbox(trial)[3]), body(3, notice))

    trial.imap.on(INBOX_BODIES, stub)
    trial.imap.on(rb"UID FETCH 3 \(UID BODY", body(3, notice) + b"%T OK done\r\n")
    for _ in range(2):
        outcome = trial.run()
        assert (outcome.exit_code, trial.failed()) == (4, {3: "the server gives a notice instead of the message"})
    assert notice not in trial.kept().values()
    trial.imap.on(BODIES, trial.server._fetch)
    trial.run()
    assert trial.sound()


def test_row_25_ok_and_no_octets_is_asked_again_and_recorded(trial: Trial) -> None:
    trial.imap.on(rb"UID FETCH [0-9:,]*3[0-9:,]* \(UID BODY", b"%T OK done\r\n")
    trial.imap.on(INBOX_BODIES, lambda asked: trial.server._fetch(asked).replace(body(3, inbox(trial)[3]), b""))
    assert (trial.run().exit_code, set(trial.failed())) == (4, {3})
    trial.imap.on(BODIES, trial.server._fetch)
    trial.run()
    assert trial.sound()


@pytest.mark.parametrize(
    "end",
    [
        Cut(b"* 3 FETCH (UID 3 BODY[] {5000}\r\nhalf"),
        b"%T NO [UNAVAILABLE] cannot read that now\r\n",
        b"%T NO [SERVERBUG] internal error\r\n",
        Cut(b"* BYE internal error\r\n"),
    ],
)
def test_row_26_a_message_at_which_the_server_always_fails_stands_before_no_other(trial: Trial, end: bytes) -> None:
    def poisoned(asked: Asked) -> bytes:
        box = trial.server._open[asked.connection].messages
        if box is not inbox(trial) or 3 not in uids_asked(asked):
            return trial.server._fetch(asked)
        before = b"".join(body(uid, box[uid]) for uid in uids_asked(asked) if uid < 3)
        return type(end)(before + end)

    trial.imap.on(BODIES, poisoned)
    outcome = trial.run()
    assert (outcome.exit_code, outcome.new, outcome.failed) == (4, 6, 1)
    assert set(trial.failed()) == {3}
    assert trial.imap.connections < 12
    trial.imap.on(BODIES, trial.server._fetch)
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("reset", [False, True])
def test_row_27_a_connection_cut_within_a_message_keeps_what_was_whole(trial: Trial, reset: bool) -> None:
    def cut(asked: Asked) -> bytes:
        box = inbox(trial)
        if reset:
            # RST instead of FIN: the kernel throws away what is not sent yet.
            connection = trial.imap._open[asked.connection - 1]
            connection.sendall(body(1, box[1]) + b"* 2 FETCH (UID 2 BODY[] {500}\r\nhalf")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return Cut(b"")
        return Cut(body(1, box[1]) + b"* 2 FETCH (UID 2 BODY[] {500}\r\nhalf")

    trial.imap.on(INBOX_BODIES, cut, times=1)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert not any(octets.startswith(b"half") for octets in trial.kept().values())


@pytest.mark.parametrize("words", [b"shutting down", b"[UNAVAILABLE] idle too long", b"Session expired"])
def test_row_28_a_bye_in_mid_run_costs_a_connection_and_no_mail(trial: Trial, words: bytes) -> None:
    def bye(asked: Asked) -> bytes:
        return Cut(body(1, inbox(trial)[1]) + b"* BYE " + words + b"\r\n")

    trial.imap.on(INBOX_BODIES, bye, times=1)
    trial.imap.on(b"EXAMINE", Cut(b"* BYE " + words + b"\r\n"), times=1)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert trial.imap.connections >= 3


def test_row_28_nothing_is_read_from_a_server_that_has_said_bye(trial: Trial) -> None:
    trial.imap.on(INBOX_BODIES, lambda asked: b"* BYE closing\r\n" + trial.server._fetch(asked), times=1)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert trial.imap.connections == 2


def test_row_29_each_connection_fetches_the_password_anew(trial: Trial) -> None:
    fetched: Iterator[str] = iter([PASSWORD, "renewed in mid-run"])

    def changed(asked: Asked) -> bytes:
        trial.server.password = "renewed in mid-run"
        return Cut(b"* BYE Session invalidated - AccessTokenExpired\r\n")

    trial.imap.on(INBOX_BODIES, changed, times=1)
    trial.passwords = lambda _: next(fetched)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_30_a_peer_that_is_gone_without_a_word_is_given_up_and_asked_again(trial: Trial) -> None:
    trial.account = replace(trial.account, read_timeout=1.5)
    trial.imap.on(INBOX_BODIES, lambda _: Silence(body(1, inbox(trial)[1])), times=1)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert trial.imap.connections == 2


@pytest.mark.parametrize("announced", [b"99999999999", b"18446744073709551617", b"1073741825"])
def test_row_32_a_huge_announced_length_is_not_believed(trial: Trial, announced: bytes) -> None:
    def huge(asked: Asked) -> bytes:
        answer = trial.server._fetch(asked)
        at = answer.index(b"* 2 FETCH")
        return Cut(answer[:at] + b"* 2 FETCH (UID 2 BODY[] {%b}\r\nnothing of the kind" % announced)

    trial.imap.on(INBOX_BODIES, huge, times=1)
    trial.imap.on(rb"UID FETCH 2:5 \(UID BODY", trial.server._fetch)
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("wrong", [-3, -1, 1, 3, 40])
def test_row_33_a_literal_longer_or_shorter_than_announced_never_becomes_a_message(trial: Trial, wrong: int) -> None:
    def lying(asked: Asked) -> bytes:
        answer = trial.server._fetch(asked)
        octets = inbox(trial)[3]
        told = b"* 3 FETCH (UID 3 BODY[] {%d}\r\n%b)\r\n" % (len(octets) + wrong, octets)
        return answer.replace(body(3, octets), told)

    trial.account = replace(trial.account, read_timeout=0.5)
    trial.imap.on(BODIES, lying)
    trial.imap.on(rb"UID FETCH 1:2 ", trial.server._fetch)
    outcome = trial.run()
    assert (outcome.exit_code, set(trial.failed())) == (4, {3})
    assert all(octets in trial.on_server().values() for octets in trial.kept().values())
    trial.imap.on(BODIES, trial.server._fetch)
    trial.run()
    assert trial.sound()


@pytest.mark.parametrize(
    "octets",
    [b"\0a\0b\0", b"bare\rCR and bare\nLF\r", b")\r\nA5 OK done\r\n", b"* BYE\r\n", b"\xff\xfe\x80", b"{5}\r\n"],
)
def test_row_34_nul_and_bare_line_ends_are_kept_exactly(trial: Trial, octets: bytes) -> None:
    trial.deliver(b"INBOX", octets)
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("size", [b"0", b"1", b"20000000", b"4294967295", b"NIL", b"-1"])
def test_row_35_a_wrong_size_changes_no_octets(trial: Trial, size: bytes) -> None:
    trial.imap.on(
        rb"UID FETCH [0-9:,*]+ \(UID RFC822",
        lambda asked: re.sub(rb"RFC822.SIZE \d+", b"RFC822.SIZE " + size, trial.server._fetch(asked)),
    )
    trial.account = replace(trial.account, max_message_bytes=1 << 32)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_36_sizes_are_asked_for_new_messages_only(trial: Trial) -> None:
    trial.run()
    trial.deliver(b"INBOX", b"Subject: new\r\n\r\none\r\n")
    before = len(trial.imap.commands)
    trial.run()
    sizes = [line for line in trial.imap.commands[before:] if b"RFC822.SIZE" in line]
    assert [line.split(b" ")[2] for line in sizes] == [b"6:*"]
    assert trial.sound()


BIG = bytes(range(256)) * 13_000
"""A little over 3 MiB."""


@pytest.mark.parametrize("way", ["honest", "echoes the length", "sends all", "ignores", "caps", "other origin"])
def test_row_37_parts_of_a_message_in_whatever_way_a_server_does_them(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(plan, "CHUNKED_FROM", 1 << 20)
    trial.deliver(b"INBOX", BIG)

    def part(asked: Asked) -> bytes:
        found = re.search(rb"FETCH (\d+) .*<(\d+)\.(\d+)>", asked.line)
        assert found
        uid, start, length = int(found[1]), int(found[2]), int(found[3])
        octets = inbox(trial)[uid]
        if way == "sends all":
            return body(uid, octets) + b"%T OK done\r\n"
        if way == "ignores":
            return b"%T BAD what is that\r\n"
        length = min(length, 300_000) if way == "caps" else length
        piece = octets[start : start + length]
        origin = b"%d.%d" % (start, length) if way == "echoes the length" else b"%d" % start
        origin = b"%d" % (start + 1) if way == "other origin" else origin
        return b"* 6 FETCH (UID %d BODY[]<%b> {%d}\r\n%b)\r\n%%T OK done\r\n" % (uid, origin, len(piece), piece)

    trial.imap.on(rb"UID FETCH \d+ \(UID BODY\.PEEK\[\]<", part)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_38_a_big_message_goes_on_where_the_connection_broke(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "CHUNKED_FROM", 1 << 20)
    octets = BIG * 3
    uid = trial.deliver(b"INBOX", octets)
    given = 0

    def part(asked: Asked) -> bytes:
        nonlocal given
        found = re.search(rb"<(\d+)\.(\d+)>", asked.line)
        assert found
        start = int(found[1])
        piece = octets[start : start + int(found[2])]
        answer = b"* 6 FETCH (UID %d BODY[]<%d> {%d}\r\n%b)\r\n%%T OK done\r\n" % (uid, start, len(piece), piece)
        given += 1
        return Cut(answer[: len(answer) // 2]) if given % 3 == 0 else answer

    trial.imap.on(rb"UID FETCH \d+ \(UID BODY\.PEEK\[\]<", part)
    assert trial.run().exit_code == 0
    assert trial.sound()
    # Every third part breaks a connection; starting over each time would never end.
    assert given < 4 * (len(octets) >> 20)
