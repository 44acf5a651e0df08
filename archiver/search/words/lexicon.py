"""The words of the index, each once, in order: what stems, compounds, wildcards and spelling are looked up in.

FTS5 knows its words too, but finds them by walking over their postings: a scan of 148,853 words takes 0.35 s, and grows
with the mail instead of with the words. So the words are kept here as well, within the index's own transactions, as
sorted blocks that fill a page each. Words of the letters a to z are kept in order of their ends a second time, for
compounds have their meaning there; all others (digits, other scripts) once. In that order an ending of _APART stands
behind the rest, so that a word and what it becomes with one are neighbours: whoever looks for compounds asks for all of
them, and would read five blocks for one. Exact tokens for addresses are no words.

Fresh words stand in blocks of their own, a block for each batch, until there are enough of them to sort them in.
Telling them apart takes 65 µs a message. A first sync has no time for that and gets its words from FTS5 when it is
through, for 47: until then, the words are *behind*. A word stays after its last message went, until that is done again.
Knows nothing of languages.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archiver.search.words.lines import SortedLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from archiver.core.ports import Connection

CREATE = (
    "CREATE TABLE lexicon (block INTEGER PRIMARY KEY, kind INTEGER NOT NULL, first TEXT NOT NULL, words BLOB NOT NULL)",
    "CREATE INDEX lexicon_order ON lexicon (kind, first)",
    (
        "CREATE TABLE lexicon_state (version INTEGER NOT NULL, sorted INTEGER NOT NULL, fresh INTEGER NOT NULL,"
        " standing INTEGER NOT NULL)"
    ),
    "INSERT INTO lexicon_state VALUES (0, 0, 0, 0)",
)
"""Statements that make the empty lexicon. `version` rises with every change, `sorted` and `fresh` count words, and
`standing` says whether the words of the index are here (0), others too (1), or not even all of them (2)."""

DROP = ("DROP TABLE IF EXISTS lexicon", "DROP TABLE IF EXISTS lexicon_state")

_LETTERS, _BACKWARDS, _OTHERS, _FRESH = range(4)

_BLOCK = 3_950
"""Octets of a compressed block: with its row it fills one page of the encrypted database."""

_UNPACKED = 11_000
"""Octets of words that usually become a block."""

_FEW = 2_000
"""Words of a batch up to which each is looked up; for more, all known words are held in memory (25 MB for 300,000)."""

_MANY, _SHARE = 500, 50
"""Messages at once that are many, when the words known are not more than so many times as many."""

_APART = (b"", b"en", b"s", b"n", b"e")
"""Endings that stand apart in the order of ends, -en rather than -n; a digit, the place here, says which."""

_LAST = {b"s": 2, b"n": 3, b"e": 4}
"""By the last letter, but for -en."""

_EXACT, _STALE, _BEHIND = range(3)

_FRESH_AT_LEAST, _FRESH_SHARE = 4_000, 8
"""Fresh words are sorted in when there are so many, and more than one to so many sorted ones."""

_ADDRESS = "＠".encode()
_TO_TOKENS = bytes(
    code if code >= ord("\x80") or chr(code).isalnum() else ord(" ") for code in bytes(range(256)).lower()
)
"""How the `ascii` tokenizer of FTS5 sees octets: separators are spaces here, and capitals are small."""


class Gathered:
    """The different words of some messages."""

    __slots__ = ("words",)

    def __init__(self) -> None:
        self.words: set[bytes] = set()

    def take(self, text: str) -> None:
        """Take in a folded text, as `analysis.fold` and `fold_addresses` give it."""
        self.words.update(text.encode("utf-8", "replace").translate(_TO_TOKENS).split())


class Lexicon:
    """The words of an index, over its connection; `add`, `compact` and `rebuild` belong into a transaction.

    What was read is kept until the words change; after a rollback call `forget`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._version = -1
        self._known: set[bytes] | None = None
        self._blocks: dict[int, SortedLines] = {}
        self._order: tuple[tuple[list[bytes], list[int]], ...] = ()
        self._fresh: tuple[SortedLines, SortedLines, SortedLines] | None = None
        self._steady = False

    # --- writing -----------------------------------------------------------------------------------------------------

    def gather(self, messages: int) -> Gathered | None:
        """Return what takes in the texts of so many messages, for `add`; None when their words are to be *behind*."""
        _, in_order, _, standing = self._state()
        if standing == _BEHIND or (messages >= _MANY and messages * _SHARE >= in_order):
            self._known = None
            self._run("UPDATE lexicon_state SET version = version + 1, standing = ?", (_BEHIND,))
            return None
        return Gathered()

    def add(self, gathered: Gathered) -> None:
        """Add the words of messages."""
        _, in_order, fresh, _ = self._state()
        words = gathered.words
        new = words - self._known if self._known is not None else self._unknown_of(words)
        new = {word for word in new if _ADDRESS not in word}
        if not new:
            return
        if self._known is not None:
            self._known |= new
        self._insert(_FRESH, sorted(new))
        self._run("UPDATE lexicon_state SET version = version + 1, fresh = fresh + ?", (len(new),))
        if fresh + len(new) > max(_FRESH_AT_LEAST, in_order // _FRESH_SHARE):
            self.compact()

    def removed(self) -> None:
        """Note that messages were taken out, whose words stay until `compact`."""
        self._run("UPDATE lexicon_state SET standing = ? WHERE standing = ?", (_STALE, _EXACT))

    def is_behind(self) -> bool:
        """Say whether words of the index are missing here; `compact` completes them."""
        return self._state()[3] == _BEHIND

    def compact(self) -> None:
        """Sort the fresh words in; when some are missing or no message's any longer, take them from the index."""
        _, _, fresh, standing = self._state()
        if standing != _EXACT:
            self.rebuild()
        elif fresh:
            words = {word for block in self._packed(_LETTERS, _OTHERS, _FRESH) for word in _split(block)}
            self._replace(sorted(words))

    def rebuild(self) -> None:
        """Take the words from the index itself: exactly those that some message has."""
        found = self._connection.execute("SELECT term FROM mail_words")
        self._replace([word for (term,) in found if _ADDRESS not in (word := str(term).encode())])
        self._known = None

    def forget(self) -> None:
        """Forget what was read or added: the transaction was rolled back."""
        self._known = None
        self._version = -1

    def _unknown_of(self, words: set[bytes]) -> set[bytes]:
        if len(words) > _FEW:
            self._known = {word for block in self._packed(_LETTERS, _OTHERS, _FRESH) for word in _split(block)}
            return words - self._known
        self._refresh()
        return {word for word in words if not self._has(word)}

    def _replace(self, words: Sequence[bytes]) -> None:
        """Write all words anew, given in order."""
        letters = [word for word in words if word.isalpha() and word.isascii()]
        plain = set(letters)
        self._run("DELETE FROM lexicon")
        self._insert(_OTHERS, [word for word in words if word not in plain])
        self._insert(_BACKWARDS, sorted(map(_turned, letters)))
        self._insert(_LETTERS, letters)
        self._run(
            "UPDATE lexicon_state SET version = version + 1, sorted = ?, fresh = 0, standing = ?", (len(words), _EXACT)
        )

    def _insert(self, kind: int, words: Sequence[bytes]) -> None:
        start, octets = 0, _UNPACKED
        while start < len(words):
            length, end = 0, start
            while end < len(words) and length < octets:
                length += len(words[end]) + 1
                end += 1
            packed = zlib.compress(b"\n".join(words[start:end]), 6)
            octets = min(2 * octets, length * _BLOCK * 97 // (len(packed) * 100))  # words alike stand side by side
            if len(packed) > _BLOCK and end - start > 1:
                continue
            self._run(
                "INSERT INTO lexicon (kind, first, words) VALUES (?, ?, ?)", (kind, words[start].decode(), packed)
            )
            start = end

    # --- reading -----------------------------------------------------------------------------------------------------

    def version(self) -> int:
        """Return a number that is another one when the words have changed."""
        return self._state()[0]

    @contextmanager
    def steady(self) -> Iterator[int]:
        """Look once whether the words have changed, and not at every question within; gives the version."""
        self._refresh()
        self._steady, before = True, self._steady
        try:
            yield self._version
        finally:
            self._steady = before

    def has(self, word: str) -> bool:
        """Say whether some message has, or had, this token."""
        self._refresh()
        return self._has(word.encode())

    def starting(self, prefix: str) -> list[str]:
        """Return all words that begin so, in order."""
        self._refresh()
        start = prefix.encode()
        found = self._range(_LETTERS, start) if not start or (start.isalpha() and start.isascii()) else []
        found += self._range(_OTHERS, start)
        letters, _, others = self._fresh_words()
        found += letters.starting(start) + others.starting(start)
        return sorted({word.decode() for word in found})

    def letters_starting(self, prefix: str) -> list[str]:
        """Return the words of the letters a to z that begin so, in no particular order."""
        self._refresh()
        start = prefix.encode()
        found = self._range(_LETTERS, start)
        if fresh := self._fresh_words()[0].starting(start):
            found = list({*found, *fresh})
        return b"\n".join(found).decode().split("\n") if found else []

    def letters_ending(self, *suffixes: str) -> list[str]:
        """Return the words of the letters a to z that end in one of these, in no particular order."""
        self._refresh()
        found: set[bytes] = set()
        for start in {_turned(suffix.encode())[:-1] for suffix in suffixes}:
            found.update(self._range(_BACKWARDS, start), self._fresh_words()[1].starting(start))
        words = (b"\n".join(map(_turned_back, found))).decode().split("\n") if found else []
        return [word for word in words if word.endswith(suffixes)]

    def has_letters(self, word: str) -> bool:
        """Say whether this word of the letters a to z is known, as of the last other question."""
        key = word.encode()
        firsts, blocks = self._order[_LETTERS]
        at = bisect_right(firsts, key) - 1
        return (at >= 0 and self._block(blocks[at]).has(key)) or self._fresh_words()[0].has(key)

    def letters(self) -> str:
        """Return all words of the letters a to z, in no particular order, a line feed before and after each."""
        self._refresh()
        return "\n" + "".join(
            f"{block.text.decode()}\n" for block in (*self._each(_LETTERS), self._fresh_words()[0]) if block.text
        )

    def others(self) -> str:
        """Return all other words likewise."""
        self._refresh()
        return "\n" + "".join(
            f"{block.text.decode()}\n" for block in (*self._each(_OTHERS), self._fresh_words()[2]) if block.text
        )

    def messages_with(self, token: str) -> int:
        """Return how many messages have exactly this token; FTS5 walks over its postings."""
        return self._counted("SELECT doc FROM mail_words WHERE term = ?", token)

    def occurrences(self, token: str) -> int:
        """Return how often this token stands in all messages together; likewise."""
        return self._counted("SELECT cnt FROM mail_words WHERE term = ?", token)

    def messages(self) -> int:
        """Return how many messages there are."""
        return self._counted("SELECT count(*) FROM slots")

    def __iter__(self) -> Iterator[str]:
        """Give every word once, in order."""
        self._refresh()
        blocks = self._packed(_LETTERS, _OTHERS, _FRESH)
        return iter(sorted({word.decode() for block in blocks for word in _split(block)}))

    def _counted(self, sql: str, *bindings: str) -> int:
        return next((n for (n,) in list(self._connection.execute(sql, bindings)) if isinstance(n, int)), 0)

    def _has(self, word: bytes) -> bool:
        kind = _LETTERS if word.isalpha() and word.isascii() else _OTHERS
        firsts, blocks = self._order[kind]
        at = bisect_right(firsts, word) - 1
        letters, _, others = self._fresh_words()
        fresh = letters if kind == _LETTERS else others
        return (at >= 0 and self._block(blocks[at]).has(word)) or fresh.has(word)

    def _range(self, kind: int, start: bytes) -> list[bytes]:
        """Return the sorted words of a kind that begin so."""
        firsts, blocks = self._order[kind]
        at = max(0, bisect_right(firsts, start) - 1)
        found: list[bytes] = []
        while at < len(firsts) and (firsts[at] <= start or firsts[at].startswith(start)):
            found += self._block(blocks[at]).starting(start)
            at += 1
        return found

    def _each(self, kind: int) -> list[SortedLines]:
        return [self._block(block) for block in self._order[kind][1]]

    def _block(self, block: int) -> SortedLines:
        if (known := self._blocks.get(block)) is None:
            rows = list(self._connection.execute("SELECT words FROM lexicon WHERE block = ?", (block,)))
            text = next(zlib.decompress(words) for (words,) in rows if isinstance(words, bytes))
            known = self._blocks[block] = SortedLines(text)
        return known

    def _fresh_words(self) -> tuple[SortedLines, SortedLines, SortedLines]:
        """Return fresh words, sorted: of letters, the same backwards, and the others."""
        if self._fresh is None:
            words = {word for block in self._packed(_FRESH) for word in _split(block)}
            letters = [word for word in words if word.isalpha() and word.isascii()]
            self._fresh = (
                SortedLines(b"\n".join(sorted(letters))),
                SortedLines(b"\n".join(sorted(map(_turned, letters)))),
                SortedLines(b"\n".join(sorted(words.difference(letters)))),
            )
        return self._fresh

    def _packed(self, *kinds: int) -> Iterator[bytes]:
        for kind in kinds:
            for (words,) in self._connection.execute("SELECT words FROM lexicon WHERE kind = ?", (kind,)):
                if isinstance(words, bytes):
                    yield zlib.decompress(words)

    def _refresh(self) -> None:
        """Forget what was read if the words have changed since."""
        if self._steady:
            return
        version = self._state()[0]
        if version == self._version:
            return
        order: tuple[tuple[list[bytes], list[int]], ...] = tuple(([], []) for _ in range(_FRESH))
        for kind, first, block in self._connection.execute(
            "SELECT kind, first, block FROM lexicon WHERE kind < ? ORDER BY kind, first", (_FRESH,)
        ):
            if isinstance(kind, int) and isinstance(first, str) and isinstance(block, int):
                order[kind][0].append(first.encode())
                order[kind][1].append(block)
        self._order, self._blocks, self._fresh, self._version = order, {}, None, version

    def _state(self) -> tuple[int, int, int, int]:
        rows = list(self._connection.execute("SELECT version, sorted, fresh, standing FROM lexicon_state"))
        version, in_order, fresh, standing = (n if isinstance(n, int) else 0 for n in rows[0])
        return version, in_order, fresh, standing

    def _run(self, sql: str, bindings: Sequence[object] = ()) -> None:
        for _ in self._connection.execute(sql, bindings):
            pass


def _turned(word: bytes) -> bytes:
    """Return a word from its end on, as it is kept in the order of ends: `sleutels` is `letuels2`."""
    place = 1 if word.endswith(b"en") else _LAST.get(word[-1:], 0)
    return b"%b%d" % (word[: len(word) - len(_APART[place])][::-1], place)


def _turned_back(line: bytes) -> bytes:
    return line[-2::-1] + _APART[line[-1] - ord("0")]


def _split(block: bytes) -> list[bytes]:
    return block.split(b"\n") if block else []
