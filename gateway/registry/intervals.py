"""Which basis was in force when: the events of one person as intervals of time (S-65).

what:       folds a history once, and notes what each event brought and ended
takes→gives: `history` of one person → `Interval` values; a time and a scope → those in force then
knows not:  SQL, settings, which basis a stream needs
fails by:   nothing
standard:   S-65; GDPR 5(2), 7(1), 7(3): withdrawing leaves earlier processing lawful

Events count in our own order. An event is taken to be here from the time it claims, but never from before an event that
was recorded earlier: so a clock that goes back, or an old list that comes in late, changes nothing about earlier times.
A block under a wide pseudonym may have been lifted by a look-alike, which only their history tells; and what was
recorded under an address before it was corrected is told as if both addresses had always been one. Either errs on the
side of the block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.facts import Scope, ScopeKind
from gateway.registry.applying import apply
from gateway.registry.events import contains, may_reach
from gateway.registry.protocol import Event
from gateway.registry.state import EMPTY, State


class Ground(StrEnum):
    """What may be in force. All but a block can be a basis of mail."""

    CONSENT = "consent"
    REQUEST = "request"
    ENROLMENT = "enrolment"
    CONTRACT = "contract"
    PURCHASE = "purchase"
    SUBSCRIPTION = "subscription"
    PUBLICATION = "publication"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Interval:
    """One thing in force from `start` up to, not including, `end` (Unix seconds; None: still).

    `name`: the reference or id, the kind of a block, "declined" or "free". `opened` and `closed` are numbers of events;
    `closed` is None while it is open, and where its own end came first.
    """

    ground: Ground
    scope: Scope | None
    name: str
    start: int
    end: int | None
    opened: int
    closed: int | None

    def holds(self, at: int) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


_Key = tuple[Ground, Scope | None, str, int | None]  # the last: the end it has by itself


def intervals(history: Sequence[tuple[int, Event]]) -> list[Interval]:
    """All intervals of one person, in the order in which they began. `history`: (number, event), oldest first."""
    running: dict[_Key, tuple[int, int]] = {}
    done: list[Interval] = []
    for number, at, state in _states(history):
        held = dict.fromkeys(_held(state))
        for key in [k for k in running if k not in held]:
            done.append(_interval(key, running.pop(key), at, number))
        for key in held:
            running.setdefault(key, (at, number))
    done += [_interval(key, began, None, None) for key, began in running.items()]
    return sorted(done, key=lambda i: (i.opened, i.ground, str(i.scope), i.name))


def basis_at(history: Sequence[tuple[int, Event]], at: int, scope: Scope | None = None) -> list[Interval]:
    """What was in force at a time (Unix seconds), oldest first: of `scope` only what may reach it, blocks included."""
    return [i for i in intervals(history) if i.holds(at) and (scope is None or _concerns(i, scope))]


def state_at(history: Iterable[tuple[int, Event]], at: int) -> State:
    """The state at a time, the blocks of both rows in one."""
    found = EMPTY
    for _, moment, state in _states(history):
        if moment > at:
            break
        found = state
    return found


def _states(history: Iterable[tuple[int, Event]]) -> Iterator[tuple[int, int, State]]:
    """Number, time and state after each event. Times never go back."""
    exact, wide, now = EMPTY, EMPTY, 0
    for number, event in history:
        now = max(now, event.at)
        exact, wide = apply(exact, wide, event, number)
        yield number, now, replace(exact, blocks=(*exact.blocks, *wide.blocks))


def _held(state: State) -> Iterator[_Key]:
    for consent in state.consents:
        yield Ground.CONSENT, consent.scope, "", None
    for request in state.requests:
        yield Ground.REQUEST, request.scope, "", None
    for reference in sorted(state.enrolments):
        yield Ground.ENROLMENT, None, reference, None
    for reference in sorted(state.contracts):
        yield Ground.CONTRACT, None, reference, None
    for sale in state.purchases:
        yield Ground.PURCHASE, _category(sale.category), "declined" if sale.declined else "", None
    for subscription in state.subscriptions:
        name = "free" if subscription.free else ""
        yield Ground.SUBSCRIPTION, _category(subscription.category), name, subscription.end
    for publication in sorted(state.publications):
        yield Ground.PUBLICATION, None, publication, None
    for block in state.blocks:
        yield Ground.BLOCK, block.scope, block.kind.value, None


def _interval(key: _Key, began: tuple[int, int], end: int | None, closed: int | None) -> Interval:
    ground, scope, name, own_end = key
    start, opened = began
    if own_end is not None and (end is None or own_end < end):
        end, closed = max(own_end, start), None
    return Interval(ground, scope, name, start, end, opened, closed)


def _concerns(interval: Interval, scope: Scope) -> bool:
    if interval.scope is None:
        return True  # an order or a photo is of no list
    if interval.ground is Ground.BLOCK:
        return may_reach(interval.scope, scope)
    if interval.ground in (Ground.PURCHASE, Ground.SUBSCRIPTION):
        return scope.kind is not ScopeKind.CATEGORY or scope == interval.scope
    return contains(interval.scope, scope)


def _category(number: int) -> Scope:
    return Scope(ScopeKind.CATEGORY, number)
