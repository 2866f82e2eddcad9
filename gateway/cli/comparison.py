"""Before and after of mails side by side, as one page that loads nothing (`explain --html`).

what:       what a page needs of each explained mail: decisions, marked header, parts as text and as a reader sees them
takes→gives: questions and answers → one HTML document
knows not:  how the answer was found, files
fails by:   nothing: HTML that two readers would read differently is shown as text only
standard:   I-11; nothing remote loads: sanitised, in sandboxed frames, under a Content-Security-Policy
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.cli.harmless import harmless
from gateway.cli.marked import Run, after, before, edited, edits_of
from gateway.decision import Action
from gateway.explanation import Answer
from gateway.message.draft import Draft, Slot
from gateway.message.html import Unscannable
from gateway.message.parse import Message, Part
from gateway.plan import Plan, Rendition

_LARGEST_PICTURE = 1_000_000
_MARKUP = "text/html"


@dataclass(frozen=True, slots=True)
class Side:
    """One text before and after; `frames` are the two as a reader sees them, "" where that cannot be shown."""

    name: str
    note: str
    before: list[Run] = field(default_factory=list)
    after: list[Run] = field(default_factory=list)
    frames: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """One mail on the page. `account` is that of `explain`."""

    title: str
    account: Mapping[str, Any]
    variants: Mapping[str, list[Side]]


def shown(title: str, answer: Answer) -> Shown:
    """What the page needs of one explained mail."""
    made = answer.made
    variants = {} if made is None else {name: list(_sides(made, r)) for name, r in made.renditions.items()}
    return Shown(title, answer.account, variants)


def page(mails: Iterable[Shown]) -> str:
    """The whole document."""
    return str(_template().render(mails=list(mails)))


@lru_cache(maxsize=1)
def _template() -> Any:
    loader = PackageLoader("gateway.cli", "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("comparison.html")


def _sides(made: Plan, rendition: Rendition) -> Iterator[Side]:
    slots, message = _slots(made, rendition), made.read.message
    yield _header(rendition.draft, slots)
    pictures = _pictures(message)
    for part in message.walk():
        if not part.children:
            yield _side(rendition.draft, part, slots, pictures)


def _slots(made: Plan, rendition: Rendition) -> Mapping[Slot, str]:
    """The values of the first who gets this variant; else names."""
    for copy in made.copies:
        if copy.decision.action is not Action.REFUSE and copy.decision.variant == rendition.variant:
            return copy.slots
    return {}


def _header(draft: Draft, slots: Mapping[Slot, str]) -> Side:
    content = draft.message.raw[: draft.message.root.body[0]]
    edits = [e for e in edits_of(draft, "") if e.end <= len(content)]
    return Side("Header", f"{len(edits)} edits", before(content, edits, "utf-8"), after(content, edits, "utf-8", slots))


def _side(draft: Draft, part: Part, slots: Mapping[Slot, str], pictures: Mapping[str, str]) -> Side:
    name = f"Part {part.path}, {part.content_type}" + (f", {part.filename}" if part.filename else "")
    edits = edits_of(draft, part.path)
    if part.attachment or draft.why_not(part):
        why = f" ({part.sealed})" if part.sealed else ""
        return Side(name, f"{part.body[1] - part.body[0]} octets, left as they came{why}")
    content, codec = draft.content(part), draft.scan_charset(part)
    changed = edited(content, edits, slots)
    frames = ("", "")
    if part.content_type == _MARKUP:
        gone = [(e.start, e.end) for e in edits if e.end > e.start]
        try:
            frames = (
                harmless(content, codec, pictures, gone, "gone"),
                harmless(changed.content, codec, pictures, changed.new, "new"),
            )
        except Unscannable:
            pass  # its text is shown all the same
    note = f"{len(edits)} {'edit' if len(edits) == 1 else 'edits'}" if edits else "left as it came"
    return Side(name, note, before(content, edits, codec), after(content, edits, codec, slots), frames)


def _pictures(message: Message) -> dict[str, str]:
    """Pictures that the mail brings itself, by Content-ID."""
    found = {}
    draft = Draft(message)
    for part in message.walk():
        small = part.body[1] - part.body[0] <= _LARGEST_PICTURE
        if not part.content_type.startswith("image/") or "svg" in part.content_type or part.sealed or not small:
            continue
        for item in part.fields:
            if item.name.lower() == b"content-id":
                name = message.text_value(item).strip().strip("<>")
                octets = base64.b64encode(draft.content(part)).decode()
                found[name] = f"data:{part.content_type};base64,{octets}"
    return found
