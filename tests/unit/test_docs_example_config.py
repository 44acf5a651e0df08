"""The example configuration stays true: it is valid, holds every key, and shows the defaults that the code has."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from archiver.config import SECTIONS, load

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
_COMMENTED = re.compile(r"^#(?=[a-z_0-9]+ = )", re.MULTILINE)


def _tables(text: str) -> dict[str, dict[str, Any]]:
    return {name: value[0] if isinstance(value, list) else value for name, value in tomllib.loads(text).items()}


def _keys() -> Iterator[tuple[str, str]]:
    for section, type_ in SECTIONS.items():
        for field in fields(type_):
            yield section, field.name


def _default(section: str, key: str) -> object:
    field = next(f for f in fields(SECTIONS[section]) if f.name == key)
    return None if field.default is NODEFAULT else field.default


TEXT = EXAMPLE.read_text(encoding="utf-8")
WRITTEN = _tables(TEXT)
SHOWN = _tables(_COMMENTED.sub("", TEXT))


def test_the_example_is_a_valid_configuration() -> None:
    settings = load(EXAMPLE, {})
    assert str(settings.archive.path) == "/var/lib/archiver/archive"
    assert [account.name for account in settings.accounts] == ["info"]


@pytest.mark.parametrize(("section", "key"), list(_keys()))
def test_every_key_of_the_settings_is_in_the_example(section: str, key: str) -> None:
    assert key in SHOWN[section]


@pytest.mark.parametrize("section", list(SECTIONS))
def test_the_example_holds_no_key_that_the_settings_lack(section: str) -> None:
    assert set(SHOWN[section]) <= {field.name for field in fields(SECTIONS[section])}


@pytest.mark.parametrize(
    ("section", "key"),
    [(section, key) for section in SHOWN for key in SHOWN[section] if key not in WRITTEN.get(section, {})],
)
def test_a_line_that_is_commented_out_shows_the_default_of_the_code(section: str, key: str) -> None:
    """A key without a default says "no default" in the comment above it."""
    default = _default(section, key)
    shown = SHOWN[section][key]
    if isinstance(default, tuple):
        default = list(default)
    comment = TEXT.split(f"\n#{key} = ")[0].rpartition("\n\n")[2]
    if default in (None, []) and shown != default:
        assert "no default" in comment.lower()
    else:
        assert shown == default
        assert "no default" not in comment.lower()


def test_the_example_is_also_valid_with_every_default_written_out(tmp_path: Path) -> None:
    text = _COMMENTED.sub("", TEXT)
    for other in ('password_command = ["pass", "show", "mail/info"]\n', 'password_credential = "imap_info"\n'):
        assert other in text
        text = text.replace(other, "")
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    written, plain = load(path, {}), load(EXAMPLE, {})
    assert written.sync == plain.sync
    assert written.search == plain.search
    assert written.archive == replace(plain.archive, machine_key_file=written.archive.machine_key_file)
