"""`briefgeheim registry …`: make, fill, look into and mend the registry of one organisation.

what:       init, set, show, replay, status; the others have files of their own
takes→gives: options → lines on standard output
knows not:  SQL, journals, rules of events
fails by:   exit 2 for settings and usage, 1 for what could not be done, with one line on standard error
standard:   I-7 (a typed address becomes a pseudonym at once), I-10, I-13
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from gateway.cli import (
    registry_attest,
    registry_copy,
    registry_export,
    registry_import,
    registry_match,
    registry_node,
    registry_returns,
)
from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, Operator, OrganisationName, Reason, To, house_of, named, run, trouble
from gateway.cli.registry_show import as_text, event_shown, facts_shown, intervals_shown, returns_shown
from gateway.facts import Facts
from gateway.registry.backend import adopt_registry, init_registry
from gateway.registry.columns import Columns, Value, column_of
from gateway.registry.events import ATTESTED, details_of, grants, kind_named, lifts
from gateway.registry.intervals import basis_at
from gateway.registry.protocol import Act, Event, EventKind, Evidence, PeopleRegistry, Return
from gateway.registry.scopes import parse_scope

app = typer.Typer(help="People: make, fill, look into and mend the registry of an organisation.", no_args_is_help=True)
app.command("import")(registry_import.command)
app.command("attest")(registry_attest.command)
app.command("match")(registry_match.command)
app.command("export")(registry_export.command)
app.command("returns")(registry_returns.listing)
app.add_typer(registry_returns.app, name="return")
app.command("copy")(registry_copy.command)
app.add_typer(registry_node.app, name="node")


_RETURNS = 1_000_000


@app.command("init")
def init(
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    adopt: Annotated[bool, typer.Option("--adopt", help="Accept what is there, after replaying the journal.")] = False,
    operator: Annotated[str, typer.Option("--operator", help="With --adopt: who does this.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="With --adopt: why.")] = "",
) -> None:
    """Make registry, block journal and node file. `serve` never does."""
    house = house_of(config, organisation)
    with trouble():
        if not adopt:
            init_registry(house.organisation, house.gateway, house.pseudonyms)
            print(f"{organisation}: made a new registry")
            return
        named(operator, reason)
        act = Act(int(time.time()), operator, reason, "adopt")
        for done in adopt_registry(house.organisation, house.gateway, house.pseudonyms, act):
            print(f"{organisation}: {done}")


@app.command("set")
def set_(
    to: To,
    kind: Annotated[str, typer.Option("--kind", help="Kind of event, as consent, opt-out, lifted, enrolment.")],
    operator: Operator,
    reason: Reason,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    scope: Annotated[str, typer.Option("--scope", help="everything, marketing, or list:NAME, purpose:tracking …")] = "",
    channel: Annotated[str, typer.Option("--channel", help="How it came in: form, phone …")] = "operator",
    wording: Annotated[str, typer.Option("--wording", help="Version of the text agreed to.")] = "",
    detail: Annotated[list[str] | None, typer.Option("--detail", help="NAME=VALUE, where the kind has any.")] = None,
) -> None:
    """Record one event about one person."""
    house = house_of(config, organisation)
    named(operator, reason)
    evidence = Evidence(f"operator:{operator}", channel, wording, reason)
    try:
        what = kind_named(kind)
        event = Event(
            kind=what,
            person=house.person(to),
            at=int(time.time()),
            evidence=evidence,
            scope=parse_scope(scope, house.organisation) if scope else None,
            detail=dict(_detail(detail or [], what, Columns(house.organisation))),
        )
    except ValueError as error:
        wrong(f"registry set: {error}")
    number = run(house, lambda registry: registry.record([event]))[0]
    print(f"event {number}: {kind}{' ' + scope if scope else ''}")
    if event.kind in (EventKind.CONSENT, EventKind.REQUEST) and not grants(evidence):
        print("without evidence: kept, but no consent")
    if event.kind in (EventKind.LIFTED, EventKind.RESTRICTION_LIFTED) and not lifts(evidence):
        print("without evidence: kept, but nothing lifted")


@app.command("show")
def show(
    to: To,
    operator: Operator,
    reason: Reason,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    at: Annotated[
        str, typer.Option("--at", help="Also what was in force then, as 2026-03-01 or 2026-03-01T09:30.")
    ] = "",
) -> None:
    """Show what is known about one person, and note who asked and why."""
    house = house_of(config, organisation)
    named(operator, reason)
    person, moment = house.person(to), _moment(at, house) if at else None

    async def look(registry: PeopleRegistry) -> tuple[Facts, list[tuple[int, Event]], list[Return]]:
        await registry.act(Act(int(time.time()), operator, reason, "show"), person)
        returns = [r for r in await registry.returns(_RETURNS) if r.person == person.exact]
        return (await registry.facts([person]))[0], await registry.history(person), returns

    facts, history, returns = run(house, look)
    attested = {number for number, event in history if event.evidence.channel == ATTESTED}
    shown: dict[str, object] = {"facts": facts_shown(facts, house.organisation, attested)}
    if returns:
        shown["returns"] = returns_shown(returns, house.organisation)
    if moment is not None:
        shown["in_force"] = intervals_shown(basis_at(history, moment), house.organisation)
    shown["events"] = [event_shown(number, event, house.organisation) for number, event in history]
    print(json.dumps(shown, indent=1, ensure_ascii=False) if as_json else as_text(shown))


@app.command("replay")
def replay(organisation: OrganisationName, config: Config = DEFAULT_CONFIG) -> None:
    """Apply the whole block journal again. Blocks that were lifted come back: blocks only grow."""
    house = house_of(config, organisation)
    print(f"{organisation}: {run(house, lambda registry: registry.replay())} blocks replayed")


@app.command("status")
def status(organisation: OrganisationName, config: Config = DEFAULT_CONFIG) -> None:
    """Check identity, keys and the whole journal; print counts and positions as JSON."""
    house = house_of(config, organisation)
    print(json.dumps(run(house, lambda registry: registry.status())))


def _moment(text: str, house: House) -> int:
    try:
        return Columns(house.organisation).moment(text)
    except ValueError as error:
        wrong(f"--at: {error}")


def _detail(pairs: list[str], kind: EventKind, columns: Columns) -> Iterator[tuple[str, Value]]:
    carried = details_of(kind)
    for pair in pairs:
        name, mark, value = pair.partition("=")
        if not mark or name not in carried:
            raise ValueError(
                f"--detail: expected NAME=VALUE, of {kind} one of: {', '.join(sorted(carried)) or '(none)'}"
            )
        try:
            yield name, None if value == "none" else columns.detail(column_of(name), value)[1]
        except ValueError as error:
            raise ValueError(f"--detail {name}: {error}") from None
