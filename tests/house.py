"""One organisation at work without sockets: real spool, registry, blackbox and outbox around a pipeline.

what:       builds the parts in a folder and lets a test hand over mail as ingress would
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.address import Address
from gateway.app.reports import from_bounce
from gateway.audit.protocol import AuditRow
from gateway.audit.reading import AuditReader
from gateway.audit.sqlite import AuditWriter
from gateway.config.gateway import Limits
from gateway.config.load import load
from gateway.config.organisation import Organisation
from gateway.config.trackers import Trackers
from gateway.content import InProcess, Inspector
from gateway.envelope import Envelope, Peer, Recipient
from gateway.message.template import unpack
from gateway.outbox import Composed, Outbox
from gateway.pipeline import Bounce, Parts, Pipeline
from gateway.plan import Rules
from gateway.pseudonym import Pseudonyms
from gateway.registry.opening import Owner, init
from gateway.registry.places import places
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.sqlite import SQLiteRegistry, open_registry
from gateway.reply import Reply
from gateway.signing.dkim import Signer
from gateway.signing.keys import generate
from gateway.spool.blackbox import Blackbox
from gateway.spool.protocol import Entry
from gateway.spool.sqlite import SQLiteSpool
from gateway.tenant import Tenant
from gateway.token import TokenKeys

NOW = 1_800_000_000.0
PEER = Peer("192.0.2.7", "crm.example", tls="TLSv1.3", authenticated=True)
LIMITS = Limits()

SETTINGS: dict[str, Any] = {
    "id": 1,
    "name": "school",
    "controller": {
        "name": "School",
        "postal_address": "Street 1, 1000 AA Place",
        "contact": "info@school.example",
        "policy_url": "https://school.example/privacy",
        "policy_date": "2026-01-01",
    },
    "opt_out_url": "https://out.school.example",
    "postmaster": "beheer@school.example",
    "contacts": ["info@school.example"],
    "internal_domains": ["school.example"],
    "domains": [{"domain": "school.example", "dkim": True, "selector": "s1"}],
    "sources": [{"id": 1, "name": "crm"}],
    "lists": [
        {"id": 7, "name": "news", "title": "News", "list_id": "news.school.example"},
        {"id": 8, "name": "old", "title": "Old", "list_id": "old.school.example"},
    ],
    "clients": [
        {"name": "crm", "source": "crm", "secret": "crm"},
        {"name": "careful", "source": "crm", "secret": "careful", "when_registry_away": "defer"},
        {"name": "office", "secret": "office", "kind": "people"},
    ],
    "providers": [
        {"name": "bulk", "host": "bulk.example", "contract": "2026-01-01", "rights_clause": True},
        {"name": "desk", "host": "desk.example", "contract": "2026-01-01", "rights_clause": True, "eight_bit": True},
    ],
    "routes": [{"provider": "bulk", "streams": ["newsletter"]}, {"provider": "desk", "streams": ["personal"]}],
    "streams": {
        "newsletter": {
            "basis": ["consent"],
            "needs": ["list-consent"],
            "blocked_by": ["everything", "marketing", "list"],
            "tracking": "consent",
            "opt_out": {"scope": "list", "header": "one-click", "text": "link"},
        },
        "personal": {"basis": ["legitimate_interest"], "private": False, "edit": False},
    },
    "classify": [
        {"name": "news", "when": {"client": "crm", "stream_mark": "newsletter"}, "stream": "newsletter"},
        {"name": "careful", "when": {"client": "careful", "stream_mark": "newsletter"}, "stream": "newsletter"},
        {"name": "people", "when": {"client": "office"}, "stream": "personal"},
    ],
    "footer": {
        "link": {"nl": "Verzonden door {name}, {address}.\nAfmelden: {link}\nBeleid: {policy}\n"},
    },
}


def organisation(**changes: Any) -> Organisation:
    return Organisation.model_validate(SETTINGS | changes)


def with_stream(stream: str, **changes: Any) -> Organisation:
    streams = dict(SETTINGS["streams"])
    streams[stream] = streams[stream] | changes
    return organisation(streams=streams)


def with_client(name: str, **changes: Any) -> Organisation:
    return organisation(clients=[c | changes if c["name"] == name else c for c in SETTINGS["clients"]])


@lru_cache(maxsize=1)
def trackers() -> Trackers:
    return load(Path(__file__).parents[1] / "config" / "gateway.yaml", ()).trackers


@lru_cache(maxsize=1)
def signer() -> Signer:
    return Signer("school.example", "s1", generate())


def rules(version: str = "v1") -> Rules:
    return Rules("gateway.example", LIMITS, trackers(), version)


def envelope(*to: str, client: str = "crm", sender: str = "info@school.example", **values: Any) -> Envelope:
    recipients = tuple(Recipient(Address.parse(a), **values.pop("rcpt", {})) for a in to)
    return Envelope(client, Address.parse(sender) if sender else None, recipients, values.pop("peer", PEER), **values)


def mail(*to: str, text: str = "Hello\r\n", skip: Sequence[str] = (), **fields: str) -> bytes:
    """A plain mail; `Stream="newsletter"` becomes a mark, other fields go in as named."""
    head = {
        "From": "School <info@school.example>",
        "To": ", ".join(to),
        "Subject": "Hello",
        "Date": "Mon, 2 Nov 2026 10:00:00 +0000",
        "Message-ID": "<one@school.example>",
    }
    marks = {"Stream", "List", "Topic", "Offer", "Reference"}
    head |= {(f"Briefgeheim-{k}" if k in marks else k.replace("_", "-")): v for k, v in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if name not in skip)
    return f"{lines}\r\n{text}".encode()


def news(*to: str, **fields: str) -> bytes:
    return mail(*to, Stream="newsletter", List="news", **fields)


@dataclass
class House:
    """`now` is everybody's clock."""

    folder: Path
    tenant: Tenant
    registry: SQLiteRegistry
    spool: SQLiteSpool
    now: float = NOW
    woken: int = 0
    pipeline: Pipeline = field(init=False)
    inspector: Inspector = field(default_factory=InProcess)
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox({"school": self.tenant}, self.spool, "gateway.example", wake=self._wake, clock=self._time)
        self.pipeline = Pipeline(
            self.parts(self.tenant),
            self.spool,
            Blackbox(self.folder, 0),
            self.inspector,
            report=self._report,
            wake=self._wake,
            clock=self._time,
            software="1",
        )

    @classmethod
    def open(cls, folder: Path, rules_of: Organisation | None = None) -> House:
        found = rules_of or organisation()
        keys = Pseudonyms((b"k" * 32,), frozenset(found.block_wide_domains))
        where = places(folder, found.name)
        if not where.registry.exists():
            for path in (where.registry, where.journal, where.node):
                path.parent.mkdir(parents=True, exist_ok=True)
            init(where, Owner(found.id, keys))
        registry = open_registry(found, folder, keys)
        tenant = Tenant(found, keys, TokenKeys({1: b"t" * 64}), registry, {"school.example": signer()}, lambda: True)
        return cls(folder, tenant, registry, SQLiteSpool(folder / "spool", 0, {1: b"s" * 32}, AuditWriter()))

    def parts(self, tenant: Tenant) -> Parts:
        return Parts(rules(), {c.name: tenant for c in tenant.organisation.clients})

    async def close(self) -> None:
        await self.spool.close()
        self.registry.close()

    async def record(self, kind: EventKind, address: str, **values: Any) -> None:
        person = self.tenant.pseudonyms.person(Address.parse(address))
        evidence = Evidence("person", "form", "v1", "case 1")
        await self.registry.record([Event(kind, person, int(self.now), evidence, **values)])

    async def send(self, raw: bytes, *to: str, **values: Any) -> Reply:
        return await self.pipeline.accept(envelope(*to, **values), raw)

    async def rows(self) -> list[Entry]:
        return await self.spool.entries(limit=-1)

    async def revisit(self) -> int:
        return await self.pipeline.revisit(self.spool, await self.rows())

    async def text(self, entry: Entry) -> bytes:
        """The stored copy of one row, rendered."""
        opened = await self.spool.open(entry)
        slots = opened.row["slots"]
        assert isinstance(slots, dict)
        template = unpack(opened.body)[entry.variant]
        return template.render({slot: str(slots[slot.value]).encode() for slot in template_slots(slots)})

    def audited(self, message: str) -> list[AuditRow]:
        return AuditReader([self.spool.shard.database]).by_message(message)

    def take_away_registry(self) -> None:
        where = places(self.folder, "school").registry
        where.rename(where.with_suffix(".away"))

    async def put_back_registry(self) -> None:
        """And wait until the registry has looked, which it does once a second."""
        where = places(self.folder, "school").registry
        where.with_suffix(".away").rename(where)
        end = asyncio.get_running_loop().time() + 120
        while self.registry.trouble():
            assert asyncio.get_running_loop().time() < end, self.registry.trouble()
            await asyncio.sleep(0.05)

    def _report(self, bounce: Bounce) -> Composed | None:
        found = from_bounce(bounce, self.now)
        return self.outbox.compose(*found) if found is not None else None

    def _wake(self) -> None:
        self.woken += 1

    def _time(self) -> float:
        return self.now


def template_slots(slots: dict[str, Any]) -> list[Any]:
    from gateway.message.draft import Slot

    return [Slot(name) for name in slots]
