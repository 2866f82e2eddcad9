"""What the register keeps of a case that ended, and what it never keeps of an erasure."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import date

from gateway.cases.protocol import CaseKind, Channel, Outcome
from gateway.rights.register import registered
from tests.rights.house import NOW, example
from tests.rights.test_replies import case

PAREL = example().organisations[0]


def test_s35_a_row_of_another_kind_keeps_number_days_and_channel() -> None:
    done = replace(case(CaseKind.ACCESS), outcome=Outcome.PARTLY, answered=NOW)
    row = registered(PAREL, done, NOW + 86400)
    assert row is not None
    assert astuple(row) == (
        CaseKind.ACCESS, "2027-Q1", Outcome.PARTLY, 5, False, 12, date(2027, 1, 10), date(2027, 1, 16), Channel.EMAIL,
    )  # fmt: skip


def test_s35_two_erasures_of_one_quarter_cannot_be_told_apart() -> None:
    first = replace(case(), number=3, received=date(2027, 1, 10), outcome=Outcome.GRANTED, answered=NOW)
    second = replace(case(), number=9, received=date(2027, 2, 3), channel=Channel.PHONE, answered=NOW + 21 * 86400)
    rows = [
        registered(PAREL, first, NOW),
        registered(PAREL, replace(second, outcome=Outcome.GRANTED), NOW + 22 * 86400),
    ]
    assert rows[0] == rows[1]
    assert rows[0] is not None
    assert (rows[0].number, rows[0].received, rows[0].closed, rows[0].channel) == (None,) * 4


def test_late_counts_from_the_answer_not_from_the_delivery() -> None:
    in_time = replace(case(CaseKind.TIP), due=date(2027, 1, 15), answered=NOW)
    row, late = (
        registered(PAREL, in_time, NOW + 9e5),
        registered(PAREL, replace(in_time, answered=NOW + 9e5), NOW + 9e5),
    )
    assert row is not None
    assert late is not None
    assert (row.late, late.late) == (False, True)


def test_d06_an_organisation_may_keep_no_register() -> None:
    rights = PAREL.rights.model_copy(update={"register_requests": False})
    assert registered(PAREL.model_copy(update={"rights": rights}), case(), NOW) is None
