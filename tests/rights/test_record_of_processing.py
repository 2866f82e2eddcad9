"""The record of processing of both worked examples, held against a page that somebody read.

After a change that is meant: `python -m tests.rights.test_record_of_processing`, and read the difference.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.config.organisation import Organisation
from gateway.decision import Stream
from gateway.rights.record_of_processing import _PURPOSES, markdown, record
from tests.house import organisation

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
TODAY = date(2026, 11, 22)


def examples() -> dict[str, Organisation]:
    return {o.name: o for o in load(ROOT / "config" / "gateway.yaml", ()).organisations}


@pytest.mark.parametrize("name", ["kleine-parel", "rezulto"])
def test_l25_the_record_is_the_page_that_was_read(name: str) -> None:
    page = (GOLDEN / f"processing-{name}.md").read_text("utf-8")
    assert markdown(record(examples()[name], TODAY)) == page


def test_l25_every_stream_provider_third_party_and_term_is_in_it() -> None:
    for settings in examples().values():
        made = record(settings, TODAY)
        assert [a.stream for a in made.activities] == [s.value for s in settings.streams]
        names = {p.name for p in settings.providers} | {t.name for t in settings.third_parties}
        assert {r.name for r in made.recipients} == names
        assert all(r.contract for r in made.recipients)
        assert set(settings.retention.terms()) <= set(made.terms)
        assert all(a.bases and a.purpose and a.people and a.recipients for a in made.activities)


def test_l25_a_changed_setting_changes_the_record() -> None:
    plain = record(organisation(), TODAY)
    longer = record(organisation(retention={"audit": "7 years"}), TODAY)
    assert (plain.terms["audit"], longer.terms["audit"]) == ("2 years", "7 years")
    assert plain.policy_days == (TODAY - date(2026, 1, 1)).days


def test_l25_a_provider_without_verified_tls_is_named() -> None:
    provider = {"name": "desk", "host": "127.0.0.1", "tls": "none", "contract": "2026-01-01", "rights_clause": True}
    made = record(organisation(providers=[provider]), TODAY)
    assert any("but for desk" in measure for measure in made.measures)


def test_the_record_is_json_able_and_every_stream_has_words() -> None:
    json.dumps(record(organisation(), TODAY).to_json())
    assert set(_PURPOSES) == set(Stream) - {Stream.UNCLASSIFIED}


if __name__ == "__main__":
    for found in examples().values():
        (GOLDEN / f"processing-{found.name}.md").write_text(markdown(record(found, TODAY)), "utf-8")
