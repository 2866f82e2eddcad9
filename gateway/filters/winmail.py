"""Outlook's winmail.dat is a closed box: it can hold recipients and receipt requests, and nothing here looks inside.

what:       TNEF parts under any name and type, found by their signature
takes→gives: `Draft` + `Context` → HOLD on private mail to several people or where the stream says so, else a note
knows not:  what is inside
fails by:   nothing
standard:   R-029; MS-OXTNEF 2.1.3.1 (TNEFSignature 0x223E9F78, little-endian)
"""

from __future__ import annotations

from gateway.decision import Action
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.inside import head
from gateway.message.draft import Draft
from gateway.message.parse import Part

NAME = "winmail"
SIGNATURE = (0x223E9F78).to_bytes(4, "little")
_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef", "application/x-ms-tnef"})
_NAMES = ("winmail.dat", "win.dat")


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Tell, and stop what nobody could have cleaned."""
    found = [part.path for part in draft.message.walk() if not part.children and _closed(draft, part)]
    if not found:
        return ()
    several = context.private and not context.recipient
    action = Action.HOLD if several or context.rule.winmail == "hold" else Action.DELIVER
    return (Outcome(NAME, "cannot-inspect", action, f"part {', '.join(found[:5])}"),)


def _closed(draft: Draft, part: Part) -> bool:
    if part.content_type in _TYPES or part.filename.lower().endswith(_NAMES):
        return True
    return not part.content_type.startswith("text/") and head(draft, part, 4).startswith(SIGNATURE)


FILTER = Filter(NAME, "Holds winmail.dat, which nobody can look into, on private mail to several people.", apply)
