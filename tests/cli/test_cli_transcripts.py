"""What people see, as transcripts: `$ archiver …`, its output, `! ` before standard error, `[N]` for an exit code.

The files in `transcripts/` are the expectation; their first line says for which surroundings: a pipe, a terminal
without colours, or one with colours, whose styles then stand as `‹hit:…›`. After a change that is meant, write them
anew with ARCHIVER_TRANSCRIPTS=write and read the difference.
"""

from __future__ import annotations

import os
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.cli.terminal import SEQUENCES as STYLES
from archiver.model.address import EmailAddress
from archiver.model.message import Defect, Direction, Part, PartKind
from archiver.model.shown import Hyperlink
from archiver.model.status import Failure, MailboxStatus
from tests.cli.harness import Cli
from tests.cli.twin import CODE, NOW, PASSPHRASE, Check, Damage, Mail, Outcome, Status, Sync, Twin, Verify, blob_id
from tests.cli.twin_audit import events
from tests.cli.twin_backups import PACK, BackedUp, Backups, Checked, GenerationChecked, Restored
from tests.cli.twin_customers import janssens, peeters
from tests.cli.world_of_search import found
from tests.cli.worlds import damaged, linked, repaired

TRANSCRIPTS = Path(__file__).with_name("transcripts")
AN = EmailAddress("An Peeters", "an@klant.example")
US = EmailAddress("Support", "info@ons.example")


NEW_CUSTOMERS = """reference;naam;straat;postcode;gemeente;btw;contact;e-mail;gsm
K3001;Wasserij Wit;Kaai 1;8400;Oostende;BE 0403.170.702;Jo Wit;jo@wasserijwit.example;
K3002;Kapsalon Kört;;9000;Gent;;Ria;ria at kapsalon;12
;Zonder nummer;;;;;;;
K3004;Bloemen Iris;;9300;Aalst;;Iris Bloem;iris@bloemeniris.example;0470 00 44 00
"""


def mails() -> list[Mail]:
    """A conversation, a hostile message and one that names nobody."""
    pdf = Part("2", "application/pdf", PartKind.ATTACHMENT, 48_213, filename="licentie \x1b[31m'x'.pdf")
    text = Part("1", "text/plain", PartKind.TEXT, 300, charset="utf-8")
    key = "Dag An, de licentiesleutel staat in de bijlage."
    return [
        Mail(),
        Mail(
            subject="Re: Offerte 2026-014",
            direction=Direction.OUTGOING,
            from_=(US,),
            to=(AN, EmailAddress("", "boekhouding@klant.example")),
            cc=(EmailAddress("Zo\u00eb \u202egnip", "zoe@ons.example"),),
            at=NOW - timedelta(days=1),
            text=key
            + " Wij danken u voor uw vertrouwen en wensen u er veel succes mee.\n\nVriendelijke groet\nSupport\n",
            quoted="> Goedendag,\n> hierbij onze offerte.\n",
            marks=((11, 26),),
            parts=(text, pdf),
            contents={"1": key.encode(), "2": b"%PDF-1.7\x00\xff"},
            texts={"2": "Licentie\n\nDe sleutel is persoonlijk.\x1b[2J\n"},
            links=(Hyperlink("Onze voorwaarden", "https://ons.example/voorwaarden"),),
        ),
        Mail(
            subject="\x1b]0;owned\x07 \u65e5\u672c\u8a9e\u306e\u4ef6\u540d [bold]not markup[/bold] \x1b[2J " * 2,
            at=NOW - timedelta(hours=2),
            text="",
            defects=(Defect("bad-charset", "the charset named is unknown"),),
            octets=b"Subject: \x1b]0;owned\x07\r\n\r\n\xff\x9b31m\r\n",
        ),
        Mail(subject="", at=datetime(2024, 3, 3, tzinfo=UTC), from_=(), thread=2),
    ]


def whole() -> Twin:
    mailboxes = (MailboxStatus("info", "INBOX", 1_200, 1_196, 4, 0, 0, NOW - timedelta(hours=1)),)
    return Twin(mails=mails(), status_report=Status(accounts=mailboxes))


def troubled() -> Twin:
    """Everything that can be incomplete, is."""
    hour = NOW - timedelta(hours=1)
    return Twin(
        status_report=Status(
            messages=None,
            octets=None,
            indexed=None,
            defects=None,
            unlocked=False,
            pending=2,
            accounts=(
                MailboxStatus("info", "INBOX", 1_200, 1_200, 0, 0, 0, hour),
                MailboxStatus("info", "Verzonden \x1b[5m", 300, 294, 4, 2, 0, hour),
                MailboxStatus("support", "INBOX", 3, 0, 0, 0, 0, None, problem="the server refused to open it"),
            ),
            failures=(Failure("info", "Verzonden \x1b[5m", 7, 99, "the server gives no octets", 3, hour),),
            problems=("collect.db was made anew; the next sync compares everything",),
        ),
        sync_report=Sync(
            accounts=(
                Outcome("info", 12, 96_000, failed=2, exit_code=4),
                Outcome("support", problem="login refused", exit_code=21),
            ),
            ingested=0,
            indexed=0,
            waiting=1,
            locked=True,
            incomplete=("info/Verzonden: 2 messages could not be fetched",),
            exit_code=4,
        ),
        verify_report=Verify(
            problems=(Damage("packs/ab/abcd.pack", "its digest is not its name"), damaged()),
            unsteady=(Damage("pack cdcd", "pack cdcd is not what its name says; read again, it is good"),),
            remarks=(Damage("notes.txt", "no file of archiver's", kind="stray"),),
            packs_total=60,
            subset="5%",
            seed=7,
        ),
        repair_report=repaired(),
        checks=[
            Check("configuration", ok=True, message="/etc/archiver/config.toml is right"),
            Check("password file of info", ok=None, message="readable by the group", hint="chmod 600 it"),
            Check("support", ok=False, message="login refused", hint="look at the password"),
        ],
    )


def customers() -> Twin:
    """The same mail, and two customers: one that it is with, and one that has none."""
    twin = whole()
    twin.book.keep(peeters(), janssens())
    return twin


def spoilt() -> Twin:
    """Backups of which everything is bad that can be."""
    bad = GenerationChecked(problems=("state-20260310T020000Z/archive.db is not what was written",))
    backups = Backups(
        made=BackedUp(damaged=(PACK,), rescued=("4a" * 32,), vanished=("5b" * 32,), mended=("6c" * 32,), exit_code=30),
        checked=Checked(generations=(bad,), problems=("pack 3f3f3f3f3f3f is not what its name says",), exit_code=30),
        restored=Restored(
            erasures_known=False, erasures_unread=2, credential="missing", missing=1, lost=7, erased=2, exit_code=30
        ),
    )
    return Twin(backups=backups)


def watched() -> Twin:
    return Twin(events=events([blob_id(0), blob_id(1)]))


WORLDS = {
    "watched": watched,
    "whole": whole,
    "troubled": troubled,
    "spoilt": spoilt,
    "linked": linked,
    "customers": customers,
    "found": found,
}


def answered(prompt: str) -> str:
    """Answer as somebody who knows the secrets, agrees to everything and has one new customer to tell of."""
    known = {
        "Type it": CODE, "Name": "Vermeulen & Co", "Town": "Lokeren", "VAT": "0403.170.701",
        "Contact": "Lien Vermeulen", "  E-mail": "lien@vermeulen.example", "  Mobile": "0471 98 76 54",
    }  # fmt: skip
    found = [answer for question, answer in known.items() if prompt.startswith(question)]
    secret = "passphrase" in prompt.lower() or "again" in prompt
    return found[0] if found else PASSPHRASE if secret else "y" if prompt.endswith("] ") else ""


def play(cli: Cli, transcript: str) -> str:
    """Run every command of a transcript and return it with what really came out."""
    first, *lines = transcript.splitlines()
    columns, kind, world = first.removeprefix("# ").split(", ")
    cli.columns, cli.tty, cli.app = int(columns.split()[0]), kind != "pipe", WORLDS[world]()
    if kind != "colours":
        cli.environ["NO_COLOR"] = "1"
    cli.monkeypatch.chdir(cli.home)
    (cli.home / "new.csv").write_text(NEW_CUSTOMERS, encoding="cp1252")
    played = [first]
    for line in lines:
        if line.startswith("$ archiver"):
            cli.answers = answered
            ran = cli(*shlex.split(line)[2:])
            out, err = _marked(ran.out), _marked(_without_bars(ran.err))
            shown = [*out.splitlines(), *(f"! {text}" for text in err.splitlines())]
            played += ["", line, *(text.rstrip() for text in shown), *([f"[{ran.code}]"] if ran.code else [])]
    return "\n".join(played).replace(str(cli.home), "/home/an") + "\n"


def _marked(text: str) -> str:
    """Tell styles by their names; those that look the same have the first one's."""
    names = {sequence: style for style, sequence in reversed(list(STYLES.items()))}
    return re.sub(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m", lambda found: f"‹{names[found[1]]}:{found[2]}›", text)


def _without_bars(err: str) -> str:
    """Leave the bars out: how often they are drawn depends on the machine."""
    lines = [line for line in err.splitlines() if "\x1b[2K" not in line]
    return "\n".join(line.replace("\x1b[?25h", "") for line in lines if line != "\x1b[?25l")


@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_people_see_what_the_transcript_says(path: Path, cli: Cli) -> None:
    expected = path.read_text(encoding="utf-8")
    played = play(cli, expected)
    if os.environ.get("ARCHIVER_TRANSCRIPTS") == "write":
        path.write_text(played, encoding="utf-8")
    assert played == expected


def test_every_command_is_in_a_transcript() -> None:
    from archiver.cli.root import COMMANDS

    spoken = "".join(path.read_text(encoding="utf-8") for path in TRANSCRIPTS.glob("*.txt"))
    assert [name for name in COMMANDS if f"$ archiver {name}" not in spoken] == []


def test_no_colour_is_used_that_cannot_be_read_on_white_or_on_black() -> None:
    colours = {int(code) for sequence in STYLES.values() for code in sequence.split(";") if int(code) >= 30}
    assert colours <= {31, 35}  # red, magenta
