"""Every numeric id ever given out, so that an old opt-out link never means something else.

what:       `KnownId` values; the check against them; the file `STATE/ids.json` that remembers them
takes→gives: remembered ids and organisations → findings; organisations → remembered ids
knows not:  tokens, lines of files
fails by:   `ValueError` when the file is damaged: without it nobody can say what was given out
standard:   DESIGN §4 Tokens: "check-config refuses a reused or vanished id"
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.config.organisation import Organisation
from gateway.config.source import Loc

FILE = "ids.json"
_KINDS = {"source": "sources", "list": "lists", "topic": "topics", "category": "categories"}


class KnownId(NamedTuple):
    """`kind` is source, list, topic, category or organisation; `id` its number, `name` who had it first."""

    organisation: str
    kind: str
    id: int
    name: str


def ids_of(organisation: Organisation) -> Iterator[KnownId]:
    """Every id the organisation gives out now."""
    yield KnownId(organisation.name, "organisation", organisation.id, organisation.name)
    for kind, key in _KINDS.items():
        for item in getattr(organisation, key):
            yield KnownId(organisation.name, kind, item.id, item.name)


def check(organisation: Organisation, remembered: Iterable[KnownId]) -> Iterator[tuple[Loc, str]]:
    """Reused and vanished ids of one organisation, as (place, what is wrong, what is expected)."""
    for known in sorted(remembered):
        if known.kind == "organisation":
            yield from _check_organisation(organisation, known)
        elif known.organisation == organisation.name:
            yield from _check_item(organisation, known)


def _check_organisation(organisation: Organisation, known: KnownId) -> Iterator[tuple[Loc, str]]:
    same_id, same_name = organisation.id == known.id, organisation.name == known.name
    if same_id and not same_name:
        yield ("id",), f"id {known.id} belonged to organisation {known.name!r}, expected an id never used before"
    if same_name and not same_id:
        yield ("id",), f"was {known.id} before, expected {known.id}: it is in every link already sent"


def _check_item(organisation: Organisation, known: KnownId) -> Iterator[tuple[Loc, str]]:
    key = _KINDS[known.kind]
    items = getattr(organisation, key)
    found = next(((i, item) for i, item in enumerate(items) if item.id == known.id), None)
    if found is None:
        yield (
            (key,),
            f"{known.kind} {known.name!r} (id {known.id}) is gone, but links with its id were sent; "
            f"expected it to stay, with `retired: true` when it is no longer used",
        )
    elif found[1].name != known.name:
        yield (
            (key, found[0], "id"),
            f"id {known.id} belonged to {known.kind} {known.name!r}, expected a new id for {found[1].name!r}; "
            f"keep {known.name!r} with `retired: true`",
        )


def read(state: Path) -> frozenset[KnownId]:
    """What `state` remembers; nothing before the first start. Raises `ValueError` on a damaged file."""
    path = state / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return frozenset()
    try:
        return frozenset(KnownId(str(o), str(k), int(i), str(n)) for o, k, i, n in json.loads(text))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: damaged, expected the ids given out so far; restore it from a backup") from error


def remember(state: Path, organisations: Sequence[Organisation]) -> None:
    """Add what the organisations give out now. Called after these settings were taken into use; durable on return."""
    known = read(state)
    wanted = known | {item for organisation in organisations for item in ids_of(organisation)}
    if wanted == known:
        return
    state.mkdir(mode=0o750, parents=True, exist_ok=True)
    rows = ",\n".join(json.dumps(list(item)) for item in sorted(wanted))
    _replace(state / FILE, f"[\n{rows}\n]\n")


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(f".{os.getpid()}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
