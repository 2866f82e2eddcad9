"""What `registry show` says: every named fact, what was in force, and nothing that is not there."""

from __future__ import annotations

from tests.cli.conftest import NAMED

DETAILS = {
    "contract": ["reference=O1"],
    "subscription": ["category=materiaal", "end=none", "free=yes"],
    "contact": ["client=kleine-parel-crm", "contact=17"],
    "origin": ["origin=fair"],
    "announced": ["reference=2026"],
    "retained": ["id=invoices", "reason=tax", "until=2030-01-01"],
    "receipt": ["message=77", "kind=read"],
}


def test_every_named_fact_is_set_and_shown(made, shown):
    for kind, details in DETAILS.items():
        words = [word for detail in details for word in ("--detail", detail)]
        result = made("set", "--to", "a@example.nl", "--kind", kind, *words, *NAMED)
        assert result.exit_code == 0, result.output
    found = shown("a@example.nl")
    facts = found["facts"]
    assert (facts["contracts"], facts["origins"], facts["announced"]) == (["O1"], ["fair"], ["2026"])
    assert facts["contacts"] == ["kleine-parel-crm: 17"]
    assert facts["subscriptions"] == ["category materiaal free"]
    assert facts["retained"] == ["invoices until 2029-12-31T23:00:00Z: tax"]
    assert (found["events"][-1]["kind"], found["events"][-1]["receipt"]) == ("fact-receipt", "read")


def test_a_detail_that_the_kind_does_not_have_or_the_settings_do_not_know_is_refused(made):
    for kind, detail in (("enrolment", "category=1"), ("purchase", "category=pens"), ("contact", "client=nobody")):
        result = made("set", "--to", "a@example.nl", "--kind", kind, "--detail", detail, *NAMED)
        assert (result.exit_code, "--detail" in result.stderr) == (2, True)


def test_s65_what_was_in_force_at_a_time(made, shown, tmp_path):
    file = tmp_path / "old.csv"
    file.write_text(
        "address,kind,scope,at,channel,wording,proof\n"
        "a@example.nl,consent,list:nieuwsbrief,2024-01-01,form,v1,f\n"
        "a@example.nl,opt-out,list:nieuwsbrief,2025-01-01,,,\n"
    )
    assert made("import", str(file)).exit_code == 0
    before, during = (shown("a@example.nl", "--at", day)["in_force"] for day in ("2023-06-01", "2024-06-01"))
    assert before == []
    assert during == [
        "consent list:nieuwsbrief since 2023-12-31T23:00:00Z until 2024-12-31T23:00:00Z (event 1, ended by event 2)"
    ]
    (after,) = shown("a@example.nl", "--at", "2025-06-01T10:00")["in_force"]
    assert after.startswith("block opt-out list:nieuwsbrief since")
    wrong = made("show", "--to", "a@example.nl", "--at", "yesterday", *NAMED)
    assert (wrong.exit_code, "--at: expected a date" in wrong.stderr) == (2, True)


def test_as_text_it_is_one_line_per_fact(made):
    made("set", "--to", "a@example.nl", "--kind", "origin", "--detail", "origin=fair", *NAMED)
    result = made("show", "--to", "a@example.nl", "--at", "2020-01-01", *NAMED)
    assert "origins: fair\nin force:\n  nothing\nevents:\n  number 1, " in result.stdout
