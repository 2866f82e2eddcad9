"""Whether an event would say anything new: what an import asks before it records.

what:       a person's facts as a state again; an event held against it
takes→gives: `Facts`, `Event` → "known already", "new", or "only the history can tell"
knows not:  files, storage, addresses
fails by:   nothing
standard:   I-10 (importing again changes nothing); S-03
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from gateway.facts import Consent, Facts, Scope, ScopeKind
from gateway.registry.applying import apply, takes
from gateway.registry.events import ATTESTED, BLOCKS, grants, may_reach, scope_of
from gateway.registry.protocol import Event, EventKind
from gateway.registry.state import EMPTY, Contact, State

_EVENT_ONLY = frozenset({EventKind.SHARED, EventKind.RECEIPT})
_CONSENTS = frozenset({EventKind.CONSENT, EventKind.REQUEST})


class News(Enum):
    """`UNCLEAR`: the facts do not show it; compare with the person's events."""

    KNOWN = "known"
    NEW = "new"
    UNCLEAR = "unclear"


def held(facts: Facts) -> State:
    """The state that gives these facts; all blocks are taken as those of the exact address."""
    return replace(
        EMPTY,
        blocks=facts.blocks,
        consents=facts.consents,
        requests=tuple(Consent(Scope(ScopeKind.TOPIC, topic), 0, 0) for topic in sorted(facts.requests)),
        enrolments=facts.enrolments,
        contracts=facts.contracts,
        purchases=facts.purchases,
        subscriptions=facts.subscriptions,
        publications=facts.publications,
        minor=facts.minor,
        guardian=facts.guardian_consent,
        language=facts.language,
        contacts=tuple(Contact(client, contact, 0) for client, contact in sorted(facts.contacts)),
        origins=facts.origins,
        announced=facts.announced,
        third_parties=facts.third_parties,
        retained=facts.retained,
    )


def news(exact: State, wide: State, event: Event, *, dated: bool) -> News:
    """What `event` adds to a person in this state. `dated`: somebody said when it was."""
    if event.kind in BLOCKS:
        return _block(exact, wide, event, dated)
    if not takes(exact, event):
        return News.KNOWN
    if event.kind in _CONSENTS:
        return _consent(exact, wide, event)
    if event.kind is EventKind.CONTACT and event.detail.get("active") is not False:
        pair = (event.detail["client"], event.detail["contact"])
        return News.KNOWN if any((c.client, c.contact) == pair for c in exact.contacts) else News.NEW
    if event.kind in _EVENT_ONLY:
        return News.UNCLEAR
    return _fact(exact, wide, event)


def same(one: Event, other: Event) -> bool:
    """Whether both say the same, whoever brought it."""
    return (
        (one.kind, one.at, one.scope, dict(one.detail)) == (other.kind, other.at, other.scope, dict(other.detail))
        and (one.evidence.channel, one.evidence.wording, one.evidence.proof)
        == (other.evidence.channel, other.evidence.wording, other.evidence.proof)
    )  # fmt: skip


def _block(exact: State, wide: State, event: Event, dated: bool) -> News:
    kind, scope = BLOCKS[event.kind], scope_of(event)
    standing = next((b for b in (*exact.blocks, *wide.blocks) if (b.kind, b.scope) == (kind, scope)), None)
    if standing is None or (exact.returns and not dated):
        return News.NEW  # said now, after a consent that waits: that consent ends by it
    return News.NEW if dated and event.at > standing.at and kind.value != "erasure" else News.KNOWN


def _consent(exact: State, wide: State, event: Event) -> News:
    """What once was given and is no more, by whatever came between, is not given again by the same old row."""
    if event.evidence.channel == ATTESTED and _stands(exact, wide, scope_of(event)):
        return News.KNOWN  # better evidence is there already
    given = exact.requests if event.kind is EventKind.REQUEST else exact.consents
    if any(c.scope == event.scope and c.at == event.at for c in given) and event.detail.get("active") is not False:
        return News.KNOWN
    return News.UNCLEAR


def _stands(exact: State, wide: State, scope: Scope) -> bool:
    blocked = any(may_reach(block.scope, scope) for block in (*exact.blocks, *wide.blocks))
    return not blocked and any(c.scope == scope for c in exact.consents)


def _fact(exact: State, wide: State, event: Event) -> News:
    if apply(exact, wide, event, 0) != (exact, wide):
        return News.NEW
    unproven = event.kind is EventKind.PUBLICATION and not grants(event.evidence)
    ended = event.detail.get("active") is False
    older = event.kind is EventKind.PURCHASE and all(p.at != event.at for p in exact.purchases)
    return News.UNCLEAR if unproven or ended or older else News.KNOWN
