"""`briefgeheim registry returns` and `registry return`: consents of people who had said no, for an operator to decide.

what:       the list of pending returns; accepting one lifts what stands in its way and records the consent; declining
            one ends it
takes→gives: event number, operator, reason → events with that operator as evidence
knows not:  addresses (unless the operator gives one), SQL
fails by:   exit 2 for a number that is not pending, 1 when something else stands in its way
standard:   I-10 (a named operator with a reason); §1.3 of the registry's contract: a return is never silently lost
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, Operator, OrganisationName, Reason, house_of, named, run, when
from gateway.facts import Block
from gateway.pseudonym import Person
from gateway.registry.events import REFUSALS, may_reach
from gateway.registry.protocol import Act, Event, EventKind, Evidence, PeopleRegistry, Return
from gateway.registry.scopes import scope_text

app = typer.Typer(help="Decide about one pending return.", no_args_is_help=True)

_LIMIT = 1_000_000
Number = Annotated[int, typer.Argument(help="Number of the event, as `registry returns` shows it.")]
MaybeTo = Annotated[str, typer.Option("--to", help="The person's mail address, where the block is on look-alikes too.")]


def listing(
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one line each.")] = False,
) -> None:
    """Show consents of people who had said no before: they give nothing until an operator decides."""
    house = house_of(config, organisation)
    found = run(house, lambda registry: registry.returns(_LIMIT))
    for pending in found:
        shown = _shown(pending, house)
        print(json.dumps(shown, ensure_ascii=False) if as_json else "  ".join(f"{k} {v}" for k, v in shown.items()))
    if not found and not as_json:
        print("none")


@app.command("accept")
def accept(
    number: Number,
    operator: Operator,
    reason: Reason,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    to: MaybeTo = "",
) -> None:
    """Lift what stands in the way of this consent, and record it: the operator asked the person, and says so."""
    house = house_of(config, organisation)
    named(operator, reason)
    given = house.person(to) if to else None

    async def act(registry: PeopleRegistry) -> list[str]:
        case = await _case(registry, number, given)
        events = _accepting(case, operator, reason)
        await registry.act(Act(int(time.time()), operator, reason, f"return accept {number}"), case.person)
        await registry.record(events)
        return [f"{event.kind} {scope_text(event.scope, house.organisation)}" for event in events if event.scope]

    print(f"return {number} accepted: {', '.join(run(house, act))}")


@app.command("decline")
def decline(
    number: Number, operator: Operator, reason: Reason, organisation: OrganisationName, config: Config = DEFAULT_CONFIG
) -> None:
    """End this return; the block stays as it is."""
    house = house_of(config, organisation)
    named(operator, reason)

    async def act(registry: PeopleRegistry) -> None:
        case = await _case(registry, number, None, declining=True)
        evidence = Evidence(f"operator:{operator}", "return", "", reason)
        await registry.act(Act(int(time.time()), operator, reason, f"return decline {number}"), case.person)
        ended = Event(case.kind, case.person, int(time.time()), evidence, case.pending.scope, {"active": False})
        await registry.record([ended])

    run(house, act)
    print(f"return {number} declined")


@dataclass(frozen=True, slots=True)
class _Case:
    """A pending return with its person and the event it came from."""

    pending: Return
    person: Person
    kind: EventKind
    wording: str
    blocks: Sequence[Block]


async def _case(registry: PeopleRegistry, number: int, given: Person | None, *, declining: bool = False) -> _Case:
    pending = next((r for r in await registry.returns(_LIMIT) if r.event == number), None)
    if pending is None:
        wrong(f"return {number}: not pending, expected a number that `registry returns` shows")
    if given is not None and given.exact != pending.person:
        wrong(f"--to: not the person of return {number}")
    person = given or Person(pending.person, pending.person)
    event = next(event for n, event in await registry.history(person) if n == number)
    facts = (await registry.facts([person]))[0]
    blocks = [block for block in facts.blocks if may_reach(block.scope, pending.scope)]
    if not declining:
        _refuse_others(number, blocks)
    return _Case(pending, person, event.kind, event.evidence.wording, blocks)


def _refuse_others(number: int, blocks: Sequence[Block]) -> None:
    """An operator's yes to a consent is no word about a bounce, a restriction or somebody's own block."""
    others = sorted({block.kind.value for block in blocks if block.kind not in REFUSALS})
    if others:
        sys.stderr.write(f"return {number}: {', '.join(others)} stands in its way; lift that first by `registry set`\n")
        raise typer.Exit(1)
    if not blocks:
        sys.stderr.write(f"return {number}: the block is on look-alike addresses too; give the address with --to\n")
        raise typer.Exit(1)


def _accepting(case: _Case, operator: str, reason: str) -> list[Event]:
    evidence = Evidence(f"operator:{operator}", "return", case.wording, f"{reason} (event {case.pending.event})")
    now = int(time.time())
    lifted = [
        Event(EventKind.LIFTED, case.person, now, evidence, scope)
        for scope in sorted({block.scope for block in case.blocks})
    ]
    return [*lifted, Event(case.kind, case.person, now, evidence, case.pending.scope)]


def _shown(pending: Return, house: House) -> dict[str, object]:
    return {
        "event": pending.event,
        "scope": scope_text(pending.scope, house.organisation),
        "since": when(pending.at),
        "contacts": " ".join(f"{client}:{contact}" for client, contact in sorted(pending.contacts)) or "none",
        "person": pending.person.hex()[:12],
    }
