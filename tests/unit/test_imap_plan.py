"""Batches: even, ascending, short commands, nothing left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archiver.imap.plan import BATCH_BYTES, BATCH_MESSAGES, batches, split_big
from archiver.model.mailbox import MessageEntry, Uid


@given(
    st.lists(
        st.builds(
            MessageEntry,
            st.integers(1, 2**32 - 1).map(Uid),
            st.one_of(st.integers(0, 20_000), st.integers(0, 50 << 20)),
        ),
        max_size=300,
        unique_by=lambda entry: entry.uid,
    )
)
def test_every_message_is_in_one_batch_within_the_bounds(entries: list[MessageEntry]) -> None:
    made = batches(entries)
    uids = [uid for batch in made for uid in batch.uids]
    assert uids == sorted(entry.uid for entry in entries)
    for batch in made:
        assert len(batch.uids) <= BATCH_MESSAGES
        assert batch.octets <= BATCH_BYTES or len(batch.uids) == 1
        assert len(batch.sequence_set()) < 8000


def test_scattered_uids_are_split_by_the_length_of_the_command() -> None:
    made = batches([MessageEntry(Uid(4_000_000_000 + 2 * n), 1) for n in range(5000)])
    assert all(len(batch.sequence_set()) < 8000 for batch in made)
    assert len(made) > 10


def test_consecutive_uids_become_one_range() -> None:
    (batch,) = batches([MessageEntry(Uid(n), 10) for n in range(9, 400)])
    assert batch.sequence_set() == b"9:399"


def test_sizes_below_zero_count_as_nothing() -> None:
    (batch,) = batches([MessageEntry(Uid(1), -5), MessageEntry(Uid(2), 5)])
    assert batch.octets == 5


def test_big_messages_and_those_that_broke_before_are_fetched_in_parts() -> None:
    small, cut, big = (MessageEntry(Uid(n), size) for n, size in ((1, 3 << 20), (2, 3 << 20), (3, 33 << 20)))
    assert split_big([small, cut, big], frozenset({Uid(2)})) == ([small], [cut, big])
