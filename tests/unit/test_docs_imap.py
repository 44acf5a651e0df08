"""docs/imap.md says what archiver says: every wording that it explains is in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def wordings() -> list[str]:
    text = (ROOT / "docs/imap.md").read_text()
    table = text[text.index("| archiver says") : text.index("## How long")]
    first = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    return [wording for cell in first for wording in re.findall(r"`([^`]+)`", cell)]


def test_the_table_is_found() -> None:
    assert len(wordings()) > 15


@pytest.mark.parametrize("wording", wordings())
def test_a_wording_that_is_explained_is_one_that_is_used(wording: str) -> None:
    folders = ("archiver/imap", "archiver/core", "archiver/app")
    texts = [path.read_text() for folder in folders for path in sorted((ROOT / folder).glob("*.py"))]
    # A message may be parted over two lines of source.
    joined = [re.sub(r'"\s*\n\s*f?"', "", text) for text in texts]
    assert any(wording in text for text in joined)
