"""De Kleine Parel, "Geautomatiseerde e-mail": three kinds of mail, each only to who asked for it or takes part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import (
    CRM,
    NEWSLETTER,
    OFFICER,
    ORG,
    attempted,
    counted,
    counts_more,
    enrolment,
    from_database,
    kinds,
    looked_up,
    nothing_arrived,
    participant,
    provider_away,
    reader,
    refused,
    request,
    retry,
)
from tests.e2e.post import PAREL, arrived, consent, header, mail, person, send, wait
from tests.e2e.watching import queue

BY_PHONE = {"channel": "phone", "wording": "", "proof": "note of the call"}


def test_s17_each_mail_of_the_database_is_one_of_three_kinds_or_does_not_leave(shared: Stage) -> None:
    who = participant(shared, person("soort"), "k17")
    before = counted(shared, "S-17")
    for marks in kinds("k17").values():
        assert from_database(shared, who, **marks).code == 250
    everything = {"list": "nieuwsbrief", "topic": "cursussen", "reference": "k17", "ready": "yes"}
    refused(from_database(shared, who, **everything), "stream_missing")
    refused(from_database(shared, who, stream="personal", **everything))
    doubled = mail(PAREL, [who], stream="newsletter", **everything)
    doubled["Briefgeheim-Stream"] = "participation"
    refused(send(shared, CRM, doubled, [who]), "twice")
    copies = arrived(shared, [who], 3)
    assert not any(header(copy.content, "Briefgeheim-Stream") for copy in copies)
    counts_more(shared, "S-17", before, 2)


def test_s18_the_newsletter_goes_to_who_wants_it_and_to_nobody_else(shared: Stage) -> None:
    wants, asked_nothing, wants_courses = person("wil"), person("niets"), person("cursus")
    shared.people("kleine-parel", [consent(wants, "list:nieuwsbrief"), enrolment(wants_courses, "k18")])
    before = counted(shared, "S-18")
    for who in (asked_nothing, wants_courses):
        refused(from_database(shared, who, **NEWSLETTER), "consent", "missing")
    assert from_database(shared, wants, **NEWSLETTER).code == 250
    assert len(arrived(shared, [wants])) == 1
    nothing_arrived(shared, asked_nothing, wants_courses)
    counts_more(shared, "S-18", before, 3)


def test_s18_who_takes_the_consent_back_while_it_waits_does_not_get_it(shared: Stage) -> None:
    staff = f"{person('staf').partition('@')[0]}@dekleineparel.nl"
    stays, leaves = reader(shared, person("blijft")), reader(shared, person("weg"))
    with provider_away(shared, "kleine-parel/mailing"):
        waiting = [from_database(shared, who, staff, **NEWSLETTER) for who in (stays, leaves)]
        for sent in waiting:
            attempted(shared, sent)
        shared.people("kleine-parel", [{"address": leaves, "kind": "withdrawal", "scope": "list:nieuwsbrief"}])
    retry(shared, *waiting)
    arrived(shared, [stays])
    wait(lambda: not queue(shared, waiting[1].id), "an end")
    nothing_arrived(shared, leaves)
    (report,) = arrived(shared, [staff])  # staff hear of it
    assert leaves.encode() in report.content


@pytest.mark.parametrize("channel", ["form", "e-mail"])
def test_s19_a_notification_is_about_what_was_asked_for(shared: Stage, channel: str) -> None:
    who = person("vraagt")
    shared.people("kleine-parel", [request(who, "lezingen", channel=channel)])
    before = counted(shared, "S-19")
    refused(from_database(shared, who, stream="notification", topic="cursussen", ready="yes"), "missing")
    refused(from_database(shared, who, stream="notification", ready="yes"), "Topic")
    assert from_database(shared, who, stream="notification", topic="lezingen", ready="yes").code == 250
    assert len(arrived(shared, [who])) == 1
    counts_more(shared, "S-19", before, 2)


def test_s19_a_notification_leaves_once_the_information_is_concrete(shared: Stage) -> None:
    who = person("wacht")
    shared.people("kleine-parel", [request(who, "opleidingen")])
    marks = {"stream": "notification", "topic": "opleidingen"}
    refused(from_database(shared, who, **marks, ready="no"), "not yet current and concrete")
    refused(from_database(shared, who, **marks), "Ready")
    assert from_database(shared, who, **marks, ready="yes").code == 250
    assert len(arrived(shared, [who])) == 1


@pytest.fixture
def imported(shared: Stage, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Imports one row; gives the exit code."""

    def add(row: dict[str, str]) -> int:
        file = tmp_path / "row.csv"
        file.write_text(f"{','.join(row)}\n{','.join(row.values())}\n", "utf-8")
        return shared.run(["registry", "import", str(file), *ORG, "--config", str(shared.config)])

    return add  # type: ignore[return-value]


def test_s19_what_was_asked_by_phone_says_who_took_the_call_and_when(
    shared: Stage, imported: Callable[..., int]
) -> None:
    nobody, undated, called = person("bel"), person("bel"), person("bel")
    marks = {"stream": "notification", "topic": "materialen", "ready": "yes"}
    assert imported(request(nobody, "materialen", **BY_PHONE, actor="")) == 1
    assert imported(request(undated, "materialen", **BY_PHONE, actor="jan", at="")) == 1
    for who in (nobody, undated):
        refused(from_database(shared, who, **marks), "missing")
    call = ("--kind", "request", "--scope", "topic:materialen", "--channel", "phone")
    shared.command("registry", "set", "--to", called, *call, *OFFICER, *ORG)
    assert from_database(shared, called, **marks).code == 250
    assert len(arrived(shared, [called])) == 1
    (event,) = looked_up(shared, called)["events"]
    assert "operator:officer" in str(event)


def test_s20_only_participants_get_participation_mail(shared: Stage) -> None:
    takes_part, reads, ended = person("mee"), reader(shared, person("leest")), person("klaar")
    shared.people("kleine-parel", [enrolment(takes_part, "k20"), enrolment(ended, "k20")])
    shared.people("kleine-parel", [enrolment(ended, "k20", active="no")])
    before = counted(shared, "S-20")
    marks = {"stream": "participation", "reference": "k20"}
    for who in (reads, ended):
        refused(from_database(shared, who, **marks), "enrolment", "missing")
    refused(from_database(shared, takes_part, stream="participation", reference="k21"), "enrolment")
    assert from_database(shared, takes_part, **marks).code == 250
    assert len(arrived(shared, [takes_part])) == 1
    nothing_arrived(shared, reads, ended)
    counts_more(shared, "S-20", before, 4)


def test_s20_a_new_offer_in_it_is_related_to_what_was_bought(shared: Stage) -> None:
    bought, declined, other = person("kocht"), person("liever-niet"), person("anders")
    sale = {"kind": "purchase", "at": "2026-01-02", "category": "materiaal"}
    shared.people(
        "kleine-parel",
        [enrolment(who, "k20") for who in (bought, declined, other)]
        + [{"address": bought} | sale, {"address": declined, "declined": "yes"} | sale]
        + [{"address": other} | sale | {"category": "opleiding"}],
    )
    marks = {"stream": "participation", "reference": "k20", "offer": "related materiaal"}
    refused(from_database(shared, declined, **marks), "declined")
    refused(from_database(shared, other, **marks), "purchase", "missing")
    assert from_database(shared, bought, **marks).code == 250
    assert len(arrived(shared, [bought])) == 1
    nothing_arrived(shared, declined, other)
