"""Every copy of private mail shows its own recipient or nobody, and never anybody else.

what:       To, Cc and their Resent- forms of every block give way to one To: a slot for the recipient's own address
            (`mode: copies`), or an empty group with the organisation's name, the same for all (`mode: bcc`)
takes→gives: `Draft` + `Context` → header edits, and how many addresses went out of sight
knows not:  who the other recipients are, the body (the leak check reads it)
fails by:   nothing
standard:   S-10; R-025, R-027; RFC 5322 3.4, 3.6.3 and 3.6.6; RFC 2047 5 (3)
"""

from __future__ import annotations

import re
from email.charset import QP, Charset

from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.tokens import tokens
from gateway.message.addresses import Mailbox, addresses
from gateway.message.draft import Draft, Replacement, Slot
from gateway.message.headers import header_text
from gateway.message.parse import Field

NAME = "private_recipients"

VISIBLE = ("To", "Cc", "Resent-To", "Resent-Cc")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LONGEST = 70
"""Characters of the organisation's name that stand in the group."""


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the edits. From, Sender and Reply-To stay: an answer reaches whoever wrote the mail and nobody else."""
    if not context.private:
        return ()
    fields = [(name.lower(), field) for name in VISIBLE for field in draft.message.fields(name)]
    boxes = [box for _, field in fields for box in addresses(draft.message.raw_value(field))]
    if _own_only(draft, fields, boxes, context):
        return ()
    value = shown_to(context)
    first = next((field for name, field in fields if name == "to"), None)
    for name, field in fields:
        if field is first:
            draft.replace_value(field, value, by=NAME, kind="to")
        else:
            draft.remove_field(field, by=NAME, kind=name)
    if first is None:
        draft.append_field(b"To", value, by=NAME, kind="to")
    if not fields:
        return ()
    return (Outcome(NAME, "recipients-hidden", detail=f"{len(boxes)} in {len(fields)} fields"),)


def shown_to(context: Context) -> Replacement:
    """What stands in To. Sensitive mail is never bcc: it is to one person, and says so (S-06)."""
    if context.rule.mode == "bcc" and not context.classification.sensitive:
        return (empty_group(context.organisation.controller.name),)
    return (Slot.RECIPIENT,)


def empty_group(name: str) -> bytes:
    """`name:;` as RFC 5322 3.4 has it: atoms as they are, other ASCII quoted, everything else as encoded words."""
    plain = " ".join(name.split())[:_LONGEST]
    plain = "".join(c for c in plain if c.isprintable() and c != "@") or "recipients"
    if _ATOMS.fullmatch(plain) and "=?" not in plain:
        return plain.encode() + b":;"
    if plain.isascii() and "=?" not in plain:
        return b'"' + re.sub(r'(["\\])', r"\\\1", plain).encode() + b'":;'
    return b"\r\n ".join(_encoded_words(plain)) + b" :;"


def _encoded_words(text: str) -> list[bytes]:
    """RFC 2047 words of at most 75 characters, none ending inside a character."""
    charset = Charset("utf-8")
    charset.header_encoding = QP
    lines = charset.header_encode_lines(text, iter(lambda: 60, None))
    return [line.encode("ascii") for line in lines if line]


def _own_only(draft: Draft, fields: list[tuple[str, Field]], boxes: list[Mailbox], context: Context) -> bool:
    """Mail to one person that shows just that person keeps its bytes, name and comments in To included (I-5)."""
    if not context.recipient or [name for name, _ in fields] != ["to"] or len(boxes) != 1:
        return False
    own = boxes[0].address
    if own is None or own.exact() != context.recipient:
        return False
    written = header_text(draft.message.raw_value(fields[0][1]))
    return all(token.address.exact() == context.recipient for token in tokens(written) if token.sure)


FILTER = Filter(NAME, "Addresses each copy of private mail to its own recipient alone, or to an empty group.", apply)
