"""Who runs this command: the person that decisions by hand, and the audit trail, are recorded of.

Not what the environment says of itself: USER and LOGNAME are anybody's to set. The kernel remembers who logged in
(the login uid, which only its audit may change); where it does not, sudo and doas say for whom they became another
user, and that name is recorded beside the user's own, because it can be set by hand.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

_NO_LOGIN = 0xFFFFFFFF
_LOGIN_UID = Path("/proc/self/loginuid")


class Person(Struct, frozen=True):
    """Who acts: `name` is the person's, `user` that of the user whose rights the process has.

    `claimed` is whom sudo or doas names in the environment, where the kernel knows of no login or knows another.
    """

    name: str
    user: str
    claimed: str | None = None


def person(environ: Mapping[str, str], *, login: int | None, user: int) -> Person:
    """Tell who is behind a process.

    `login` is the uid that logged in, None where the kernel does not say; `user` the one that the process runs as.
    """
    own = _name(user)
    caller = environ.get("SUDO_USER") or environ.get("DOAS_USER")
    claimed = caller if caller and _exists(caller) else None
    if login is not None:
        name = _name(login)
        return Person(name, own, claimed if claimed not in {None, name, own} else None)
    return Person(claimed or own, own, claimed if claimed != own else None)


def real_user(environ: Mapping[str, str], *, login: int | None, user: int) -> str:
    """Return the name of the person behind this process, and whose rights it has where only sudo says who it is."""
    found = person(environ, login=login, user=user)
    return found.name if login is not None or found.name == found.user else f"{found.name} (as {found.user})"


def this_person() -> Person:
    """Tell who runs this process."""
    return person(os.environ, login=this_login(), user=os.geteuid())


def this_user() -> str:
    """Return the name of the person who runs this process."""
    return real_user(os.environ, login=this_login(), user=os.getuid())


def this_login() -> int | None:
    """Return the uid that logged in, as the kernel remembers it; None where it knows of none."""
    try:
        uid = int(_LOGIN_UID.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == _NO_LOGIN else uid


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except (KeyError, ValueError):
        return False
    return True
