"""The desk: each step of a request on a real registry, spool and cases file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.address import Address
from gateway.cases.protocol import (
    Case,
    CaseChanged,
    CaseKind,
    CaseState,
    Channel,
    MailKind,
    MailState,
    NoSuchCase,
    Outcome,
    Outgoing,
)
from gateway.cases.sqlite import SQLiteCases, open_cases
from gateway.config.organisation import ThirdParty
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind
from gateway.rights.closing import tally
from gateway.rights.deadlines import day_of
from gateway.rights.desk import Desk, DeskRefused, Opened, Request
from gateway.rights.protocol import Choices, EffectRefused
from tests.rights.house import WHO, House, house

TODAY = date(2027, 1, 15)
PARTIES = tuple(
    ThirdParty(name=n, title=n.title(), addresses=(f"avg@{n}.example",), contract=TODAY, rights_clause=True)
    for n in ("alfa", "beta", "gamma")
)


@dataclass
class Front:
    """A desk with its store, and the post that a mail worker would bring round."""

    house: House
    store: SQLiteCases

    @property
    def desk(self) -> Desk:
        return Desk(self.house.organisation, self.store, self.house.effects, lambda: self.house.now)

    async def open(self, kind: CaseKind = CaseKind.ERASURE, **values: Any) -> Opened:
        address = values.pop("address", WHO)
        request: dict[str, Any] = {
            "kind": kind,
            "received": day_of(self.house.now, "Europe/Amsterdam"),
            "channel": Channel.EMAIL,
            "operator": "jan",
            "address": address,
            "person": self.house.person(address) if address else None,
        }
        return await self.desk.open(Request(**request | values))

    async def complete(self, number: int = 1, **choices: Any) -> Case:
        return (await self.desk.complete(number, Choices("jan", int(self.house.now), **choices)))[0]

    async def mail(self, *kinds: MailKind) -> list[Outgoing]:
        return [row for row in await self.store.outgoing() if row.kind in kinds or not kinds]

    async def deliver(self, state: MailState = MailState.DELIVERED, *kinds: MailKind) -> None:
        """What is queued arrives, or not; then the cases are looked at."""
        for row in await self.mail(*kinds):
            if row.state is MailState.QUEUED:
                await self.store.settled(row.id, state, "", self.house.now)
        await tally(self.house.organisation, self.store, self.house.now, self.house.effects.closed)

    def queued(self) -> list[str]:
        """Mail of clients; the reports that tell them of its end are the gateway's own."""
        return [entry.message for entry in self.house.queue() if entry.client != "gateway"]

    async def share(self, *names: str) -> None:
        for name in names:
            await self.house.record(EventKind.SHARED, third_party=name, message=f"m-{name}", purpose="order")


@asynccontextmanager
async def front_of(folder: Path, name: str = "kleine-parel") -> AsyncIterator[Front]:
    async with house(folder, name, third_parties=PARTIES) as made:
        store = open_cases(folder, name, {1: b"c" * 32}, made.pseudonyms)
        yield Front(made, store)
        await store.close()


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with front_of(tmp_path) as made:
        yield made


@pytest.fixture
async def publisher(tmp_path: Path) -> AsyncIterator[Front]:
    async with front_of(tmp_path, "rezulto") as made:
        yield made


async def test_s31_sending_is_blocked_at_intake_and_only_the_reply_ends_the_case(front: Front) -> None:
    await front.house.put(WHO)
    opened = await front.open()
    assert ("restriction", "everything") in await front.house.blocks()
    assert front.queued() == [], "queued mail of that person is gone"
    assert await front.mail() == [], "an erasure gets its one reply, no receipt (S-33)"
    assert opened.case.due == date(2027, 2, 14)
    await front.complete()
    assert await front.house.blocks() == {("erasure", "everything")}
    await front.desk.close(1, "jan")
    assert [row.kind for row in await front.mail()] == [MailKind.REPLY]
    with pytest.raises(DeskRefused):
        await front.desk.close(1, "jan")
    await front.deliver()
    with pytest.raises(NoSuchCase):
        await front.store.case(1)
    (row,) = await front.store.register()
    assert (row.kind, row.outcome, row.number, row.days) == (CaseKind.ERASURE, Outcome.GRANTED, None, 7)


async def test_a_crash_before_the_case_is_stored_leaves_the_block(front: Front, monkeypatch: Any) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(front.store, "open", fails)
    with pytest.raises(RuntimeError):
        await front.open()
    assert ("restriction", "everything") in await front.house.blocks()


async def test_s32_a_crash_between_erasing_and_noting_it_loses_no_notice(front: Front, monkeypatch: Any) -> None:
    """The ledger is gone by then; the notices were prepared before, and wait."""
    await front.share("alfa", "beta")
    await front.open()
    whole = front.store.step

    async def fails(case: Case, step: Any, *more: Any, **named: Any) -> Case:
        if named.get("release"):
            raise RuntimeError("power cut")
        return await whole(case, step, *more, **named)

    monkeypatch.setattr(front.store, "step", fails)
    with pytest.raises(RuntimeError):
        await front.complete()
    assert await front.house.blocks() == {("erasure", "everything")}
    assert {row.state for row in await front.mail()} == {MailState.PREPARED}
    monkeypatch.setattr(front.store, "step", whole)
    await front.complete()
    assert sorted((row.third_party, row.state) for row in await front.mail()) == [
        ("alfa", MailState.QUEUED),
        ("beta", MailState.QUEUED),
    ]


async def test_s32_one_notice_per_third_party_and_the_case_waits_for_them(front: Front) -> None:
    await front.share("alfa", "beta", "alfa")
    await front.open()
    case = await front.complete()
    assert case.state is CaseState.WAITING
    assert sorted(row.third_party for row in await front.mail()) == ["alfa", "beta"]
    with pytest.raises(DeskRefused, match="still under way"):
        await front.desk.close(1, "jan")
    await front.deliver()
    assert (await front.store.case(1)).state is CaseState.OPEN
    await front.desk.close(1, "jan")


async def test_s32_a_bounced_notice_keeps_the_case_open_until_it_arrives_or_they_are_told(front: Front) -> None:
    await front.share("alfa", "beta")
    await front.open()
    await front.complete()
    await front.deliver(MailState.FAILED)
    case = await front.store.case(1)
    assert case.state is CaseState.OPEN
    assert (await front.store.steps(1))[-1].what == "mail did not arrive: notice"
    with pytest.raises(DeskRefused, match="did not arrive"):
        await front.desk.close(1, "jan")
    first, second = await front.mail()
    await front.desk.told(1, first.id, "jan", "gebeld met Alfa")
    await front.desk.resend(1, second.id, "jan")
    with pytest.raises(DeskRefused, match="still under way"):
        await front.desk.close(1, "jan")
    await front.deliver()
    await front.desk.close(1, "jan")
    await front.deliver()
    assert await front.store.cases() == []


async def test_l18_rectification_and_restriction_tell_third_parties_too(front: Front) -> None:
    await front.share("alfa")
    await front.open(CaseKind.RESTRICTION)
    await front.complete()
    await front.open(CaseKind.RECTIFICATION, new_address="anna@elders.example")
    await front.complete(2)
    assert [row.third_party for row in await front.mail(MailKind.NOTICE)] == ["alfa", "alfa"]
    bodies = [(await front.store.mail(row.id)).mail for row in await front.mail(MailKind.NOTICE)]
    assert b"anna@elders.example" in bodies[1]


async def test_l14_doubt_makes_it_pending_with_one_mail_and_the_code_opens_it(front: Front) -> None:
    queued = await front.house.put(WHO)
    opened = await front.open(doubt=True, channel=Channel.PHONE)
    assert opened.case.state is CaseState.PENDING
    assert ("restriction", "everything") in await front.house.blocks()
    assert front.queued() == [queued], "held, not destroyed: it may not be them"
    (mail,) = await front.mail()
    assert mail.kind is MailKind.PROOF
    code = opened.case.content.code
    assert code.encode() in (await front.store.mail(mail.id)).mail
    with pytest.raises(DeskRefused, match="not proven"):
        await front.complete()
    with pytest.raises(DeskRefused, match="not the code"):
        await front.desk.verify(1, "jan", code="0000000000")
    with pytest.raises(DeskRefused, match="expected --code"):
        await front.desk.verify(1, "jan")
    assert (await front.desk.verify(1, "jan", code=f" {code.lower()} ")).state is CaseState.OPEN
    assert front.queued() == []
    with pytest.raises(DeskRefused, match="awaits no proof"):
        await front.desk.verify(1, "jan", how="again")


async def test_l14_a_refused_erasure_gives_everything_back_and_says_why(front: Front) -> None:
    await front.open(doubt=True)
    with pytest.raises(DeskRefused, match="reason"):
        await front.complete(grant=False)
    await front.complete(grant=False, reason="Het verzoek kwam niet van u.")
    assert await front.house.blocks() == set()
    await front.desk.close(1, "jan")
    (reply,) = await front.mail(MailKind.REPLY)
    assert b"Het verzoek kwam niet van u." in (await front.store.mail(reply.id)).mail
    await front.deliver()
    assert [row.outcome for row in await front.store.register()] == [Outcome.REFUSED]


async def test_s57_an_extension_needs_room_a_reason_and_the_first_month(publisher: Front) -> None:
    await publisher.open(CaseKind.ACCESS)
    with pytest.raises(DeskRefused, match="reason"):
        await publisher.desk.extend(1, "jan", " ")
    case = await publisher.desk.extend(1, "jan", "veel gegevens")
    assert (case.extended, case.due) == (True, date(2027, 4, 15))
    (notice,) = await publisher.mail(MailKind.EXTENSION)
    assert b"15 april 2027" in (await publisher.store.mail(notice.id)).mail
    with pytest.raises(DeskRefused, match="already"):
        await publisher.desk.extend(1, "jan", "nog meer")
    publisher.house.now += 32 * 86400
    await publisher.open(CaseKind.ACCESS, received=TODAY)
    with pytest.raises(DeskRefused, match="first month is over"):
        await publisher.desk.extend(2, "jan", "te laat")
    assert len(await publisher.mail(MailKind.EXTENSION)) == 1


async def test_s57_no_notice_no_extension(publisher: Front) -> None:
    await publisher.open(CaseKind.ACCESS, address="", name="Anna", channel=Channel.LETTER)
    with pytest.raises(DeskRefused, match="no mail address"):
        await publisher.desk.extend(1, "jan", "veel")


async def test_d04_where_thirty_days_were_promised_without_more_there_is_no_extension(front: Front) -> None:
    await front.open(CaseKind.ACCESS)
    with pytest.raises(DeskRefused, match="no room"):
        await front.desk.extend(1, "jan", "veel")


async def test_s63_lifting_a_restriction_is_announced_first_and_ends_the_case(front: Front) -> None:
    await front.share("alfa")
    await front.open(CaseKind.RESTRICTION)
    with pytest.raises(DeskRefused, match="no restriction in force"):
        await front.desk.announce(1, "jan", "klaar")
    await front.complete()
    await front.deliver()
    await front.desk.close(1, "jan")
    await front.deliver()
    case = await front.store.case(1)
    assert (case.state, case.ended) == (CaseState.OPEN, 0.0), "answered, and open while it is in force"
    with pytest.raises(DeskRefused, match="announce it"):
        await front.desk.lift(1, "jan", "klaar")
    await front.desk.announce(1, "jan", "de controle is klaar")
    with pytest.raises(DeskRefused, match="announced already"):
        await front.desk.announce(1, "jan", "de controle is klaar")
    with pytest.raises(DeskRefused, match="announce it"):
        await front.desk.lift(1, "jan", "klaar")
    assert ("restriction", "everything") in await front.house.blocks()
    await front.deliver()
    await front.desk.lift(1, "jan", "klaar")
    assert await front.house.blocks() == set()
    assert [row.third_party for row in await front.mail(MailKind.NOTICE) if row.state is MailState.QUEUED] == ["alfa"]
    await front.deliver()
    assert (await front.store.cases(closed=True))[0].number == 1


async def test_s63_where_no_mail_arrives_the_person_is_told_in_another_way(front: Front) -> None:
    await front.open(CaseKind.RESTRICTION)
    await front.complete()
    await front.desk.close(1, "jan", by=Channel.LETTER)
    await front.desk.announce(1, "jan", "klaar")
    await front.deliver(MailState.FAILED)
    await front.desk.lift(1, "jan", "klaar", told="brief van 3 maart")
    assert await front.store.cases() == []


@pytest.mark.parametrize("kind", [CaseKind.QUESTION, CaseKind.TIP, CaseKind.COMPLAINT])
async def test_s34_questions_tips_and_complaints_are_confirmed_and_answered(front: Front, kind: CaseKind) -> None:
    await front.open(kind, text="Hoe laat?")
    with pytest.raises(DeskRefused, match="answer only"):
        await front.complete()
    with pytest.raises(DeskRefused, match="text of the answer"):
        await front.desk.close(1, "jan")
    await front.desk.close(1, "jan", text="Negen uur.")
    assert [row.kind for row in await front.mail()] == [MailKind.RECEIPT, MailKind.REPLY]
    await front.deliver()
    (row,) = await front.store.register()
    assert (row.kind, row.outcome, row.number) == (kind, Outcome.ANSWERED, 1)


async def test_s33_a_reply_that_bounces_opens_the_case_again_and_a_letter_closes_it(front: Front) -> None:
    await front.open(CaseKind.QUESTION)
    await front.desk.close(1, "jan", text="Ja.")
    await front.deliver(MailState.FAILED, MailKind.REPLY)
    case = await front.store.case(1)
    assert (case.state, case.answered) == (CaseState.OPEN, 0.0)
    await front.desk.close(1, "jan", text="Ja.", by=Channel.LETTER)
    assert await front.store.cases() == []


async def test_a_receipt_that_bounces_keeps_nothing_open(front: Front) -> None:
    await front.open(CaseKind.QUESTION)
    await front.deliver(MailState.FAILED)
    await front.desk.close(1, "jan", text="Ja.")
    await front.deliver()
    assert await front.store.cases() == []


async def test_a_person_known_by_name_only_is_answered_by_letter(front: Front) -> None:
    opened = await front.open(address="", name="Anna", channel=Channel.LETTER)
    assert opened.done == ("no address known: nothing to block",)
    await front.complete()
    with pytest.raises(DeskRefused, match="--by"):
        await front.desk.close(1, "jan")
    await front.desk.close(1, "jan", by=Channel.LETTER)
    assert await front.store.cases() == []


async def test_s66_a_letter_counts_from_the_day_it_came_in(front: Front) -> None:
    opened = await front.open(CaseKind.ACCESS, received=date(2027, 1, 10), channel=Channel.LETTER)
    assert opened.case.due == date(2027, 2, 9)


async def test_s59_an_objection_by_phone_acts_at_once_and_keeps_its_legal_date(publisher: Front) -> None:
    opened = await publisher.open(
        CaseKind.OBJECTION, scope=Scope(ScopeKind.MARKETING), received=date(2027, 1, 11), channel=Channel.PHONE
    )
    assert ("objection", "marketing") in await publisher.house.blocks()
    assert opened.case.ceiling == date(2027, 2, 8)
    assert opened.case.due == date(2027, 2, 8)
    assert opened.case.effective == opened.case.entered


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"kind": CaseKind.OBJECTION}, "--scope"),
        ({"kind": CaseKind.RECTIFICATION}, "right address"),
        ({"address": "", "name": ""}, "--to or --name"),
    ],
)
async def test_a_request_that_lacks_something_changes_nothing(front: Front, values: dict[str, Any], why: str) -> None:
    with pytest.raises(DeskRefused, match=why):
        await front.open(**values)
    assert await front.store.cases() == []
    assert await front.house.blocks() == set()


async def test_an_effect_that_is_refused_leaves_the_case_as_it_was(front: Front) -> None:
    await front.open()
    with pytest.raises(EffectRefused):
        await front.complete(keep=("order-9",))
    case = await front.store.case(1)
    assert (case.completed, case.outcome) == (0.0, None)
    await front.complete()


async def test_a_request_taken_back_is_undone_and_confirmed(front: Front) -> None:
    await front.open()
    await front.desk.withdraw(1, "jan", "U belde dat het een vergissing was.")
    assert await front.house.blocks() == set()
    (reply,) = await front.mail()
    assert b"vergissing" in (await front.store.mail(reply.id)).mail
    await front.deliver()
    assert [row.outcome for row in await front.store.register()] == [Outcome.TAKEN_BACK]


async def test_access_sends_its_papers_with_the_reply(front: Front) -> None:
    await front.open(CaseKind.ACCESS)
    await front.complete()
    await front.desk.close(1, "jan")
    (reply,) = await front.mail(MailKind.REPLY)
    assert b'filename="x.zip"' in (await front.store.mail(reply.id)).mail


async def test_two_operators_at_once_send_one_reply(front: Front, tmp_path: Path) -> None:
    await front.open(CaseKind.QUESTION)
    other = open_cases(tmp_path, "kleine-parel", {1: b"c" * 32}, front.house.pseudonyms)
    stale = await other.case(1)
    await front.desk.close(1, "jan", text="Ja.")

    class Late(SQLiteCases):
        async def case(self, number: int) -> Case:
            return stale

    late = Late(other._path, other._keys, front.house.pseudonyms)
    with pytest.raises(CaseChanged):
        await replace(front.desk, store=late).close(1, "piet", text="Nee.")
    assert len(await front.mail(MailKind.REPLY)) == 1
    await late.close()
    await other.close()


async def test_notes_are_sealed_with_the_case(front: Front) -> None:
    await front.open()
    case = await front.desk.note(1, "jan", "belde nog eens")
    assert case.content.notes == ("belde nog eens",)
    assert case.person == front.house.pseudonyms.person(Address.parse(WHO))
