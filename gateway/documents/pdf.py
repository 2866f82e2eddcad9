"""PDF: text page by page, and all that is not on a page.

what:       `texts`
takes→gives: octets → one `Text` per page, notes and links and fields per page, properties, bookmarks, attached files
knows not:  pictures; a scanned page has no text
fails by:   `Unreadable`, `TooMuch`
standard:   ISO 32000-2 (text 9.10, annotations 12.5, forms 12.7, XMP 14.3.2)
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import partial

import pypdfium2
import pypdfium2.raw as raw

from gateway.documents import archive, markup, plain
from gateway.documents.archive import Member
from gateway.documents.protocol import DAMAGED, PASSWORD, Inside, Meter, Text, TooMuch, Unreadable, joined

_SAID = (b"Contents", b"T", b"V", b"DV", b"TU", b"RC", b"Subj", b"NM", b"UserName")
_LONGEST = 1024 * 1024
_MOST_NOTES = 20_000  # of one page
_TOO_LONG = "a note of more than a million octets"
_XMP = (b"<x:xmpmeta", b"</x:xmpmeta>")


def texts(content: bytes, meter: Meter, inside: Inside) -> Iterator[Text]:
    """All pages. A page that cannot be read does not hide the others: it is named at the end."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise Unreadable(PASSWORD if error.err_code == raw.FPDF_ERR_PASSWORD else DAMAGED) from None
    troubles: list[str] = []
    try:
        yield from _pages(document, meter, troubles)
        yield from _properties(document, content, meter)
        yield from archive.each(_attached(document, meter), meter, inside)
    except (pypdfium2.PdfiumError, ctypes.ArgumentError, UnicodeError) as error:
        raise Unreadable(DAMAGED) from error
    except TooMuch:
        raise
    except Unreadable as error:
        troubles.append(error.why)
    finally:
        document.close()
    if troubles:
        raise Unreadable("; ".join(troubles[:3]))


def _pages(document: pypdfium2.PdfDocument, meter: Meter, troubles: list[str]) -> Iterator[Text]:
    pages = len(document)
    if not pages:
        raise Unreadable(DAMAGED)
    for number in range(pages):
        meter.text()
        where = f"page {number + 1}"
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            troubles.append(f"{where}: {DAMAGED}")
            if len(troubles) > 100:
                raise Unreadable(DAMAGED) from None
            continue
        try:
            yield from _page(page, where, meter)
        finally:
            page.close()


def _page(page: pypdfium2.PdfPage, where: str, meter: Meter) -> Iterator[Text]:
    textpage = page.get_textpage()
    try:
        meter.read(max(0, textpage.count_chars()))
        text = textpage.get_text_range()
    finally:
        textpage.close()
    yield from plain.pieces(_joined_lines(text), meter, where, lines=False)
    notes = [note for note in _notes(page) if note]
    if notes:
        meter.read(sum(map(len, notes)))
        yield Text(joined(where, "notes, links and fields"), "\n".join(notes))


def _joined_lines(text: str) -> str:
    # A hyphen that ends a line is U+FFFE here, or U+0002 in older files: the word goes on.
    return text.replace("\r\n", "\n").replace("\ufffe\n", "").replace("\ufffe", "").replace("\x02", "")


def _notes(page: pypdfium2.PdfPage) -> Iterator[str]:
    count = raw.FPDFPage_GetAnnotCount(page)
    if count > _MOST_NOTES:
        raise TooMuch(f"more than {_MOST_NOTES} notes on a page")
    for index in range(count):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if annotation:
            try:
                yield from _note(page, annotation)
            finally:
                raw.FPDFPage_CloseAnnot(annotation)


def _note(page: pypdfium2.PdfPage, annotation: object) -> Iterator[str]:
    for key in _SAID:
        yield _wide(partial(raw.FPDFAnnot_GetStringValue, annotation, key))
    link = raw.FPDFAnnot_GetLink(annotation)
    action = raw.FPDFLink_GetAction(link) if link else None
    if action:
        yield _octets(partial(raw.FPDFAction_GetURIPath, page.pdf, action)).decode("utf-8", "replace")


def _wide(read: Callable[[object, int], int]) -> str:
    size = read(None, 0)
    if size > _LONGEST:
        raise TooMuch(_TOO_LONG)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    read(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _octets(read: Callable[[object, int], int]) -> bytes:
    size = read(None, 0)
    if size > _LONGEST:
        raise TooMuch(_TOO_LONG)
    if size <= 1:
        return b""
    buffer = ctypes.create_string_buffer(size)
    read(buffer, size)
    return buffer.raw[: size - 1]


def _properties(document: pypdfium2.PdfDocument, content: bytes, meter: Meter) -> Iterator[Text]:
    told = [value for value in document.get_metadata_dict(skip_empty=True).values() if value]
    told += [mark.get_title() or "" for mark in document.get_toc(max_depth=8)]
    if told:
        yield from plain.pieces("\n".join(told), meter, "properties", lines=False)
    at = 0
    while (start := content.find(_XMP[0], at)) >= 0 and (end := content.find(_XMP[1], start)) >= 0:
        yield from markup.xml(content[start:end], meter, "properties")
        at = end


def _attached(document: pypdfium2.PdfDocument, meter: Meter) -> Iterator[Member]:
    for index in range(document.count_attachments()):
        attachment = document.get_attachment(index)
        yield attachment.get_name(), lambda attachment=attachment: _content(attachment, meter)  # type: ignore[misc]


def _content(attachment: pypdfium2.PdfAttachment, meter: Meter) -> bytes:
    try:
        content = bytes(attachment.get_data())
    except pypdfium2.PdfiumError:
        raise Unreadable(DAMAGED) from None  # or empty, which cannot be told apart
    meter.read(len(content))
    return content
