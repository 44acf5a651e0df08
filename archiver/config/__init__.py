"""The configuration file: TOML to typed settings, every problem reported at once with its line.

Knows the keys, their defaults and the rules that keep credentials safe. It opens no connection, reads no password and
creates nothing; of password files only the mode is looked at. Values are never repeated in a problem: a password typed
into the wrong place would reach a log.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from archiver.config.table import Table, problems_of, read_toml
from archiver.errors import ConfigurationError
from archiver.model.account import Account, Security
from archiver.model.identity import Identity

RESERVED_ACCOUNTS = frozenset({"import"})
"""Names that cannot be given to an account: mail from `archiver import` is filed under "import"."""

LANGUAGES = ("ar", "da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "tr")
"""ISO 639-1 codes of the languages that the analysers know stems for."""

_SECURITIES: tuple[Security, ...] = ("tls", "starttls", "plaintext")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_NOT_ISO = {"UK": "GB", "EL": "GR"}
_NO_MAILBOX_HINT = "a mailbox name, a LIST pattern with * or %, or a special use such as \\\\Sent"


class ArchiveSettings(Struct, frozen=True):
    """Where the archive lies, and the key files, which never lie inside it.

    `machine_key_file` opens the archive without a person; None where there is no machine slot.
    """

    path: Path
    collector_key_file: Path
    machine_key_file: Path | None = None


class SearchSettings(Struct, frozen=True):
    """Languages whose mail is searched, ISO 639-1, the most used first."""

    languages: tuple[str, ...] = ("nl", "fr", "en", "de")


class SyncSettings(Struct, frozen=True):
    """Bounds of the parse workers: their number (0: one for each core), seconds and bytes for one message."""

    workers: int = 0
    parse_seconds: float = 30.0
    parse_memory_bytes: int = 1 << 30

    @property
    def worker_count(self) -> int:
        """The number of workers to start: as configured, or one for each core this process may use."""
        return self.workers or max(1, len(os.sched_getaffinity(0)))


class CustomerSettings(Struct, frozen=True):
    """How customers are read: `country` (ISO 3166-1 alpha-2) is that of numbers written without one.

    `shared_domains` are those of providers, beside the well-known ones: their addresses never link by domain.
    """

    country: str = "BE"
    shared_domains: tuple[str, ...] = ()


class AuditSettings(Struct, frozen=True):
    """Which actions want a reason (names of `model.audit.ACTIONS`, or "all"), and where checkpoints go besides.

    An anchor is "syslog", "file:PATH" or "mailbox:ACCOUNT/MAILBOX".
    """

    require_reason: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()


class Purpose(Struct, frozen=True):
    """Why a command is run, as its caller says; `ask` asks a person who is there, once, and is None without one.

    `warn` tells whoever runs it something that does not stop the command.
    """

    reason: str | None = None
    ask: Callable[[], str] | None = None
    warn: Callable[[str], None] | None = None


class BackupSettings(Struct, frozen=True):
    """How long a backup keeps older states: `keep` generations at most, none older than `keep_days`.

    What was erased can be read again from a generation made before, until that is gone.
    """

    keep: int = 7
    keep_days: int = 30


class Settings(Struct, frozen=True):
    """All of a configuration file; `source` is the file it came from, `warnings` are for `archiver doctor` to show.

    `purpose` is no part of the file: it belongs to one run, and the audit trail has it.
    Without any file, but with an archive named on the command line, reading commands still work: `source` is None then,
    `identity` and `accounts` are empty.
    """

    archive: ArchiveSettings
    identity: Identity
    accounts: tuple[Account, ...] = ()
    search: SearchSettings = SearchSettings()
    sync: SyncSettings = SyncSettings()
    customers: CustomerSettings = CustomerSettings()
    audit: AuditSettings = AuditSettings()
    backup: BackupSettings = BackupSettings()
    source: Path | None = None
    warnings: tuple[str, ...] = ()
    purpose: Purpose = Purpose()


SECTIONS: Mapping[str, type[Struct]] = {
    "archive": ArchiveSettings,
    "identity": Identity,
    "accounts": Account,
    "search": SearchSettings,
    "sync": SyncSettings,
    "customers": CustomerSettings,
    "audit": AuditSettings,
    "backup": BackupSettings,
}
"""The tables of the file; each field of a class is one key, so that the example file can be checked against them."""


def load(path: Path | None, environ: Mapping[str, str], *, archive: Path | None = None) -> Settings:
    """Read the settings from `path`, else from where `candidates` says; raise ConfigurationError with all problems.

    `archive` (from --archive), else ARCHIVER_ARCHIVE, replaces `[archive] path`. A file named by --config or
    ARCHIVER_CONFIG must exist; the others are looked for.
    """
    override = archive or (Path(environ["ARCHIVER_ARCHIVE"]) if environ.get("ARCHIVER_ARCHIVE") else None)
    source = _find(path, environ)
    if source is None:
        if override is None:
            places = ", ".join(str(p) for p in candidates(environ))
            raise ConfigurationError(
                f"no configuration file (looked for {places})",
                hint="write one from config.example.toml, or name it with --config or ARCHIVER_CONFIG",
            )
        place = Path.cwd() / override
        keys = default_collector_key(place, environ), default_machine_key(environ)
        return Settings(archive=ArchiveSettings(place, *keys), identity=Identity())
    return _parse(source, environ, override)


def candidates(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration file is looked for when none is named, first match wins.

    Never the current directory: a configuration names commands to run and servers to send passwords to, and a
    directory that somebody else can write to must not be able to bring its own.
    """
    base = environ.get("XDG_CONFIG_HOME") or str(_home(environ) / ".config")
    return Path(base) / "archiver" / "config.toml", Path("/etc/archiver/config.toml")


def default_collector_key(archive: Path, environ: Mapping[str, str]) -> Path:
    """Give the systemd credential "archiver-collector" if there is one, else the file beside the archive."""
    return _credential("archiver-collector", environ) or archive.with_name(archive.name + ".collector-key")


def default_machine_key(environ: Mapping[str, str]) -> Path | None:
    """Give the systemd credential "archiver-machine" if there is one."""
    return _credential("archiver-machine", environ)


def _credential(name: str, environ: Mapping[str, str]) -> Path | None:
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return None
    path = Path(directory) / name
    try:
        return path if path.exists() else None
    except OSError as error:
        raise ConfigurationError(
            f"the credentials at {directory} cannot be read: {error.strerror}",
            problems=(f"CREDENTIALS_DIRECTORY: {error.strerror}",),
            hint="a service's credentials are for its own processes: unset CREDENTIALS_DIRECTORY, or run as its user",
        ) from error


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or (Path(environ["ARCHIVER_CONFIG"]) if environ.get("ARCHIVER_CONFIG") else None)
    if named is not None:
        return named
    return next((candidate for candidate in candidates(environ) if candidate.is_file()), None)


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def _parse(source: Path, environ: Mapping[str, str], override: Path | None) -> Settings:
    root = read_toml(source, base=Path.cwd() / source.parent, home=_home(environ))
    section = {name: root.table(name) for name in SECTIONS if name != "accounts"}
    archive = _archive(section["archive"], environ, override)
    identity = _identity(section["identity"])
    accounts = _accounts(root, environ)
    search = _search(section["search"])
    sync = _sync(section["sync"])
    customers = _customers(section["customers"])
    audit = _audit(section["audit"], accounts)
    backup = _backup(section["backup"])
    root.finish(SECTIONS)
    for name, table in section.items():
        table.finish(SECTIONS[name].__struct_fields__)
    problems = problems_of(root)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError(
            f"{source}: {count} in the configuration",
            problems=problems,
            hint="every key is explained in config.example.toml",
        )
    settings = Settings(archive, identity, accounts, search, sync, customers, audit, backup, source)
    return replace(settings, warnings=_warnings(settings))


def _archive(table: Table, environ: Mapping[str, str], override: Path | None) -> ArchiveSettings:
    written = table.path("path")
    path = Path.cwd() / override if override is not None else written
    if path is None:
        if not table.has("path"):
            table.problem("path", 'is missing; write where the archive lies, as path = "/var/lib/archiver/archive"')
        path = Path("/nonexistent")
    collector = table.path("collector_key_file") or default_collector_key(path, environ)
    machine = table.path("machine_key_file") or default_machine_key(environ)
    for name, file in (("collector_key_file", collector), ("machine_key_file", machine)):
        if file is not None and _inside(file, path):
            table.problem(
                name, "lies inside the archive, whose backups would then carry it; put it beside it or in /etc/archiver"
            )
    return ArchiveSettings(path, collector, machine)


def _inside(file: Path, directory: Path) -> bool:
    return file.resolve().is_relative_to(directory.resolve())


def _identity(table: Table) -> Identity:
    domains = table.texts("domains")
    addresses = table.texts("addresses")
    if not all(_is_domain(domain) for domain in domains):
        table.problem(
            "domains", 'holds something that is no domain; write "example.be", or ".example.be" for subdomains'
        )
    for address in addresses:
        local, _, domain = address.rpartition("@")
        if not local or not domain or any(c.isspace() for c in address):
            table.problem("addresses", 'holds something that is no address; write "support@example.be"')
            break
    if not table.has("domains") and not table.has("addresses"):
        table.problem(
            None,
            "says nothing of who you are, so that no message has a direction; write your own mail domains, as "
            'domains = ["example.be"]',
        )
    elif not domains and not addresses and not table.failed:
        table.problem("domains", 'and addresses are both empty; write at least one, as domains = ["example.be"]')
    return Identity(domains, addresses)


def _is_domain(text: str) -> bool:
    return "@" not in text and "." in text.strip(".") and not any(c.isspace() for c in text)


def _accounts(root: Table, environ: Mapping[str, str]) -> tuple[Account, ...]:
    accounts: list[Account] = []
    names: set[str] = set()
    for table in root.tables("accounts"):
        account = _account(table, environ)
        if account.name in names:
            table.problem("name", "is used by another account too; give each account its own")
        names.add(account.name)
        table.finish(Account.__struct_fields__)
        accounts.append(account)
    return tuple(accounts)


def _account(table: Table, environ: Mapping[str, str]) -> Account:
    name = table.text("name", required='write a short name for the account, as name = "info"') or ""
    if name and not set(name) <= _NAME_CHARACTERS:
        table.problem("name", "may hold letters, digits, dots, dashes and underscores only")
    if name in RESERVED_ACCOUNTS:
        table.problem("name", "is reserved: mail from `archiver import` is filed under it")
    host = table.text("host", required='write the IMAP server\'s name, as host = "imap.example.be"') or ""
    if any(c in host for c in "/@ \t") or (":" in host and not _is_address(host)):
        table.problem("host", "must be a host name only; the port goes into port, the user into username")
    security = table.choice("security", _SECURITIES, "tls")
    allow_plaintext = table.boolean("allow_plaintext", default=False)
    if security == "plaintext" and host and not is_loopback(host) and not allow_plaintext:
        table.problem(
            "security",
            'plaintext would send the password readable to another machine; use "tls" or "starttls" '
            "(or allow_plaintext = true, if that network is protected otherwise)",
        )
    password_file, password_command, password_credential = _password(table, environ)
    return Account(
        name=name,
        host=host,
        username=table.text("username", required='write the login name, as username = "info@example.be"') or "",
        port=table.integer("port", 993 if security == "tls" else 143, low=1, high=65535),
        security=security,
        password_file=password_file,
        password_command=password_command,
        password_credential=password_credential,
        mailboxes=_mailboxes(table, "mailboxes"),
        exclude=_mailboxes(table, "exclude"),
        allow_plaintext=allow_plaintext,
        ca_file=table.path("ca_file"),
        certificate_sha256=_fingerprint(table),
        connect_timeout=table.number("connect_timeout", 15.0, low=1.0, high=600.0),
        read_timeout=table.number("read_timeout", 60.0, low=1.0, high=3600.0),
        max_message_bytes=table.integer("max_message_bytes", 1 << 30, low=1 << 10, high=1 << 32),
        max_run_seconds=table.integer("max_run_seconds", 0, low=0, high=7 * 86_400),
        max_bytes_per_day=table.integer("max_bytes_per_day", 0, low=0, high=1 << 50),
    )


def _password(table: Table, environ: Mapping[str, str]) -> tuple[Path | None, tuple[str, ...], str | None]:
    """Read the three ways to a password, of which one must be given; a credential that is there is a file."""
    file, command = table.path("password_file"), table.texts("password_command")
    credential = table.text("password_credential")
    given = [key for key in ("password_file", "password_command", "password_credential") if table.has(key)]
    if len(given) > 1:
        table.problem(given[1], f"and {given[0]} are both given; keep one of them")
    elif not given:
        table.problem(
            None,
            "has no password: write password_file (a file of mode 0600 that holds it) or password_command",
        )
    elif table.has("password_command") and not command and not table.failed:
        table.problem("password_command", 'is empty; write the program and its arguments, as ["pass", "mail/info"]')
    if credential is not None:
        if not credential or not set(credential) <= _NAME_CHARACTERS or credential.startswith("."):
            table.problem("password_credential", 'must be a credential\'s name, as "imap_info"')
        else:
            file = _credential(credential, environ)
    return file, command, credential


def _mailboxes(table: Table, key: str) -> tuple[str, ...]:
    names = table.texts(key)
    if any(not name.strip() for name in names):
        table.problem(key, f"holds an empty name; each is {_NO_MAILBOX_HINT}")
    return names


def _fingerprint(table: Table) -> str | None:
    written = table.text("certificate_sha256")
    if written is None:
        return None
    digits = written.replace(":", "").lower()
    if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        table.problem("certificate_sha256", "must be a SHA-256 fingerprint: 64 hexadecimal digits, colons allowed")
    return digits


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine (RFC 6761 §6.3 for "localhost")."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _search(table: Table) -> SearchSettings:
    languages = table.texts("languages", SearchSettings().languages)
    if any(language not in LANGUAGES for language in languages):
        table.problem("languages", f"holds a language that is not known; known are {', '.join(LANGUAGES)}")
    elif len(set(languages)) != len(languages):
        table.problem("languages", "names a language twice")
    elif not languages and not table.failed:
        table.problem("languages", 'is empty; write the languages of your mail, as ["nl", "fr"]')
    return SearchSettings(languages)


def _sync(table: Table) -> SyncSettings:
    default = SyncSettings()
    return SyncSettings(
        workers=table.integer("workers", default.workers, low=0, high=256),
        parse_seconds=table.number("parse_seconds", default.parse_seconds, low=1.0, high=3600.0),
        parse_memory_bytes=table.integer("parse_memory_bytes", default.parse_memory_bytes, low=1 << 28, high=1 << 36),
    )


def _customers(table: Table) -> CustomerSettings:
    country = (table.text("country") or CustomerSettings().country).strip().upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        table.problem("country", 'must be the two letters of a country (ISO 3166-1), as "BE"')
    elif country in _NOT_ISO:
        table.problem("country", f'is no country of ISO 3166-1; write "{_NOT_ISO[country]}"')
    shared = table.texts("shared_domains")
    if not all(_is_domain(domain) and not domain.startswith(".") for domain in shared):
        table.problem("shared_domains", 'holds something that is no domain; write "provider.example"')
    return CustomerSettings(country, tuple(domain.strip().lower() for domain in shared))


def _audit(table: Table, accounts: tuple[Account, ...]) -> AuditSettings:
    from archiver.model.audit import ACTIONS

    required = table.texts("require_reason")
    if not set(required) <= {*ACTIONS, "all"}:
        table.problem("require_reason", f'holds what is no action; write "all", or some of: {", ".join(ACTIONS)}')
    anchors = table.texts("anchors")
    names = {account.name for account in accounts}
    for anchor in anchors:
        kind, _, rest = anchor.partition(":")
        if kind == "mailbox" and all(rest.partition("/")):
            if rest.partition("/")[0] not in names:
                table.problem("anchors", "names an account that is not configured")
        elif not (anchor == "syslog" or (kind == "file" and Path(rest).is_absolute())):
            table.problem(
                "anchors", 'holds what is no anchor; write "syslog", "file:/absolute/path" or "mailbox:ACCOUNT/MAILBOX"'
            )
    return AuditSettings(required, anchors)


def _backup(table: Table) -> BackupSettings:
    default = BackupSettings()
    return BackupSettings(
        keep=table.integer("keep", default.keep, low=1, high=1000),
        keep_days=table.integer("keep_days", default.keep_days, low=1, high=3650),
    )


def _warnings(settings: Settings) -> tuple[str, ...]:
    """List what works and is unwise; each says what to do."""
    found = []
    if settings.source is not None and _mode(settings.source) & (stat.S_IWGRP | stat.S_IWOTH):
        found.append(f"{settings.source} can be changed by others than its owner; run: chmod go-w {settings.source}")
    if not settings.accounts:
        found.append("no [[accounts]]: nothing is collected; `archiver import` works")
    for account in settings.accounts:
        file = account.password_file
        if file is not None and _mode(file) & (stat.S_IRWXG | stat.S_IRWXO):
            found.append(f"account {account.name}: others can read {file}; run: chmod 600 {file}")
        if file is not None and _inside(file, settings.archive.path):
            found.append(f"account {account.name}: {file} lies inside the archive, whose backups carry it; move it out")
        if (account.security, account.port) in {("starttls", 993), ("tls", 143)}:
            found.append(f'account {account.name}: port {account.port} is unusual for security = "{account.security}"')
    keys = (settings.archive.collector_key_file, settings.archive.machine_key_file)
    found.extend(
        f"others can read the key file {key}; run: chmod 600 {key}"
        for key in keys
        if key is not None and _mode(key) & (stat.S_IRWXG | stat.S_IRWXO)
    )
    return tuple(found)


def _mode(path: Path) -> int:
    """Give the permission bits; 0 where the file is absent or out of our sight, which is not this module's business.

    systemd guards its credentials by the directory and an ACL that shows as a group bit, so those never warn.
    """
    if path.is_relative_to("/run/credentials"):
        return 0
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
