"""`briefgeheim registry …`: make, fill, look into and mend the registry of one organisation.

what:       init, set, show, import, replay, status
takes→gives: options → lines on standard output
knows not:  SQL, journals, rules of events
fails by:   exit 2 for settings and usage, 1 for what could not be done, with one line on standard error
standard:   I-7 (a typed address becomes a pseudonym at once), I-10, I-13
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway.address import Address, InvalidAddress
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.facts import Facts
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import adopting, importing, intake, opening
from gateway.registry.events import InvalidEvent, grants, kind_named, lifts
from gateway.registry.faults import as_registry_errors
from gateway.registry.places import Places, places
from gateway.registry.protocol import Act, Event, EventKind, Evidence, RegistryUnavailable
from gateway.registry.scopes import parse_scope, scope_text
from gateway.registry.sqlite import SQLiteRegistry, open_registry

app = typer.Typer(help="People: make, fill, look into and mend the registry of an organisation.", no_args_is_help=True)

_T = TypeVar("_T")
_SHOWN = 20  # wrong lines shown one by one
OrganisationName = Annotated[str, typer.Option("--organisation", help="Name of the organisation.")]
To = Annotated[str, typer.Option("--to", help="The person's mail address; never stored.")]
Operator = Annotated[str, typer.Option("--operator", help="Who does this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]


@dataclass(frozen=True, slots=True)
class _House:
    """One organisation as the settings give it."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    gateway: Gateway

    @property
    def places(self) -> Places:
        return places(self.gateway.state, self.organisation.name, self.gateway.web_folder)

    @property
    def owner(self) -> opening.Owner:
        return opening.Owner(self.organisation.id, self.pseudonyms)

    def person(self, text: str) -> Person:
        try:
            return self.pseudonyms.person(Address.parse(text))
        except InvalidAddress as error:
            wrong(f"--to: {error}")


@app.command("init")
def init(
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    adopt: Annotated[bool, typer.Option("--adopt", help="Accept what is there, after replaying the journal.")] = False,
    operator: Annotated[str, typer.Option("--operator", help="With --adopt: who does this.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="With --adopt: why.")] = "",
) -> None:
    """Make registry, block journal and node file. `serve` never does."""
    house = _house(config, organisation)
    with _trouble():
        if not adopt:
            opening.init(house.places, house.owner)
            print(f"{organisation}: made a new registry")
            return
        _named(operator, reason)
        act = Act(int(time.time()), operator, reason, "adopt")
        for done in adopting.adopt(house.places, house.owner, act):
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
    house = _house(config, organisation)
    _named(operator, reason)
    evidence = Evidence(f"operator:{operator}", channel, wording, reason)
    try:
        event = Event(
            kind=kind_named(kind),
            person=house.person(to),
            at=int(time.time()),
            evidence=evidence,
            scope=parse_scope(scope, house.organisation) if scope else None,
            detail=dict(_detail(detail or [])),
        )
    except ValueError as error:
        wrong(f"registry set: {error}")
    number = _run(house, lambda registry: registry.record([event]))[0]
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
) -> None:
    """Show what is known about one person, and note who asked and why."""
    house = _house(config, organisation)
    _named(operator, reason)
    person = house.person(to)

    async def look(registry: SQLiteRegistry) -> tuple[Facts, list[tuple[int, Event]]]:
        await registry.act(Act(int(time.time()), operator, reason, "show"), person)
        return (await registry.facts([person]))[0], await registry.history(person)

    facts, history = _run(house, look)
    shown = {
        "facts": _facts_shown(facts, house.organisation),
        "events": [_event_shown(number, event, house.organisation) for number, event in history],
    }
    print(json.dumps(shown, indent=1, ensure_ascii=False) if as_json else _as_text(shown))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a header; columns in docs/registry.md.", exists=True)],
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="What to call this import; default: the file's name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, store nothing.")] = False,
) -> None:
    """Add blocks, consents and facts from a CSV file. An import never lifts a block."""
    house = _house(config, organisation)
    terms = importing.Terms(house.organisation, house.pseudonyms, name or file.stem, int(time.time()))
    complaints: list[int] = []

    def complain(line: importing.Line) -> None:
        complaints.append(line.number)
        if len(complaints) <= _SHOWN:
            sys.stderr.write(f"{file}:{line.number}: {line.error}\n")

    with file.open("rb") as stream:
        lines = importing.read(stream, terms)
        if dry_run:
            with _trouble():
                summary = asyncio.run(intake.store(lines, None, complain))
        else:
            summary = _run(house, lambda registry: intake.store(lines, registry, complain))
    print(json.dumps({**summary.to_json(), "dry_run": dry_run}))
    if summary.wrong:
        sys.stderr.write(f"{file}: {summary.wrong} wrong lines were left out\n")
        raise typer.Exit(1)


@app.command("replay")
def replay(organisation: OrganisationName, config: Config = DEFAULT_CONFIG) -> None:
    """Apply the whole block journal again. Blocks that were lifted come back: blocks only grow."""
    house = _house(config, organisation)
    print(f"{organisation}: {_run(house, lambda registry: registry.replay())} blocks replayed")


@app.command("status")
def status(organisation: OrganisationName, config: Config = DEFAULT_CONFIG) -> None:
    """Check identity, keys and the whole journal; print counts and positions as JSON."""
    house = _house(config, organisation)
    print(json.dumps(_run(house, lambda registry: registry.status())))


def _house(config: Path, name: str) -> _House:
    loaded = settings(config)
    try:
        organisation = loaded.organisation(name)
    except KeyError:
        wrong(f"--organisation: expected one of {', '.join(o.name for o in loaded.organisations)}")
    try:
        pseudonyms = Credentials.of(loaded.gateway).pseudonyms(organisation)
    except CredentialsError as error:
        wrong(*error.errors)
    return _House(organisation, pseudonyms, loaded.gateway)


def _run(house: _House, act: Callable[[SQLiteRegistry], Coroutine[Any, Any, _T]]) -> _T:
    with _trouble():
        registry = open_registry(
            house.organisation, house.gateway.state, house.pseudonyms, web=house.gateway.web_folder
        )
        try:
            return asyncio.run(act(registry))
        finally:
            registry.close()


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        with as_registry_errors():
            yield
    except (InvalidEvent, importing.ImportRefused, opening.RegistryExists) as error:
        wrong(str(error))
    except (RegistryUnavailable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


def _named(operator: str, reason: str) -> None:
    if not operator.strip() or not reason.strip():
        wrong("this needs --operator NAME and --reason TEXT")
    if "@" in operator or "@" in reason:
        wrong("--operator, --reason: no mail addresses; they would stay")


def _detail(pairs: list[str]) -> Iterator[tuple[str, str | int | bool | None]]:
    words: dict[str, bool | None] = {"yes": True, "true": True, "no": False, "false": False, "none": None}
    for pair in pairs:
        name, mark, value = pair.partition("=")
        if not mark or not name:
            raise ValueError("--detail: expected NAME=VALUE")
        # A reference of digits only is still a reference.
        if name in ("reference", "id", "language"):
            yield name, value
        elif value.lower() in words:
            yield name, words[value.lower()]
        else:
            yield name, int(value) if value.isascii() and value.isdigit() else value


def _facts_shown(facts: Facts, organisation: Organisation) -> dict[str, object]:
    shown: dict[str, object] = {
        "known": facts.known,
        "blocks": [f"{b.kind} {scope_text(b.scope, organisation)} since {_when(b.at)}" for b in facts.blocks],
        "consents": [f"{scope_text(c.scope, organisation)} since {_when(c.at)}" for c in facts.consents],
        "requests": sorted(_topic(organisation, topic) for topic in facts.requests),
        "enrolments": sorted(facts.enrolments),
        "contracts": sorted(facts.contracts),
        "purchases": [f"category {p.category}{' declined' * p.declined} at {_when(p.at)}" for p in facts.purchases],
        "subscriptions": [
            f"category {s.category}{'' if s.end is None else ' until ' + _when(s.end)}" for s in facts.subscriptions
        ],
        "publications": sorted(facts.publications),
        "minor": facts.minor,
        "guardian_consent": facts.guardian_consent,
        "language": facts.language,
    }
    return {name: value for name, value in shown.items() if value or name == "known"}


def _topic(organisation: Organisation, number: int) -> str:
    return {i: name for name, i in organisation.topic_ids.items()}.get(number, str(number))


def _event_shown(number: int, event: Event, organisation: Organisation) -> dict[str, object]:
    evidence = event.evidence
    shown = {
        "number": number,
        "at": _when(event.at),
        "kind": event.kind.value,
        "scope": scope_text(event.scope, organisation) if event.scope else "",
        "actor": evidence.actor,
        "channel": evidence.channel,
        "wording": evidence.wording,
        "proof": evidence.proof,
        **event.detail,
    }
    return {name: value for name, value in shown.items() if value != ""}


def _as_text(shown: dict[str, Any]) -> str:
    lines = [f"{name}: {', '.join(v) if isinstance(v, list) else v}" for name, v in shown["facts"].items()]
    lines += ["events:"] + ["  " + ", ".join(f"{k} {v}" for k, v in event.items()) for event in shown["events"]]
    return "\n".join(lines)


def _when(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
