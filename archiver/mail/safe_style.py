"""Style attributes of strangers, reduced to what lays text out and can neither load, run, cover nor pose.

Knows the few properties and the plain values that are let through; whatever is not understood is dropped. Deliberately
no parser of CSS: a value with an escape, a comment, a function other than a colour, or a quotation mark left in it is
never passed on, so that no reading of the result can find more in it (CSS Syntax Level 3, section 4).
"""

from __future__ import annotations

import re

_MAX_STYLE = 4000
_PROPERTIES = frozenset(
    (  # noqa: SIM905 - a table
        "color background-color font font-family font-size font-style font-weight font-variant line-height "
        "letter-spacing word-spacing text-align text-decoration text-transform vertical-align white-space word-break "
        "word-wrap overflow-wrap direction unicode-bidi width height min-width min-height max-width max-height "
        "margin margin-top margin-right margin-bottom margin-left padding padding-top padding-right padding-bottom "
        "padding-left border border-top border-right border-bottom border-left border-width border-style border-color "
        "border-top-width border-right-width border-bottom-width border-left-width border-top-style border-right-style "
        "border-bottom-style border-left-style border-top-color border-right-color border-bottom-color "
        "border-left-color border-radius border-collapse border-spacing display float clear list-style-type "
        "table-layout caption-side empty-cells visibility text-indent"
    ).split()
)
_DISPLAYS = frozenset(
    (  # noqa: SIM905 - a table
        "block inline inline-block list-item none table inline-table table-row table-cell table-row-group "
        "table-header-group table-footer-group table-column table-column-group table-caption"
    ).split()
)
_FUNCTION = re.compile(r"\b(?:rgb|rgba|hsl|hsla)\(\s*[0-9.%,\s/]{1,60}\)", re.IGNORECASE)
_PLAIN = re.compile(r"[\w #%.,!+-]{1,300}")
_NEGATIVE = re.compile(r"(?:^|[\s,])-\s*[0-9.]")
_LOADING = re.compile(r"[a-z-]+\([^()]{0,4000}\)", re.IGNORECASE)
_COLOUR = re.compile(
    r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b"
    r"|\b(?:rgb|rgba|hsl|hsla)\(\s*[0-9.%,\s/]{1,60}\)"
    r"|(?<![\w-])(?:white|black|gr[ae]y|silver|red|green|blue|yellow|navy|teal|maroon|olive|orange|purple|aqua|lime"
    r"|fuchsia|transparent|whitesmoke|lightgr[ae]y|darkgr[ae]y|dimgr[ae]y|gainsboro|beige|ivory)(?![\w-])",
    re.IGNORECASE,
)
_COLOUR_ATTRIBUTE = re.compile(r"#?[0-9a-z]{1,32}", re.IGNORECASE)


def safe_style(style: str) -> str | None:
    """Return the declarations that are let through, None when there are none."""
    kept: list[str] = []
    for declaration in style[:_MAX_STYLE].split(";"):
        name, colon, value = declaration.partition(":")
        name = name.strip().lower()
        value = " ".join(value.replace('"', "").replace("'", "").split())
        if not (colon and value):
            continue
        if name == "mso-hide" and value.lower() == "all":
            kept.append("display:none")
        elif name == "background":
            colour = _COLOUR.search(_without_functions(value))
            if colour is not None:
                kept.append(f"background-color:{colour[0]}")
        elif name in _PROPERTIES and _is_plain(name, value):
            kept.append(f"{name}:{value}")
    return ";".join(kept) or None


def safe_colour(value: str) -> str | None:
    """Return the colour of an attribute such as bgcolor, None when it is none."""
    return value.strip() if _COLOUR_ATTRIBUTE.fullmatch(value.strip()) else None


def _is_plain(name: str, value: str) -> bool:
    # A piece that moves out of its place could cover what this program wrote.
    if _NEGATIVE.search(value):
        return False
    if name == "display":
        return value.lower().removesuffix("!important").strip() in _DISPLAYS
    bare = _FUNCTION.sub("", value)
    return value.isascii() and (not bare.strip() or _PLAIN.fullmatch(bare) is not None)


def _without_functions(value: str) -> str:
    """Return a value without what it would load; its colours stay."""
    return _LOADING.sub(lambda match: match[0] if _FUNCTION.fullmatch(match[0]) else " ", value)
