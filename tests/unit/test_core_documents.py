"""What the index keeps of a message, where it is said in two fields."""

from __future__ import annotations

from archiver.core.documents import document
from archiver.model.message import Message


def test_what_is_forwarded_is_indexed_once_wherever_it_stands() -> None:
    forwarded = "Beste,\n\nlicentie LND-1\nGroeten"
    quoted = Message(
        quoted="> Van: Jan\n> Beste,\n>\n> licentie LND-1\n> Groeten\n> -- \n> Jan", forwarded_text=forwarded
    )
    own = Message(text=f"Van: Jan\n\n{forwarded}", forwarded_text=forwarded)
    assert document(1, quoted).quoted == quoted.quoted
    assert document(1, own).quoted == ""


def test_lines_of_a_forward_that_only_meet_without_the_quote_between_them_are_indexed_together() -> None:
    quoted = "> nummer LND-\n>> ouder\n>> bericht\n> 4711\n> Groeten"
    message = Message(quoted=quoted, forwarded_text="nummer LND-\n4711\nGroeten")
    assert document(1, message).quoted == f"{quoted}\nnummer LND-\n4711"
