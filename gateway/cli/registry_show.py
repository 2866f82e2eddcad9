"""What is known about one person, in words: facts, events, and what waits for an operator.

what:       the output of `briefgeheim registry show`
takes→gives: facts, history → mappings of words, and lines of text
knows not:  who the person is, how facts are kept
fails by:   nothing
standard:   S-03 (evidence is shown with each event); GDPR 15
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from gateway.cli.registry_house import when
from gateway.config.organisation import Organisation
from gateway.facts import Facts, Scope, ScopeKind
from gateway.registry.columns import column_of
from gateway.registry.events import ATTESTED
from gateway.registry.intervals import Interval
from gateway.registry.protocol import Event, Return
from gateway.registry.scopes import scope_text


def facts_shown(facts: Facts, organisation: Organisation, attested: Collection[int] = ()) -> dict[str, object]:
    """What is in force. `attested`: numbers of events by which somebody vouched for a list."""
    shown: dict[str, object] = {
        "known": facts.known,
        "blocks": [f"{b.kind} {scope_text(b.scope, organisation)} since {when(b.at)}" for b in facts.blocks],
        "consents": [
            f"{scope_text(c.scope, organisation)} since {when(c.at)}{', attested' * (c.event in attested)}"
            for c in facts.consents
        ],
        "requests": sorted(_topic(organisation, topic) for topic in facts.requests),
        "enrolments": sorted(facts.enrolments),
        "contracts": sorted(facts.contracts),
        "third_parties": [f"{reference}: {party}" for reference, party in sorted(facts.third_parties)],
        "purchases": [
            f"{_category(organisation, p.category)}{' declined' * p.declined} at {when(p.at)}" for p in facts.purchases
        ],
        "subscriptions": [
            f"{_category(organisation, s.category)}{' free' * s.free}{'' if s.end is None else ' until ' + when(s.end)}"
            for s in facts.subscriptions
        ],
        "publications": sorted(facts.publications),
        "minor": facts.minor,
        "guardian_consent": facts.guardian_consent,
        "language": facts.language,
        "contacts": [f"{client}: {contact}" for client, contact in sorted(facts.contacts)],
        "origins": sorted(facts.origins),
        "announced": sorted(facts.announced),
        "retained": [f"{r.id} until {when(r.until)}: {r.reason}" for r in facts.retained],
    }
    return {name: value for name, value in shown.items() if value or name == "known"}


def returns_shown(pending: Iterable[Return], organisation: Organisation) -> list[str]:
    """Consents that wait for an operator."""
    return [f"event {r.event}: {scope_text(r.scope, organisation)} since {when(r.at)}" for r in pending]


def intervals_shown(found: Iterable[Interval], organisation: Organisation) -> list[str]:
    """What was in force, since when and until when (S-65)."""
    return [_interval(interval, organisation) for interval in found]


def _interval(interval: Interval, organisation: Organisation) -> str:
    what = [str(interval.ground), interval.name, scope_text(interval.scope, organisation) if interval.scope else ""]
    until = "" if interval.end is None else f" until {when(interval.end)}"
    ended = "" if interval.closed is None else f", ended by event {interval.closed}"
    return f"{' '.join(filter(None, what))} since {when(interval.start)}{until} (event {interval.opened}{ended})"


def _topic(organisation: Organisation, number: int) -> str:
    return scope_text(Scope(ScopeKind.TOPIC, number), organisation).partition(":")[2]


def _category(organisation: Organisation, number: int) -> str:
    return scope_text(Scope(ScopeKind.CATEGORY, number), organisation).replace(":", " ")


def event_shown(number: int, event: Event, organisation: Organisation) -> dict[str, object]:
    """One event with its evidence; details under the names of their columns."""
    evidence = event.evidence
    shown = {
        "number": number,
        "at": when(event.at),
        "kind": event.kind.value,
        "scope": scope_text(event.scope, organisation) if event.scope else "",
        "actor": evidence.actor,
        "channel": evidence.channel,
        "wording": evidence.wording,
        "proof": evidence.proof,
        "grade": ATTESTED if evidence.channel == ATTESTED else "",
        **{column_of(name): value for name, value in event.detail.items()},
    }
    return {name: value for name, value in shown.items() if value != ""}


def as_text(shown: dict[str, Any]) -> str:
    """The same for people: one line per fact, then the lists."""
    lines = [f"{name}: {', '.join(v) if isinstance(v, list) else v}" for name, v in shown["facts"].items()]
    for name in ("returns", "in_force"):
        if name in shown:
            lines += [f"{name.replace('_', ' ')}:", *(f"  {line}" for line in shown[name] or ["nothing"])]
    lines += ["events:"] + ["  " + ", ".join(f"{k} {v}" for k, v in event.items()) for event in shown["events"]]
    return "\n".join(lines)
