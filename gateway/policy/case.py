"""What one rule is given about one recipient, and what it finds.

what:       `Case` (input of every rule), `Finding` (its answer), what counts as marketing and as consent
takes→gives: settings, classification, facts, time → small questions answered
knows not:  other recipients, the body, the clock (time is passed in)
fails by:   nothing
standard:   DESIGN §1 step 3; GDPR 4(11), 7(3), 21(2)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gateway.config.organisation import Organisation, StreamRule
from gateway.decision import Action, Basis, Classification, Stream
from gateway.facts import Consent, Facts, Scope
from gateway.policy.circumstances import Circumstances
from gateway.reply import Reply

# Asked for by that person, once per case (I-2): no block stops these two.
EXEMPT = frozenset({Stream.RIGHTS, Stream.CONFIRMATION})
_REPEATED = 2048  # findings that say the same of one mail after the other, and are made once


@dataclass(frozen=True, slots=True)
class Case:
    """One mail to one person. `now` is Unix seconds; `queued` whether the mail is already ours (second decision)."""

    organisation: Organisation
    rule: StreamRule
    classification: Classification
    facts: Facts
    now: int
    around: Circumstances
    queued: bool = False

    @property
    def exempt(self) -> bool:
        return self.classification.stream in EXEMPT

    @property
    def basis(self) -> Basis | None:
        """The basis the mail stands on: its own, else the stream's first."""
        return self.classification.basis or next(iter(self.rule.basis), None)

    @property
    def marketing(self) -> bool:
        """Mail that carries an offer, or that rests on consent or soft opt-in and has a link that stops it.

        Course information to a participant (contract) is none, even where its link stops more than marketing (D-01).
        """
        if self.classification.offer or self.basis is Basis.SOFT_OPT_IN:
            return True
        return self.basis is Basis.CONSENT and self.rule.opt_out.scope is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found. `action` None lets the mail go on; `grants` marks the ground it may go out on.

    `missing`: refused for want of a fact or mark, not against anybody's will. `observed`: therefore only reported.
    """

    rule: str
    fact: str
    action: Action | None = None
    reply: Reply | None = None
    grants: bool = False
    missing: bool = False
    observed: bool = False


@lru_cache(maxsize=_REPEATED)
def passes(rule: str, fact: str) -> Finding:
    """Nothing against the mail."""
    return Finding(rule, fact)


@lru_cache(maxsize=_REPEATED)
def grants(rule: str, fact: str) -> Finding:
    """The ground this stream asks for is there."""
    return Finding(rule, fact, grants=True)


def refuses(rule: str, fact: str, reply: Reply, *, missing: bool = False) -> Finding:
    """Stops the mail, with a reply that says why without saying who."""
    return Finding(rule, fact, Action.REFUSE, reply.because(fact), missing=missing)


def holds_back(rule: str, fact: str) -> Finding:
    """A person has to look."""
    return Finding(rule, fact, Action.HOLD)


def standing_consent(facts: Facts, scope: Scope) -> Consent | None:
    """Consent to exactly this scope that no block of the same scope took back.

    Blocks in `Facts` are in force: only later consent with evidence, or an operator, clears one (I-10). So a block
    that is still here is newer than the consent, whatever stream it was given on.
    """
    if taken_back(facts, scope):
        return None
    return facts.consents_to(scope)


def taken_back(facts: Facts, scope: Scope) -> bool:
    """Whether the person said no to exactly this scope."""
    return any(block.scope == scope for block in facts.blocks)
