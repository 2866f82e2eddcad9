"""No line over 998 octets leaves.

what:       encodes parts with longer lines again, folds header fields, refuses what can be neither
takes→gives: `Draft` + `Context` → edits; REFUSE where a signature or damage forbids them
knows not:  what the lines say
fails by:   nothing; REFUSE is an `Outcome`
standard:   RFC 5322 2.1.1, RFC 5321 4.5.3.1.6; R-007, I-6
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.decision import Action
from gateway.filters.context import Context, Filter, Outcome
from gateway.message.draft import Draft
from gateway.message.encodings import first_long_line
from gateway.message.lines import LongLine, long_lines
from gateway.message.parse import Field, Part
from gateway.reply import MALFORMED

NAME = "long_lines"

_FOLD = 900  # room for the name and for what the draft itself allows
# Fields of items between commas or angle brackets, which programs write without a blank in between.
_LISTS = frozenset({b"to", b"cc", b"reply-to", b"resent-to", b"resent-cc", b"references", b"in-reply-to"})


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the edits. Fields and parts that another filter removes or writes anew are no concern any more."""
    found = long_lines(draft.message)
    if not found:
        return ()
    parts = {part.path: part for part in draft.message.walk()}
    return tuple(outcome for line in found for outcome in _mend(draft, parts[line.part], line))


def _mend(draft: Draft, part: Part, line: LongLine) -> Iterator[Outcome]:
    if line.where == "body":
        try:
            draft.rewrap(part, by=NAME, kind="rewrapped")
        except ValueError as error:
            yield _refusal(line, str(error).partition(": ")[2])
    elif line.where == "header" and (part is draft.message.root or _open(draft, part)):
        for field in part.fields:
            if not _written_anew(draft, field) and not _fold(draft, field):
                yield _refusal(line, "a word too long to fold")
    else:
        yield _refusal(line, "no place to fold")


def _open(draft: Draft, part: Part) -> bool:
    """Whether the header of this part may be written anew: not under a signature, not in an attached message."""
    if part.sealed or part.broken:
        return False
    return not any(
        other.content_type.startswith("message/") and part.path.startswith(f"{other.path}.")
        for other in draft.message.walk()
    )


def _written_anew(draft: Draft, field: Field) -> bool:
    """Whether the long line goes anyway: a To with a hundred names, replaced on private mail."""
    return any(e.start <= field.value and e.end >= field.end - 2 > e.start for e in draft.header_edits())


def _fold(draft: Draft, field: Field) -> bool:
    """Fold at white space, which changes no meaning (RFC 5322 2.2.3). False when that is not enough."""
    raw = draft.message.raw
    if first_long_line(raw, field.start, field.end) < 0:
        return True
    lines: list[bytes] = []
    for written in draft.message.raw_value(field).strip().split(b"\r\n"):
        folded = _folded(written, lists=field.name.lower() in _LISTS)
        if folded is None:
            return False
        lines += folded
    draft.replace_value(field, (b"\r\n".join(lines),), by=NAME, kind="folded")
    return True


def _folded(line: bytes, *, lists: bool) -> list[bytes] | None:
    """The line in pieces that each but the first start with white space and hold a word, or None. `lists`: where
    white space may stand between any two items."""
    pieces: list[bytes] = []
    while len(line) > _FOLD:
        at = max(line.rfind(b" ", 1, _FOLD), line.rfind(b"\t", 1, _FOLD))
        if at < 0 or not line[:at].strip() or not line[at:].strip():
            at = max(line.rfind(mark, 1, _FOLD) for mark in (b",", b"><")) + 1 if lists else 0
            if at <= 1 or not line[at:].strip() or b'"' in line:  # no comma in a quoted name is taken for one between
                return None
            line = line[:at] + b" " + line[at:]
        pieces.append(line[:at])
        line = line[at:]
    return [*pieces, line]


def _refusal(line: LongLine, why: str) -> Outcome:
    where = f"line over 998 octets in part {line.part}, {line.where}: {why}"
    return Outcome(NAME, "line-too-long", Action.REFUSE, where, MALFORMED.because(where))


FILTER = Filter(NAME, "Encodes parts with lines over 998 octets again, or refuses the mail.", apply)
