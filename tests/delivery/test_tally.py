"""Each outcome is counted and logged once, without an address."""

from __future__ import annotations

import pytest
from structlog.testing import CapturingLogger

from gateway.delivery.answers import Answer, Verb
from gateway.delivery.outcome import Kind, Outcome
from gateway.delivery.settle import settle
from gateway.delivery.tally import tally
from gateway.observe import maillog, metrics
from tests.delivery.test_settle import PLACE, SCHEDULE, job


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (Outcome(Kind.DELIVERED, answer=Answer(Verb.CONTENT, 250)), "sent"),
        (Outcome(Kind.RETRY, "450 at rcpt", "4.2.1"), "deferred"),
        (Outcome(Kind.FAILED, "550 5.1.1 at rcpt", "5.1.1"), "failed"),
        (Outcome(Kind.BLOCKED, "no", "5.7.1"), "blocked"),
        (Outcome(Kind.HELD, "wait"), "held"),
    ],
)
def test_one_line_per_outcome(outcome: Outcome, event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = CapturingLogger()
    monkeypatch.setattr(maillog, "_log", log)
    made = job(notify=[])
    tally(made, outcome, settle(made, outcome, PLACE, SCHEDULE, 9.0), "p", 9.0)
    (line,) = log.calls
    assert line.args == (event,)
    assert "@" not in str(line)


def test_answers_are_counted_by_code() -> None:
    counter = metrics.PROVIDER_ANSWERS.labels("school", "tallied", "450")
    made, outcome = job(), Outcome(Kind.RETRY, "x", "4.2.1", Answer(Verb.RCPT, 450))
    tally(made, outcome, settle(made, outcome, PLACE, SCHEDULE, 9.0), "tallied", 9.0)
    assert counter._value.get() == 1
