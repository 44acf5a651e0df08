"""Rows 1 to 19 of `rows.py`: which messages there are, and which of them are new."""

from __future__ import annotations

import re

import pytest

from tests.fakes.imap_mailboxes import Mailbox
from tests.fakes.imap_server import Asked, Cut, body, uids_asked
from tests.faults.trial import USER, Trial

LISTING = rb"UID FETCH [0-9:,*]+ \(UID RFC822"
BODIES = rb"UID FETCH [0-9:,]+ \(UID BODY"


def renumber(trial: Trial, name: bytes = b"INBOX") -> None:
    """Give the mailbox another UIDVALIDITY and its messages other UIDs, in another order."""
    boxes = trial.server.accounts[USER]
    old = boxes[name]
    boxes[name] = Mailbox(old.uid_validity + 100)
    for octets in reversed(list(old.messages.values())):
        boxes[name].deliver(octets)


def honest(trial: Trial, asked: Asked) -> bytes:
    """Return what the server would say if nothing were wrong with it."""
    answers = {b"EXAMINE": trial.server._examine, b"LIST": trial.server._list, b"STATUS": trial.server._status}
    return answers[asked.line.split(b" ")[0]](asked)


def test_row_01_uidvalidity_changed_between_runs(trial: Trial) -> None:
    trial.run()
    before = trial.kept()
    renumber(trial)
    outcome = trial.run()
    assert (outcome.new, outcome.known, outcome.exit_code) == (0, 5, 0)
    assert trial.sound()
    assert before.items() <= trial.kept().items()


@pytest.mark.parametrize("line", [b"OK nothing said", b"OK [UIDVALIDITY 0] hm", b"OK [UIDVALIDITY NIL] hm"])
def test_row_02_uidvalidity_missing_zero_or_nil(trial: Trial, line: bytes) -> None:
    said = re.compile(rb"OK \[UIDVALIDITY \d+\] stable")
    trial.imap.on(b'EXAMINE "?INBOX', lambda asked: said.sub(line, trial.server._examine(asked)))
    trial.imap.on(b"STATUS", b"%T NO not here\r\n")
    for _ in range(3):
        trial.run()
        assert trial.doubled() == []
        assert trial.complete()
    assert sorted(trial.kept().values()) == sorted(trial.on_server().values())


def test_row_03_uidvalidity_changed_between_two_connections_of_a_run(trial: Trial) -> None:
    def renumbered_meanwhile(asked: Asked) -> bytes:
        renumber(trial)
        return Cut(b"")

    trial.imap.on(BODIES, renumbered_meanwhile, times=1)
    outcome = trial.run()
    assert outcome.exit_code == 4
    assert any("UIDVALIDITY" in reason for reason in outcome.incomplete)
    # What was asked for by the old numbers must not be filed under the new ones.
    assert {place: octets for place, octets in trial.kept().items() if place[0] == b"INBOX"} == {}
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_03_uidvalidity_changed_between_two_looks_at_a_mailbox(trial: Trial) -> None:
    def shorter_once(asked: Asked) -> bytes:
        renumber(trial)
        return b"* 1 FETCH (UID 1 RFC822.SIZE 5 FLAGS ())\r\n%T OK done\r\n"

    before = trial.on_server()
    trial.imap.on(LISTING, shorter_once, times=1)
    trial.run()
    # Nothing of the new numbers under the old ones.
    assert trial.kept().items() <= {**before, **trial.on_server()}.items()
    trial.run()
    assert trial.sound()


def test_row_04_cursor_is_a_set_not_the_highest_uid(trial: Trial) -> None:
    # The highest UIDs come first, then the connection ends for good.
    def backwards(asked: Asked) -> bytes:
        box = trial.server.accounts[USER][b"INBOX"].messages
        return Cut(b"".join(body(uid, box[uid]) for uid in sorted(uids_asked(asked), reverse=True)[:2]))

    trial.imap.on(BODIES, backwards, times=1)
    trial.imap.on(b"LOGIN", Cut(b""))
    trial.imap.on(b"LOGIN", trial.server._login, times=1)
    outcome = trial.run()
    assert (outcome.exit_code, sorted(uid for _, _, uid in trial.kept())) == (20, [4, 5])
    trial.imap.on(b"LOGIN", trial.server._login)
    trial.run()
    assert trial.sound()


def test_row_05_numbers_shift_while_paging_and_nobody_uses_them(trial: Trial) -> None:
    box = trial.server.accounts[USER][b"INBOX"]

    def expunged_meanwhile(asked: Asked) -> bytes:
        listed = trial.server._fetch(asked)
        box.messages.pop(2, None)
        return b"* 2 EXPUNGE\r\n" + listed

    trial.imap.on(LISTING, expunged_meanwhile, times=1)
    trial.run()
    assert trial.sound()
    assert trial.said(b"FETCH") == []


def test_row_06_uidnext_far_above_the_highest_uid(trial: Trial) -> None:
    trial.server.accounts[USER][b"INBOX"].uid_next += 420_000
    assert trial.run().exit_code == 0
    assert trial.sound()
    sent = trial.server.bodies
    trial.deliver(b"INBOX", b"Subject: far\r\n\r\nabove\r\n")
    assert (trial.run().new, trial.server.bodies) == (1, sent + 1)
    assert trial.sound()
    assert len(trial.said(b"UID FETCH")) < 40


def test_row_07_uidnext_missing_and_mail_arrives_between_status_and_listing(trial: Trial) -> None:
    def without(asked: Asked) -> bytes:
        answer = re.sub(rb"\* OK \[UIDNEXT \d+\] next\r\n", b"", trial.server._examine(asked))
        trial.deliver(b"INBOX", b"Subject: late %d\r\n\r\narrival\r\n" % len(trial.on_server()))
        return answer

    trial.imap.on(b"EXAMINE", without)
    trial.run()
    trial.imap.on(b"EXAMINE", lambda asked: re.sub(rb"\* OK \[UIDNEXT[^\n]*\n", b"", trial.server._examine(asked)))
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_08_an_open_range_gives_the_last_message_although_it_is_older(trial: Trial) -> None:
    trial.run()
    sent = trial.server.bodies

    def open_range(asked: Asked) -> bytes:
        low = int(asked.line.split(b" ")[2].split(b":")[0])
        box = trial.server.accounts[USER][b"INBOX"].messages
        uids = [uid for uid in box if uid >= low] or [max(box)]
        return b"".join(b"* %d FETCH (UID %d RFC822.SIZE 9 FLAGS ())\r\n" % (uid, uid) for uid in uids) + b"%T OK\r\n"

    trial.imap.on(rb"UID FETCH \d+:\* \(UID RFC822", open_range)
    trial.imap.on(b"STATUS", b"%T NO not now\r\n")
    trial.server.accounts[USER].pop(b"Archive")
    assert (trial.run().exit_code, trial.server.bodies) == (0, sent)
    assert trial.said(rb"UID FETCH 6:\*")


def test_row_09_listings_cut_at_a_thousand_and_search_never_used() -> None:
    trial = Trial(fill=False)
    for number in range(2_300):
        trial.deliver(b"INBOX", b"%d" % number)

    def a_thousand_at_most(asked: Asked) -> bytes:
        lines = trial.server._fetch(asked).splitlines(keepends=True)
        return b"".join(lines[:1000][: len(lines) - 1]) + b"%T OK done\r\n"

    trial.imap.on(LISTING, a_thousand_at_most)
    try:
        assert trial.run().new == 2_300
        assert trial.sound()
        assert trial.said(b"(UID )?SEARCH") == []
    finally:
        trial.close()


def test_row_09_a_listing_that_stays_short_is_said_and_not_taken_for_all(trial: Trial) -> None:
    trial.imap.on(LISTING, b"* 1 FETCH (UID 1 RFC822.SIZE 5 FLAGS ())\r\n%T OK done\r\n")
    outcome = trial.run()
    assert outcome.exit_code == 4
    assert "the server counts 5 messages and lists 1" in str(outcome.incomplete)
    assert not trial.complete()


def test_row_10_old_mail_moved_in_later_comes_too(trial: Trial) -> None:
    trial.run()
    trial.deliver(b"INBOX", b"Date: Mon, 4 Jan 1999 10:00:00 +0000\r\nSubject: old\r\n\r\nmoved\r\n")
    assert trial.run().new == 1
    assert trial.sound()
    assert [line for line in trial.imap.commands if b"SINCE" in line or b"BEFORE" in line] == []


def test_row_11_uids_come_in_any_order_and_are_asked_for_ascending(trial: Trial) -> None:
    def shuffled(asked: Asked) -> bytes:
        *lines, last = trial.server._fetch(asked).splitlines(keepends=True)
        return b"".join(reversed(lines)) + last

    trial.imap.on(LISTING, shuffled)
    trial.run()
    assert trial.sound()
    for line in trial.said(b"UID FETCH"):
        numbers = [int(number) for number in re.findall(rb"\d+", line.split(b" ")[2])]
        assert numbers == sorted(numbers), line


def test_row_12_an_empty_mailbox_is_not_listed_because_some_servers_call_that_bad(trial: Trial) -> None:
    trial.server.mailbox(USER, b"Empty")
    trial.imap.on(b"STATUS", b"%T NO not here\r\n")
    trial.imap.on(
        rb"UID FETCH 1:\*",
        lambda asked: (
            trial.server._fetch(asked) if trial.server._open[asked.connection].messages else b"%T BAD invalid set\r\n"
        ),
    )
    assert [trial.run().exit_code, trial.run().exit_code] == [0, 0]
    assert trial.sound()


def test_row_13_uid_zero_is_no_message(trial: Trial) -> None:
    trial.imap.on(LISTING, lambda asked: b"* 9 FETCH (UID 0 RFC822.SIZE 5 FLAGS ())\r\n" + trial.server._fetch(asked))
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert [line for line in trial.said(b"UID FETCH") if re.match(rb"UID FETCH 0\b", line)] == []


def test_row_14_several_exists_lines_the_largest_counts(trial: Trial) -> None:
    trial.imap.on(b'EXAMINE "?INBOX', lambda asked: b"* 0 EXISTS\r\n* 3 EXISTS\r\n" + trial.server._examine(asked))
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert max(status.server for status in trial.store.statuses()) == 5


def test_row_15_modification_sequences_are_neither_asked_for_nor_believed(trial: Trial) -> None:
    trial.imap.capabilities = b"IMAP4rev1 CONDSTORE QRESYNC ENABLE LIST-EXTENDED LIST-STATUS SPECIAL-USE"
    trial.imap.on(b"LIST .*RETURN", b"%T BAD no\r\n")
    flat = re.compile(rb"(\* \d+ EXISTS\r\n)")
    trial.imap.on(
        b"EXAMINE", lambda asked: flat.sub(rb"\1* OK [HIGHESTMODSEQ 7] flat\r\n", trial.server._examine(asked), count=1)
    )
    trial.run()
    trial.deliver(b"INBOX", b"Subject: new\r\n\r\nwith the same mod-sequence\r\n")
    assert trial.run().new == 1
    assert trial.sound()
    assert [line for line in trial.imap.commands if re.search(rb"ENABLE|CONDSTORE|QRESYNC|CHANGEDSINCE", line)] == []


def test_row_16_an_answer_of_ok_that_leaves_messages_out_is_asked_again(trial: Trial) -> None:
    def half(asked: Asked) -> bytes:
        box = trial.server.accounts[USER][b"INBOX"].messages
        uids = uids_asked(asked)
        return b"".join(body(uid, box[uid]) for uid in uids[: len(uids) // 2]) + b"%T OK done\r\n"

    trial.imap.on(rb"UID FETCH \d+:\d+ \(UID BODY", half, times=1)
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("answer", [b"%T OK done\r\n", b"%T NO Some of the requested messages no longer exist.\r\n"])
def test_row_17_expunged_while_fetching(trial: Trial, answer: bytes) -> None:
    def two_are_gone(asked: Asked) -> bytes:
        box = trial.server.accounts[USER][b"INBOX"].messages
        gone = [box.pop(2), box.pop(4)]
        given = b"".join(body(uid, box[uid]) for uid in uids_asked(asked) if uid in box)
        return b"* 2 EXPUNGE\r\n" + given + b"* 3 EXPUNGE\r\n" * (len(gone) - 1) + answer

    trial.imap.on(rb"UID FETCH 1:5 \(UID BODY", two_are_gone, times=1)
    outcome = trial.run()
    assert (outcome.exit_code, outcome.failed, outcome.new) == (0, 0, 5)
    assert trial.sound()


def test_row_18_octets_without_uid_are_never_taken_for_the_message_of_that_number(trial: Trial) -> None:
    def nameless(asked: Asked) -> bytes:
        wrong = b"Subject: of another\r\n\r\nmessage\r\n"
        return b"* 3 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(wrong), wrong) + trial.server._fetch(asked)

    def only_nameless(asked: Asked) -> bytes:
        box = trial.server.accounts[USER][b"Archive"].messages
        return b"".join(body(uid, o).replace(b"UID %d " % uid, b"") for uid, o in box.items()) + b"%T OK done\r\n"

    trial.imap.on(rb"UID FETCH 1:5 \(UID BODY", nameless)
    trial.imap.on(rb"UID FETCH 1:2 \(UID BODY", only_nameless)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_19_news_of_other_messages_amid_the_answers(trial: Trial) -> None:
    stranger = b"Subject: unasked\r\n\r\nfor\r\n"
    news = (
        b"* 2 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Answered))\r\n* 0 RECENT\r\n"
        b"* FLAGS (\\Seen)\r\n* OK still here\r\n"
    )
    trial.imap.on(b"(EXAMINE|LIST|STATUS)", lambda asked: news + honest(trial, asked))
    trial.imap.on(b"UID FETCH", lambda asked: news + trial.server._fetch(asked))
    trial.imap.on(BODIES, lambda asked: news + body(77, stranger) + trial.server._fetch(asked))
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert stranger not in trial.kept().values()
