"""`briefgeheim breach …`: the register of personal data breaches, with the 72 hours of each.

what:       open, list, show, note, notify, close, people
takes→gives: the settings, the register (sealed), the audit → lines or JSON
knows not:  addresses; how the authority is told
fails by:   exit 2 for settings and usage, 1 for what could not be done
standard:   GDPR 33, 34; L-26, L-37, L-38; I-7
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway.app.office import Office
from gateway.audit.protocol import AuditUnavailable
from gateway.audit.reading import AuditReader
from gateway.cases.protocol import Breach, CaseStore, CasesUnavailable
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.cli.registry_house import named
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.registry.backend import open_registry
from gateway.registry.protocol import Act, RegistryUnavailable
from gateway.rights import breach
from gateway.rights.breach import CLOSED, OPEN, BreachRefused, Incident
from gateway.spool.shards import present

app = typer.Typer(help="The breach register, with its 72 hours (GDPR 33).", no_args_is_help=True)

_T = TypeVar("_T")
Number = Annotated[int, typer.Argument(help="Number in the register.", min=1)]
OrganisationName = Annotated[str, typer.Option("--organisation", help="Name of the organisation.")]
Operator = Annotated[str, typer.Option("--operator", help="Who does this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with it. No address in it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Text = Annotated[str, typer.Option(help="No address in it.")]
People = Annotated[int | None, typer.Option("--people", help="Number of people it is about.", min=0)]
Category = Annotated[list[str] | None, typer.Option("--category", help="Kind of data; may be given more than once.")]
Message = Annotated[list[str] | None, typer.Option("--message", help="Id of a mail it is about; more than once.")]
Sensitivity = Annotated[str, typer.Option("--sensitivity", help="special, normal or unknown.")]


@app.command("open")
def open_(
    organisation: OrganisationName,
    kind: Annotated[str, typer.Option("--kind", help="What happened, as lost laptop or visible recipients.")],
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    discovered: Annotated[str, typer.Option("--discovered", help="When it was noticed, ISO 8601; default now.")] = "",
    people: People = None,
    category: Category = None,
    message: Message = None,
    sensitivity: Sensitivity = "unknown",
    consequences: Text = "",
    measures: Text = "",
) -> None:
    """Enter a breach. Its 72 hours run from the moment it was noticed."""
    named(operator, reason)
    now = time.time()
    at = _moment(discovered, "--discovered") if discovered else now
    if at > now:
        wrong("--discovered: is in the future")
    made = _made(
        discovered=breach.iso(at), kind=kind, people=people or 0, categories=tuple(category or ()),
        messages=tuple(message or ()), sensitivity=_sensitivity(sensitivity), consequences=consequences,
        measures=measures, found_by=operator, cause=reason,
    )  # fmt: skip
    number = _run(config, organisation, lambda house: house.store.breach_add(at, OPEN, made.to_json()))
    print(f"breach {number}: report it before {breach.iso(made.due)}, or say why not (breach notify --authority)")


@app.command("list")
def list_(
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List breaches: when, what, how many people, and the hours left."""
    found = _run(config, organisation, lambda house: house.store.breach_list())
    for row in found:
        if every or row.state != CLOSED:
            incident = Incident.from_json(row.detail)
            print(json.dumps(_json(row, incident), ensure_ascii=False) if as_json else _line(row, incident))


@app.command("show")
def show(
    number: Number, organisation: OrganisationName, config: Config = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Show everything that is recorded of one breach."""
    row, incident = _run(config, organisation, lambda house: _find(house, number))
    if as_json:
        print(json.dumps(_json(row, incident), indent=1, ensure_ascii=False))
        return
    print("\n".join(_shown(row, incident)))


@app.command("note")
def note(
    number: Number,
    organisation: OrganisationName,
    operator: Operator,
    reason: Annotated[str, typer.Option("--reason", help="What is noted. No address in it.")],
    config: Config = DEFAULT_CONFIG,
    people: People = None,
    category: Category = None,
    message: Message = None,
    sensitivity: Sensitivity = "",
    consequences: Text = "",
    measures: Text = "",
) -> None:
    """Add a note, and what is known by now: number of people, kinds of data, mails, consequences, measures."""
    named(operator, reason)
    given: dict[str, Any] = {
        "people": people, "categories": tuple(category or ()), "messages": tuple(message or ()),
        "sensitivity": _sensitivity(sensitivity) if sensitivity else "", "consequences": consequences,
        "measures": measures,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value not in (None, (), "")}
    _no_address(*(v for v in changes.values() if isinstance(v, str)), *changes.get("categories", ()))
    _step(config, organisation, number, lambda i: breach.noted(i, time.time(), operator, reason, **changes))


@app.command("notify")
def notify(
    number: Number,
    organisation: OrganisationName,
    operator: Operator,
    config: Config = DEFAULT_CONFIG,
    authority: Annotated[bool, typer.Option("--authority", help="The supervisory authority (GDPR 33).")] = False,
    people: Annotated[bool, typer.Option("--people", help="The people it is about (GDPR 34).")] = False,
    at: Annotated[str, typer.Option("--at", help="When they were told, ISO 8601; left out: they are not told.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why they are not told, or why it is late.")] = "",
) -> None:
    """Record that the authority or the people were told, or why they are not. It tells nobody by itself."""
    named(operator, reason or "told")
    if authority == people:
        wrong("breach notify: expected either --authority or --people")
    told = _moment(at, "--at") if at else None
    whom = "authority" if authority else "people"
    _step(
        config, organisation, number,
        lambda i: breach.notified(i, time.time(), operator, whom, at=told, why=reason),  # type: ignore[arg-type]
    )  # fmt: skip


@app.command("close")
def close(
    number: Number, organisation: OrganisationName, operator: Operator, reason: Reason, config: Config = DEFAULT_CONFIG
) -> None:
    """Close a breach of which the register says everything that GDPR 33(5) asks."""
    named(operator, reason)
    _step(config, organisation, number, lambda i: breach.closed(i, time.time(), operator, reason), CLOSED)


@app.command("people")
def people_(
    number: Number,
    organisation: OrganisationName,
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """The exact list, from the audit: pseudonyms of who was shown, and of who got the mail. The look is recorded.

    `registry match` turns the organisation's own list of addresses into who of them is on it.
    """
    named(operator, reason)

    async def look(house: _House) -> list[dict[str, str]]:
        _, incident = await _find(house, number)
        await _recorded(house, Act(int(time.time()), operator, reason, f"breach people {number}"))
        return list(_exact(house, incident))

    found = _run(config, organisation, look)
    for person in found:
        print(json.dumps(person) if as_json else f"{person['person']}  {person['was']}  {person['message']}")


@dataclass(frozen=True, slots=True)
class _House:
    organisation: Organisation
    gateway: Gateway
    credentials: Credentials
    store: CaseStore


def _run(config: Path, name: str, act: Callable[[_House], Coroutine[Any, Any, _T]]) -> _T:
    loaded = settings(config)
    found = next((o for o in loaded.organisations if o.name == name), None)
    if found is None:
        wrong(f"--organisation: expected one of {', '.join(o.name for o in loaded.organisations)}")

    async def whole() -> _T:
        credentials = Credentials.of(loaded.gateway)
        store = Office(loaded, credentials).cases(found)
        try:
            return await act(_House(found, loaded.gateway, credentials, store))
        finally:
            await store.close()

    try:
        return asyncio.run(whole())
    except CredentialsError as error:
        wrong(*error.errors)
    except (BreachRefused, CasesUnavailable, AuditUnavailable, RegistryUnavailable, LookupError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


async def _find(house: _House, number: int) -> tuple[Breach, Incident]:
    row = next((b for b in await house.store.breach_list() if b.number == number), None)
    if row is None:
        raise LookupError(f"no breach {number} in the register of {house.organisation.name}")
    return row, Incident.from_json(row.detail)


def _step(config: Path, name: str, number: int, step: Callable[[Incident], Incident], state: str = OPEN) -> None:
    async def act(house: _House) -> tuple[Breach, Incident]:
        row, incident = await _find(house, number)
        made = step(incident)
        await house.store.breach_update(number, state, made.to_json())
        return Breach(number, row.at, state, made.to_json()), made

    print(_line(*_run(config, name, act)))


async def _recorded(house: _House, act: Act) -> None:
    keys = house.credentials.pseudonyms(house.organisation)
    registry = open_registry(house.organisation, house.gateway, keys)
    try:
        await registry.act(act, None)
    finally:
        registry.close()


def _exact(house: _House, incident: Incident) -> Iterator[dict[str, str]]:
    reader = AuditReader([shard.database for shard in present(house.gateway.state / "spool")])
    for message in incident.messages:
        rows = [r for r in reader.by_message(message) if r.organisation == house.organisation.name and r.pseudonym]
        for what, was in (("shown", "shown"), ("delivered", "got it")):
            for person in dict.fromkeys(r.pseudonym for r in rows if r.what == what):
                yield {"person": person.hex(), "was": was, "message": message}


def _made(**values: Any) -> Incident:
    _no_address(*(v for v in values.values() if isinstance(v, str)), *values["categories"])
    try:
        return Incident(**values)
    except ValueError as error:
        wrong(f"breach open: {error}")


def _no_address(*texts: str) -> None:
    if any("@" in text for text in texts):
        wrong("no mail addresses: the audit knows who it is about (--message, breach people)")


def _sensitivity(text: str) -> str:
    if text not in ("special", "normal", "unknown"):
        wrong("--sensitivity: expected special, normal or unknown")
    return text


def _moment(text: str, option: str) -> float:
    try:
        return breach.moment(text)
    except ValueError:
        wrong(f"{option}: {text!r}, expected ISO 8601, as 2026-11-22T09:30 (UTC) or 2026-11-22T10:30+01:00")


def _clock(incident: Incident) -> str:
    if incident.closed_at:
        return f"closed {incident.closed_at}"
    if incident.authority_at:
        return f"authority told {incident.authority_at}"
    if incident.authority_why:
        return "authority not told, with a reason"
    left = incident.hours_left(time.time())
    return f"{left:.1f} hours left" if left >= 0 else f"LATE by {-left:.1f} hours"


def _line(row: Breach, incident: Incident) -> str:
    what = f"{incident.kind}, {incident.people} people, {incident.sensitivity}"
    return f"breach {row.number}  {incident.discovered}  {what}  due {breach.iso(incident.due)}  {_clock(incident)}"


def _json(row: Breach, incident: Incident) -> dict[str, object]:
    left = None if incident.settled else round(incident.hours_left(time.time()), 2)
    head = {"number": row.number, "state": row.state, "due": breach.iso(incident.due), "hours_left": left}
    return {**head, **incident.to_json()}


def _shown(row: Breach, incident: Incident) -> Iterator[str]:
    yield _line(row, incident)
    for name, value in incident.to_json().items():
        if name not in ("notes", "discovered", "kind", "people", "sensitivity") and value:
            yield f"  {name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list | tuple) else value}"
    for item in incident.notes:
        yield f"  {item.at}  {item.who}: {item.text}"
