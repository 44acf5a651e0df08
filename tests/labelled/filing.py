"""The labelled set filed by archiver itself: imported into a real archive with real customers, and compared.

Knows how to count. Goes through the same doors as people do (import of mail, import of customers, the links that a search
shows), and reads nothing that decides links.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archiver import app
from archiver.config import ArchiveSettings, Settings
from archiver.core.customers.exchange import read_csv
from archiver.crypto.kdf import KdfBounds, KdfParameters
from archiver.model.identity import Identity
from tests.labelled.situations import Labelled, labelled_set
from tests.labelled.world import OWN_ADDRESSES, OWN_DOMAIN, customers_csv

_PASSPHRASE = "only for tests, long enough"
_CHEAP = KdfParameters(passes=1, lanes=1, memory_kib=64)
BOUNDS = KdfBounds.exactly(_CHEAP)


@dataclass
class Tally:
    """What came of one kind: links that are right, wrong and missing, candidates likewise where they are labelled.

    `examples` describes wrong ones by number within the kind, for whoever mends it.
    """

    messages: int = 0
    right: int = 0
    wrong: int = 0
    missing: int = 0
    candidates_right: int = 0
    candidates_wrong: int = 0
    candidates_missing: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missing) if self.right + self.missing else 1.0


@dataclass(frozen=True)
class Filed:
    """What archiver says of one message."""

    links: frozenset[str]
    candidates: frozenset[str]


@contextmanager
def archive_in(folder: Path, *, domains: Sequence[str] = (OWN_DOMAIN,)) -> Iterator[Settings]:
    """Create an archive with cheap keys, for a firm with these domains."""
    identity = Identity(tuple(domains), OWN_ADDRESSES)
    settings = Settings(ArchiveSettings(folder / "archive", folder / "collector-key"), identity, ())
    app.prepare_archive(settings, _PASSPHRASE, kdf=_CHEAP, bounds=BOUNDS).commit()
    yield settings


def ask() -> str:
    return _PASSPHRASE


def import_customers(settings: Settings) -> None:
    reading = read_csv(customers_csv().encode(), region="BE")
    assert not reading.problems, reading.problems
    with app.change_customers(settings, ask=ask, command="customer import", bounds=BOUNDS) as editor:
        editor.import_(reading.customers)


def import_mail(settings: Settings, folder: Path, messages: Sequence[bytes]) -> None:
    mail = folder / "mail"
    mail.mkdir()
    for number, octets in enumerate(messages):
        (mail / f"{number:06d}.eml").write_bytes(octets)
    report = app.import_paths(settings, [mail], ask=ask, bounds=BOUNDS)
    assert report.ingested == len(messages), report


def filed(settings: Settings) -> Mapping[str, Filed]:
    """Return, by Message-ID, what a search shows."""
    found: dict[str, Filed] = {}
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        page = archive.search("", limit=1_000_000)
        for item in page.items:
            summary = item.summary
            found[summary.message_id or ""] = Filed(frozenset(summary.customers), frozenset(summary.candidates))
    return found


def file_and_compare(folder: Path, *, seed: int, each: int, customers_first: bool) -> Mapping[str, Tally]:
    """File a set and return a tally for each kind."""
    cases = list(labelled_set(seed, each))
    messages = [octets for _, case in cases for octets in (*(c for c, _ in case.companions), case.octets)]
    with archive_in(folder) as settings:
        if customers_first:
            import_customers(settings)
        import_mail(settings, folder, messages)
        if not customers_first:
            import_customers(settings)
        said = filed(settings)
    tallies: dict[str, Tally] = defaultdict(Tally)
    for kind, case in cases:
        _compare(tallies[kind], case, said)
    return tallies


def _compare(tally: Tally, case: Labelled, said: Mapping[str, Filed]) -> None:
    for octets, expected, candidates in (
        *((octets, links, None) for octets, links in case.companions),
        (case.octets, case.links, case.candidates),
    ):
        found = said[message_id(octets)]
        tally.messages += 1
        tally.right += len(found.links & expected)
        tally.wrong += len(found.links - expected)
        tally.missing += len(expected - found.links)
        if candidates is not None:
            tally.candidates_right += len(found.candidates & candidates)
            tally.candidates_wrong += len(found.candidates - candidates)
            tally.candidates_missing += len(candidates - found.candidates)
        if found.links != expected or (candidates is not None and found.candidates != candidates):
            tally.examples.append(
                f"message {tally.messages}: links {sorted(found.links)}, expected {sorted(expected)};"
                f" candidates {sorted(found.candidates)}, expected {'any' if candidates is None else sorted(candidates)}\n"
                + octets[:1500].decode("utf-8", "replace")
            )


def message_id(octets: bytes) -> str:
    return octets.partition(b"\r\nMessage-ID: <")[2].partition(b">")[0].decode()
