"""A finished message with slots: compile once, render per recipient.

what:       byte segments and slots; delivery joins them and knows no MIME
takes→gives: `Draft` → `Template` → bytes; templates of one message ↔ one blob with shared pieces once
knows not:  who the recipient is, what the slots mean
fails by:   `Uncompilable` (reason) from compile; `ValueError` on a slot value that could break a line or a strange blob
standard:   DESIGN §4 Spool, I-5; RFC 2045 6.7, RFC 6152, RFC 6532
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.message.draft import Draft, Slot
from gateway.message.encodings import encode_quoted_printable
from gateway.message.rewrite import rewrites
from gateway.message.splices import SLOT_ROOM, Gap, Rewrite, Uncompilable, ascii_steps

__all__ = ["Gap", "Run", "Slot", "Template", "Uncompilable", "compile", "pack", "unpack"]

_CHUNK = 72  # of a slot's value on one quoted-printable line
_QP_SAFE = re.compile(rb"[!-<>-~]*")
_UNSAFE = re.compile(rb"[\r\n\0]")
_COPY = 1 << 16  # smaller spans are copied out so that they do not keep the message alive
_MAGIC = b"BGT1"
_HEAD = struct.Struct(">4sI")


@dataclass(frozen=True, slots=True)
class Run:
    """`start:end` of the template's source."""

    start: int
    end: int


Step = Run | Gap | bytes


@dataclass(frozen=True, slots=True)
class Template:
    """Steps to write one message. `eight_bit`: needs 8BITMIME; `utf8_headers`: needs SMTPUTF8.

    Both speak of the fixed bytes: a slot value that is not ASCII adds its own need.
    """

    source: bytes = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    eight_bit: bool
    utf8_headers: bool
    _segments: list[bytes | memoryview] = field(init=False, repr=False, compare=False)
    _gaps: tuple[tuple[int, Gap], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        segments = [_segment(self.source, step) for step in self.steps]
        gaps = tuple((at, step) for at, step in enumerate(self.steps) if isinstance(step, Gap))
        object.__setattr__(self, "_segments", segments)
        object.__setattr__(self, "_gaps", gaps)

    @property
    def slots(self) -> frozenset[Slot]:
        """The slots that `render` needs a value for."""
        return frozenset(gap.slot for _, gap in self._gaps)

    def render(self, slots: Mapping[Slot, bytes]) -> bytes:
        """The message for one recipient. `KeyError` when a slot has no value, `ValueError` when it breaks a line."""
        segments = self._segments.copy()
        for at, gap in self._gaps:
            segments[at] = fill(gap, slots[gap.slot])
        return b"".join(segments)

    def size(self, slots: Mapping[Slot, bytes]) -> int:
        """Octets of `render(slots)`, without rendering."""
        return sum(map(len, self._segments)) + sum(len(fill(gap, slots[gap.slot])) for _, gap in self._gaps)


def fill(gap: Gap, value: bytes) -> bytes:
    """The bytes of one slot. Quoted-printable values are broken at fixed positions: same length in, same length out."""
    if len(value) > SLOT_ROOM or _UNSAFE.search(value):
        raise ValueError(f"slot {gap.slot}: over {SLOT_ROOM} octets, or a CR, LF or NUL")
    if gap.encoding == "raw":
        return value
    if not _QP_SAFE.fullmatch(value):
        return encode_quoted_printable(value)
    return b"=\r\n".join([value[i : i + _CHUNK] for i in range(0, len(value), _CHUNK)])


def _segment(source: bytes, step: Step) -> bytes | memoryview:
    if isinstance(step, Gap):
        return b""
    if isinstance(step, bytes):
        return step
    if step.start == 0 and step.end == len(source):
        return source
    if step.end - step.start < _COPY:
        return source[step.start : step.end]
    return memoryview(source)[step.start : step.end]


def pack(templates: Mapping[str, Template]) -> bytes:
    """One blob for the templates (variants) of one message: what they share is in it once, what none uses is not."""
    data: list[bytes | memoryview] = []
    store = _Store(data)
    for template in templates.values():
        store.want(template)
    store.lay_out()
    plan = {
        name: [int(t.eight_bit), int(t.utf8_headers), [store.entry(t, step) for step in t.steps]]
        for name, t in templates.items()
    }
    head = json.dumps(plan, separators=(",", ":")).encode()
    return b"".join([_HEAD.pack(_MAGIC, len(head)), head, *data])


def unpack(blob: bytes) -> dict[str, Template]:
    """Inverse of `pack`. Raises `ValueError` on anything else."""
    try:
        magic, size = _HEAD.unpack_from(blob)
        if magic != _MAGIC:
            raise ValueError("not a packed template")
        plan = json.loads(blob[_HEAD.size : _HEAD.size + size])
        base = _HEAD.size + size
        return {
            name: Template(blob, tuple(_step(entry, base) for entry in steps), bool(eight), bool(utf8))
            for name, (eight, utf8, steps) in plan.items()
        }
    except (struct.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a packed template") from error


def _step(entry: list[object], base: int) -> Step:
    if isinstance(entry[0], str):
        return Gap(Slot(entry[0]), str(entry[1]))
    start, end = entry
    if not isinstance(start, int) or not isinstance(end, int):
        raise ValueError("not a packed template")
    return Run(base + start, base + end)


class _Store:
    """Lays the runs of all sources and the literal pieces out behind each other, each octet of a source once."""

    def __init__(self, data: list[bytes | memoryview]) -> None:
        self._data = data
        self._size = 0
        self._sources: dict[int, tuple[bytes, list[Run]]] = {}
        self._placed: dict[int, list[tuple[int, int, int]]] = {}  # source → (start, end, where it is now)
        self._literals: dict[bytes, int] = {}

    def want(self, template: Template) -> None:
        _, runs = self._sources.setdefault(id(template.source), (template.source, []))
        runs += [step for step in template.steps if isinstance(step, Run)]

    def lay_out(self) -> None:
        for key, (source, runs) in self._sources.items():
            view = memoryview(source)
            self._placed[key] = [(s, e, self._add(view[s:e])) for s, e in _union(runs)]

    def entry(self, template: Template, step: Step) -> list[object]:
        if isinstance(step, Gap):
            return [step.slot.value, step.encoding]
        if isinstance(step, bytes):
            if step not in self._literals:
                self._literals[step] = self._add(step)
            return [self._literals[step], self._literals[step] + len(step)]
        for start, end, place in self._placed[id(template.source)]:
            if start <= step.start and step.end <= end:
                return [place + step.start - start, place + step.end - start]
        return [0, 0]  # an empty run

    def _add(self, piece: bytes | memoryview) -> int:
        self._data.append(piece)
        self._size += len(piece)
        return self._size - len(piece)


def _union(runs: Iterable[Run]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for run in sorted(runs, key=lambda r: r.start):
        if run.start == run.end:
            continue
        if merged and run.start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], run.end))
        else:
            merged.append((run.start, run.end))
    return merged


def compile(draft: Draft, *, seven_bit: bool, ascii_header: bool = False) -> Template:  # the room contract's name
    """Write the edits. Without edits and without a need for 7 bit the template renders the message as it was (I-5).

    `seven_bit` also asks for an ASCII header. Raises `Uncompilable` where that is impossible (R-043). `ascii_header`
    asks for that alone, and leaves the header as it is where it is impossible: for mail that came without SMTPUTF8,
    whose 8-bit header means nothing to a next hop (RFC 6531 3.6).
    """
    raw = draft.message.raw
    body = draft.message.root.body[0]
    planned = rewrites(draft, seven_bit=seven_bit, ascii_header=ascii_header)
    runs = _kept(planned, len(raw))
    utf8 = any(r.header and not ascii_steps(r.steps) for r in planned)
    eight = any(not r.header and not ascii_steps(r.steps) for r in planned)
    if not raw.isascii():
        utf8 = utf8 or not all(_ascii(raw, run.start, min(run.end, body)) for run in runs)
        eight = eight or not all(_ascii(raw, max(run.start, body), run.end) for run in runs)
    if seven_bit and (utf8 or eight):
        raise Uncompilable("8-bit text in the header" if utf8 else "8-bit text outside the parts that can be encoded")
    return Template(raw, _steps(planned, runs), eight, utf8)


def _kept(planned: list[Rewrite], size: int) -> list[Run]:
    """What lies before, between and after the splices; one more than there are splices."""
    starts = [0, *(r.end for r in planned)]
    ends = [*(r.start for r in planned), size]
    return [Run(start, end) for start, end in zip(starts, ends, strict=True)]


def _steps(planned: list[Rewrite], runs: list[Run]) -> tuple[Step, ...]:
    steps: list[Step] = [runs[0]]
    for rewrite, run in zip(planned, runs[1:], strict=True):
        steps += [*rewrite.steps, run]
    return tuple(step for step in steps if not isinstance(step, Run) or step.start < step.end)


def _ascii(raw: bytes, start: int, end: int) -> bool:
    """`raw[start:end].isascii()` without a copy of it all."""
    return all(raw[at : min(at + _COPY, end)].isascii() for at in range(start, end, _COPY))
