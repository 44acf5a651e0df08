"""The commands that `tests.crash.failing_disk` lets fail, each on an archive in some state, and what is judged of it.

Those come first that write mail, its index, its keys and its copies; then the short ones.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Scene(msgspec.Struct, frozen=True):
    """A command on an archive in some state.

    `again` are the codes with which it may end the second time, without a fault; `mail` is what of the three kinds is
    in the archive in the end, `acknowledged` what is in there before.
    """

    name: str
    state: str
    arguments: tuple[str, ...] = ()
    function: str | None = None
    again: tuple[int, ...] = (0,)
    acknowledged: tuple[str, ...] = ("old",)
    mail: tuple[str, ...] = ("old", "new")


_WHOLE: Final = ("old", "new")
SCENES: Final = (
    Scene("collect", "base", ("sync", "--collect-only")),
    Scene("ingest", "waiting", ("sync",)),
    Scene("reindex", "whole", ("reindex",), acknowledged=_WHOLE),
    Scene("index after loss", "no index", ("search", "zebra", "--json"), acknowledged=_WHOLE),
    Scene("rotate", "whole", ("key", "rotate"), acknowledged=_WHOLE),
    Scene("backup", "backed", ("backup", "HOME/backup"), acknowledged=_WHOLE),
    Scene("first backup", "whole", ("backup", "HOME/backup"), acknowledged=_WHOLE),
    Scene(
        "customer",
        "whole",
        ("customer", "add", "K2", "Other"),
        again=(0, 2),
        acknowledged=_WHOLE,
    ),
    Scene(
        "key add",
        "whole",
        ("key", "add", "jan", "--new-passphrase-file", "HOME/jan"),
        again=(0, 2),
        acknowledged=_WHOLE,
    ),
    Scene("search", "whole", ("search", "zebra", "--json"), acknowledged=_WHOLE),
    Scene("verify", "whole", ("verify", "--full"), acknowledged=_WHOLE),
    Scene("repair", "damaged", ("repair", "--yes"), again=(0, 4), acknowledged=("old",)),
    Scene("erase", "whole", ("ID",), function="erase", again=(0, 2), acknowledged=("old",), mail=("old", "rest")),
    Scene("import", "base", ("import", "HOME/mail.mbox"), mail=("old", "new", "file")),
    Scene("restore over", "backed", ("restore", "HOME/backup", "--replace"), acknowledged=("old",)),
    Scene("sync", "base", ("sync",)),
    Scene("restore", "lost", ("restore", "HOME/backup"), again=(0, 2), acknowledged=()),
    Scene(
        "init",
        "bare",
        ("init", "--passphrase-file", "HOME/passphrase", "--recovery-file", "HOME/code"),
        again=(0, 2),
        acknowledged=(),
        mail=("new",),
    ),
)
