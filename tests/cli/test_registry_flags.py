"""Flags agree with the decision itself, for both organisations."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.registry_flags import PERSON, Flags
from gateway.config.load import load
from gateway.decision import Stream
from gateway.facts import NOBODY, Block, BlockKind, Consent, Facts, Scope, ScopeKind

ORGANISATIONS = {o.name: o for o in load(Path(__file__).parents[2] / "config" / "gateway.yaml", []).organisations}
NOW = 1_790_000_000


def cells(name: str, facts: Facts) -> dict[str, str]:
    flags = Flags(ORGANISATIONS[name], NOW)
    return dict(zip(flags.columns, flags.cells(facts, pending=False), strict=True))


@pytest.mark.parametrize("name", sorted(ORGANISATIONS))
def test_every_stream_that_can_be_stopped_has_a_column(name):
    columns = Flags(ORGANISATIONS[name], NOW).columns
    streams = set(ORGANISATIONS[name].streams) - {Stream.RIGHTS, Stream.CONFIRMATION}
    assert set(columns) == {*PERSON, *map(str, streams)}
    assert len(columns) == len(set(columns))


@pytest.mark.parametrize("name", sorted(ORGANISATIONS))
@pytest.mark.parametrize("kind", list(BlockKind))
def test_a_block_on_everything_stops_every_marketing_stream(name, kind):
    found = cells(name, Facts(blocks=(Block(kind, Scope(ScopeKind.EVERYTHING), 1, 1),), known=True))
    assert found["newsletter"].startswith("no: ")
    assert found["blocks"] == f"{kind} everything"
    assert bool(found["erased"]) is (kind is BlockKind.ERASURE)


def test_s37_only_an_organisation_that_announces_by_mail_needs_another_channel():
    opted_out = Facts(blocks=(Block(BlockKind.OPT_OUT, Scope(ScopeKind.EVERYTHING), 1, 1),), known=True)
    needs = {name: cells(name, opted_out)["other_channel"] for name in ORGANISATIONS}
    assert {name for name, need in needs.items() if need == "call or letter"} == {
        name for name, o in ORGANISATIONS.items() if Stream.POLICY_CHANGE in o.streams
    }
    assert all(cells(name, NOBODY)["other_channel"] == "" for name in ORGANISATIONS)


@pytest.mark.parametrize("name", sorted(ORGANISATIONS))
def test_consent_to_one_list_is_named(name):
    organisation = ORGANISATIONS[name]
    for list_name, number in organisation.list_ids.items():
        facts = Facts(consents=(Consent(Scope(ScopeKind.LIST, number), 1, 1),), known=True)
        found = cells(name, facts)["newsletter"]
        assert found.startswith("yes") == (f"list:{list_name}" in found), found
