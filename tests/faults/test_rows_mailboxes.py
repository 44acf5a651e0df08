"""Rows 45 to 50 and 56 to 62 of `rows.py`: names, copies, dates, flags, odd lines, and our own side's failures."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from archiver.core.ports import Octets
from archiver.errors import DiskError
from archiver.model.mailbox import MessageEntry
from tests.fakes.imap_mailboxes import Mailbox
from tests.fakes.imap_server import Asked, Cut, uids_asked
from tests.faults.trial import USER, Trial
from tests.twins.stores import MemoryCollectStore

BODIES = rb"UID FETCH [0-9:,]+ \(UID BODY"
INBOX_BODIES = rb"UID FETCH 1:5 \(UID BODY"

HOSTILE_NAMES = [
    b"a&b",
    b"&AOk",
    b"&2D3-",
    "Café".encode(),
    b"\xff\xfe\x80",
    b"{5}",
    b"odd[name",
    b"tab\there",
    b"trailing ",
    b" leading",
    b"2024",
    b'quo"te',
    b"back\\slash",
    b"per%cent*star",
    b"../../etc/passwd",
    b"nul\0in it",
    b"line\r\nA9 LOGOUT",
    b"\x1b]0;title\x07",
    b"NIL",
    b"x" * 5000,
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: repr(name)[2:24])
def test_row_45_a_mailbox_of_whatever_name_is_read_by_the_octets_of_its_name(trial: Trial, name: bytes) -> None:
    box = trial.server.mailbox(USER, name)
    box.deliver(b"Subject: hidden\r\n\r\nin %d\r\n" % len(name))

    def listed(asked: Asked) -> bytes:
        line = b'* LIST () "/" {%d}\r\n%b\r\n' % (len(name), name)
        others = b"".join(b'* LIST () "/" "%b"\r\n' % other for other in (b"INBOX", b"Archive"))
        return line + others + b"%T OK done\r\n"

    def named(asked: Asked) -> bytes:
        literal = re.match(rb"\w+ \{\d+\}\r\n(.*?)( \(MESSAGES.*)?$", asked.line, re.DOTALL)
        quoted = re.match(rb'\w+ "((?:[^"\\]|\\.)*)"', asked.line, re.DOTALL)
        assert literal or quoted, asked.line
        told = literal[1] if literal else re.sub(rb"\\(.)", rb"\1", quoted[1])  # type: ignore[index]
        found = trial.server.accounts[USER].get(told)
        if found is None or asked.line.startswith(b"STATUS"):
            return b"%T NO no such mailbox\r\n"
        trial.server._open[asked.connection] = found
        head = b"* %d EXISTS\r\n* OK [UIDVALIDITY %d]\r\n" % (len(found.messages), found.uid_validity)
        return head + b"%T OK [READ-ONLY] done\r\n"

    trial.imap.on(b"LIST", listed)
    trial.imap.on(b"EXAMINE|STATUS", named)
    assert trial.run().exit_code == 0
    assert trial.sound()
    for status in trial.store.statuses():
        status.mailbox.encode()  # a lone surrogate could not be shown or written


@pytest.mark.parametrize(
    "line", [b'* LIST () NIL "flat"', b"* LIST", b"* LIST ()", b"* LIST (\\HasNoChildren", b'* LIST () "/" "no end']
)
def test_row_45_garbage_in_a_list_hides_no_mailbox_and_is_told(trial: Trial, line: bytes) -> None:
    trial.imap.on(b"LIST", lambda asked: line + b"\r\n" + trial.server._list(asked))
    outcome = trial.run()
    assert sorted(trial.kept().values()) == sorted(trial.on_server().values())
    assert outcome.exit_code == 4
    assert len(outcome.incomplete) == 1


def test_row_46_a_renamed_mailbox_keeps_its_mail_once(trial: Trial) -> None:
    trial.run()
    boxes = trial.server.accounts[USER]
    boxes[b"Renamed"] = boxes.pop(b"Archive")
    boxes[b"INBOX"].uid_validity += 1
    assert (trial.run().new, trial.run().exit_code) == (0, 0)
    assert trial.sound()


def test_row_46_a_mailbox_deleted_while_it_is_read_ends_alone(trial: Trial) -> None:
    def deleted(asked: Asked) -> bytes:
        trial.server.accounts[USER].pop(b"Archive")
        return Cut(b"* BYE Mailbox was deleted under us\r\n")

    trial.imap.on(rb"UID FETCH 1:2 \(UID BODY", deleted, times=1)
    outcome = trial.run()
    assert outcome.exit_code == 4
    assert [reason for reason in outcome.incomplete if "Archive" in reason]
    trial.run()
    assert trial.sound()


def test_row_46_inbox_in_another_case_is_the_inbox(trial: Trial) -> None:
    trial.run()
    trial.imap.on(b"LIST", b'* LIST () "/" Inbox\r\n* LIST () "/" Archive\r\n%T OK done\r\n')
    trial.imap.on(b"(EXAMINE|STATUS) ", lambda asked: _inbox(trial, asked))
    trial.run()
    assert trial.doubled() == []
    assert trial.complete()


def _inbox(trial: Trial, asked: Asked) -> bytes:
    line = re.sub(rb'"Inbox"', b'"INBOX"', asked.line)
    again = Asked(asked.tag, line, asked.connection)
    return trial.server._examine(again) if line.startswith(b"EXAMINE") else trial.server._status(again)


def test_row_47_roles_missing_wrong_or_twice_leave_no_mailbox_unread(trial: Trial) -> None:
    for name in (b"Sent", b"Verzonden items", b"Project/Sent", b"Entw&APw-rfe"):
        trial.deliver(name, b"Subject: in " + name + b"\r\n\r\n.\r\n")
    trial.imap.on(
        b"LIST",
        lambda asked: re.sub(
            rb'\(\\HasNoChildren\) "/" "(INBOX|Sent)"', rb'(\\Sent) "/" "\1"', trial.server._list(asked)
        ),
    )
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_48_labels_that_are_mailboxes_give_one_message_and_all_its_places(trial: Trial) -> None:
    trial.imap.capabilities = b"IMAP4rev1 X-GM-EXT-1"
    for octets in list(trial.on_server().values()):
        trial.deliver(b"[Gmail]/All Mail", octets)
    outcome = trial.run()
    assert (outcome.new, outcome.known) == (7, 7)
    assert trial.sound()
    assert [line for line in trial.imap.commands if b"X-GM" in line] == []


def test_row_49_the_same_message_id_with_other_octets_is_another_message(trial: Trial) -> None:
    for footer in (b"", b"scanned", b"scanned twice"):
        trial.deliver(b"INBOX", b"Message-ID: <one@example.test>\r\nSubject: s\r\n\r\nbody\r\n" + footer)
    assert trial.run().new == 10
    assert trial.sound()


def test_row_50_the_same_octets_twice_in_a_mailbox_are_kept_once_at_two_places(trial: Trial) -> None:
    for _ in range(2):
        trial.deliver(b"INBOX", b"Subject: twice\r\n\r\nthe same\r\n")
    outcome = trial.run()
    assert (outcome.new, outcome.known) == (8, 1)
    assert trial.sound()


@pytest.mark.parametrize(
    "date",
    [b'"00-Jan-0000 00:00:00 +0000"', b'"30-Dec-1899 00:00:00 +9900"', b'"31-Dec-9999 23:59:59 -2400"', b"NIL", b'""'],
)
def test_row_56_an_impossible_arrival_date_stops_nothing(trial: Trial, date: bytes) -> None:
    trial.imap.on(
        rb"UID FETCH [0-9:,*]+ \(UID RFC822",
        lambda asked: re.sub(rb'INTERNALDATE "[^"]*"', b"INTERNALDATE " + date, trial.server._fetch(asked)),
    )
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("jump", [timedelta(days=-4000), timedelta(days=4000), timedelta(hours=-1)])
def test_row_57_a_clock_that_jumps_loses_no_mail_and_holds_nothing_up(trial: Trial, jump: timedelta) -> None:
    trial.imap.on(b"LIST", b"%T NO [THROTTLED] slow down\r\n")
    assert trial.run().exit_code == 20
    trial.imap.on(b"LIST", trial.server._list)
    trial.now += jump
    if abs(jump) > timedelta(days=1):
        assert trial.run(now=False).exit_code == 0
    assert trial.run(now=True).exit_code == 0
    trial.deliver(b"INBOX", b"Subject: new\r\n\r\nafter the jump\r\n")
    assert trial.run().new == 1
    assert trial.sound()


def test_row_58_flags_and_everything_else_on_the_server_stay_as_they_are(trial: Trial) -> None:
    trial.run()
    trial.deliver(b"INBOX", b"Subject: new\r\n\r\none\r\n")
    trial.imap.on(BODIES, Cut(b""), times=1)
    trial.run()
    assert trial.sound()
    trial.harmless()
    assert trial.said(b"EXAMINE")
    assert trial.said(b"SELECT") == []


def test_row_59_no_idle_is_needed_and_none_is_sent(trial: Trial) -> None:
    trial.imap.capabilities = b"IMAP4rev1 IDLE"
    trial.run()
    assert trial.said(b"IDLE|NOOP") == []


def test_row_60_odd_lines_are_read_for_what_they_are(trial: Trial) -> None:
    def odd(asked: Asked) -> bytes:
        answer = trial.server._fetch(asked)
        if b"BODY" not in asked.line:
            answer = answer.replace(b" FETCH (UID", b" fetch (uid").replace(b"\r\n", b"\n")
        return b"\r\n* OK a text that ends like a literal {12}\r\n\r\n" + answer.replace(b"%T OK", b"%T ok")

    trial.imap.on(b"UID FETCH", odd)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_61_long_mailboxes_are_listed_and_fetched_in_windows() -> None:
    trial = Trial(fill=False)
    for number in range(12_000):
        trial.deliver(b"INBOX", b"%d" % number)
    try:
        assert trial.run().new == 12_000
        assert trial.sound()
        spans = [line.split(b" ")[2] for line in trial.said(rb"UID FETCH [0-9:,*]+ \(UID RFC822")]
        assert spans == [b"1:5000", b"5001:10000", b"10001:*"]
        asked = trial.said(BODIES)
        assert max(len(uids_asked(Asked(b"", line, 1))) for line in asked) <= 500
    finally:
        trial.close()


@pytest.mark.parametrize("after", range(7))
def test_row_62_a_disk_that_is_full_at_any_message_costs_that_run_and_no_mail(trial: Trial, after: int) -> None:
    whole = trial.store

    class Full(MemoryCollectStore):
        left = after

        def add(self, epoch: int, entry: MessageEntry, octets: Octets) -> bool:
            self.left -= 1
            if self.left < 0:
                raise DiskError("the disk is full")
            return super().add(epoch, entry, octets)

    full = Full(trial.disk, lambda: trial.now)
    trial.store = full
    with pytest.raises(DiskError):
        trial.run()
    # What was not acknowledged is not known to the next run, which has the committed state only.
    full.left = 1000
    assert whole is not full
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_46_a_mailbox_made_again_under_its_old_name_is_read_anew(trial: Trial) -> None:
    trial.run()
    trial.server.accounts[USER][b"Archive"] = Mailbox(999)
    trial.deliver(b"Archive", b"Subject: another\r\n\r\nmailbox of the same name\r\n")
    trial.account = replace(trial.account, exclude=())
    assert trial.run().new == 1
    assert trial.sound()
