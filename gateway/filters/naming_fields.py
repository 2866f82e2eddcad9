"""Header fields that no reader sees and that name somebody: what loses least leaves the mail.

what:       ids that embed one of the given people go from References and In-Reply-To, Message-ID gets a new one, and
            trace, list and X- fields that name one go whole
takes→gives: `Draft` + people + a new id → edits, and how many
knows not:  why these people may not be seen; Subject, sender fields and the like, which people read, stay
fails by:   nothing
standard:   I-1, R-030; RFC 5322 3.6.4 (ids are optional, Message-ID is unique)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

from gateway.filters.encoded import revealed
from gateway.filters.tokens import tokens
from gateway.message.draft import Draft
from gateway.message.headers import header_text
from gateway.message.parse import Field

NAME = "leak_check"

_READ = frozenset(
    {
        *("from", "sender", "reply-to", "to", "cc", "bcc", "date", "subject", "comments", "keywords", "organization"),
        "mime-version",
    }
)
_TOGETHER = ("arc-", "resent-")
_THREAD = frozenset({"references", "in-reply-to"})
_ID = re.compile(rb"<[^<>]*>")


def cut(draft: Draft, people: Set[bytes], new_id: bytes) -> dict[str, int]:
    """Edit the top header; gives kind → count. `people` are exact forms, `new_id` a msg-id without brackets."""
    counts: dict[str, int] = {}
    blocks = _blocks(draft, people)
    for field in draft.message.root.fields:
        kind = "" if _taken(draft, field) else _edit(draft, field, people, new_id, blocks)
        if kind:
            counts[kind] = counts.get(kind, 0) + 1
    return counts


def _taken(draft: Draft, field: Field) -> bool:
    """Whether another filter edits this field already; two edits of one place are not possible."""
    return any(edit.start < field.end and field.start < edit.end for edit in draft.header_edits())


def _edit(draft: Draft, field: Field, people: Set[bytes], new_id: bytes, blocks: tuple[str, ...]) -> str:
    name = field.name.decode("latin-1").lower()
    if name in _READ or name.startswith("content-"):
        return ""
    value = draft.message.raw_value(field)
    if not (blocks and name.startswith(blocks)) and not _names(value, people):
        return ""
    if name == "message-id":
        draft.replace_value(field, (b"<" + new_id + b">",), by=NAME, kind="message-id")
        return "message-id-replaced"
    kept = list(_innocent(value, people)) if name in _THREAD else []
    if kept:
        draft.replace_value(field, (b"\r\n ".join(kept),), by=NAME, kind="id")
    else:
        draft.remove_field(field, by=NAME, kind="id" if name in _THREAD else "field")
    return "ids-cut" if name in _THREAD else "fields-cut"


def _blocks(draft: Draft, people: Set[bytes]) -> tuple[str, ...]:
    """Beginnings of the names of fields that go together: half an ARC chain is of no use (RFC 8617 4.2), and neither is
    half a Resent block (RFC 5322 3.6.6)."""
    named = {
        prefix
        for field in draft.message.root.fields
        for prefix in _TOGETHER
        if field.name.lower().startswith(prefix.encode()) and not draft.removed(field)
        if _names(draft.message.raw_value(field), people)
    }
    return tuple(sorted(named))


def _innocent(value: bytes, people: Set[bytes]) -> Iterator[bytes]:
    return (found[0] for found in _ID.finditer(value.replace(b"\r\n", b"")) if not _names(found[0], people))


def _names(value: bytes, people: Set[bytes]) -> bool:
    text = header_text(value)
    said = revealed(value.decode("latin-1"))
    return any(token.address.exact() in people for each in (text, said) if each for token in tokens(each))
