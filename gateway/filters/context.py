"""What a filter is given, and what it gives back.

knows not:  other recipients, other filters, SMTP, storage, clock
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.compared import NEVER, Compared
from gateway.config.organisation import Client, Organisation, StreamRule
from gateway.config.trackers import Trackers
from gateway.decision import Action, Classification, Variant
from gateway.message.draft import Draft
from gateway.reply import Reply


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a filter may know about one variant of one message.

    `private` says that each recipient gets an own copy; `one_click` that our signature will cover the one-click fields;
    `authserv_id` is this gateway's name; `scope_token_length` the length of the opt-out URL that fills the slot.
    """

    organisation: Organisation
    client: Client
    rule: StreamRule
    classification: Classification
    variant: Variant
    trackers: Trackers
    authserv_id: str
    private: bool
    one_click: bool
    null_sender: bool = False
    recipient: bytes = b""
    """Exact canonical form of the only recipient; b"" where there are several."""
    tls: str = "verify"
    """How the provider is reached (`Provider.tls`)."""
    compared: Compared = NEVER
    """What copies of the same campaign say about the addresses in this one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something a filter wants known. DELIVER: a note that is counted; REFUSE and HOLD stop the message.

    `kind` is a short fixed word (metric label), `detail` says where and how many, never a value or an address.
    """

    filter: str
    kind: str
    action: Action = Action.DELIVER
    detail: str = ""
    reply: Reply | None = None
    times: int = 1
    """How many there were, for the count."""


Apply = Callable[[Draft, Context], tuple[Outcome, ...]]


@dataclass(frozen=True, slots=True)
class Filter:
    """One rule family: its name (metric label, docs section), help for people, and the rule itself."""

    name: str
    help: str
    apply: Apply
