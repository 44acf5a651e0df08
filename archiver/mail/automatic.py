"""Whether a program sent a message, by its header alone.

Knows RFC 3834 and the fields that lists, newsletters and absence notes carry. Deliberately reads no subject and no
text: "out of office" is also what people write about.
"""

from __future__ import annotations

from archiver.mail.header import first, unfolded
from archiver.mail.structure import Node

_SIGNS = frozenset(
    (  # noqa: SIM905 - a table
        "list-id list-unsubscribe x-autoreply x-autorespond x-autoresponder x-autoreply-from x-mail-autoreply"
        " x-auto-reply-from x-failed-recipients x-cron-env x-feedback-id"
    ).split()
)
_ASKED = frozenset({"auto-submitted", "precedence", "return-path", "x-auto-response-suppress"})
_PRECEDENCES = frozenset("bulk list junk auto_reply auto-reply".split())  # noqa: SIM905 - a table


def is_automatic(root: Node, names: frozenset[str]) -> bool:
    """Tell whether a program sent this: a report, an absence note, a list, a newsletter.

    `names` are those of the header's fields (lower case).
    """
    if root.media == "multipart/report" or not names.isdisjoint(_SIGNS):
        return True
    if names.isdisjoint(_ASKED):
        return False
    submitted = _field(root, "auto-submitted").partition(";")[0].partition("(")[0].strip()
    if submitted not in {"", "no"}:
        return True
    if _field(root, "precedence") in _PRECEDENCES:
        return True
    if "return-path" in names and _field(root, "return-path").replace(" ", "") == "<>":
        return True
    # Exchange gives it to what it writes itself; with fewer words it also stands in mail that people wrote.
    suppressed = _field(root, "x-auto-response-suppress")
    return "all" in suppressed.split(",") or "oof" in suppressed


def _field(root: Node, name: str) -> str:
    raw = first(root.fields, name)
    return unfolded(raw[:1000]).strip().lower() if raw else ""
