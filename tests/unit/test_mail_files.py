"""mbox, Maildir, .eml files and folders of them, as `archiver import` reads them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from archiver.errors import FormatError, UsageError
from archiver.mail.files import import_items
from archiver.mail.mbox import read_mbox

SEPARATOR = b"From jan@x.example Tue Mar  3 10:15:00 2026"


def mbox(*messages: bytes, ends: bytes = b"\n") -> bytes:
    return b"".join(SEPARATOR + ends + one + ends for one in messages)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_messages_of_an_mbox_come_out_octet_for_octet(ends: bytes) -> None:
    first = ends.join([b"Subject: a", b"", b"text \xff\x00", b"", b"", b"end", b""])
    second = ends.join([b"Subject: b", b"", b""])
    found = list(read_mbox(io.BytesIO(mbox(first, second, ends=ends))))
    assert [octets for _, octets in found] == [first, second]
    assert found[0][0] is not None
    assert found[0][0].isoformat() == "2026-03-03T10:15:00+00:00"


def test_one_level_of_quoting_is_undone() -> None:
    kept = b"Subject: a\n\n>From here\n>>From there\n> From neither\n"
    ((_, octets),) = read_mbox(io.BytesIO(mbox(kept)))
    assert octets == b"Subject: a\n\nFrom here\n>From there\n> From neither\n"


def test_a_writer_that_does_not_quote_is_left_alone() -> None:
    kept = b"Subject: a\n\nFrom the beginning\n>From here\n"
    ((_, octets),) = read_mbox(io.BytesIO(mbox(kept)))
    assert octets == kept


def test_a_line_of_text_that_begins_with_from_separates_nothing() -> None:
    kept = b"Subject: a\n\ntext\n\nFrom 9 to 5 we work\nevery day\n\nFrom me\n"
    assert [octets for _, octets in read_mbox(io.BytesIO(mbox(kept)))] == [kept]


def test_a_message_without_an_empty_line_at_its_end_is_still_divided() -> None:
    octets = SEPARATOR + b"\nSubject: a\n\nno end\n" + SEPARATOR + b"\nSubject: b\n\n"
    assert [one for _, one in read_mbox(io.BytesIO(octets))] == [b"Subject: a\n\nno end\n", b"Subject: b\n"]


def test_an_mbox_is_read_message_by_message() -> None:
    class Endless(io.RawIOBase):
        sent = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            self.sent += 1
            assert self.sent < 100, "everything was read before the first message was given out"
            piece = mbox(b"Subject: a\n\n" + b"x" * 500 + b"\n")[: memoryview(buffer).nbytes]  # type: ignore[arg-type]
            memoryview(buffer)[: len(piece)] = piece  # type: ignore[arg-type]
            return len(piece)

    stream = io.BufferedReader(Endless(), 1024)
    messages = read_mbox(stream)
    assert next(messages)[1].startswith(b"Subject: a")


def test_a_maildir_gives_flags_folders_and_time(tmp_path: Path) -> None:
    for folder in ("box", "box/.Sent"):
        for part in ("cur", "new", "tmp"):
            (tmp_path / folder / part).mkdir(parents=True)
    seen = tmp_path / "box/cur/1.a.host:2,RSx"
    seen.write_bytes(b"Subject: a\r\n\r\n")
    os.utime(seen, (1772532900, 1772532900))
    (tmp_path / "box/new/2.a.host").write_bytes(b"Subject: b\n\n")
    (tmp_path / "box/tmp/3.a.host").write_bytes(b"half")
    (tmp_path / "box/.Sent/cur/4.a.host!2,F").write_bytes(b"Subject: c\n\n")
    items = list(import_items([tmp_path / "box"]))
    assert [(item.display, item.keywords, item.octets) for item in items] == [
        ("box", (), b"Subject: b\n\n"),
        ("box", ("\\Answered", "\\Seen"), b"Subject: a\r\n\r\n"),
        ("box/.Sent", ("\\Flagged",), b"Subject: c\n\n"),
    ]
    assert items[1].received_at == "03-Mar-2026 10:15:00 +0000"


def test_a_folder_is_searched_through_and_circles_end(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/loop").symlink_to(tmp_path / "a")
    (tmp_path / "a/one.eml").write_bytes(b"Subject: one\n\n")
    (tmp_path / "a/b/two.EML").write_bytes(b"\xef\xbb\xbfSubject: two\n\n")
    (tmp_path / "a/b/archive").write_bytes(mbox(b"Subject: three\n\n"))
    (tmp_path / "a/photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "a/notes").write_bytes(b"not mail")
    items = list(import_items([tmp_path / "a"]))
    assert [(item.mailbox, item.display) for item in items] == [
        (b"a/b/archive",) * 1 + ("a/b/archive",),
        (b"a/b", "a/b"),
        (b"a", "a"),
    ]
    assert [item.received_at for item in items] == ["03-Mar-2026 10:15:00 +0000", None, None]


def test_names_that_are_no_text_are_kept_as_octets(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.eml")
    path.write_bytes(b"Subject: a\n\n")
    (item,) = import_items([path])
    assert item.mailbox == b"caf\xe9.eml"
    assert item.display == "caf\ufffd.eml"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xd0\xcf\x11\xe0rest", "Outlook"),
        (b"!BDNrest", "pst"),
        (b"\x1f\x8brest", "gzip"),
        (b"\x00\x01rest", "neither"),
        (b"plain words only\n", "neither"),
    ],
)
def test_a_file_in_another_format_is_refused_by_name(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=word) as caught:
        list(import_items([path]))
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_path_that_is_not_there_and_a_folder_without_mail_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        list(import_items([tmp_path / "missing"]))
    with pytest.raises(UsageError, match="no mail"):
        list(import_items([tmp_path]))


def test_an_empty_mbox_holds_no_message(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert list(import_items([tmp_path / "empty"])) == []


@pytest.mark.parametrize(
    "octets",
    [
        b"          \r\n   Subject: indented\r\n\r\nbody\r\n",
        b"To unsubscribe from this list send a mail\n\nno header at all\n",
        b"From nobody at a date that is none\n>strange: it is\n\nbody\n",
    ],
)
def test_a_file_called_eml_is_mail_however_it_begins(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "one.eml").write_bytes(octets)
    assert [item.octets for item in import_items([tmp_path])] == [octets]
    if not octets.startswith(b"From "):  # named by itself, it may be an mbox under another name
        assert [item.octets for item in import_items([tmp_path / "one.eml"])] == [octets]
