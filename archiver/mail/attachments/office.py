"""Text of Office Open XML (ECMA-376) and OpenDocument (ISO 26300): what is in their XML, in reading order.

Knows which parts of a package hold text and what ends a line there. Deliberately computes nothing: formulas are left
alone, and of numbers only dates are turned into what a reader sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import ClassVar

from archiver.mail.attachments.archives import Member, ZipFile
from archiver.mail.attachments.bounds import DAMAGED, ENCRYPTED, UNSUPPORTED, Sink, UnreadError
from archiver.mail.attachments.markup import parse_xml

WORD, SHEET, SLIDES, OPEN_DOCUMENT = "docx", "xlsx", "pptx", "odf"

_NUMBER = re.compile(r"(\d+)\.xml\Z")
_WORD_PARTS = re.compile(r"word/(?:header\d*|document\d*|footer\d*|footnotes|endnotes|comments)\.xml\Z")
_SHEET_PARTS = re.compile(
    r"xl/(?:worksheets/sheet[^/]*|comments[^/]*|threadedComments/[^/]*|drawings/drawing\d+)\.xml\Z"
)
_SLIDE_PARTS = re.compile(r"ppt/(?:slides/slide\d+|notesSlides/notesSlide\d+|comments/[^/]*|diagrams/data\d+)\.xml\Z")
_ORDER = {"document": 1, "footnotes": 2, "endnotes": 2, "comments": 3, "header": 0, "footer": 4}
_DATE_FORMAT = re.compile(r"(?:\"[^\"]*\"|\[[^\]]*\]|\\.|_.)")
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_MAX_STRINGS = 1 << 20
_MAX_DATE = 2_958_465  # 9999-12-31


def package_kind(archive: ZipFile) -> str | None:
    """Return which family of office file a zip archive is, None when it is none."""
    names = archive.by_name
    if "[Content_Types].xml" in names or any(name.startswith(("word/", "xl/", "ppt/")) for name in names):
        for prefix, kind in (("word/", WORD), ("xl/", SHEET), ("ppt/", SLIDES)):
            if any(name.startswith(prefix) for name in names):
                return kind
    if "content.xml" in names and ("mimetype" in names or "META-INF/manifest.xml" in names):
        return OPEN_DOCUMENT
    return None


def read_package(archive: ZipFile, kind: str, out: Sink) -> None:
    """Write the text of an office file; raises UnreadError when a piece could not be read, after reading the others."""
    problems: list[UnreadError] = [] if archive.whole else [UnreadError(DAMAGED)]
    for read in _pieces(archive, kind, out):
        try:
            read()
        except UnreadError as problem:
            if problem.code != DAMAGED:
                raise
            problems.append(problem)
    if problems:
        raise problems[0]


def _pieces(archive: ZipFile, kind: str, out: Sink) -> Iterator[Callable[[], None]]:
    """Yield what reads each piece of a package, in reading order."""
    for name in ("docProps/core.xml", "meta.xml"):
        if (member := archive.by_name.get(name)) is not None:
            yield partial(_properties, archive, member, out)
    if kind == WORD:
        parts = sorted(_matching(archive, _WORD_PARTS), key=_word_order)
        if not any(part.name.startswith("word/document") for part in parts):
            yield _missing
        for part in parts:
            yield partial(_word, archive, part, out)
    elif kind == SHEET:
        yield _Workbook(archive, out).read
    elif kind == SLIDES:
        slides = _matching(archive, _SLIDE_PARTS)
        if not slides:
            yield _missing
        for slide in sorted(slides, key=lambda one: ("slides/" not in one.name, _order(one))):
            yield partial(_drawing, archive, slide, out)
    else:
        yield partial(_open_document, archive, out)


def _missing() -> None:
    """Tell of a package without the part that all of its kind have."""
    raise UnreadError(DAMAGED)


def _matching(archive: ZipFile, pattern: re.Pattern[str]) -> list[Member]:
    return [member for name, member in archive.by_name.items() if pattern.match(name)]


def _order(member: Member) -> int:
    found = _NUMBER.search(member.name)
    return int(found[1][:9]) if found else 0


def _word_order(member: Member) -> tuple[int, int]:
    name = member.name.rpartition("/")[2].partition(".")[0].rstrip("0123456789")
    return _ORDER.get(name, 5), _order(member)


def _properties(archive: ZipFile, member: Member, out: Sink) -> None:
    """Write title, subject and keywords."""
    wanted = {"title", "subject", "keywords", "keyword", "description"}
    inside = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal inside
        inside = name in wanted

    def text(value: str) -> None:
        if inside and value.strip():
            out.write(value.strip() + "\n")

    def end(_: str) -> None:
        nonlocal inside
        inside = False

    parse_xml(archive.pieces(member, out.allowance), out, start, end, text)


def _word(archive: ZipFile, member: Member, out: Sink) -> None:
    """Write paragraphs (w:p) of runs of text (w:t); what was deleted has another element (w:delText)."""
    shown = skipped = 0
    breaks = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal shown, skipped
        if name == "t":
            shown += 1
        elif name in breaks:
            if not skipped:
                out.write(breaks[name])
        elif name in {"Fallback", "del", "moveFrom"}:  # text boxes stand there a second time, for older programs
            skipped += 1

    def text(value: str) -> None:
        if shown and not skipped:
            out.write(value)

    def end(name: str) -> None:
        nonlocal shown, skipped
        if name == "t":
            shown -= 1
        elif name == "p":
            out.write("\n")
        elif name in {"Fallback", "del", "moveFrom"}:
            skipped -= 1

    parse_xml(archive.pieces(member, out.allowance), out, start, end, text)


def _drawing(archive: ZipFile, member: Member, out: Sink) -> None:
    """Write paragraphs (a:p) of a slide, of its notes or of a sheet's text boxes; comments are text as well."""
    shown = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal shown
        if name in {"t", "text"}:
            shown += 1
        elif name == "br":
            out.write("\n")

    def text(value: str) -> None:
        if shown:
            out.write(value)

    def end(name: str) -> None:
        nonlocal shown
        if name in {"t", "text"}:
            shown -= 1
        elif name in {"p", "cm", "comment", "threadedComment"}:
            out.write("\n")

    parse_xml(archive.pieces(member, out.allowance), out, start, end, text)
    out.write("\n")


class _Workbook:
    """A spreadsheet: its sheets' names, then each sheet row by row."""

    def __init__(self, archive: ZipFile, out: Sink) -> None:
        self._archive = archive
        self._out = out
        self._shared: list[str] = []
        self._dates: set[int] = set()

    def read(self) -> None:
        names = self._archive.by_name
        if any(name.startswith("xl/worksheets/") and name.endswith(".bin") for name in names):
            raise UnreadError(UNSUPPORTED)  # xlsb: records, not XML
        if (member := names.get("xl/workbook.xml")) is not None:
            self._names(member)
        if (member := names.get("xl/sharedStrings.xml")) is not None:
            self._strings(member)
        if (member := names.get("xl/styles.xml")) is not None:
            self._styles(member)
        sheets = _matching(self._archive, _SHEET_PARTS)
        for member in sorted(sheets, key=lambda one: ("worksheets/" not in one.name, _order(one))):
            if "worksheets/" in member.name:
                self._sheet(member)
            else:
                _drawing(self._archive, member, self._out)

    def _names(self, member: Member) -> None:
        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet" and attributes.get("name"):
                self._out.write(attributes["name"] + "\n")

        parse_xml(self._archive.pieces(member, self._out.allowance), self._out, start, _nothing, _nothing)

    def _strings(self, member: Member) -> None:
        """Read the texts that cells refer to by number; phonetic readings (rPh) are left out."""
        pieces: list[str] = []
        shown = skipped = kept = 0

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal shown, skipped
            shown += name == "t"
            skipped += name == "rPh"

        def text(value: str) -> None:
            nonlocal kept
            if shown and not skipped and kept < 8 << 20:
                kept += len(value)
                pieces.append(value)

        def end(name: str) -> None:
            nonlocal shown, skipped
            shown -= name == "t"
            skipped -= name == "rPh"
            if name == "si" and len(self._shared) < _MAX_STRINGS:
                self._shared.append("".join(pieces))
                pieces.clear()

        parse_xml(self._archive.pieces(member, self._out.allowance), self._out, start, end, text)

    def _styles(self, member: Member) -> None:
        """Find the styles of cells that show a date: built-in formats 14 to 22, or one made of days, months, years."""
        formats = set(range(14, 23))
        inside = False
        number = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal inside, number
            if name == "numFmt":
                code = _DATE_FORMAT.sub("", attributes.get("formatCode", "")).lower()
                if "y" in code and ("m" in code or "d" in code) and attributes.get("numFmtId", "").isdecimal():
                    formats.add(int(attributes["numFmtId"][:9]))
            elif name == "cellXfs":
                inside = True
            elif name == "xf" and inside:
                found = attributes.get("numFmtId", "")
                if found.isdecimal() and int(found[:9]) in formats:
                    self._dates.add(number)
                number += 1

        def end(name: str) -> None:
            nonlocal inside
            inside = inside and name != "cellXfs"

        parse_xml(self._archive.pieces(member, self._out.allowance), self._out, start, end, _nothing)

    def _sheet(self, member: Member) -> None:
        out = self._out
        kind = style = ""
        inside = False
        pieces: list[str] = []
        row_begun = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal kind, style, inside
            if name == "c":
                kind, style = attributes.get("t", ""), attributes.get("s", "")
                pieces.clear()
            elif name in {"v", "t"}:
                inside = True

        def text(value: str) -> None:
            if inside and len(pieces) < 10_000:
                pieces.append(value)

        def end(name: str) -> None:
            nonlocal inside, row_begun
            if name in {"v", "t"}:
                inside = False
            elif name == "c" and pieces:
                shown = self._shown("".join(pieces), kind, style)
                if shown:
                    out.write(f"\t{shown}" if row_begun else shown)
                    row_begun = True
            elif name == "row" and row_begun:
                out.write("\n")
                row_begun = False
            elif name in {"oddHeader", "oddFooter"}:
                pieces.clear()

        parse_xml(self._archive.pieces(member, out.allowance), out, start, end, text)
        out.write("\n")

    def _shown(self, value: str, kind: str, style: str) -> str:
        """Return a cell's value as a reader sees it."""
        if kind == "s":
            number = int(value) if value.isdecimal() and len(value) < 9 else -1
            return self._shared[number] if 0 <= number < len(self._shared) else ""
        if kind == "b":
            return ""
        if kind in {"", "n"}:
            try:
                number_value = float(value)
            except ValueError:
                return value
            if style.isdecimal() and int(style[:9]) in self._dates and 1 <= number_value < _MAX_DATE:
                return (date(1899, 12, 30) + timedelta(days=int(number_value))).isoformat()
            if len(value) > 12:  # 0.1 + 0.2 is shown as 0.3
                return f"{number_value:.12g}"
        return value


def _open_document(archive: ZipFile, out: Sink) -> None:
    """Write the paragraphs of content.xml, of headers and footers; annotations with them, tracked deletions not."""
    manifest = archive.by_name.get("META-INF/manifest.xml")
    if manifest is not None and _is_encrypted(archive, manifest, out):
        raise UnreadError(ENCRYPTED)
    for name in ("content.xml", "styles.xml"):
        member = archive.by_name.get(name)
        if member is not None:
            _paragraphs(archive.pieces(member, out.allowance), out)


def _is_encrypted(archive: ZipFile, manifest: Member, out: Sink) -> bool:
    found = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal found
        found = found or name == "encryption-data"

    try:
        parse_xml(archive.pieces(manifest, out.allowance), out, start, _nothing, _nothing)
    except UnreadError as problem:
        if problem.code != DAMAGED:
            raise
    return found


class _Paragraphs:
    """Text of paragraphs (text:p) and headings (text:h); cells of a row on one line, names of sheets above theirs."""

    _MARKS: ClassVar[dict[str, str]] = {"s": " ", "tab": "\t", "line-break": "\n"}

    def __init__(self, out: Sink) -> None:
        self._out = out
        self._shown = self._skipped = self._cells = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        if name in {"p", "h"}:
            self._shown += 1
        elif name == "tracked-changes":
            self._skipped += 1
        elif name in _CELLS:
            self._cells += 1
        elif self._skipped:
            return
        elif name == "table" and attributes.get("name"):
            self._out.write(attributes["name"] + "\n")
        elif self._shown and name in self._MARKS:
            self._out.write(self._MARKS[name])

    def text(self, value: str) -> None:
        """Take text in."""
        if self._shown and not self._skipped:
            self._out.write(value)

    def end(self, name: str) -> None:
        """End an element."""
        if name in {"p", "h"}:
            self._shown -= 1
            if not self._skipped:
                self._out.write("\t" if self._cells else "\n")
        elif name == "tracked-changes":
            self._skipped -= 1
        elif name in _CELLS:
            self._cells -= 1
        elif name == "table-row" and self._out.pieces and self._out.pieces[-1] == "\t":
            self._out.write("\n")


def _paragraphs(pieces: Iterable[bytes], out: Sink) -> None:
    reader = _Paragraphs(out)
    parse_xml(pieces, out, reader.start, reader.end, reader.text)


def _nothing(*_: object) -> None:
    """Take no notice of an element or a text."""
