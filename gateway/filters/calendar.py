"""An invitation shows its recipient and the organiser, and no other guest.

what:       ATTENDEE lines of others, and X- lines that name somebody, leave text/calendar that a mail program shows;
            the first that goes from each component gives way to one with the recipient's own address (a slot)
takes→gives: `Draft` + `Context` → splices of whole content lines; HOLD where a calendar may not be edited
knows not:  who the recipients are; ORGANIZER, descriptions and attached .ics files stay, and the leak check reads them
fails by:   nothing
standard:   R-028; RFC 5545 3.1, 3.6.6 and 3.8.4.1; RFC 5546 3.2; RFC 6047. Linear
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.decision import Action
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.shown import seen_anyway
from gateway.filters.tokens import tokens
from gateway.message.draft import Draft, Replacement, Slot
from gateway.message.parse import Part

NAME = "calendar"
KIND = "text/calendar"

_LINE = re.compile(rb"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:\r\n|\n|\r|\Z)")
_FOLD = re.compile(rb"\r?\n[ \t]")
_NAME = re.compile(rb"[A-Za-z0-9-]+")
_GUEST = b"ATTENDEE"
_DESCRIPTION = b"X-ALT-DESC"  # what people read, as HTML
_OWN = b"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:\r\n mailto:"
_OWN_FOR_ALARM = b"ATTENDEE:\r\n mailto:"
_INVITING = frozenset({b"REQUEST", b"CANCEL", b"ADD", b""})
"""Methods by which an organiser speaks to guests (RFC 5546 3.2); in the others the guest is who sends."""


@dataclass(frozen=True, slots=True)
class Line:
    """One content line as it stands folded at `start:end`; `name` in capitals, `text` unfolded."""

    start: int
    end: int
    name: bytes
    text: bytes


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the removals on private mail."""
    if not context.private:
        return ()
    calendars = list(shown(draft.message.root))
    if not calendars:
        return ()
    allowed = seen_anyway(draft.message, context)
    hidden, stuck = 0, []
    for part in calendars:
        gone = [line for line in lines(draft.content(part)) if _names_others(line, draft.scan_charset(part), allowed)]
        if gone and draft.why_not(part):
            stuck.append(part.path)
        elif gone:
            _remove(draft, part, gone, context.recipient)
            hidden += len(gone)
    found = (Outcome(NAME, "guests-hidden", detail=f"{hidden} lines"),) if hidden else ()
    if stuck and not context.recipient:
        return (*found, Outcome(NAME, "cannot-edit", Action.HOLD, f"guests in part {', '.join(stuck[:5])}"))
    return found


def shown(root: Part) -> Iterator[Part]:
    """Calendars that belong to the mail itself: attachments and attached messages keep their bytes."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.content_type == KIND and not part.attachment and not part.children:
            yield part
        if not part.attachment and part.content_type.startswith("multipart/"):
            waiting.extend(reversed(part.children))


def lines(content: bytes) -> Iterator[Line]:
    """Content lines of an iCalendar object, folded ones as one (RFC 5545 3.1)."""
    position = 0
    while position < len(content):
        found = _LINE.match(content, position)
        assert found is not None, "the pattern matches anything"
        start, position = position, max(found.end(), position + 1)
        text = _FOLD.sub(b"", found[0]).rstrip(b"\r\n")
        name = _NAME.match(text)
        yield Line(start, position, name[0].upper() if name else b"", text)


def _names_others(line: Line, charset: str, allowed: frozenset[bytes]) -> bool:
    """A guest goes unless only people stand in the line who are seen anyway; an X- line only when it names another."""
    if line.name == _GUEST:
        named = _named(line, charset)
        return not named or not named <= allowed
    if line.name.startswith(b"X-") and line.name != _DESCRIPTION:
        return (b"@" in line.text or b"%40" in line.text) and not _named(line, charset) <= allowed
    return False


def _named(line: Line, charset: str) -> set[bytes]:
    return {token.address.exact() for token in tokens(line.text.decode(charset, "replace")) if token.sure}


def _remove(draft: Draft, part: Part, gone: list[Line], recipient: bytes) -> None:
    content, charset = draft.content(part), draft.scan_charset(part)
    away = {line.start for line in gone}
    inviting, newline = _method(content) in _INVITING, b"\r\n" if b"\r\n" in content else b"\n"
    for component in _components(content):
        guests = [line for line in component.lines if line.name == _GUEST]
        hidden = [line.start for line in guests if line.start in away]
        invited = any(recipient in _named(line, charset) for line in guests if line.start not in away)
        for line in component.lines:
            if line.start in away:
                first = inviting and not invited and line.start in hidden[:1]
                value = _own_guest(component.name, newline) if first else ()
                kind = "guest" if line.name == _GUEST else "x-line"
                draft.splice(part, line.start, line.end, value, by=NAME, kind=kind)


def _own_guest(component: bytes, newline: bytes) -> Replacement:
    head = _OWN_FOR_ALARM if component == b"VALARM" else _OWN
    return (head.replace(b"\r\n", newline), Slot.RECIPIENT, newline)


@dataclass(frozen=True, slots=True)
class _Component:
    name: bytes
    lines: list[Line]


def _components(content: bytes) -> list[_Component]:
    """Each BEGIN … END with the lines that are its own; what stands outside of all belongs to a nameless one."""
    found = [_Component(b"", [])]
    nested = [found[0]]
    for line in lines(content):
        if line.name == b"BEGIN":
            found.append(_Component(line.text.partition(b":")[2].strip().upper(), []))
            nested.append(found[-1])
        elif line.name == b"END" and len(nested) > 1:
            nested.pop()
        else:
            nested[-1].lines.append(line)
    return found


def _method(content: bytes) -> bytes:
    return next((x.text.partition(b":")[2].strip().upper() for x in lines(content) if x.name == b"METHOD"), b"")


FILTER = Filter(NAME, "Leaves each guest of an invitation alone with its organiser.", apply)
