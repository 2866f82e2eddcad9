"""What must be true of person or mail before a stream may go out.

what:       one rule per need of a stream, and the rules for offers, minors, sensitive and segmented mail
takes→gives: `Case` → `Finding`; a missing fact means not allowed, and is named
knows not:  blocks (they were looked at before), language, tracking
fails by:   nothing
standard:   S-06, S-07, S-15, S-18, S-19, S-20, S-37, S-41..S-45, S-48..S-50, S-61; L-08, L-10
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.config.check_streams import BASES
from gateway.decision import Basis
from gateway.facts import Purpose, Scope, ScopeKind
from gateway.policy.case import Case, Finding, grants, holds_back, passes, refuses, standing_consent, taken_back
from gateway.policy.soft_opt_in import Terms, soft_opt_in
from gateway.reply import REFUSED

CONSENTS = frozenset({"list-consent", "topic-request"})
Rule = Callable[[Case], Finding]


def pair(case: Case) -> Finding:
    """Stream and basis are a fixed table, and the organisation's own rules narrow it (S-41, L-08)."""
    mail, basis = case.classification, case.basis
    if basis is None:
        return passes("pair", "no basis asked")
    permitted = basis in BASES.get(mail.stream, ())
    if not permitted or (basis not in case.rule.basis and mail.entry in case.organisation.entry_names):
        return refuses("pair", f"stream {mail.stream} cannot rest on {basis}", REFUSED)
    return passes("pair", f"stream {mail.stream} may rest on {basis}")


def offers(case: Case) -> Finding:
    """An invoice or order status with marketing in it is not what it says it is (S-15, S-61)."""
    mail = case.classification
    marked = "offer" if mail.offer else "list" if mail.list else "segment" if mail.segment else ""
    if marked and case.rule.refuses_offers:
        return refuses("offer", f"{marked} mark on stream {mail.stream}", REFUSED)
    return passes("offer", f"{marked} mark is allowed on stream {mail.stream}" if marked else "no marketing mark")


def minors(case: Case) -> Finding:
    """No marketing to a minor without the guardian, and no consent of a minor's own (S-07, L-10)."""
    if not case.facts.minor:
        return passes("minor", "not known as a minor")
    agreeing = case.basis is Basis.CONSENT and not case.exempt
    if (case.marketing or agreeing) and not case.facts.guardian_consent:
        return refuses("minor", "consent of the guardian missing", REFUSED)
    return passes("minor", "guardian agreed" if case.facts.guardian_consent else "no marketing")


def sensitive(case: Case) -> Finding:
    """Sensitive data is asked for with a reference to explicit consent, and never from a minor (S-06, S-07)."""
    if not case.classification.sensitive:
        return passes("sensitive", "not marked sensitive")
    if case.around.released:
        return passes("sensitive", "released by an operator")
    if case.facts.minor:
        return holds_back("sensitive", "sensitive mail to a minor")
    if not case.classification.reference:
        return holds_back("sensitive", "reference of the explicit consent missing")
    return passes("sensitive", "reference given")


def segment(case: Case) -> Finding:
    """Mail tuned to interests needs consent to profiling; the plain text goes without this mark (S-42)."""
    if not case.classification.segment:
        return passes("segment", "not segmented")
    scope = Scope(ScopeKind.PURPOSE, Purpose.PROFILING)
    if standing_consent(case.facts, scope):
        return passes("segment", f"consent {scope}")
    return _lacks_consent("segment", case, scope)


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
        return _lacks("list-consent", "mark Briefgeheim-List missing")
    return _consent("list-consent", case, Scope(ScopeKind.LIST, case.classification.list))


def _topic_request(case: Case) -> Finding:
    topic = case.classification.topic
    if not topic:
        return _lacks("topic-request", "mark Briefgeheim-Topic missing")
    scope = Scope(ScopeKind.TOPIC, topic)
    asked = topic in case.facts.requests and not taken_back(case.facts, scope)
    return grants("topic-request", f"request {scope}") if asked else _consent("topic-request", case, scope)


def _enrolment(case: Case) -> Finding:
    reference = case.classification.reference
    if not reference:
        return _lacks("enrolment", "mark Briefgeheim-Reference missing")
    if reference not in case.facts.enrolments:
        return _lacks("enrolment", "enrolment for the mail's reference missing")
    return grants("enrolment", "enrolment for the mail's reference")


def _reference(case: Case) -> Finding:
    if not case.classification.reference:
        return _lacks("reference", "mark Briefgeheim-Reference missing")
    return grants("reference", "order, subscription or training id given")


def _research_consent(case: Case) -> Finding:
    found = _consent("research-consent", case, Scope(ScopeKind.PURPOSE, Purpose.RESEARCH))
    if found.action is None and case.classification.identified:
        return _consent("research-consent", case, Scope(ScopeKind.PURPOSE, Purpose.IDENTIFIED))
    return found


def _ready(case: Case) -> Finding:
    if case.classification.ready is None:
        return _lacks("ready", "mark Briefgeheim-Ready missing")
    if not case.classification.ready:
        return refuses("ready", "the information is not yet current and concrete", REFUSED)
    return passes("ready", "current and concrete")


def _soft_opt_in(case: Case) -> Finding:
    """The sale; mail that rests on consent needs consent to offers instead (S-44)."""
    mail = case.classification
    if case.basis is Basis.CONSENT and mail.offer != "related":
        return _consent("soft-opt-in", case, Scope(ScopeKind.PURPOSE, Purpose.OFFERS))
    rules = case.organisation
    terms = Terms(None if rules.soft_opt_in_years == "none" else rules.soft_opt_in_years, rules.free_account_is_sale)
    found = soft_opt_in(case.facts, mail.category, case.now, rules.time_zone, terms)
    if found.allowed:
        return grants("soft-opt-in", found.fact)
    return refuses("soft-opt-in", found.fact, REFUSED, missing=found.missing)


def _once(case: Case) -> Finding:
    """Each person is told of one version once; mail that is already on its way is the one that tells (S-37)."""
    reference = case.classification.reference
    if not reference:
        return _lacks("once", "mark Briefgeheim-Reference missing")
    if reference in case.facts.announced and not case.queued:
        return refuses("once", f"already told of version {reference}", REFUSED)
    return passes("once", f"version {reference} " + ("is on its way" if case.queued else "not told of before"))


def _consent(rule: str, case: Case, scope: Scope) -> Finding:
    return (
        grants(rule, f"consent {scope}") if standing_consent(case.facts, scope) else _lacks_consent(rule, case, scope)
    )


def _lacks_consent(rule: str, case: Case, scope: Scope) -> Finding:
    """Consent that was taken back is not missing: the person said no."""
    return refuses(rule, f"consent {scope} missing", REFUSED, missing=not taken_back(case.facts, scope))


def _lacks(rule: str, fact: str) -> Finding:
    return refuses(rule, fact, REFUSED, missing=True)


NEEDS: Mapping[str, Rule] = {
    "list-consent": _list_consent,
    "topic-request": _topic_request,
    "enrolment": _enrolment,
    "reference": _reference,
    "research-consent": _research_consent,
    "ready": _ready,
    "soft-opt-in": _soft_opt_in,
    "once": _once,
}
