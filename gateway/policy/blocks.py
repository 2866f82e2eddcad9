"""Which blocks of a person reach a mail.

what:       erasure, restriction, complaint, bounce, manual, and opt-outs by scope
takes→gives: `Case` → `Finding`
knows not:  consent, offers, language
fails by:   nothing
standard:   I-2, I-10; GDPR 17, 18, 21; S-22, S-23, S-58, S-60, S-61, S-63; D-01
"""

from __future__ import annotations

from gateway.config.organisation import SCOPE_KINDS
from gateway.decision import Action, Basis
from gateway.facts import Block, BlockKind, Purpose, Scope, ScopeKind
from gateway.policy.case import Case, Finding, passes, refuses
from gateway.reply import BLOCKED, RESTRICTED

_PARTS_OF_MARKETING = (ScopeKind.LIST, ScopeKind.TOPIC, ScopeKind.CATEGORY)
_CHOSEN = frozenset({BlockKind.OPT_OUT, BlockKind.WITHDRAWAL, BlockKind.OBJECTION})


def erasure(case: Case) -> Finding:
    """An erased person gets nothing, on no stream, whatever scope the row says (S-31)."""
    return _always(case, "erasure", BlockKind.ERASURE)


def restriction(case: Case) -> Finding:
    """New mail is refused, what is queued is held until the restriction is lifted (S-63)."""
    found = _always(case, "restriction", BlockKind.RESTRICTION)
    if found.action is None:
        return found
    if case.queued:
        return Finding(found.rule, found.fact, Action.HOLD)
    return Finding(found.rule, found.fact, Action.REFUSE, RESTRICTED)


def complaint(case: Case) -> Finding:
    """The person called a mail junk."""
    return _of_kind(case, "complaint", BlockKind.COMPLAINT)


def bounce(case: Case) -> Finding:
    """The address does not exist any more."""
    return _of_kind(case, "bounce", BlockKind.BOUNCE)


def manual(case: Case) -> Finding:
    """An operator blocked the person, with a reason."""
    return _of_kind(case, "manual", BlockKind.MANUAL)


def opt_out(case: Case) -> Finding:
    """Opt-outs, withdrawals and objections, each as far as its scope reaches this stream."""
    if not case.facts.blocks:
        return passes("opt-out", "none in force")
    if case.exempt:
        return passes("opt-out", f"stream {case.classification.stream} was asked for by the person")
    reach = reached_scopes(case)
    block = next((b for b in case.facts.blocks if b.kind in _CHOSEN and covers(b.scope, case, reach)), None)
    if block is None:
        return passes("opt-out", "none in force for this stream")
    return refuses("opt-out", _fact(block), BLOCKED)


def any_block(case: Case) -> Finding | None:
    """The first block that stops this mail, consent and other needs left aside."""
    for look in (erasure, restriction, complaint, bounce, manual, opt_out):
        found = look(case)
        if found.action is not None:
            return found
    return None


def reached_scopes(case: Case) -> frozenset[ScopeKind]:
    """Kinds of scope that stop this mail. The widest wins (S-58): what a list opt-out would stop, an objection to all
    marketing stops too, and marketing itself always (GDPR 21(3))."""
    kinds = {SCOPE_KINDS[name] for name in case.rule.blocked_by}
    if case.rule.unstoppable:
        kinds &= {ScopeKind.EVERYTHING}  # S-61: informational mail ignores narrower opt-outs
    if case.marketing or any(kind in kinds and _id_of(kind, case) for kind in _PARTS_OF_MARKETING):
        kinds.add(ScopeKind.MARKETING)
    if kinds:
        kinds.add(ScopeKind.EVERYTHING)
    return frozenset(kinds)


def covers(scope: Scope, case: Case, reach: frozenset[ScopeKind]) -> bool:
    """Whether a block of `scope` covers this mail. A numbered kind of scope without a number covers the whole kind."""
    if scope.kind is ScopeKind.PURPOSE:
        return _purpose(scope.id, case)
    if scope.kind not in reach:
        return False
    if scope.kind in (ScopeKind.EVERYTHING, ScopeKind.MARKETING) or scope.id == 0:
        return True
    number = _id_of(scope.kind, case)
    # Mail of an observed stream may not say which list or topic it is: then it can be the one that was stopped.
    return scope.id == number or (not number and bool(case.classification.lacks))


def _id_of(kind: ScopeKind, case: Case) -> int:
    mail = case.classification
    match kind:
        case ScopeKind.SOURCE:
            return mail.source
        case ScopeKind.LIST:
            return mail.list
        case ScopeKind.TOPIC:
            return mail.topic
        case _:
            return mail.category


def _purpose(purpose: int, case: Case) -> bool:
    """A purpose that was objected to stops the mail that serves it; tracking only changes the variant."""
    match purpose:
        case Purpose.OFFERS:
            return bool(case.classification.offer) or case.basis is Basis.SOFT_OPT_IN
        case Purpose.RESEARCH:
            return "research-consent" in case.rule.needs
        case Purpose.PROFILING:
            return bool(case.classification.segment)
        case _:
            return False


def _always(case: Case, rule: str, kind: BlockKind) -> Finding:
    if not case.facts.blocks:
        return passes(rule, "none in force")
    if case.exempt:
        return passes(rule, f"stream {case.classification.stream} was asked for by the person")
    block = next((b for b in case.facts.blocks if b.kind is kind), None)
    return refuses(rule, _fact(block), BLOCKED) if block else passes(rule, "none in force")


def _of_kind(case: Case, rule: str, kind: BlockKind) -> Finding:
    if not case.facts.blocks:
        return passes(rule, "none in force")
    if case.exempt:
        return passes(rule, f"stream {case.classification.stream} was asked for by the person")
    reach = reached_scopes(case) | {ScopeKind.EVERYTHING}
    block = next((b for b in case.facts.blocks if b.kind is kind and covers(b.scope, case, reach)), None)
    return refuses(rule, _fact(block), BLOCKED) if block else passes(rule, "none in force for this stream")


def _fact(block: Block) -> str:
    return f"{block.kind} {block.scope} in force"
