"""Loading a configuration: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archiver import config
from archiver.config import (
    LANGUAGES,
    Settings,
    candidates,
    default_collector_key,
    default_machine_key,
    is_loopback,
    load,
)
from archiver.errors import ConfigurationError
from archiver.model.account import Account

MINIMAL = """\
[archive]
path = "mail"
[identity]
domains = ["example.be"]
"""

ACCOUNT = """\
[[accounts]]
name = "info"
host = "imap.example.be"
username = "info@example.be"
password_file = "info.password"
"""


def write(directory: Path, text: str) -> Path:
    path = directory / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def settings_of(directory: Path, text: str) -> Settings:
    return load(write(directory, text), {})


def problems_of(directory: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(directory, text)
    assert caught.value.exit_code == 3
    assert caught.value.problems
    return caught.value.problems


def account_of(directory: Path, lines: str) -> Account:
    return settings_of(directory, MINIMAL + ACCOUNT + lines).accounts[0]


# --- what is accepted -------------------------------------------------------------------------------------------------


def test_a_minimal_file_gives_settings_with_every_default(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, MINIMAL + ACCOUNT)
    assert settings.archive.path == tmp_path / "mail"
    assert settings.archive.collector_key_file == tmp_path / "mail.collector-key"
    assert settings.identity.domains == ("example.be",)
    assert settings.accounts == (
        Account("info", "imap.example.be", "info@example.be", password_file=tmp_path / "info.password"),
    )
    assert settings.search.languages == ("nl", "fr", "en", "de")
    assert settings.source == tmp_path / "config.toml"
    assert settings.sync.worker_count >= 1


def test_no_account_is_allowed_and_warned_of_because_import_needs_none(tmp_path: Path) -> None:
    assert any("archiver import" in warning for warning in settings_of(tmp_path, MINIMAL).warnings)


@pytest.mark.parametrize(("security", "port"), [("tls", 993), ("starttls", 143)])
def test_the_port_follows_the_security_unless_written(tmp_path: Path, security: str, port: int) -> None:
    assert account_of(tmp_path, f'security = "{security}"\n').port == port
    assert account_of(tmp_path, f'security = "{security}"\nport = 1143\n').port == 1143


def test_relative_paths_start_where_the_file_lies_and_a_tilde_is_the_home_directory(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        MINIMAL + ACCOUNT.replace('"info.password"', '"~/pw"') + 'ca_file = "../ca.pem"\n',
    )
    account = load(path, {"HOME": "/home/someone"}).accounts[0]
    assert account.password_file == Path("/home/someone/pw")
    assert account.ca_file == tmp_path / "../ca.pem"


def test_a_relative_config_path_still_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, MINIMAL)
    monkeypatch.chdir(tmp_path)
    assert load(Path("config.toml"), {}).archive.path == tmp_path / "mail"


def test_a_fingerprint_is_accepted_with_colons_and_capitals(tmp_path: Path) -> None:
    written = ":".join(["AB"] * 32)
    assert account_of(tmp_path, f'certificate_sha256 = "{written}"\n').certificate_sha256 == "ab" * 32


def test_plaintext_is_accepted_to_loopback_and_elsewhere_only_when_asked_for(tmp_path: Path) -> None:
    local = ACCOUNT.replace("imap.example.be", "127.0.0.1")
    assert settings_of(tmp_path, MINIMAL + local + 'security = "plaintext"\n').accounts[0].security == "plaintext"
    assert account_of(tmp_path, 'security = "plaintext"\nallow_plaintext = true\n').allow_plaintext


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "mail.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_hosts_that_can_only_be_this_machine_are_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example.be", "notlocalhost", "10.0.0.1", "128.0.0.1", "::2", "0.0.0.0", ""]
)
def test_any_other_host_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_every_language_is_accepted(tmp_path: Path) -> None:
    listed = ", ".join(f'"{language}"' for language in LANGUAGES)
    assert settings_of(tmp_path, f"{MINIMAL}[search]\nlanguages = [{listed}]\n").search.languages == LANGUAGES


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(path, {}).archive.path == tmp_path / "mail"


# --- where it is looked for -------------------------------------------------------------------------------------------


def test_the_option_wins_over_the_environment_and_that_over_the_usual_places(tmp_path: Path) -> None:
    paths = {}
    for name in ("option", "environ", "home/archiver"):
        (tmp_path / name).mkdir(parents=True)
        paths[name] = write(tmp_path / name, MINIMAL)
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    assert load(None, environ).source == paths["home/archiver"]
    environ["ARCHIVER_CONFIG"] = str(paths["environ"])
    assert load(None, environ).source == paths["environ"]
    assert load(paths["option"], environ).source == paths["option"]


def test_the_current_directory_is_never_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config.toml", "archiver.toml"):
        (tmp_path / name).write_text(MINIMAL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    places = candidates({"HOME": str(tmp_path / "home")})
    assert places == (tmp_path / "home/.config/archiver/config.toml", Path("/etc/archiver/config.toml"))


def test_a_file_named_that_does_not_exist_is_an_error_even_if_another_exists(tmp_path: Path) -> None:
    (tmp_path / "archiver").mkdir()
    write(tmp_path / "archiver", MINIMAL)
    with pytest.raises(ConfigurationError, match="does not exist"):
        load(None, {"XDG_CONFIG_HOME": str(tmp_path), "ARCHIVER_CONFIG": str(tmp_path / "absent.toml")})


@pytest.fixture
def no_system_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look in the home directory only: the machine that runs the tests may have a configuration of its own."""
    monkeypatch.setattr(config, "candidates", lambda environ: candidates(environ)[:1])


@pytest.mark.usefixtures("no_system_file")
def test_without_any_file_the_error_names_the_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"archiver/config\.toml") as caught:
        load(None, {"HOME": str(tmp_path)})
    assert "ARCHIVER_CONFIG" in (caught.value.hint or "")


@pytest.mark.usefixtures("no_system_file")
def test_an_archive_named_without_any_file_is_enough_to_read(tmp_path: Path) -> None:
    settings = load(None, {"HOME": str(tmp_path), "ARCHIVER_ARCHIVE": str(tmp_path / "a")})
    assert settings.archive.path == tmp_path / "a"
    assert settings.source is None
    assert not settings.identity


def test_the_archive_option_wins_over_environment_and_file_and_moves_the_default_credential(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    environ = {"ARCHIVER_ARCHIVE": "/srv/from-environ"}
    assert load(path, environ).archive.path == Path("/srv/from-environ")
    settings = load(path, environ, archive=Path("/srv/other"))
    assert settings.archive.path == Path("/srv/other")
    assert settings.archive.collector_key_file == Path("/srv/other.collector-key")


def test_a_systemd_credential_is_used_when_there_is_one(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert default_collector_key(Path("/srv/mail"), environ) == Path("/srv/mail.collector-key")
    (tmp_path / "archiver-collector").write_bytes(b"")
    assert default_collector_key(Path("/srv/mail"), environ) == tmp_path / "archiver-collector"
    assert default_machine_key(environ) is None
    (tmp_path / "archiver-machine").write_bytes(b"")
    assert default_machine_key(environ) == tmp_path / "archiver-machine"


def test_a_password_may_be_a_credential_which_is_a_file_within_the_service_only(tmp_path: Path) -> None:
    account = ACCOUNT.replace('password_file = "info.password"', 'password_credential = "imap_info"')
    path = write(tmp_path, MINIMAL + account)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "imap_info").write_bytes(b"secret\n")
    outside, within = (
        load(path, environ).accounts[0] for environ in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")})
    )
    assert (outside.password_credential, outside.password_file) == ("imap_info", None)
    assert within.password_file == tmp_path / "given" / "imap_info"


# --- what is refused --------------------------------------------------------------------------------------------------


def test_all_problems_come_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path,
        '[archive]\npth = "x"\n[identity]\ndomains = [1]\n[[accounts]]\nname = "a b"\nport = "993"\n[serch]\n',
    )
    lines = [int(problem.split(":")[0].removeprefix("line ")) for problem in problems]
    assert lines == sorted(lines)
    text = "\n".join(problems)
    for expected in (
        "line 1: archive.path is missing",
        'line 2: archive.pth is not a known key; did you mean "path"?',
        "line 4: identity.domains must be a list of texts",
        "line 5: accounts[1] has no password",
        "line 5: accounts[1].host is missing",
        "line 5: accounts[1].username is missing",
        "line 6: accounts[1].name may hold",
        "line 7: accounts[1].port must be an integer",
        'line 8: serch is not a known key; did you mean "search"?',
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('security = "tsl"', 'did you mean "tls"?'),
        ("security = true", "must be"),
        ('security = "plaintext"', "readable to another machine"),
        ('password_command = ["pass"]', "keep one of them"),
        ('password_credential = "imap_info"', "keep one of them"),
        ("port = 0", "from 1 to 65535"),
        ("port = 65536", "from 1 to 65535"),
        ("port = true", "must be an integer"),
        ("connect_timeout = 0", "from 1 to 600"),
        ("read_timeout = nan", "from 1 to 3600"),
        ("read_timeout = inf", "from 1 to 3600"),
        ("max_message_bytes = -1", "from 1024"),
        ("max_message_bytes = 1.5", "must be an integer"),
        ('allow_plaintext = "yes"', "true or false"),
        ('mailboxes = "INBOX"', "must be a list"),
        ('mailboxes = [""]', "empty name"),
        ('exclude = ["INBOX", 3]', "must be a list"),
        ('certificate_sha256 = "abc"', "64 hexadecimal digits"),
        ('ca_file = ""', "is empty"),
        ("ca_file = 2025-01-01", "it is a date or time"),
        ('ca_file = "a\\u0007b"', "control character"),
        ('oauth2 = {client = "x"}', "not a known key"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(tmp_path: Path, lines: str, expected: str) -> None:
    problems = problems_of(tmp_path, MINIMAL + ACCOUNT + lines + "\n")
    assert any(expected in problem and problem.startswith("line 10:") for problem in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('password_file = "info.password"\n', "", "has no password"),
        ('password_file = "info.password"\n', 'password_credential = "../imap_info"\n', "must be a credential's name"),
        ('password_file = "info.password"\n', "password_command = []\n", "password_command is empty"),
        ('"info"', '"import"', "reserved"),
        ('"info"', '""', "is empty"),
        ('"imap.example.be"', '"imaps://imap.example.be"', "host name only"),
        ('"imap.example.be"', '"imap.example.be:993"', "host name only"),
        ('"info@example.be"', '""', "username is empty"),
    ],
)
def test_an_account_that_cannot_work_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in ACCOUNT
    assert any(expected in p for p in problems_of(tmp_path, MINIMAL + ACCOUNT.replace(old, new, 1)))


def test_two_accounts_of_one_name_are_refused_and_the_second_is_pointed_at(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, MINIMAL + ACCOUNT + ACCOUNT)
    assert problems == ("line 11: accounts[2].name is used by another account too; give each account its own",)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ("", 'write your own mail domains, as domains = ["example.be"]'),
        ("[identity]\n", 'write your own mail domains, as domains = ["example.be"]'),
        ("[identity]\ndomains = []\n", "both empty"),
        ("[identity]\ndomains = []\naddresses = []\n", "both empty"),
        ('[identity]\ndomains = ["info@example.be"]\n', "no domain"),
        ('[identity]\ndomains = ["be"]\n', "no domain"),
        ('[identity]\naddresses = ["example.be"]\n', "no address"),
        ('[identity]\naddresses = ["@example.be"]\n', "no address"),
    ],
)
def test_without_an_identity_nothing_has_a_direction_so_it_is_refused(
    tmp_path: Path, identity: str, expected: str
) -> None:
    assert any(expected in p for p in problems_of(tmp_path, '[archive]\npath = "m"\n' + identity))


@pytest.mark.parametrize("key", ["collector_key_file", "machine_key_file"])
@pytest.mark.parametrize("inside", ["mail/key", "mail/a/b/key", "./mail/../mail/key", "mail"])
def test_no_key_file_ever_lies_inside_the_archive(tmp_path: Path, inside: str, key: str) -> None:
    text = MINIMAL.replace("[identity]", f'{key} = "{inside}"\n[identity]')
    assert any("inside the archive" in problem for problem in problems_of(tmp_path, text))


def test_a_symbolic_link_does_not_hide_that_the_credential_lies_inside(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "mail")
    text = MINIMAL.replace("[identity]", 'collector_key_file = "elsewhere/key"\n[identity]')
    assert any("inside the archive" in problem for problem in problems_of(tmp_path, text))


@pytest.mark.parametrize("languages", ['["xx"]', "[]", '["nl", "nl"]', '"nl"', "[1]"])
def test_languages_that_mean_nothing_are_refused(tmp_path: Path, languages: str) -> None:
    assert problems_of(tmp_path, f"{MINIMAL}[search]\nlanguages = {languages}\n")[0].startswith(
        "line 6: search.languages"
    )


@pytest.mark.parametrize(
    "text", ["archive = 1", "[[archive]]", "accounts = 3", "[accounts]", "accounts = [1]", "sync = []", "search = ''"]
)
def test_a_table_of_the_wrong_kind_is_a_problem_and_no_crash(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text + "\n")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"[archive]\npath = \n", "line 2, column 8: a value was expected"),
        (b'[archive]\npath = "x\n', "line 2"),
        (b'[archive]\npath = "x"\npath = "y"\n', "a second time"),
        (b"[archive]\npath = x\xff\n", "line 2: not UTF-8"),
        (b"[archive", "not valid TOML"),
        (b"\x00", "line 1"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_the_place(tmp_path: Path, octets: bytes, expected: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(octets)
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    assert any(expected in problem for problem in caught.value.problems), caught.value.problems


def test_a_directory_given_as_file_is_refused_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path, {})


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        'password = "canary-pw"',
        'Password = "canary-pw"',
        'password_command = "canary-pw"',
        'certificate_sha256 = "canary-pw"',
        'security = "canary-pw"',
        'mailboxes = "canary-pw"',
        'port = "canary-pw"',
        'mailboxes = ["canary-pw", 1]',
        "password = canary-pw",
        'password = "canary-pw',
        'name = "canary-pw" canary-pw',
    ],
)
def test_no_problem_ever_repeats_a_value_because_it_may_be_a_password(tmp_path: Path, lines: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(tmp_path, MINIMAL + ACCOUNT + lines + "\n")
    assert "canary-pw" not in "\n".join((str(caught.value), caught.value.hint or "", *caught.value.problems))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("key", ["password", "Password", "passwd"])
def test_a_password_in_the_file_is_refused_with_where_it_belongs(tmp_path: Path, key: str) -> None:
    problems = problems_of(tmp_path, f'{MINIMAL}{ACCOUNT}{key} = "x"\n')
    assert len(problems) == 1
    assert problems[0].startswith(f"line 10: accounts[1].{key} does not belong in this file")
    assert "password_file" in problems[0]


# --- warnings ---------------------------------------------------------------------------------------------------------


def test_a_tidy_set_up_has_no_warning(tmp_path: Path) -> None:
    (tmp_path / "info.password").write_text("x", encoding="utf-8")
    (tmp_path / "info.password").chmod(0o600)
    assert settings_of(tmp_path, MINIMAL + ACCOUNT).warnings == ()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_password_file_that_others_can_read_is_warned_of_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    (tmp_path / "info.password").write_text("x", encoding="utf-8")
    (tmp_path / "info.password").chmod(mode)
    warnings = settings_of(tmp_path, MINIMAL + ACCOUNT).warnings
    assert len(warnings) == 1
    assert f"chmod 600 {tmp_path / 'info.password'}" in warnings[0]


def test_a_credential_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "mail.collector-key").write_bytes(b"x")
    (tmp_path / "mail.collector-key").chmod(0o644)
    assert any("collector-key" in warning for warning in settings_of(tmp_path, MINIMAL + ACCOUNT).warnings)


def test_a_configuration_that_others_can_change_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL + ACCOUNT)
    path.chmod(0o666)
    assert any("can be changed by others" in warning for warning in load(path, {}).warnings)


def test_a_password_file_inside_the_archive_is_warned_of(tmp_path: Path) -> None:
    text = MINIMAL + ACCOUNT.replace("info.password", "mail/info.password")
    assert any("inside the archive" in warning for warning in settings_of(tmp_path, text).warnings)


def test_a_port_that_does_not_fit_the_security_is_warned_of(tmp_path: Path) -> None:
    warnings = settings_of(tmp_path, MINIMAL + ACCOUNT + 'security = "starttls"\nport = 993\n').warnings
    assert any("port 993" in warning for warning in warnings)


def test_the_number_of_workers_is_the_cores_of_this_process_unless_written(tmp_path: Path) -> None:
    assert settings_of(tmp_path, MINIMAL).sync.worker_count == len(os.sched_getaffinity(0))
    assert settings_of(tmp_path, MINIMAL + "[sync]\nworkers = 7\n").sync.worker_count == 7


# --- customers --------------------------------------------------------------------------------------------------------


def test_customers_are_belgian_and_no_domain_is_shared_beside_the_known_ones_unless_written(tmp_path: Path) -> None:
    customers = settings_of(tmp_path, MINIMAL).customers
    assert (customers.country, customers.shared_domains) == ("BE", ())


def test_the_country_and_the_shared_domains_are_read_in_any_case(tmp_path: Path) -> None:
    text = MINIMAL + '[customers]\ncountry = "nl"\nshared_domains = ["Provider.Example"]\n'
    customers = settings_of(tmp_path, text).customers
    assert (customers.country, customers.shared_domains) == ("NL", ("provider.example",))


@pytest.mark.parametrize(
    ("country", "wanted"), [("Belgium", "two letters"), ("B3", "two letters"), ("UK", '"GB"'), ("el", '"GR"')]
)
def test_a_country_that_is_no_code_is_refused_with_what_to_write(tmp_path: Path, country: str, wanted: str) -> None:
    (problem,) = problems_of(tmp_path, f'{MINIMAL}[customers]\ncountry = "{country}"\n')
    assert problem.startswith("line 6: customers.country ")
    assert wanted in problem


@pytest.mark.parametrize("domain", ["jan@provider.example", "provider", ".provider.example", "a b.example", ""])
def test_a_shared_domain_that_is_no_domain_is_refused(tmp_path: Path, domain: str) -> None:
    (problem,) = problems_of(tmp_path, f'{MINIMAL}[customers]\nshared_domains = ["{domain}"]\n')
    assert problem.startswith("line 6: customers.shared_domains holds something that is no domain")


def test_credentials_that_cannot_be_reached_are_a_problem_of_the_configuration() -> None:
    environ = {"CREDENTIALS_DIRECTORY": "/" + "x" * 5000}  # which no file system takes, not even from root
    with pytest.raises(ConfigurationError, match="credentials"):
        load(None, {**environ, "HOME": "/nowhere"}, archive=Path("/nowhere/archive"))
