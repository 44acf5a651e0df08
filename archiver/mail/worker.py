"""The process that parses mail for `archiver.mail.workers`: frames come in on standard input, messages go out.

Started by exec, so that it holds no key of its parent; shuts itself in before it reads a first octet: no core dumps, no
files written, no new privileges, bounded memory, and an alarm, so that it ends even if its parent cannot end it.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import resource
import signal
import struct
import sys
from typing import BinaryIO

from msgspec.structs import replace

from archiver.mail.wire import FULL, HEADER_ONLY, INTERIM, REPLY, REQUEST, WORKER_OUT_OF_MEMORY, encode
from archiver.model.message import Defect, Message

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_OPEN_FILES = 32
_GARBAGE_THRESHOLD = 20_000
"""New objects between two searches for cycles: parsing leaves none behind, and looking every 700 costs a twentieth."""


def main(arguments: list[str]) -> int:
    """Serve until standard input ends; arguments: memory bound in bytes, seconds for a message, the parent's pid."""
    memory, seconds, parent = int(arguments[0]), float(arguments[1]), int(arguments[2])
    shut_in(memory)
    if os.getppid() != parent:
        return 0
    logging.disable(logging.CRITICAL)
    requests = open(0, "rb", buffering=1 << 16, closefd=False)  # noqa: SIM115 - a file descriptor, for life
    replies_to = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    _import_ahead()
    try:
        _serve(requests, replies_to, seconds)
    except MemoryError:
        return WORKER_OUT_OF_MEMORY
    except BrokenPipeError:
        return 0
    return 0


def shut_in(memory: int) -> None:
    """Give up what reading one message needs not: memory beyond this many octets, files, core dumps, privileges."""
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _, hard = resource.getrlimit(limit)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (bound, bound))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # The parent's to handle, whom a terminal, or systemd, tells as well. Mail is not to look as if it had ended us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _import_ahead() -> None:
    """Import what parsing needs, so that no message pays for it, and keep the collector from going over it."""
    import mailparser.dates
    import mailparser.utils  # noqa: F401 - imported for its effect

    import archiver.mail.attachments.plain
    import archiver.mail.attachments.reading
    import archiver.mail.cms
    import archiver.mail.html
    import archiver.mail.parse
    import archiver.mail.tnef  # noqa: F401

    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)


def _serve(requests: BinaryIO, replies_to: int, seconds: float) -> None:
    from archiver.mail.attachments.bounds import Bounds
    from archiver.mail.parse import parse, parse_header

    # An attachment ends by itself, if its reader lets it, well before the message's time is over.
    usual = Bounds()
    bounds = replace(
        usual,
        seconds=min(usual.seconds, seconds / 3),
        message_seconds=min(usual.message_seconds, seconds * 2 / 3),
    )

    def tell(message: Message, number: int, place: str) -> None:
        reply = encode(message, (number, place))
        _write(replies_to, REPLY.pack(len(reply) | INTERIM) + reply)

    _write(replies_to, REPLY.pack(0))  # ready: only now does a message's time begin
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        # The default action of SIGALRM ends the process: the last resort when nobody is there to end it.
        signal.setitimer(signal.ITIMER_REAL, seconds + 10)
        mode, skip, length = REQUEST.unpack(head)
        octets = requests.read(length)
        if len(octets) < length:
            return
        if mode == FULL:
            message = parse(octets, skip=skip, on_attachment=tell, bounds=bounds)
        else:
            message = parse_header(octets, Defect(HEADER_ONLY[mode]))
        del octets
        reply = _encoded(message)
        signal.setitimer(signal.ITIMER_REAL, 0)  # before it is written: the reader takes it when it has room
        _write(replies_to, REPLY.pack(len(reply)) + reply)  # at once: each write wakes the reader up


def _encoded(message: Message) -> bytes:
    try:
        return encode(message)
    except (ValueError, TypeError) as problem:
        return encode(Message(defects=(*message.defects, Defect("parse-failed", f"encode: {type(problem).__name__}"))))


def _write(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (struct.error, IndexError, ValueError):
        sys.exit(1)
