"""What is known about one person, in words: facts, events, and what waits for an operator.

what:       the output of `briefgeheim registry show`
takes→gives: facts, history → mappings of words, and lines of text
knows not:  who the person is, how facts are kept
fails by:   nothing
standard:   S-03 (evidence is shown with each event); GDPR 15
"""

from __future__ import annotations

from typing import Any

from gateway.cli.registry_house import when
from gateway.config.organisation import Organisation
from gateway.facts import Facts
from gateway.registry.protocol import Event
from gateway.registry.scopes import scope_text


def facts_shown(facts: Facts, organisation: Organisation) -> dict[str, object]:
    shown: dict[str, object] = {
        "known": facts.known,
        "blocks": [f"{b.kind} {scope_text(b.scope, organisation)} since {when(b.at)}" for b in facts.blocks],
        "consents": [f"{scope_text(c.scope, organisation)} since {when(c.at)}" for c in facts.consents],
        "requests": sorted(_topic(organisation, topic) for topic in facts.requests),
        "enrolments": sorted(facts.enrolments),
        "contracts": sorted(facts.contracts),
        "purchases": [f"category {p.category}{' declined' * p.declined} at {when(p.at)}" for p in facts.purchases],
        "subscriptions": [
            f"category {s.category}{'' if s.end is None else ' until ' + when(s.end)}" for s in facts.subscriptions
        ],
        "publications": sorted(facts.publications),
        "minor": facts.minor,
        "guardian_consent": facts.guardian_consent,
        "language": facts.language,
    }
    return {name: value for name, value in shown.items() if value or name == "known"}


def _topic(organisation: Organisation, number: int) -> str:
    return {i: name for name, i in organisation.topic_ids.items()}.get(number, str(number))


def event_shown(number: int, event: Event, organisation: Organisation) -> dict[str, object]:
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
        **event.detail,
    }
    return {name: value for name, value in shown.items() if value != ""}


def as_text(shown: dict[str, Any]) -> str:
    lines = [f"{name}: {', '.join(v) if isinstance(v, list) else v}" for name, v in shown["facts"].items()]
    lines += ["events:"] + ["  " + ", ".join(f"{k} {v}" for k, v in event.items()) for event in shown["events"]]
    return "\n".join(lines)
