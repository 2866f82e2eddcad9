"""What must be true of person or mail before a stream may go out.

what:       one rule per need of a stream, and the rules for offers, minors, sensitive and segmented mail
takes→gives: `Case` → `Finding`; a missing fact means not allowed, and is named
knows not:  blocks (they were looked at before), language, tracking
fails by:   nothing
standard:   S-06, S-07, S-15, S-18, S-19, S-20, S-42..S-45, S-48..S-50, S-61
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.decision import Basis
from gateway.facts import Purpose, Scope, ScopeKind
from gateway.policy.case import Case, Finding, grants, holds_back, passes, refuses, standing_consent
from gateway.policy.soft_opt_in import soft_opt_in
from gateway.reply import REFUSED

CONSENTS = frozenset({"list-consent", "topic-request"})
Rule = Callable[[Case], Finding]


def offers(case: Case) -> Finding:
    """An invoice or order status with marketing in it is not what it says it is (S-15, S-61)."""
    mail = case.classification
    marked = "offer" if mail.offer else "list" if mail.list else "segment" if mail.segment else ""
    if marked and case.rule.refuses_offers:
        return refuses("offer", f"{marked} mark on stream {mail.stream}", REFUSED)
    return passes("offer", f"{marked} mark is allowed on stream {mail.stream}" if marked else "no marketing mark")


def minors(case: Case) -> Finding:
    """No marketing to a minor without the guardian (S-07)."""
    if not case.facts.minor:
        return passes("minor", "not known as a minor")
    if case.marketing and not case.facts.guardian_consent:
        return refuses("minor", "consent of the guardian missing", REFUSED)
    return passes("minor", "guardian agreed" if case.facts.guardian_consent else "no marketing")


def sensitive(case: Case) -> Finding:
    """Sensitive data is asked for with a reference to explicit consent, and never from a minor (S-06, S-07)."""
    if not case.classification.sensitive:
        return passes("sensitive", "not marked sensitive")
    if case.facts.minor:
        return holds_back("sensitive", "sensitive mail to a minor")
    if not case.classification.reference:
        return holds_back("sensitive", "reference of the explicit consent missing")
    return passes("sensitive", "reference given")


def segment(case: Case) -> Finding:
    """Mail tuned to interests needs consent to profiling (S-42)."""
    if not case.classification.segment:
        return passes("segment", "not segmented")
    scope = Scope(ScopeKind.PURPOSE, Purpose.PROFILING)
    if standing_consent(case.facts, scope):
        return passes("segment", f"consent {scope}")
    return refuses("segment", f"consent {scope} missing", REFUSED)


def ground(case: Case) -> tuple[Finding, ...]:
    """All needs of this stream, in the order of the settings, then what the mail's own basis and offer ask."""
    found = [NEEDS[name](case) for name in case.rule.needs if _asked(name, case)]
    if _offer_needs_sale(case) and not any(f.rule == "soft-opt-in" for f in found):
        found.append(_soft_opt_in(case))
    return tuple(found)


def _asked(need: str, case: Case) -> bool:
    """Consent and soft opt-in are grounds beside each other (L-30): a mail stands on the one that it names."""
    if case.basis is Basis.SOFT_OPT_IN:
        return need not in CONSENTS
    if need == "soft-opt-in" and case.basis is Basis.CONSENT:
        return CONSENTS.isdisjoint(case.rule.needs)
    return True


def _offer_needs_sale(case: Case) -> bool:
    # S-20: a related offer meets the soft opt-in rule too, also where the rest of the mail rests on a contract.
    offer = case.classification.offer
    return case.basis is Basis.SOFT_OPT_IN or offer == "related" or bool(offer and case.basis is not Basis.CONSENT)


def _list_consent(case: Case) -> Finding:
    if not case.classification.list:
        return refuses("list-consent", "mark Briefgeheim-List missing", REFUSED)
    return _consent("list-consent", case, Scope(ScopeKind.LIST, case.classification.list))


def _topic_request(case: Case) -> Finding:
    topic = case.classification.topic
    if not topic:
        return refuses("topic-request", "mark Briefgeheim-Topic missing", REFUSED)
    scope = Scope(ScopeKind.TOPIC, topic)
    asked = topic in case.facts.requests and not any(b.scope == scope for b in case.facts.blocks)
    return grants("topic-request", f"request {scope}") if asked else _consent("topic-request", case, scope)


def _enrolment(case: Case) -> Finding:
    reference = case.classification.reference
    if not reference:
        return refuses("enrolment", "mark Briefgeheim-Reference missing", REFUSED)
    if reference not in case.facts.enrolments:
        return refuses("enrolment", "enrolment for the mail's reference missing", REFUSED)
    return grants("enrolment", "enrolment for the mail's reference")


def _reference(case: Case) -> Finding:
    if not case.classification.reference:
        return refuses("reference", "mark Briefgeheim-Reference missing", REFUSED)
    return grants("reference", "order, subscription or training id given")


def _research_consent(case: Case) -> Finding:
    found = _consent("research-consent", case, Scope(ScopeKind.PURPOSE, Purpose.RESEARCH))
    if found.action is None and case.classification.identified:
        return _consent("research-consent", case, Scope(ScopeKind.PURPOSE, Purpose.IDENTIFIED))
    return found


def _ready(case: Case) -> Finding:
    if case.classification.ready is None:
        return refuses("ready", "mark Briefgeheim-Ready missing", REFUSED)
    if not case.classification.ready:
        return refuses("ready", "the information is not yet current and concrete", REFUSED)
    return passes("ready", "current and concrete")


def _soft_opt_in(case: Case) -> Finding:
    """The sale; mail that rests on consent needs consent to offers instead (S-44)."""
    mail = case.classification
    if case.basis is Basis.CONSENT and mail.offer != "related":
        return _consent("soft-opt-in", case, Scope(ScopeKind.PURPOSE, Purpose.OFFERS))
    zone = case.organisation.time_zone
    allowed, fact = soft_opt_in(case.facts, mail.category, case.now, zone)
    return grants("soft-opt-in", fact) if allowed else refuses("soft-opt-in", fact, REFUSED)


def _consent(rule: str, case: Case, scope: Scope) -> Finding:
    if standing_consent(case.facts, scope):
        return grants(rule, f"consent {scope}")
    return refuses(rule, f"consent {scope} missing", REFUSED)


NEEDS: Mapping[str, Rule] = {
    "list-consent": _list_consent,
    "topic-request": _topic_request,
    "enrolment": _enrolment,
    "reference": _reference,
    "research-consent": _research_consent,
    "ready": _ready,
    "soft-opt-in": _soft_opt_in,
}
