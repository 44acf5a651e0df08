"""What a file that came with a message is, and what could not be read of a message, in words for people."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.model.files import FileType, file_type
from archiver.model.message import Defect, Part, PartKind

FILE_KINDS = frozenset({PartKind.ATTACHMENT, PartKind.MESSAGE, PartKind.CALENDAR, PartKind.INLINE})
"""What came as a file, and can be saved as one."""

_WORDS = {
    FileType.PDF: "PDF document",
    FileType.DOCUMENT: "text document",
    FileType.SHEET: "spreadsheet",
    FileType.SLIDES: "presentation",
    FileType.TEXT: "plain text",
    FileType.HTML: "web page",
    FileType.IMAGE: "image",
    FileType.ARCHIVE: "archive",
    FileType.MESSAGE: "message",
    FileType.CALENDAR: "calendar entry",
    FileType.CONTACT: "contact",
    FileType.AUDIO: "sound",
    FileType.VIDEO: "video",
    FileType.OTHER: "file",
}
_BY_ENDING = {
    **dict.fromkeys(("doc", "docx", "docm", "dot", "dotx"), "Word document"),
    **dict.fromkeys(("xls", "xlsx", "xlsm", "xlsb"), "Excel sheet"),
    **dict.fromkeys(("ppt", "pptx", "pptm", "pps", "ppsx"), "PowerPoint slides"),
    **dict.fromkeys(("csv", "tsv"), "table (CSV)"),
    "log": "log",
    "zip": "zip archive",
}
_WORDLESS = frozenset({FileType.IMAGE, FileType.AUDIO, FileType.VIDEO, FileType.OTHER})
_PROGRAMS = frozenset(
    (  # noqa: SIM905 - a table
        "app apk bat chm cmd com cpl dll exe gadget hta inf iso img jar js jse lnk msc msi msp pif ps1 psm1 reg scf "
        "scr sct sh url vb vbe vbs vhd vhdx wsc wsf wsh xll"
    ).split()
)


def kind_in_words(part: Part, defects: Sequence[Defect] = ()) -> str:
    """Return what a part of a message with these defects is; of what could run, that it is a program."""
    if part.kind is PartKind.SIGNATURE:
        sealed = "encrypted" in part.content_type or Defect("smime-encrypted", part.path) in defects
        return "encrypted" if sealed else "key" if part.content_type.endswith("-keys") else "signature, not checked"
    if part.kind is PartKind.REPORT:
        return "report"
    if part.kind is PartKind.MESSAGE:
        return "message"
    if is_program(part):
        return "PROGRAM"
    ending = _ending(part)
    return _BY_ENDING.get(ending) or _WORDS[file_type(part.content_type, part.filename)]


def is_program(part: Part) -> bool:
    """Tell whether opening a file may run it."""
    return _ending(part) in _PROGRAMS


def is_readable(part: Part) -> bool:
    """Tell whether people expect a file to have words in it."""
    return part.kind is PartKind.CALENDAR or (
        part.kind is PartKind.ATTACHMENT
        and not is_program(part)
        and file_type(part.content_type, part.filename) not in _WORDLESS
    )


def defect_sentence(defect: Defect, parts: Sequence[Part]) -> str:
    """Return what is wrong with a message, or with a file that came with it, which is told by its name."""
    from archiver.mail.defects import CODES

    sentence = CODES.get(defect.code, defect.code)
    path, _, kind = defect.detail.partition(" ")
    outer = path.partition(">")[0]
    part = next((part for part in parts if part.path == outer), None)
    if not defect.code.startswith("attachment-") or part is None:
        where = f"part {defect.detail}" if path.replace(".", "").isdigit() else defect.detail
        return f"{sentence} ({where})" if where else sentence
    where = f"{path} {part.filename}" if part.filename else path
    return f"{where}{f' ({kind})' if kind else ''}: {sentence}"


def _ending(part: Part) -> str:
    # Windows passes over blanks and dots at the end of a name.
    return (part.filename or "").rstrip(" .").rpartition(".")[2].strip().lower()
