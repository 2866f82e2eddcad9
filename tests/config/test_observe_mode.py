"""Which streams of a client are observed, and until when."""

from __future__ import annotations

from datetime import UTC, date, datetime

from gateway.config.observe_mode import in_force, notices
from gateway.config.organisation import Organisation
from gateway.decision import Stream
from tests.house import SETTINGS, with_client

UNTIL = date(2027, 1, 31)


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


def observing(**more: object) -> Organisation:
    return with_client("crm", observe=[{"stream": "newsletter", "until": UNTIL, **more}])


def test_it_lasts_to_the_end_of_the_day_where_the_organisation_is() -> None:
    rules = observing()
    assert in_force(rules, "crm", at(2026, 12, 1)) == {Stream.NEWSLETTER: UNTIL}
    assert in_force(rules, "crm", at(2027, 1, 31, 22, 59)) == {Stream.NEWSLETTER: UNTIL}
    assert in_force(rules, "crm", at(2027, 1, 31, 23, 0)) == {}, "midnight in Amsterdam"


def test_it_is_the_clients_own() -> None:
    rules = observing()
    assert in_force(rules, "office", at(2026, 12, 1)) == {}
    assert in_force(rules, "stranger", at(2026, 12, 1)) == {}


def test_a_time_zone_that_cannot_be_read_observes_nothing() -> None:
    rules = observing().model_copy(update={"time_zone": "Nowhere/Here"})
    assert in_force(rules, "crm", at(2026, 12, 1)) == {}


def test_what_is_in_force_is_said_and_what_is_past_is_said_too() -> None:
    (now,) = notices([observing()], at(2026, 12, 1))
    assert now == (
        "school: newsletter of client crm is only observed until 2027-01-31: "
        "missing consents and marks do not stop mail"
    )
    (past,) = notices([observing()], at(2027, 3, 1))
    assert past.endswith("was observed until 2027-01-31, which is past: without effect, remove it")
    assert notices([Organisation.model_validate(SETTINGS)], at(2026, 12, 1)) == []
