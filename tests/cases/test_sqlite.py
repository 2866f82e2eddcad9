"""The cases of one organisation: steps with their mail in one commit, and nothing left of a case that ended."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.cases.protocol import (
    CaseChanged,
    CaseKind,
    CaseState,
    CasesUnavailable,
    Change,
    Channel,
    MailKind,
    MailState,
    NoSuchCase,
    Outcome,
    Paper,
    Registered,
    Step,
)
from gateway.cases.sqlite import SQLiteCases, open_cases
from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Pseudonyms
from tests.cases.house import CONTENT, KEYS, NOW, PEOPLE, STEP, new, outgoing, store

DONE = Step(NOW + 5, "gateway", "closed")
PAPER = Paper("data.zip", "application/zip", b"PK zonderling\n\x00")
_DAYS = (date(2027, 1, 10), date(2027, 1, 13))
ROW = Registered(CaseKind.ACCESS, "2027-Q1", Outcome.GRANTED, 3, False, 1, *_DAYS, Channel.LETTER)
ERASED = Registered(CaseKind.ERASURE, "2027-Q1", Outcome.GRANTED, 7, False)
SECRETS = (b"anna@people", b"onderling", b"Gooi alles", b"belde", b"factuur", b"PK z")


@pytest.fixture
async def cases(tmp_path: Path) -> AsyncIterator[SQLiteCases]:
    opened = store(tmp_path)
    yield opened
    await opened.close()


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((folder / "cases").iterdir()))


async def test_a_case_comes_back_as_it_was_entered(cases: SQLiteCases) -> None:
    scope = Scope(ScopeKind.LIST, 7)
    entered = await cases.open(new(scope=scope, ceiling=date(2027, 2, 5)), STEP, [outgoing()])
    found = await cases.case(entered.number)
    assert found == entered
    assert (found.content, found.scope, found.ceiling) == (CONTENT, scope, date(2027, 2, 5))
    assert (found.number, found.version, found.state, found.extended) == (1, 1, CaseState.OPEN, False)
    assert await cases.steps(1) == [STEP]
    (row,) = await cases.outgoing(1, MailState.QUEUED)
    assert (await cases.mail(row.id)).mail == outgoing().mail


async def test_the_person_is_made_anew_from_the_sealed_address(tmp_path: Path) -> None:
    first = store(tmp_path)
    await first.open(new(), STEP)
    await first.close()
    rotated = Pseudonyms((b"k" * 32, b"n" * 32))
    later = store(tmp_path, people=rotated)
    assert (await later.case(1)).person == rotated.person(Address.parse(CONTENT.address))
    assert (await later.open(new(content=replace(CONTENT, address="")), STEP)).person is None
    await later.close()


async def test_i7_while_a_case_is_open_its_file_names_nobody(cases: SQLiteCases, tmp_path: Path) -> None:
    case = await cases.open(new(), STEP, [outgoing()])
    await cases.step(case, STEP, papers=[PAPER])
    found = raw(tmp_path)
    assert [secret for secret in SECRETS if secret in found] == []
    assert PEOPLE.person(Address.parse(CONTENT.address)).exact not in found


async def test_a_step_changes_what_it_says_and_posts_its_mail(cases: SQLiteCases) -> None:
    case = await cases.open(new(), STEP)
    change = Change(state=CaseState.WAITING, due=date(2027, 4, 10), extended=True, outcome=Outcome.PARTLY, answered=NOW)
    after = await cases.step(case, STEP, change, [outgoing()], [PAPER])
    expected = replace(
        case, version=2, state=CaseState.WAITING, due=date(2027, 4, 10), extended=True, outcome=Outcome.PARTLY,
        answered=NOW,
    )  # fmt: skip
    assert after == expected
    assert await cases.papers(1) == [PAPER]
    assert [row.kind for row in await cases.outgoing(1)] == [MailKind.RECEIPT]
    assert len(await cases.steps(1)) == 2


async def test_a_step_on_an_old_version_changes_nothing(cases: SQLiteCases) -> None:
    case = await cases.open(new(), STEP)
    await cases.step(case, STEP)
    with pytest.raises(CaseChanged):
        await cases.step(case, STEP, Change(state=CaseState.WAITING), [outgoing()])
    assert (await cases.case(1)).state is CaseState.OPEN
    assert await cases.outgoing(1) == []
    assert len(await cases.steps(1)) == 2


async def test_a_step_whose_mail_cannot_be_stored_did_not_happen(cases: SQLiteCases) -> None:
    case = await cases.open(new(), STEP, [outgoing()])
    with pytest.raises(CasesUnavailable):
        await cases.step(case, STEP, Change(outcome=Outcome.GRANTED), [outgoing()])  # an id that is in use
    assert await cases.case(1) == case


async def test_prepared_mail_is_queued_only_when_it_is_let_go(cases: SQLiteCases) -> None:
    case = await cases.open(new(), STEP, [outgoing(state=MailState.PREPARED)])
    assert await cases.outgoing(None, MailState.QUEUED) == []
    await cases.step(case, STEP, release=True)
    assert len(await cases.outgoing(None, MailState.QUEUED)) == 1


async def test_mail_goes_from_queued_to_moved_to_its_final_status(cases: SQLiteCases) -> None:
    await cases.open(new(), STEP, [outgoing()])
    await cases.moved("a" * 20, NOW + 1)
    await cases.settled("a" * 20, MailState.FAILED, "5.1.1", NOW + 2)
    (row,) = await cases.outgoing(1)
    assert (row.state, row.moved, row.final, row.status) == (MailState.FAILED, NOW + 1, NOW + 2, "5.1.1")
    await cases.settled("a" * 20, MailState.TOLD, "phone", NOW + 3)
    await cases.settled("a" * 20, MailState.DELIVERED, "late", NOW + 4)
    (row,) = await cases.outgoing(1)
    assert row.state is MailState.TOLD, "what was settled by hand stays"


async def test_mail_of_no_case_goes_when_it_is_settled(cases: SQLiteCases) -> None:
    await cases.post(outgoing(kind=MailKind.DIGEST), NOW)
    await cases.settled("a" * 20, MailState.DELIVERED, "", NOW)
    assert await cases.outgoing() == []
    with pytest.raises(NoSuchCase):
        await cases.mail("a" * 20)


async def test_a_closed_case_keeps_days_and_steps_and_nothing_that_was_sealed(cases: SQLiteCases) -> None:
    case = await cases.open(new(), STEP, [outgoing()])
    case = await cases.step(case, STEP, papers=[PAPER])
    await cases.finish(case, DONE, ROW)
    (closed,) = await cases.cases(closed=True)
    assert (closed.state, closed.person, closed.content.address) == (CaseState.CLOSED, None, "")
    assert [(s.what, s.note) for s in await cases.steps(1)] == [("opened", ""), ("opened", ""), ("closed", "")]
    assert await cases.papers(1) == []
    assert await cases.outgoing() == []
    assert await cases.cases() == []
    assert await cases.register() == [ROW]
    with pytest.raises(CaseChanged):
        await cases.step(closed, STEP)


@pytest.mark.parametrize("kind", [CaseKind.ACCESS, CaseKind.ERASURE])
async def test_s31_no_sealed_octet_stays_in_file_log_or_free_pages(
    cases: SQLiteCases, tmp_path: Path, kind: CaseKind
) -> None:
    """The ciphertext, the wrapped key and the id of the mail: all of it is overwritten."""
    case = await cases.open(new(kind, content=replace(CONTENT, text="x" * 20_000)), STEP, [outgoing()])
    case = await cases.step(case, STEP, papers=[PAPER])
    with sqlite3.connect(tmp_path / "cases" / "school.sqlite") as db:
        (content, wrapped), *_ = db.execute("SELECT sealed, wrapped FROM cases").fetchall()
        others = [
            row[0] for table in ("steps", "papers", "outbox") for row in db.execute(f"SELECT sealed FROM {table}")
        ]
    db.close()
    sealed = [content[-200:], content[:200], wrapped, *others]
    before = raw(tmp_path)
    assert all(octets in before for octets in sealed)
    await cases.finish(case, DONE, None)
    after = raw(tmp_path)
    assert [octets for octets in [*sealed, b"a" * 20] if octets in after] == []


async def test_s35_a_closed_erasure_leaves_no_case_no_step_and_no_number(cases: SQLiteCases) -> None:
    for _ in range(2):
        case = await cases.open(new(CaseKind.ERASURE), STEP, [outgoing()])
        assert (await cases.outgoing())[0].anonymous
        await cases.finish(case, DONE, ERASED)
    assert await cases.cases(closed=True) == []
    assert await cases.register() == [ERASED, ERASED], "two rows that cannot be told apart"
    with pytest.raises(NoSuchCase):
        await cases.case(1)


async def test_s35_the_order_of_the_register_says_nothing_about_the_order_of_erasures(
    cases: SQLiteCases, tmp_path: Path
) -> None:
    for days in range(12):
        case = await cases.open(new(CaseKind.ERASURE), STEP)
        await cases.finish(case, DONE, replace(ERASED, days=days))
    db = sqlite3.connect(tmp_path / "cases" / "school.sqlite")
    stored = [days for (days,) in db.execute("SELECT days FROM register")]
    db.close()
    assert sorted(stored) == list(range(12))
    assert stored != sorted(stored)


async def test_two_processes_see_each_others_steps(cases: SQLiteCases, tmp_path: Path) -> None:
    other = store(tmp_path)
    case = await cases.open(new(), STEP)
    assert await other.case(1) == case
    await other.step(case, STEP)
    with pytest.raises(CaseChanged):
        await cases.finish(case, DONE, None)
    await other.close()


async def test_open_cases_come_earliest_due_first(cases: SQLiteCases) -> None:
    for day in (9, 3, 6):
        await cases.open(new(due=date(2027, 2, day)), STEP)
    assert [case.due.day for case in await cases.cases()] == [3, 6, 9]


async def test_the_highest_key_seals_and_all_open_and_rewrap_brings_all_under_it(tmp_path: Path) -> None:
    first = store(tmp_path)
    await first.open(new(), STEP, [outgoing()])
    await first.breach_add(NOW, "open", {"what": "lost key"})
    await first.close()
    both = store(tmp_path, keys={1: KEYS[1], 2: b"d" * 32})
    assert (await both.case(1)).content == CONTENT
    assert await both.rewrap() == 3
    assert await both.rewrap() == 0
    await both.close()
    newest = store(tmp_path, keys={2: b"d" * 32})
    assert (await newest.case(1)).content == CONTENT
    assert (await newest.mail("a" * 20)).to == "anna@people.example"
    await newest.close()
    other = store(tmp_path, keys={1: KEYS[1]})
    with pytest.raises(CasesUnavailable, match="key 2"):
        await other.case(1)
    await other.close()


async def test_i12_a_file_of_another_organisation_does_not_open(tmp_path: Path) -> None:
    mine = store(tmp_path)
    await mine.open(new(), STEP)
    await mine.close()
    (tmp_path / "cases" / "school.sqlite").rename(tmp_path / "cases" / "shop.sqlite")
    theirs = open_cases(tmp_path, "shop", KEYS, PEOPLE)
    with pytest.raises(CasesUnavailable, match="does not fit"):
        await theirs.case(1)
    await theirs.close()


async def test_l26_breaches_are_kept_sealed_and_can_be_amended(cases: SQLiteCases, tmp_path: Path) -> None:
    number = await cases.breach_add(NOW, "open", {"what": "Zonderling's list", "people": 3})
    await cases.breach_update(number, "reported", {"what": "Zonderling's list", "people": 4})
    (breach,) = await cases.breach_list()
    assert (breach.number, breach.at, breach.state, breach.detail["people"]) == (number, NOW, "reported", 4)
    assert b"onderling" not in raw(tmp_path)
    with pytest.raises(NoSuchCase):
        await cases.breach_update(99, "open", {})


async def test_the_file_is_for_its_owner_only(cases: SQLiteCases, tmp_path: Path) -> None:
    await cases.cases()
    assert (tmp_path / "cases" / "school.sqlite").stat().st_mode & 0o077 == 0


async def test_a_file_of_a_newer_program_is_left_alone(cases: SQLiteCases, tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    db = sqlite3.connect(tmp_path / "cases" / "school.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(CasesUnavailable, match="schema 99"):
        await cases.cases()
