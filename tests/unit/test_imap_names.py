"""Mailbox names: what people read, which role they have, which are chosen."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.imap.names import choose, decode, matches, with_special_use
from archiver.model.mailbox import RemoteMailbox


def encode(text: str) -> bytes:
    """Modified UTF-7, written the slow and obvious way."""
    out, run = bytearray(), ""
    for character in text + "\0":
        if character != "\0" and not " " <= character <= "~":
            run += character
            continue
        if run:
            encoded = base64.b64encode(run.encode("utf-16-be", "surrogatepass")).rstrip(b"=").replace(b"/", b",")
            out += b"&" + encoded + b"-"
            run = ""
        if character != "\0":
            out += b"&-" if character == "&" else character.encode()
    return bytes(out)


def box(name: str | bytes, *attributes: str, delimiter: str | None = "/") -> RemoteMailbox:
    raw = name if isinstance(name, bytes) else encode(name)
    return RemoteMailbox(name=raw, display=decode(raw), delimiter=delimiter, attributes=frozenset(attributes))


def role(*mailboxes: RemoteMailbox) -> str | None:
    return with_special_use(mailboxes)[0].special_use


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_modified_utf7_reads_back_as_what_was_written(text: str) -> None:
    assert decode(encode(text)) == text


@pytest.mark.parametrize(
    ("raw", "display"),
    [
        (b"Verstuurd &AOk-", "Verstuurd é"),
        (b"R&-D", "R&D"),
        (b"&ZeVnLIqe-", "日本語"),
        (b"&2D3eAA-", "😀"),
        (b"a&b", "a&b"),
        (b"a&!!!-b", "a&!!!-b"),
        (b"a&A-b", "a&A-b"),
        ("Café".encode(), "Café"),
        (b"caf\xe9", "caf\ufffd"),
        (b"&2D0-", "\ufffd"),
        (b"", ""),
    ],
)
def test_names_are_shown_as_well_as_they_can_be(raw: bytes, display: str) -> None:
    assert decode(raw) == display


@given(st.binary(max_size=60))
def test_no_name_fails_and_none_gives_lone_surrogates(raw: bytes) -> None:
    decode(raw).encode("utf-8")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Sent", "\\Sent"),
        ("Sent Items", "\\Sent"),
        ("sent messages", "\\Sent"),
        ("Verzonden items", "\\Sent"),
        ("Verzonden berichten", "\\Sent"),
        ("Éléments envoyés", "\\Sent"),
        ("E\u0301le\u0301ments envoye\u0301s", "\\Sent"),
        ("Gesendete Objekte", "\\Sent"),
        ("Concepten", "\\Drafts"),
        ("Brouillons", "\\Drafts"),
        ("Entwürfe", "\\Drafts"),
        ("Prullenbak", "\\Trash"),
        ("Corbeille", "\\Trash"),
        ("Gelöschte Elemente", "\\Trash"),
        ("Ongewenste e-mail", "\\Junk"),
        ("Courrier indésirable", "\\Junk"),
        ("Spam", "\\Junk"),
        ("INBOX/Sent", "\\Sent"),
        ("INBOX/Projects/Sent", None),
        ("Customers/Sent", None),
        ("Sentinel", None),
        ("inbox", "\\Inbox"),
    ],
)
def test_usual_names_in_four_languages_give_a_role(name: str, expected: str | None) -> None:
    assert role(box(name)) == expected


def test_a_role_by_attribute_goes_before_a_name() -> None:
    both = with_special_use([box("Sent"), box("Uitgaand", "\\HasNoChildren", "\\Sent")])
    assert [mailbox.special_use for mailbox in both] == [None, "\\Sent"]


def test_attributes_are_read_in_any_case_and_in_gmails_older_words() -> None:
    assert role(box("x", "\\SENT")) == "\\Sent"
    assert role(box("x", "\\Spam")) == "\\Junk"
    assert role(box("x", "\\AllMail")) == "\\All"


def chosen(include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
    mailboxes = with_special_use(
        [
            box("INBOX"),
            box("INBOX/Klanten"),
            box("INBOX/Klanten/Café"),
            box("Verzonden items"),
            box("Concepten"),
            box("Prullenbak"),
            box("Spam"),
            box("Archief.2020", delimiter=None),
        ]
    )
    return [mailbox.display for mailbox in choose(mailboxes, include, exclude)]


def test_by_default_all_but_junk_trash_and_drafts() -> None:
    assert chosen() == ["INBOX", "INBOX/Klanten", "INBOX/Klanten/Café", "Verzonden items", "Archief.2020"]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (
            ("*",),
            ("\\Drafts", "\\Trash", "\\Junk", "A*"),
            ["INBOX", "INBOX/Klanten", "INBOX/Klanten/Café", "Verzonden items"],
        ),
        (("%",), (), ["INBOX", "Verzonden items", "Concepten", "Prullenbak", "Spam", "Archief.2020"]),
        (("INBOX/%",), (), ["INBOX/Klanten"]),
        (("INBOX/*",), (), ["INBOX/Klanten", "INBOX/Klanten/Café"]),
        (("inbox",), (), ["INBOX"]),
        (("\\Sent", "\\trash"), (), ["Verzonden items", "Prullenbak"]),
        (("INBOX/Klanten/Cafe\u0301",), (), ["INBOX/Klanten/Café"]),
        (("klanten",), (), []),
        (("Archief.2020", "Archief?2020"), (), ["Archief.2020"]),
        (("*",), ("*",), []),
    ],
)
def test_names_patterns_and_roles_choose(
    include: tuple[str, ...], exclude: tuple[str, ...], expected: list[str]
) -> None:
    assert chosen(include, exclude) == expected


def test_a_pattern_is_no_regular_expression() -> None:
    assert not matches(box("aXb"), "a.b")
    assert matches(box("a(b"), "a(b")
