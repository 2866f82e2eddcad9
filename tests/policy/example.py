"""One small organisation with every kind of stream, and people in every state, for the tests of this room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.config.organisation import Organisation
from gateway.decision import Basis, Classification, Stream
from gateway.facts import Block, BlockKind, Consent, Facts, Purchase, Purpose, Scope, ScopeKind

NOW = 1_767_225_600
SOURCE, NEWS, OTHER_LIST, OLD_LIST, TOPIC, CATEGORY, OTHER_CATEGORY = 5, 11, 12, 13, 21, 31, 32

SETTINGS: dict[str, Any] = {
    "id": 7,
    "name": "voorbeeld",
    "controller": {
        "name": "Voorbeeld",
        "postal_address": "Straat 1, 1000 AA Plaats, Nederland",
        "contact": "info@voorbeeld.example",
        "policy_url": "https://voorbeeld.example/privacy",
        "policy_date": "2024-01-01",
    },
    "opt_out_url": "https://afmelden.voorbeeld.example",
    "postmaster": "beheer@voorbeeld.example",
    "domains": [{"domain": "voorbeeld.example"}],
    "sources": [{"id": SOURCE, "name": "database"}, {"id": 6, "name": "winkel"}],
    "lists": [
        {"id": NEWS, "name": "nieuws", "title": "Nieuws", "list_id": "nieuws.voorbeeld.example"},
        {"id": OTHER_LIST, "name": "agenda", "title": "Agenda", "list_id": "agenda.voorbeeld.example"},
        {"id": OLD_LIST, "name": "oud", "title": "Oud", "list_id": "oud.voorbeeld.example", "retired": True},
    ],
    "topics": [{"id": TOPIC, "name": "yoga", "title": "Yoga"}, {"id": 22, "name": "zang", "title": "Zang"}],
    "categories": [
        {"id": CATEGORY, "name": "boeken", "title": "Boeken"},
        {"id": OTHER_CATEGORY, "name": "cursussen", "title": "Cursussen"},
    ],
    "clients": [
        {"name": "crm", "source": "database", "secret": "crm"},
        {"name": "winkel", "source": "winkel", "secret": "winkel"},
        {"name": "kantoor", "secret": "kantoor", "kind": "people"},
    ],
    "providers": [
        {"name": "sink", "host": "sink.example", "contract": "2024-01-01", "rights_clause": True},
    ],
    "third_parties": [
        {
            "name": "aanbieder-3",
            "title": "Aanbieder 3",
            "addresses": ["cursus@aanbieder.example"],
            "domains": ["aanbieder3.example"],
            "contract": "2024-01-01",
            "rights_clause": True,
        }
    ],
    "routes": [{"provider": "sink"}],
    "streams": {
        "newsletter": {
            "basis": ["consent"],
            "basis_mark": True,
            "needs": ["list-consent"],
            "blocked_by": ["everything", "source", "list"],
            "tracking": "consent",
            "opt_out": {"scope": "list", "header": "one-click", "text": "link"},
        },
        "notification": {
            "basis": ["consent", "soft_opt_in"],
            "needs": ["topic-request", "ready"],
            "blocked_by": ["everything", "source", "topic", "category"],
            "opt_out": {"scope": "source", "header": "one-click", "text": "link"},
        },
        "participation": {
            "basis": ["contract"],
            "needs": ["enrolment"],
            "blocked_by": ["everything", "source"],
            "opt_out": {"scope": "source", "header": "link", "text": "link"},
        },
        "informational": {
            "basis": ["contract"],
            "needs": ["reference"],
            "blocked_by": ["everything", "marketing"],
            "refuses_offers": True,
            "unstoppable": True,
        },
        "webshop": {"basis": ["contract"], "blocked_by": ["everything", "category"]},
        "research": {"basis": ["consent"], "needs": ["research-consent"], "tracking": "consent"},
        "policy_change": {"basis": ["legal"], "needs": ["once"], "blocked_by": ["everything", "source"]},
        "rights": {"basis": ["legal"]},
        "confirmation": {"basis": ["legal"]},
        "personal": {"basis": ["legitimate_interest"]},
    },
    "classify": [
        {"name": "news", "when": {"client": "crm", "stream_mark": "newsletter"}, "stream": "newsletter"},
        {"name": "topics", "when": {"client": "crm", "stream_mark": "notification"}, "stream": "notification"},
        {"name": "courses", "when": {"client": "crm", "stream_mark": "participation"}, "stream": "participation"},
        {"name": "survey", "when": {"client": "crm", "stream_mark": "research"}, "stream": "research"},
        {"name": "orders", "when": {"client": "winkel"}, "stream": "webshop"},
        {"name": "people", "when": {"client": "kantoor", "recipients": "<=5"}, "stream": "personal"},
    ],
}


def organisation(**changes: Any) -> Organisation:
    return Organisation.model_validate(SETTINGS | changes)


def with_stream(stream: str, **changes: Any) -> Organisation:
    """The organisation with some settings of one stream changed."""
    streams = dict(SETTINGS["streams"])
    streams[stream] = streams[stream] | changes
    return organisation(streams=streams)


ORGANISATION = organisation()

MAIL = {
    Stream.NEWSLETTER: Classification(Stream.NEWSLETTER, basis=Basis.CONSENT, source=SOURCE, list=NEWS),
    Stream.NOTIFICATION: Classification(Stream.NOTIFICATION, source=SOURCE, topic=TOPIC, ready=True),
    Stream.PARTICIPATION: Classification(Stream.PARTICIPATION, source=SOURCE, reference="K-1"),
    Stream.INFORMATIONAL: Classification(Stream.INFORMATIONAL, source=SOURCE, reference="B-1"),
    Stream.WEBSHOP: Classification(Stream.WEBSHOP, source=6),
    Stream.RESEARCH: Classification(Stream.RESEARCH, source=SOURCE),
    Stream.POLICY_CHANGE: Classification(Stream.POLICY_CHANGE, source=SOURCE, reference="2027"),
    Stream.RIGHTS: Classification(Stream.RIGHTS),
    Stream.CONFIRMATION: Classification(Stream.CONFIRMATION),
    Stream.PERSONAL: Classification(Stream.PERSONAL),
}


def consent(kind: ScopeKind, number: int = 0, event: int = 1) -> Consent:
    return Consent(Scope(kind, number), NOW - 1000, event)


AGREED = Facts(
    consents=(
        consent(ScopeKind.LIST, NEWS),
        consent(ScopeKind.TOPIC, TOPIC),
        consent(ScopeKind.PURPOSE, Purpose.RESEARCH),
    ),
    enrolments=frozenset({"K-1"}),
    purchases=(Purchase(CATEGORY, False, NOW - 1000),),
    known=True,
)


def blocked(kind: BlockKind, scope: ScopeKind, number: int = 0, facts: Facts = AGREED) -> Facts:
    """`facts` with one more block in force."""
    block = Block(kind, Scope(scope, number), NOW - 10, 50)
    return replace(facts, blocks=(*facts.blocks, block))
