"""`make demo`: an IMAP server with a year of invented mail, and archiver run on it as a user would.

Knows the command line of archiver and runs it as a process, never its inside. Everything it writes lies in one
directory, which the next run replaces; the passphrase lies there in a file because it protects nothing real.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.clients import CALLER, customers_csv
from demo.people import DOMAIN, FIRM
from demo.synthetic import SyntheticMail, messages

_MARKER = "made-by-the-demonstration"
_CUSTOMERS = "customers.csv"
_SEARCHES = (
    ("Who asked for a licence key? Words are found in whatever form, and inside longer ones.", ("sleutel", "licentie")),
    ("Accents need not be typed.", ("cle", "de", "licence", "direction:incoming")),
    ("What only an attachment says", ("opzegtermijn",)),
    ("Phrases, OR, NOT, fields and dates", ('("credit note" OR creditnota)', "-boekhouding", "since:2025-06")),
    ("Misspelt", ("licentiesluetel",)),
    ("Best first, one hit a conversation", ("printer", "logo", "--sort", "relevance", "--threads")),
    ("A search to come back to", ("subject:(offerte OR devis OR quotation)", "direction:incoming", "--save", "offers")),
)
_IN_A_PAPER = ("aangetekende", "brief", "type:pdf")
_SHOWN = 3  # hits
_PROGRAM = Path(sys.executable).with_name("archiver")


def main() -> int:
    """Run the demonstration; return what the first command that failed returned, else 0."""
    parser = argparse.ArgumentParser(prog="make demo", description="Try archiver on a year of invented mail.")
    parser.add_argument("--directory", type=Path, default=Path("demo-archive"), help="where everything goes")
    parser.add_argument("--count", type=int, default=800, help="how many messages")
    parser.add_argument("--seed", type=int, default=1, help="another number gives another year")
    parser.add_argument("--keep", action="store_true", help="keep the server running at the end, until Ctrl-C")
    options = parser.parse_args()
    try:
        return _run(options.directory.absolute(), options.count, options.seed, keep=options.keep)
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


def _run(directory: Path, count: int, seed: int, *, keep: bool) -> int:
    if not _PROGRAM.exists():
        say("archiver is not installed beside this Python; `make demo` installs it into .venv first")
        return 2
    if not _make_room(directory):
        say(f"{directory} exists and was not made by this demonstration; name another one with --directory")
        return 2
    from demo.server import running

    passwords = {account: secrets.token_urlsafe(12) for account in ("info", "support")}
    began = time.monotonic()
    title(f"A year of mail for {FIRM}")
    with running(passwords, _counted(messages(seed, count), count), username=_username) as server:
        for (account, mailbox), number in sorted(server.mailboxes.items()):
            say(f"  {_username(account):28} {mailbox:18} {number:5} messages")
        say(f"  IMAP server on 127.0.0.1:{server.port}, made in {time.monotonic() - began:.1f} s; this machine only.")
        environ = _write_configuration(directory, server.port, passwords)
        archiver = _Archiver(environ)
        failed = _main_job(archiver, directory)
        if failed:
            return failed
        _say_what_next(archiver, directory, keep=keep)
        if keep:
            say("The server keeps running; Ctrl-C ends it.")
            while True:
                time.sleep(3600)
    return 0


def _main_job(archiver: _Archiver, directory: Path) -> int:
    recovery = str(directory / "recovery-code")
    title("Create the archive")
    if code := archiver.run("init", "--recovery-file", recovery):
        return code
    title("Collect, take in, index")
    if code := archiver.run("sync"):
        return code
    if code := _searches(archiver) or _customers(archiver, directory) or _status(archiver):
        return code
    title("What does somebody see who takes the disk?")
    files = [path for path in (directory / "archive").rglob("*") if path.is_file()]
    words = (b"licentiesleutel", DOMAIN.encode(), b"Subject:")
    found = sum(any(word in path.read_bytes() for word in words) for path in files)
    say(f"  {len(files)} files; {found} of them hold a word, an address or a header field of any mail.")
    return 1 if found else 0


def _searches(archiver: _Archiver) -> int:
    """Find mail in every way, and read what was found."""
    for why, query in _SEARCHES:
        title(why)
        if code := archiver.run("search", *query, "--limit", str(_SHOWN)):
            return code
    title("Show the first that is found")
    if code := archiver.run("search", *_IN_A_PAPER, "--open", "--no-pager"):
        return code
    title("The whole conversation")
    return archiver.run("thread", archiver.first_hit(*_IN_A_PAPER, nearest=("has:attachment",))["id"])


def _customers(archiver: _Archiver, directory: Path) -> int:
    """Show whose mail it is: records from a spreadsheet, and what then is linked, and what is not."""
    _write_private(directory / _CUSTOMERS, customers_csv().rstrip())
    title("The customers come out of a spreadsheet; their mail is linked at once")
    if code := archiver.run("customer", "import", str(directory / _CUSTOMERS)):
        return code
    reference, number = CALLER
    explained = archiver.first_hit("direction:internal", "is:linked", nearest=(f"customer:{reference}",))["id"]
    for why, command in (
        ("The telephone rings", ("customer", "find", number)),
        ("What did we write to each other?", ("history", reference, "--limit", str(_SHOWN))),
        ("How much of it, with whom, when?", ("search", "saved:offers", "--facets", "--limit", "0")),
        ("Why is this mail between two colleagues a customer's?", ("why", explained)),
        ("One contact of two customers: nothing is guessed", ("ambiguous", "--limit", "2")),
        ("Who writes to us and is in no record?", ("unlinked", "--limit", str(_SHOWN))),
        ("Whom did nobody answer?", ("waiting", "--limit", str(_SHOWN))),
    ):
        title(why)
        if code := archiver.run(*command):
            return code
    return 0


def _status(archiver: _Archiver) -> int:
    title("Is everything there?")
    return archiver.run("status")


class _Archiver:
    """The program as a user starts it: every command is shown before it runs."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.program = str(_PROGRAM)

    def run(self, *arguments: str) -> int:
        """Run a command with our terminal; return its exit code, said when it is not 0."""
        emphasis = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
        say(f"{emphasis[0]}$ archiver {shlex.join(arguments)}{emphasis[1]}")
        code = subprocess.run([self.program, *arguments], env=self.environ, check=False).returncode
        if code:
            say(f"archiver ended with exit code {code}")
        return code

    def first_hit(self, *query: str, nearest: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the newest message that matches, else the `nearest`, else any: another year may have no match."""
        command = [self.program, "search", *query, "--limit", "1", "--json"]
        done = subprocess.run(command, env=self.environ, check=True, stdout=subprocess.PIPE)
        hits = json.loads(done.stdout)["items"]
        return dict(hits[0]) if hits or not query else self.first_hit(*nearest)


def _make_room(directory: Path) -> bool:
    if directory.exists():
        if not (directory / _MARKER).exists():
            return False
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700, parents=True)
    (directory / _MARKER).touch()
    return True


def _write_configuration(directory: Path, port: int, passwords: Mapping[str, str]) -> dict[str, str]:
    lines = ["[archive]", 'path = "archive"', "", "[identity]", f'domains = ["{DOMAIN}"]']
    for account, password in passwords.items():
        _write_private(directory / f"{account}.password", password)
        lines += [
            "",
            "[[accounts]]",
            f'name = "{account}"',
            'host = "127.0.0.1"',
            f"port = {port}",
            'security = "plaintext"',
            f'username = "{_username(account)}"',
            f'password_file = "{account}.password"',
        ]
    _write_private(directory / "config.toml", "\n".join(lines))
    _write_private(directory / "passphrase", "-".join(secrets.token_hex(2) for _ in range(5)))
    return {
        **os.environ,
        "ARCHIVER_CONFIG": str(directory / "config.toml"),
        "ARCHIVER_PASSPHRASE_FILE": str(directory / "passphrase"),
    }


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(f"{text}\n", encoding="utf-8")


def _counted(mails: Iterator[SyntheticMail], count: int) -> Iterator[SyntheticMail]:
    """Pass mail on, and say on a terminal how far it is."""
    for number, mail in enumerate(mails, start=1):
        if sys.stdout.isatty() and (number % 50 == 0 or number == count):
            sys.stdout.write(f"\r  {number} of {count} messages written" + ("\n" if number == count else ""))
            sys.stdout.flush()
        yield mail


def _say_what_next(archiver: _Archiver, directory: Path, *, keep: bool) -> None:
    program = os.path.relpath(archiver.program)
    newest = archiver.first_hit("direction:incoming", "has:attachment")
    reference, _ = CALLER
    title("Try it yourself")
    say(f"  export ARCHIVER_CONFIG={shlex.quote(archiver.environ['ARCHIVER_CONFIG'])}")
    say(f"  export ARCHIVER_PASSPHRASE_FILE={shlex.quote(archiver.environ['ARCHIVER_PASSPHRASE_FILE'])}")
    for command in (
        f"search from:{newest['from'][0]['address']}",
        "search facturen --facets",
        "search 'fact*' type:pdf since:2025-03 --sort relevance",
        "search '*certificaat' OR certificate~",
        "search werkstation --open",
        "search subject:factuur has:attachment since:2025-09 --json",
        f"show {newest['id']}",
        f"show {newest['id']} --html --output page.html",
        f"show {newest['id']} --all-parts --output .",
        f"customer show {reference}",
        f"history {reference} --expand",
        f"search customer:{reference} has:attachment",
        f"why {newest['id']}",
        "unlinked --interactive",
        "customer add",
        "verify --full",
        *(["sync"] if keep else []),
    ):
        say(f"  {program} {command}")
    say()
    say(f"  The passphrase is {(directory / 'passphrase').read_text(encoding='utf-8').strip()}, for this archive only.")
    if not keep:
        say('  The mail server has ended. make demo ARGS=--keep leaves it running, so that "sync" can be tried again.')


def _username(account: str) -> str:
    return f"{account}@{DOMAIN}"


def title(text: str) -> None:
    """Begin a new step."""
    emphasis = ("\x1b[1;36m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    say(f"\n{emphasis[0]}── {text}{emphasis[1]}")


def say(text: str = "") -> None:
    """Write a line at once: the programs that are started write to the same place."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
