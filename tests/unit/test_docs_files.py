"""The documents stay true: links lead somewhere, commands exist, pins fit, words keep their meaning."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from archiver.cli.root import COMMANDS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text_of(document))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_named_is_a_command(document: Path) -> None:
    named = re.findall(r"(?:^|`)archiver ([a-z][a-z-]*)", text_of(document), re.MULTILINE)
    assert sorted(set(named) - set(COMMANDS)) == []


def test_the_readme_names_every_command_or_a_document_that_does() -> None:
    unnamed = [name for name in COMMANDS if f"archiver {name}" not in text_of(ROOT / "README.md")]
    assert all(f"`{name}`" in text_of(ROOT / "CHANGELOG.md") for name in unnamed)


def test_every_make_target_named_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in re.findall(r"(?:^|`)make ([a-z]+)", text_of(path), re.MULTILINE)}
    assert named
    assert named <= targets


def test_the_commands_for_machines_without_make_are_those_that_make_runs() -> None:
    makefile, readme = text_of(ROOT / "Makefile"), text_of(ROOT / "README.md")
    for command in ("sh .ci/venv", ".venv/bin/python -m demo", "sh .ci/test"):
        assert command in makefile
        assert command in readme


def test_the_lock_file_pins_every_dependency_within_its_range() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    pins = dict(line.split("==") for line in LOCK.splitlines() if "==" in line and not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    assert len(wanted) > 15
    for requirement in map(Requirement, wanted):
        assert canonicalize_name(requirement.name) in pinned, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_every_line_of_the_lock_file_is_one_exact_pin() -> None:
    lines = [line for line in LOCK.splitlines() if line.strip() and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    assert len({canonicalize_name(line.partition("==")[0]) for line in lines}) == len(lines)


def test_the_changelog_and_the_licence_are_those_of_the_project() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text_of(ROOT / "LICENSE")
    assert text_of(ROOT / "CHANGELOG.md").startswith("# Changes")


def test_no_code_uses_the_word_that_has_three_meanings() -> None:
    """See the glossary; IMAP's ENVELOPE and what servers write in Received may be named, ours in prose may not."""
    word = re.compile("enve" + "lope(?!-from)")
    found = [
        str(path.relative_to(ROOT))
        for folder in ("archiver", "demo", "docs", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".md"} and word.search(text_of(path))
    ]
    assert found == []
