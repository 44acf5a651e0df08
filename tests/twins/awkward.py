"""Text for property tests, put together of pieces that programs stumble over; letters at random hardly ever meet them.

Each piece broke something once, here or elsewhere, or is a sign that another one looks like, folds to or is joined to.
"""

from __future__ import annotations

from hypothesis import strategies as st

_SIGNS = (
    " .,:;@<>()[]{}\"'`/\\|-_=+*&%$#!?~^\t\n\r\v\f\0\x01\x1b\x1c\x1f\x7f\x85\xa0\xad"
    # Dots, spaces, dashes and quotation marks of others, and what is seen by nobody.
    "‥…․。．｡\u2007\u2010\u2011\u3000\u2028\u2029„“”‚‘’«»\u200b\u200c\u200d\u200e\u202a\u202e\u2060\u2066\u2069\ufeff\ufffd\U000e0001"
    # What is longer, shorter, or another letter when it is folded, composed, or in the other case.
    "éÉßẞİıſKÅΩﬁǰΐΣςΆᾳæŒÿ½²①٣๓Ⅷ℡㈱가각Ꭰꭰ\u0301\u0308\u0323\u0345\u0338\u3099\ufe0f\u20e3❤👩🇪東กา॥שع"
)
_WORDS = (
    *("a", "b", "ab", "x" * 70, "é" * 40, "0", "1", "9", "12", "2025-03-01", "BE", "BE0428759497", "+32", "K1001"),
    *("xn--", "www.", "http://", "mailto:", "info@acme.be", "acme.be", "co.uk", "ABCD-1234-EFGH", "AND", "OR", "NOT"),
    *("from:", "> ", "-- \n", "Re: ", "wrote:\n", "-----Original Message-----", "\r\n", "##", "#N/A", "1E+12", "=1+1"),
    *("=?utf-8?q?", "?=", "=3D", "&amp;", "&#0;", "<b>", "<!--", "url(", "\\x1b", "%00", "..", "''"),
)


def awkward(max_size: int) -> st.SearchStrategy[str]:
    """Return texts of at most `max_size` characters, without surrogates."""
    piece = st.sampled_from((*_SIGNS, *_WORDS)) | st.characters(exclude_categories=["Cs"])
    return st.lists(piece, max_size=12).map(lambda pieces: "".join(pieces)[:max_size])
