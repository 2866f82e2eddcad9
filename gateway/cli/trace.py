"""`briefgeheim trace`: did this person get it, and why not? From the audit, for a named operator with a reason.

what:       audit rows about one address, from all shards, message by message
fails by:   exit 2 for settings, keys and addresses that cannot be read
standard:   I-11; S-40 (the look itself is recorded)
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from gateway.address import Address, InvalidAddress
from gateway.audit.protocol import AuditRow
from gateway.audit.reading import AuditReader
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.pseudonym import Person
from gateway.registry.backend import open_registry
from gateway.registry.protocol import Act, RegistryUnavailable
from gateway.spool.shards import present


def command(
    to: Annotated[str, typer.Option("--to", help="The person's address.")],
    operator: Annotated[str, typer.Option(help="Who looks; recorded.")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")],
    config: Config = DEFAULT_CONFIG,
    organisation: Annotated[str | None, typer.Option(help="Only this organisation.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per row, edits with octet ranges.")] = False,
) -> None:
    """Show what was decided, edited and delivered for one person. Needs the pseudonym keys."""
    loaded = settings(config)
    if not operator.strip() or not reason.strip():
        wrong("--operator and --reason: expected a name and a reason, they are recorded with the look")
    try:
        address = Address.parse(to)
    except InvalidAddress as error:
        wrong(f"--to: {error}")
    found = 0
    for owner in _owners(loaded, organisation):
        person = _person(loaded, owner, address)
        _record(loaded, owner, person, Act(int(time.time()), operator, reason, "trace"))
        rows = [r for r in _reader(loaded).by_person(*person.every_exact) if r.organisation == owner.name]
        for text in _as_json(rows, loaded) if as_json else _as_text(owner, rows, loaded):
            print(text)
        found += len(rows)
    if not found and not as_json:
        print("Nothing in the audit about this address: no mail to it was ever accepted or refused here.")


def _owners(loaded: Loaded, name: str | None) -> Sequence[Organisation]:
    owners = [o for o in loaded.organisations if name in (None, o.name)]
    if not owners:
        wrong(f"--organisation {name}: expected one of {', '.join(o.name for o in loaded.organisations)}")
    return owners


def _person(loaded: Loaded, owner: Organisation, address: Address) -> Person:
    try:
        return Credentials.of(loaded.gateway).pseudonyms(owner).person(address)
    except CredentialsError as error:
        wrong(*error.errors)


def _record(loaded: Loaded, owner: Organisation, person: Person, act: Act) -> None:
    registry = open_registry(owner, loaded.gateway, Credentials.of(loaded.gateway).pseudonyms(owner))
    try:
        asyncio.run(registry.act(act, person))
    except RegistryUnavailable as error:
        wrong(f"registry of {owner.name}: {error}; a look that cannot be recorded is not given")
    finally:
        registry.close()


def _reader(loaded: Loaded) -> AuditReader:
    return AuditReader([shard.database for shard in present(loaded.gateway.state / "spool")])


def _as_json(rows: Sequence[AuditRow], loaded: Loaded) -> Iterator[str]:
    reader = _reader(loaded)
    for message in dict.fromkeys(r.message for r in rows):
        edited = [r for r in reader.by_message(message) if r.what == "edited"]
        for row in sorted([*(r for r in rows if r.message == message), *edited], key=lambda r: r.at):
            head = {"at": row.at, "organisation": row.organisation, "message": row.message, "what": row.what}
            yield json.dumps({**head, **row.detail}, ensure_ascii=False)


def _as_text(owner: Organisation, rows: Sequence[AuditRow], loaded: Loaded) -> Iterator[str]:
    reader = _reader(loaded)
    for message in dict.fromkeys(r.message for r in rows):
        mine = [r for r in rows if r.message == message]
        yield f"{owner.name}  message {message}"
        for row in mine:
            yield f"  {_when(row.at)}  {row.what.upper():10} {_because(row.detail)}"
            yield from (f"      {line}" for line in _tried(row.detail))
        for row in reader.by_message(message):
            if row.what == "edited" and mine[0].what != "refused":  # who was refused got no text
                yield f"  {_edits(row.detail, str(mine[0].detail.get('variant', '')))}"


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _because(detail: Any) -> str:
    parts = [
        f"{k} {detail[k]}"
        for k in ("stream", "rule", "fact", "variant", "provider", "status", "reason")
        if detail.get(k)
    ]
    return ", ".join(parts)


def _tried(detail: Any) -> Iterator[str]:
    for rule, decided, fact in detail.get("tried", ()):
        yield f"{'->' if decided else '  '} {rule}: {fact}"


def _edits(detail: Any, variant: str) -> str:
    edits = detail.get("edits", {}).get(variant, [])
    counts: dict[str, int] = {}
    for by, kind, _part, _start, _end in edits:
        counts[f"{by}/{kind}"] = counts.get(f"{by}/{kind}", 0) + 1
    return "edits: " + (", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "none")
