"""Run programs and say what they took: wall time, processor time, and the memory of every process of the tree.

Knows Linux's /proc; nothing of mail. Timed runs are never sampled: the sampler would be measured too.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """One run of a program: seconds by the clock, and of the processor for it and all its ended children."""

    wall: float
    processor: float
    output: str


@dataclass
class Process:
    """A process as the sampler saw it: largest resident size (bytes), processor seconds when last seen."""

    role: str
    resident: int = 0
    processor: float = 0.0


@dataclass
class Watched:
    """What a sampled run took. `together` is the largest sum of proportional sizes (PSS) at one moment, in bytes."""

    together: int = 0
    processes: dict[int, Process] = field(default_factory=dict)
    over_time: list[tuple[float, int]] = field(default_factory=list)

    @property
    def largest(self) -> int:
        """The largest resident size of a single process, in bytes."""
        return max((process.resident for process in self.processes.values()), default=0)


def run(command: Sequence[str], environ: Mapping[str, str] | None = None, *, expect: Sequence[int] = (0,)) -> Run:
    """Run a program to its end; ends the benchmark with its output when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = done.stdout.decode(errors="replace")
    if done.returncode not in expect:
        raise SystemExit(f"{Path(command[0]).name} ended with {done.returncode}:\n{output[-2000:]}")
    processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Run(wall, processor, output)


def watch(
    command: Sequence[str], roles: Mapping[str, str], environ: Mapping[str, str] | None = None, *, every: float = 0.1
) -> Watched:
    """Run a program while its processes are looked at; `roles` maps a piece of a command line to a name for it."""
    process = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    watched = Watched()
    ended = threading.Event()

    def look() -> None:
        began = time.perf_counter()
        while not ended.wait(every):
            together = 0
            for pid in [process.pid, *children_of(process.pid)]:
                together += _look_at(pid, watched, roles)
            watched.together = max(watched.together, together)
            watched.over_time.append((time.perf_counter() - began, together))

    sampler = threading.Thread(target=look)
    sampler.start()
    code = process.wait()
    ended.set()
    sampler.join()
    if code != 0:
        raise SystemExit(f"{Path(command[0]).name} ended with {code}")
    return watched


def _look_at(pid: int, watched: Watched, roles: Mapping[str, str]) -> int:
    """Note a process's size and time; return its proportional size in bytes, 0 when it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        processor = sum(ticks(pid))
    except OSError:
        return 0
    known = watched.processes.setdefault(pid, Process("?"))
    known.role = next((role for piece, role in roles.items() if piece in line), line[:40])
    known.resident = max(known.resident, _kilobytes(status, "VmHWM:"))
    known.processor = max(known.processor, processor)
    return _kilobytes(rollup, "Pss:")


def _kilobytes(text: str, key: str) -> int:
    found = [line for line in text.splitlines() if line.startswith(key)]
    return int(found[0].split()[1]) * 1024 if found else 0


def children_of(pid: int) -> list[int]:
    """Return all descendants that live."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            direct = [int(each) for each in (task / "children").read_text().split()]
        except OSError:
            continue
        for child in direct:
            found += [child, *children_of(child)]
    return found


def ticks(pid: int, *, ended: bool = False) -> tuple[float, ...]:
    """Return (user, system) seconds of a process; with `ended` those of its ended children too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return tuple(int(value) / _TICK for value in fields[11 : 15 if ended else 13])


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    """Return "median [least-most]" in seconds."""
    return f"{median(values):7.2f} [{min(values):.2f}-{max(values):.2f}]"


def machine() -> str:
    """Say what ran this: processors, memory, load before the start."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    load = os.getloadavg()[0]
    busy = "  (others use this machine: trust ratios and processor time only)" if load > 0.7 else ""
    return f"{os.cpu_count()} processors, {pages / 2**30:.0f} GiB, load {load:.1f}{busy}"


def octets_below(*paths: Path) -> int:
    """Return the sizes of files and of all files below folders."""
    total = 0
    for path in paths:
        files = path.rglob("*") if path.is_dir() else [path]
        total += sum(each.stat().st_size for each in files if each.is_file())
    return total


def verdict(value: float, target: float, *, at_least: bool = False) -> str:
    """Say whether a figure reaches its target."""
    reached = value >= target if at_least else value <= target
    return f"target {'>=' if at_least else '<='} {target:g}: {'reached' if reached else 'MISSED'}"
