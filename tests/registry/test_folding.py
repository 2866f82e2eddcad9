"""What a batch of events changes, apart from where it is kept."""

from __future__ import annotations

import pytest

from gateway.facts import BlockKind
from gateway.registry.events import quarter
from gateway.registry.folding import event_row, events_of, fold, record_of, records_of, stored_event, touched
from gateway.registry.postings import Index
from gateway.registry.protocol import EventKind, StateRow
from gateway.registry.record import Actor
from gateway.registry.state import unpack
from tests.registry.conftest import KEYS, LINK, LIST, OPERATOR, event, person

ANNA, BERT, WIDE = person("anna"), person("bert"), person("an.na", "wide.example")
NOW = 1_800_000_000


def test_a_person_has_the_number_of_their_first_event():
    done = fold([event(EventKind.CONSENT, ANNA, LIST), event(EventKind.LANGUAGE, ANNA, language="nl")], {}, 7, 0)
    assert (done.numbers, done.last) == ([8, 9], 9)
    assert [(r.number, r.person) for r in done.events] == [(8, 8), (9, 8)]
    assert [(r.pseudonym, r.person) for r in done.states] == [(ANNA.exact, 8)]
    again = fold([event(EventKind.LANGUAGE, ANNA, language="en")], {r.pseudonym: r for r in done.states}, 9, 0)
    assert [r.person for r in again.events] == [8]


def test_rows_that_stay_as_they_are_are_not_written():
    rows = {ANNA.exact: StateRow(ANNA.exact, 1, 0, '{"l":"nl"}'), BERT.exact: StateRow(BERT.exact, 2, 0, "{}")}
    done = fold(
        [event(EventKind.LANGUAGE, ANNA, language="nl"), event(EventKind.CONSENT, BERT, LIST, LINK)], rows, 5, 0
    )
    assert done.states == []
    assert len(done.events) == 2


def test_a_wide_block_is_filed_under_the_wide_row_only():
    done = fold([event(EventKind.OPT_OUT, WIDE, LIST)], {}, 0, 0)
    assert [r.pseudonym for r in done.states] == [WIDE.wide]
    assert touched([event(EventKind.OPT_OUT, WIDE, LIST)]) == {WIDE.exact, WIDE.wide}


def test_an_erasure_says_whose_events_go_and_before_which():
    events = [event(EventKind.CONTACT, ANNA, client="crm", contact="1"), event(EventKind.ERASURE, ANNA, at=NOW)]
    rows = {r.pseudonym: r for r in fold(events[:1], {}, 0, 0).states}
    done = fold(events[1:], rows, 1, 0)
    assert done.erased == {1: 2}
    assert [line.name for line in done.lost] == [Index.CONTACT]
    assert done.events[0].at == quarter(NOW)
    assert [b.at for b in unpack(done.states[0].data).blocks] == [quarter(NOW)]


def test_what_an_erased_person_does_not_take_has_no_number():
    done = fold([event(EventKind.ERASURE, ANNA), event(EventKind.LANGUAGE, ANNA, language="nl")], {}, 3, 0)
    assert (done.numbers, done.last, len(done.events)) == ([4, 0], 4, 1)


@pytest.mark.parametrize(
    "given", [event(EventKind.OPT_OUT, ANNA, LIST, OPERATOR), event(EventKind.MINOR, ANNA, minor=True)]
)
def test_an_event_comes_back_as_it_was_stored(given):
    assert stored_event(ANNA, event_row(5, 5, given)) == given


def test_blocks_go_through_the_journal_and_come_back():
    given = [event(EventKind.OPT_OUT, ANNA, LIST, OPERATOR, message=7), event(EventKind.BOUNCE, WIDE, LIST)]
    records = [record_of(e, 0) for e in given]
    assert [r.pseudonym for r in records] == [ANNA.exact, WIDE.wide]
    back = events_of(records, KEYS)
    assert [(e.kind, e.scope, e.at, e.person.exact) for e in back] == [
        (EventKind.OPT_OUT, LIST, 1_000, ANNA.exact),
        (EventKind.BOUNCE, LIST, 1_000, WIDE.wide),
    ]
    assert back[0].detail == {"message": 7}


def test_every_block_of_a_row_becomes_a_record():
    done = fold([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.RESTRICTION, ANNA)], {}, 0, 0)
    found = records_of(ANNA.exact, done.states[0].data, 0)
    assert [(r.kind, r.actor) for r in found] == [
        (BlockKind.OPT_OUT, Actor.SYSTEM),
        (BlockKind.RESTRICTION, Actor.SYSTEM),
    ]
