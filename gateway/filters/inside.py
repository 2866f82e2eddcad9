"""Messages inside a message that the parser leaves closed: under an opaque signature, encoded, or attached as a file.

what:       S/MIME signed data, encoded message/rfc822 and .eml files as messages of their own, and theirs
takes→gives: `Draft` → (place, `Draft`) of each; the first octets of a part's content
knows not:  what is looked for in them; nothing inside is ever edited
fails by:   nothing; what cannot be parsed is left to whoever reads the bytes
standard:   RFC 8551 3.5.2 (application/pkcs7-mime; smime-type=signed-data), RFC 2046 5.2.1; R-030, R-046
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.filters import cms
from gateway.filters.ber import Unreadable
from gateway.message.draft import Draft
from gateway.message.encodings import IDENTITY, decode
from gateway.message.parse import MalformedMessage, Part, parse

CMS_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_DEEPEST = 4
_BREAK = re.compile(rb"\r\n|\r|\n")


def drafts(draft: Draft, depth: int = 0) -> Iterator[tuple[str, Draft]]:
    """Every closed message inside, with the place it stands in ("part 1.2 inside "); those in them included."""
    if depth >= _DEEPEST:
        return
    for part in draft.message.walk():
        entity = _entity(draft, part)
        if not entity:
            continue
        try:
            inner = Draft(parse(_BREAK.sub(b"\r\n", entity).replace(b"\0", b"")))
        except MalformedMessage:
            continue
        place = f"part {part.path} inside "
        yield place, inner
        for further, deeper in drafts(inner, depth + 1):
            yield place + further, deeper


def is_cms(part: Part) -> bool:
    """Whether a leaf says that it is an S/MIME message, by type or file name."""
    return not part.children and (part.content_type in CMS_TYPES or part.filename.lower().endswith(".p7m"))


def head(draft: Draft, part: Part, octets: int) -> bytes:
    """At least the first `octets` of the content of a part (all, if it has fewer), decoded."""
    start, end = part.body
    return decode(part.encoding, draft.message.raw[start : min(end, start + 2 * octets + 100)])


def _entity(draft: Draft, part: Part) -> bytes:
    if part.children:
        return b""
    if is_cms(part):
        try:
            return cms.signed_content(draft.content(part))
        except Unreadable:
            return b""
    encoded = part.content_type.startswith("message/") and part.encoding not in IDENTITY
    return draft.content(part) if encoded or part.filename.lower().endswith(".eml") else b""
