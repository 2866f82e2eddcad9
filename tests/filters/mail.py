"""Messages, contexts and what is left of a message after a filter, for the tests of this room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.config.organisation import Organisation
from gateway.config.trackers import Trackers
from gateway.decision import Classification, Stream, Variant
from gateway.filters.context import Context
from gateway.message.draft import Draft, Slot
from gateway.message.parse import parse
from gateway.message.template import compile
from tests.policy.example import SETTINGS

ORGANISATION = Organisation.model_validate(
    SETTINGS | {"contacts": ["klant@voorbeeld.example"], "domains": [{"domain": "voorbeeld.example"}]}
)
CONTEXT = Context(
    organisation=ORGANISATION,
    client=ORGANISATION.by_client["crm"],
    rule=ORGANISATION.streams[Stream.PARTICIPATION],
    classification=Classification(Stream.PARTICIPATION),
    variant=Variant("nl"),
    trackers=Trackers.empty(),
    authserv_id="Gateway.voorbeeld.example",
    private=True,
    one_click=True,
)
OWN = b"anna@example.org"


def draft(text: str | bytes) -> Draft:
    """A draft of a message given with LF or CRLF line ends."""
    raw = text.encode() if isinstance(text, str) else text
    return Draft(parse(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))


def left(edited: Draft, own: bytes = OWN) -> str:
    """The message as it would leave, with LF line ends."""
    slots = {Slot.RECIPIENT: own, Slot.OPT_OUT: b"https://afmelden.example/x"}
    return compile(edited, seven_bit=False).render(slots).replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape")


def context(**changes: Any) -> Context:
    return replace(CONTEXT, **changes)


def rule(**changes: Any) -> Context:
    return replace(CONTEXT, rule=CONTEXT.rule.model_copy(update=changes))
