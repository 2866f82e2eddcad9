"""Which consents, enrolments, contracts and sales were in force when: one person's history, folded event by event.

what:       intervals with the event that began and the one that ended each
takes→gives: numbered events, oldest first → `Interval` values; a moment → those in force then
knows not:  SQL, the settings, which mail they served; the rules of events, which `applying` has
fails by:   nothing
standard:   S-65 (what was done before a withdrawal stays lawful); L-07; GDPR 7(1), 7(3)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.facts import Scope
from gateway.registry.applying import apply
from gateway.registry.protocol import Event, EventKind
from gateway.registry.state import EMPTY, State


@dataclass(frozen=True, slots=True)
class Interval:
    """`kind` and either `scope` or `name` say what; from `start` to before `end` (Unix seconds; None: still).

    `began`, `ended`: numbers of the events; `why`: the kind of event that ended it, or "" where its own end came.
    """

    kind: EventKind
    start: int
    began: int
    scope: Scope | None = None
    name: str = ""
    end: int | None = None
    ended: int | None = None
    why: str = ""

    def covers(self, at: float) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


_What = tuple[EventKind, Scope | None, str]


def intervals(history: Sequence[tuple[int, Event]]) -> tuple[Interval, ...]:
    """All of them, in the order in which they began. What gave nothing (no evidence, a refusal) began nothing."""
    done: list[Interval] = []
    running: dict[_What, int] = {}  # what is in force → its place in `done`
    exact = wide = EMPTY
    for number, event in history:
        exact, wide = apply(exact, wide, event, number)
        now = dict(_in_force(exact))
        for what in [w for w in running if w not in now]:
            place = running.pop(what)
            done[place] = replace(done[place], end=event.at, ended=number, why=event.kind.value)
        for (kind, scope, name), end in now.items():
            if (kind, scope, name) not in running:
                running[kind, scope, name] = len(done)
                done.append(Interval(kind, event.at, number, scope, name, end))
            elif end != done[running[kind, scope, name]].end:
                done[running[kind, scope, name]] = replace(done[running[kind, scope, name]], end=end)
    return tuple(done)


def in_force(found: Iterable[Interval], at: float) -> tuple[Interval, ...]:
    """Those in force at `at` (Unix seconds)."""
    return tuple(interval for interval in found if interval.covers(at))


def _in_force(state: State) -> Iterator[tuple[_What, int | None]]:
    """Everything that mail may rest on, with its own end where it has one."""
    yield from (((EventKind.CONSENT, c.scope, ""), None) for c in state.consents)
    yield from (((EventKind.REQUEST, r.scope, ""), None) for r in state.requests)
    yield from (((EventKind.ENROLMENT, None, name), None) for name in sorted(state.enrolments))
    yield from (((EventKind.CONTRACT, None, name), None) for name in sorted(state.contracts))
    yield from (((EventKind.PUBLICATION, None, name), None) for name in sorted(state.publications))
    yield from (((EventKind.PURCHASE, None, f"{p.category}:{p.at}"), None) for p in state.purchases if not p.declined)
    yield from (((EventKind.SUBSCRIPTION, None, str(s.category)), s.end) for s in state.subscriptions if not s.free)
