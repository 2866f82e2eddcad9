"""S-65: which basis was in force when a mail left, whatever order the clocks claim."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Scope, ScopeKind
from gateway.registry.applying import apply
from gateway.registry.intervals import Ground, basis_at, intervals, state_at
from gateway.registry.protocol import Event, EventKind
from gateway.registry.state import EMPTY, State
from tests.registry.conftest import (
    CONFIRMED,
    FORM,
    IMPORT,
    LINK,
    LIST,
    MARKETING,
    OPERATOR,
    OTHER_LIST,
    SOURCE,
    event,
    person,
)

TOPIC = Scope(ScopeKind.TOPIC, 5)
EVERYTHING = Scope(ScopeKind.EVERYTHING)
BOOKS = Scope(ScopeKind.CATEGORY, 2)
WIDE = person("an.na", "wide.example")


def numbered(*events: Event) -> list[tuple[int, Event]]:
    return list(enumerate(events, 3))


def grounds(history: list[tuple[int, Event]], at: int, scope: Scope | None = None) -> list[tuple[Ground, Scope | None]]:
    return [(i.ground, i.scope) for i in basis_at(history, at, scope)]


def test_s65_consent_was_in_force_from_the_yes_to_the_no():
    history = numbered(
        event(EventKind.CONSENT, scope=LIST, at=100),
        event(EventKind.WITHDRAWAL, scope=LIST, at=200),
        event(EventKind.CONSENT, scope=LIST, evidence=CONFIRMED, at=300),
    )
    assert grounds(history, 99, LIST) == []
    assert grounds(history, 100, LIST) == grounds(history, 199, LIST) == [(Ground.CONSENT, LIST)]
    assert grounds(history, 200, LIST) == grounds(history, 299, LIST) == [(Ground.BLOCK, LIST)]
    assert grounds(history, 300, LIST) == [(Ground.CONSENT, LIST)]
    first, block, last = intervals(history)
    assert (first.opened, first.closed, first.end) == (3, 4, 200)
    assert (block.opened, block.closed, block.name) == (4, 5, "withdrawal")
    assert (last.opened, last.closed, last.end) == (5, None, None)


def test_s65_a_basis_is_told_per_scope():
    history = numbered(
        event(EventKind.CONSENT, scope=LIST),
        event(EventKind.REQUEST, scope=TOPIC),
        event(EventKind.PURCHASE, category=2),
        event(EventKind.ENROLMENT, reference="t1"),
        event(EventKind.OPT_OUT, scope=OTHER_LIST),
    )
    order = (Ground.ENROLMENT, None)
    sale = (Ground.PURCHASE, BOOKS)
    assert grounds(history, 1_000, LIST) == [(Ground.CONSENT, LIST), sale, order]
    assert grounds(history, 1_000, OTHER_LIST) == [sale, order, (Ground.BLOCK, OTHER_LIST)]
    assert grounds(history, 1_000, TOPIC) == [(Ground.REQUEST, TOPIC), sale, order]
    assert grounds(history, 1_000, Scope(ScopeKind.CATEGORY, 9)) == [order]
    assert grounds(history, 1_000, BOOKS) == [sale, order]
    assert len(grounds(history, 1_000)) == 5


def test_s65_a_block_on_a_source_reaches_every_list_it_may_feed():
    history = numbered(event(EventKind.OPT_OUT, scope=SOURCE), event(EventKind.OPT_OUT, scope=MARKETING))
    assert grounds(history, 1_000, LIST) == [(Ground.BLOCK, SOURCE), (Ground.BLOCK, MARKETING)]


def test_s65_a_subscription_ends_by_itself_or_by_a_later_event():
    history = numbered(
        event(EventKind.SUBSCRIPTION, category=2, end=None, at=100),
        event(EventKind.SUBSCRIPTION, category=2, end=500, at=200),
    )
    assert [(i.start, i.end, i.closed) for i in intervals(history)] == [(100, 200, 4), (200, 500, None)]
    assert grounds(history, 499, BOOKS) == [(Ground.SUBSCRIPTION, BOOKS)]
    assert grounds(history, 500, BOOKS) == []


def test_s65_orders_and_publications_end_when_they_are_said_to():
    history = numbered(
        event(EventKind.CONTRACT, reference="c1", at=100),
        event(EventKind.PUBLICATION, id="p1", at=100),
        event(EventKind.CONTRACT, reference="c1", active=False, at=200),
        event(EventKind.PUBLICATION, id="p1", active=False, at=300),
    )
    assert [(i.ground, i.name, i.end) for i in intervals(history)] == [
        (Ground.CONTRACT, "c1", 200),
        (Ground.PUBLICATION, "p1", 300),
    ]


def test_a_clock_that_goes_back_does_not_put_a_consent_before_the_refusal_it_lifted():
    history = numbered(
        event(EventKind.OPT_OUT, scope=LIST, at=200),
        event(EventKind.CONSENT, scope=LIST, evidence=CONFIRMED, at=150),
    )
    assert grounds(history, 150, LIST) == []
    assert grounds(history, 200, LIST) == [(Ground.CONSENT, LIST)]


def test_an_old_list_that_comes_in_late_gives_nothing_back_in_time():
    history = numbered(
        event(EventKind.LANGUAGE, language="nl", at=200), event(EventKind.CONSENT, scope=LIST, evidence=IMPORT, at=50)
    )
    assert grounds(history, 199, LIST) == []
    assert grounds(history, 200, LIST) == [(Ground.CONSENT, LIST)]


def test_events_of_one_second_count_in_the_order_of_their_numbers():
    history = numbered(event(EventKind.CONSENT, scope=LIST), event(EventKind.OPT_OUT, scope=LIST))
    assert grounds(history, 1_000, LIST) == [(Ground.BLOCK, LIST)]


def test_a_consent_that_never_counted_was_never_in_force():
    history = numbered(event(EventKind.CONSENT, scope=LIST, evidence=LINK, at=100))
    assert intervals(history) == []
    assert intervals([]) == []


def test_a_second_yes_does_not_begin_anew():
    history = numbered(event(EventKind.CONSENT, scope=LIST, at=100), event(EventKind.CONSENT, scope=LIST, at=200))
    assert [(i.start, i.opened) for i in intervals(history)] == [(100, 3)]


scopes = st.sampled_from([LIST, OTHER_LIST, MARKETING, SOURCE, TOPIC, EVERYTHING])
times = st.integers(0, 12)
people = st.sampled_from([person(), WIDE])
evidences = st.sampled_from([FORM, CONFIRMED, OPERATOR, IMPORT, LINK])
SCOPED = ["consent", "opt-out", "withdrawal", "objection", "complaint", "bounce", "manual", "lifted"]
happening = st.one_of(
    st.builds(lambda k, s, e, t: event(EventKind(k), WIDE, s, e, t), st.sampled_from(SCOPED), scopes, evidences, times),
    st.builds(lambda e, t: event(EventKind.REQUEST, WIDE, TOPIC, e, t), evidences, times),
    st.builds(lambda t: event(EventKind.RESTRICTION, WIDE, at=t), times),
    st.builds(lambda t, a: event(EventKind.ENROLMENT, WIDE, at=t, reference="t", active=a), times, st.booleans()),
    st.builds(lambda t, c: event(EventKind.PURCHASE, WIDE, at=t, category=c), times, st.integers(1, 2)),
    st.builds(
        lambda t, c, n: event(EventKind.SUBSCRIPTION, WIDE, at=t, category=c, end=n),
        times,
        st.integers(1, 2),
        st.none() | st.integers(0, 14),
    ),
)


def folded(history: list[tuple[int, Event]]) -> State:
    exact, wide = EMPTY, EMPTY
    for number, one in history:
        exact, wide = apply(exact, wide, one, number)
    return State(
        blocks=(*exact.blocks, *wide.blocks),
        **{n: getattr(exact, n) for n in State.__dataclass_fields__ if n != "blocks"},
    )


@settings(deadline=None, max_examples=300)
@given(st.lists(happening, max_size=12), st.integers(0, 14))
def test_s65_what_is_told_of_a_moment_is_what_a_replay_up_to_it_gives(happened, at):
    history = list(enumerate(happened, 1))
    prefix = [h for n, h in enumerate(history) if max(e.at for _, e in history[: n + 1]) <= at]
    then = folded(prefix)
    assert state_at(history, at) == then
    told = {(i.ground, i.scope, i.name) for i in basis_at(history, at)}
    assert told == {
        *((Ground.CONSENT, c.scope, "") for c in then.consents),
        *((Ground.REQUEST, r.scope, "") for r in then.requests),
        *((Ground.ENROLMENT, None, e) for e in then.enrolments),
        *((Ground.PURCHASE, Scope(ScopeKind.CATEGORY, p.category), "") for p in then.purchases),
        *(
            (Ground.SUBSCRIPTION, Scope(ScopeKind.CATEGORY, s.category), "")
            for s in then.subscriptions
            if s.end is None or s.end > at
        ),
        *((Ground.BLOCK, b.scope, b.kind.value) for b in then.blocks),
    }
