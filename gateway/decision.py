"""What was decided about one recipient, and everything needed to explain it (I-11).

what:       streams, bases, actions, variants, `Classification`, `Decision`
takes→gives: made by `policy`, read by pipeline, delivery, audit, explain
knows not:  how it was decided
fails by:   `ValueError` when built wrongly
standard:   DESIGN §1 steps 2-3, §5; GDPR 6
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from gateway.reply import Reply


class Stream(StrEnum):
    """Kind of message (REQUIREMENTS: words)."""

    NEWSLETTER = "newsletter"
    NOTIFICATION = "notification"
    PARTICIPATION = "participation"
    INFORMATIONAL = "informational"
    WEBSHOP = "webshop"
    RESEARCH = "research"
    POLICY_CHANGE = "policy_change"
    RIGHTS = "rights"
    CONFIRMATION = "confirmation"
    PERSONAL = "personal"
    UNCLASSIFIED = "unclassified"


class Basis(StrEnum):
    """Legal basis of one message (GDPR 6; soft opt-in is its own kind, L-30)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    SOFT_OPT_IN = "soft_opt_in"
    LEGITIMATE_INTEREST = "legitimate_interest"
    LEGAL = "legal"


class Action(StrEnum):
    DELIVER = "deliver"
    REFUSE = "refuse"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, order=True)
class Variant:
    """Which text a person gets. `tracking` False is the strictest; `language` a BCP 47 primary tag."""

    language: str
    tracking: bool = False

    @property
    def strictest(self) -> Variant:
        return Variant(self.language, tracking=False)

    def __str__(self) -> str:
        return f"{self.language}/{'tracked' if self.tracking else 'untracked'}"


@dataclass(frozen=True, slots=True)
class Classification:
    """What a message said it is: the stream, the entry of `classify:` that matched, and its marks (DESIGN §5).

    `list`, `topic`, `category` are numeric ids from the settings (0: none); `offer` is "", "similar" or "related".
    `why` names what was missing or contradictory when the stream is UNCLASSIFIED. `publication` holds consent ids, with
    commas between them. `lacks` names marks that are missing and are only reported, because the stream is observed.
    `detected` says what made it sensitive where no mark does.
    """

    stream: Stream
    entry: str = ""
    basis: Basis | None = None
    source: int = 0
    list: int = 0
    topic: int = 0
    category: int = 0
    offer: str = ""
    reference: str = ""
    contact: str = ""
    campaign: str = ""
    about: str = ""
    shared_with: str = ""
    publication: str = ""
    segment: str = ""
    sensitive: bool = False
    ready: bool | None = None
    identified: bool = False
    why: str = ""
    lacks: str = ""
    detected: str = ""

    def to_json(self) -> dict[str, object]:
        """JSON-able, for the clear columns of the spool (no address in it)."""
        # Only what was said: `ready: no` differs from no word about it, so each value is held against its own default.
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Classification:
        """Inverse of `to_json`; keys of newer versions are an error, so that nothing is decided on half the marks."""
        values: dict[str, object] = dict(stored)
        values["stream"] = Stream(str(values["stream"]))
        if "basis" in values:
            values["basis"] = Basis(str(values["basis"]))
        return cls(**values)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class RuleTried:
    """One rule looked at: its name, whether it decided, and the fact it read (no address, no content).

    `observed`: it would have refused, and only reported so (`observe:` of a client).
    """

    rule: str
    decided: bool
    fact: str
    observed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """`rule` decided, by `fact`. A refusal carries its reply; a hold its reason in `fact`."""

    action: Action
    rule: str
    fact: str
    variant: Variant
    tried: tuple[RuleTried, ...] = ()
    reply: Reply | None = None

    def __post_init__(self) -> None:
        if (self.action is Action.REFUSE) != (self.reply is not None):
            raise ValueError("a refusal, and only a refusal, carries a reply")
