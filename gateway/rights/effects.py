"""What each right does in registry, queue and audit: at intake, at completion, when it is refused.

what:       the table `RULES`, and `RightsEffects`, which carries it out for one organisation
takes→gives: `Case`, `Choices` → events, orders to the queue, `Completion`
knows not:  SQL, files, how a reply is worded beyond its facts, who delivers notices
fails by:   `EffectRefused`; `RegistryUnavailable`. Everything may be done again after a crash, and then does no more
standard:   GDPR 7(3), 12(2), 15-21; S-28..S-33, S-58, S-62, S-63, S-65; L-04, L-14..L-20, L-35

At intake an erasure puts a *restriction* in force, not yet the erasure block. Both stop everything but rights replies
at once. But a restriction takes nothing away: third parties can still be found in the share ledger, and when the
request turns out not to come from the person (L-14), lifting it gives everything back. The erasure block comes at
completion.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.address import Address, InvalidAddress
from gateway.cases.protocol import Case, CaseKind, CaseState, Outcome, Paper
from gateway.config.organisation import Organisation
from gateway.facts import BlockKind, Purpose, Scope, ScopeKind
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.protocol import Event, EventKind, Evidence, PeopleRegistry
from gateway.rights.effects_text import day, say
from gateway.rights.outside import checklist
from gateway.rights.protocol import Choices, Completion, EffectRefused, Kept, Notice, NoticeKind
from gateway.rights.retained import CLOCK, kept_by_law, open_references, shared_with

EVERYTHING = Scope(ScopeKind.EVERYTHING)
MARKETING = Scope(ScopeKind.MARKETING)
# An objection to all marketing is one to what serves it, too (L-20).
WITH_MARKETING = tuple(Scope(ScopeKind.PURPOSE, int(p)) for p in (Purpose.TRACKING, Purpose.PROFILING, Purpose.OFFERS))
CHANNEL = "rights"  # of the events written here
PURGE = "purge:"  # in `wording`: the day (Unix seconds) on which all else of this person goes, or "done"
WHEN_DONE = f"{PURGE}done"  # as soon as no order or enrolment runs


class Queue(Protocol):
    """Mail in flight and the audit, of all shards, whether or not a gateway runs. Raises `SpoolUnavailable`."""

    async def cancel(self, person: Person, operator: str, reason: str) -> int:
        """Destroy all queued mail to this address and tell its submitters; gives the number of rows."""
        ...

    async def release(self, person: Person, operator: str, reason: str) -> int:
        """Queue again what a restriction held, to be decided again; gives the number of rows."""
        ...

    async def forget(self, person: Person) -> int:
        """Empty the audit of this person and every trace in the shards' files; gives the number of audit rows."""
        ...


Papers = Callable[[Case], Awaitable[tuple[Paper, ...]]]
"""Makes the files that answer a request for access or portability."""


class Stop(StrEnum):
    """What comes into force at intake."""

    NOTHING = "nothing"
    RESTRICTION = "restriction of everything"
    OPT_OUT = "opt-out of everything"
    ASKED = "objection or withdrawal, as far as asked"


@dataclass(frozen=True, slots=True)
class Rule:
    """`stop` at intake; `cancel`: queued mail is destroyed; `tell`: third parties that got the data hear of it."""

    stop: Stop = Stop.NOTHING
    cancel: bool = False
    tell: NoticeKind | None = None
    undo: bool = False  # whether a refusal takes back what intake put in force


RULES: Mapping[CaseKind, Rule] = {
    CaseKind.ACCESS: Rule(),
    CaseKind.PORTABILITY: Rule(),
    CaseKind.RECTIFICATION: Rule(tell=NoticeKind.RECTIFICATION),
    CaseKind.ERASURE: Rule(Stop.RESTRICTION, cancel=True, tell=NoticeKind.ERASURE, undo=True),
    CaseKind.RESTRICTION: Rule(Stop.RESTRICTION, tell=NoticeKind.RESTRICTION, undo=True),
    CaseKind.OBJECTION: Rule(Stop.ASKED),  # absolute (GDPR 21(3)): no refusal takes it back
    CaseKind.WITHDRAWAL: Rule(Stop.ASKED),
    CaseKind.LEAVING: Rule(Stop.OPT_OUT, undo=True),
    CaseKind.QUESTION: Rule(),
    CaseKind.TIP: Rule(),
    CaseKind.COMPLAINT: Rule(),
}


@dataclass(frozen=True, slots=True)
class RightsEffects:
    """Fulfils `rights.protocol.Effects`. `leaving_after`: seconds from leaving to the purge; `clock`: Unix seconds."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    registry: PeopleRegistry
    queue: Queue
    papers: Papers
    leaving_after: float
    clock: Callable[[], float]

    async def begin(self, case: Case) -> list[str]:
        """At intake: see `RULES`. While identity is in doubt queued mail is held, not destroyed (L-14)."""
        rule, person = RULES[case.kind], case.person
        if person is None or rule.stop is Stop.NOTHING:
            return []
        now, wanted = int(self.clock()), self._stops(case, rule)
        history = await self.registry.history(person)
        fresh = [(kind, scope) for kind, scope in wanted if not _in_force(history, kind, scope, marker(case))]
        end = now + int(self.leaving_after) if case.kind is CaseKind.LEAVING else 0
        asked = Evidence("person", CHANNEL, f"{PURGE}{end}" if end else "", marker(case))
        blocks = [Event(kind, person, now, asked, scope) for kind, scope in fresh]
        await self.registry.record([*blocks, *_clock(person, now, asked, end)] if blocks else [])
        done = [f"in force: {kind.value} of {scope or EVERYTHING}" for kind, scope in fresh]
        if rule.cancel and case.state is not CaseState.PENDING:
            done.append(f"queued mail destroyed: {await self._cancel(person, case, 'gateway')}")
        return done

    async def notices(self, case: Case) -> tuple[Notice, ...]:
        """One per third party in the share ledger that still is in the settings, with the orders that went to it."""
        tell, person = RULES[case.kind].tell, case.person
        if tell is None or person is None:
            return ()
        return await self._notices(person, tell)

    async def complete(self, case: Case, choices: Choices) -> Completion:
        """Carry it out; with `grant` False take back what may be taken back."""
        if case.kind.answered_only or case.person is None:
            return Completion(Outcome.ANSWERED)
        if not choices.grant:
            return await self._refuse(case, case.person, choices)
        match case.kind:
            case CaseKind.ERASURE:
                return await self._erase(case, case.person, choices)
            case CaseKind.RESTRICTION:
                return await self._restrict(case, case.person, choices)
            case CaseKind.RECTIFICATION:
                return await self._rectify(case, case.person, choices)
            case CaseKind.LEAVING:
                return await self._leave(case, case.person)
            case CaseKind.OBJECTION | CaseKind.WITHDRAWAL:
                await self.begin(case)
                key = "objected" if case.kind is CaseKind.OBJECTION else "withdrawn"
                return self._granted(case, key, scope=self._scope_words(case))
            case _:
                return Completion(
                    Outcome.GRANTED, report=(self._say(case, "exported"),), papers=await self.papers(case)
                )

    async def closed(self, case: Case) -> None:
        """Last traces of an erasure: what was written about this person since."""
        if case.kind is CaseKind.ERASURE and case.person is not None and await self._erased(case.person):
            await self.queue.forget(case.person)

    async def _erase(self, case: Case, person: Person, choices: Choices) -> Completion:
        history, (facts,) = await self.registry.history(person), await self.registry.facts([person])
        running = open_references(facts)
        by_law = kept_by_law(history, choices.now)
        if unknown := set(choices.keep) - running - by_law.keys():
            allowed = ", ".join(sorted(running | by_law.keys())) or "(nothing)"
            raise EffectRefused(f"--keep: {len(unknown)} not known of this person; expected any of: {allowed}")
        orders = sorted(running & set(choices.keep))
        stays = [event for _, event in history if orders and _runs(event, orders)]
        notices = await self._notices(person, NoticeKind.ERASURE)
        outside = checklist(self.organisation, facts, history)
        gone = await self._cancel(person, case, choices.operator)
        evidence = Evidence(f"operator:{choices.operator}", CHANNEL, "", choices.reason or "erasure")
        await self.registry.erase(person, choices.now, evidence)
        if orders:
            await self._keep_orders(person, stays, choices)
        await self.queue.forget(person)
        kept = (
            *(Kept(self._say(case, "kept-law", id=i), why, until) for i, (why, until) in sorted(by_law.items())),
            *(Kept(self._say(case, "kept-order", id=i), self._say(case, "why-order")) for i in orders),
        )
        words = ["erased", *(["queued-gone"] if gone else []), "marketing-stopped" if orders else "tombstone"]
        report = [self._say(case, word) for word in words]
        if notices:
            report.append(self._say(case, "notices", names=", ".join(self._title(n) for n in notices)))
        return Completion(Outcome.PARTLY if kept else Outcome.GRANTED, notices, tuple(report), kept, outside)

    async def _keep_orders(self, person: Person, stays: Sequence[Event], choices: Choices) -> None:
        """Nothing stays but these orders, and the block on all marketing; the rest of the person is gone (S-62)."""
        named = Evidence(f"operator:{choices.operator}", CHANNEL, WHEN_DONE, "an order is still open")
        blocks = [Event(EventKind.OBJECTION, person, choices.now, named, s) for s in (MARKETING, *WITH_MARKETING)]
        lifted = Event(EventKind.LIFTED, person, choices.now, named, EVERYTHING)
        await self.registry.record([lifted, *blocks, *stays])

    async def _restrict(self, case: Case, person: Person, choices: Choices) -> Completion:
        if choices.lift:
            await self._lift(case, person, choices)
            told = await self._notices(person, NoticeKind.RESTRICTION_LIFTED)
            return Completion(Outcome.GRANTED, told, (self._say(case, "lifted"),))
        await self.begin(case)
        return Completion(Outcome.GRANTED, await self.notices(case), (self._say(case, "restricted"),))

    async def _rectify(self, case: Case, person: Person, choices: Choices) -> Completion:
        try:
            new = self.pseudonyms.person(Address.parse(case.content.new_address))
        except InvalidAddress as error:
            raise EffectRefused(f"the new address: {error}") from None
        if new.exact == person.exact:
            raise EffectRefused("the new address is the old one in another spelling: nothing to correct")
        notices = await self._notices(person, NoticeKind.RECTIFICATION)
        evidence = Evidence(f"operator:{choices.operator}", CHANNEL, "", marker(case))
        if not any(e.evidence.proof == marker(case) for _, e in await self.registry.history(new)):
            try:
                await self.registry.move(person, new, choices.now, evidence)
            except ValueError as error:  # one of the two was erased
                raise EffectRefused(f"the new {error}") from None
        await self._cancel(person, case, choices.operator)
        return Completion(Outcome.GRANTED, notices, (self._say(case, "moved"),))

    async def _leave(self, case: Case, person: Person) -> Completion:
        await self.begin(case)
        history = await self.registry.history(person)
        (at,) = [purge_day(e) for _, e in history if e.evidence.proof == marker(case)][-1:] or [0]
        return self._granted(case, "left", day=day(at or int(self.clock() + self.leaving_after)))

    async def _refuse(self, case: Case, person: Person, choices: Choices) -> Completion:
        rule = RULES[case.kind]
        if rule.undo and rule.stop is Stop.RESTRICTION:
            await self._lift(case, person, choices)
        elif rule.undo:
            named = self._named(case, choices)
            await self.registry.record([Event(EventKind.LIFTED, person, choices.now, named, EVERYTHING)])
        return Completion(Outcome.REFUSED, report=(choices.reason,) if choices.reason else ())

    async def _lift(self, case: Case, person: Person, choices: Choices) -> None:
        """End the restriction of this request. Those of others stay: a refusal leaves them, a lift is refused."""
        restrictions = _restrictions(await self.registry.history(person))
        others = sorted(restrictions - {marker(case)})
        if marker(case) not in restrictions:
            return
        if others and choices.grant:
            raise EffectRefused(f"another request still restricts this person: {', '.join(others)}")
        lifted = Event(EventKind.RESTRICTION_LIFTED, person, choices.now, self._named(case, choices))
        again = [
            Event(EventKind.RESTRICTION, person, choices.now, Evidence("person", CHANNEL, "", proof))
            for proof in others
        ]
        await self.registry.record([lifted, *again])
        if not others:
            await self.queue.release(person, choices.operator, "the restriction was lifted")

    def _stops(self, case: Case, rule: Rule) -> list[tuple[EventKind, Scope | None]]:
        match rule.stop:
            case Stop.RESTRICTION:
                return [(EventKind.RESTRICTION, None)]
            case Stop.OPT_OUT:
                return [(EventKind.OPT_OUT, EVERYTHING)]
            case _:
                if case.scope is None:
                    raise EffectRefused(f"{case.kind}: needs a scope: marketing, or list:, topic:, category:, purpose:")
                kind = EventKind.OBJECTION if case.kind is CaseKind.OBJECTION else EventKind.WITHDRAWAL
                more = WITH_MARKETING if case.scope == MARKETING and kind is EventKind.OBJECTION else ()
                return [(kind, case.scope), *((kind, scope) for scope in more)]

    async def _cancel(self, person: Person, case: Case, operator: str) -> int:
        return await self.queue.cancel(person, operator, f"{case.kind} at the person's request")

    async def _notices(self, person: Person, kind: NoticeKind) -> tuple[Notice, ...]:
        history = await self.registry.history(person)
        return tuple(
            Notice(name, kind, references)
            for name, references in sorted(shared_with(history).items())
            if name in self.organisation.by_third_party
        )

    async def _erased(self, person: Person) -> bool:
        (facts,) = await self.registry.facts([person])
        return any(block.kind is BlockKind.ERASURE for block in facts.blocks)

    def _named(self, case: Case, choices: Choices) -> Evidence:
        return Evidence(f"operator:{choices.operator}", CHANNEL, "", choices.reason or marker(case))

    def _granted(self, case: Case, key: str, **values: str) -> Completion:
        return Completion(Outcome.GRANTED, report=(self._say(case, key, **values),))

    def _say(self, case: Case, key: str, **values: str) -> str:
        return say(case.content.language, key, **values)

    def _title(self, notice: Notice) -> str:
        return self.organisation.by_third_party[notice.third_party].title

    def _scope_words(self, case: Case) -> str:
        scope = case.scope or EVERYTHING
        if scope.kind in (ScopeKind.MARKETING, ScopeKind.EVERYTHING):
            return self._say(case, f"scope-{scope.kind.name.lower()}")
        titles = {
            ScopeKind.LIST: {x.id: x.title for x in self.organisation.lists},
            ScopeKind.TOPIC: {x.id: x.title for x in self.organisation.topics},
            ScopeKind.CATEGORY: {x.id: x.title for x in self.organisation.categories},
            ScopeKind.PURPOSE: {int(p): p.name.lower() for p in Purpose},
            ScopeKind.SOURCE: {x.id: x.name for x in self.organisation.sources},
        }
        return titles[scope.kind].get(scope.id, str(scope))


def marker(case: Case) -> str:
    """By which an event of this request is known again; it names nobody, and no case (that has no number yet)."""
    return f"{case.kind.value} request received {case.received.isoformat()}"


def _clock(person: Person, now: int, asked: Evidence, end: int) -> list[Event]:
    """What the purge finds the person by. A block of look-alike addresses is filed under what they share, so it leads
    to nobody; a fact is the person's own."""
    detail: dict[str, str | int | bool | None] = {"id": CLOCK, "reason": "left", "until": end}
    return [Event(EventKind.RETAINED, person, now, asked, detail=detail)] if end else []


def purge_day(event: Event) -> int:
    """Unix seconds on which all else of the person of this event goes; 0 where it says no day."""
    text = event.evidence.wording.removeprefix(PURGE)
    return int(text) if event.evidence.channel == CHANNEL and text.isascii() and text.isdigit() else 0


def _in_force(history: Sequence[tuple[int, Event]], kind: EventKind, scope: Scope | None, proof: str) -> bool:
    """Whether this very request's block was put before and not lifted since."""
    ends = (EventKind.RESTRICTION_LIFTED, EventKind.LIFTED)
    found = False
    for _, event in history:
        if event.kind is kind and event.scope == scope and event.evidence.proof == proof:
            found = True
        elif event.kind in ends:
            found = False
    return found


def _restrictions(history: Sequence[tuple[int, Event]]) -> set[str]:
    """Proofs of the restrictions put since the last one was lifted."""
    found: set[str] = set()
    for _, event in history:
        if event.kind is EventKind.RESTRICTION:
            found.add(event.evidence.proof)
        elif event.kind is EventKind.RESTRICTION_LIFTED:
            found.clear()
    return found


def _runs(event: Event, references: Sequence[str]) -> bool:
    return event.kind in (EventKind.CONTRACT, EventKind.ENROLMENT) and event.detail.get("reference") in references
