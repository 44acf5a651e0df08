"""Changed bytes in any stored file are told, by name, or change nothing that anybody reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.flipping import Flipping

MUTATIONS = int(os.environ.get("ARCHIVER_FLIPS", "165"))
"""`benchmarks/reliability.py` does ten thousand."""
KINDS = {
    *("archive.json", "keyring.json", "collector-key", "archive.db", "index.db", "collect.db", "pack", "pending"),
    *("archive.db-wal", "index.db-wal", "collect.db-wal"),
}


@pytest.mark.slow
@pytest.mark.timeout(120 + MUTATIONS)
def test_no_flip_cut_or_swap_in_any_stored_file_is_read_as_good(quick_path: Path) -> None:
    tally = Flipping(quick_path, seed=MUTATIONS).run(MUTATIONS)
    assert tally.bad == []
    assert set(tally.told) == KINDS
    for kind in ("archive.json", "keyring.json", "collector-key", "pack", "pending", "archive.db-wal"):
        assert tally.same[kind] == 0, f"a changed {kind} was read as good"
    for kind in ("archive.db", "index.db", "collect.db"):
        # Only a page that holds nothing may change unseen: it is written before it is read.
        assert tally.same[kind] * 10 <= tally.told[kind], f"changes of {kind} go unseen"
