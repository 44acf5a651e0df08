"""What IMAP servers do wrong, sixty-two ways of it, by number; each is a test named `test_row_NN_…`, or several.

`instead` says for a row that does not concern the archiver why not, and what its test holds in its place.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One way to misbehave."""

    number: int
    title: str
    instead: str | None = None


ROWS = (
    Row(1, "UIDVALIDITY changes: mailbox made anew, or moved to another server"),
    Row(2, "UIDVALIDITY missing, 0 or NIL"),
    Row(3, "UIDVALIDITY changes in mid-run, between two connections"),
    Row(4, "bodies arrive out of order and the run ends: a highest UID would skip the rest"),
    Row(5, "sequence numbers shift while paging"),
    Row(6, "UIDNEXT far above the highest UID"),
    Row(7, "UIDNEXT missing; mail arrives between STATUS and the listing"),
    Row(8, "`n:*` gives the last message although its UID is below n"),
    Row(9, "listings cut short"),
    Row(10, "old mail moved in later, which no date finds"),
    Row(11, "UIDs listed in any order; descending sets refused"),
    Row(12, "`1:*` on an empty mailbox is BAD"),
    Row(13, "UID 0"),
    Row(14, "several EXISTS while a mailbox is opened"),
    Row(15, "modification sequences that lie", "CONDSTORE and QRESYNC are neither asked for nor believed"),
    Row(16, "an OK answer that leaves messages out"),
    Row(17, "messages expunged while they are fetched"),
    Row(18, "FETCH answers without UID"),
    Row(19, "news of other messages amid the answers"),
    Row(20, "UID and size behind the octets"),
    Row(21, "answers of two commands mixed"),
    Row(22, "one UID twice, NIL or other octets the second time"),
    Row(23, "NIL or nothing in place of a message"),
    Row(24, "the RFC822 item answered with nothing", "only BODY.PEEK[] is ever asked for"),
    Row(25, "OK without octets, or a notice in place of a message"),
    Row(26, "a message at which the server always fails"),
    Row(27, "connection cut within a literal, by FIN and RST"),
    Row(28, "BYE in mid-run"),
    Row(29, "access token expires in mid-run", "no OAuth2 yet; the password is fetched anew for each connection"),
    Row(30, "peer gone without a word"),
    Row(31, "octets that drip and never trip a read timeout"),
    Row(32, "huge literal announced"),
    Row(33, "literal longer or shorter than announced"),
    Row(34, "NUL and bare CR or LF in messages"),
    Row(35, "RFC822.SIZE wrong"),
    Row(36, "RFC822.SIZE slow", "sizes are asked for new messages only; leaving them out altogether is no option"),
    Row(37, "partial fetch ignored, capped, echoed, of another origin"),
    Row(38, "messages of 50 MB and more"),
    Row(39, "throttling by rate or volume"),
    Row(40, "throttling with a suggested time"),
    Row(41, "UNAVAILABLE, INUSE, LIMIT and their wordings"),
    Row(42, "limits on connections"),
    Row(43, "NO on EXAMINE of one mailbox; mailboxes that cannot be selected"),
    Row(44, "authenticated but not connected"),
    Row(45, "hostile mailbox names, garbage in LIST"),
    Row(46, "mailbox renamed, deleted, made again; INBOX in another case"),
    Row(47, "special uses missing, wrong, twice, in other languages"),
    Row(48, "labels that are mailboxes", "Gmail's extension is not used: each place is read, octets are kept once"),
    Row(49, "one Message-ID, other octets"),
    Row(50, "the same octets twice in a mailbox"),
    Row(51, "certificates that do not verify, old TLS"),
    Row(52, "STARTTLS stripped, refused, injected into; PREAUTH"),
    Row(53, "LOGINDISABLED; a wrong password sent until the account is locked"),
    Row(54, "error challenges of OAuth2 mechanisms", "no other mechanism than PLAIN is ever tried"),
    Row(55, "mailboxes refused to those who do not say who they are"),
    Row(56, "impossible INTERNALDATE"),
    Row(57, "clocks that jump"),
    Row(58, "flags changed by reading"),
    Row(59, "IDLE that ends unnoticed", "a scheduled sync needs no IDLE, and sends none"),
    Row(60, "odd lines: texts like literals, lower case, blank lines, bare LF"),
    Row(61, "200,000 messages in a mailbox"),
    Row(62, "our own disk full, or the process killed, at any step"),
)
