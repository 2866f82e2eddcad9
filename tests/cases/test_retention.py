"""Register rows and breaches past their term."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from gateway.cases.protocol import CaseKind, Outcome, Registered
from gateway.cases.retention import CLOSED, closed_at, closed_on
from gateway.cases.sqlite import SQLiteCases
from tests.cases.house import NOW, STEP, new, store


@pytest.fixture
async def cases(tmp_path: Path) -> AsyncIterator[SQLiteCases]:
    made = store(tmp_path)
    yield made
    await made.close()


def registered(quarter: str, closed: date | None = None) -> Registered:
    return Registered(CaseKind.ACCESS, quarter, Outcome.GRANTED, 7, False, closed=closed)


@pytest.mark.parametrize(
    ("quarter", "day"),
    [("2024-Q1", date(2024, 3, 31)), ("2024-Q2", date(2024, 6, 30)), ("2024-Q3", date(2024, 9, 30)),
     ("2024-Q4", date(2024, 12, 31))],
)  # fmt: skip
def test_an_erasure_is_as_old_as_the_end_of_its_quarter(quarter: str, day: date) -> None:
    assert closed_on(registered(quarter)) == day
    assert closed_on(registered(quarter, date(2024, 5, 6))) == date(2024, 5, 6), "others say their day"


async def test_s56_register_rows_go_when_they_were_closed_before_that_day(cases: SQLiteCases) -> None:
    for closed in (date(2021, 11, 21), date(2021, 11, 22), None):
        case = await cases.open(new(CaseKind.ERASURE if closed is None else CaseKind.ACCESS), STEP)
        row = registered("2021-Q3" if closed is None else "2021-Q4", closed)
        await cases.finish(case, STEP, row)
    assert await cases.purge(date(2021, 11, 22), 0.0) == (2, 0)
    assert [row.closed for row in await cases.register()] == [date(2021, 11, 22)]


async def test_s56_closed_breaches_go_and_open_ones_never(cases: SQLiteCases) -> None:
    for state, moment in ((CLOSED, "2021-01-01T00:00:00Z"), (CLOSED, "2026-01-01T00:00:00Z"), ("open", "")):
        await cases.breach_add(NOW, state, {"closed_at": moment})
    await cases.breach_add(0.0, CLOSED, {})  # closed by a program that said no time: stays until somebody looks
    assert await cases.purge(date.min, closed_at({"closed_at": "2022-01-01T00:00:00Z"})) == (0, 1)
    assert [b.number for b in await cases.breach_list()] == [2, 3, 4]


@pytest.mark.parametrize("detail", [{}, {"closed_at": ""}, {"closed_at": 7}, None, "text"])
def test_a_breach_that_says_no_time_has_none(detail: object) -> None:
    assert closed_at(detail) == 0.0
