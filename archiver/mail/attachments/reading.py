"""One message's attachments read, each within its bounds: what they say, and defects for what they do not.

Puts the readers of this package together and goes into containers. Never raises for any octets, but MemoryError when
not even the defect can be made. Names of members are kept beside their text, so that a file in an archive is found by
its name.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from archiver.mail.attachments import kinds
from archiver.mail.attachments.bounds import (
    DAMAGED,
    ENCRYPTED,
    FAILED,
    LIMIT,
    MEMORY,
    UNSUPPORTED,
    Account,
    Allowance,
    Bounds,
    Sink,
    UnreadError,
)
from archiver.mail.charset import one_line
from archiver.model.message import AttachedText, Defect

_MAX_NAME = 255


class Reading:
    """Reads the attachments of one message, in their order; `texts` and `defects` grow with each."""

    def __init__(self, bounds: Bounds | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds or Bounds()
        self._account = Account(self._bounds, clock)
        self.texts: list[AttachedText] = []
        self.defects: list[Defect] = []

    def read(self, octets: bytes, path: str, filename: str | None, content_type: str, charset: str | None) -> None:
        """Read one attachment; `path` is its part's."""
        allowance = self._account.open()
        if len(octets) > self._bounds.octets:
            self._note(LIMIT, path, kinds.sniff(octets, filename, content_type))
            return
        self._read(octets, path, path, filename, content_type, charset, allowance)
        self._account.settle()

    def _read(
        self,
        octets: bytes,
        path: str,
        place: str,
        filename: str | None,
        content_type: str,
        charset: str | None,
        allowance: Allowance,
    ) -> None:
        """Read a file; `path` is what its text is called by, `place` the same in numbers, for defects."""
        kind = kinds.sniff(octets, filename, content_type)
        if kind is None:
            if path != place:  # a member: its name counts
                self.texts.append(AttachedText(path, ""))
            return
        sink = Sink(allowance)
        at = len(self.texts)
        said = kind
        problem: str | None = None
        try:
            said = self._by_kind(kind, octets, path, place, filename, charset, sink)
        except UnreadError as unread:
            problem = unread.code
        except MemoryError:
            problem = MEMORY
        except RecursionError:
            problem = LIMIT
        except Exception as fault:  # noqa: BLE001 - a fault of ours loses one attachment's text, and says so
            problem, said = FAILED, f"{kind} {type(fault).__name__}"
        text = sink.text()
        if text or path != place:
            self.texts.insert(at, AttachedText(path, text))
        if problem is not None:
            self._note(problem, place, said)

    def _note(self, code: str, place: str, kind: str | None) -> None:
        self.defects.append(Defect(code, f"{place} {kind}" if kind else place))

    def _by_kind(
        self,
        kind: str,
        octets: bytes,
        path: str,
        place: str,
        filename: str | None,
        charset: str | None,
        sink: Sink,
    ) -> str:
        """Read by kind; return what the file turned out to be, for the defect that may follow."""
        if kind == kinds.PDF:
            from archiver.mail.attachments.pdf import read_pdf

            read_pdf(octets, sink)
        elif kind == kinds.ZIP:
            return self._zip(octets, path, place, sink)
        elif kind == kinds.RTF:
            from archiver.mail.attachments.rich import read_rtf

            read_rtf(octets, sink)
        elif kind == kinds.COMPOUND:
            return self._compound(octets, path, place, sink)
        elif kind == kinds.MESSAGE:
            self._message(octets, path, place, sink)
        elif kind in {kinds.GZIP, kinds.BZIP}:
            self._compressed(kind, octets, path, place, filename, sink)
        elif kind == kinds.TAR:
            self._tar(octets, path, place, sink)
        elif kind == kinds.PACKED:
            raise UnreadError(UNSUPPORTED)
        elif kind == kinds.PGP:
            raise UnreadError(ENCRYPTED)
        else:
            from archiver.mail.attachments import plain

            readers = {
                kinds.HTML: plain.read_html,
                kinds.XML: plain.read_xml,
                kinds.CARD: plain.read_card,
                kinds.CALENDAR: plain.read_calendar,
            }
            readers.get(kind, plain.read_plain)(octets, charset, sink)
        return kind

    def _zip(self, octets: bytes, path: str, place: str, sink: Sink) -> str:
        from archiver.mail.attachments.archives import open_zip
        from archiver.mail.attachments.office import package_kind, read_package

        allowance = sink.allowance
        archive = open_zip(octets, allowance)
        kind = package_kind(archive)
        if kind is not None:
            try:
                read_package(archive, kind, sink)
            except UnreadError as problem:
                self._note(problem.code, place, kind)
            return kind
        with _Inside(allowance):
            for number, member in enumerate(archive.members, 1):
                if member.is_folder or member.name.startswith("__MACOSX/"):
                    continue
                allowance.member()
                name = _member_name(member.name)
                try:
                    content = archive.read(member, allowance)
                except UnreadError as problem:
                    self.texts.append(AttachedText(f"{path}>{name}", ""))
                    self._note(problem.code, f"{place}>{number}", None)
                    if problem.code not in {DAMAGED, ENCRYPTED, UNSUPPORTED}:
                        return kinds.ZIP
                    continue
                self._read(content, f"{path}>{name}", f"{place}>{number}", name, "", None, allowance)
        if not archive.whole:
            raise UnreadError(DAMAGED)
        return kinds.ZIP

    def _tar(self, octets: bytes, path: str, place: str, sink: Sink) -> None:
        from archiver.mail.attachments.archives import tar_members

        with _Inside(sink.allowance):
            for number, (name, content) in enumerate(tar_members(octets, sink.allowance), 1):
                shown = _member_name(name)
                self._read(content, f"{path}>{shown}", f"{place}>{number}", shown, "", None, sink.allowance)

    def _compressed(self, kind: str, octets: bytes, path: str, place: str, filename: str | None, sink: Sink) -> None:
        from archiver.mail.attachments.archives import PartlyError, bunzipped, gunzipped

        name = (filename or "").rpartition("/")[2]
        ending = name.rpartition(".")[2].lower()
        inner = name[: -len(ending) - 1] + (".tar" if ending in {"tgz", "tbz", "tbz2"} else "") if ending else name
        problem: PartlyError | None = None
        try:
            content = gunzipped(octets, sink.allowance) if kind == kinds.GZIP else bunzipped(octets, sink.allowance)
        except PartlyError as partly:
            problem, content = partly, partly.octets
        with _Inside(sink.allowance):
            if content:
                inner = _member_name(inner or "file")
                self._read(content, f"{path}>{inner}", f"{place}>1", inner, "", None, sink.allowance)
        if problem is not None:
            raise UnreadError(problem.code)

    def _message(self, octets: bytes, path: str, place: str, sink: Sink) -> None:
        """Read a message that is attached as a file: who, what, its texts, and its own attachments."""
        from archiver.mail.attachments.messages import read_message

        with _Inside(sink.allowance):
            for number, (name, leaf) in enumerate(read_message(octets, sink), 1):
                sink.allowance.member()
                shown = _member_name(leaf.filename or name)
                self._read(
                    leaf.octets(), f"{path}>{shown}", f"{place}>{number}",
                    leaf.filename, leaf.content_type, leaf.charset, sink.allowance,
                )  # fmt: skip

    def _compound(self, octets: bytes, path: str, place: str, sink: Sink) -> str:
        from archiver.mail.attachments.compound import CompoundFile
        from archiver.mail.attachments.legacy import legacy_kind, read_legacy, read_outlook

        file = CompoundFile(octets, sink.allowance)
        kind = legacy_kind(file)
        if kind != "msg":
            try:
                read_legacy(file, kind, sink)
            except UnreadError as problem:
                self._note(problem.code, place, kind or kinds.COMPOUND)
            return kind or kinds.COMPOUND
        with _Inside(sink.allowance):
            for number, (name, content) in enumerate(read_outlook(file, sink), 1):
                sink.allowance.member()
                shown = _member_name(name)
                self._read(content, f"{path}>{shown}", f"{place}>{number}", shown, "", None, sink.allowance)
        return "msg"


class _Inside:
    """Counts how deeply containers hold each other."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance

    def __enter__(self) -> None:
        if self._allowance.depth <= 0:
            raise UnreadError(LIMIT)
        self._allowance.depth -= 1

    def __exit__(self, *_: object) -> None:
        self._allowance.depth += 1


def _member_name(name: str) -> str:
    """Return a member's name on one line; ">" has a meaning in paths."""
    return one_line(name).replace(">", "_")[-_MAX_NAME:] or "file"
