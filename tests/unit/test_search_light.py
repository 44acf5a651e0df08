"""Whoosh is imported without what parsing does not need, and nobody else notices."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys, datetime
import archiver.search.searcher
assert "whoosh" not in sys.modules, "an empty query needs no Whoosh"
from archiver.search.query.language import parse
assert "urllib.request" not in sys.modules
for name in (
    "html", "pickle", "whoosh.matching", "whoosh.query.spans", "whoosh.util.times", "whoosh.analysis",
    "whoosh.columns", "whoosh.filedb.filestore", "whoosh.lang.morph_en", "whoosh.util.text", "queue",
):
    assert name not in sys.modules, name
print(parse('x "b c" d*', datetime.datetime.now(datetime.UTC)))
import urllib.request
assert callable(urllib.request.urlopen)
from whoosh.lang.morph_en import variations
assert list(variations("walk"))
import html, pickle
assert html.escape("<") == "&lt;" and pickle.loads(pickle.dumps(1)) == 1
# What was imported with stand-ins works all the same.
from whoosh import reading
from whoosh.query import Term, Variations
assert [token.text for token in Term("x", "y").tokens()] == ["y"]
assert reading.columns.EmptyColumnReader(0, 1)[0] == 0
from whoosh import query as kinds
from whoosh.query import spans
from whoosh.query.compound import Require
assert kinds.SpanFirst is spans.SpanFirst and kinds.spans is spans and kinds.NestedParent.__name__ == "NestedParent"
assert kinds.ColumnQuery.__module__ == "whoosh.query.qcolumns" and not hasattr(kinds, "Nothing")
from whoosh.matching import ListMatcher, RequireMatcher
made = Require(Term("x", "y"), Term("x", "z")).matcherclass(ListMatcher([1, 2]), ListMatcher([2, 3]))
assert type(made) is RequireMatcher and made.id() == 2
assert Variations._btexts.__globals__["variations"]("walk") == variations("walk")
from whoosh.qparser import QueryParser, plugins
theirs = QueryParser("x", None)
theirs.add_plugin(plugins.FuzzyTermPlugin())
assert str(theirs.parse('a~2 [b TO c] "d e" f*')) == '(x:a~2 AND x:[b TO c] AND x:"d e" AND x:f*)'
"""


def test_the_language_works_without_the_left_out_modules_and_they_import_as_ever_after() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '(anywhere:<x> AND anywhere:"b c" AND anywhere:d*)'
