"""A message and the edits planned on it. Nothing is changed before `compile`.

what:       a list of splices: on header fields (offsets in raw) and in the decoded content of parts
takes→gives: `Message` + edits → what `template.compile` reads
knows not:  why something is edited, who receives it, what a slot will hold
fails by:   `ValueError` on an edit that overlaps another, breaks a line, or touches a part that may not be edited
standard:   DESIGN I-5, I-6; R-036, R-041; RFC 5322 2.2 (header lines)
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.message.encodings import LINE_LIMIT, Scan, Undecodable, check, decode, scan
from gateway.message.parse import Field, Message, Part

_BROKEN_LINE = re.compile(rb"\r\n(?![ \t]*[^ \t\r\n])|(?<!\r)\n|\r(?!\n)|\0")
_NAME = re.compile(rb"[!-9;-~]+")


class Slot(StrEnum):
    """A place whose bytes differ per recipient."""

    RECIPIENT = "recipient"
    OPT_OUT = "opt-out"


Piece = bytes | Slot
Replacement = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """One splice: `start:end` becomes `replacement`. `by` is the filter, `kind` its short word for what was done.

    `part` "" is a header edit with offsets in the message; else a part's path, with offsets in `content(part)`.
    """

    by: str
    kind: str
    part: str
    start: int
    end: int
    replacement: Replacement

    @property
    def removal(self) -> bool:
        return not self.replacement and self.end > self.start


class Draft:
    """Edits on one message. Reading is lazy: a part is decoded when a filter asks for it."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.edits: list[Edit] = []
        self._planned: dict[str, list[Edit]] = {}
        self._rewrapped: dict[str, Part] = {}
        self._parts: dict[str, Part] = {}
        self._scans: dict[str, Scan] = {}
        self._refusals: dict[str, str] = {}
        self.wrapping: Replacement | None = None
        """Text (UTF-8) of a part to put below the whole message, which then becomes a multipart/mixed."""

    def remove_field(self, field: Field, *, by: str, kind: str) -> None:
        """Remove a whole field, of the top header or of a part. `ValueError` inside something signed or encrypted."""
        self._check_open(field)
        inside = [e for e in self._planned.get("", ()) if field.start <= e.start < e.end <= field.end]
        for edit in inside:
            self._planned[""].remove(edit)
            self.edits.remove(edit)
        self._plan(Edit(by, kind, "", field.start, field.end, ()))

    def join_name(self, field: Field, *, by: str, kind: str) -> None:
        """Take out the white space before a field's colon (RFC 5322 4.5.8), on which some readers stumble.

        Nothing to do where there is none, or where the field is removed anyway.
        """
        start, end = field.start + len(field.name), field.value - 1
        if start < end and not self.removed(field):
            self._check_open(field)
            self._plan(Edit(by, kind, "", start, end, ()))

    def remove_lead(self, *, by: str, kind: str) -> None:
        """Remove what stands before the first field: the "From " line of a mailbox file, or blanks."""
        if self.message.root.header[0] > 0:
            self._plan(Edit(by, kind, "", 0, self.message.root.header[0], ()))

    def wrap(self, text: Replacement, *, by: str, kind: str) -> None:
        """Make the message the first part of a multipart/mixed, byte for byte, and `text` (UTF-8, CRLF) the second."""
        end = len(self.message.raw)
        self.wrapping = _joined(text)
        self.edits.append(Edit(by, kind, "", end, end, self.wrapping))

    def amend(self, edit: Edit, replacement: Replacement) -> None:
        """Let a planned edit write something else in the same place."""
        amended = replace(edit, replacement=_joined(replacement))
        for planned in (self._planned[edit.part], self.edits):
            planned[planned.index(edit)] = amended

    def widen(self, part: Part) -> bool:
        """Write the part in UTF-8, which holds every character; edits planned on it go along, offsets change.

        False when its octets are not all in its own charset: then nothing is changed.
        """
        known, edits = self._scan(part), self._planned.get(part.path, [])
        try:
            content = known.content.decode(known.codec).encode()
            moved = _moved(edits, known)
        except UnicodeError:
            return False
        for before, after in zip(edits, moved, strict=True):
            self.edits[self.edits.index(before)] = after
        edits[:] = moved
        self._scans[part.path] = Scan(content, "utf-8", recoded=True)
        return True

    def replace_value(self, field: Field, value: Replacement, *, by: str, kind: str) -> None:
        """Write another value after "Name:"; `value` comes folded, without leading space and final CRLF."""
        _check_value(value)
        self._check_open(field)
        end = field.end - 2 if self.message.raw.endswith(b"\r\n", field.value, field.end) else field.end
        if not self.removed(field):
            self._plan(Edit(by, kind, "", field.value, end, _joined((b" ", *value))))

    def _check_open(self, field: Field) -> None:
        if field.start < self.message.root.header[1]:
            return
        for part in self.message.walk():
            if part.sealed and part.body[0] <= field.start < part.body[1]:
                raise ValueError(f"a field inside part {part.path} may not be edited: {part.sealed}")

    def prepend_field(self, name: bytes, value: Replacement, *, by: str, kind: str) -> None:
        """Put a field above the header; a later call goes above an earlier one, like trace fields."""
        start = self.message.root.header[0]
        self._plan(Edit(by, kind, "", start, start, _field(name, value)), first=True)

    def append_field(self, name: bytes, value: Replacement, *, by: str, kind: str) -> None:
        """Put a field below the header, in the order of the calls."""
        start, end = self.message.root.header
        written = _field(name, value)
        if start < end and not self.message.raw.endswith(b"\r\n", start, end):  # a header without its last CRLF
            written = (b"\r\n", *_joined((name, b": ", *value)))
        self._plan(Edit(by, kind, "", end, end, written))

    def removed(self, field: Field) -> bool:
        """Whether an edit already removes this field."""
        return any(e.removal and e.start <= field.start and field.end <= e.end for e in self._planned.get("", ()))

    def why_not(self, part: Part) -> str:
        """ "" when the part's content may be edited, else why not (I-6, R-049)."""
        known = self._refusals.get(part.path)
        if known is None:
            known = self._refusals[part.path] = self._refusal(part)
        return known

    def _refusal(self, part: Part) -> str:
        if not part.content_type.startswith("text/"):
            return part.sealed or "not a text part"
        return self._why_opaque(part) or self._scan(part).why_not

    def _why_opaque(self, part: Part) -> str:
        if part.sealed or part.broken:
            return part.sealed or f"broken: {part.broken}"
        if part.children or part.content_type.startswith("multipart/"):
            return "a composite part"
        try:
            check(part.encoding, self.message.raw[slice(*part.body)])
        except Undecodable as error:
            return f"broken: {error}"
        return ""

    def content(self, part: Part) -> bytes:
        """The part transfer-decoded, in an ASCII-compatible charset (`scan_charset`), as it was before edits."""
        return self._scan(part).content

    def scan_charset(self, part: Part) -> str:
        """The Python codec name of `content(part)`; text to be inserted is encoded with it."""
        return self._scan(part).codec

    def recoded(self, part: Part) -> bool:
        """Whether `content(part)` is UTF-8 made from a charset that cannot be scanned."""
        return self._scan(part).recoded

    def _scan(self, part: Part) -> Scan:
        known = self._scans.get(part.path)
        if known is None:
            body = decode(part.encoding, self.message.raw[slice(*part.body)])
            text = part.content_type.startswith("text/")
            known = scan(part.charset, body) if text else Scan(body, "latin-1")
            if text:  # attachments can be large: not kept
                self._scans[part.path] = known
        return known

    def splice(self, part: Part, start: int, end: int, replacement: Replacement, *, by: str, kind: str) -> None:
        """Replace `content(part)[start:end]`; zero length inserts.

        Raises `ValueError` when it overlaps another edit (inside a removed span it is ignored) or may not be edited.
        """
        reason = self._refusals.get(part.path)
        if reason or (reason is None and (reason := self.why_not(part))):
            raise ValueError(f"part {part.path} may not be edited: {reason}")
        known = self._scans.get(part.path) or self._scan(part)
        if not 0 <= start <= end <= len(known.content):
            raise ValueError(f"part {part.path}: {start}:{end} is outside its content")
        written = replacement if len(replacement) == 1 and replacement[0] else _joined(replacement)
        if start == end and not written:
            return  # nothing to do: the part keeps its bytes
        self._plan(Edit(by, kind, part.path, start, end, written))
        self._parts[part.path] = part

    def edited_content(self, part: Part) -> bytes:
        """`content(part)` with its edits applied and slots left out."""
        return b"".join(piece for piece in self.pieces(part) if isinstance(piece, bytes))

    def rewrap(self, part: Part, *, by: str, kind: str) -> None:
        """Encode the part again, content unchanged, so that no line is over 998 octets. `ValueError` if it may not."""
        if reason := self._why_opaque(part):
            raise ValueError(f"part {part.path} may not be encoded again: {reason}")
        self._parts[part.path] = part
        if part.path not in self._rewrapped:
            self._rewrapped[part.path] = part
            self.edits.append(Edit(by, kind, part.path, 0, 0, ()))

    def pieces(self, part: Part) -> Replacement:
        """The edited content as pieces, slots in place."""
        return apply(self.content(part), self._planned.get(part.path, ()))

    def header_edits(self) -> Sequence[Edit]:
        """Header edits in order of offset. For `compile`."""
        return self._planned.get("", ())

    def touched(self) -> Iterable[tuple[Part, bool]]:
        """Parts to be written again, and whether their content changes. For `compile`."""
        return [(part, bool(self._planned.get(path))) for path, part in self._parts.items()]

    def _plan(self, edit: Edit, *, first: bool = False) -> None:
        planned = self._planned.setdefault(edit.part, [])
        if not first and (not planned or planned[-1].end <= edit.start):  # edits mostly come in order
            planned.append(edit)
            self.edits.append(edit)
            return
        find = bisect_left if first else bisect_right
        at = find(planned, (edit.start, edit.end), key=_span)
        for other in (*planned[max(at - 1, 0) : at + 1],):
            if not (other.start < edit.end and edit.start < other.end):
                continue
            if other.removal and other.start <= edit.start and edit.end <= other.end:
                return
            raise ValueError(f"edit {edit.kind} by {edit.by} overlaps {other.kind} by {other.by}")
        planned.insert(at, edit)
        self.edits.append(edit)


def apply(content: bytes, edits: Iterable[Edit]) -> Replacement:
    """Pieces of `content` with ordered, non-overlapping edits applied; neighbouring bytes are joined."""
    pieces: list[Piece] = []
    position = 0
    for edit in edits:
        pieces += [content[position : edit.start], *edit.replacement]
        position = edit.end
    return _joined((*pieces, content[position:]))


def _moved(edits: Iterable[Edit], known: Scan) -> list[Edit]:
    """The same edits with offsets and text in UTF-8. One pass."""
    moved: list[Edit] = []
    at = size = 0
    for edit in edits:
        offsets = []
        for offset in (edit.start, edit.end):
            size += len(known.content[at:offset].decode(known.codec).encode())
            at = offset
            offsets.append(size)
        written = tuple(p if isinstance(p, Slot) else p.decode(known.codec).encode() for p in edit.replacement)
        moved.append(replace(edit, start=offsets[0], end=offsets[1], replacement=written))
    return moved


def _span(edit: Edit) -> tuple[int, int]:
    return edit.start, edit.end


def _joined(pieces: Iterable[Piece]) -> Replacement:
    """Neighbouring byte pieces as one, empty ones dropped."""
    joined: list[Piece] = []
    run: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            run.append(piece)
            continue
        if whole := b"".join(run):
            joined.append(whole)
        joined.append(piece)
        run = []
    if whole := b"".join(run):
        joined.append(whole)
    return tuple(joined)


def _field(name: bytes, value: Replacement) -> Replacement:
    if not _NAME.fullmatch(name):
        raise ValueError("a field name is printable ASCII without a colon (RFC 5322 2.2)")
    _check_value(value)
    return _joined((name, b": ", *value, b"\r\n"))


def _check_value(value: Replacement) -> None:
    """No CR, LF or NUL but in a fold with text after it: a value can never start another field (R-038)."""
    whole = b"".join(piece if isinstance(piece, bytes) else b"x" for piece in value)
    if _BROKEN_LINE.search(whole) or any(w[:1] not in b" \t" for w in whole.split(b"\r\n")[1:]):
        raise ValueError("a header value may hold CRLF only as a fold before white space and text")
    if any(len(line) > LINE_LIMIT - 78 for line in whole.split(b"\r\n")):
        raise ValueError("a header line over the limit of RFC 5322 2.1.1")
