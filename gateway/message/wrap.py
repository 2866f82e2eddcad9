"""A message that may not be edited inside becomes the first part of another one, with a text of ours below it.

what:       multipart/mixed around the untouched body, whose Content fields go along with it
takes→gives: `Draft`, its splices, the encoded text → splices
knows not:  what the text says, why it could not stand inside
fails by:   `Uncompilable` where the message has no body, or is encoded again as a whole
standard:   RFC 2046 5.1.3, RFC 1847 2.1 (what is signed keeps its octets); I-6, R-042, R-044
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from gateway.message.draft import Draft
from gateway.message.parse import Field, Part
from gateway.message.splices import Gap, Rewrite, Uncompilable

Steps = tuple[bytes | Gap, ...]


def wrapped(draft: Draft, found: Sequence[Rewrite], text: Steps, encoding: str) -> list[Rewrite]:
    """All splices: `found`, as far as they concern the message inside, and those of the parts around it."""
    root, raw = draft.message.root, draft.message.raw
    if root.body[0] == root.header[1]:
        raise Uncompilable("a message without a body cannot be wrapped")
    moved = [field for field in root.fields if field.name.lower().startswith(b"content-")]
    if any(_describes(rewrite, root) for rewrite in found):
        raise Uncompilable("a message that is wrapped cannot be encoded again")
    inside, others = _parted(found, moved)
    line = b"--" + boundary(raw)
    steps: list[bytes | Gap] = [line, b"\r\n"]
    for field in moved:
        steps += _rendered(raw, field, inside)
    return [
        *others,
        *(Rewrite(field.start, field.end, (), header=True) for field in moved),
        Rewrite(root.header[1], root.header[1], (_outer(draft, boundary(raw)),), header=True),
        Rewrite(root.body[0], root.body[0], (*steps, b"\r\n")),
        Rewrite(len(raw), len(raw), (b"\r\n", line, _head(encoding), *text, b"\r\n", line, b"--\r\n")),
    ]


def boundary(raw: bytes) -> bytes:
    """The same for the same message, so that it renders the same again; in no line of it."""
    found = b"=_" + hashlib.sha256(raw).hexdigest()[:32].encode()  # "=_" is in no encoded body (RFC 2045 6.7)
    while found in raw:
        found += b"_"
    return found


def _outer(draft: Draft, name: bytes) -> bytes:
    raw, root = draft.message.raw, draft.message.root
    version = b"" if draft.message.fields("MIME-Version") else b"MIME-Version: 1.0\r\n"
    eight_bit = b"" if raw[slice(*root.body)].isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    return version + b'Content-Type: multipart/mixed; boundary="' + name + b'"\r\n' + eight_bit


def _head(encoding: str) -> bytes:
    return (
        b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: inline\r\n"
        b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n"
    )


def _describes(rewrite: Rewrite, root: Part) -> bool:
    """Whether it adds a Content field to the top header, where it would now speak of the wrapping."""
    first = rewrite.steps[0] if rewrite.steps else b""
    return (
        rewrite.start == rewrite.end == root.header[1]
        and isinstance(first, bytes)
        and first.lower().startswith((b"content-", b"mime-version"))
    )


def _parted(found: Iterable[Rewrite], moved: Sequence[Field]) -> tuple[list[Rewrite], list[Rewrite]]:
    """Splices in the fields that go along, and all others."""
    inside: list[Rewrite] = []
    others: list[Rewrite] = []
    for rewrite in found:
        within = any(f.start <= rewrite.start and rewrite.end <= f.end and rewrite.start < f.end for f in moved)
        (inside if within else others).append(rewrite)
    return inside, others


def _rendered(raw: bytes, field: Field, inside: Iterable[Rewrite]) -> list[bytes | Gap]:
    steps: list[bytes | Gap] = []
    position = field.start
    for rewrite in sorted((r for r in inside if field.start <= r.start < field.end), key=lambda r: (r.start, r.end)):
        steps += [raw[position : rewrite.start], *rewrite.steps]
        position = rewrite.end
    rest = raw[position : field.end]
    return [*steps, rest if rest.endswith(b"\r\n") or not rest else rest + b"\r\n"]
