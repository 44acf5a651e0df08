"""Every row of `rows.py` has a test of its number, and every such test a row."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from tests.faults.rows import ROWS

TESTS = Path(__file__).parent.parent


def named() -> Counter[int]:
    """Return how many tests there are for each row."""
    found: Counter[int] = Counter()
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text()
        if "test_row_" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef) and (match := re.match(r"test_row_(\d\d)_", node.name)):
                    found[int(match[1])] += 1
    return found


def test_rows_are_numbered_without_a_gap() -> None:
    assert [row.number for row in ROWS] == list(range(1, 63))
    assert len({row.title for row in ROWS}) == len(ROWS)


def test_every_row_has_a_test_that_bears_its_number() -> None:
    tests = named()
    assert [f"{row.number}: {row.title}" for row in ROWS if not tests[row.number]] == []
    assert sorted(set(tests) - {row.number for row in ROWS}) == []
