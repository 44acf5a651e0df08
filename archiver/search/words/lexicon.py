"""The words of the index, each once, in order: what stems, compounds, wildcards and spelling are looked up in.

FTS5 knows its words too, but finds them by walking over their postings: a scan of 148,853 words takes 0.35 s, and grows
with the mail instead of with the words. So the words are kept here as well, within the index's own transactions, in
sorted blocks. Words of the letters a to z are kept in order of their ends a second time, for compounds have their
meaning there; all others (digits, other scripts) once. In that order an ending of _APART stands behind the rest, so
that a word and what it becomes with one are neighbours: whoever looks for compounds asks for all of them, and would
read five blocks for one. Exact tokens for addresses are no words.

Fresh words stand in blocks of their own, a block for each batch, until there are enough of them to sort them in.
Telling them apart takes 65 µs a message. A first sync has no time for that and gets its words from FTS5 when it is
through, for 47: until then, the words are *behind*. A word stays after its last message went, until that is done again.
What belongs together is kept as well, for sorted words: those that share a stem, and those that have another as a part.
Of languages it knows only for which ones that is.
"""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from archiver.search.words.blocks import Blocks, Lines, Reader, outermost
from archiver.search.words.families import WITH_COMPOUNDS, beginning_of, compounds, families, members, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from archiver.core.ports import Connection

CREATE = (
    "CREATE TABLE lexicon (block INTEGER PRIMARY KEY, kind INTEGER NOT NULL, first TEXT NOT NULL, words BLOB NOT NULL)",
    "CREATE INDEX lexicon_order ON lexicon (kind, first)",
    (
        "CREATE TABLE lexicon_state (version INTEGER NOT NULL, sorted INTEGER NOT NULL, fresh INTEGER NOT NULL,"
        " standing INTEGER NOT NULL, languages TEXT NOT NULL)"
    ),
    "INSERT INTO lexicon_state VALUES (0, 0, 0, 0, '')",
)
"""Statements that make the empty lexicon. `version` rises with every change, `sorted` and `fresh` count words,
`standing` says whether the words of the index are here (0), others too (1), or not even all of them (2), and
`languages` are those by whose stems the sorted words stand in families."""

DROP = ("DROP TABLE IF EXISTS lexicon", "DROP TABLE IF EXISTS lexicon_state")

_LETTERS, _BACKWARDS, _OTHERS, _FAMILIES, _COMPOUNDS, _FRESH = range(6)

_BLOCK = 2_000
"""Octets of words that become a block; compressed, six go into a page. What is unpacked for a word is a few of them,
and larger ones are no smaller together: words alike stand side by side."""

_FEW = 2_000
"""Words of a batch up to which each is looked up; for more, all known words are held in memory (25 MB for 300,000)."""

_MANY, _SHARE = 500, 50
"""Messages at once that are many, when the words known are not more than so many times as many."""

_APART = ("", "en", "s", "n", "e")
"""Endings that stand apart in the order of ends, -en rather than -n; a digit, the place here, says which."""

_LAST = {"s": 2, "n": 3, "e": 4}
"""By the last letter, but for -en."""

_AT_PLACE = {str(place): ending for place, ending in enumerate(_APART)}

_EXACT, _STALE, _BEHIND = range(3)

_FRESH_AT_LEAST, _FRESH_SHARE = 4_000, 8
"""Fresh words are sorted in when there are so many, and more than one to so many sorted ones."""

_ADDRESS = "＠".encode()
_TO_TOKENS = bytes(
    code if code >= ord("\x80") or chr(code).isalnum() else ord(" ") for code in bytes(range(256)).lower()
)
"""How the `ascii` tokenizer of FTS5 sees octets: separators are spaces here, and capitals are small."""


class _State(NamedTuple):
    version: int
    in_order: int
    fresh: int
    standing: int
    languages: str


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

    What was read is kept until the words change; after a rollback call `forget`. `languages` (ISO 639-1) are those of
    the families that it writes; it needs none to read.
    """

    def __init__(self, connection: Connection, languages: Sequence[str] = ()) -> None:
        self._connection = connection
        self._languages = tuple(languages)
        self._families = ""
        self._version = -1
        self._known: set[bytes] | None = None
        self._reader = Reader(connection)
        self._blocks: Sequence[Blocks] = ()
        self._fresh: tuple[Lines, Lines, Lines] | None = None
        self._steady, self._looked = False, False

    # --- writing -----------------------------------------------------------------------------------------------------

    def gather(self, messages: int) -> Gathered | None:
        """Return what takes in the texts of so many messages, for `add`; None when their words are to be *behind*."""
        state = self._state()
        if state.standing == _BEHIND or (messages >= _MANY and messages * _SHARE >= state.in_order):
            self._known = None
            self._run("UPDATE lexicon_state SET version = version + 1, standing = ?", (_BEHIND,))
            return None
        return Gathered()

    def add(self, gathered: Gathered) -> None:
        """Add the words of messages."""
        state, words = self._state(), gathered.words
        new = words - self._known if self._known is not None else self._unknown_of(words)
        new = {word for word in new if _ADDRESS not in word}
        if not new:
            return
        if self._known is not None:
            self._known |= new
        self._insert(_FRESH, sorted(new))
        self._run("UPDATE lexicon_state SET version = version + 1, fresh = fresh + ?", (len(new),))
        if state.fresh + len(new) > max(_FRESH_AT_LEAST, state.in_order // _FRESH_SHARE):
            self.compact()

    def removed(self) -> None:
        """Note that messages were taken out, whose words stay until `compact`."""
        self._run("UPDATE lexicon_state SET standing = ? WHERE standing = ?", (_STALE, _EXACT))

    def is_behind(self) -> bool:
        """Say whether words of the index are missing here; `compact` completes them."""
        return self._state().standing == _BEHIND

    def is_of_other_languages(self) -> bool:
        """Say whether the sorted words stand in families of other languages than ours; `compact` mends it."""
        state = self._state()
        return bool(state.in_order) and state.languages != self._family_name()

    def compact(self) -> None:
        """Sort the fresh words in; when some are missing or no message's any longer, take them from the index."""
        state = self._state()
        if state.standing != _EXACT:
            self.rebuild()
        elif state.fresh or self.is_of_other_languages():
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
        return {word for word in words if not self.has(word.decode())}

    def _replace(self, words: Sequence[bytes]) -> None:
        """Write all words anew, given in order."""
        letters = [word for word in words if word.isalpha() and word.isascii()]
        plain = set(letters)
        self._run("DELETE FROM lexicon")
        self._insert(_OTHERS, [word for word in words if word not in plain])
        texts = [word.decode() for word in letters]
        self._insert(_BACKWARDS, [line.encode() for line in _all_turned(texts)])
        self._insert(_LETTERS, letters)
        from archiver.search.words.stems import stems

        self._insert(_FAMILIES, list(families(texts, stems(self._languages))))
        if not WITH_COMPOUNDS.isdisjoint(self._languages):
            self._insert(_COMPOUNDS, list(compounds(texts)))
        self._run(
            "UPDATE lexicon_state SET version = version + 1, sorted = ?, fresh = 0, standing = ?, languages = ?",
            (len(words), _EXACT, self._family_name()),
        )

    def _insert(self, kind: int, words: Sequence[bytes]) -> None:
        start = 0
        while start < len(words):
            length, end = 0, start
            while end < len(words) and length < _BLOCK:
                length += len(words[end]) + 1
                end += 1
            packed = zlib.compress(b"\n".join(words[start:end]), 6)
            self._run("INSERT INTO lexicon (kind, first, words) VALUES (?, ?, ?)", (kind, _first(words[start]), packed))
            start = end

    # --- reading -----------------------------------------------------------------------------------------------------

    def version(self) -> int:
        """Return a number that is another one when the words have changed."""
        self._refresh()
        return self._version

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Look at the first question within whether the words have changed, and not at every one."""
        before, self._steady = self._steady, True
        try:
            yield
        finally:
            if not before:
                self._steady = self._looked = False

    def has(self, word: str) -> bool:
        """Say whether some message has, or had, this token."""
        self._refresh()
        return bool(self._known_of(_LETTERS if word.isalpha() and word.isascii() else _OTHERS, (word,)))

    def starting(self, prefix: str) -> list[str]:
        """Return all words that begin so, in order."""
        self._refresh()
        kinds = (_LETTERS, _OTHERS) if not prefix or (prefix.isalpha() and prefix.isascii()) else (_OTHERS,)
        found = [word for kind in kinds for word in self._starting(kind, (prefix,))]
        return sorted(found)

    def few_starting(self, prefix: str, most: int) -> list[str] | None:
        """Return all words that begin so, in order; None when they are more than `most`, without reading them all."""
        self._refresh()
        if any(blocks.has_more_starting(prefix, most) for blocks in (self._blocks[_LETTERS], self._blocks[_OTHERS])):
            return None
        found = self.starting(prefix)
        return found if len(found) <= most else None

    def letters_starting(self, *prefixes: str) -> list[str]:
        """Return the words of the letters a to z that begin in one of these ways, each once, in no particular order."""
        self._refresh()
        return self._starting(_LETTERS, outermost(prefixes))

    def fresh_letters_starting(self, starts: Callable[[], Collection[str]]) -> list[str]:
        """Return those of them that are not sorted in yet; `starts` is asked only when there are any."""
        self._refresh()
        return self._fresh_starting(_LETTERS, outermost(starts())) if self._fresh_words()[_LETTERS].text else []

    def family(self, word: str, stems: Collection[str], languages: Collection[str]) -> list[str] | None:
        """Return the sorted words that have one of these stems, those of this word; None where that is not kept.

        It is kept for words that are sorted in themselves, and for the languages that the index was made for.
        """
        self._refresh()
        if self._families != name_of(languages):
            return None
        letters, families_ = self._blocks[_LETTERS], self._blocks[_FAMILIES]
        beginnings = [beginning_of(stem) for stem in stems]
        self._read(letters.places((word,)), families_.places_of(beginnings))
        if not letters.known((word,)):
            return None
        return list(dict.fromkeys(other for line in families_.starting(beginnings) for other in members(line)))

    def compounds(self, parts: Sequence[str], languages: Collection[str]) -> tuple[set[str], list[str]]:
        """Return the sorted words that have one of these as a part, and those parts of which that is not kept.

        All but the first are words of the archive. It is kept of sorted parts, for the languages of the index.
        """
        self._refresh()
        if self._families != name_of(languages):
            return set(), list(parts)
        fresh, known = self._fresh_words()[_LETTERS], self._blocks[_LETTERS].known(parts[:1])
        others = [part for n, part in enumerate(parts) if fresh.has(part) or (n == 0 and part not in known)]
        lines = self._blocks[_COMPOUNDS].starting([beginning_of(part) for part in parts if part not in others])
        return {word for line in lines for word in members(line)}, others

    def has_fresh(self) -> bool:
        """Say whether some words are not sorted in yet."""
        self._refresh()
        return any(words.text for words in self._fresh_words())

    def letters_around(self, parts: Sequence[str], ends: tuple[str, ...], *, fresh: bool = False) -> set[str]:
        """Return the words of the letters a to z that begin with one of these parts, or end in one of `ends`.

        Those are the parts, with or without one of the endings that stand apart. With `fresh`, only words that are not
        sorted in yet.
        """
        self._refresh()
        starts, turned = outermost(parts), outermost({turned for part in parts for turned in _ways_to_end(part)})
        find = self._fresh_starting if fresh else self._starting
        if not fresh:
            self._read(self._blocks[_LETTERS].places_of(starts), self._blocks[_BACKWARDS].places_of(turned))
        ending = _turned_back(find(_BACKWARDS, turned))
        return {*find(_LETTERS, starts), *(word for word in ending if word.endswith(ends))}

    def letters_ending(self, *suffixes: str) -> list[str]:
        """Return the words of the letters a to z that end in one of these, each once, in no particular order."""
        self._refresh()
        starts = outermost({_turned(suffix)[:-1] for suffix in suffixes})
        return [word for word in _turned_back(self._starting(_BACKWARDS, starts)) if word.endswith(suffixes)]

    def known_letters(self, words: Collection[str]) -> set[str]:
        """Return those of some words of the letters a to z that some message has, or had."""
        self._refresh()
        return self._known_of(_LETTERS, words)

    def letters(self) -> str:
        """Return all words of the letters a to z, in no particular order, a line feed before and after each."""
        return self._text(_LETTERS)

    def others(self) -> str:
        """Return all other words likewise."""
        return self._text(_OTHERS)

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

    def _known_of(self, kind: int, words: Collection[str]) -> set[str]:
        known = self._blocks[kind].known(words)
        if (fresh := self._fresh_words()[kind]).text:
            known.update(filter(fresh.has, words))
        return known

    def _starting(self, kind: int, starts: Sequence[str]) -> list[str]:
        return self._blocks[kind].starting(starts) + self._fresh_starting(kind, starts)

    def _fresh_starting(self, kind: int, starts: Sequence[str]) -> list[str]:
        fresh = self._fresh_words()[kind]
        return [word for start in starts for word in fresh.starting(start)] if fresh.text else []

    def _text(self, kind: int) -> str:
        self._refresh()
        return self._blocks[kind].text() + self._fresh_words()[kind].text[1:]

    def _read(self, *places: Sequence[tuple[str, int]]) -> None:
        """Read blocks of several kinds by one statement."""
        self._reader.read(number for some in places for _, number in some)

    def _fresh_words(self) -> tuple[Lines, Lines, Lines]:
        """Return fresh words, sorted: of letters, the same backwards, and the others."""
        if self._fresh is None:
            words = b"\n".join(self._packed(_FRESH)).decode().split("\n")
            letters = sorted(word for word in words if word.isascii() and word.isalpha())
            kinds = letters, _all_turned(letters), sorted(set(words).difference(letters))
            one, other, others = (Lines("\n".join(each)) for each in kinds)
            self._fresh = one, other, others
        return self._fresh

    def _packed(self, *kinds: int) -> Iterator[bytes]:
        for kind in kinds:
            for (words,) in self._connection.execute("SELECT words FROM lexicon WHERE kind = ?", (kind,)):
                if isinstance(words, bytes):
                    yield zlib.decompress(words)

    def _refresh(self) -> None:
        """Forget what was read if the words have changed since."""
        if self._looked:
            return
        state, self._looked = self._state(), self._steady
        if state.version == self._version:
            return
        reader = Reader(self._connection)
        kinds = [Blocks(reader) for _ in range(_FRESH)]
        # Put together by SQLite: an archive has thousands of blocks, and a process asks a few words.
        for kind, firsts, numbers in self._connection.execute(
            "SELECT kind, group_concat(first, char(10)), group_concat(block, ' ')"
            " FROM (SELECT kind, first, block FROM lexicon WHERE kind < ? ORDER BY kind, first) GROUP BY kind",
            (_FRESH,),
        ):
            if isinstance(kind, int) and isinstance(firsts, str) and isinstance(numbers, str):
                kinds[kind] = Blocks(reader, firsts.split("\n"), [int(each) for each in numbers.split(" ")])
        self._reader, self._blocks, self._fresh = reader, kinds, None
        self._version, self._families = state.version, state.languages

    def _state(self) -> _State:
        rows = self._connection.execute("SELECT version, sorted, fresh, standing, languages FROM lexicon_state")
        *numbers, languages = next(iter(list(rows)))
        version, in_order, fresh, standing = (n if isinstance(n, int) else 0 for n in numbers)
        return _State(version, in_order, fresh, standing, str(languages))

    def _family_name(self) -> str:
        """Return what `languages` says of families that we write."""
        return name_of(self._languages)

    def _run(self, sql: str, bindings: Sequence[object] = ()) -> None:
        for _ in self._connection.execute(sql, bindings):
            pass


def _turned(word: str) -> str:
    """Return a word from its end on, as it is kept in the order of ends: `sleutels` is `letuels2`."""
    place = 1 if word.endswith("en") else _LAST.get(word[-1:], 0)
    return f"{word[: len(word) - len(_APART[place])][::-1]}{place}"


def _turned_back(lines: Iterable[str]) -> list[str]:
    return [line[-2::-1] + _AT_PLACE[line[-1]] for line in lines]


def _ways_to_end(part: str) -> tuple[str, str]:
    """Return how words stand in the order of ends that end in a part, and in that with an ending that stands apart."""
    return _turned(part)[:-1], part[::-1]


def _all_turned(words: Sequence[str]) -> list[str]:
    """Return words as they are kept in the order of ends, in that order: `_turned` for many."""
    lines = "\n".join(words)[::-1].split("\n") if words else []
    return sorted(
        f"{line[2:]}1" if line.startswith("ne") else f"{line[1:]}{_LAST[line[0]]}" if line[0] in _LAST else f"{line}0"
        for line in lines
    )


def _first(line: bytes) -> str:
    """Return what the first line of a block is found by: a word, or the stem of a family."""
    return line.partition(b" ")[0].decode()


def _split(block: bytes) -> list[bytes]:
    return block.split(b"\n") if block else []
