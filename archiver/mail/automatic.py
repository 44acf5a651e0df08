"""Whether a program sent a message, by its header alone.

Knows RFC 3834 and the fields that lists, newsletters and absence notes carry. Deliberately reads no subject and no
text: "out of office" is also what people write about.
"""

from __future__ import annotations

from collections.abc import Callable

from archiver.mail.structure import Node

_SIGNS = frozenset(
    (  # noqa: SIM905 - a table
        "list-id list-unsubscribe x-autoreply x-autorespond x-autoresponder x-autoreply-from x-mail-autoreply"
        " x-auto-reply-from x-failed-recipients x-cron-env x-feedback-id"
    ).split()
)
_ASKED = frozenset({"auto-submitted", "precedence", "return-path", "x-auto-response-suppress"})
_PRECEDENCES = frozenset("bulk list junk auto_reply auto-reply".split())  # noqa: SIM905 - a table


def is_automatic(root: Node, names: frozenset[str], text: Callable[[str], str]) -> bool:
    """Tell whether a program sent this: a report, an absence note, a list, a newsletter.

    `names` are those of the header's fields (lower case), `text` gives a field as one line.
    """
    if root.media == "multipart/report" or not names.isdisjoint(_SIGNS):
        return True
    if names.isdisjoint(_ASKED):
        return False
    submitted = text("auto-submitted").lower().partition(";")[0].partition("(")[0].strip()
    if submitted not in {"", "no"}:
        return True
    if text("precedence").strip().lower() in _PRECEDENCES:
        return True
    if "return-path" in names and text("return-path").replace(" ", "") == "<>":
        return True
    # Exchange gives it to what it writes itself; with fewer words it also stands in mail that people wrote.
    suppressed = text("x-auto-response-suppress").lower()
    return "all" in suppressed.split(",") or "oof" in suppressed
