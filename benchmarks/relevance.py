"""Relevance: recall@10 and MRR over questions that a support desk asks, per kind and language; beside notmuch.

    python -m benchmarks.relevance [--messages 2400] [--misses] [--set first|second] [--only KIND]

Two judged sets are written by hand (tests/judged), the second by somebody who had not seen the first, and first asked
when the search was made: questions as people type them, in Dutch, French, German and English, the messages that answer
them, others that nearly do, and background mail. All of it goes into a real archive, each set into its own, and is
asked through the application. Compared with archiver's own exact words (every word in quotes), and with notmuch over
the same mail, in its order, newest first. Ends with 1 when recall@10 is below 0.95 or the mean reciprocal rank below
0.85, in either.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.apparatus.post import fill
from benchmarks.apparatus.programs import Notmuch
from benchmarks.apparatus.running import run, verdict
from tests.judged import second
from tests.judged.asking import (
    LOOKED_AT,
    Asked,
    Figures,
    Judge,
    JudgedSet,
    exactly,
    figures,
    grouped,
    judged_set,
    taken_in,
)
from tests.judged.mail import Letter, Question
from tests.judged.questions import QUESTIONS

RECALL, RECIPROCAL_RANK = 0.95, 0.85

AROUND = 600
"""Messages put together of near words of the second set's questions."""


def notmuch_asked(folder: Path, judged: JudgedSet) -> list[Asked]:
    """Ask notmuch, which stems English and orders by date."""
    fill(folder / "mail", (letter.octets for letter in judged.letters))
    notmuch = Notmuch(folder / "notmuch", folder / "mail")
    notmuch.clear()
    run(notmuch.command(), notmuch.environ)
    asked = []
    for question, right in zip(judged.questions, judged.right, strict=True):
        query = question.notmuch or question.query.replace("~2", "").replace("~", "")
        output = run(
            notmuch.command("search", "--output=messages", f"--limit={LOOKED_AT}", "--", query), notmuch.environ
        ).output
        asked.append(Asked(question, right, tuple(line.removeprefix("id:") for line in output.split())))
    return asked


def show(columns: dict[str, list[Asked]]) -> None:
    """Print recall@10 and mean reciprocal rank of each column by kind, by language, and over all."""
    print(f"\n{'':20}{'n':>4}" + "".join(f"{name:>18}" for name in columns))
    print(f"{'':20}{'':4}" + f"{'recall@10    MRR':>18}" * len(columns))
    for key in (lambda q: q.kind), (lambda q: f"in {q.language}"), (lambda _: "all"):
        groups = {name: grouped(asked, key) for name, asked in columns.items()}
        for group, members in next(iter(groups.values())).items():
            cells = (figures(found[group]) for found in groups.values())
            print(f"{group:20}{len(members):4}" + "".join(f"{c.recall:11.3f}{c.reciprocal_rank:7.3f}" for c in cells))
        print()


def misses(asked: Sequence[Asked], judge: Judge) -> None:
    """Print what was not found among ten, or not found first, with what stood above it."""
    for each in asked:
        if each.recall(10) == 1 and each.reciprocal_rank == 1:
            continue
        what = "NOT FOUND" if each.recall(10) < 1 else "not first"
        print(f"{what} [{each.question.kind}, {each.question.language}] {each.question.query}   {each.said}")
        lacking = each.right - set(each.found[:10])
        for message_id in sorted(lacking):
            print(f"      lacks {message_id.partition('@')[0]}: {judge.subjects[message_id]}")
        for place, message_id in enumerate(each.found[:5], 1):
            mark = "*" if message_id in each.right else " "
            print(f"    {mark} {place}. {message_id.partition('@')[0]}: {judge.subjects[message_id]}")


def both_sets() -> dict[str, tuple[Sequence[Question], Sequence[Letter]]]:
    """Return the sets by name: their questions, and the mail that only that set has around them."""
    return {"first": (QUESTIONS, ()), "second": (second.QUESTIONS, list(second.crowd(AROUND)))}


def main() -> int:
    sets = both_sets()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2_400, help="messages that have nothing to do with it")
    parser.add_argument("--misses", action="store_true", help="print each miss with what stood above it")
    parser.add_argument("--set", choices=sorted(sets), help="only this set")
    parser.add_argument("--only", metavar="KIND", help="only questions of this kind")
    options = parser.parse_args()
    enough = []
    for name, (questions, around) in sets.items():
        chosen = [each for each in questions if options.only in {None, each.kind}]
        if options.set in {None, name} and chosen:
            print(f"\nthe {name} set")
            judged = judged_set(chosen, messages=options.messages, around=around)
            enough.append(reached(judge(judged, with_misses=options.misses)))
    if not enough:
        parser.error(
            "no such kind; there are " + ", ".join(sorted({q.kind for asked, _ in sets.values() for q in asked}))
        )
    return 0 if all(enough) else 1


def judge(judged: JudgedSet, *, with_misses: bool) -> Figures:
    """Take a set in, ask it in every way, print what came of it; return the figures by relevance."""
    print(f"{len(judged.questions)} questions over {len(judged.letters):,} messages")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        began = time.perf_counter()
        with taken_in(Path(name), judged) as archive:
            print(f"taken in: {time.perf_counter() - began:.1f} s")
            best = archive.ask()
            columns = {
                "by relevance": best,
                "newest first": archive.ask(sort="date"),
                "exact words only": archive.ask(query=exactly),
            }
            if shutil.which("notmuch"):
                columns["notmuch"] = notmuch_asked(Path(name), judged)
            else:
                print("NOT COMPARED with notmuch: it is not installed (apt install notmuch)")
            show(columns)
            if with_misses:
                misses(best, archive)
    total = figures(best)
    newest = figures(columns["newest first"], most=20)
    print(f"newest first, recall@20: {newest.recall:.3f}")
    print(f"recall@10 {total.recall:.3f} ({verdict(total.recall, RECALL, at_least=True)})")
    print(f"MRR {total.reciprocal_rank:.3f} ({verdict(total.reciprocal_rank, RECIPROCAL_RANK, at_least=True)})")
    return total


def reached(total: Figures) -> bool:
    return total.recall >= RECALL and total.reciprocal_rank >= RECIPROCAL_RANK


if __name__ == "__main__":
    sys.exit(main())
