"""Golden pairs: what a filter makes of a mail, octet for octet, as files that people can read side by side.

what:       runs every tests/messages/golden/FILTER/NAME.in.eml and compares with NAME.out.eml
takes→gives: UPDATE_GOLDEN=1 writes the .out.eml anew (then read what it wrote) and NAME.yaml holds what is special
knows not:  the registry, decisions; the pipeline is tests/test_plan.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.address import Address
from gateway.compared import Compared, Sameness, Verdict
from gateway.decision import Action
from gateway.filters import FILTERS
from gateway.filters.context import Context, Filter, Outcome
from gateway.message.draft import Draft, Slot
from gateway.message.parse import parse
from gateway.message.template import compile as compile_template
from tests.filters.example import URL, context, organisation

FOLDER = Path(__file__).parents[1] / "messages" / "golden"
PAIRS = sorted(FOLDER.rglob("*.in.eml"))
BY_NAME: dict[str, tuple[Filter, ...]] = {"all": FILTERS, **{f.name: (f,) for f in FILTERS}}
RECIPIENT = "jan@example.org"
_HOST = re.compile(rb"(?:[\w.+-]@|https?://)([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?<!-)")
_OURS = frozenset({"seven_bit", "recipient", "organisation", "compared", "sensitive", "stop", "notes"})


@dataclass(frozen=True)
class Pair:
    """One pair. `changes` are what NAME.yaml says: fields of the context, and the keys of `_OURS`."""

    incoming: Path
    changes: dict[str, Any]

    @property
    def outgoing(self) -> Path:
        return self.incoming.with_name(self.incoming.name.replace(".in.eml", ".out.eml"))

    @property
    def filters(self) -> tuple[Filter, ...]:
        return BY_NAME[self.incoming.parent.name]

    @property
    def context(self) -> Context:
        """The context of `example.py` with the changes; a recipient that is named is the only one."""
        changes = {key: value for key, value in self.changes.items() if key not in _OURS}
        if "recipient" in self.changes:
            changes["recipient"] = Address.parse(self.recipient).exact()
        if "organisation" in self.changes:
            changes["organisation"] = organisation(**self.changes["organisation"])
        if "compared" in self.changes:
            changes["compared"] = Compared({a: verdict(v) for a, v in self.changes["compared"].items()})
        made = context(**changes)
        sensitive = bool(self.changes.get("sensitive", False))
        return replace(made, classification=replace(made.classification, sensitive=sensitive))

    @property
    def recipient(self) -> str:
        return str(self.changes.get("recipient", RECIPIENT))


def verdict(text: str) -> Verdict:
    """ "individual", "common", or an address: individual, and this is what all copies share."""
    known = text in set(Sameness)
    return Verdict(Sameness(text)) if known else Verdict(Sameness.INDIVIDUAL, text)


def read(incoming: Path) -> Pair:
    beside = incoming.with_name(incoming.name.replace(".in.eml", ".yaml"))
    changes = YAML(typ="safe").load(beside.read_text("utf-8")) if beside.exists() else {}
    return Pair(incoming, changes or {})


def edited(pair: Pair, raw: bytes) -> tuple[Draft, list[Outcome]]:
    draft = Draft(parse(raw))
    return draft, [outcome for each in pair.filters for outcome in each.apply(draft, pair.context)]


def rendered(pair: Pair, draft: Draft) -> bytes:
    template = compile_template(draft, seven_bit=bool(pair.changes.get("seven_bit", False)))
    return template.render({Slot.OPT_OUT: URL, Slot.RECIPIENT: pair.recipient.encode()})


def stops(outcomes: list[Outcome]) -> Iterator[str]:
    return (o.kind for o in outcomes if o.action is not Action.DELIVER)


@pytest.mark.parametrize("incoming", PAIRS, ids=lambda p: f"{p.parent.name}/{p.name.removesuffix('.in.eml')}")
def test_the_filter_writes_what_stands_in_the_pair(incoming: Path) -> None:
    pair = read(incoming)
    draft, outcomes = edited(pair, incoming.read_bytes())
    assert next(stops(outcomes), None) == pair.changes.get("stop")
    if "notes" in pair.changes:
        assert [o.kind for o in outcomes if o.action is Action.DELIVER] == pair.changes["notes"]
    if "stop" in pair.changes:
        assert not pair.outgoing.exists(), "a mail that is stopped has no outgoing file"
        return
    found = rendered(pair, draft)
    if os.environ.get("UPDATE_GOLDEN"):
        pair.outgoing.write_bytes(found)
    assert found == pair.outgoing.read_bytes(), "read the difference; UPDATE_GOLDEN=1 writes it"


def test_every_filter_has_a_pair_and_every_file_belongs_to_one() -> None:
    assert {p.parent.name for p in PAIRS} >= set(BY_NAME)
    known = {path for p in map(read, PAIRS) for path in (p.incoming, p.outgoing)}
    assert [p for p in FOLDER.rglob("*.eml") if p not in known] == []
    stems = {p.name.removesuffix(".in.eml") for p in PAIRS}
    assert [p for p in FOLDER.rglob("*.yaml") if p.stem not in stems] == []


def test_pairs_speak_of_example_domains_only() -> None:
    for path in FOLDER.rglob("*.eml"):
        hosts = set(_HOST.findall(path.read_bytes()))
        assert [h for h in hosts if not re.fullmatch(rb"([\w-]+\.)*example(\.(org|com|net))?", h.lower())] == [], (
            path.name
        )
