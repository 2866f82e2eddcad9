"""What is left of the named facts when old events go: what the events that are left make, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.registry.applying import apply
from gateway.registry.events import PURGEABLE
from gateway.registry.named import FACTS, kinds_beside, refolded
from gateway.registry.protocol import Event, EventKind
from gateway.registry.state import EMPTY, State
from tests.registry.conftest import LIST, event

names = st.sampled_from(["a", "b"])
times = st.integers(0, 9)
facts = st.one_of(
    st.builds(
        lambda k, r, t, a: event(k, at=t, reference=r, active=a, third_party="p"),
        st.sampled_from([EventKind.ENROLMENT, EventKind.CONTRACT]),
        names,
        times,
        st.booleans(),
    ),
    st.builds(lambda c, d, t: event(EventKind.PURCHASE, at=t, category=c, declined=d), times, st.booleans(), times),
    st.builds(lambda c, e, t: event(EventKind.SUBSCRIPTION, at=t, category=c, end=e), times, times, times),
    st.builds(lambda n, t: event(EventKind.LANGUAGE, at=t, language=n), names, times),
    st.builds(lambda n, t: event(EventKind.CONTACT, at=t, client="crm", contact=n), names, times),
    st.builds(lambda n, t: event(EventKind.ORIGIN, at=t, origin=n), names, times),
    st.builds(lambda n, t: event(EventKind.ANNOUNCED, at=t, reference=n), names, times),
    st.builds(lambda n, t: event(EventKind.PUBLICATION, at=t, id=n), names, times),
    st.builds(lambda t: event(EventKind.CONSENT, scope=LIST, at=t), times),
)


def folded(history: list[tuple[int, Event]]) -> State:
    exact = EMPTY
    for number, one in history:
        exact, _ = apply(exact, EMPTY, one, number)
    return exact


@settings(deadline=None, max_examples=200)
@given(
    st.lists(facts, max_size=12), st.sets(st.sampled_from(sorted(PURGEABLE - {EventKind.RETAINED})), max_size=3), times
)
def test_after_a_purge_the_state_is_what_the_events_that_are_left_make(happened, kinds, before):
    history = list(enumerate(happened, 1))
    left = [(n, e) for n, e in history if not (e.kind in kinds and e.at < before)]
    assert refolded(folded(history), kinds, left) == folded(left)


def test_what_is_not_purged_is_not_touched():
    state = replace(folded([(1, event(EventKind.CONSENT, scope=LIST))]), language="nl")
    assert refolded(state, [EventKind.ENROLMENT], []) == state


def test_third_parties_hang_on_enrolments_and_contracts_alike():
    assert kinds_beside([EventKind.CONTRACT]) == {EventKind.ENROLMENT, EventKind.CONTRACT}
    assert kinds_beside([EventKind.RECEIPT]) == frozenset()


@pytest.mark.parametrize("kind", [k for k in EventKind if k.value.startswith("fact-") and k is not EventKind.REQUEST])
def test_every_kind_of_fact_has_its_effect_named(kind):
    assert kind in FACTS
