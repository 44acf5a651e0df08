"""Who runs this command: the person that decisions by hand are recorded of.

Not what the environment says of itself: USER and LOGNAME are anybody's to set. The kernel remembers who logged in
(the login uid, which only its audit may change); where it does not, sudo and doas say for whom they became another
user, and that name is recorded beside the user's own, because it can be set by hand.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

_NO_LOGIN = 0xFFFFFFFF
_LOGIN_UID = Path("/proc/self/loginuid")


def real_user(environ: Mapping[str, str], *, login: int | None, user: int) -> str:
    """Return the name of the person behind this process.

    `login` is the uid that logged in, None where the kernel does not say; `user` the one that the process runs as.
    """
    if login is not None:
        return _name(login)
    own = _name(user)
    caller = environ.get("SUDO_USER") or environ.get("DOAS_USER")
    if caller and caller != own and _exists(caller):
        return f"{caller} (as {own})"
    return own


def this_user() -> str:
    """Return the name of the person who runs this process."""
    return real_user(os.environ, login=_login(), user=os.getuid())


def _login() -> int | None:
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
