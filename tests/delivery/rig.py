"""A delivery worker on real parts: SQLite spool with its audit, SQLite registry, RSA signer, sinks on loopback.

what:       builds one organisation, puts mail into its spool, runs the worker with a clock that the test turns
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.address import Address
from gateway.audit.protocol import AuditRow
from gateway.audit.reading import AuditReader
from gateway.audit.sqlite import AuditWriter
from gateway.config.gateway import Delivery
from gateway.config.organisation import Organisation
from gateway.decision import Classification, Stream
from gateway.delivery.report import Report
from gateway.delivery.worker import DeliveryWorker
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.template import compile as compile_template
from gateway.message.template import pack
from gateway.pseudonym import Pseudonyms
from gateway.registry.opening import Owner, init
from gateway.registry.places import places
from gateway.registry.protocol import Event, EventKind, Evidence, Registry
from gateway.registry.sqlite import SQLiteRegistry, open_registry
from gateway.signing.dkim import Signer
from gateway.signing.keys import generate
from gateway.spool.protocol import Entry, NewMessage, NewRow, State
from gateway.spool.sqlite import SQLiteSpool

START = 1_800_000_000.0
_PATIENCE = 120.0  # seconds for what takes a moment where the machine is not busy
MAIL = (
    b"From: School <info@school.example>\r\nTo: list@school.example\r\nSubject: Hello\r\n"
    b"Message-ID: <one@school.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n\r\nHello\r\n"
)


@lru_cache(maxsize=1)
def signer() -> Signer:
    return Signer("school.example", "s1", generate())


def organisation(*providers: dict[str, Any], **changes: Any) -> Organisation:
    """An organisation with the given providers; the first one carries everything unless `routes` says otherwise."""
    whole = [
        {"name": f"p{n}", "host": "127.0.0.1", "tls": "none", "contract": "2026-01-01", "rights_clause": True, **given}
        for n, given in enumerate(providers)
    ]
    values: dict[str, Any] = {
        "id": 1,
        "name": "school",
        "controller": {
            "name": "School",
            "postal_address": "Street 1, Place",
            "contact": "contact@school.example",
            "policy_url": "https://school.example/privacy",
            "policy_date": "2026-01-01",
        },
        "opt_out_url": "https://out.school.example",
        "postmaster": "postmaster@school.example",
        "domains": [{"domain": "school.example", "dkim": True, "selector": "s1"}],
        "sources": [{"id": 1, "name": "crm"}],
        "lists": [{"id": 7, "name": "news", "title": "News"}],
        "clients": [{"name": "crm", "source": "crm", "networks": ["127.0.0.0/8"]}],
        "providers": whole,
        "routes": [{"provider": whole[0]["name"]}],
        "streams": {
            "personal": {"basis": ["legitimate_interest"], "private": False},
            "newsletter": {
                "basis": ["consent"],
                "needs": ["list-consent"],
                "blocked_by": ["everything", "marketing", "list"],
                "tracking": "consent",
            },
        },
        "classify": [],
    }
    return Organisation.model_validate(values | changes)


@dataclass
class House:
    """Fulfils `gateway.delivery.party.Party`."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    registry: Registry
    signers: Mapping[str, Signer]
    opt_out_works: Callable[[], bool] = lambda: True


@dataclass
class Rig:
    """`now` is the worker's clock: set it, then `wake`."""

    house: House
    spool: SQLiteSpool
    worker: DeliveryWorker
    people: SQLiteRegistry
    now: float = START
    reports: list[Report] = field(default_factory=list)
    on_report: Callable[[Report], Awaitable[None]] | None = None
    count: int = 0

    async def report(self, report: Report) -> None:
        if self.on_report is not None:
            await self.on_report(report)
        self.reports.append(report)

    async def put(
        self,
        *to: str,
        raw: bytes | Mapping[str, bytes] = MAIL,
        variant: str = "nl/untracked",
        stream: Stream = Stream.PERSONAL,
        sender: str = "info@school.example",
        notify: Sequence[str] = (),
        state: State = State.QUEUED,
        until: float = 0.0,
        rule: str = "rule",
        marks: Mapping[str, object] | None = None,
        edition: Sequence[str] | None = None,
        facts: Mapping[str, object] | None = None,
        **sealed: object,
    ) -> str:
        """Store one message with a row for each of `to`; gives its id. `raw` by variant, or one text for all."""
        self.count += 1
        texts = raw if isinstance(raw, Mapping) else {variant: raw}
        row_keys = {"orcpt", "slots", "return_path", "postmaster"}
        provider = self.house.organisation.providers[0].name
        people = [self.house.pseudonyms.person(Address.parse(a)) for a in to]
        message = NewMessage(
            id=f"m{self.count}",
            reference=self.count,
            organisation="school",
            client="crm",
            stream=stream.value,
            received=self.now,
            facts={
                "classification": dict(marks) if marks is not None else Classification(stream).to_json(),
                "from_domain": "school.example",
                **({} if edition is None else {"edition": list(edition)}),
                **(facts or {}),
            },
            sealed={
                "sender": sender,
                "ret": "",
                "envid": "",
                "split": len(to) > 1,
                "headers": "Subject: Hello\r\n",
                **{k: v for k, v in sealed.items() if k not in row_keys},
            },
            body=pack({n: compile_template(Draft(parse(text)), seven_bit=False) for n, text in texts.items()}),
            rows=tuple(
                NewRow(
                    person.exact, person.wide, state, provider, variant,
                    {"address": a, "notify": list(notify), "orcpt": "", "slots": {},
                     **{k: v for k, v in sealed.items() if k in row_keys}},
                    due=self.now, until=until, reason=f"{rule}: for the test" if state is State.HELD else "",
                )
                for a, person in zip(to, people, strict=True)
            ),
        )  # fmt: skip
        await self.spool.put((message,), ())
        self.worker.wake()
        return message.id

    async def record(self, kind: EventKind, address: str, **values: Any) -> None:
        person = self.house.pseudonyms.person(Address.parse(address))
        evidence = Evidence("operator:test", "form", "v1", "case 1")
        await self.people.record([Event(kind, person, int(self.now), evidence, **values)])

    def turn(self, seconds: float) -> None:
        """Let time pass and look at the queue."""
        self.now += seconds
        self.worker.wake()

    async def audited(self, message: str, *whats: str, seconds: float = _PATIENCE) -> list[AuditRow]:
        """Wait until the audit of a message tells of these things, in this order; AssertionError if it does not."""
        reader = AuditReader([self.spool.shard.database])
        until = asyncio.get_running_loop().time() + seconds
        while True:
            rows = reader.by_message(message)
            if [row.what for row in rows] == list(whats):
                return rows
            assert asyncio.get_running_loop().time() < until, [row.what for row in rows]
            await asyncio.sleep(0.005)

    async def row(self, ready: Callable[[Entry], bool], seconds: float = _PATIENCE) -> Entry:
        """Wait until the only open row is as `ready` wants it."""
        until = asyncio.get_running_loop().time() + seconds
        while not (len(rows := await self.spool.entries()) == 1 and ready(rows[0])):
            assert asyncio.get_running_loop().time() < until, rows
            await asyncio.sleep(0.005)
        return rows[0]

    async def attempts(self, number: int) -> Entry:
        """Wait until the only open row has been tried that often."""
        return await self.row(lambda row: row.attempts == number)

    async def empty(self, seconds: float = _PATIENCE) -> None:
        """Wait until nothing is left in the spool."""
        until = asyncio.get_running_loop().time() + seconds
        while rows := await self.spool.entries():
            assert asyncio.get_running_loop().time() < until, rows
            await asyncio.sleep(0.005)


def settings(**changes: Any) -> Delivery:
    return Delivery.model_validate(
        {"idle_connection": "120s", "command_timeout": "30s", "data_timeout": "30s", "decision_age": "60s"} | changes
    )


@asynccontextmanager
async def rig(
    folder: Path,
    rules: Organisation,
    *,
    signers: Mapping[str, Any] | None = None,
    passwords: Mapping[str, str] | None = None,
    wrap: Callable[[Registry], Registry] = lambda registry: registry,
    running: bool = True,
    delivery: Delivery | None = None,
) -> AsyncIterator[Rig]:
    """Everything for one organisation below `folder`, the worker running unless told otherwise."""
    pseudonyms = Pseudonyms((b"k" * 32,))
    spool = SQLiteSpool(folder / "spool", 0, {1: b"s" * 32}, AuditWriter())
    where = places(folder, rules.name)
    if not where.registry.exists():
        for path in (where.registry, where.journal, where.node):
            path.parent.mkdir(parents=True, exist_ok=True)
        init(where, Owner(rules.id, pseudonyms))
    registry = open_registry(rules, folder, pseudonyms)
    house = House(rules, pseudonyms, wrap(registry), signers if signers is not None else {"school.example": signer()})
    made: Rig

    async def report(value: Report) -> None:
        await made.report(value)

    worker = DeliveryWorker(
        [spool],
        {rules.name: house},
        delivery or settings(),
        name="gateway.example",
        share=1,
        password=lambda _, secret: (passwords or {}).get(secret, ""),
        report=report,
        clock=lambda: made.now,
    )
    made = Rig(house, spool, worker, registry)
    async with asyncio.TaskGroup() as tasks:
        if running:
            tasks.create_task(worker.run())
            await asyncio.sleep(0)
        try:
            yield made
        finally:
            await worker.drain(1.0)
    await spool.close()
    registry.close()
