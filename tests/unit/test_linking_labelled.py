"""The labelled set, filed by the program through its own import, reaches what linking must reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labelled.filing import Tally, file_and_compare

PRECISION, RECALL = 0.995, 0.97


@pytest.mark.parametrize(("customers_first", "each"), [(False, 20), (True, 4)])
def test_the_labelled_set_is_filed_as_a_careful_colleague_would(
    customers_first: bool, each: int, tmp_path: Path
) -> None:
    tallies = file_and_compare(tmp_path, seed=1, each=each, customers_first=customers_first)
    total = Tally()
    for tally in tallies.values():
        total.messages += tally.messages
        total.right += tally.right
        total.wrong += tally.wrong
        total.missing += tally.missing
    worst = sorted(tallies.items(), key=lambda item: -(item[1].wrong + item[1].missing))[:5]
    told = [f"{kind}: {tally.wrong} wrong, {tally.missing} missing" for kind, tally in worst]
    assert len(tallies) >= 300
    assert customers_first or total.messages >= 2000
    assert total.precision >= PRECISION, told
    assert total.recall >= RECALL, told
