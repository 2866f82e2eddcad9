"""The opt-out as header fields: ours instead of whatever the message brought.

what:       removes foreign list fields, writes List-Unsubscribe, List-Unsubscribe-Post, List-Id by stream
takes→gives: `Draft` + `Context` → edits and notes
knows not:  the URL (a slot), body text, signing beyond "will it cover these fields"
fails by:   nothing
standard:   RFC 2369 2-3, RFC 2919 2-3, RFC 8058 3.1 and 5; R-037, R-062..R-064, R-074, R-075, R-078; 1c-2, 1c-3
"""

from __future__ import annotations

from typing import Literal

from gateway.filters.context import Context, Outcome
from gateway.message.draft import Draft, Slot

NAME = "opt_out"
FOREIGN = (
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "List-Help",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "List-Unsubscribe-Url",
    "X-List-Unsubscribe",
    "X-List-Unsubscribe-Post",
    "X-List-Id",
    "X-List-Help",
    "X-List-Subscribe",
    "X-Unsubscribe",
    "X-Unsubscribe-Link",
    "X-Unsubscribe-Url",
    "X-Unsubscribe-Web",
    "X-Unsubscribe-Email",
)
"""List fields of the client: their URLs go past our blocks, and only one of each may stand (RFC 2369 3)."""

Header = Literal["one-click", "link", "none"]


def wanted(context: Context) -> Header:
    """The header this mail gets. One-click only where our signature will cover it (RFC 8058 4), else the link alone."""
    rule = context.rule.opt_out
    if rule.scope is None:
        return "none"
    return "link" if rule.header == "one-click" and not context.one_click else rule.header


def write(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the header edits. Note `one-click-unsigned` when the Post field had to stay away."""
    for name in FOREIGN:
        for field in draft.message.fields(name):
            draft.remove_field(field, by=NAME, kind="foreign-list-field")
    header = wanted(context)
    if header != "none":
        # One line, nothing inside < > but the address: folding there is read as white space in the URL.
        draft.append_field(b"List-Unsubscribe", (b"<", Slot.OPT_OUT, b">"), by=NAME, kind="list-unsubscribe")
    if header == "one-click":
        value = b"List-Unsubscribe=One-Click"
        draft.append_field(b"List-Unsubscribe-Post", (value,), by=NAME, kind="one-click")
    if list_id := _list_id(context):
        draft.append_field(b"List-Id", (b"<" + list_id + b">",), by=NAME, kind="list-id")
    unsigned = header == "link" and context.rule.opt_out.header == "one-click"
    return (Outcome(NAME, "one-click-unsigned", detail="link header only"),) if unsigned else ()


def _list_id(context: Context) -> bytes:
    """The identifier of the list this mail belongs to; b"" for mail that is on no list (R-075)."""
    number = context.classification.list
    found = next((item for item in context.organisation.lists if number and item.id == number), None)
    return found.list_id.encode("ascii") if found is not None and found.list_id else b""
