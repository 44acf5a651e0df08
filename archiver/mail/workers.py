"""The pool that parses messages in bounded worker processes (`archiver.core.ports.Parser`).

Knows processes, pipes and clocks; nothing of mail. A worker is a fresh interpreter, not a fork: it holds no key. A
message that takes too long, too much memory, or a worker's life comes back with a defect and what its header says;
the others are not touched by it. If it was an attachment that did so, only that attachment is lost: before each, the
worker sends the message as far as it is read. One thread: everything happens while the caller iterates.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct, field
from msgspec.structs import replace

import archiver
from archiver.errors import ArchiverError
from archiver.mail.wire import (
    ATTACHMENT,
    FULL,
    HEADER_OCTETS,
    HEADER_ONLY,
    INTERIM,
    MAX_REPLY,
    REPLY,
    REQUEST,
    WORKER_OUT_OF_MEMORY,
    decode_interim,
)
from archiver.model.message import Defect, Message

_TIMEOUT, _MEMORY, _CRASHED = 1, 2, 3
_PIPE = 1 << 20
"""Octets that a pipe should hold (a user may have so many, pipe(7)): a worker goes on while its caller does not ask."""
_PLENTY = 8
"""Messages that a worker has waiting before another one is worth its start."""
_START_SECONDS = 60.0
_STARTS = 3
_LOST_ATTACHMENTS = 2
"""Attachments that may end their worker before the rest of the message's attachments are not read any more."""
_STARTED_BY = (  # the very package that runs here, wherever it lies, though the interpreter is isolated
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from archiver.mail.worker import main; sys.exit(main(sys.argv[1:]))"
)


class _Job(Struct, eq=False):
    """A message on its way; `done` once its message is known.

    `so_far` is the message before the attachment named in `reading`, of this attempt; `kept` of those before it, which
    ended within an attachment each (`lost` of them): the next attempt skips the first `skip` attachments.
    """

    octets: bytes
    mode: int = FULL
    crashes: int = 0
    done: Message | None = None
    held: int = 0
    so_far: Message | None = None
    reading: tuple[int, str] = (0, "")
    kept: Message | None = None
    lost: int = 0
    skip: int = 0

    def finish(self, message: Message) -> None:
        """Take the message as it is now, with what earlier attempts read."""
        self.done = message if self.kept is None else _joined(self.kept, message)


def _joined(before: Message, after: Message) -> Message:
    """Return a message whose attachments were read in two attempts."""
    return replace(
        after if after.parts else before,
        attached=before.attached + after.attached,
        defects=tuple(dict.fromkeys((*before.defects, *after.defects))),
    )


class _Worker(Struct, eq=False):
    """A process, what goes to it and comes from it; a `paused` one is not read from, and its time stands still."""

    process: subprocess.Popen[bytes]
    to_write: deque[memoryview] = field(default_factory=deque)
    reply: bytearray = field(default_factory=bytearray)
    jobs: deque[_Job] = field(default_factory=deque)
    deadline: float = 0.0
    ready: bool = False
    paused: bool = False

    @property
    def requests(self) -> int:
        """File descriptor for writing."""
        assert self.process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
        return self.process.stdin.fileno()

    @property
    def replies(self) -> int:
        """File descriptor for reading."""
        assert self.process.stdout is not None  # noqa: S101
        return self.process.stdout.fileno()


class ParserPool:
    """Parses in up to `workers` processes; with 0 in this process, without bounds, for a single message to show.

    `seconds` bounds the time for one message, `memory` (bytes) the address space of a worker, `octets_in_flight` the
    messages taken, `octets_held` the replies to those whose turn is not yet: beyond it, only the worker with the
    message whose turn it is goes on, so that one slow message does not gather what was made of 500. Nothing is started
    before the first message, nor a second worker before the first has plenty to do. Not for use by several threads;
    end it with `close` or as a context manager. Raises ArchiverError when no worker can be started at all.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        seconds: float = 30.0,
        memory: int = 1 << 30,
        in_flight: int = 128,
        octets_in_flight: int = 32 << 20,
        octets_held: int = 16 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = workers
        self._seconds = seconds
        self._memory = memory
        self._in_flight = in_flight
        self._octets_in_flight = octets_in_flight
        self._octets_held = octets_held
        self._held = 0
        self._clock = clock
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def parse(self, octets: Iterable[bytes]) -> Iterator[Message]:
        """Yield one message for each, in order. Takes from `octets` only as much as fits in flight: memory stays flat.

        Whoever stops iterating early gives the messages in flight up; the next call begins afresh.
        """
        if self._count <= 0:
            from archiver.mail.parse import parse  # all of the parser, which a pool with workers never needs

            for one in octets:
                yield parse(one)
            return
        waiting: deque[_Job] = deque()  # taken, not yet yielded, in order
        unsent: deque[_Job] = deque()
        source = iter(octets)
        exhausted = False
        size = self._held = 0
        try:
            while True:
                while not exhausted and not unsent and self._room(len(waiting), size):
                    taken = next(source, None)
                    if taken is None:
                        exhausted = True
                        break
                    job = _Job(taken)
                    size += len(taken)
                    waiting.append(job)
                    unsent.append(job)
                    self._hand_out(unsent)
                while waiting and waiting[0].done is not None:
                    job = waiting.popleft()
                    size -= len(job.octets)
                    self._held -= job.held
                    assert job.done is not None  # noqa: S101 - for the type checker
                    yield job.done
                    del job  # it may be large, and the next one long in coming
                if exhausted and not waiting:
                    return
                self._hand_out(unsent)
                if waiting and waiting[0].done is None:
                    self._pause_but_for(waiting[0])
                    self._turn(unsent)
        finally:
            for worker in [worker for worker in self._workers if worker.jobs]:
                self._end(worker)

    def close(self) -> None:
        """End the workers; may be called twice."""
        for worker in list(self._workers):
            self._end(worker)

    def _room(self, messages: int, size: int) -> bool:
        return not messages or (messages < self._in_flight * self._count * 2 and size < self._octets_in_flight)

    def _hand_out(self, unsent: deque[_Job]) -> None:
        """Give waiting jobs to the workers with room, starting another worker only when all have plenty to do."""
        while unsent:
            worker = min(self._workers, key=lambda one: len(one.jobs), default=None)
            if worker is None or (len(worker.jobs) >= _PLENTY and len(self._workers) < self._count):
                worker = self._start()
            elif len(worker.jobs) >= self._in_flight:
                return
            job = unsent.popleft()
            if not worker.jobs and worker.ready:
                worker.deadline = self._clock() + self._seconds
            worker.jobs.append(job)
            octets = job.octets if job.mode == FULL else job.octets[:HEADER_OCTETS]
            worker.to_write.append(memoryview(REQUEST.pack(job.mode, job.skip, len(octets))))
            if octets:
                worker.to_write.append(memoryview(octets))

    def _pause_but_for(self, first: _Job) -> None:
        """Let only the worker with this job go on while enough is held; the others wait to be read from."""
        full = self._held >= self._octets_held and any(first in worker.jobs for worker in self._workers)
        for worker in self._workers:
            paused = full and worker.ready and bool(worker.jobs) and first not in worker.jobs
            if worker.paused and not paused:
                worker.deadline = self._clock() + self._seconds
            worker.paused = paused

    def _turn(self, unsent: deque[_Job]) -> None:
        """Wait for what happens next: room to write, a reply, an end, or the end of somebody's time."""
        with selectors.DefaultSelector() as selector:
            for worker in self._workers:
                if not worker.paused:
                    selector.register(worker.replies, selectors.EVENT_READ, worker)
                if worker.to_write:
                    selector.register(worker.requests, selectors.EVENT_WRITE, worker)
            running = [worker for worker in self._workers if worker.jobs and not worker.paused]
            deadline = min((worker.deadline for worker in running), default=self._clock())
            events = selector.select(max(0.0, deadline - self._clock()))
        for key, event in events:
            worker = key.data
            if worker not in self._workers:
                continue
            if event & selectors.EVENT_WRITE:
                self._write(worker)
            elif not self._read(worker):
                self._lost(worker, unsent)
        now = self._clock()
        for worker in [one for one in running if one in self._workers and one.jobs and one.deadline <= now]:
            self._out_of_time(worker, unsent)

    def _write(self, worker: _Worker) -> None:
        """Write what the pipe takes; a worker that is gone is noticed when reading."""
        try:
            while worker.to_write:
                piece = worker.to_write[0]
                written = os.write(worker.requests, piece[:_PIPE])
                if written == len(piece):
                    worker.to_write.popleft()
                else:
                    worker.to_write[0] = piece[written:]
        except BlockingIOError:
            return
        except OSError:
            worker.to_write.clear()

    def _read(self, worker: _Worker) -> bool:
        """Take replies in; False when the worker has ended or talks nonsense."""
        try:
            octets = os.read(worker.replies, _PIPE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not octets:
            return False
        worker.reply += octets
        while len(worker.reply) >= REPLY.size:
            (length,) = REPLY.unpack_from(worker.reply)
            interim, length = bool(length & INTERIM), length & ~INTERIM
            if length > MAX_REPLY or (worker.ready and not worker.jobs) or (interim and not worker.ready):
                return False
            if len(worker.reply) < REPLY.size + length:
                break
            if not worker.ready:
                worker.ready, self._failed_starts = True, 0
                worker.deadline = self._clock() + self._seconds
                del worker.reply[: REPLY.size + length]
                continue
            job = worker.jobs[0]
            try:
                message, reading = decode_interim(memoryview(worker.reply)[REPLY.size : REPLY.size + length].tobytes())
            except ValueError:
                return False
            del worker.reply[: REPLY.size + length]
            if interim:
                job.so_far, job.reading = message, reading
                continue
            job.finish(message)
            job.held = length
            self._held += length
            worker.jobs.popleft()
            worker.deadline = self._clock() + self._seconds
        return True

    def _lost(self, worker: _Worker, unsent: deque[_Job]) -> None:
        """Deal with a worker that ended by itself: its message is tried once more, then without what did it."""
        code = self._end(worker)
        jobs = worker.jobs
        if not worker.ready:
            self._not_started()
        elif jobs:
            job = jobs[0]
            job.crashes += 1
            if code == WORKER_OUT_OF_MEMORY:
                self._degrade(job, _MEMORY)
            elif job.crashes > 1 or job.mode != FULL:
                self._degrade(job, _CRASHED)
            else:
                job.so_far = None
        unsent.extendleft(reversed([job for job in jobs if job.done is None]))

    def _out_of_time(self, worker: _Worker, unsent: deque[_Job]) -> None:
        self._end(worker)
        if worker.ready:
            self._degrade(worker.jobs[0], _TIMEOUT)
        else:
            self._not_started()
        unsent.extendleft(reversed([job for job in worker.jobs if job.done is None]))

    def _not_started(self) -> None:
        """Give up when no worker ever gets ready: no message is to blame for that."""
        self._failed_starts += 1
        if self._failed_starts >= _STARTS:
            raise ArchiverError(
                "the process that parses messages cannot be started",
                hint="is there memory to spare, and may this user start processes?",
            )

    def _degrade(self, job: _Job, mode: int) -> None:
        """Do without the attachment that was being read, or else have only the header read.

        If that failed already, give up on the message's content.
        """
        if job.so_far is not None:
            self._lose_attachment(job, ATTACHMENT[mode])
        elif job.kept is not None:
            job.done = job.kept
        elif job.mode == FULL:
            job.mode = mode
        else:
            job.done = Message(defects=(Defect(HEADER_ONLY[job.mode]),))

    def _lose_attachment(self, job: _Job, code: str) -> None:
        """Keep what was read before, and have the attachments behind this one read by another worker."""
        assert job.so_far is not None  # noqa: S101 - for the type checker
        number, place = job.reading
        lost = replace(job.so_far, defects=(*job.so_far.defects, Defect(code, place[:200])))
        job.kept = lost if job.kept is None else _joined(job.kept, lost)
        job.so_far, job.crashes, job.lost, job.skip = None, 0, job.lost + 1, min(number + 1, 0xFFFF)
        if job.lost > _LOST_ATTACHMENTS:  # enough: those behind it are not read
            job.done = replace(job.kept, defects=(*job.kept.defects, Defect(code)))

    def _start(self) -> _Worker:
        root = str(Path(archiver.__file__).resolve().parent.parent)
        process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-B",
                "-c",
                _STARTED_BY,
                root,
                str(self._memory),
                str(self._seconds),
                str(os.getpid()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            bufsize=0,
        )
        worker = _Worker(process, deadline=self._clock() + _START_SECONDS)
        for pipe in (worker.requests, worker.replies):
            os.set_blocking(pipe, False)
            with suppress(OSError):  # many pipes are open already: smaller ones will do
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
        self._workers.append(worker)
        return worker

    def _end(self, worker: _Worker) -> int:
        """End a worker and forget it; return its exit code."""
        if worker in self._workers:
            self._workers.remove(worker)
        process = worker.process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            # One that ended by itself has a code of its own to tell; any other gets no time to finish.
            return process.wait(timeout=0.2 if worker.jobs and worker.deadline > self._clock() else 0)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return process.wait()
