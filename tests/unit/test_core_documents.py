"""What the index keeps of a message, where it is said in two fields."""

from __future__ import annotations

from archiver.core.documents import document, octets_held
from archiver.model.files import FileType
from archiver.model.message import AttachedText, Direction, Message, Part, PartKind


def test_what_is_forwarded_is_indexed_once_wherever_it_stands() -> None:
    forwarded = "Beste,\n\nlicentie LND-1\nGroeten"
    quoted = Message(
        quoted="> Van: Jan\n> Beste,\n>\n> licentie LND-1\n> Groeten\n> -- \n> Jan", forwarded_text=forwarded
    )
    own = Message(text=f"Van: Jan\n\n{forwarded}", forwarded_text=forwarded)
    assert document(1, quoted, Direction.INCOMING).quoted == quoted.quoted
    assert document(1, own, Direction.INCOMING).quoted == ""


def test_lines_of_a_forward_that_only_meet_without_the_quote_between_them_are_indexed_together() -> None:
    quoted = "> nummer LND-\n>> ouder\n>> bericht\n> 4711\n> Groeten"
    message = Message(quoted=quoted, forwarded_text="nummer LND-\n4711\nGroeten")
    assert document(1, message, Direction.INCOMING).quoted == f"{quoted}\nnummer LND-\n4711"


def test_what_attachments_say_and_their_members_names_can_be_searched() -> None:
    parts = (
        Part("1", "text/plain", PartKind.TEXT, 1),
        Part("2", "application/octet-stream", PartKind.ATTACHMENT, 1, filename="alles.zip"),
        Part("3", "image/png", PartKind.INLINE, 1, filename="logo.png"),
    )
    attached = (
        AttachedText("2>map/offerte.pdf", "drie licenties"),
        AttachedText("2>map/foto.jpg", ""),
        AttachedText("2>in.zip>brief.docx", "beste"),
    )
    kept = document(1, Message(parts=parts, attached=attached, language="nl", text="zie bijlage"), Direction.OUTGOING)
    assert kept.attachments == "drie licenties\nbeste"
    assert kept.filenames == "alles.zip logo.png map/offerte.pdf map/foto.jpg in.zip brief.docx"
    assert kept.types == {FileType.ARCHIVE}
    assert (kept.direction, kept.language) == (Direction.OUTGOING, "nl")
    assert octets_held(kept) == len("zie bijlage") + len(kept.attachments)
