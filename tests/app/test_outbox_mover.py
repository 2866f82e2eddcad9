"""Letters from the outbox into the spool, once, and their fate back into the case."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.app import compose
from gateway.app.office import Office
from gateway.app.outbox_mover import OutboxMover
from gateway.audit.protocol import AuditRow
from gateway.audit.sqlite import AuditWriter
from gateway.cases.protocol import CaseKind, CaseState, Channel, MailKind, MailState
from gateway.cases.sqlite import SQLiteCases
from gateway.config.credentials import Credentials
from gateway.config.load import Loaded, load
from gateway.outbox import Outbox
from gateway.registry.opening import Owner, init
from gateway.registry.places import places
from gateway.registry.sqlite import SQLiteRegistry, open_registry
from gateway.rights.desk import Desk, Request
from gateway.rights.protocol import Choices
from gateway.spool.protocol import Entry, State, Update
from gateway.spool.sqlite import SQLiteSpool

NOW = 1_800_000_000.0
DAY = 86400.0
NAME = "kleine-parel"
EXAMPLES = Path(__file__).parents[2] / "config"
ANNA = "anna@people.example"


@dataclass
class House:
    """As the worker: settings, keys, registries, outbox. `now` is everybody's clock."""

    loaded: Loaded
    credentials: Credentials
    registries: dict[str, SQLiteRegistry]
    spool: SQLiteSpool
    outbox: Outbox
    store: SQLiteCases
    now: float = NOW

    @property
    def desk(self) -> Desk:
        tenant = self.outbox.tenants[NAME]
        office = Office(self.loaded, self.credentials)
        effects = office.effects(tenant, self.registries[NAME], self.store, lambda: self.now)
        return Desk(tenant.organisation, self.store, effects, lambda: self.now)

    async def open(self, kind: CaseKind) -> None:
        person = self.outbox.tenants[NAME].pseudonyms.person(Address.parse(ANNA))
        await self.desk.open(Request(kind, date(2027, 1, 15), Channel.EMAIL, "jan", ANNA, person))

    async def answer(self) -> None:
        await self.desk.close(1, "jan", text="Antwoord")

    async def rows(self) -> list[Entry]:
        return await self.spool.entries(limit=-1)

    async def end(self, what: str, state: State) -> None:
        """As delivery ends a row, with its audit."""
        for row in await self.rows():
            audit = AuditRow(self.now, NAME, row.message, what, row.person_exact, {"status": "2.0.0"})
            await self.spool.update([Update(row.row, state)], [audit])


@asynccontextmanager
async def house_in(folder: Path) -> AsyncIterator[House]:
    loaded = load(EXAMPLES / "gateway.yaml", ())
    organisation = loaded.organisation(NAME)
    gateway = loaded.gateway.model_copy(update={"state": folder})
    loaded = Loaded(gateway, (organisation,), loaded.trackers, loaded.version, loaded.texts)
    credentials = Credentials(folder / "credentials")
    for name in ("pseudonym", "cases"):
        line = base64.b64encode(name.encode().ljust(32, b"k")) + b"\n"
        credentials.create(f"{NAME}.{name}", line if name == "pseudonym" else b"1 " + line)
    people = credentials.pseudonyms(organisation)
    init(places(folder, NAME), Owner(organisation.id, people))
    registry = open_registry(organisation, folder, people)
    tenant = compose.Tenant(organisation, people, None, registry, {}, compose.unprobed)  # type: ignore[arg-type]
    spool = SQLiteSpool(folder / "spool", 0, {1: b"s" * 32}, AuditWriter())
    made = House(loaded, credentials, {NAME: registry}, spool, None, None)  # type: ignore[arg-type]
    made.outbox = Outbox({NAME: tenant}, spool, "gateway.example", wake=lambda: None, clock=lambda: made.now)
    made.store = Office(loaded, credentials).cases(organisation)
    yield made
    await made.store.close()
    await spool.close()
    registry.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path) as made:
        yield made


@pytest.fixture
async def mover(house: House) -> AsyncIterator[OutboxMover]:
    made = OutboxMover(house, lambda: house.now)
    yield made
    await made.close()


async def test_a_letter_goes_into_the_spool_under_its_own_id_as_rights_mail(house: House, mover: OutboxMover) -> None:
    await house.open(CaseKind.QUESTION)
    await mover.look(NAME)
    (row,) = await house.rows()
    (posted,) = await house.store.outgoing()
    assert (row.message, row.client, row.stream, row.provider) == (posted.id, "gateway", "rights", "kantoor")
    assert posted.state is MailState.MOVED
    opened = await house.spool.open(row)
    assert (opened.message["sender"], opened.row["address"], opened.row["notify"]) == (
        "info@dekleineparel.nl", ANNA, ["NEVER"],
    )  # fmt: skip
    assert row.person_exact == house.outbox.tenants[NAME].pseudonyms.person(Address.parse(ANNA)).exact


async def test_i4_moving_twice_stores_once(house: House, mover: OutboxMover) -> None:
    """Also when the letter is delivered and gone from the spool before the mover could note that it moved it."""
    await house.open(CaseKind.QUESTION)
    (posted,) = await house.store.outgoing()
    await mover.look(NAME)
    await house.end("delivered", State.DELIVERED)
    assert await house.rows() == []
    await house.store._write(lambda db: db.execute("UPDATE outbox SET state = 'queued'"))  # as before a crash
    await mover.look(NAME)
    assert await house.rows() == []
    (again,) = await house.store.outgoing()
    assert (again.id, again.state) == (posted.id, MailState.DELIVERED)


async def test_s33_the_delivered_reply_closes_the_case(house: House, mover: OutboxMover) -> None:
    await house.open(CaseKind.QUESTION)
    await house.answer()
    await mover.look(NAME)
    assert [case.state for case in await house.store.cases()] == [CaseState.WAITING]
    await house.end("delivered", State.DELIVERED)
    await mover.look(NAME)
    assert await house.store.cases() == []
    assert [row.number for row in await house.store.register()] == [1]


@pytest.mark.parametrize(
    ("what", "state"), [("failed", State.FAILED), ("dropped", State.DROPPED), ("blocked", State.BLOCKED)]
)
async def test_s33_a_reply_that_does_not_arrive_opens_the_case_again(
    house: House, mover: OutboxMover, what: str, state: State
) -> None:
    await house.open(CaseKind.QUESTION)
    await house.answer()
    await mover.look(NAME)
    await house.end(what, state)
    await mover.look(NAME)
    (case,) = await house.store.cases()
    assert (case.state, case.answered) == (CaseState.OPEN, 0.0)


async def test_s35_mail_of_an_erasure_carries_no_pseudonym_into_spool_and_audit(
    house: House, mover: OutboxMover
) -> None:
    await house.open(CaseKind.ERASURE)
    await house.desk.complete(1, Choices("jan", int(house.now)))
    await house.answer()
    await mover.look(NAME)
    (row,) = await house.rows()
    assert row.person_exact == row.person_wide == bytes(32)
    await house.end("delivered", State.DELIVERED)
    await mover.look(NAME)
    assert await house.store.cases() == []
    person = house.outbox.tenants[NAME].pseudonyms.person(Address.parse(ANNA))
    found = b"".join(path.read_bytes() for path in house.spool.shard.folder.iterdir())
    assert person.exact not in found
    assert person.exact.hex().encode() not in found


async def test_a_letter_whose_trace_was_erased_is_not_taken_for_delivered(house: House, mover: OutboxMover) -> None:
    await house.open(CaseKind.QUESTION)
    await house.answer()
    await mover.look(NAME)
    await house.end("delivered", State.DELIVERED)
    db = sqlite3.connect(house.spool.shard.database)
    db.execute("UPDATE audit SET pseudonym = NULL, salt = NULL, payload = NULL")
    db.commit()
    db.close()
    await mover.look(NAME)
    (case,) = await house.store.cases()
    assert case.state is CaseState.OPEN


async def test_without_a_route_a_letter_waits(house: House, mover: OutboxMover) -> None:
    await house.open(CaseKind.QUESTION)
    tenant = house.outbox.tenants[NAME]
    routes = tuple(r for r in tenant.organisation.routes if r.provider != "kantoor")
    closed = compose.Tenant(
        tenant.organisation.model_copy(update={"routes": routes}), tenant.pseudonyms, tenant.tokens,
        tenant.registry, {}, compose.unprobed,
    )  # fmt: skip
    house.outbox.tenants = {NAME: closed}
    await mover.look(NAME)
    assert [row.state for row in await house.store.outgoing()] == [MailState.QUEUED]
    house.outbox.tenants = {NAME: tenant}
    await mover.look(NAME)
    assert [row.state for row in await house.store.outgoing()] == [MailState.MOVED]


async def test_s34_the_officer_hears_once_a_morning_what_falls_due(house: House, mover: OutboxMover) -> None:
    await house.open(CaseKind.QUESTION)
    await mover.look(NAME)
    for days in (0, 24, 24.1, 25):
        house.now = NOW + days * DAY
        await mover.digests()
    posted = [row for row in await house.store.outgoing() if row.kind is MailKind.DIGEST]
    assert len(posted) == 2
    assert ANNA.encode() not in (await house.store.mail(posted[0].id)).mail


async def test_new_keys_of_a_reload_are_used_from_the_next_look_on(house: House, mover: OutboxMover) -> None:
    await mover.look(NAME)
    file = house.credentials.folder / f"{NAME}.cases"
    file.write_bytes(file.read_bytes() + b"2 " + base64.b64encode(b"n" * 32) + b"\n")
    house.credentials = Credentials(house.credentials.folder, guarded=True)
    await house.store.close()
    house.store = Office(house.loaded, house.credentials).cases(house.loaded.organisations[0])
    await house.open(CaseKind.QUESTION)
    await mover.look(NAME)
    assert [row.state for row in await house.store.outgoing()] == [MailState.MOVED]


async def test_a_damaged_file_is_said_once_and_looked_at_again(
    house: House, mover: OutboxMover, capsys: pytest.CaptureFixture[str]
) -> None:
    path = house.loaded.gateway.state / "cases" / f"{NAME}.sqlite"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"no database at all, " * 100)
    for _ in range(3):
        await mover.look(NAME)
    path.unlink()
    await mover.close()
    await mover.look(NAME)
    said = capsys.readouterr()
    text = said.out + said.err
    assert text.count("CasesUnavailable") <= 1
    assert await house.store.cases() == []
