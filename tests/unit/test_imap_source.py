"""An IMAP account against servers that behave as some really do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from archiver.core.ports import Fetched, Unfetchable, Vanished
from archiver.errors import MailboxRefusedError, ServerUnreachableError
from archiver.imap.faults import ConnectionBrokenError, ThrottledError, TransientRefusalError
from archiver.imap.plan import CHUNK
from archiver.model.mailbox import MailboxState, Uid
from tests.fakes.imap_account import INBOX, MemorySpool, entry, local_account, octets_of, retrying_on, source_on
from tests.fakes.imap_server import Asked, Cut, FakeImapServer, Silence, body, uids_asked


@pytest.fixture
def server() -> Iterator[FakeImapServer]:
    fake = FakeImapServer(exists=3)
    yield fake
    fake.close()


def fetch(server: FakeImapServer, *uids: int, size: int = 5, limit: int = 1 << 30) -> dict[int, object]:
    """Fetch over one connection; bytes for a message, the outcome itself for anything else."""
    source = source_on(local_account(server.port, max_message_bytes=limit))
    try:
        source.examine(INBOX)
        found: dict[int, object] = {}
        for outcome in source.fetch([entry(uid, size) for uid in uids]):
            assert outcome.uid not in found
            found[outcome.uid] = octets_of(outcome) if isinstance(outcome, Fetched) else outcome
        return found
    finally:
        source.close()


def honest_bodies(asked: Asked) -> bytes:
    return b"".join(body(uid, b"m%d" % uid) for uid in uids_asked(asked)) + b"%T OK done\r\n"


def bodies_of(octets: dict[int, bytes]) -> object:
    def answer(asked: Asked) -> bytes:
        return b"".join(body(uid, octets[uid]) for uid in uids_asked(asked) if uid in octets) + b"%T OK done\r\n"

    return answer


def listing(*uids: int) -> bytes:
    return (
        b"".join(
            b'* %d FETCH (UID %d RFC822.SIZE 5 INTERNALDATE "01-Jan-2020 10:00:00 +0000" '
            b"FLAGS (\\Seen \\Recent $w))\r\n" % (number, uid)
            for number, uid in enumerate(uids, start=1)
        )
        + b"%T OK done\r\n"
    )


# --- mailboxes --------------------------------------------------------------------------------------------------------


def test_mailboxes_come_with_counters_from_one_reply_where_the_server_can(server: FakeImapServer) -> None:
    server.capabilities = b"IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE"
    server.on(
        b"LIST",
        b'* LIST (\\Sent) "/" "Out"\r\n* STATUS "Out" (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 5)\r\n'
        b'* LIST (\\Noselect) "/" "Folder"\r\n* LIST () "/" inbox\r\n'
        b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)\r\n%T OK done\r\n",
    )
    source = source_on(local_account(server.port))
    found = source.mailboxes()
    source.close()
    assert [(m.name, m.special_use, m.messages, m.uid_next, m.uid_validity) for m in found] == [
        (b"inbox", "\\Inbox", 1, 2, 7),
        (b"Out", "\\Sent", 3, 9, 5),
    ]
    assert server.said(b"STATUS") == []


def test_mailboxes_are_listed_plainly_when_the_server_refuses_what_it_offered(server: FakeImapServer) -> None:
    server.capabilities = b"IMAP4rev1 LIST-EXTENDED LIST-STATUS"
    server.on(rb'LIST "" "\*" RETURN', b"%T BAD what\r\n")
    server.on(b"STATUS", b"* STATUS INBOX (MESSAGES 4 UIDNEXT 8 UIDVALIDITY 6)\r\n%T OK done\r\n")
    source = source_on(local_account(server.port))
    assert [(m.name, m.messages) for m in source.mailboxes()] == [(b"INBOX", 4)]
    source.close()


def test_a_mailbox_whose_status_is_refused_is_listed_with_unknown_counters(server: FakeImapServer) -> None:
    server.on(b"STATUS", b"%T NO not this one\r\n")
    source = source_on(local_account(server.port))
    (found,) = source.mailboxes()
    source.close()
    assert (found.messages, found.uid_next, found.uid_validity) == (None, None, None)


def test_zero_counters_that_mean_nothing_are_unknown(server: FakeImapServer) -> None:
    server.on(b"STATUS", b"* STATUS INBOX (MESSAGES 0 UIDNEXT 0 UIDVALIDITY 0)\r\n%T OK done\r\n")
    source = source_on(local_account(server.port))
    (found,) = source.mailboxes()
    source.close()
    assert (found.messages, found.uid_next, found.uid_validity) == (0, None, None)


def test_one_malformed_list_line_never_hides_the_others(server: FakeImapServer) -> None:
    server.on(b"LIST", b'* LIST () "/" "a&b"\r\n* LIST () "/" "no end\r\n* LIST () "/" Caf\xc3\xa9\r\n%T OK done\r\n')
    source = source_on(local_account(server.port))
    names = [m.name for m in source.mailboxes()]
    assert b"a&b" in names
    assert b"Caf\xc3\xa9" in names
    assert len(names) == 3
    source.examine(next(m for m in source.mailboxes() if m.name == b"Caf\xc3\xa9"))
    source.close()
    assert server.said(b"EXAMINE") == [b"EXAMINE {5}\r\nCaf\xc3\xa9"]


def test_many_status_commands_are_sent_ahead(server: FakeImapServer) -> None:
    server.on(b"LIST", b"".join(b'* LIST () "/" "m%d"\r\n' % n for n in range(60)) + b"%T OK done\r\n")
    server.on(
        b"STATUS",
        lambda asked: b"* " + asked.line.replace(b"MESSAGES UIDNEXT UIDVALIDITY", b"MESSAGES 1") + b"\r\n%T OK\r\n",
    )
    source = source_on(local_account(server.port))
    assert [m.messages for m in source.mailboxes()] == [1] * 60
    source.close()


# --- opening ----------------------------------------------------------------------------------------------------------


def examined(server: FakeImapServer, answer: bytes) -> MailboxState:
    server.on(b"EXAMINE", answer)
    source = source_on(local_account(server.port))
    try:
        return source.examine(INBOX)
    finally:
        source.close()


def test_the_largest_of_several_exists_counts(server: FakeImapServer) -> None:
    state = examined(server, b"* 500 EXISTS\r\n* 1623 EXISTS\r\n* 1000 EXISTS\r\n%T OK done\r\n")
    assert state.messages == 1623


@pytest.mark.parametrize("line", [b"", b"* OK [UIDVALIDITY 0] none\r\n", b"* OK [UIDVALIDITY NIL] none\r\n"])
def test_a_missing_uidvalidity_is_zero_and_a_missing_uidnext_unknown(server: FakeImapServer, line: bytes) -> None:
    state = examined(server, b"* 1 EXISTS\r\n" + line + b"%T OK done\r\n")
    assert (state.uid_validity, state.uid_next) == (0, None)


def test_a_mailbox_that_is_not_opened_is_refused_alone(server: FakeImapServer) -> None:
    server.on(b"EXAMINE", b"%T NO [NONEXISTENT] gone\r\n", times=1)
    source = source_on(local_account(server.port))
    with pytest.raises(MailboxRefusedError):
        source.examine(INBOX)
    assert source.examine(INBOX).messages == 3
    source.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"%T NO [UNAVAILABLE] later\r\n",
        b"%T NO [INUSE] later\r\n",
        b"%T NO [LIMIT] later\r\n",
        b"%T BAD User is authenticated but not connected.\r\n",
        b"%T NO Server Unavailable. 15\r\n",
    ],
)
def test_a_refusal_that_may_pass_is_told_apart(server: FakeImapServer, answer: bytes) -> None:
    with pytest.raises(TransientRefusalError):
        examined(server, answer)


def test_only_commands_that_change_nothing_are_sent(server: FakeImapServer) -> None:
    server.capabilities = b"IMAP4rev1 ID"
    server.on(b"UID FETCH .*RFC822.SIZE", listing(1, 2, 3))
    server.on(rb"UID FETCH .*BODY\.PEEK", honest_bodies)
    source = source_on(local_account(server.port))
    source.mailboxes()
    source.examine(INBOX)
    for outcome in source.fetch(list(source.entries(Uid(1)))):
        octets_of(outcome)
    source.close()
    server.close()
    allowed = re.compile(
        rb'(CAPABILITY|LOGIN "|ID \(|LIST ""|STATUS "|EXAMINE "|UID FETCH [0-9:,*]+ \('
        rb"(UID RFC822\.SIZE INTERNALDATE FLAGS|UID BODY\.PEEK\[\])\)$|LOGOUT)"
    )
    assert [line for line in server.commands if not allowed.match(line)] == []
    assert server.said(b"ID ")


# --- listing ----------------------------------------------------------------------------------------------------------


def listed(server: FakeImapServer, first: int = 1, last: int | None = None) -> list[int]:
    source = source_on(local_account(server.port))
    try:
        source.examine(INBOX)
        return [found.uid for found in source.entries(Uid(first), None if last is None else Uid(last))]
    finally:
        source.close()


def test_entries_carry_size_date_as_sent_and_keywords_without_recent(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", listing(4))
    source = source_on(local_account(server.port))
    source.examine(INBOX)
    (found,) = source.entries(Uid(1))
    source.close()
    assert found.size == 5
    assert found.received_at == "01-Jan-2020 10:00:00 +0000"
    assert found.keywords == ("\\Seen", "$w")


def test_the_last_message_that_n_to_star_returns_is_left_out_when_it_is_older(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", listing(3))
    assert listed(server, first=4) == []


def test_entries_come_ascending_each_once_and_without_uid_zero(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", listing(3, 0, 1, 3, 2))
    assert listed(server) == [1, 2, 3]


def test_nothing_is_asked_of_an_empty_mailbox(server: FakeImapServer) -> None:
    server.exists = 0
    server.on(b"UID FETCH", b"%T BAD empty\r\n")
    assert listed(server) == []


def test_a_flag_update_amid_the_listing_takes_nothing_away(server: FakeImapServer) -> None:
    server.on(
        b"UID FETCH",
        b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Seen))\r\n"
        b"* 2 FETCH (UID 2 RFC822.SIZE 77)\r\n* 2 FETCH (UID 2 FLAGS ())\r\n* 3 FETCH (UID 3 FLAGS ())\r\n%T OK\r\n",
    )
    source = source_on(local_account(server.port))
    source.examine(INBOX)
    assert [(found.uid, found.size) for found in source.entries(Uid(1))] == [(2, 77), (3, 0)]
    source.close()


@pytest.mark.parametrize("date", ["00-Jan-0000 00:00:00 +0000", "30-Dec-1899 00:00:00 +9900", "99-Xyz-99999"])
def test_an_impossible_internaldate_is_kept_as_text(server: FakeImapServer, date: str) -> None:
    server.on(b"UID FETCH", b'* 1 FETCH (UID 1 INTERNALDATE "%b" RFC822.SIZE 1)\r\n%%T OK\r\n' % date.encode())
    source = source_on(local_account(server.port))
    source.examine(INBOX)
    (found,) = source.entries(Uid(1))
    source.close()
    assert found.received_at == date


def test_a_long_listing_is_asked_in_windows_and_open_at_the_end(server: FakeImapServer) -> None:
    uids = range(1, 12_001)
    server.exists = len(uids)

    def answer(asked: Asked) -> bytes:
        low, _, high = asked.line.split(b" ")[2].partition(b":")
        top = 12_000 if high == b"*" else int(high)
        return listing(*range(int(low), min(top, 12_000) + 1))

    server.on(b"UID FETCH", answer)
    assert listed(server) == list(uids)
    assert [line.split(b" ")[2] for line in server.said(b"UID FETCH")] == [b"1:5000", b"5001:10000", b"10001:*"]


def test_a_sparse_mailbox_with_a_huge_uidnext_is_listed_in_few_commands(server: FakeImapServer) -> None:
    server.on(b"EXAMINE", b"* 2 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 4294967295]\r\n%T OK done\r\n")

    def answer(asked: Asked) -> bytes:
        low, _, high = asked.line.split(b" ")[2].partition(b":")
        top = 1 << 32 if high == b"*" else int(high)
        return listing(*[uid for uid in (7, 4_000_000_000) if int(low) <= uid <= top])

    server.on(b"UID FETCH", answer)
    assert listed(server) == [7, 4_000_000_000]
    assert len(server.said(b"UID FETCH")) < 30


# --- octets -----------------------------------------------------------------------------------------------------------


def test_each_message_comes_back_under_its_own_uid(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", honest_bodies)
    assert fetch(server, 3, 1, 2) == {1: b"m1", 2: b"m2", 3: b"m3"}
    assert server.said(b"UID FETCH") == [b"UID FETCH 1:3 (UID BODY.PEEK[])"]


def test_replies_of_two_commands_may_be_mixed_and_answered_in_any_order(server: FakeImapServer) -> None:
    held: list[Asked] = []

    def answer(asked: Asked) -> bytes:
        held.append(asked)
        if len(held) == 1:
            return b""
        return (
            body(3, b"m3") + body(1, b"m1") + body(4, b"m4") + b"%T OK done\r\n"
            + body(2, b"m2") + held[0].tag + b" OK done\r\n"
        )  # fmt: skip

    server.on(b"UID FETCH", answer)
    # Sizes make two batches: 1 and 2, then 3 and 4.
    assert fetch(server, 1, 2, 3, 4, size=2 << 20) == {1: b"m1", 2: b"m2", 3: b"m3", 4: b"m4"}
    assert [asked.line for asked in held] == [
        b"UID FETCH 1:2 (UID BODY.PEEK[])",
        b"UID FETCH 3:4 (UID BODY.PEEK[])",
    ]


def test_a_reply_without_uid_is_never_taken_for_the_uid_that_equals_its_number(server: FakeImapServer) -> None:
    server.on(
        rb"UID FETCH 1:2 \(UID BODY",
        b"* 1 FETCH (BODY[] {5}\r\nwrong)\r\n* 2 FETCH (UID 2 BODY[] {2}\r\nm2)\r\n%T OK done\r\n",
    )
    server.on(b"UID FETCH 1 ", honest_bodies)
    server.on(rb"UID FETCH 1 \(UID FLAGS", b"* 1 FETCH (UID 1 FLAGS ())\r\n%T OK done\r\n")
    assert fetch(server, 1, 2) == {1: b"m1", 2: b"m2"}


def test_octets_of_other_messages_amid_the_replies_are_dropped(server: FakeImapServer) -> None:
    server.on(
        b"UID FETCH",
        body(9, b"unasked")
        + b"* 4 FETCH (FLAGS (\\Seen))\r\n* 5 EXPUNGE\r\n* 7 EXISTS\r\n"
        + body(1, b"m1")
        + b"%T OK\r\n",
    )
    assert fetch(server, 1) == {1: b"m1"}


def test_the_first_good_octets_of_a_uid_stay(server: FakeImapServer) -> None:
    server.on(
        b"UID FETCH",
        body(1, b"good") + body(1, b"other") + b"* 1 FETCH (UID 1 BODY[] NIL)\r\n%T OK\r\n",
    )
    assert fetch(server, 1) == {1: b"good"}


def test_nil_first_and_octets_later_gives_the_octets(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", b"* 1 FETCH (UID 1 BODY[] NIL)\r\n" + body(1, b"good") + b"%T OK\r\n")
    assert fetch(server, 1) == {1: b"good"}


def test_nil_instead_of_a_message_is_asked_again_and_then_unfetchable_never_an_empty_mail(
    server: FakeImapServer,
) -> None:
    server.on(b"UID FETCH", b"* 1 FETCH (UID 1 BODY[] NIL FLAGS ())\r\n%T OK\r\n")
    assert fetch(server, 1) == {1: Unfetchable(Uid(1), "the server gives NIL instead of the message")}
    assert len(server.said(rb"UID FETCH 1 \(UID BODY")) == 2


def test_an_empty_string_is_a_message_only_when_the_size_says_so(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", b'* 1 FETCH (UID 1 BODY[] "" FLAGS ())\r\n%T OK\r\n')
    assert fetch(server, 1, size=0) == {1: b""}
    assert isinstance(fetch(server, 1, size=400)[1], Unfetchable)


def test_a_wrong_size_in_the_listing_changes_no_octets(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", honest_bodies)
    assert fetch(server, 1, 2, size=400_000) == {1: b"m1", 2: b"m2"}
    assert fetch(server, 1, 2, size=0) == {1: b"m1", 2: b"m2"}


def test_a_message_left_out_under_ok_is_gone_only_when_a_second_question_says_so(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", b"%T OK done\r\n")
    server.on(b"UID FETCH 1:3 .*BODY", bodies_of({1: b"m1"}))  # type: ignore[arg-type]
    server.on(rb"UID FETCH 2:3 \(UID FLAGS", b"* 2 FETCH (UID 2 FLAGS ())\r\n%T OK done\r\n")
    server.on(b"UID FETCH 2 .*BODY", bodies_of({2: b"m2"}))  # type: ignore[arg-type]
    assert fetch(server, 1, 2, 3) == {1: b"m1", 2: b"m2", 3: Vanished(Uid(3))}


def test_a_refused_second_question_is_no_evidence_that_a_message_left(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", b"%T NO what\r\n")
    found = fetch(server, 1, 2)
    assert all(isinstance(outcome, Unfetchable) for outcome in found.values())
    assert set(found) == {1, 2}


def test_no_for_some_keeps_what_came_and_asks_for_the_rest(server: FakeImapServer) -> None:
    server.on(b"UID FETCH 1:3 .*BODY", body(1, b"m1") + b"%T NO Some of the requested messages no longer exist.\r\n")
    server.on(rb"UID FETCH 2:3 \(UID FLAGS", b"* 3 FETCH (UID 3 FLAGS ())\r\n%T OK done\r\n")
    server.on(b"UID FETCH 3 .*BODY", bodies_of({3: b"m3"}))  # type: ignore[arg-type]
    assert fetch(server, 1, 2, 3) == {1: b"m1", 2: Vanished(Uid(2)), 3: b"m3"}


@pytest.mark.parametrize("fold", [b" ", b"\r\n "])
def test_the_notice_that_exchange_sends_in_place_of_a_message_is_no_message(
    server: FakeImapServer, fold: bytes
) -> None:
    notice = (
        b"MIME-Version: 1.0\r\nFrom: Microsoft Exchange Server\r\n"
        b"Subject: Retrieval using the IMAP4 protocol failed for the following"
        + fold
        + b"message: 205\r\n\r\nSorry.\r\n"
    )
    server.on(b"UID FETCH", bodies_of({1: notice}))  # type: ignore[arg-type]
    assert isinstance(fetch(server, 1)[1], Unfetchable)


def test_a_reply_about_such_a_notice_is_a_message(server: FakeImapServer) -> None:
    reply = b"Subject: Re: Retrieval using the IMAP4 protocol failed for the following message: 205\r\n\r\nStrange.\r\n"
    server.on(b"UID FETCH", bodies_of({1: reply}))  # type: ignore[arg-type]
    assert fetch(server, 1) == {1: reply}


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (b"%T NO [OVERQUOTA] Account exceeded command or bandwidth limits\r\n", None),
        (b"%T NO [THROTTLED] slow down\r\n", None),
        (b"%T BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n", 92.415),
    ],
)
def test_throttling_is_told_with_the_time_that_the_server_asks_for(
    server: FakeImapServer, answer: bytes, wait: float | None
) -> None:
    server.on(b"UID FETCH", answer)
    with pytest.raises(ThrottledError) as caught:
        fetch(server, 1)
    assert caught.value.wait == wait


def test_after_an_ok_with_throttled_one_command_is_sent_at_a_time(server: FakeImapServer) -> None:
    asked_for: list[int] = []
    throttled = b"%T OK [THROTTLED] slow down\r\n"

    def answer(asked: Asked) -> bytes:
        # The second of two commands in flight waits in the socket while the first is answered; later ones must not.
        asked_for.append(server.waiting(asked.connection))
        return body(uids_asked(asked)[0], b"m") + throttled

    server.on(b"UID FETCH", answer)
    assert len(fetch(server, *range(1, 9), size=4 << 20)) == 8
    assert asked_for[2:] == [0] * 6


def test_what_came_before_a_cut_is_kept_and_the_message_in_transit_is_named(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", Cut(body(1, b"m1") + b"* 2 FETCH (UID 2 BODY[] {50}\r\nhalf"))
    source = source_on(local_account(server.port))
    source.examine(INBOX)
    fetching = source.fetch([entry(1), entry(2), entry(3)])
    assert octets_of(next(fetching)) == b"m1"
    with pytest.raises(ConnectionBrokenError) as caught:
        next(fetching)
    assert caught.value.in_transit == 2
    with pytest.raises(ServerUnreachableError):
        list(source.entries(Uid(1)))
    source.close()


def test_a_server_that_falls_silent_is_given_up_after_the_read_timeout(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", Silence(body(1, b"m1")))
    source = source_on(local_account(server.port, read_timeout=1.5))
    source.examine(INBOX)
    fetching = source.fetch([entry(1), entry(2)])
    assert octets_of(next(fetching)) == b"m1"
    with pytest.raises(ConnectionBrokenError, match="stopped answering"):
        next(fetching)
    source.close()


def test_a_message_beyond_the_limit_ends_the_connection_before_it_is_read(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n")
    with pytest.raises(ConnectionBrokenError, match="max_message_bytes"):
        fetch(server, 1, limit=1000)


# --- big messages -----------------------------------------------------------------------------------------------------


BIG = bytes(range(256)) * (4 * 4096) * 9 + b"tail"
"""A little over 36 MiB."""


def parts_of(octets: bytes, *, echo_length: bool = False, cap: int = CHUNK) -> object:
    def answer(asked: Asked) -> bytes:
        found = re.search(rb"<(\d+)\.(\d+)>", asked.line)
        assert found
        start, length = int(found.group(1)), min(cap, int(found.group(2)))
        piece = octets[start : start + length]
        origin = found.group(1) + (b"." + found.group(2) if echo_length else b"")
        return b"* 1 FETCH (UID 1 BODY[]<%b> {%d}\r\n%b)\r\n" % (origin, len(piece), piece) + b"%T OK done\r\n"

    return answer


@pytest.mark.parametrize("echo_length", [False, True])
@pytest.mark.parametrize("listed_size", [len(BIG), len(BIG) - 5_000_000, len(BIG) + 3 * CHUNK])
def test_a_big_message_is_fetched_in_parts_whatever_size_was_listed(
    server: FakeImapServer, listed_size: int, echo_length: bool
) -> None:
    server.on(b"UID FETCH", parts_of(BIG, echo_length=echo_length))  # type: ignore[arg-type]
    listed_size = max(listed_size, 33 << 20)
    # == on bytes this long would make a failure unreadable
    found = fetch(server, 1, size=listed_size)[1]
    assert isinstance(found, bytes)
    assert len(found) == len(BIG)
    assert found == BIG or pytest.fail("octets differ")


def test_a_server_that_caps_parts_below_what_was_asked_still_gives_everything(server: FakeImapServer) -> None:
    octets = BIG[: 34 << 20]
    server.on(b"UID FETCH", parts_of(octets, cap=700_000))  # type: ignore[arg-type]
    found = fetch(server, 1, size=len(octets))[1]
    assert found == octets or pytest.fail("octets differ")


def test_a_big_message_that_ends_on_a_part_boundary_is_complete(server: FakeImapServer) -> None:
    octets = BIG[: 33 << 20]
    server.on(b"UID FETCH", parts_of(octets))  # type: ignore[arg-type]
    found = fetch(server, 1, size=len(octets))[1]
    assert found == octets or pytest.fail("octets differ")


def test_a_server_that_ignores_parts_and_sends_all_is_taken_at_its_word(server: FakeImapServer) -> None:
    server.on(b"UID FETCH", body(1, BIG) + b"%T OK done\r\n")
    before = MemorySpool.open_now
    found = fetch(server, 1, size=len(BIG))[1]
    assert found == BIG or pytest.fail("octets differ")
    assert MemorySpool.open_now == before


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"%T BAD what\r\n", id="refused"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0> NIL)\r\n%T OK done\r\n", id="nil"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n%T OK done\r\n", id="no origin"),
        pytest.param(b"%T OK done\r\n", id="no part"),
    ],
)
def test_a_server_that_cannot_do_parts_is_asked_for_the_whole(server: FakeImapServer, answer: bytes) -> None:
    server.on(b"UID FETCH", body(1, BIG) + b"%T OK done\r\n")
    server.on(rb"UID FETCH 1 \(UID FLAGS", b"* 1 FETCH (UID 1 FLAGS ())\r\n%T OK done\r\n")
    server.on(rb"UID FETCH 1 \(UID BODY\.PEEK\[\]<", answer)
    found = fetch(server, 1, size=len(BIG))[1]
    assert found == BIG or pytest.fail("octets differ")


def test_a_big_message_goes_on_behind_the_last_part_after_each_break(server: FakeImapServer) -> None:
    whole = parts_of(BIG)
    served = 0

    def answer(asked: Asked) -> bytes:
        nonlocal served
        served += 1
        text: bytes = whole(asked)  # type: ignore[operator]
        return Cut(text[: len(text) // 2]) if served % 7 == 0 else text

    server.on(b"UID FETCH", answer)
    source = retrying_on(local_account(server.port))
    source.examine(INBOX)
    (outcome,) = source.fetch([entry(1, len(BIG))])
    assert octets_of(outcome) == BIG or pytest.fail("octets differ")
    source.close()
    assert server.connections > 4
    assert served < 37 + 4 * server.connections
