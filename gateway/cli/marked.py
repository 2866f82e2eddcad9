"""What edits did to a text, as runs to colour: the text before with what went, the text after with what came.

what:       splits content along its edits; shortens long runs that nothing touched
takes→gives: content, edits, slot values → `Run`s before and after, and the content after with the spans of what came
knows not:  HTML, pages, files
fails by:   nothing: octets that are no text in the charset show as �
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.message.draft import Draft, Edit, Slot

_SHOWN = 600  # characters of an untouched run that stay at each of its ends


@dataclass(frozen=True, slots=True)
class Run:
    """`kind` is "" (as it was), "gone", "new" or "left-out"; `title` names filter and kind of the edit."""

    text: str
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class After:
    """The edited content; `new` are the spans in it that edits put there."""

    content: bytes
    new: tuple[tuple[int, int], ...]


def edits_of(draft: Draft, part: str) -> list[Edit]:
    """Of one part ("" for the header), in order; encoding a part again is no edit of its text."""
    found = [e for e in draft.edits if e.part == part and (e.end > e.start or e.replacement)]
    return sorted(found, key=lambda e: (e.start, e.end))


def before(content: bytes, edits: Sequence[Edit], codec: str) -> list[Run]:
    """The text as it came, with what goes marked."""
    runs: list[Run] = []
    at = 0
    for edit in edits:
        if edit.start < at:
            continue  # inside what is gone already
        runs += _kept(content[at : edit.start], codec)
        runs.append(Run(_text(content[edit.start : edit.end], codec), "gone", f"{edit.by}: {edit.kind}"))
        at = edit.end
    return [run for run in (*runs, *_kept(content[at:], codec)) if run.text]


def after(content: bytes, edits: Sequence[Edit], codec: str, slots: Mapping[Slot, str]) -> list[Run]:
    """The text as it leaves, with what came marked; a slot shows this recipient's value."""
    runs: list[Run] = []
    at = 0
    for edit in edits:
        if edit.start < at:
            continue
        runs += _kept(content[at : edit.start], codec)
        runs.append(Run(_text(_written(edit, slots), codec), "new", f"{edit.by}: {edit.kind}"))
        at = edit.end
    return [run for run in (*runs, *_kept(content[at:], codec)) if run.text]


def edited(content: bytes, edits: Sequence[Edit], slots: Mapping[Slot, str]) -> After:
    """The content after the edits."""
    pieces: list[bytes] = []
    spans: list[tuple[int, int]] = []
    size = at = 0
    for edit in edits:
        if edit.start < at:
            continue
        written = _written(edit, slots)
        pieces += [content[at : edit.start], written]
        size += edit.start - at
        if written:
            spans.append((size, size + len(written)))
        size += len(written)
        at = edit.end
    return After(b"".join([*pieces, content[at:]]), tuple(spans))


def _written(edit: Edit, slots: Mapping[Slot, str]) -> bytes:
    return b"".join(slots.get(p, p.value).encode() if isinstance(p, Slot) else p for p in edit.replacement)


def _kept(octets: bytes, codec: str) -> Iterable[Run]:
    text = _text(octets, codec)
    if len(text) <= 3 * _SHOWN:
        return [Run(text)]
    left = len(text) - 2 * _SHOWN
    return [Run(text[:_SHOWN]), Run(f"… {left} characters as they were …", "left-out"), Run(text[-_SHOWN:])]


def _text(octets: bytes, codec: str) -> str:
    return octets.decode(codec, "replace").replace("\r\n", "\n")
