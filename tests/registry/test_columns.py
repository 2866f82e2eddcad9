"""What a column may hold, by the settings of the organisation."""

from __future__ import annotations

import pytest

from gateway.facts import Scope, ScopeKind
from gateway.registry.columns import COLUMNS, DETAIL, KINDS, Columns, check_date, column_of
from gateway.registry.events import details_of
from gateway.registry.protocol import EventKind
from tests.registry.test_importing import organisation

READ = Columns(organisation())


def test_every_kind_but_those_that_lift_or_move_can_come_in():
    missing = set(EventKind) - set(KINDS.values())
    assert missing == {EventKind.LIFTED, EventKind.RESTRICTION_LIFTED, EventKind.RECTIFIED}


def test_every_detail_of_every_kind_has_a_column():
    details = {name for kind in KINDS.values() for name in details_of(kind)} - {"by"}
    assert {column_of(name) for name in details} == set(DETAIL)
    assert len(set(COLUMNS)) == len(COLUMNS)


@pytest.mark.parametrize(
    ("patterns", "text", "at"),
    [
        (("iso",), "2024-01-31", 1_706_655_600),
        (("iso",), "2024-01-31T09:30+00:00", 1_706_693_400),
        (("unix",), "1706655600", 1_706_655_600),
        (("%d-%m-%Y",), "31-1-2024", 1_706_655_600),
        (("%d-%m-%Y %H:%M:%S", "%d/%m/%Y"), "31/01/2024", 1_706_655_600),
        (("%Y%m%d",), "20240131", 1_706_655_600),
        (("%d-%m-%Y",), "29-02-2024", 1_709_161_200),
    ],
)
def test_times_are_read_by_the_patterns_given_in_the_organisations_own_time(patterns, text, at):
    assert Columns(organisation(), patterns).moment(text) == at


@pytest.mark.parametrize("text", ["", "2024-02-30", "20240131", "31-01-2024", "12345678", "-1", "1e9", "٣٠٠٠٠٠٠٠٠٠"])
def test_what_is_no_time_is_refused_without_being_repeated(text):
    with pytest.raises(ValueError, match="expected a date") as error:
        READ.moment(text)
    assert not text or text not in str(error.value)


@pytest.mark.parametrize("pattern", ["", "%d-%m", "%d-%m-%Y %q", "%d-%d-%Y", "%A %d %m %Y", "dd-mm-yyyy"])
def test_a_pattern_that_says_no_day_is_refused(pattern):
    with pytest.raises(ValueError, match="%d, %m, %Y"):
        check_date(pattern)


@pytest.mark.parametrize(
    ("column", "text", "found"),
    [
        ("category", "Boeken", ("category", 6)),
        ("category", "6", ("category", 6)),
        ("declined", "Ja", ("declined", True)),
        ("free", "no", ("free", False)),
        ("language", "NL", ("language", "nl")),
        ("message", "77", ("message", 77)),
        ("message", "<a.b>", ("message", "<a.b>")),
        ("receipt", "read", ("kind", "read")),
        ("until", "2030-01-01", ("until", 1_893_452_400)),
        ("reference", "0012", ("reference", "0012")),
    ],
)
def test_details_are_read_by_their_kind(column, text, found):
    assert READ.detail(column, text) == found


@pytest.mark.parametrize(
    ("column", "text"),
    [("category", "pens"), ("category", "60"), ("declined", "perhaps"), ("language", "dutch"), ("client", "nobody")],
)
def test_what_the_settings_do_not_know_is_refused_with_what_they_do(column, text):
    with pytest.raises(ValueError, match="expected") as error:
        READ.detail(column, text)
    assert text not in str(error.value)


def test_scopes_and_topics_by_name():
    assert READ.scope("list:nieuws") == Scope(ScopeKind.LIST, 3)
    assert READ.topic("yoga") == READ.topic("5") == Scope(ScopeKind.TOPIC, 5)
