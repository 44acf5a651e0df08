"""Which domains can stand for one company: not a public suffix, not a provider's.

Knows the public suffix list (publicsuffix.org, with its private section: names below github.io belong to different
people) and the providers of `archiver.core.linking.providers`. Deliberately knows nothing of customers nor of who we
are. The list takes a tenth of a second to load, so it is loaded when the first domain really hangs on it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MAX_DOMAIN = 253
"""Characters of a domain name in its ASCII form (RFC 1035 section 2.3.4, without the final dot)."""

_SHAPE = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOTS = str.maketrans({"。": ".", "．": ".", "｡": "."})  # RFC 3490 section 3.1


def ascii_domain(text: str) -> str:
    """Return a domain in lower case and A-labels (RFC 5891 section 4.4), without spaces around it or a final dot.

    What has no such form (an empty label, one too long) is returned as it is, in lower case: it can still be compared,
    and fits no domain of anybody.
    """
    domain = text.strip().lower()
    form = domain
    if not domain.isascii() and len(domain) <= MAX_DOMAIN:
        try:
            form = domain.translate(_DOTS).rstrip(".").encode("idna").decode("ascii").lower()
        except UnicodeError:
            return domain
    form = form.removesuffix(".")
    # Mapping (RFC 3491) makes dots and spaces of signs that looked like none: "‥" is two dots.
    return domain if form.endswith(".") or form != form.strip() else form


def is_domain(domain: str) -> bool:
    """Tell whether this is a name of two labels or more in the form of `ascii_domain`; an IP address is none."""
    return len(domain) <= MAX_DOMAIN and _SHAPE.fullmatch(domain) is not None and not _is_address(domain)


def registrable(domain: str) -> str | None:
    """Return the part that somebody registered: `acme.co.uk` of `mail.acme.co.uk`.

    None for a public suffix, an IP address and anything that is no domain. Tenants of a platform have a name of their
    own: `acme.onmicrosoft.com` is one.
    """
    domain = ascii_domain(domain)
    return _registrable(domain) if len(domain) <= MAX_DOMAIN else None


def is_public_suffix(domain: str) -> bool:
    """Tell whether anybody can have a name right below this one: `be`, `co.uk`, `github.io`."""
    domain = ascii_domain(domain)
    if not domain or len(domain) > MAX_DOMAIN or _is_address(domain) or domain in _tenants():
        return False
    return (
        ".." not in domain
        and not domain.startswith(".")
        and _list(domain.rpartition(".")[2]).privatesuffix(domain) is None
    )


def is_shared(domain: str, extra: Collection[str] = ()) -> bool:
    """Tell whether strangers have mailboxes in this domain: freemail, access providers, mailing and ticket services.

    `extra` are such domains of the configuration, in the form of `ascii_domain`. A name below a provider's is the
    provider's too, unless the provider is a platform that gives each company a name of its own.
    """
    domain = ascii_domain(domain)
    if len(domain) > MAX_DOMAIN:
        return False
    return _shared(domain) or (bool(extra) and any(parent in extra for parent in parents(domain)))


def parents(domain: str) -> tuple[str, ...]:
    """Return the domain itself and every name above it down to the last label, longest first."""
    labels = domain.split(".")
    return tuple(".".join(labels[at:]) for at in range(len(labels)))


@lru_cache(maxsize=8192)
def _registrable(domain: str) -> str | None:
    if not is_domain(domain) or domain in _tenants():
        return None
    labels = domain.split(".")
    for at in range(1, len(labels) - 1):
        if ".".join(labels[at:]) in _tenants():
            return ".".join(labels[at - 1 :])
    return _list(domain.rpartition(".")[2]).privatesuffix(domain)


@lru_cache(maxsize=8192)
def _shared(domain: str) -> bool:
    if domain in _tenants():
        return True
    above = parents(domain)
    if any(parent in _tenants() for parent in above[1:]):
        return False
    if any(parent in _providers() for parent in above):
        return True
    if _brands().isdisjoint(domain.split(".")):
        return False
    registered = _registrable(domain)
    return registered is not None and registered.partition(".")[0] in _brands()


def _is_address(domain: str) -> bool:
    """Tell whether this is an address literal (RFC 5321 section 4.1.3) or a bare IP address."""
    if domain.startswith("["):
        return True
    if not domain[-1:].isdigit() and ":" not in domain:
        return False
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=512)
def _list(top: str) -> PublicSuffixList:
    """Return the list as far as it is about one top-level domain: building all of it takes a sixth of a second."""
    from publicsuffixlist import PublicSuffixList

    rules = _rules()
    try:
        named = top.encode("ascii").decode("idna") if top.startswith("xn--") else top
    except UnicodeError:
        named = top
    return PublicSuffixList(rules.get(named, ()))


@lru_cache(maxsize=1)
def _rules() -> Mapping[str, Sequence[str]]:
    """Return the rules of the public suffix list, as they stand there, by their last label."""
    from publicsuffixlist import PSLFILE

    rules: dict[str, list[str]] = {}
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        for line in lines:
            rule = line.split(" ", 1)[0].strip().lower()
            if rule and not rule.startswith("//"):
                rules.setdefault(rule.rpartition(".")[2], []).append(rule)
    return rules


@lru_cache(maxsize=1)
def _providers() -> frozenset[str]:
    from archiver.core.linking import providers

    lists = (
        providers.FREEMAIL, providers.ACCESS_BE_NL_LU, providers.ACCESS_FR_DE_CH_AT_UK, providers.ACCESS_ELSEWHERE,
        providers.DISPOSABLE, providers.SERVICES,
    )  # fmt: skip
    return frozenset(name for names in lists for name in names.split())


@lru_cache(maxsize=1)
def _brands() -> frozenset[str]:
    from archiver.core.linking import providers

    return frozenset(providers.BRANDS.split())


@lru_cache(maxsize=1)
def _tenants() -> frozenset[str]:
    from archiver.core.linking import providers

    return frozenset(providers.TENANTS.split())
