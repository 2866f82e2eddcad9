"""The decision: one mail, one person, one moment.

what:       every rule in its order, the first that stops the mail decides
takes→gives: settings, classification, facts, time → `Decision` with each rule tried and the fact it read
knows not:  addresses, the body, other recipients, the clock, storage
fails by:   nothing: for every input there is a decision, and doubt refuses
standard:   DESIGN §1 step 3, I-2, I-11; R-022; S-07..S-09, S-13, S-17..S-23, S-37, S-41..S-50, S-58..S-63; L-31
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gateway.config.organisation import Organisation
from gateway.decision import Action, Basis, Classification, Decision, RuleTried, Stream, Variant
from gateway.facts import Facts, Purpose, Scope, ScopeKind
from gateway.policy import blocks, needs, withheld
from gateway.policy.case import Case, Finding, grants, passes, refuses, standing_consent
from gateway.policy.circumstances import Circumstances
from gateway.policy.observation import marks, softened
from gateway.policy.sharing import share
from gateway.reply import UNCLASSIFIED


def decide(
    organisation: Organisation,
    classification: Classification,
    facts: Facts,
    *,
    now: int,
    around: Circumstances,
    language: str = "",
    postmaster: bool = False,
    queued: bool = False,
) -> Decision:
    """Whether this person gets this mail, in which variant, by which rule and fact. Never raises.

    `now` is Unix seconds; `around` what counts beside the person; `language` a BCP 47 tag of the mail or "";
    `postmaster` whether the recipient is the organisation's own one, which gets every mail, also unmarked mail (R-022);
    `queued` whether the mail is already in the spool, where a restriction holds instead of refusing.
    """
    tongue = _language(facts.language or language or organisation.language)
    if postmaster:
        return _decision([grants("postmaster", "postmaster is always reached")], Variant(tongue))
    rule = organisation.streams.get(classification.stream)
    if classification.stream is Stream.UNCLASSIFIED or rule is None:
        why = classification.why or f"stream {classification.stream} has no rules"
        return _decision([refuses("unclassified", why, UNCLASSIFIED)], Variant(tongue))
    tried = [passes("unclassified", f"stream {classification.stream}")]
    case = Case(organisation, rule, classification, facts, now, around, queued)
    for found in _findings(case):
        finding = found if found.action is None else softened(case, found)
        tried.append(finding)
        if finding.action is not None:
            return _decision(tried, Variant(tongue))
    if any(f.observed for f in tried):
        tried.append(grants("observed", f"stream {classification.stream} is observed for this client"))
    elif not any(f.grants for f in tried):
        tried.append(grants("basis", f"basis {case.basis}" if case.basis else "no basis asked"))
    tracked = tracking(case)
    return _decision([*tried, tracked], Variant(tongue, tracking=tracked.grants))


def tracking(case: Case) -> Finding:
    """Whether individual links stay: only on consent mail of a stream that allows it (S-46, L-33).

    Its own consent is needed; an organisation that is not strict lets consent to the list do.
    """
    if case.rule.tracking != "consent" or case.basis is not Basis.CONSENT:
        return passes("tracking", "this mail is never tracked")
    scope = Scope(ScopeKind.PURPOSE, Purpose.TRACKING)
    if standing_consent(case.facts, scope):
        return grants("tracking", f"consent {scope}")
    listed = Scope(ScopeKind.LIST, case.classification.list)
    objected = any(b.scope == scope for b in case.facts.blocks)
    if not case.organisation.strict_tracking and not objected and listed.id and standing_consent(case.facts, listed):
        return grants("tracking", f"consent {listed}")
    return passes("tracking", f"consent {scope} missing")


def _findings(case: Case) -> Iterator[Finding]:
    yield needs.pair(case)
    yield blocks.erasure(case)
    yield blocks.restriction(case)
    yield blocks.complaint(case)
    yield blocks.bounce(case)
    yield blocks.manual(case)
    yield blocks.opt_out(case)
    yield marks(case)
    yield needs.offers(case)
    yield needs.minors(case)
    yield needs.sensitive(case)
    yield from needs.ground(case)
    yield needs.segment(case)
    # Last, so that only what would go out otherwise is held for a person to judge.
    yield share(case)
    yield withheld.publication(case)
    yield withheld.probe(case)


def _decision(tried: list[Finding], variant: Variant) -> Decision:
    last = tried[-1]
    at = len(tried) - 1 if last.action is not None else _ground(tried)
    decider = tried[at]
    return Decision(
        action=last.action or Action.DELIVER,
        rule=decider.rule,
        fact=decider.fact,
        variant=variant,
        tried=tuple([_tried(f.rule, number == at, f.fact, f.observed) for number, f in enumerate(tried)]),
        reply=last.reply,
    )


@lru_cache(maxsize=4096)  # most people pass most rules by the same facts
def _tried(rule: str, decided: bool, fact: str, observed: bool) -> RuleTried:
    return RuleTried(rule, decided, fact, observed)


def _ground(tried: list[Finding]) -> int:
    """Where the finding stands that the mail goes out on; that it is only observed outweighs every other ground."""
    grounds = [number for number, found in enumerate(tried) if found.grants]
    return next((number for number in grounds if tried[number].rule == "observed"), grounds[0])


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].strip().lower()
