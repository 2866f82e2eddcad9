"""Every copy of private mail is addressed to its own recipient and shows nobody else.

what:       To, Cc and their Resent- forms give way to one To with the recipient's own address (a slot)
takes→gives: `Draft` + `Context` → header edits, and how many addresses went out of sight
knows not:  who the other recipients are, the body (the leak check reads it)
fails by:   nothing
standard:   S-10; R-025, R-027; RFC 5322 3.6.3 and 3.6.6
"""

from __future__ import annotations

from gateway.filters.context import Context, Filter, Outcome
from gateway.message.addresses import Mailbox, addresses
from gateway.message.draft import Draft, Slot
from gateway.message.parse import Field

NAME = "private_recipients"

VISIBLE = ("To", "Cc", "Resent-To", "Resent-Cc")


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the edits. From, Sender and Reply-To stay: an answer reaches whoever wrote the mail and nobody else."""
    if not context.private:
        return ()
    fields = [(name.lower(), field) for name in VISIBLE for field in draft.message.fields(name)]
    boxes = [box for _, field in fields for box in addresses(draft.message.raw_value(field))]
    if _own_only(fields, boxes, context):
        return ()
    first = next((field for name, field in fields if name == "to"), None)
    for name, field in fields:
        if field is first:
            draft.replace_value(field, (Slot.RECIPIENT,), by=NAME, kind="to")
        else:
            draft.remove_field(field, by=NAME, kind=name)
    if first is None:
        draft.append_field(b"To", (Slot.RECIPIENT,), by=NAME, kind="to")
    if not fields:
        return ()
    return (Outcome(NAME, "recipients-hidden", detail=f"{len(boxes)} in {len(fields)} fields"),)


def _own_only(fields: list[tuple[str, Field]], boxes: list[Mailbox], context: Context) -> bool:
    """Mail to one person that shows just that person keeps its bytes, the name in To included (I-5)."""
    if not context.recipient or [name for name, _ in fields] != ["to"] or len(boxes) != 1:
        return False
    own = boxes[0].address
    return own is not None and own.exact() == context.recipient and "@" not in boxes[0].display


FILTER = Filter(NAME, "Addresses each copy of private mail to its own recipient alone.", apply)
