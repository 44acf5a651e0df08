"""Counts of what matches, compared with counting one message after the other."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.model.files import FileType
from archiver.model.message import Direction
from archiver.model.search import Facets
from archiver.search.searcher import FullTextSearcher
from tests.twins.whoosh_oracle import Mail, customers_named, world

NEW_YEAR = 1_735_689_600  # 2025-01-01 in UTC
BRUSSELS, KATHMANDU, NEW_YORK = (ZoneInfo(name) for name in ("Europe/Brussels", "Asia/Kathmandu", "America/New_York"))

mails = st.lists(
    st.builds(
        lambda at, body, direction, language, types, links, files: Mail(
            at=at,
            body=body,
            direction=direction,
            language=language,
            types=types,
            links=tuple(links.items()),
            files=files,
        ),
        st.integers(NEW_YEAR - 100_000, NEW_YEAR + 100_000) | st.integers(0, 1_900_000_000),
        st.sampled_from(["licentie", "licenties sleutel", "sleutel", "niets"]),
        st.sampled_from(["incoming", "outgoing", "internal", "other"]),
        st.sampled_from([None, "nl", "fr"]),
        st.sets(st.sampled_from(["pdf", "sheet", "image"])).map(lambda some: tuple(sorted(some))),
        st.dictionaries(st.integers(1, 4), st.integers(0, 2), max_size=3),
        st.integers(0, 1),
    ),
    max_size=25,
)


@given(
    mails=mails,
    query=st.sampled_from(
        ["", "licentie", "sleutel OR has:attachment", "direction:incoming", "type:pdf licentie", "since:2025",
         "customer:k1", "customer:k1 sleutel", "customer:peeters", "-licentie", "language:nl OR niets"]
    ),
    zone=st.sampled_from([BRUSSELS, KATHMANDU, NEW_YORK]),
    most=st.integers(0, 3),
)  # fmt: skip
def test_facets_are_what_counting_by_hand_gives(mails: list[Mail], query: str, zone: ZoneInfo, most: int) -> None:
    now = datetime(2025, 11, 22, 12, tzinfo=zone)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as w:
        searcher = FullTextSearcher(w.connection, lambda: now, customers=customers_named)
        found = [mails[w.rows.index(hit.row)] for hit in searcher.search(query, limit=1000).hits]
        facets = searcher.facets(query, customers=most)
        assert facets == _counted(found, zone, most)
        assert facets.total == searcher.count(query)


def _counted(found: list[Mail], zone: ZoneInfo, most: int) -> Facets:
    def ranked(counter: Counter[object]) -> tuple[tuple[object, int], ...]:
        return tuple(sorted(counter.items(), key=lambda each: (-each[1], str(each[0]))))

    years = Counter(datetime.fromtimestamp(mail.at, zone).year for mail in found)
    customers = Counter(customer for mail in found for customer, standing in mail.links if standing == 0)
    return Facets(
        total=len(found),
        customers=tuple(sorted(customers.items(), key=lambda each: (-each[1], each[0])))[:most],
        years=tuple(sorted(years.items(), reverse=True)),
        directions=ranked(Counter(Direction(mail.direction) for mail in found)),  # type: ignore[arg-type]
        types=ranked(Counter(FileType(each) for mail in found for each in mail.types)),  # type: ignore[arg-type]
        languages=ranked(Counter(mail.language for mail in found if mail.language)),  # type: ignore[arg-type]
    )


def test_copies_count_as_messages_do(tmp_path: Path) -> None:
    twice = Mail(at=NEW_YEAR, message_id="a@x", body="licentie", links=((1, 0),))
    with world(tmp_path, [twice, twice]) as w:
        facets = w.searcher.facets("licentie")
        assert (facets.total, facets.customers, facets.years) == (2, ((1, 2),), ((2025, 2),))


def test_a_message_of_two_customers_is_one_message(tmp_path: Path) -> None:
    theirs = Mail(at=NEW_YEAR, body="licentie", links=((1, 0), (2, 0), (3, 0)), language="nl", types=("pdf",))
    with world(tmp_path, [theirs, Mail(at=NEW_YEAR, body="licentie", links=((2, 0),)), Mail(at=0, body="niets")]) as w:
        facets = w.searcher.facets("licentie")
        assert facets.customers == ((2, 2), (1, 1), (3, 1))
        assert (facets.total, facets.years) == (2, ((2025, 2),))
        assert (facets.languages, facets.types) == ((("nl", 1),), ((FileType.PDF, 1),))
        assert sum(number for _, number in facets.directions) == 2


def test_years_are_those_of_the_zone_that_the_clock_is_in(tmp_path: Path) -> None:
    """In Brussels the year begins an hour earlier than in UTC, in Kathmandu 5:45, in New York five hours later."""
    begins = {BRUSSELS: NEW_YEAR - 3_600, KATHMANDU: NEW_YEAR - 20_700, NEW_YORK: NEW_YEAR + 18_000}
    for zone, at in begins.items():
        folder = tmp_path / zone.key.replace("/", "-")
        folder.mkdir()
        with world(folder, [Mail(at=at - 1, body="licentie"), Mail(at=at, body="licentie")]) as w:
            now = datetime(2025, 6, 1, tzinfo=zone)
            assert FullTextSearcher(w.connection, lambda now=now: now).facets("licentie").years == (  # type: ignore[misc]
                (2025, 1),
                (2024, 1),
            )


def test_facts_follow_a_message_that_is_indexed_again(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=NEW_YEAR, body="licentie", language="nl")]) as w:
        w.index.add([Mail(at=NEW_YEAR, body="licence", language="fr", types=("pdf",)).document(w.rows[0])], 1)
        facets = w.searcher.facets("licence")
        assert (facets.languages, facets.types) == ((("fr", 1),), ((FileType.PDF, 1),))
        assert w.searcher.facets("").total == 1


def test_facts_of_a_batch_that_failed_are_not_believed(tmp_path: Path) -> None:
    """The number of a combination that was rolled back is given to another one later."""
    with world(tmp_path, []) as w:
        good = Mail(at=NEW_YEAR, body="licentie", language="nl").document(NEW_YEAR << 20)
        bad = Mail(at=NEW_YEAR, body="x", language="fr").document((NEW_YEAR << 20) + 1)
        bad = replace(bad, subject=None)
        with pytest.raises((TypeError, AttributeError)):
            w.index.add([good, bad], 1)
        w.index.add([Mail(at=NEW_YEAR, body="licentie", language="de").document(NEW_YEAR << 20)], 1)
        w.index.add([Mail(at=NEW_YEAR, body="licentie", language="nl").document((NEW_YEAR + 99) << 20)], 2)
        assert w.searcher.facets("").languages == (("de", 1), ("nl", 1))
