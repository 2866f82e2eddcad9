"""The steps of a breach and its 72 hours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.rights import breach
from gateway.rights.breach import BreachRefused, Incident, iso, moment

FOUND = moment("2026-11-22T09:00:00Z")
HOUR = 3600.0


def incident(**changes: Any) -> Incident:
    return Incident(**{"discovered": iso(FOUND), "kind": "lost laptop", "people": 3, **changes})


def complete(**changes: Any) -> Incident:
    whole = {"consequences": "none known", "measures": "wiped", "authority_at": iso(FOUND), "people_why": "low risk"}
    return incident(**{**whole, **changes})


def test_l26_the_clock_runs_72_hours_from_the_discovery() -> None:
    assert iso(incident().due) == "2026-11-25T09:00:00Z"
    assert incident().hours_left(FOUND + 71 * HOUR) == 1
    assert incident().hours_left(FOUND + 73 * HOUR) == -1


@pytest.mark.parametrize("text", ["2026-11-22T10:00:00+01:00", "2026-11-22T09:00", "2026-11-22T09:00:00Z"])
def test_moments_without_an_offset_are_utc(text: str) -> None:
    assert moment(text) == FOUND


def test_what_is_recorded_comes_back() -> None:
    noted = breach.noted(complete(categories=("name",), messages=("m1",)), FOUND, "jan", "looked into it")
    assert Incident.from_json(json.loads(json.dumps(noted.to_json()))) == noted


@pytest.mark.parametrize("changes", [{"kind": " "}, {"people": -1}, {"discovered": "yesterday"}])
def test_a_breach_that_says_nothing_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        incident(**changes)


def test_a_row_of_a_newer_program_is_not_read_by_halves() -> None:
    with pytest.raises(ValueError, match="newer version: it has shape"):
        Incident.from_json({**incident().to_json(), "shape": 1})


def test_a_note_says_who_and_changes_what_it_names() -> None:
    noted = breach.noted(incident(), FOUND + HOUR, "jan", "counted again", people=5)
    assert (noted.people, noted.notes[0].who, noted.notes[0].at) == (5, "jan", "2026-11-22T10:00:00Z")


def test_gdpr33_the_authority_was_told_or_it_says_why_not() -> None:
    now = FOUND + 10 * HOUR
    assert breach.notified(incident(), now, "jan", "authority", at=FOUND + HOUR).authority_at == iso(FOUND + HOUR)
    quiet = breach.notified(incident(), now, "jan", "authority", why="no risk: the disk is encrypted")
    assert (quiet.settled, quiet.authority_at) == (True, "")
    for at, why in ((None, ""), (None, " "), (now + 1, ""), (FOUND - 1, "")):
        with pytest.raises(BreachRefused):
            breach.notified(incident(), now, "jan", "authority", at=at, why=why)


def test_gdpr33_telling_the_authority_late_says_why() -> None:
    late = FOUND + 80 * HOUR
    with pytest.raises(BreachRefused, match="72 hours"):
        breach.notified(incident(), late, "jan", "authority", at=late)
    assert breach.notified(incident(), late, "jan", "authority", at=late, why="found out slowly").authority_why
    assert breach.notified(incident(), late, "jan", "people", at=late).people_at, "people have no such term"


@pytest.mark.parametrize("lacks", ["consequences", "measures", "authority_at", "people_why"])
def test_gdpr33_5_a_breach_is_closed_only_when_the_register_says_everything(lacks: str) -> None:
    with pytest.raises(BreachRefused, match="the register must say first"):
        breach.closed(complete(**{lacks: ""}), FOUND, "jan", "done")
    closed = breach.closed(complete(), FOUND + HOUR, "jan", "done")
    assert (closed.closed_at, closed.closed_by) == (iso(FOUND + HOUR), "jan")


def test_a_closed_breach_does_not_change() -> None:
    closed = breach.closed(complete(), FOUND, "jan", "done")
    for step in (
        lambda: breach.noted(closed, FOUND, "jan", "more"),
        lambda: breach.notified(closed, FOUND, "jan", "people", why="x"),
        lambda: breach.closed(closed, FOUND, "jan", "again"),
    ):
        with pytest.raises(BreachRefused, match="closed"):
            step()
