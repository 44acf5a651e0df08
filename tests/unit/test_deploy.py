"""The units, the sudo rule and the lists in deploy/ fit the program, its configuration and each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest

from archiver.cli.lazy import LazyGroup
from archiver.cli.root import COMMANDS, root
from archiver.config import default_collector_key, default_machine_key, load
from archiver.store.layout import ArchivePaths

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("archiver-*.service") if "@" not in path.name)
WITH_NETWORK = {"archiver-collect.service", "archiver-sync.service", "archiver-doctor.service"}
EXAMPLE = ROOT / "config.example.toml"
SUDOERS = DEPLOY / "sudoers.d" / "archiver"
PROGRAM = "/usr/local/bin/archiver"

HARDENED: Mapping[str, list[str]] = {
    "User": ["archiver"],
    "Group": ["archiver"],
    "UMask": ["0077"],
    "NoNewPrivileges": ["yes"],
    "CapabilityBoundingSet": [""],
    "AmbientCapabilities": [""],
    "RestrictSUIDSGID": ["yes"],
    "PrivateUsers": ["yes"],
    "StateDirectory": ["archiver"],
    "StateDirectoryMode": ["0700"],
    "ProtectSystem": ["strict"],
    "ProtectHome": ["yes"],
    "PrivateTmp": ["yes"],
    "PrivateMounts": ["yes"],
    "PrivateDevices": ["yes"],
    "DevicePolicy": ["closed"],
    "ProtectProc": ["invisible"],
    "ProcSubset": ["pid"],
    "ProtectControlGroups": ["yes"],
    "ProtectKernelLogs": ["yes"],
    "ProtectKernelModules": ["yes"],
    "ProtectKernelTunables": ["yes"],
    "ProtectClock": ["yes"],
    "ProtectHostname": ["yes"],
    "RemoveIPC": ["yes"],
    "RestrictNamespaces": ["yes"],
    "RestrictRealtime": ["yes"],
    "LockPersonality": ["yes"],
    "MemoryDenyWriteExecute": ["yes"],
    "SystemCallArchitectures": ["native"],
    # Parse workers bound themselves (setrlimit, of @resources); what people unlocked (@keyring) is none of a unit's.
    "SystemCallFilter": ["@system-service", "~@privileged @keyring"],
    "KeyringMode": ["private"],
    "LimitCORE": ["0"],
    "MemorySwapMax": ["0"],
    "TasksMax": ["64"],
}


def options(name: str, section: str = "Service") -> dict[str, list[str]]:
    """The options of a section, each with all its values in order: systemd adds up, where configparser replaces."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = line.strip("[]")
        elif line and not line.startswith("#") and current == section:
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def command_of(words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """The command that these words call, and the words behind it."""
    command: click.Command = root
    context = click.Context(root)
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found is not None, rest
        command, rest = found, rest[1:]
    return command, rest


# --- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("option", list(HARDENED))
def test_every_service_is_hardened_alike(name: str, option: str) -> None:
    assert options(name).get(option) == HARDENED[option]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_network_only_if_it_talks_to_servers(name: str) -> None:
    service = options(name)
    if name in WITH_NETWORK:
        assert service["RestrictAddressFamilies"] == ["AF_INET AF_INET6 AF_UNIX"]
        assert "PrivateNetwork" not in service
    else:
        assert service["RestrictAddressFamilies"] == ["AF_UNIX"]
        assert (service["PrivateNetwork"], service["IPAddressDeny"]) == (["yes"], ["any"])
        assert "LoadCredential" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_a_command_with_options_that_there_are(name: str) -> None:
    (line,) = options(name)["ExecStart"]
    program, *words = line.split()
    assert program == PROGRAM
    command, rest = command_of(words)
    known = {option for parameter in command.params for option in parameter.opts}
    # What is no option is a place that the service may write to.
    assert set(rest) <= known | set(options(name).get("ReadWritePaths", []))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_fails_is_told_of(name: str) -> None:
    assert options(name, "Unit")["OnFailure"] == ["archiver-failed@%n.service"]
    assert (UNITS / "archiver-failed@.service").exists()
    # Only a stop in good order is no failure: what is incomplete (4) has to be seen.
    assert options(name)["SuccessExitStatus"] == ["130"]


def test_the_collector_has_no_key_that_opens_mail_nor_sees_what_one_would_open() -> None:
    service = options("archiver-collect.service")
    assert service["ExecStart"] == [f"{PROGRAM} sync --collect-only"]
    assert "LoadCredentialEncrypted" not in service
    assert not any("machine" in value for value in service["LoadCredential"])
    paths = ArchivePaths(load(EXAMPLE, {}).archive.path)
    hidden = {f"-{path}" for path in (paths.database, paths.index, paths.keyring)}
    assert set(service["InaccessiblePaths"]) == hidden


def test_credentials_have_the_names_that_the_configuration_looks_for(tmp_path: Path) -> None:
    given = [value.partition(":")[0] for value in options("archiver-sync.service")["LoadCredentialEncrypted"]]
    text = (UNITS / "archiver-sync.service").read_text(encoding="utf-8")
    given += re.findall(r"^# LoadCredential=([^:]+):", text, re.MULTILINE)
    for name in given:
        (tmp_path / name).write_bytes(b"")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert default_machine_key(environ) == tmp_path / "archiver-machine"
    assert default_collector_key(Path("/nowhere/archive"), environ) == tmp_path / "archiver-collector"


def test_the_example_names_a_password_as_systemd_names_a_file_of_the_directory() -> None:
    (name,) = re.findall(r'^#password_credential = "(.*)"$', EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    account = load(EXAMPLE, {}).accounts[0].name
    for service in WITH_NETWORK:
        # systemd.exec(5): each file of a directory becomes a credential of the given name, "_" and the file's name
        (identifier, directory) = options(service)["LoadCredential"][0].split(":")
        assert f"{identifier}_{account}" == name
        assert directory == "/etc/archiver/passwords"


def test_secrets_that_root_hands_over_lie_where_only_root_writes() -> None:
    lines = (DEPLOY / "tmpfiles.d" / "archiver.conf").read_text(encoding="utf-8").splitlines()
    made = {fields[1]: fields[2:5] for fields in map(str.split, lines) if fields and fields[0] == "d"}
    assert made["/var/lib/archiver"] == ["0700", "archiver", "archiver"]
    for service in SERVICES:
        for option in ("LoadCredential", "LoadCredentialEncrypted"):
            for value in options(service).get(option, []):
                # systemd.exec(5): without a path it is looked for in /etc/credstore.encrypted, among others
                path = Path(value.partition(":")[2] or f"/etc/credstore.encrypted/{value}")
                place = next(str(each) for each in (path, *path.parents) if str(each) in made)
                assert made[place] == ["0700", "root", "root"]


def test_the_archive_of_the_example_lies_in_the_directory_of_the_state() -> None:
    place = load(EXAMPLE, {}).archive.path
    for name in SERVICES:
        (state,) = options(name)["StateDirectory"]
        assert place.parent == Path("/var/lib") / state
        assert options(name)["WorkingDirectory"] == [str(place.parent)]


@pytest.mark.parametrize("timer", sorted(path.name for path in UNITS.glob("*.timer")))
def test_a_timer_starts_a_service_that_there_is_and_is_what_gets_enabled(timer: str) -> None:
    service = timer.replace(".timer", ".service")
    assert service in SERVICES
    assert options(timer, "Timer")["Persistent"] == ["yes"]
    assert options(timer, "Install") == {"WantedBy": ["timers.target"]}
    assert not options(service, "Install")


def test_the_user_of_the_units_is_made_and_can_neither_log_in_nor_be_given_a_configuration_at_home() -> None:
    text = (DEPLOY / "sysusers.d" / "archiver.conf").read_text(encoding="utf-8")
    (home, shell) = re.findall(r'^u archiver - "[^"]+" (\S+) (\S+)$', text, re.MULTILINE)[0]
    assert (home, shell) == ("/nonexistent", "/usr/sbin/nologin")
    groups = set(re.findall(r"^g (\S+)", text, re.MULTILINE))
    assert set(re.findall(r"^%(\S+)", SUDOERS.read_text(encoding="utf-8"), re.MULTILINE)) == groups


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_knows_every_option_and_finds_little_exposed(name: str) -> None:
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(UNITS / name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in verified.stderr.splitlines() if "is not executable" not in line]
    assert [line for line in said if line.startswith((name, str(UNITS)))] == []
    security = subprocess.run(
        # In tenths of what systemd prints: 1.5, where 10 is without any protection.
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(UNITS / name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert security.returncode == 0, security.stdout[-300:]


# --- the sudo rule ----------------------------------------------------------------------------------------------------


def alias(name: str) -> list[list[str]]:
    """The commands of an alias, as lists of words behind the program's name."""
    text = SUDOERS.read_text(encoding="utf-8").replace("\\\n", "")
    (body,) = re.findall(rf"^Cmnd_Alias {name} =(.*)$", text, re.MULTILINE)
    commands = [each.split() for each in body.split(",")]
    assert all(words[0] == PROGRAM for words in commands)
    return [words[1:] for words in commands]


ALLOWED = [*alias("ARCHIVER_STAFF"), *alias("ARCHIVER_OFFICE")]


@pytest.mark.parametrize("words", ALLOWED, ids=" ".join)
def test_a_rule_names_a_command_first_so_that_no_global_option_can_stand_before_it(words: list[str]) -> None:
    assert words[0] in COMMANDS
    command, rest = command_of([word for word in words if word != "*"])
    assert not rest
    assert not isinstance(command, click.Group) or words[-1] != "*" or words[0] == "saved"
    assert words.count("*") == (words[-1] == "*")


def paths_taken(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            yield parameter.opts[-1]
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            each = command.get_command(click.Context(command), name)
            assert each is not None
            yield from paths_taken(each)


@pytest.mark.parametrize("words", ALLOWED, ids=" ".join)
def test_no_command_of_the_rule_reads_or_writes_a_file_that_the_caller_names(words: list[str]) -> None:
    """It would do so with the rights of the archive's user: read its secrets, write over the archive."""
    if words[-1] != "*":
        return
    command, _ = command_of(words[:-1])
    denied = {word.strip("*") for denial in alias("ARCHIVER_SAVING") if denial[0] == words[0] for word in denial[1:]}
    assert set(paths_taken(command)) <= denied


def test_what_takes_a_file_is_known_to_the_test_above() -> None:
    assert isinstance(root, LazyGroup)
    taking = {name for name in COMMANDS if any(paths_taken(command_of([name])[0]))}
    assert {"init", "import", "show", "backup", "restore", "key", "customer"} <= taking


def test_of_the_callers_environment_sudo_keeps_nothing_that_starts_a_program_or_names_a_file() -> None:
    text = SUDOERS.read_text(encoding="utf-8")
    (kept,) = re.findall(r'env_keep = "([^"]*)"', text)
    names = set(kept.split())
    assert "ARCHIVER_REASON" in names
    assert {name for name in names if name.startswith("ARCHIVER_")} == {"ARCHIVER_REASON"}
    assert not names & {"PAGER", "LESS", "LESSOPEN", "EDITOR", "PATH", "HOME", "XDG_CONFIG_HOME", "PYTHONPATH"}
    assert "!setenv" in text
    assert "SETENV:" not in text


@pytest.mark.skipif(shutil.which("visudo", path="/usr/sbin:/usr/bin") is None, reason="visudo is not on this machine")
def test_visudo_accepts_the_rule() -> None:
    program = shutil.which("visudo", path="/usr/sbin:/usr/bin") or ""
    checked = subprocess.run(
        [program, "-c", "-s", "-q", "-f", "-"], input=SUDOERS.read_bytes(), capture_output=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr.decode()
