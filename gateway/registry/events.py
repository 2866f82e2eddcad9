"""The rules of events, as tables: what blocks, what evidence weighs, what lifts what, which details a kind carries.

what:       tables and the checks that read them; `docs/registry.md` shows the same tables
takes→gives: `Event`, `Evidence`, `Scope` → yes or no
knows not:  SQL, files, the state of a person
fails by:   `InvalidEvent`, naming the field and never its value
standard:   I-7, I-10; S-03, S-19, S-22, S-45; L-09, L-27; GDPR 7, 17, 18, 21
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter

from gateway.facts import BlockKind, Purpose, Scope, ScopeKind
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.record import Actor


class InvalidEvent(ValueError):
    """The event cannot be recorded."""


# Event kinds that put a block in force, and the block they put.
BLOCKS: Mapping[EventKind, BlockKind] = {
    EventKind.OPT_OUT: BlockKind.OPT_OUT,
    EventKind.WITHDRAWAL: BlockKind.WITHDRAWAL,
    EventKind.OBJECTION: BlockKind.OBJECTION,
    EventKind.RESTRICTION: BlockKind.RESTRICTION,
    EventKind.ERASURE: BlockKind.ERASURE,
    EventKind.COMPLAINT: BlockKind.COMPLAINT,
    EventKind.BOUNCE: BlockKind.BOUNCE,
    EventKind.MANUAL: BlockKind.MANUAL,
}
KIND_OF: Mapping[BlockKind, EventKind] = {block: event for event, block in BLOCKS.items()}

# These concern one person with certainty, so they are never widened to look-alike addresses (DESIGN §4).
EXACT_ONLY = frozenset({BlockKind.RESTRICTION, BlockKind.ERASURE})

# By these the person said no, so consents end with them. The others only stop mail for as long as they stand.
REFUSALS = frozenset({BlockKind.OPT_OUT, BlockKind.WITHDRAWAL, BlockKind.OBJECTION, BlockKind.COMPLAINT})

# A block on the left falls by an event on the right, when its evidence lifts (below) and its scope contains that.
_CONSENTING = frozenset({EventKind.CONSENT, EventKind.REQUEST, EventKind.LIFTED})
_BY_NAME = frozenset({EventKind.LIFTED})
LIFTED_BY: Mapping[BlockKind, frozenset[EventKind]] = {
    BlockKind.OPT_OUT: _CONSENTING,
    BlockKind.WITHDRAWAL: _CONSENTING,
    BlockKind.OBJECTION: _CONSENTING,
    BlockKind.COMPLAINT: _BY_NAME,
    BlockKind.BOUNCE: _BY_NAME,
    BlockKind.MANUAL: _BY_NAME,
    BlockKind.RESTRICTION: frozenset({EventKind.RESTRICTION_LIFTED}),
    BlockKind.ERASURE: _BY_NAME,
}

ACTORS: Mapping[str, Actor] = {
    "person": Actor.PERSON,
    "operator": Actor.OPERATOR,
    "import": Actor.IMPORT,
    "web": Actor.WEB,
    "system": Actor.SYSTEM,
}
_NAMED = frozenset({Actor.OPERATOR, Actor.IMPORT})  # actors that must say which one

# What must be filled in before a consent counts (S-03). An actor that is not here never gives consent: a link alone
# is no consent, and a machine has no will.
_GRANTS: Mapping[Actor, Callable[[Evidence], tuple[str, ...]]] = {
    Actor.PERSON: attrgetter("channel", "wording", "proof"),
    Actor.IMPORT: attrgetter("channel", "wording", "proof"),
    Actor.OPERATOR: attrgetter("channel", "proof"),  # a named person answers for it; `proof` is the reason
}
PHONE = "phone"  # channel: somebody of the organisation took the call
ATTESTED = "attested"  # channel: a named operator vouches for a whole list; it gives consent and never lifts a block
CONFIRMED = "confirmed"  # channel: the person answered from the mailbox itself; `proof` refers to that answer

# Marketing contains these; anything else is contained only by itself and by everything.
_MARKETING_KINDS = frozenset({ScopeKind.LIST, ScopeKind.TOPIC, ScopeKind.CATEGORY})
_MARKETING_PURPOSES = frozenset({Purpose.TRACKING, Purpose.PROFILING, Purpose.OFFERS})

# What `detail` of each kind must hold, and may.
_TEXT, _NUMBER, _FLAG = (str,), (int,), (bool,)
_MESSAGE = (int, str)  # the 32-bit reference of a mail, or its Message-ID without an address
_Form = Mapping[str, tuple[type, ...]]


@dataclass(frozen=True, slots=True)
class _Detail:
    needs: _Form
    may: _Form


_NOTHING = _Detail({}, {})
_DETAILS: Mapping[EventKind, _Detail] = {
    EventKind.CONSENT: _Detail({}, {"active": _FLAG, "by": _TEXT}),
    EventKind.ENROLMENT: _Detail({"reference": _TEXT}, {"active": _FLAG, "third_party": _TEXT}),
    EventKind.CONTRACT: _Detail({"reference": _TEXT}, {"active": _FLAG, "third_party": _TEXT}),
    EventKind.PURCHASE: _Detail({"category": _NUMBER}, {"declined": _FLAG}),
    EventKind.SUBSCRIPTION: _Detail({"category": _NUMBER}, {"end": (int, type(None)), "free": _FLAG}),
    EventKind.REQUEST: _Detail({}, {"active": _FLAG, "by": _TEXT}),
    EventKind.PUBLICATION: _Detail({"id": _TEXT}, {"active": _FLAG}),
    EventKind.MINOR: _Detail({"minor": _FLAG}, {"guardian": _FLAG}),
    EventKind.LANGUAGE: _Detail({"language": _TEXT}, {}),
    EventKind.CONTACT: _Detail({"client": _TEXT, "contact": _TEXT}, {"active": _FLAG}),
    EventKind.ORIGIN: _Detail({"origin": _TEXT}, {}),
    EventKind.ANNOUNCED: _Detail({"reference": _TEXT}, {}),
    EventKind.SHARED: _Detail({"third_party": _TEXT, "message": _MESSAGE, "purpose": _TEXT}, {"ground": _TEXT}),
    EventKind.RECEIPT: _Detail({"message": _MESSAGE, "kind": _TEXT}, {}),
    EventKind.RETAINED: _Detail({"id": _TEXT, "reason": _TEXT, "until": _NUMBER}, {}),
}
# Retention may delete events of these kinds. Consents of every sort, blocks and what protects a minor are not here.
PURGEABLE = frozenset(_DETAILS) - {EventKind.CONSENT, EventKind.REQUEST, EventKind.PUBLICATION, EventKind.MINOR}
_EVERYTHING_ONLY = frozenset({EventKind.RESTRICTION, EventKind.RESTRICTION_LIFTED, EventKind.ERASURE})
_SCOPED = (frozenset(BLOCKS) | {EventKind.CONSENT, EventKind.REQUEST, EventKind.LIFTED}) - _EVERYTHING_ONLY
_ADDRESS_LIKE = re.compile(r"\S@\S")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TEXT_LIMIT = 500


def kind_named(text: str) -> EventKind:
    """The kind a person means; `fact-` may be left out. Raises `InvalidEvent`."""
    bare = text.strip().lower().removeprefix("fact-")
    for kind in EventKind:
        if kind.value.removeprefix("fact-") == bare:
            return kind
    raise InvalidEvent(f"kind: expected one of {', '.join(k.value.removeprefix('fact-') for k in EventKind)}")


def details_of(kind: EventKind) -> frozenset[str]:
    """Names of the details that events of this kind carry."""
    form = _DETAILS.get(kind, _NOTHING)
    return frozenset(form.needs) | frozenset(form.may)


def actor_of(evidence: Evidence) -> Actor:
    """The kind of actor. Raises `InvalidEvent` on an unknown or nameless one."""
    return _actor(evidence.actor)


@lru_cache(maxsize=256)  # an import names the same one a million times
def _actor(text: str) -> Actor:
    word, _, name = text.partition(":")
    actor = ACTORS.get(word)
    if actor is None:
        raise InvalidEvent("actor: expected person, operator:NAME, import:ID, web or system")
    if actor in _NAMED and not name.strip():
        raise InvalidEvent(f"actor: {word} needs a name, as {word}:NAME")
    return actor


def grants(evidence: Evidence) -> bool:
    """Whether a consent with this evidence counts; without, it is kept as an event and is "unknown" (S-03)."""
    needed = _GRANTS.get(actor_of(evidence))
    return needed is not None and all(map(str.strip, needed(evidence)))


def lifts(evidence: Evidence) -> bool:
    """Whether this evidence can lift a block (I-10): mailbox proof, or a named operator with a reason.

    Who vouches for a list says nothing about one person on it, so that lifts nothing.
    """
    actor = actor_of(evidence)
    if actor is Actor.PERSON:
        return evidence.channel == CONFIRMED and bool(evidence.proof.strip())
    return actor is Actor.OPERATOR and evidence.channel != ATTESTED and bool(evidence.proof.strip())


def contains(outer: Scope, inner: Scope) -> bool:
    """Whether `inner` is the same as `outer` or certainly a part of it."""
    if outer.kind is ScopeKind.EVERYTHING or outer == inner:
        return True
    if outer.kind is not ScopeKind.MARKETING:
        return False
    return inner.kind in _MARKETING_KINDS or (inner.kind is ScopeKind.PURPOSE and inner.id in _MARKETING_PURPOSES)


def may_reach(block: Scope, other: Scope) -> bool:
    """Whether a block on `block` may stop mail about `other`.

    Which lists a source database feeds is not known here, so a source counts as reaching all of them.
    """
    return contains(block, other) or (block.kind is ScopeKind.SOURCE and other.kind is not ScopeKind.EVERYTHING)


def check(event: Event) -> None:
    """Raise `InvalidEvent` unless the event can be recorded as it is."""
    actor_of(event.evidence)
    if event.kind is EventKind.RECTIFIED:
        raise InvalidEvent("kind: a rectification moves a whole person and is not recorded by itself")
    _check_scope(event)
    _check_detail(event)
    _check_texts(event)
    _check_call(event)
    if not 0 <= event.at < 2**37:  # year 6325: what a calendar can still hold
        raise InvalidEvent("at: expected Unix seconds")


def scope_of(event: Event) -> Scope:
    """The scope of an event that has one; restriction and erasure always reach everything."""
    if event.kind in _EVERYTHING_ONLY or event.scope is None:
        return Scope(ScopeKind.EVERYTHING)
    return event.scope


def quarter(at: int) -> int:
    """The first second of the quarter, in UTC: all that an erasure keeps of its time (Unix seconds)."""
    day = datetime.fromtimestamp(at, UTC)
    return int(datetime(day.year, (day.month - 1) // 3 * 3 + 1, 1, tzinfo=UTC).timestamp())


def undated(event: Event) -> Event:
    """An erasure as it is kept: without day, case and words; every other event as it is."""
    if event.kind is not EventKind.ERASURE:
        return event
    return replace(event, at=quarter(event.at), evidence=replace(event.evidence, wording="", proof=""), detail={})


def _check_scope(event: Event) -> None:
    if event.kind in _SCOPED and event.scope is None:
        raise InvalidEvent(f"scope: {event.kind} needs one")
    if event.kind is EventKind.REQUEST and event.scope and event.scope.kind is not ScopeKind.TOPIC:
        raise InvalidEvent("scope: a request is for a topic")


def _check_detail(event: Event) -> None:
    form = _DETAILS.get(event.kind, _NOTHING)
    if not event.detail and not form.needs:
        return
    for name in form.needs:
        if name not in event.detail:
            raise InvalidEvent(f"{name}: {event.kind} needs one")
    for name, types in {**form.needs, **form.may}.items():
        value = event.detail.get(name)
        if name in event.detail and type(value) not in types:
            raise InvalidEvent(f"{name}: wrong type for {event.kind}")
        if type(value) is int and not 0 <= value < 2**40:
            raise InvalidEvent(f"{name}: out of range")


def _check_call(event: Event) -> None:
    """What was asked for by phone has a witness with a name, and a day (S-19)."""
    topic = event.scope is not None and event.scope.kind is ScopeKind.TOPIC
    asked = event.kind is EventKind.REQUEST or (event.kind is EventKind.CONSENT and topic)
    if not asked or event.evidence.channel.strip().lower() != PHONE or event.detail.get("active") is False:
        return
    actor = actor_of(event.evidence)
    named = actor is Actor.IMPORT and str(event.detail.get("by") or "").strip()
    if actor is not Actor.OPERATOR and not named:
        raise InvalidEvent("by: who took the call? expected actor operator:NAME, or an import that names them in by")
    if event.at == 0:
        raise InvalidEvent("at: when was the call? expected its time")


def _check_texts(event: Event) -> None:
    evidence = event.evidence
    texts: dict[str, object] = {
        "actor": evidence.actor,
        "channel": evidence.channel,
        "wording": evidence.wording,
        "proof": evidence.proof,
        **event.detail,
    }
    everything = "\n".join([value for value in texts.values() if isinstance(value, str)])
    if len(everything) <= _TEXT_LIMIT and "@" not in everything and not _CONTROL.search(everything):
        return  # nearly every event, and imports have millions
    for name, value in texts.items():
        if isinstance(value, str):
            _check_text(name, value)


def _check_text(name: str, value: str) -> None:
    if _ADDRESS_LIKE.search(value):
        raise InvalidEvent(f"{name}: looks like an address, and no address may stay in the registry")
    if _CONTROL.search(value):
        raise InvalidEvent(f"{name}: holds a control character")
    if len(value) > _TEXT_LIMIT:
        raise InvalidEvent(f"{name}: longer than {_TEXT_LIMIT} characters")
