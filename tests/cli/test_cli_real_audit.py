"""Every command over a real archive is in the audit trail before it shows anything, and none gets around it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from archiver.cli.lazy import LazyGroup
from archiver.cli.root import COMMANDS, UNRECORDED, root
from tests.cli.harness import Cli
from tests.cli.test_cli_real import CANARY, id_of, real, unlocked

__all__ = ["real"]

RECORDED: dict[str, tuple[str, ...]] = {
    "import": ("import",),
    "search": ("search",),
    "search --facets": ("search", "facets"),
    "search --open": ("search", "show"),
    "search --customer": ("customer-show", "search"),
    "search --save": ("saved-change", "search"),
    "saved": ("saved",),
    "saved list": ("saved",),
    "saved show": ("saved",),
    "saved remove": ("saved-change",),
    "show": ("show",),
    "show --json": ("show",),
    "show --raw": ("show raw",),
    "show --headers": ("show headers",),
    "show --html": ("show html",),
    "show --part": ("show part 2",),
    "show --part --text": ("show part 2",),
    "show --all-parts": ("show", "show part 2"),
    "show --quoted --links": ("show",),
    "thread": ("thread",),
    "history": ("customer-show", "history"),
    "waiting": ("waiting",),
    "why": ("why",),
    "link": ("customer-show", "link"),
    "link --undo": ("customer-show", "undo"),
    "unlink": ("customer-show", "unlink"),
    "unlinked": ("unlinked",),
    "ambiguous": ("ambiguous",),
    "relink": ("relink",),
    "customer find": ("customer-find",),
    "customer show": ("customer-show",),
    "customer list": ("customer-list",),
    "customer export": ("customer-export csv",),
    "customer export --format": ("customer-export vcard",),
    "customer add": ("customer-change",),
    "customer edit": ("customer-show", "customer-change"),
    "customer consent": ("customer-show", "customer-change"),
    "customer merge": ("customer-show", "customer-show", "customer-change"),
    "customer remove": ("customer-show", "customer-change"),
    "customer import": ("customer-list", "customer-import"),
    "reindex": ("reindex",),
    "verify --full": ("verify",),
    "audit list": ("audit-list",),
    "audit verify": ("audit-verify",),
    "audit checkpoint": ("checkpoint",),
    "unlock": ("unlock",),
}
"""Each command, and what it leaves in the trail in order; a message's form stands behind "show"."""

WORDS: dict[str, str] = {
    "import": "MAIL",
    "search": "offerte",
    "search --facets": "offerte --facets",
    "search --open": "goedendag --open",
    "search --customer": "--customer K1",
    "search --save": "offerte --save second",
    "saved show": "first",
    "saved remove": "first",
    "show --part": "ID --part 2",
    "show --part --text": "ID --part 2 --text",
    "show --all-parts": "ID --all-parts --output HOME",
    "history": "K1",
    "link": "ID K2",
    "link --undo": "OTHER K2 --undo",
    "unlink": "ID K1",
    "customer find": "peeters",
    "customer show": "K1",
    "customer export": "-",
    "customer export --format": "- K1 --format vcard",
    "customer add": "K3 Derde",
    "customer edit": "K1 --city Aalst",
    "customer consent": "K1 --given-by Jan",
    "customer merge": "K2 K1 --yes",
    "customer remove": "K3 --yes",
    "customer import": "SHEET",
    "verify --full": "--full",
}
"""What follows the command, where that is not its own options on the message ID."""

ELSEWHERE = {
    "sync": "tests/cli/test_cli_real_audit.py, below, and the live tests",
    "lock": "forgets a key; shows nothing, and must never be refused",
    "key add": "keys",
    "key accept": "keys",
    "key remove": "keys",
    "key rotate": "keys",
    "key drill": "keys",
    "key list": "needs no key",
    "repair": "repairs",
    "backup": "backups",
    "restore": "backups",
    "verify": "without --full it needs no key and shows nothing of mail",
}
"""Commands that show neither mail nor customers, and are tested where they are."""


def commands() -> Iterator[str]:
    context = click.Context(root)

    def below(command: click.Command, name: str) -> Iterator[str]:
        if not isinstance(command, click.Group):
            yield name
            return
        if command.invoke_without_command:
            yield name
        for each in command.list_commands(context):
            child = command.get_command(context, each)
            assert child is not None
            yield from below(child, f"{name} {each}")

    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        yield from below(command, name)


def test_every_command_is_recorded_or_shows_nothing() -> None:
    walked = {" ".join(word for word in name.split() if not word.startswith("--")) for name in RECORDED}
    assert set(commands()) == walked | set(ELSEWHERE) | UNRECORDED


def test_every_recorded_command_takes_a_reason() -> None:
    context = click.Context(root)
    for name in commands():
        command: click.Command = root
        for word in name.split():
            assert isinstance(command, click.Group | LazyGroup)
            found = command.get_command(context, word)
            assert found is not None
            command = found
        has = any(parameter.name == "reason" for parameter in command.params)
        assert has == (name not in UNRECORDED), name


@pytest.fixture
def office(real: Cli) -> Cli:
    """An unlocked archive with mail, two customers, a saved search, a decision and an interesting message."""
    unlocked(real)
    assert real("import", str(real.home / "mail")).code == 0
    assert real("customer", "add", "K1", "Peeters Bouw", "--email", "an@klant.example").code == 0
    assert real("customer", "add", "K2", "Vermeulen").code == 0
    assert real("search", "offerte", "--save", "first").code == 0
    assert real("link", id_of(real, "from:an"), "K2").code == 0
    (real.home / "sheet.csv").write_text("reference,name\nK9,Negen\n", encoding="utf-8")
    return real


def line_of(office: Cli, name: str) -> list[str]:
    command = [word for word in name.split() if not word.startswith("--")]
    options = [word for word in name.split() if word.startswith("--")]
    asked = WORDS.get(name, " ".join(["ID", *options]) if command[0] in {"show", "thread", "why"} else "").split()
    known = {
        "ID": lambda: id_of(office, "from:support"),
        "OTHER": lambda: id_of(office, "from:an"),
        "MAIL": lambda: str(office.home / "mail"),
        "HOME": lambda: str(office.home),
        "SHEET": lambda: str(office.home / "sheet.csv"),
    }
    return command + [known[word]() if word in known else word for word in asked]


def trail_of(office: Cli) -> list[dict[str, object]]:
    """Return the trail, oldest first, without this look at it."""
    items: Sequence[dict[str, object]] = office("audit", "list", "--limit", "1000", "--json").json()["items"]
    return list(items)[:0:-1]


def told(entry: dict[str, object]) -> str:
    return f"{entry['action']} {entry['form']}" if entry["form"] else str(entry["action"])


def test_what_a_command_does_is_recorded(office: Cli) -> None:
    unlike = []
    for name, expected in RECORDED.items():
        line = line_of(office, name)
        before = len(trail_of(office)) + 1  # and the look itself
        ran = office(*line, "--reason", "ticket 12")
        assert ran.code == 0 or (name == "unlock" and ran.code == 11), (name, ran.err)  # no kernel keyring here
        new = trail_of(office)[before:]
        recorded = [told(entry) for entry in new]
        if recorded != list(expected) or any(entry["reason"] != "ticket 12" for entry in new):
            unlike.append((name, recorded))
    assert unlike == []


def test_where_the_trail_cannot_be_written_nothing_is_shown_and_nothing_changed(office: Cli) -> None:
    lines = {name: line_of(office, name) for name in RECORDED}
    audit, database = office.home / "archive" / "audit", office.home / "archive" / "archive.db"
    shutil.move(audit, office.home / "kept")
    audit.write_text("in the way", encoding="ascii")
    files, before = set(office.home.iterdir()), database.read_bytes()
    for name, line in lines.items():
        ran = office(*line)
        if name == "audit verify":  # says that the trail cannot be written, which is what it is for
            assert ran.code == 30
            continue
        if name == "verify --full":  # names no mail, and has to tell of damage on a full disk too
            continue
        assert ran.code == 4, (name, ran.out, ran.err)
        assert ran.octets == b"", name
        assert "audit trail cannot be written" in ran.err, name
        assert CANARY not in ran.err, name
        assert "Peeters" not in ran.err, name
        assert set(office.home.iterdir()) == files, name
        if name == "import":  # what comes in is kept first, as a collector without a key would
            before = database.read_bytes()
        assert database.read_bytes() == before, name


def test_where_a_reason_is_wanted_nothing_is_shown_without(office: Cli) -> None:
    config = office.home / "config.toml"
    written = config.read_text()
    lines = [line_of(office, name) for name in ("search", "show", "customer list", "customer edit", "saved remove")]
    config.write_text(written + '[audit]\nrequire_reason = ["all"]\n', encoding="utf-8")
    for line in lines:
        ran = office(*line)
        assert (ran.code, ran.octets) == (2, b"")
        assert "hint: say why behind the command" in ran.err
    office.environ["ARCHIVER_REASON"] = "ticket 14"
    for line in lines:
        assert office(*line).code == 0
    assert {entry["reason"] for entry in trail_of(office)[-len(lines) :]} == {"ticket 14"}


def test_an_export_names_each_customer_and_wants_a_reason_where_the_list_does(office: Cli) -> None:
    assert office("customer", "export", "-").code == 0
    assert office("customer", "export", "-", "K2", "Vermeulen", "--format", "accountant").code == 0
    everyone, one = trail_of(office)[-2:]
    assert (everyone["customers"], everyone["form"]) == (["K1", "K2"], "csv")
    assert (one["customers"], one["form"], one["numbers"]) == (["K2"], "accountant", {"customers": 1})
    assert office("customer", "export", "-", "nobody-of-that-name").octets == b""
    assert trail_of(office)[-1]["action"] != "customer-export"
    config = office.home / "config.toml"
    config.write_text(config.read_text() + '[audit]\nrequire_reason = ["customer-list"]\n', encoding="utf-8")
    assert office("customer", "export", "-").code == 2
    assert office("customer", "export", "-", "--reason", "the accountant").code == 0


def test_a_person_at_a_terminal_is_asked_why(office: Cli) -> None:
    config = office.home / "config.toml"
    config.write_text(config.read_text() + '[audit]\nrequire_reason = ["search"]\n', encoding="utf-8")
    office.tty, office.answers = True, ["ticket 15"]
    assert office("search", "offerte").code == 0
    office.tty = False
    assert trail_of(office)[-1]["reason"] == "ticket 15"


def test_the_words_of_a_query_are_nowhere_on_disk(office: Cli) -> None:
    assert office("search", "geheimewoorden1234", "--reason", "geheimereden1234").code == 0
    for path in (office.home / "archive").rglob("*"):
        assert not path.is_file() or b"geheime" not in path.read_bytes()


def test_a_sync_is_recorded_with_what_it_brought_and_a_failing_anchor_is_told(office: Cli, tmp_path: Path) -> None:
    config = office.home / "config.toml"
    (office.home / "password").write_text("x")
    (office.home / "password").chmod(0o600)
    config.write_text(
        config.read_text()
        + '[[accounts]]\nname = "info"\nhost = "127.0.0.1"\nport = 9\nsecurity = "plaintext"\nusername = "x"\n'
        + f'password_file = "password"\n[audit]\nanchors = ["file:{office.home}/anchor", "file:/nonexistent/anchor"]\n',
        encoding="utf-8",
    )
    ran = office("sync")
    assert ran.code != 0
    assert "audit checkpoint not at file:/nonexistent/anchor" in ran.err
    assert "sync" in [entry["action"] for entry in trail_of(office)]
    anchored = (office.home / "anchor").read_text().splitlines()
    assert len(anchored) == 1
    office("sync")
    assert (office.home / "anchor").read_text().splitlines() == anchored  # one a day
    assert office("audit", "verify", "--anchor", str(office.home / "anchor")).code == 0
    made = office("audit", "checkpoint")
    assert made.code == 4
    assert made.out.strip() == (office.home / "anchor").read_text().splitlines()[-1]
