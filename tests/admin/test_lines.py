"""What the feed tells and what it leaves out."""

from __future__ import annotations

import json

import pytest

from gateway.admin.lines import TOLD, json_lines, line, lines
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind, Fed
from tests.house import organisation

HERE = organisation()
NOBODY = b"\2" * 32


def fed(kind: EventKind = EventKind.OPT_OUT, **values: object) -> Fed:
    given: dict[str, object] = {"scope": Scope(ScopeKind.LIST, 7), "contacts": frozenset()} | values
    return Fed(3, kind, 1_800_000_000, person=b"\1" * 32, **given)  # type: ignore[arg-type]


def test_a_line_has_pseudonym_scope_and_time() -> None:
    assert line(fed(), HERE, "crm") == {
        "cursor": 3,
        "kind": "opt-out",
        "at": "2027-01-15T08:00:00+00:00",
        "scope": "list:news",
        "person": "01" * 32,
        "contacts": [],
    }


def test_only_the_askers_own_contact_ids_are_told() -> None:
    told = line(fed(contacts=frozenset({("crm", "2"), ("crm", "1"), ("office", "9")})), HERE, "crm")
    assert told is not None
    assert told["contacts"] == ["1", "2"]


@pytest.mark.parametrize("kind", sorted(set(EventKind) - TOLD))
def test_facts_that_came_from_clients_are_not_told_back(kind: EventKind) -> None:
    assert line(fed(kind), HERE, "crm") is None


def test_every_refusal_is_told() -> None:
    from gateway.registry.events import BLOCKS

    assert set(BLOCKS) <= TOLD


def test_l31_the_probes_own_opt_out_is_told_to_nobody() -> None:
    assert lines([fed()], HERE, "crm", b"\1" * 32) == []
    assert len(lines([fed()], HERE, "crm", NOBODY)) == 1


def test_json_lines_are_one_object_a_line() -> None:
    octets = json_lines(lines([fed(), fed(EventKind.LANGUAGE), fed(EventKind.LIFTED)], HERE, "crm", NOBODY))
    assert [json.loads(text)["kind"] for text in octets.splitlines()] == ["opt-out", "lifted"]
    assert octets.endswith(b"\n")
