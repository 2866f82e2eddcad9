"""What follows when mail got its final status; the steps around it are in test_desk.py."""

from __future__ import annotations

from pathlib import Path

from gateway.cases.protocol import Case, CaseKind, CaseState, Change, MailKind, MailState, Outcome
from gateway.cases.sqlite import SQLiteCases
from gateway.rights.closing import finish_if_done, tally
from tests.cases.house import NOW, STEP, new, outgoing, store
from tests.rights.house import example

PAREL = example().organisations[0]
ANSWERED = Change(state=CaseState.WAITING, outcome=Outcome.GRANTED, answered=NOW, ended=NOW)


async def waiting(folder: Path, kind: CaseKind = CaseKind.ACCESS) -> tuple[SQLiteCases, Case]:
    cases = store(folder)
    case = await cases.open(new(kind), STEP)
    return cases, await cases.step(case, STEP, ANSWERED, [outgoing(kind=MailKind.REPLY)])


async def nothing(_: Case) -> None:
    pass


async def test_nothing_happens_while_mail_is_under_way(tmp_path: Path) -> None:
    cases, case = await waiting(tmp_path)
    assert await tally(PAREL, cases, NOW, nothing) == 0
    assert not await finish_if_done(PAREL, cases, case, NOW, nothing)
    await cases.close()


async def test_the_last_traces_go_before_the_case_is_forgotten(tmp_path: Path) -> None:
    cases, case = await waiting(tmp_path)
    await cases.settled("a" * 20, MailState.DELIVERED, "", NOW)
    seen = []

    async def closed(about: Case) -> None:
        seen.append((about.number, about.person, len(await cases.cases())))

    assert await tally(PAREL, cases, NOW, closed) == 1
    assert seen == [(case.number, case.person, 1)]
    assert await cases.cases() == []
    await cases.close()


async def test_when_the_last_traces_cannot_go_the_case_stays(tmp_path: Path) -> None:
    cases, _ = await waiting(tmp_path)
    await cases.settled("a" * 20, MailState.DELIVERED, "", NOW)

    async def fails(_: Case) -> None:
        raise OSError("disk")

    for _ in range(2):
        try:
            await tally(PAREL, cases, NOW, fails)
        except OSError:
            continue
    assert len(await cases.cases()) == 1
    assert await tally(PAREL, cases, NOW, nothing) == 1
    assert [row.number for row in await cases.register()] == [1]
    await cases.close()


async def test_a_failed_notice_of_an_answered_case_does_not_undo_its_answer(tmp_path: Path) -> None:
    cases, case = await waiting(tmp_path, CaseKind.RESTRICTION)
    await cases.settled("a" * 20, MailState.DELIVERED, "", NOW)
    await cases.step(case, STEP, Change(), [outgoing("b" * 20, MailKind.NOTICE, third_party="alfa")])
    await cases.settled("b" * 20, MailState.FAILED, "", NOW)
    assert await tally(PAREL, cases, NOW, nothing) == 1
    found = await cases.case(1)
    assert (found.state, found.answered, found.ended) == (CaseState.OPEN, NOW, NOW)
    await cases.close()
