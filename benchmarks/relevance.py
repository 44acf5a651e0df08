"""Relevance: recall@10 and MRR over questions that a support desk asks, per kind and language; beside notmuch.

    python -m benchmarks.relevance [--messages 2400] [--misses] [--only KIND]

The judged set is written by hand (tests/judged): questions as people type them, in Dutch, French, German and English,
the messages that answer them, others that nearly do, and background mail. All of it goes into a real archive, and is
asked through the application. Compared with archiver's own exact words (every word in quotes), and with notmuch over
the same mail, in its order, newest first. Ends with 1 when recall@10 is below 0.95 or the mean reciprocal rank below
0.85.
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
from tests.judged.questions import QUESTIONS

RECALL, RECIPROCAL_RANK = 0.95, 0.85


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2_400, help="messages that have nothing to do with it")
    parser.add_argument("--misses", action="store_true", help="print each miss with what stood above it")
    parser.add_argument("--only", metavar="KIND", help="only questions of this kind")
    options = parser.parse_args()
    questions = [each for each in QUESTIONS if options.only in {None, each.kind}]
    if not questions:
        parser.error("no such kind; there are " + ", ".join(sorted({each.kind for each in QUESTIONS})))
    judged = judged_set(questions, messages=options.messages)
    print(f"{len(questions)} questions over {len(judged.letters):,} messages")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        began = time.perf_counter()
        with taken_in(Path(name), judged) as judge:
            print(f"taken in: {time.perf_counter() - began:.1f} s")
            best = judge.ask()
            columns = {
                "by relevance": best,
                "newest first": judge.ask(sort="date"),
                "exact words only": judge.ask(query=exactly),
            }
            if shutil.which("notmuch"):
                columns["notmuch"] = notmuch_asked(Path(name), judged)
            else:
                print("NOT COMPARED with notmuch: it is not installed (apt install notmuch)")
            show(columns)
            if options.misses:
                misses(best, judge)
    total = figures(best)
    newest = figures(columns["newest first"], most=20)
    print(f"newest first, recall@20: {newest.recall:.3f}")
    print(f"recall@10 {total.recall:.3f} ({verdict(total.recall, RECALL, at_least=True)})")
    print(f"MRR {total.reciprocal_rank:.3f} ({verdict(total.reciprocal_rank, RECIPROCAL_RANK, at_least=True)})")
    return 0 if reached(total) else 1


def reached(total: Figures) -> bool:
    return total.recall >= RECALL and total.reciprocal_rank >= RECIPROCAL_RANK


if __name__ == "__main__":
    sys.exit(main())
