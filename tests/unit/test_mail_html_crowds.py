"""HTML whose elements have more attributes than a parser compares with each other in reasonable time."""

from __future__ import annotations

import pytest

from archiver.mail.html import MAX_ATTRIBUTES, html_to_text, is_too_deep

CROWDS = {
    "values": " a{}=1",
    "names only": " a{}",
    "slashes": "/a{}",
    "quoted ends": ' a{}=">"',
    "quoted beginnings": " a{}='<b>'",
}


@pytest.mark.parametrize("attribute", CROWDS.values(), ids=CROWDS)
@pytest.mark.parametrize("begin", ["<p", "</p", "<b>x</b><td"])
def test_an_element_with_too_many_attributes_is_not_parsed_but_stripped(begin: str, attribute: str) -> None:
    crowd = begin + "".join(attribute.format(n) for n in range(MAX_ATTRIBUTES + 1)) + ">woord"
    assert is_too_deep(crowd)
    text, whole = html_to_text(crowd)
    assert text.endswith("woord")
    assert not whole


def test_many_elements_with_few_attributes_and_long_values_are_parsed() -> None:
    rows = "<tr><td style='color:red' class=x width=3>woord <a href='http://x.example/a?b=c'>x</a></td></tr>\n" * 1000
    assert not is_too_deep(rows)
    assert not is_too_deep("<img alt='" + "een lange zin / met = " * 5000 + "'>woord")
    assert not is_too_deep("<p>" + "woord / en = nog " * 20_000)
