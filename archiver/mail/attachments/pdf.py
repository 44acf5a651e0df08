"""Text of PDF files, by PDFium: the engine of a browser, which meets hostile files every day.

Native code on strangers' octets: this belongs into the worker processes, which are bounded and may die; nothing else
may import it. PDFium is not thread-safe, and a worker has one thread. What it prints goes nowhere (the worker has no
standard output). Pages are read one by one, so that time and characters bound them.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from archiver.mail.attachments.bounds import DAMAGED, ENCRYPTED, LIMIT, NO_TEXT, UNSUPPORTED, Sink, UnreadError

if TYPE_CHECKING:
    import pypdfium2

_FAILED_PAGES = 20
"""Pages that cannot be loaded before the rest is given up."""

_MAX_ANNOTATIONS = 200
_MAX_PAGE_CHARACTERS = 1 << 20
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\x02": "", "\ufffe": ""}
)
"""Letters joined by fonts; and PDFium's mark where a hyphen divides a word over two lines, which it joins."""


def read_pdf(octets: bytes, out: Sink) -> None:
    """Write the title, then each page's text, its comments and the values of its form fields.

    Raises UnreadError: encrypted when it takes a password to open, damaged, no-text when all of its pages are images,
    limit, timeout.
    """
    import pypdfium2
    from pypdfium2 import raw

    try:
        document = pypdfium2.PdfDocument(octets)
    except pypdfium2.PdfiumError as problem:
        code = getattr(problem, "err_code", None)
        if code == raw.FPDF_ERR_PASSWORD:
            raise UnreadError(ENCRYPTED) from None
        raise UnreadError(UNSUPPORTED if code == raw.FPDF_ERR_SECURITY else DAMAGED) from None
    try:
        title = document.get_metadata_value("Title")
        if title.strip():
            out.write(title.strip() + "\n\n")
        _pages(document, out)
    finally:
        document.close()


def _pages(document: pypdfium2.PdfDocument, out: Sink) -> None:
    from pypdfium2 import PdfiumError

    count = len(document)
    failed = 0
    any_text = False
    for number in range(count):
        out.allowance.tick()
        out.allowance.pages -= 1
        if out.allowance.pages < 0:
            raise UnreadError(LIMIT)
        try:
            page = document[number]
        except PdfiumError:
            failed += 1
            if failed >= _FAILED_PAGES:
                break
            continue
        try:
            text = _text(page) + _annotations(page)
        except PdfiumError:
            failed += 1
            continue
        finally:
            page.close()
        if text.strip():
            any_text = True
            out.write(text.translate(_LIGATURES).replace("\r\n", "\n") + "\n\n")
    if failed:
        raise UnreadError(DAMAGED)
    if not any_text:
        raise UnreadError(NO_TEXT)


def _text(page: pypdfium2.PdfPage) -> str:
    textpage = page.get_textpage()
    try:
        if textpage.count_chars() > _MAX_PAGE_CHARACTERS:
            return str(textpage.get_text_range(0, _MAX_PAGE_CHARACTERS))
        return str(textpage.get_text_bounded())
    finally:
        textpage.close()


def _annotations(page: pypdfium2.PdfPage) -> str:
    """Return comments (Contents) and values of form fields (V), which are no part of the page's text."""
    from pypdfium2 import raw

    lines: list[str] = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        for key in (b"Contents", b"V"):
            value = _string(raw, annotation, key)
            if value and value not in lines:
                lines.append(value)
        raw.FPDFPage_CloseAnnot(annotation)
    return "\n" + "\n".join(lines) if lines else ""


def _string(raw: Any, annotation: Any, key: bytes) -> str:
    size = raw.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if not 2 < size <= 1 << 16:
        return ""
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFAnnot_GetStringValue(annotation, key, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace").strip()
