"""Threads: which messages belong together, by their ids alone (the linking step of JWZ's algorithm).

A thread is a connected component over message ids: a message connects its own id with those in References and
In-Reply-To. So the order of arrival does not matter, and a message that was never seen still holds its answers
together. Subjects are not compared: they join strangers.
"""

from __future__ import annotations

from collections.abc import Iterable

from archiver.model.ids import message_id_hash
from archiver.model.message import Message
from archiver.store.connection import StoreConnection


def thread_ids(message: Message) -> list[int]:
    """Return the hashes of all ids a message names, its own included, each once."""
    ids = [*message.references, *message.in_reply_to]
    if message.message_id is not None:
        ids.append(message.message_id)
    return list(dict.fromkeys(message_id_hash(each) for each in ids))


def join_thread(connection: StoreConnection, ids: Iterable[int], fresh: int) -> int:
    """Return the thread that these ids belong to, within the caller's transaction; threads they connect become one.

    `fresh` is the number of the new thread when none of the ids is known. The smaller side of a merge is rewritten.
    """
    new: list[int] = []
    found: set[int] = set()
    for each in ids:
        row = connection.one(
            "SELECT COALESCE(m.into_thread, i.thread) FROM message_ids i"
            " LEFT JOIN merged m ON m.thread = i.thread WHERE i.hash = ?",
            (each,),
        )
        if row is None:
            new.append(each)
        else:
            found.add(_integer(row[0]))
    thread = fresh if not found else _merge(connection, found)
    if new:
        connection.execute_many("INSERT INTO message_ids VALUES (?, ?)", [(each, thread) for each in new])
    return thread


def _merge(connection: StoreConnection, threads: set[int]) -> int:
    if len(threads) == 1:
        return next(iter(threads))
    size = {t: connection.integer("SELECT count(*) FROM messages WHERE thread = ?", (t,)) for t in threads}
    winner = max(threads, key=lambda thread: (size[thread], -thread))
    for loser in threads - {winner}:
        connection.execute("UPDATE messages SET thread = ? WHERE thread = ?", (winner, loser))
        connection.execute("UPDATE merged SET into_thread = ? WHERE into_thread = ?", (winner, loser))
        connection.execute("INSERT INTO merged VALUES (?, ?)", (loser, winner))
    return winner


def _integer(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 the column is an INTEGER
    return value
