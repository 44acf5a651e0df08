"""Kinds of files that people attach, as they speak of them: told by content type, or by the name's ending.

Deliberately knows nothing of what is in a file: a wrong content type makes a wrong kind, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class FileType(StrEnum):
    """What a reader would call an attached file; the values are those of the query field `type:`."""

    PDF = "pdf"
    DOCUMENT = "document"  # word processing
    SHEET = "sheet"
    SLIDES = "slides"
    TEXT = "text"
    HTML = "html"
    IMAGE = "image"
    ARCHIVE = "archive"
    MESSAGE = "message"
    CALENDAR = "calendar"
    CONTACT = "contact"
    AUDIO = "audio"
    VIDEO = "video"
    OTHER = "other"


_BY_TYPE = {
    "application/pdf": FileType.PDF,
    "application/x-pdf": FileType.PDF,
    "application/msword": FileType.DOCUMENT,
    "application/rtf": FileType.DOCUMENT,
    "text/rtf": FileType.DOCUMENT,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": FileType.DOCUMENT,
    "application/vnd.oasis.opendocument.text": FileType.DOCUMENT,
    "application/vnd.ms-excel": FileType.SHEET,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": FileType.SHEET,
    "application/vnd.oasis.opendocument.spreadsheet": FileType.SHEET,
    "text/csv": FileType.SHEET,
    "application/vnd.ms-powerpoint": FileType.SLIDES,
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": FileType.SLIDES,
    "application/vnd.oasis.opendocument.presentation": FileType.SLIDES,
    "text/html": FileType.HTML,
    "application/xhtml+xml": FileType.HTML,
    "application/zip": FileType.ARCHIVE,
    "application/x-zip-compressed": FileType.ARCHIVE,
    "application/gzip": FileType.ARCHIVE,
    "application/x-7z-compressed": FileType.ARCHIVE,
    "application/x-rar-compressed": FileType.ARCHIVE,
    "application/x-tar": FileType.ARCHIVE,
    "message/rfc822": FileType.MESSAGE,
    "message/global": FileType.MESSAGE,
    "application/vnd.ms-outlook": FileType.MESSAGE,
    "text/calendar": FileType.CALENDAR,
    "application/ics": FileType.CALENDAR,
    "text/vcard": FileType.CONTACT,
    "text/x-vcard": FileType.CONTACT,
    "text/directory": FileType.CONTACT,
}
_BY_ENDING = {
    "pdf": FileType.PDF,
    **dict.fromkeys(("doc", "docx", "docm", "dot", "dotx", "odt", "ott", "rtf", "pages", "wpd"), FileType.DOCUMENT),
    **dict.fromkeys(("xls", "xlsx", "xlsm", "xlsb", "ods", "ots", "csv", "tsv", "numbers"), FileType.SHEET),
    **dict.fromkeys(("ppt", "pptx", "pptm", "pps", "ppsx", "odp", "key"), FileType.SLIDES),
    **dict.fromkeys(("txt", "log", "md", "xml", "json", "ini", "cfg", "conf", "sql", "diff", "patch"), FileType.TEXT),
    **dict.fromkeys(("htm", "html", "xhtml", "mht"), FileType.HTML),
    **dict.fromkeys(
        ("jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "svg", "webp", "heic", "ico", "emf", "wmf"), FileType.IMAGE
    ),
    **dict.fromkeys(("zip", "7z", "rar", "gz", "tgz", "tar", "bz2", "xz", "zst"), FileType.ARCHIVE),
    **dict.fromkeys(("eml", "msg", "mbox"), FileType.MESSAGE),
    **dict.fromkeys(("ics", "vcs"), FileType.CALENDAR),
    "vcf": FileType.CONTACT,
    **dict.fromkeys(("mp3", "wav", "ogg", "m4a", "flac", "aac", "amr"), FileType.AUDIO),
    **dict.fromkeys(("mp4", "mov", "avi", "mkv", "webm", "wmv", "mpg", "mpeg"), FileType.VIDEO),
}
_BY_MAIN_TYPE = {
    "image": FileType.IMAGE,
    "audio": FileType.AUDIO,
    "video": FileType.VIDEO,
    "text": FileType.TEXT,
    "message": FileType.MESSAGE,
}


def endings() -> Mapping[str, FileType]:
    """Return the endings of file names that tell a kind, in lower case without their dot."""
    return _BY_ENDING


def file_type(content_type: str, filename: str | None) -> FileType:
    """Return what kind of file this is; the name decides, for programs send much as application/octet-stream."""
    ending = (filename or "").rpartition(".")[2].strip().lower()
    content_type = content_type.lower()
    return (
        _BY_ENDING.get(ending)
        or _BY_TYPE.get(content_type)
        or _BY_MAIN_TYPE.get(content_type.partition("/")[0])
        or FileType.OTHER
    )
