"""The named facts: what each kind of fact event does to a state, and what is left when old events go.

what:       `FACTS` by kind; `refolded` after a purge
takes→gives: a state and a fact event → the state after it
knows not:  blocks, consents, SQL
fails by:   nothing; the event was checked
standard:   DESIGN §4 Facts; S-09, S-13, S-20, S-29, S-37, S-43, S-44, S-49, S-50
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from gateway.facts import Purchase, Retained, Subscription
from gateway.registry.events import grants
from gateway.registry.protocol import Event, EventKind
from gateway.registry.state import EMPTY, Contact, State


def _toggled(values: frozenset[str], event: Event, name: str) -> frozenset[str]:
    value = frozenset({str(event.detail[name])})
    return values - value if event.detail.get("active") is False else values | value


def _enrolment(state: State, event: Event, _: int) -> State:
    return _told_of(replace(state, enrolments=_toggled(state.enrolments, event, "reference")), event)


def _contract(state: State, event: Event, _: int) -> State:
    return _told_of(replace(state, contracts=_toggled(state.contracts, event, "reference")), event)


def _told_of(state: State, event: Event) -> State:
    """The third party of an order, for as long as its enrolment or contract stands (S-13)."""
    reference, party = str(event.detail["reference"]), event.detail.get("third_party")
    parties = state.third_parties | {(reference, str(party))} if party else state.third_parties
    if reference not in state.enrolments | state.contracts:
        parties = frozenset(p for p in parties if p[0] != reference)
    return state if parties == state.third_parties else replace(state, third_parties=parties)


def _publication(state: State, event: Event, _: int) -> State:
    if event.detail.get("active") is not False and not grants(event.evidence):
        return state
    return replace(state, publications=_toggled(state.publications, event, "id"))


def _purchase(state: State, event: Event, _: int) -> State:
    # The latest sale per category and answer is all a decision needs; the events keep the others.
    sale = Purchase(_number(event, "category"), bool(event.detail.get("declined")), event.at)
    return replace(state, purchases=latest_sales((*state.purchases, sale)))


def latest_sales(sales: Iterable[Purchase]) -> tuple[Purchase, ...]:
    """The latest sale per category and answer, in the order they came."""
    latest: dict[tuple[int, bool], Purchase] = {}
    for sale in sales:
        before = latest.pop((sale.category, sale.declined), sale)
        latest[sale.category, sale.declined] = max(before, sale, key=lambda p: p.at)
    return tuple(latest.values())


def _subscription(state: State, event: Event, _: int) -> State:
    end = event.detail.get("end")
    new = Subscription(_number(event, "category"), None if end is None else int(end), event.detail.get("free") is True)
    others = tuple(s for s in state.subscriptions if s.category != new.category)
    return replace(state, subscriptions=(*others, new))


def _minor(state: State, event: Event, _: int) -> State:
    guardian = event.detail.get("guardian") is True and grants(event.evidence)
    return replace(state, minor=event.detail["minor"] is True, guardian=guardian)


def _language(state: State, event: Event, _: int) -> State:
    return replace(state, language=str(event.detail["language"]))


def _contact(state: State, event: Event, number: int) -> State:
    new = Contact(str(event.detail["client"]), str(event.detail["contact"]), number)
    others = tuple(c for c in state.contacts if (c.client, c.contact) != (new.client, new.contact))
    return replace(state, contacts=others if event.detail.get("active") is False else (*others, new))


def _origin(state: State, event: Event, _: int) -> State:
    return replace(state, origins=_toggled(state.origins, event, "origin"))


def _announced(state: State, event: Event, _: int) -> State:
    return replace(state, announced=_toggled(state.announced, event, "reference"))


def _retained(state: State, event: Event, _: int) -> State:
    new = Retained(str(event.detail["id"]), str(event.detail["reason"]), _number(event, "until"))
    return replace(state, retained=(*(r for r in state.retained if r.id != new.id), new))


def _event_only(state: State, _: Event, __: int) -> State:
    return state


def _number(event: Event, name: str) -> int:
    return int(event.detail[name] or 0)


FACTS: Mapping[EventKind, Callable[[State, Event, int], State]] = {
    EventKind.ENROLMENT: _enrolment,
    EventKind.CONTRACT: _contract,
    EventKind.PURCHASE: _purchase,
    EventKind.SUBSCRIPTION: _subscription,
    EventKind.PUBLICATION: _publication,
    EventKind.MINOR: _minor,
    EventKind.LANGUAGE: _language,
    EventKind.CONTACT: _contact,
    EventKind.ORIGIN: _origin,
    EventKind.ANNOUNCED: _announced,
    EventKind.RETAINED: _retained,
    EventKind.SHARED: _event_only,
    EventKind.RECEIPT: _event_only,
    EventKind.RECTIFIED: _event_only,
}

# The fields that facts of a kind rest in. Third parties hang on enrolments and contracts alike.
_FIELDS: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.ENROLMENT: ("enrolments", "contracts", "third_parties"),
    EventKind.CONTRACT: ("enrolments", "contracts", "third_parties"),
    EventKind.PURCHASE: ("purchases",),
    EventKind.SUBSCRIPTION: ("subscriptions",),
    EventKind.LANGUAGE: ("language",),
    EventKind.CONTACT: ("contacts",),
    EventKind.ORIGIN: ("origins",),
    EventKind.ANNOUNCED: ("announced",),
}


def kinds_beside(kinds: Collection[EventKind]) -> frozenset[EventKind]:
    """All kinds whose facts rest in the same fields as those of `kinds`: `refolded` needs the events of all of them."""
    fields = {name for kind in kinds for name in _FIELDS.get(kind, ())}
    return frozenset(k for k, names in _FIELDS.items() if fields & set(names))


def refolded(state: State, kinds: Collection[EventKind], left: Iterable[tuple[int, Event]]) -> State:
    """The state when its facts of these kinds rest on no more than the events `left`, (number, event) oldest first."""
    beside = kinds_beside(kinds)
    fields = {name: getattr(EMPTY, name) for kind in beside for name in _FIELDS[kind]}
    state = replace(state, **fields)
    for number, event in left:
        if event.kind in beside:
            state = FACTS[event.kind](state, event, number)
    return state
