"""A whole message in 7 bit: which bodies must be encoded, and everything around them.

what:       8-bit header fields of every part, labels of composite parts, text outside parts, as splices
takes→gives: `Message` + the splices so far → the splices with those of the conversion
knows not:  how a body is encoded, what edits are for
fails by:   `Uncompilable` for what is sealed, cannot be read in one way, or needs SMTPUTF8
standard:   RFC 6152 3, RFC 2045 6.4, RFC 2046 5.1.1 and 5.2.1, RFC 1847 2.1; R-043, R-044, I-6
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.message.ascii_fields import MARK, Unconvertible, ascii_value, questioned
from gateway.message.encodings import LINE_LIMIT, Undecodable, check, first_long_line
from gateway.message.lines import areas
from gateway.message.parse import HARMLESS, Field, Message, Part
from gateway.message.splices import Gap, Rewrite, Uncompilable, ascii_steps

_MARKED = re.compile(rb"\0(\d+)\0")
_AFTER = "a boundary after the closing boundary"  # what follows may be shown
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def leaves(message: Message) -> Iterator[Part]:
    """Parts whose body has 8-bit octets and is to be encoded. Raises `Uncompilable` where one may not be."""
    raw = message.raw
    if raw.isascii():
        return
    for part in message.walk():
        if part.children or raw[slice(*part.body)].isascii():
            continue
        if reason := _why_not(part, raw):
            raise Uncompilable(f"part {part.path} has 8-bit content and is {reason}")
        yield part


def _why_not(part: Part, raw: bytes) -> str:
    if part.sealed:
        return part.sealed
    if part.broken and part.broken not in HARMLESS:
        return f"broken: {part.broken}"
    if part.content_type.startswith("multipart/"):
        return "a multipart without parts"
    try:
        check(part.encoding, raw[slice(*part.body)])
    except Undecodable as error:
        return f"broken: {error}"
    return ""


def convert(message: Message, found: list[Rewrite]) -> list[Rewrite]:
    """`found` with everything else that 7 bit needs; a field that is both edited and converted is one splice."""
    if message.raw.isascii() and all(ascii_steps(r.steps) for r in found):
        return found
    written = [_insertion(r) if r.start == r.end and r.header else r for r in found]
    for part, covered in _with_cover(message.root):
        written += _between(message.raw, part)
        written = _header(message.raw, part, written, covered=covered)
        if part.children and part.encoding in ("8bit", "binary") and not part.sealed:
            written += _relabelled(message.raw, part, written)
    return written


def convert_header(message: Message, found: list[Rewrite]) -> list[Rewrite]:
    """`found` with the top header in ASCII; as it is where that is impossible."""
    start, end = message.root.header
    if message.raw[start:end].isascii() and all(ascii_steps(r.steps) for r in found if r.header):
        return found
    try:
        written = [_insertion(r) if r.start == r.end and r.header else r for r in found]
        return _header(message.raw, message.root, written, covered=False)
    except Uncompilable:
        return found


def _with_cover(root: Part) -> Iterator[tuple[Part, bool]]:
    """Each part, and whether its own header is inside what is signed or encrypted."""
    waiting = [(root, False)]
    while waiting:
        part, covered = waiting.pop()
        yield part, covered
        waiting += [(child, covered or part.opaque) for child in part.children]


def _between(raw: bytes, part: Part) -> Iterator[Rewrite]:
    """Preamble and epilogue, which no reader shows: nothing but their 8-bit octets is replaced."""
    if not part.children or not part.content_type.startswith("multipart/"):
        return
    for where, start, end in areas(part):
        if where != "between" or raw[start:end].isascii():
            continue
        if part.sealed or (part.broken and part.broken not in HARMLESS - {_AFTER}):
            raise Uncompilable(f"8-bit text between the parts of {part.path}, which is {part.sealed or part.broken}")
        for run in _HIGH_RUN.finditer(raw, start, end):
            yield Rewrite(*run.span(), (questioned(run[0]),))


def _relabelled(raw: bytes, part: Part, written: list[Rewrite]) -> Iterator[Rewrite]:
    """RFC 2045 6.4: a composite part says 8bit only when something in it is."""
    field = next((f for f in part.fields if f.name.lower() == b"content-transfer-encoding"), None)
    if field is not None and not any(r.start < field.end and field.start < r.end for r in written):
        yield Rewrite(field.value, _value_end(raw, field), (b" 7bit",), part.path == "1")


def _header(raw: bytes, part: Part, written: list[Rewrite], *, covered: bool) -> list[Rewrite]:
    start, end = part.header
    near = [r for r in written if r.end > start and r.start < end]
    if raw[start:end].isascii() and all(ascii_steps(r.steps) for r in near):
        return written
    if covered:
        raise Uncompilable(f"the header of part {part.path} has 8-bit text and is {part.sealed}")
    dropped: set[int] = set()
    added: list[Rewrite] = []
    for field in part.fields:
        mine = [r for r in near if r.start < field.end and r.end > field.start]
        steps = _steps(raw, field, mine)
        if steps is None or ascii_steps(steps):
            continue
        dropped |= {id(r) for r in mine}
        value = _ascii(field.name, steps, part.path)
        added.append(Rewrite(field.value, _value_end(raw, field), value, part.path == "1"))
    return [*(r for r in written if id(r) not in dropped), *added]


def _steps(raw: bytes, field: Field, mine: list[Rewrite]) -> tuple[bytes | Gap, ...] | None:
    """The value as it will stand, None when the field goes or more than its value is written anew."""
    steps: list[bytes | Gap] = []
    position, end = field.value, _value_end(raw, field)
    for rewrite in sorted(mine, key=lambda r: (r.start, r.end)):
        if rewrite.start < position or rewrite.end > end:
            return None
        steps += [raw[position : rewrite.start], *rewrite.steps]
        position = rewrite.end
    return (*steps, raw[position:end])


def _insertion(rewrite: Rewrite) -> Rewrite:
    """A field put into the header by a filter, its value converted."""
    if ascii_steps(rewrite.steps):
        return rewrite
    first = rewrite.steps[0]
    assert isinstance(first, bytes)
    lead = b"\r\n" if first.startswith(b"\r\n") else b""
    name, _, rest = first[len(lead) :].partition(b":")
    steps: list[bytes | Gap] = [rest, *rewrite.steps[1:]]
    last = steps[-1]
    ended = isinstance(last, bytes) and last.endswith(b"\r\n")
    if isinstance(last, bytes) and ended:
        steps[-1] = last[:-2]
    value = _ascii(name, tuple(steps), "1")
    return Rewrite(rewrite.start, rewrite.end, (lead + name + b":", *value, b"\r\n" * ended), rewrite.header)


def _ascii(name: bytes, steps: tuple[bytes | Gap, ...], path: str) -> tuple[bytes | Gap, ...]:
    """The value in ASCII; a gap is a mark while it is converted."""
    gaps = [step for step in steps if isinstance(step, Gap)]
    numbers = iter(range(len(gaps)))
    marked = b"".join(s if isinstance(s, bytes) else b"%s%d%s" % (MARK, next(numbers), MARK) for s in steps)
    try:
        value = ascii_value(name, marked)
    except Unconvertible as error:
        raise Uncompilable(f"{name.decode('latin-1')} of part {path} has {error}") from None
    if first_long_line(value, 0, len(value), LINE_LIMIT - len(name) - 1) >= 0:
        raise Uncompilable(f"{name.decode('latin-1')} of part {path} has 8-bit text too long for a line")
    pieces = _MARKED.split(value)  # text, number, text, number … text
    return tuple(gaps[int(piece)] if odd % 2 else piece for odd, piece in enumerate(pieces) if odd % 2 or piece)


def _value_end(raw: bytes, field: Field) -> int:
    return field.end - 2 if raw.endswith(b"\r\n", field.value, field.end) else field.end
