"""The reader against bytes: what servers send, and what of it is believed.."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.imap.faults import ConnectionBrokenError
from archiver.imap.lexer import Cursor, LineError
from archiver.imap.reader import Everything, Reader
from archiver.imap.responses import Condition, Continue, Counted, Exists, FetchItems, Listed, Other, Response
from tests.fakes.imap_account import MemorySpool


class CannedWire:
    """The wire's twin: bytes to read, bytes that were sent."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sent = b""
        self.granted: list[float] = []

    def readline(self) -> bytes:
        end = self.data.find(b"\n")
        if end < 0:
            raise ConnectionBrokenError("the server closed the connection")
        line, self.data = self.data[: end + 1], self.data[end + 1 :]
        return line

    def read(self, size: int) -> bytes:
        if size > len(self.data):
            raise ConnectionBrokenError("the server closed the connection")
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    def send(self, data: bytes) -> None:
        self.sent += data

    def grant(self, seconds: float) -> None:
        self.granted.append(seconds)


def reader(data: bytes, *, limit: int = 1 << 30) -> Reader:
    return Reader(CannedWire(data), new_spool=MemorySpool, literal_limit=limit)  # type: ignore[arg-type]


def one(data: bytes) -> Response:
    return reader(data).receive(Everything())


def fetched(data: bytes) -> FetchItems:
    response = one(data)
    assert isinstance(response, FetchItems)
    return response


def body_of(response: FetchItems) -> bytes:
    assert response.body is not None
    assert response.body.octets is not None
    return b"".join(response.body.octets)


def test_a_body_is_read_with_its_uid() -> None:
    response = fetched(b"* 3 FETCH (UID 7 BODY[] {5}\r\nhello)\r\n")
    assert (response.uid, body_of(response)) == (7, b"hello")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"* 3 FETCH (BODY[] {5}\r\nhello UID 7)\r\n", id="uid after the literal"),
        pytest.param(b"* 3 FETCH (FLAGS (\\Seen) BODY[] {5}\r\nhello RFC822.SIZE 5 UID 7)\r\n", id="flags before"),
        pytest.param(b"* 3 fetch (uid 7 body[] {5}\r\nhello)\r\n", id="lower case"),
        pytest.param(b"\r\n* 3 FETCH (UID 7 BODY[] {5}\r\nhello)\r\n", id="blank line before"),
        pytest.param(b"* 3 FETCH (UID 7 BODY[] {5}\nhello)\n", id="bare LF"),
        pytest.param(b"* 3 FETCH (UID 7 BODY[] {5+}\r\nhello)\r\n", id="non-synchronising literal"),
        pytest.param(b"* 3 FETCH (UID 7 BODY[] ~{5}\r\nhello)\r\n", id="literal8"),
        pytest.param(b'* 3 FETCH (UID 7 BODY[] "hello")\r\n', id="quoted"),
        pytest.param(b"* 3 FETCH (UID 7 RFC822 {5}\r\nhello)\r\n", id="named RFC822"),
        pytest.param(b"* 3 FETCH (UID 7 BODY[] {5}\r\nhello FLAGS ())\r\n", id="flags after"),
        pytest.param(b"* 3 FETCH ( UID 7  BODY[] {5}\r\nhello ) \r\n", id="blanks everywhere"),
        pytest.param(
            b'* 3 FETCH (UID 7 ENVELOPE ("a {3}" NIL ((NIL NIL "b" "c"))) BODY[] {5}\r\nhello)\r\n', id="nested lists"
        ),
        pytest.param(b"* 3 FETCH (X-GM-LABELS ({3}\r\na)b) UID 7 BODY[] {5}\r\nhello)\r\n", id="literal in a list"),
    ],
)
def test_items_are_read_in_whatever_order_and_form_they_come(data: bytes) -> None:
    response = fetched(data)
    assert (response.uid, body_of(response)) == (7, b"hello")


def test_a_reply_without_uid_is_told_apart_from_the_uid_that_equals_its_sequence_number() -> None:
    response = fetched(b"* 7 FETCH (BODY[] {5}\r\nhello)\r\n")
    assert response.uid is None


def test_nul_bytes_and_bare_line_ends_are_kept_exactly() -> None:
    octets = b"a\0b\rc\nd\r\n\0)\r\nA1 OK done\r\n"
    assert body_of(fetched(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%b)\r\n" % (len(octets), octets))) == octets


def test_nil_is_no_body_and_an_empty_string_is_an_empty_one() -> None:
    nil = fetched(b"* 1 FETCH (UID 1 BODY[] NIL)\r\n")
    assert nil.body is not None
    assert nil.body.octets is None
    assert body_of(fetched(b'* 1 FETCH (UID 1 BODY[] "")\r\n')) == b""
    assert body_of(fetched(b"* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n")) == b""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"* 1 FETCH (UID 9 BODY[] {3}\r\nhello)\r\n", id="longer than announced"),
        pytest.param(b"* 1 FETCH (UID 9 BODY[] {9}\r\nhello)\r\nA1 OK done\r\n", id="shorter than announced"),
        pytest.param(b"* 1 FETCH (UID 9 BODY[] {5}\r\nhello* 2 FETCH (UID 3)\r\n", id="no closing parenthesis"),
        pytest.param(b"* 1 FETCH (UID 9 BODY[] {5}\r\nhello) trailing\r\n", id="more behind the parenthesis"),
    ],
)
def test_a_message_of_another_size_than_announced_ends_the_connection_and_names_its_uid(data: bytes) -> None:
    with pytest.raises(ConnectionBrokenError) as caught:
        one(data)
    assert caught.value.in_transit == 9


def test_a_literal_beyond_the_limit_is_not_read() -> None:
    with pytest.raises(ConnectionBrokenError, match="more than max_message_bytes") as caught:
        reader(b"* 1 FETCH (UID 9 BODY[] {99999999999}\r\n", limit=1000).receive(Everything())
    assert caught.value.in_transit == 9


@pytest.mark.parametrize(
    "data",
    [
        b'* LIST () "/" {99999999999}\r\n',
        b"* 1 FETCH (FLAGS ({99999999999}\r\n",
        b"* XDATA {99999999999}\r\n",
    ],
)
def test_a_huge_literal_where_no_message_is_expected_ends_the_connection(data: bytes) -> None:
    with pytest.raises(ConnectionBrokenError):
        one(data)


def test_a_status_text_that_ends_like_a_literal_is_a_text() -> None:
    conversation = reader(b"* OK still here {12}\r\n* NO watch out {3}\r\n* 4 EXISTS\r\n")
    assert isinstance(conversation.receive(()), Condition)
    assert isinstance(conversation.receive(()), Condition)
    assert conversation.receive(()) == Exists(4)


def test_a_literal_in_a_response_that_means_nothing_to_us_is_read_past() -> None:
    conversation = reader(b"* XNEWS {4}\r\na)\r\n and {2}\r\nhi end\r\n* 4 EXISTS\r\n")
    assert conversation.receive(()) == Other()
    assert conversation.receive(()) == Exists(4)


def test_the_body_of_an_unwanted_uid_is_read_and_dropped() -> None:
    conversation = reader(b"* 1 FETCH (UID 9 BODY[] {5}\r\nhello)\r\n* 4 EXISTS\r\n")
    response = conversation.receive({7})
    assert isinstance(response, FetchItems)
    assert response.body is not None
    assert response.body.octets is None
    assert conversation.receive(()) == Exists(4)


def test_big_bodies_are_spooled_and_spools_of_broken_ones_are_closed() -> None:
    octets = b"x" * (5 << 20)
    before = MemorySpool.open_now
    response = fetched(b"* 1 FETCH (UID 9 BODY[] {%d}\r\n%b)\r\n" % (len(octets), octets))
    assert response.body is not None
    assert isinstance(response.body.octets, MemorySpool)
    assert body_of(response) == octets
    response.body.octets.close()
    for broken in (octets[:-1], octets + b"y)\r\n", octets):
        with pytest.raises(ConnectionBrokenError):
            one(b"* 1 FETCH (UID 9 BODY[] {%d}\r\n%b" % (len(octets), broken))
    assert MemorySpool.open_now == before


def test_a_partial_body_tells_its_origin_also_when_the_length_is_echoed() -> None:
    for name in (b"BODY[]<1048576>", b"BODY[]<1048576.20>"):
        response = fetched(b"* 1 FETCH (UID 9 %b {2}\r\nab)\r\n" % name)
        assert response.body is not None
        assert response.body.origin == 1048576


def test_a_listing_line_gives_size_date_and_flags() -> None:
    response = fetched(
        b'* 1 FETCH (UID 9 RFC822.SIZE 120 FLAGS (\\Seen $Work) INTERNALDATE "01-Jan-2020 10:00:00 +0000")\r\n'
    )
    assert response.uid == 9
    assert response.items == {
        b"RFC822.SIZE": b"120",
        b"FLAGS": [b"\\Seen", b"$Work"],
        b"INTERNALDATE": b"01-Jan-2020 10:00:00 +0000",
    }


@given(
    st.permutations(
        [b"UID 9", b"RFC822.SIZE 120", b"FLAGS (\\Seen a)", b'INTERNALDATE "00-Jan-0000 00:00:00 +9900"', b"MODSEQ (7)"]
    )
)
def test_the_fast_way_and_the_thorough_way_read_a_listing_line_alike(items: list[bytes]) -> None:
    fast = fetched(b"* 1 FETCH (" + b" ".join(items) + b")\r\n")
    thorough = fetched(b"* 1 FETCH ( " + b" ".join(items) + b" )\r\n")
    assert fast.uid == thorough.uid == 9
    for name in (b"RFC822.SIZE", b"FLAGS", b"INTERNALDATE"):
        assert fast.items[name] == thorough.items[name]


def test_one_malformed_line_is_left_out_and_the_next_is_read() -> None:
    conversation = reader(b'* 1 FETCH (UID 9 FLAGS ("\r\n* 2 FETCH (UID 10)\r\n')
    assert conversation.receive(()) == Other(malformed=True)
    response = conversation.receive(())
    assert isinstance(response, FetchItems)
    assert response.uid == 10
    assert conversation.malformed == 1


def test_an_untagged_bye_ends_the_connection() -> None:
    with pytest.raises(ConnectionBrokenError, match="ended the connection"):
        one(b"* BYE Session expired\r\n")


@pytest.mark.parametrize("data", [b"garbage\r\n", b"A9 OK not mine\r\n", b"From: somebody\r\n", b"A1 FINE\r\n"])
def test_a_line_that_is_no_response_ends_the_connection(data: bytes) -> None:
    conversation = reader(data)
    conversation.send(b"NOOP")
    with pytest.raises(ConnectionBrokenError, match="framing"):
        conversation.receive(())


def test_tagged_answers_carry_code_argument_and_backoff() -> None:
    conversation = reader(
        b"A1 OK [UIDVALIDITY 77] fine\r\nA2 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n"
    )
    conversation.send(b"X")
    conversation.send(b"Y")
    first = conversation.receive(())
    assert isinstance(first, Condition)
    assert (first.tag, first.code, first.number) == (b"A1", b"UIDVALIDITY", 77)
    second = conversation.receive(())
    assert isinstance(second, Condition)
    assert second.wait == pytest.approx(92.415)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'* LIST () "/" "a b"', b"a b"),
        (b'* LIST () "/" "a\\"b\\\\c"', b'a"b\\c'),
        (b'* LIST () "/" INBOX', b"INBOX"),
        (b'* list () "/" inbox', b"inbox"),
        (b'* LIST () "/" [Gmail]/All', b"[Gmail]/All"),
        (b'* LIST () "/" odd[name', b"odd[name"),
        (b'* LIST () "/" two words', b"two words"),
        (b'* LIST () "/" "tab\there"', b"tab\there"),
        (b'* LIST () "/" "trailing "', b"trailing "),
        (b'* LIST () "/" 2024', b"2024"),
        (b'* LIST () NIL "flat"', b"flat"),
        (b'* LIST () "/" "{5}"', b"{5}"),
        (b'* LIST () "/" "a&b"', b"a&b"),
        ('* LIST () "/" "Café"'.encode(), "Café".encode()),
        (b'* LIST () "/" "Foo" ("CHILDINFO" ("SUBSCRIBED"))', b"Foo"),
        (b'* LIST () "/" {7}\r\nli"te\\r', b'li"te\\r'),
        (b"* LIST (\\HasNoChildren)", b"(\\HasNoChildren)"),
        (b'* LIST () "/" "no end', b'() "/" "no end'),
    ],
)
def test_mailbox_names_are_the_bytes_that_the_server_sent(line: bytes, name: bytes) -> None:
    response = one(line + b"\r\n")
    assert isinstance(response, Listed)
    assert response.name == name


def test_status_counts_are_numbers_and_anything_else_is_left_out() -> None:
    response = one(b'* STATUS "a b" (MESSAGES 3 UIDNEXT NIL UIDVALIDITY 9)\r\n')
    assert response == Counted(b"a b", {b"MESSAGES": 3, b"UIDVALIDITY": 9})
    response = one(b"* STATUS plain (MESSAGES 3)\r\n")
    assert response == Counted(b"plain", {b"MESSAGES": 3})


def test_a_name_that_cannot_stand_in_quotes_is_sent_as_a_literal() -> None:
    wire = CannedWire(b"* 3 EXISTS\r\n+ go on\r\n")
    conversation = Reader(wire, new_spool=MemorySpool, literal_limit=1)  # type: ignore[arg-type]
    conversation.send_naming(b"EXAMINE", "Café".encode())
    assert wire.sent == b"A1 EXAMINE {5}\r\nCaf\xc3\xa9\r\n"


def test_a_name_with_quotes_goes_back_as_it_came() -> None:
    wire = CannedWire(b"")
    conversation = Reader(wire, new_spool=MemorySpool, literal_limit=1)  # type: ignore[arg-type]
    conversation.send_naming(b"STATUS", b'a"b\\c', b" (MESSAGES)")
    assert wire.sent == b'A1 STATUS "a\\"b\\\\c" (MESSAGES)\r\n'


def test_patience_grows_with_what_is_expected_and_with_nothing_else() -> None:
    wire = CannedWire(b"A1 OK done\r\n")
    conversation = Reader(wire, new_spool=MemorySpool, literal_limit=1)  # type: ignore[arg-type]
    conversation.send(b"X", expect=40_000)
    conversation.send(b"Y", expect=20_000)
    conversation.receive(())
    assert wire.granted == [62.0, 63.0, 61.0]


def test_a_continuation_is_told() -> None:
    assert one(b"+ idling\r\n") == Continue()


@given(st.binary(max_size=200))
def test_whatever_bytes_arrive_the_reader_answers_or_gives_the_connection_up(data: bytes) -> None:
    conversation = reader(data + b"\r\n", limit=1000)
    try:
        for _ in range(50):
            conversation.receive(Everything())
    except ConnectionBrokenError:
        return
    raise AssertionError("bytes without end")


@given(st.text(alphabet=' ()"{}[]<>\\%*abUIDFLAGS0123456789', max_size=80))
def test_whatever_stands_in_a_fetch_response_is_read_left_out_or_ends_the_connection(text: str) -> None:
    conversation = reader(b"* 1 FETCH (" + text.encode() + b")\r\n* 4 EXISTS\r\n", limit=10)
    try:
        conversation.receive(Everything())
        assert conversation.receive(()) == Exists(4)
    except ConnectionBrokenError:
        return


def test_lists_nested_beyond_reason_are_refused() -> None:
    def no_literal(size: int) -> tuple[bytes, bytes]:
        raise AssertionError(size)

    with pytest.raises(LineError):
        Cursor(b"(" * 5000, no_literal).value()
