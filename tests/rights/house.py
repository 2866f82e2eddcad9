"""An organisation's rights on real parts: SQLite registry, a spool with its audit, settings of the examples."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.address import Address
from gateway.app import compose
from gateway.app.spools import Spools
from gateway.audit.protocol import AuditRow
from gateway.audit.sqlite import AuditWriter
from gateway.cases.protocol import Case, CaseKind, CaseState, Channel, Content, Paper
from gateway.config.credentials import Credentials
from gateway.config.load import Loaded, load
from gateway.config.organisation import Organisation
from gateway.decision import Classification, Stream
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.template import compile as compile_template
from gateway.message.template import pack
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.opening import Owner, init
from gateway.registry.places import places
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.sqlite import SQLiteRegistry, open_registry
from gateway.rights import dossier
from gateway.rights.effects import RightsEffects
from gateway.spool.outside import Outside
from gateway.spool.protocol import Entry, NewMessage, NewRow, State
from gateway.spool.sqlite import SQLiteSpool

EXAMPLES = Path(__file__).parents[2] / "config"
NOW = 1_800_000_000
WHO = "anna.devries@voorbeeld.example"
PROVED = Evidence("person", "form", "v1", "form log 7")
MAIL = b"From: School <info@dekleineparel.nl>\r\nTo: x@example.org\r\nSubject: Hallo\r\n\r\nHallo\r\n"


@lru_cache(maxsize=1)
def example() -> Loaded:
    return load(EXAMPLES / "gateway.yaml", ())


class Keys(Credentials):
    """Credentials without files."""

    def __init__(self) -> None:
        pass

    def spool_keys(self) -> dict[int, bytes]:
        return {1: b"s" * 32}


@dataclass
class House:
    """`now` is everybody's clock. `told` collects what submitters would hear."""

    folder: Path
    organisation: Organisation
    pseudonyms: Pseudonyms
    registry: SQLiteRegistry
    spools: Spools
    now: float = NOW
    made: int = 0
    papers: list[CaseKind] = field(default_factory=list)

    @property
    def effects(self) -> RightsEffects:
        async def papers(case: Case) -> tuple[Paper, ...]:
            self.papers.append(case.kind)
            return (Paper("x.zip", "application/zip", b"x"),)

        return RightsEffects(
            self.organisation, self.pseudonyms, self.registry, self.spools, papers, 30 * 86400.0, lambda: self.now
        )

    def person(self, address: str = WHO) -> Person:
        return self.pseudonyms.person(Address.parse(address))

    def case(self, kind: CaseKind, address: str = WHO, **values: Any) -> Case:
        content = Content(address=address, language=values.pop("language", "nl"), new_address=values.pop("new", ""))
        fixed: dict[str, Any] = {
            "number": 0, "version": 0, "kind": kind, "state": CaseState.OPEN, "channel": Channel.EMAIL,
            "received": date(2027, 1, 10), "entered": self.now, "due": date(2027, 2, 9), "extended": False,
            "ceiling": None, "outcome": None, "scope": None, "person": self.person(address), "effective": 0.0,
            "completed": 0.0, "answered": 0.0, "ended": 0.0, "content": content,
        }  # fmt: skip
        return Case(**(fixed | values))

    async def record(self, kind: EventKind, /, *, address: str = WHO, at: int = 0, **values: Any) -> None:
        evidence = values.pop("evidence", PROVED)
        scope, detail = values.pop("scope", None), values
        event = Event(kind, self.person(address), at or int(self.now) - 1000, evidence, scope, detail)
        await self.registry.record([event])

    async def blocks(self, address: str = WHO) -> set[tuple[str, str]]:
        (facts,) = await self.registry.facts([self.person(address)])
        return {(b.kind.value, str(b.scope)) for b in facts.blocks}

    async def kinds(self, address: str = WHO) -> list[str]:
        return [e.kind.value for _, e in await self.registry.history(self.person(address))]

    async def put(self, *to: str, state: State = State.QUEUED, reason: str = "") -> str:
        """A mail to these people in the queue of a gateway that does not run; gives its id."""
        self.made += 1
        variant = "nl/untracked"
        rows = tuple(
            NewRow(
                p.exact, p.wide, state, self.organisation.providers[0].name, variant,
                {"address": a, "notify": [], "orcpt": "", "slots": {}}, due=time.time() + 9999, reason=reason,
            )
            for a in to for p in (self.person(a),)
        )  # fmt: skip
        message = NewMessage(
            id=f"{self.made:020x}", reference=self.made, organisation=self.organisation.name, client="kleine-parel-crm",
            stream="personal", received=time.time(),
            facts={"classification": Classification(Stream.PERSONAL).to_json(), "from_domain": "dekleineparel.nl"},
            sealed={"sender": "info@dekleineparel.nl", "ret": "", "envid": "", "split": False, "headers": ""},
            body=pack({variant: compile_template(Draft(parse(MAIL)), seven_bit=False)}), rows=rows,
        )  # fmt: skip
        detail = {"stream": "personal", "rule": "default", "fact": "nothing stops it", "variant": variant}
        audit = [
            AuditRow(self.now, self.organisation.name, message.id, "accepted", r.person_exact, detail) for r in rows
        ]
        async with self.spool() as spool:
            await spool.put((message,), audit)
        return message.id

    async def audit(self, *rows: AuditRow) -> None:
        async with self.spool() as spool:
            await spool.put((), rows)

    def row(self, message: str, what: str, address: str = WHO, at: float = 0.0, **detail: object) -> AuditRow:
        return AuditRow(at or self.now, self.organisation.name, message, what, self.person(address).exact, detail)

    @asynccontextmanager
    async def spool(self) -> AsyncIterator[SQLiteSpool]:
        spool = SQLiteSpool(self.folder / "spool", 0, {1: b"s" * 32}, AuditWriter())
        try:
            yield spool
        finally:
            await spool.close()

    def queue(self) -> list[Entry]:
        return [placed.entry for placed in Outside(self.folder / "spool").entries(limit=-1)]

    async def dossier(self, address: str = WHO, cases: Sequence[Case] = (), language: str = "nl") -> dossier.Dossier:
        sources = dossier.Sources(self.organisation, self.registry, self.spools.by_person, cases)
        return await dossier.gather(sources, self.person(address), address, int(self.now), language)


@asynccontextmanager
async def house(folder: Path, name: str = "kleine-parel", **changes: Any) -> AsyncIterator[House]:
    """One of the example organisations in `folder`."""
    loaded = example()
    organisation = loaded.organisation(name).model_copy(update=changes)
    gateway = loaded.gateway.model_copy(update={"state": folder})
    pseudonyms = Pseudonyms((b"k" * 32,), frozenset(organisation.block_wide_domains))
    where = places(folder, organisation.name)
    for path in (where.registry, where.journal, where.node):
        path.parent.mkdir(parents=True, exist_ok=True)
    init(where, Owner(organisation.id, pseudonyms))
    registry = open_registry(organisation, folder, pseudonyms)
    tenant = compose.Tenant(organisation, pseudonyms, None, registry, {}, compose.unprobed)  # type: ignore[arg-type]
    changed = Loaded(gateway, (organisation,), loaded.trackers, loaded.version, loaded.texts)
    made = House(folder, organisation, pseudonyms, registry, Spools(changed, Keys(), {organisation.name: tenant}))
    async with made.spool():
        pass
    try:
        yield made
    finally:
        registry.close()


def as_dict(row: object) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}  # type: ignore[attr-defined]


def text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
