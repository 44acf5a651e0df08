"""Mailbox names: what they read like, what they are for, and which ones a configuration chooses.

The identity of a mailbox is the bytes that LIST sent; the decoded form is for people and for matching what people wrote
in the configuration. Nothing here is ever sent to a server.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from archiver.model.mailbox import RemoteMailbox

NOT_BY_DEFAULT = frozenset({"\\Junk", "\\Trash", "\\Drafts"})

_SPECIAL = {
    role.lower(): role
    for role in ("\\Inbox", "\\Sent", "\\Drafts", "\\Trash", "\\Junk", "\\Archive", "\\All", "\\Flagged")
} | {"\\allmail": "\\All", "\\spam": "\\Junk", "\\starred": "\\Flagged"}
"""RFC 6154 §2, and what Gmail called three of them in XLIST."""

_USUAL_NAMES = {
    "\\Sent": (
        *("sent", "sent items", "sent mail", "sent messages"),
        *("verzonden", "verzonden items", "verzonden berichten", "verstuurd"),
        *("envoyés", "éléments envoyés", "messages envoyés", "courrier envoyé", "objets envoyés"),
        *("gesendet", "gesendete elemente", "gesendete objekte", "gesendete nachrichten"),
    ),
    "\\Drafts": (
        *("draft", "drafts", "concept", "concepten", "brouillon", "brouillons"),
        *("entwurf", "entwürfe"),
    ),
    "\\Trash": (
        *("trash", "deleted items", "deleted messages", "bin"),
        *("prullenbak", "prullenmand", "verwijderd", "verwijderde items", "verwijderde berichten"),
        *("corbeille", "éléments supprimés", "messages supprimés"),
        *("papierkorb", "gelöscht", "gelöschte elemente", "gelöschte objekte"),
    ),
    "\\Junk": (
        *("junk", "junk e-mail", "junk email", "junk mail", "spam", "bulk mail"),
        *("ongewenst", "ongewenste e-mail", "ongewenste mail", "ongewenste reclame"),
        *("indésirables", "courrier indésirable", "pourriel"),
        *("spamverdacht", "junk-e-mail", "unerwünscht", "werbung"),
    ),
    "\\Archive": ("archive", "archives", "archief", "archiv"),
}
_ENCODED = re.compile(rb"&([^-]*)-")


def decode(name: bytes) -> str:
    """Decode modified UTF-7 (RFC 3501 §5.1.3) for people; never fails.

    Names that are raw UTF-8 are taken as such, wrong base64 stays as it is, no lone surrogate comes out.
    """
    if not name.isascii():
        return name.decode("utf-8", "replace")
    return _ENCODED.sub(_decoded_run, name).decode("utf-8", "replace")


def _decoded_run(found: re.Match[bytes]) -> bytes:
    run = found.group(1)
    if not run:
        return b"&"
    try:
        utf16 = base64.b64decode(run.replace(b",", b"/") + b"=" * (-len(run) % 4), validate=True)
    except binascii.Error:
        return found.group()
    if len(utf16) < 2:
        return found.group()
    return utf16[: len(utf16) // 2 * 2].decode("utf-16-be", "replace").encode("utf-8", "replace")


def with_special_use(mailboxes: Sequence[RemoteMailbox]) -> list[RemoteMailbox]:
    """Give each mailbox its special use: by attribute (RFC 6154), else by usual name.

    A role that the server assigns by attribute is not given to others by name. Names count at the top, or directly
    below INBOX: a project's sub-mailbox called "Sent" is not the account's.
    """
    flagged = [replace(mailbox, special_use=_by_attribute(mailbox)) for mailbox in mailboxes]
    taken = {mailbox.special_use for mailbox in flagged}
    return [
        mailbox if mailbox.special_use is not None else replace(mailbox, special_use=_by_name(mailbox, taken))
        for mailbox in flagged
    ]


def _by_attribute(mailbox: RemoteMailbox) -> str | None:
    if mailbox.name.upper() == b"INBOX":
        return "\\Inbox"
    return next((_SPECIAL[a.lower()] for a in sorted(mailbox.attributes) if a.lower() in _SPECIAL), None)


def _by_name(mailbox: RemoteMailbox, taken: Iterable[str | None]) -> str | None:
    path = mailbox.display.split(mailbox.delimiter) if mailbox.delimiter else [mailbox.display]
    if len(path) == 2 and (path[0].upper() == "INBOX" or path[0] in {"[Gmail]", "[Google Mail]"}):
        path = path[1:]
    if len(path) != 1:
        return None
    name = _folded(path[0].strip())
    return next((role for role, names in _USUAL_NAMES.items() if name in names and role not in set(taken)), None)


def choose(mailboxes: Sequence[RemoteMailbox], include: Sequence[str], exclude: Sequence[str]) -> list[RemoteMailbox]:
    r"""Keep the mailboxes that a configuration asks for.

    Each string is a name, a LIST pattern (`*` anything, `%` anything but the delimiter) or a special use (`\Sent`).
    An empty `include` means: all but \Junk, \Trash and \Drafts.
    """

    def wanted(mailbox: RemoteMailbox) -> bool:
        if any(matches(mailbox, pattern) for pattern in exclude):
            return False
        if not include:
            return mailbox.special_use not in NOT_BY_DEFAULT
        return any(matches(mailbox, pattern) for pattern in include)

    return [mailbox for mailbox in mailboxes if wanted(mailbox)]


def matches(mailbox: RemoteMailbox, pattern: str) -> bool:
    """Tell whether one string of a configuration means this mailbox; INBOX in any case, Unicode in any composition."""
    if pattern.startswith("\\"):
        return (mailbox.special_use or "").lower() == _SPECIAL.get(pattern.lower(), pattern).lower()
    if pattern.upper() == "INBOX":
        return mailbox.name.upper() == b"INBOX"
    level = f"[^{re.escape(mailbox.delimiter)}]*" if mailbox.delimiter else ".*"
    parts = (
        ".*" if part == "*" else level if part == "%" else re.escape(part)
        for part in re.split(r"([*%])", unicodedata.normalize("NFC", pattern))
    )
    return re.fullmatch("".join(parts), unicodedata.normalize("NFC", mailbox.display), re.DOTALL) is not None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
