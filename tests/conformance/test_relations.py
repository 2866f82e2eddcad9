"""De Kleine Parel: sensitive data, minors, what somebody is told of, and what is shown of somebody to others."""

from __future__ import annotations

import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import (
    NEWSLETTER,
    OFFICE,
    OFFICER,
    attempted,
    counted,
    counts_more,
    enrolment,
    from_database,
    held,
    nothing_arrived,
    provider_away,
    reader,
    refused,
    request,
    retry,
    traced,
)
from tests.e2e.post import EVIDENCE, PAREL, Sent, arrived, consent, header, mail, person, send, wait
from tests.e2e.traces import found
from tests.e2e.watching import in_state, queue

INTAKE = {"stream": "participation", "reference": "intake-6", "sensitive": "yes"}


def test_s06_sensitive_mail_needs_a_reference_to_the_consent(shared: Stage) -> None:
    who, buyer = person("hulpvraag"), person("koper")
    shared.people("kleine-parel", [enrolment(who, "intake-6")])
    reason = held(shared, from_database(shared, who, stream="participation", sensitive="yes"))
    assert "reference of the explicit consent missing" in reason
    bare = send(shared, OFFICE, mail(PAREL, [buyer], sensitive="yes"), [buyer])
    assert "sensitive" in held(shared, bare), "whoever sends it"
    nothing_arrived(shared, who, buyer)
    assert from_database(shared, who, **INTAKE).code == 250
    (copy,) = arrived(shared, [who])
    assert header(copy.content, "Briefgeheim-Sensitive") == []


def test_s06_no_copy_stays_after_it_left(shared: Stage) -> None:
    who, secret = person("hulpvraag"), "medische-voorgeschiedenis-6611"
    shared.people("kleine-parel", [enrolment(who, "intake-6")])
    sent = from_database(shared, who, text=f"Uw {secret}.\n", **INTAKE)
    (copy,) = arrived(shared, [who])
    assert secret.encode() in copy.content
    wait(lambda: queue(shared, sent.id) == [], "the queue to let go of it")
    assert shared.command("queue", "show", sent.id, "--reveal", *OFFICER, ok=False).strip() == ""
    assert found(shared.state, [secret]) == {}


@pytest.mark.parametrize("marks", [NEWSLETTER, {"stream": "notification", "topic": "cursussen", "ready": "yes"}])
def test_s07_a_minor_gets_no_marketing_without_the_guardian(shared: Stage, marks: dict[str, str]) -> None:
    child, guarded = person("kind"), person("kind")
    asked = [row for who in (child, guarded) for row in (consent(who, "list:nieuwsbrief"), request(who, "cursussen"))]
    agreed = {"address": guarded, "kind": "minor", "minor": "yes", "guardian": "yes"} | EVIDENCE
    shared.people("kleine-parel", [*asked, {"address": child, "kind": "minor", "minor": "yes"}, agreed])
    before = counted(shared, "S-07")
    refused(from_database(shared, child, **marks), "guardian")
    assert from_database(shared, guarded, **marks).code == 250
    assert len(arrived(shared, [guarded])) == 1
    nothing_arrived(shared, child)
    counts_more(shared, "S-07", before)


def test_s07_a_guardians_yes_without_evidence_is_none(shared: Stage) -> None:
    child = reader(shared, person("kind"))
    shared.people("kleine-parel", [{"address": child, "kind": "minor", "minor": "yes", "guardian": "yes"}])
    refused(from_database(shared, child, **NEWSLETTER), "guardian")


def test_s07_sensitive_data_is_not_asked_of_a_minor_and_the_mail_goes_to_nobody_else(shared: Stage) -> None:
    child = person("kind")
    shared.people("kleine-parel", [enrolment(child, "intake-6"), {"address": child, "kind": "minor", "minor": "yes"}])
    sent = from_database(shared, child, **INTAKE)
    assert held(shared, sent) == "sensitive: sensitive mail to a minor"
    assert len(queue(shared, sent.id)) == 1, "no recipient was added"
    nothing_arrived(shared, child)
    traced(shared, child, "sensitive mail to a minor")
    plain = from_database(shared, child, stream="participation", reference="intake-6")
    assert plain.code == 250, "place and time of a course are for the child too"
    arrived(shared, [child])


def test_s08_an_offer_is_about_what_was_asked_for_or_goes_with_what_was_bought(shared: Stage) -> None:
    curious, buyer = person("belangstelling"), person("koper")
    bought = {"address": buyer, "kind": "purchase", "category": "opleiding", "at": "2026-01-02"}
    shared.people("kleine-parel", [request(curious, "lezingen"), enrolment(buyer, "k8"), bought])
    before = counted(shared, "S-08")
    other, own = ({"stream": "notification", "topic": topic, "ready": "yes"} for topic in ("materialen", "lezingen"))
    refused(from_database(shared, curious, **other), "topic", "missing")
    assert from_database(shared, curious, **own).code == 250
    part = {"stream": "participation", "reference": "k8"}
    refused(from_database(shared, buyer, **part, offer="related materiaal"), "missing")
    assert from_database(shared, buyer, **part, offer="related opleiding").code == 250
    assert len(arrived(shared, [curious, buyer])) == 2
    counts_more(shared, "S-08", before, 2)


def photo(stage: Stage, who: str, ident: str) -> Sent:
    return from_database(stage, who, publication=ident, **NEWSLETTER)


def agreed_photo(stage: Stage, **more: str) -> str:
    """Somebody who agreed to a publication; gives its id."""
    shown, ident = person("model"), f"foto-{person()[:12]}"
    row = {"address": shown, "kind": "publication", "id": ident} | EVIDENCE
    stage.people("kleine-parel", [row, row | more] if more else [row])
    return ident


def test_s09_an_experience_or_photo_goes_out_when_its_person_agreed(shared: Stage) -> None:
    who = reader(shared, person("lezer"))
    before = counted(shared, "S-09")
    assert "missing" in held(shared, photo(shared, who, "yes"))
    assert "publication" in held(shared, photo(shared, who, "foto-die-niemand-kent"))
    assert "publication" in held(shared, photo(shared, who, agreed_photo(shared, active="no")))
    nothing_arrived(shared, who)
    assert photo(shared, who, agreed_photo(shared)).code == 250
    assert len(arrived(shared, [who])) == 1
    counts_more(shared, "S-09", before, 3)


def test_s09_consent_withdrawn_while_it_waits_stops_it(shared: Stage) -> None:
    who, ident, shown = reader(shared, person("lezer")), f"foto-{person()[:12]}", person("model")
    row = {"address": shown, "kind": "publication", "id": ident} | EVIDENCE
    shared.people("kleine-parel", [row])
    with provider_away(shared, "kleine-parel/mailing"):
        sent = photo(shared, who, ident)
        attempted(shared, sent)
        shared.people("kleine-parel", [row | {"active": "no"}])
    retry(shared, sent)
    assert "publication" in in_state(shared, sent.id, "held")[0]["reason"]
    nothing_arrived(shared, who)


def test_s09_a_named_operator_may_decide_otherwise_which_is_counted(shared: Stage) -> None:
    who = reader(shared, person("lezer"))
    sent = photo(shared, who, "yes")
    held(shared, sent)
    before = counted(shared, "S-09")
    shared.command("queue", "release", sent.id, "--operator", "", "--reason", "x", ok=False)
    nothing_arrived(shared, who)
    shared.command("queue", "release", sent.id, *OFFICER)
    assert len(arrived(shared, [who])) == 1
    counts_more(shared, "S-09", before)
    traced(shared, who, "officer", "released")
