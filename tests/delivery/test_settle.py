"""What each kind of outcome writes down and tells, without any loop around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.decision import Action, Decision, Variant
from gateway.delivery.answers import Answer, Verb
from gateway.delivery.letter import NOTICED, Letter
from gateway.delivery.outcome import Job, Kind, Outcome
from gateway.delivery.schedule import Schedule
from gateway.delivery.settle import Place, settle
from gateway.reply import BLOCKED
from gateway.spool.protocol import State
from tests.delivery.test_letter import ENTRY, KEYS, OPENED

PLACE = Place("p", "mx.provider.example", 500.0)
SCHEDULE = Schedule((60.0, 120.0), 1000.0, 300.0)
NO = Answer.read(Verb.RCPT, 450, "4.2.1 <jan@people.example> busy")


def job(**row: object) -> Job:
    made = Job(None, ENTRY)  # type: ignore[arg-type] no spool is touched
    made.opened = OPENED
    made.letter = Letter.read(ENTRY, type(OPENED)(OPENED.message, {**OPENED.row, **row}, b""), KEYS)
    return made


@pytest.mark.parametrize(
    ("outcome", "state", "what", "reported"),
    [
        (Outcome(Kind.DELIVERED), State.DELIVERED, ["delivered"], ""),
        (Outcome(Kind.RETRY, "450", "4.2.1", NO), State.QUEUED, ["deferred"], ""),
        (Outcome(Kind.RETRY, "lost", "4.4.2", uncertain=True), State.QUEUED, ["uncertain"], ""),
        (Outcome(Kind.POSTPONED, wait=10.0), State.QUEUED, [], ""),
        (Outcome(Kind.FAILED, "no", "5.1.1"), State.FAILED, ["failed"], "failed"),
        (Outcome(Kind.BLOCKED, "no", "5.7.1"), State.BLOCKED, ["blocked"], "failed"),
        (Outcome(Kind.HELD, "wait"), State.HELD, ["held"], ""),
    ],
)
def test_every_kind_has_its_state_audit_and_report(
    outcome: Outcome, state: State, what: list[str], reported: str
) -> None:
    made = settle(job(notify=[]), outcome, PLACE, SCHEDULE, 100.0)
    assert made.state is state
    assert [row.what for row in made.audit] == what
    assert (made.report.action if made.report else "") == reported


def test_a_retry_is_counted_and_a_postponement_is_not() -> None:
    tried = settle(job(), Outcome(Kind.RETRY, "x", "4.0.0"), PLACE, SCHEDULE, 100.0).update
    waited = settle(job(), Outcome(Kind.POSTPONED, wait=7.0), PLACE, SCHEDULE, 100.0).update
    assert (tried.attempts, tried.due) == (1, 160.0)
    assert (waited.attempts, waited.due) == (None, 107.0)


@pytest.mark.parametrize(("rule", "named"), [("erasure", False), ("restriction", True)])
def test_s31_of_an_erased_person_no_dated_row_is_made(rule: str, named: bool) -> None:
    decision = Decision(Action.REFUSE, rule, "in force", Variant("nl"), reply=BLOCKED)
    row = job()
    row.entry = replace(row.entry, person_exact=b"e" * 32)
    made = settle(row, Outcome(Kind.BLOCKED, decision=decision), PLACE, SCHEDULE, 100.0)
    assert bool(made.audit[0].pseudonym) is named


def test_a_hold_ends() -> None:
    assert settle(job(), Outcome(Kind.HELD), PLACE, SCHEDULE, 100.0).update.until == 600.0


def test_the_delay_is_told_once_and_only_to_who_wants_it() -> None:
    late = Outcome(Kind.RETRY, "x", "4.2.1", NO)
    first = settle(job(notify=["DELAY"]), late, PLACE, SCHEDULE, 300.0)
    assert first.report is not None
    assert (first.report.action, first.report.retry_until) == ("delayed", 1000.0)
    assert first.update.sealed is not None
    again = settle(job(**first.update.sealed), late, PLACE, SCHEDULE, 400.0)
    assert (again.report, again.update.sealed) == (None, None)
    assert first.update.sealed[NOTICED] is True
    assert settle(job(notify=["FAILURE"]), late, PLACE, SCHEDULE, 300.0).report is None


def test_giving_up_is_told_with_the_last_answer() -> None:
    made = settle(job(notify=[]), Outcome(Kind.RETRY, "450 at rcpt", "4.2.1", NO), PLACE, SCHEDULE, 1000.0)
    assert made.state is State.FAILED
    assert made.report is not None
    assert (made.report.status, made.report.remote_mta) == ("5.4.7", "mx.provider.example")
    assert [row.what for row in made.audit] == ["deferred", "failed"]


def test_the_audit_explains_and_names_nobody() -> None:
    decision = Decision(Action.REFUSE, "opt-out", "block marketing", Variant("nl"), reply=BLOCKED)
    outcome = Outcome(Kind.BLOCKED, "no", "5.7.1", NO, decision=decision)
    (row,) = settle(job(notify=[]), outcome, PLACE, SCHEDULE, 100.0).audit
    assert row.detail["rule"] == "opt-out"
    assert row.detail["fact"] == "block marketing"
    assert (row.detail["code"], row.detail["status"]) == (450, "4.2.1")
    assert "@" not in str(row)


def test_a_report_prints_no_address() -> None:
    made = settle(job(notify=[]), Outcome(Kind.FAILED, "no", "5.1.1", NO), PLACE, SCHEDULE, 100.0)
    assert "jan" not in repr(made.report).lower()
