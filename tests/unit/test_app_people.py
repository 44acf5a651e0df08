"""Who acts: what the kernel knows comes before what the environment says."""

from __future__ import annotations

import os
import pwd

import pytest

from archiver.app.people import Person, person, real_user, this_person

ROOT = pwd.getpwuid(0).pw_name
DAEMON = pwd.getpwnam("daemon")
NOBODY = 4_000_000_000


@pytest.mark.parametrize(
    ("environ", "login", "user", "expected"),
    [
        ({}, None, 0, Person(ROOT, ROOT)),
        ({}, DAEMON.pw_uid, 0, Person("daemon", ROOT)),
        ({"SUDO_USER": "daemon"}, None, 0, Person("daemon", ROOT, "daemon")),
        ({"DOAS_USER": "daemon"}, None, 0, Person("daemon", ROOT, "daemon")),
        ({"SUDO_USER": "daemon"}, DAEMON.pw_uid, 0, Person("daemon", ROOT)),
        # Anybody can set it: where the kernel knows better, it is told beside that.
        ({"SUDO_USER": "daemon"}, 0, 0, Person(ROOT, ROOT, "daemon")),
        ({"SUDO_USER": "nobody of that name"}, None, 0, Person(ROOT, ROOT)),
        ({"SUDO_USER": ROOT}, DAEMON.pw_uid, 0, Person("daemon", ROOT)),
        ({"USER": "daemon", "LOGNAME": "daemon"}, None, 0, Person(ROOT, ROOT)),
        ({}, NOBODY, 0, Person(f"uid {NOBODY}", ROOT)),
    ],
)
def test_who_acts(environ: dict[str, str], login: int | None, user: int, expected: Person) -> None:
    assert person(environ, login=login, user=user) == expected


def test_decisions_by_hand_name_whose_rights_were_used_where_only_sudo_says_who_it_was() -> None:
    assert real_user({"SUDO_USER": "daemon"}, login=None, user=0) == f"daemon (as {ROOT})"
    assert real_user({"SUDO_USER": "daemon"}, login=0, user=0) == ROOT
    assert real_user({}, login=None, user=0) == ROOT


def test_this_process_is_somebody() -> None:
    assert this_person().user == pwd.getpwuid(os.geteuid()).pw_name
