"""From planned edits to byte splices: which encoding an edited part gets, and which fields change with it.

what:       the splices on the raw message that `template.compile` lays out
takes→gives: `Draft` → ordered `Rewrite`s (offsets in raw, bytes and gaps)
knows not:  recipients, what a slot means, how a template is stored
fails by:   `Uncompilable`
standard:   RFC 2045 6, RFC 6152 3, RFC 3676 (content of flowed text is kept); R-041, R-043, I-6
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from gateway.message.delimiters import closing
from gateway.message.draft import Draft, Replacement, Slot
from gateway.message.encodings import (
    KNOWN,
    QP_LINE,
    decode,
    encode_base64,
    encode_quoted_printable,
    short_lines,
    soft_break,
)
from gateway.message.headers import parameters
from gateway.message.parse import Field, Message, Part
from gateway.message.seven_bit import convert, convert_header, leaves
from gateway.message.splices import SLOT_ROOM, Gap, Rewrite, Uncompilable, raw_steps
from gateway.message.wrap import wrapped

_DASHES = re.compile(rb"^(--+)([^\r\n]*)", re.M)
_SHIELDED_MOST = 71  # dashes of a line in front of a soft break: neither it nor what follows is too long then
_STALE = frozenset({b"content-md5", b"content-length", b"lines"})  # say something about the old content


def rewrites(draft: Draft, *, seven_bit: bool, ascii_header: bool = False) -> list[Rewrite]:
    """All splices in order of offset, none overlapping. Raises `Uncompilable`."""
    found = [Rewrite(e.start, e.end, raw_steps(e.replacement), _in_header(draft, e.end)) for e in draft.header_edits()]
    written = {part.path: (part, changed) for part, changed in draft.touched()}
    if seven_bit:
        written = {part.path: (part, False) for part in leaves(draft.message)} | written
    for part, changed in written.values():
        found += _Writer(draft, part, changed=changed, seven_bit=seven_bit).splices()
    found += _closings(draft.message, written)
    if seven_bit:
        found = convert(draft.message, found)
    elif ascii_header:
        found = convert_header(draft.message, found)
    if draft.wrapping is not None:
        found = _wrapped(draft, draft.wrapping, found)
    found.sort(key=lambda r: (r.start, r.end))  # stable: insertions at one place stay in order
    for before, after in pairwise(found):
        if before.end > after.start:
            raise Uncompilable("one field is edited twice")
    return found


def _wrapped(draft: Draft, text: Replacement, found: list[Rewrite]) -> list[Rewrite]:
    plain = all(p.isascii() for p in text if not isinstance(p, Slot))
    encoding = "7bit" if plain else "quoted-printable"
    return wrapped(draft, found, _encode(encoding, text), encoding)


def _closings(message: Message, written: Iterable[str]) -> list[Rewrite]:
    """The closing boundary of every multipart without one in which a part is written, innermost first: whoever reads
    the mail behind us has no end to guess."""
    opened = {part.path: part for path in written for part in _around(message, path) if part.unclosed}
    inwards = sorted(opened.values(), key=lambda part: -part.path.count("."))
    ends = [(part.body[1], closing(message.raw, part.parameters["boundary"], part.body[1])) for part in inwards]
    return [Rewrite(end, end, (line,)) for end, line in ends]


def _around(message: Message, path: str) -> Iterator[Part]:
    """The parts that the part at `path` stands in, outermost first."""
    part = message.root
    for number in path.split(".")[1:]:
        yield part
        part = part.children[int(number) - 1]


def _in_header(draft: Draft, end: int) -> bool:
    return end <= draft.message.root.header[1]


def _find(part: Part, name: bytes) -> Field | None:
    return next((f for f in part.fields if f.name.lower() == name), None)


def _value_splice(draft: Draft, part: Part, field: Field, value: bytes) -> Rewrite:
    end = field.end - 2 if draft.message.raw.endswith(b"\r\n", field.value, field.end) else field.end
    return Rewrite(field.value, end, (value,), part.path == "1")


class _Writer:
    """Writes one leaf part again: body, and the fields that describe it."""

    def __init__(self, draft: Draft, part: Part, *, changed: bool, seven_bit: bool) -> None:
        self._draft = draft
        self._part = part
        self._changed = changed
        self._seven_bit = seven_bit
        self._now = part.encoding if part.encoding in KNOWN else self._unknown()
        self._pieces = draft.pieces(part) if changed else (self._original(),)
        self._slots = any(isinstance(p, Slot) for p in self._pieces)
        self._ascii = all(p.isascii() for p in self._pieces if not isinstance(p, Slot))

    def _original(self) -> bytes:
        start, end = self._part.body
        return decode(self._part.encoding, self._draft.message.raw[start:end])

    def _unknown(self) -> str:
        """What a body is, which says of itself what nobody knows, and which was found to be what it looks like."""
        return "7bit" if self._draft.message.raw[slice(*self._part.body)].isascii() else "8bit"

    def splices(self) -> Iterator[Rewrite]:
        encoding = self._encoding()
        steps = _encode(encoding, self._pieces)
        if self._mimics(steps):
            encoding = "quoted-printable"
            steps = _shielded(_encode(encoding, self._pieces))
        added = list(self._describe(encoding))
        if added and self._part.path == "1" and not self._draft.message.fields("MIME-Version"):
            added.insert(0, b"MIME-Version: 1.0\r\n")  # RFC 2045 4
        if added:
            yield Rewrite(self._part.header[1], self._part.header[1], (self._fields(added),), self._part.path == "1")
        steps = self._ended(encoding, steps)
        yield Rewrite(*self._part.body, (self._blank(), *steps) if self._part.bare else steps)
        yield from self._field_splices(encoding)

    def _fields(self, added: list[bytes]) -> bytes:
        """Fields behind the header, which may lack its last CRLF."""
        whole = b"".join(added)
        return whole if self._line_ended() else b"\r\n" + whole.removesuffix(b"\r\n")

    def _blank(self) -> bytes:
        """What ends a header behind which there is no blank line."""
        return b"\r\n" if self._line_ended() else b"\r\n\r\n"

    def _line_ended(self) -> bool:
        start, end = self._part.header
        return start == end or self._draft.message.raw.endswith(b"\r\n", start, end)

    def _encoding(self) -> str:
        """Keep the kind; leave it only where the new content does not fit (RFC 2045 6.2-6.8), or nobody knows it."""
        now = self._now
        if now == "quoted-printable" or (now == "base64" and not self._slots):
            return now
        whole = b"".join(b"x" * SLOT_ROOM if isinstance(p, Slot) else p for p in self._pieces)
        fits = short_lines(whole) and not (now == "base64" and self._must_end_line() and not whole.endswith(b"\r\n"))
        if fits and self._ascii:
            return "7bit" if now == "base64" or self._seven_bit else now
        if fits and now != "base64" and not self._seven_bit and not self._was_ascii():
            return now
        text = self._slots or self._part.content_type.startswith(("text/", "message/"))
        return "quoted-printable" if text else "base64"

    def _was_ascii(self) -> bool:
        """Whether 8-bit content would be new here (enclosing parts may say 7bit)."""
        return self._now == "7bit" and self._draft.message.raw[slice(*self._part.body)].isascii()

    def _mimics(self, steps: tuple[bytes | Gap, ...]) -> bool:
        """Whether more lines would begin like a boundary around this part than did: a rule of dashes is one where the
        boundary is of dashes, base64 hid what is written in the clear, and a soft break may stand before any word."""
        if self._part.path == "1":
            return False
        new = b"".join(step for step in steps if isinstance(step, bytes))
        old = self._draft.message.raw[slice(*self._part.body)]
        lines = (_line(part) for part in _around(self._draft.message, self._part.path))
        return any(_begins(new, line) > _begins(old, line) for line in lines if line)

    def _must_end_line(self) -> bool:
        """Whether this part is the end of the message, which ends with CRLF (RFC 5321 4.1.1.4)."""
        raw = self._draft.message.raw
        return self._part.body[1] == len(raw) and raw.endswith(b"\r\n")

    def _ended(self, encoding: str, steps: tuple[bytes | Gap, ...]) -> tuple[bytes | Gap, ...]:
        last = steps[-1] if steps else b"\r\n"
        if not self._must_end_line() or (isinstance(last, bytes) and last.endswith(b"\r\n")):
            return steps
        if encoding == "quoted-printable":
            return (*steps[:-1], soft_break(last)) if isinstance(last, bytes) else (*steps, b"=\r\n")
        return (*steps, b"\r\n")

    def _describe(self, encoding: str) -> Iterator[bytes]:
        """Fields to add where the part has none."""
        if self._utf8_label() and _find(self._part, b"content-type") is None:
            yield b"Content-Type: " + self._part.content_type.encode() + b"; charset=utf-8\r\n"
        if encoding != self._part.encoding and _find(self._part, b"content-transfer-encoding") is None:
            yield b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n"

    def _field_splices(self, encoding: str) -> Iterator[Rewrite]:
        for field in self._part.fields:
            low = field.name.lower()
            if self._draft.removed(field):
                continue
            if low == b"content-transfer-encoding" and encoding != self._part.encoding:
                yield _value_splice(self._draft, self._part, field, b" " + encoding.encode())
            elif low == b"content-type" and self._utf8_label():
                yield self._charset_splice(field)
            elif low in _STALE and self._changed:
                yield Rewrite(field.start, field.end, (), self._part.path == "1")

    def _utf8_label(self) -> bool:
        """Whether the charset parameter no longer tells the truth after the edit."""
        if not self._changed:
            return False
        if self._draft.recoded(self._part):
            return True
        plain = self._draft.scan_charset(self._part) == "utf-8" and self._part.charset not in ("utf-8", "utf8")
        return plain and not self._ascii and self._draft.content(self._part).isascii()

    def _charset_splice(self, field: Field) -> Rewrite:
        spans = parameters(self._draft.message.raw_value(field)).spans
        named = [s for s in spans if s.name.split("*", 1)[0] == "charset"]
        if len(named) > 1:
            raise Uncompilable(f"part {self._part.path} has more than one charset parameter")
        top = self._part.path == "1"
        if named:
            start, end = field.value + named[0].start, field.value + named[0].end
            return Rewrite(start, end, (b"charset=utf-8",), top)
        value = self._draft.message.raw_value(field)
        return _value_splice(self._draft, self._part, field, value + b"; charset=utf-8")


def _shielded(steps: tuple[bytes | Gap, ...]) -> tuple[bytes | Gap, ...]:
    """Quoted-printable in which no line begins with two dashes."""
    return tuple(_DASHES.sub(_shield, step) if isinstance(step, bytes) else step for step in steps)


def _shield(line: re.Match[bytes]) -> bytes:
    """The first dash as its number; a line that has no room for it goes on after its dashes."""
    dashes, rest = line[1], line[2]
    if len(line[0]) + 2 <= QP_LINE:
        return b"=2D" + dashes[1:] + rest
    more = dashes[_SHIELDED_MOST:]
    more = b"=2D" + more[1:] if len(more) > 1 else more
    return b"=2D" + dashes[1:_SHIELDED_MOST] + b"=\r\n" + more + rest


def _line(part: Part) -> bytes:
    """What delimiter lines of a multipart begin with, b"" of other parts."""
    boundary = part.parameters.get("boundary", "") if part.content_type.startswith("multipart/") else ""
    return b"--" + boundary.encode("ascii", "replace") if boundary else b""


def _begins(content: bytes, line: bytes) -> int:
    """How many lines begin so."""
    return content.count(b"\n" + line) + content.startswith(line) if line in content else 0


def _encode(encoding: str, pieces: Replacement) -> tuple[bytes | Gap, ...]:
    if encoding == "base64":
        return (encode_base64(b"".join(p for p in pieces if not isinstance(p, Slot))),)
    if encoding == "quoted-printable":
        return tuple(_quoted(pieces))
    return raw_steps(pieces)


def _quoted(pieces: Replacement) -> Iterator[bytes | Gap]:
    """Slots on lines of their own, between soft breaks, so that their value never changes another line."""
    for at, piece in enumerate(pieces):
        following = pieces[at + 1] if at + 1 < len(pieces) else b""
        if isinstance(piece, Slot):
            yield Gap(piece, "qp")
            if isinstance(following, Slot) or (following and not following.startswith(b"\r\n")):
                yield b"=\r\n"
        else:
            encoded = encode_quoted_printable(piece)
            yield soft_break(encoded) if isinstance(following, Slot) else encoded
