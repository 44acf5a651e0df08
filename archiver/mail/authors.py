"""Who wrote a message whose From a mailing list or a gateway rewrote.

Lists rewrite From because DMARC (RFC 7489) refuses mail that they pass on under its author's domain. Knows how Google
Groups, Mailman, groups.io, the IETF's lists and forwarders (SRS, BATV) leave the author behind. Believes none of it
without a sign in the header that From was rewritten, and deliberately never searches a display name for an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from archiver.mail.header import Fields, first, unfolded
from archiver.model.address import EmailAddress

People = Callable[[str], tuple[EmailAddress, ...]]
"""Gives the addresses in all fields of a name (lower case)."""

_ORIGINALS = (
    "x-original-from",
    "original-from",
    "x-google-original-from",
    "x-original-sender",
    "x-original-author",
    "x-list-original-from",
    "x-mailman-original-from",
    "x-dmarc-original-from",
)
_LIST_SIGNS = frozenset(
    (  # noqa: SIM905 - a table
        "list-id list-post mailing-list x-beenthere x-mailing-list x-google-group-id x-mailman-version list-unsubscribe"
        " x-loop-list list-archive"
    ).split()
)
_NAMING = frozenset({"list-id", "list-post", "x-beenthere", "mailing-list", "x-mailing-list"})
_GOOGLE_SIGNS = frozenset("x-gm-message-state x-google-smtp-source".split())  # noqa: SIM905 - a table
_VIA = re.compile(r"\S\W*\s\(?via\s+\S", re.IGNORECASE)

_INVALID = ".invalid"
_SRS = re.compile(r"srs[01]?[=+-][^=]{1,16}=[a-z0-9]{2}=([^=@]+)=([^@]+)\Z", re.IGNORECASE)
_SRS_TWICE = re.compile(r"srs1[=+-][^=]{1,16}=[^=@]+=[=+-][^=]{1,16}=[a-z0-9]{2}=([^=@]+)=([^@]+)\Z", re.IGNORECASE)
_BATV = re.compile(
    r"(?:prvs=[0-9a-z]{6,12}=([^=@]+)|prvs=([^=@]+)=[0-9a-f]{10}|btv1==[^=]+==([^=@]+))\Z", re.IGNORECASE
)
_EQUALS = re.compile(r"([^=@\s]{1,64})=(?:40)?((?:[\w-]{1,63}\.){1,8}[\w-]{2,63})\Z")
_SPEC = re.compile(r"[^\s<>,;:\"'?]+@[^\s<>,;:\"'?]+")
_LIST_NAME = re.compile(r"\A.*<|>.*\Z|\s")
_BOUNCE = re.compile(r"(?:\A|[-+._])(?:bounces?|returns?|verp|owner|errors?|unsub\w*|b)[-+._]", re.IGNORECASE)


class _Header(Struct, frozen=True):
    """What the rules below ask of a header; `from_` is the single address of From."""

    names: frozenset[str]
    from_: EmailAddress
    fields: Fields
    people: People
    listed: bool
    via: bool


def author(
    fields: Fields, names: frozenset[str], from_: tuple[EmailAddress, ...], people: People
) -> tuple[EmailAddress, ...]:
    """Return who wrote a message whose From was rewritten; empty when From stands as its author wrote it.

    `names` are those of the fields (lower case), `from_` the addresses of From, `people` reads other fields. An address
    in the form that names a bounce's recipient (VERP) is nobody's.
    """
    if len(from_) != 1:
        return ()
    one = from_[0]
    listed = not names.isdisjoint(_LIST_SIGNS)
    via = _VIA.search(one.name) is not None
    plain = "=" not in one.addr_spec and not one.key.endswith(".invalid")
    if plain and not listed and not via and names.isdisjoint(_ORIGINALS):
        return ()
    found = _decoded(one, listed=listed or via)
    if found is None and (listed or via or not names.isdisjoint(_GOOGLE_SIGNS)):
        found = _named(_Header(names, one, fields, people, listed=listed, via=via))
    if found is None or found.key == one.key or not found.domain:
        return ()
    return (found,)


def _decoded(address: EmailAddress, *, listed: bool) -> EmailAddress | None:
    """Undo what is written into the address itself."""
    spec = address.addr_spec.strip()
    if spec.lower().endswith(_INVALID) and "." in spec[: -len(_INVALID)].rpartition("@")[2]:
        # A reserved domain (RFC 2606 section 2) is nobody's: whoever wrote it meant the address before it.
        spec = spec[: -len(_INVALID)]
    local, _, domain = spec.rpartition("@")
    if "=" in local and len(local) <= 320:
        spec = _local_part_decoded(local, domain, listed=listed) or spec
    return EmailAddress(address.name, spec) if spec != address.addr_spec.strip() else None


def _local_part_decoded(local: str, domain: str, *, listed: bool) -> str | None:
    if (match := _SRS.match(local) or _SRS_TWICE.match(local)) is not None:
        return f"{match[2]}@{match[1]}" if "." in match[1] else None
    if (match := _BATV.match(local)) is not None:
        return f"{match[1] or match[2] or match[3]}@{domain}"
    if listed and (match := _EQUALS.match(local)) is not None and _BOUNCE.search(match[1]) is None:
        return f"{match[1]}@{match[2]}"
    return None


def _named(header: _Header) -> EmailAddress | None:
    """Find the author in another field of a header whose From is the list's own, or a program's."""
    if header.names.isdisjoint(_ORIGINALS) and not header.via and not header.listed:
        return None
    if not header.via and header.names.isdisjoint(_GOOGLE_SIGNS) and not _shares_domain(header):
        return None
    own = _addresses_of_list(header) if header.listed else frozenset()
    munged = header.via or header.from_.key in own
    google = not header.names.isdisjoint(_GOOGLE_SIGNS)
    for name in _ORIGINALS:
        if name not in header.names or not (munged or (google and name == "x-google-original-from")):
            continue
        candidates = [one for one in header.people(name) if one.domain and one.key not in own]
        if len(candidates) == 1:
            return EmailAddress(candidates[0].name or _without_via(header.from_.name), candidates[0].addr_spec)
    if not munged:
        return None
    # Mailman puts the author into Reply-To, or into Cc when answers are to go to the list.
    answers = _others(header, "reply-to", own)
    if len(answers) == 1:
        return answers[0]
    said = _without_via(header.from_.name).casefold()
    copies = [one for one in (*answers, *_others(header, "cc", own)) if said and one.name.casefold() == said]
    return copies[0] if len({one.key for one in copies}) == 1 else None


def _others(header: _Header, name: str, own: frozenset[str]) -> tuple[EmailAddress, ...]:
    """Return the addresses of a field that are neither the list's nor that of From, each once."""
    if name not in header.names:
        return ()
    found = {one.key: one for one in header.people(name) if one.domain}
    return tuple(one for key, one in found.items() if key not in own and key != header.from_.key)


def _shares_domain(header: _Header) -> bool:
    """Whether From lies in a domain that a field of the list names, or that its name ends in."""
    domain = header.from_.domain.encode("utf-8", "replace")
    return any(name in _NAMING and domain in raw.lower() for name, raw in header.fields)


def _text(header: _Header, name: str) -> str:
    return unfolded((first(header.fields, name) or b"")[:2000]).lower()


def _addresses_of_list(header: _Header) -> frozenset[str]:
    """Return what the header says to be addresses of the list itself, in lower case."""
    found: set[str] = set()
    for name in _NAMING - {"list-id"}:
        if name in header.names:
            found.update(_SPEC.findall(_text(header, name).replace("mailto:", "")))
    if "list-id" in header.names:
        # The name of a list is no address (RFC 2919), but "support.example.be" comes from support@example.be.
        label, dot, domain = _LIST_NAME.sub("", _text(header, "list-id")).partition(".")
        if dot:
            found.add(f"{label}@{domain}")
            found.add(f"{label}@{domain.partition('.')[2]}")  # lists.example.be serves example.be
    return frozenset(found)


def _without_via(name: str) -> str:
    """Return the name before "via", without the quotes that Google Groups puts around it."""
    cut = re.search(r"\s\(?via\s", name, re.IGNORECASE)
    return (name[: cut.start()] if cut else name).strip(" '\"")
