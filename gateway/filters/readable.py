"""Everything in a mail that a person or program could read an address from, as text.

what:       header fields raw and decoded, parameters, text of every readable part, bytes between the parts, what
            encoded words say, and the same of messages inside (opaque signatures, encoded or attached messages)
takes→gives: `Draft` → (place, text, whether tokens there count as addresses), after edits, slots left out
knows not:  what an address is, who may be seen
fails by:   nothing
standard:   DESIGN I-1; RFC 2047, RFC 2231, RFC 5545 3.1 (folding), WHATWG HTML 13.2.5.72 (character references);
            R-030, R-046
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.filters.encoded import revealed
from gateway.filters.inside import drafts
from gateway.message.addresses import addresses
from gateway.message.draft import Draft
from gateway.message.headers import header_text, unfold
from gateway.message.html import INLINE, unescape
from gateway.message.parse import Part

Readable = tuple[str, str, bool]

_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/xhtml+xml", "application/ics"})
_TEXT_NAMES = (".txt", ".csv", ".tsv", ".ics", ".vcf", ".eml", ".htm", ".html", ".xml", ".json", ".md", ".log")
_FOLDED_TYPES = frozenset({"text/calendar", "text/vcard", "text/x-vcard", "text/directory", "application/ics"})
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)")
_NAME = re.compile(r"[a-z0-9-]{1,40}")
_LISTS = frozenset(
    {"to", "cc", "from", "sender", "reply-to", "bcc"}
    | {f"resent-{n}" for n in ("to", "cc", "from", "sender", "reply-to")}
)
# Ids have the shape of an address and are none.
_IDS = frozenset({"message-id", "in-reply-to", "references", "content-id", "resent-message-id", "thread-index"})
# Fields in which programs write codes of their own.
_CODED = (
    "x-",
    "list-",
    "message-id",
    "in-reply-to",
    "references",
    "feedback-id",
    "return-path",
    "errors-to",
    "precedence",
)
_URL = re.compile(rb"https?://[^\s\"'<>]{12,2000}")
# Text without any of these holds no "@" in any spelling.
_SIGNS = ("@", "%40", "%25", "&#", "&commat", "\uff20", "\ufe6b")
_FIELD_SIGN = re.compile("@|%40|=\\?|\uff20|\ufe6b".encode())
_FOLD = re.compile(r"\r?\n[ \t]")
_INLINE = re.compile(rf"</?(?:{'|'.join(sorted(INLINE))})\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def pieces(draft: Draft) -> Iterator[Readable]:
    """All readable text of the mail. Cheap where there is no "@" in any spelling."""
    yield from _pieces(draft)
    for place, inner in drafts(draft):
        for where, text, counts in _pieces(inner):
            yield place + where, text, counts


def _pieces(draft: Draft) -> Iterator[Readable]:
    for part in draft.message.walk():
        yield from _header(draft, part)
        if part.children:
            yield from _between(draft, part)
        else:
            yield from _body(draft, part)


def _header(draft: Draft, part: Part) -> Iterator[Readable]:
    top = part is draft.message.root
    header = _edited(draft, *part.header)
    signs = _FIELD_SIGN.search(header) is not None
    for field in _FIELD.finditer(header):
        name = field[1].decode("latin-1").lower()
        coded = name.startswith(_CODED)
        marked = signs and _FIELD_SIGN.search(field[0]) is not None
        if not coded and not marked:
            continue
        shown = name if _NAME.fullmatch(name) else "other"
        place = f"header {shown}" if top else f"part {part.path} header {shown}"
        value = unfold(field[2])
        if marked:
            yield from _field(name, value, place)
        if b"@" in field[1]:
            yield place, name, True
        if coded and (hidden := revealed(value.decode("latin-1"))):
            yield place, hidden, False
    for said in (part.filename, *part.parameters.values()):
        if "@" in said or "%" in said or not said.isascii():
            yield f"part {part.path} parameter", said, True


def _field(name: str, value: bytes, place: str) -> Iterator[Readable]:
    counts = name not in _IDS
    if _FIELD_SIGN.search(value):
        yield place, _text(value), counts
    if b"=?" in value:
        yield place, header_text(value), counts
    if name in _LISTS and b"@" in value:
        # spaces and comments around the "@" are legal there (RFC 5322 4.4)
        for box in addresses(value):
            if box.address is not None:
                yield place, box.address.reveal(), counts


def _between(draft: Draft, part: Part) -> Iterator[Readable]:
    """Preamble, epilogue and what else of a multipart belongs to no part."""
    raw, position = draft.message.raw, part.body[0]
    gaps = []
    for child in part.children:
        gaps.append(raw[position : child.header[0]])
        position = max(position, child.body[1])
    for gap in (*gaps, raw[position : part.body[1]]):
        if b"@" in gap:
            yield f"part {part.path} between", _text(gap), True


def _body(draft: Draft, part: Part) -> Iterator[Readable]:
    place = f"part {part.path}"
    if not _is_text(part):
        if b"@" in (body := _opaque(draft, part)):
            yield place, body.decode("ascii", "replace"), False
        return
    content = draft.edited_content(part)
    if said := revealed(b"\n".join(_URL.findall(content)).decode("latin-1")):
        yield place, said, False
    typed = part.content_type.startswith("text/")
    text = content.decode(draft.scan_charset(part), "replace") if typed else _text(content)
    if b"\0" in content:  # two octets a character that nobody announced
        yield place, text.replace("\0", ""), True
    if not _signed(text):
        return
    if part.content_type in _FOLDED_TYPES or part.filename.lower().endswith((".ics", ".vcf")):
        text = _FOLD.sub("", text)
    yield place, text, True
    if "=?" in text and part.content_type.startswith("message/"):
        yield place, header_text(content), True
    if "<" in text or "&" in text:
        yield from _markup(place, text)


def _signed(text: str) -> bool:
    """Whether there may be an "@" in it. Asked of every text, so the commonest answer comes first."""
    return "@" in text or any(sign in text for sign in _SIGNS)


def _opaque(draft: Draft, part: Part) -> bytes:
    """Bytes of a part that is no text. In base64 they hold no "@" as they stand, and are decoded only under S/MIME,
    where a signature may wrap readable text."""
    if part.sealed:
        return draft.content(part)
    return b"" if part.encoding == "base64" else draft.message.raw[slice(*part.body)]


def _markup(place: str, text: str) -> Iterator[Readable]:
    """What a reader of HTML sees: references resolved, and words that only inline tags or comments cut in two."""
    if "&" in text:
        yield place, unescape(text), True
    if "<" in text:
        yield place, unescape(_TAG.sub(" ", _INLINE.sub("", _without_comments(text)))), False


def _without_comments(text: str) -> str:
    """One pass; an expression that looks for the end of each unclosed comment would be quadratic."""
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[position:start])
        position = end + 3
    return "".join([*kept, text[position:]]) if kept else text


def reads(part: Part) -> bool:
    """Whether the text of this part is read here, as it will leave."""
    return _is_text(part)


def _is_text(part: Part) -> bool:
    kind = part.content_type
    return (
        kind.startswith(("text/", "message/"))
        or kind in _TEXT_TYPES
        or kind.endswith(("+xml", "+json"))
        or part.filename.lower().endswith(_TEXT_NAMES)
    )


def _edited(draft: Draft, start: int, end: int) -> bytes:
    """A header as it would leave. Edits never cross its bounds."""
    raw = draft.message.raw
    inside = [e for e in draft.header_edits() if start <= e.start and e.end <= end]
    if not inside:
        return raw[start:end]
    shifted = sorted(((e.start - start, e.end - start, e.replacement) for e in inside), key=lambda e: e[:2])
    written: list[bytes] = []
    position = 0
    for first, last, replacement in shifted:
        written += [raw[start + position : start + first], *(p for p in replacement if isinstance(p, bytes))]
        position = last
    return b"".join([*written, raw[start + position : end]])


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
