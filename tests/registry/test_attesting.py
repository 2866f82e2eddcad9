"""A named operator vouches for a list: consents with that evidence, and never a block lifted."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest

from gateway.registry import intake
from gateway.registry.attesting import Attestation, attestation, digest_of
from gateway.registry.events import grants, lifts
from gateway.registry.importing import read
from gateway.registry.protocol import EventKind
from gateway.registry.rows import Dialect
from tests.registry.conftest import CONFIRMED, LIST, event, person
from tests.registry.test_importing import NOW, TERMS, organisation

LIST_FILE = b"Naam;E-mail\nA;anna@example.nl\nB;bert@example.nl\nC;carla@example.nl\nD;dirk@example.nl\n"


def vouched(**changed: str) -> Attestation:
    said = {
        "operator": "jan",
        "form": "old form",
        "period": "2018-05-25..2023-12-31",
        "wording": "v0",
        "scope": "list:nieuws",
    }
    return attestation(organisation(), **{**said, **changed}, digest=digest_of(io.BytesIO(LIST_FILE)), now=NOW)


def test_the_evidence_says_who_vouched_for_which_file_form_and_period():
    made = vouched()
    evidence = made.evidence
    assert (evidence.actor, evidence.channel, evidence.wording) == ("operator:jan", "attested", "v0")
    digest = hashlib.sha256(LIST_FILE).hexdigest()
    assert evidence.proof == f"sha256:{digest} form old form period 2018-05-25..2023-12-31"
    assert grants(evidence)
    assert not lifts(evidence)
    assert made.at == 1_704_063_599  # the last second of 2023 in Amsterdam


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"form": " "}, "--form"),
        ({"form": "x" * 500}, "--form: longer"),
        ({"form": "of a@example.nl"}, "--form: looks like an address"),
        ({"wording": ""}, "--wording"),
        ({"scope": "list:other"}, "--scope: no such list"),
        ({"scope": ""}, "--scope"),
        ({"period": "2018"}, "--period: expected FROM..TO"),
        ({"period": "2023-12-31..2018-05-25"}, "--period: expected FROM..TO"),
        ({"period": "2018-02-30..2019-01-01"}, "--period: expected FROM..TO"),
        ({"period": "2018-05-25..2199-01-01"}, "--period: ends in the future"),
    ],
)
def test_what_is_said_badly_is_refused_by_its_option(changed, error):
    with pytest.raises(ValueError) as refused:
        vouched(**changed)
    assert str(refused.value).startswith(error)


def test_a_period_that_ends_today_ends_now():
    assert vouched(period="2018-05-25..2026-09-21").at == NOW


async def test_rows_become_attested_consents_and_blocked_people_wait(registry):
    made = vouched()
    await registry.record(
        [
            event(EventKind.CONSENT, person("bert"), LIST, CONFIRMED, at=1_600_000_000),
            event(EventKind.OPT_OUT, person("carla"), LIST, at=1_600_000_000),
            event(EventKind.OPT_OUT, person("dirk"), LIST, at=1_750_000_000),
        ]
    )
    mapping = made.mapping("E-mail", Dialect(), organisation())
    terms = replace(TERMS, mapping=mapping, actor=made.evidence.actor)
    summary = await intake.store(read(io.BytesIO(LIST_FILE), terms), registry, [].append)
    assert (summary.stored, summary.known, summary.returns, summary.refused, summary.wrong) == (3, 1, 1, 1, 0)
    anna, bert, carla, dirk = await registry.facts([person(n) for n in ("anna", "bert", "carla", "dirk")])
    assert anna.consents_to(LIST)
    assert bert.consents_to(LIST).at == 1_600_000_000  # the better evidence stays
    for blocked in (carla, dirk):
        assert blocked.blocks
        assert not blocked.consents
    assert [r.person for r in await registry.returns(10)] == [person("carla").exact]
    stored = (await registry.history(person("anna")))[0][1]
    assert stored.evidence == made.evidence
