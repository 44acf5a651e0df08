"""FTS5 with our compiler, and Whoosh on its own, find the same mails for the same query."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twins.whoosh_oracle import DIRECTIONS, Mail, Oracle, world

# Few words, so that they meet; each kind of folding and cutting among them.
_WORDS = (
    "contract", "Contracten", "één", "een", "licence", "key", "e-mail", "l'offre", "Straße", "strasse", "東京", "京都",
    "서비스", "0123.456.789", "invoice_2025.pdf", "or", "NOTE", "jan@example.be", "mail", "2025", "ﬁn", "été",
)  # fmt: skip
_ADDRESSES = (
    "Jan Peeters jan@example.be", "piet-jan@example.be", "An Élan an@my-example.be", "root", "x@sub.example.be",
    "jan@example.be.evil.test",
)  # fmt: skip
_START = 1_735_689_600  # 2025-01-01

_text = st.lists(st.sampled_from(_WORDS), max_size=6).map(" ".join)
_address = st.lists(st.sampled_from(_ADDRESSES), max_size=2).map(" ".join)
_mail = st.builds(
    Mail,
    at=st.integers(0, 300).map(lambda day: _START + day * 86_400),
    subject=_text, sender=_address, recipient=_address, cc=_address, bcc=_address, body=_text, quoted=_text,
    filenames=_text, attachments=_text, direction=st.sampled_from(DIRECTIONS), files=st.integers(0, 1),
    account=st.sampled_from(("info", "sales")), mailbox=st.sampled_from(("INBOX", "Sent")),
    links=st.dictionaries(st.integers(1, 3), st.integers(0, 2), max_size=2).map(lambda links: tuple(links.items())),
    automatic=st.booleans(),
)  # fmt: skip

_word = st.sampled_from(_WORDS)
_phrase = st.lists(_word, min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"')
_prefix = st.sampled_from(("con*", "e*", "contr*", "e-m*", "東*", "東京*", "st*", "0123.4*", "jan@ex*", "l'o*"))
_anything = st.one_of(_word, _phrase, _prefix)
_field = st.sampled_from(
    ("from", "to", "cc", "bcc", "subject", "body", "quoted", "attachment", "filename", "participants")
)
_person = st.sampled_from(("jan", "jan@example.be", "@example.be", "élan", '"jan peeters"', "root", "p*", "example.be"))
_typed = st.sampled_from((
    "since:2025-03", "until:2025-02-10", "date:2025-04", "date:2025-02..2025-05", "since:yesterday",
    "date:..2025-01-20",
    "has:attachment", "direction:incoming", "direction:out", "account:info", "mailbox:sent", "mailbox:S*", "*",
    "customer:K1", "customer:k3", "customer:peeters", "customer:k*", 'candidate:"K2"', "candidate:peeters",
    "is:linked", "is:unlinked", "is:ambiguous", "is:automatic",
    "domain:example.be", "domain:be.evil.test", "domain:my-example.be", "domain:sub.example.be",
))  # fmt: skip
_leaf = st.one_of(
    _anything,
    st.tuples(_field, st.one_of(_anything, _person)).map(":".join),
    _typed,
)
_query = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map(" OR ".join),
        st.tuples(inner, inner).map(" AND ".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) NOT ({pair[1]})"),
        inner.map(lambda q: f"-({q})"),
        inner.map(lambda q: f"({q})"),
        st.tuples(_field, st.lists(_anything, min_size=1, max_size=2)).map(lambda t: f"{t[0]}:({' OR '.join(t[1])})"),
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(mails=st.lists(_mail, min_size=1, max_size=12), queries=st.lists(_query, min_size=8, max_size=16))
def test_fts5_finds_what_whoosh_finds(mails: list[Mail], queries: list[str]) -> None:
    oracle = Oracle(mails)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as indexed:
        for text in queries:
            found = indexed.found(text)
            assert set(found) == oracle.found(text), text
            assert [indexed.rows[n] for n in found] == sorted((indexed.rows[n] for n in found), reverse=True)
            assert indexed.searcher.count(text) == len(found), text
            assert set(indexed.found(text, sort="relevance")) == set(found), text
