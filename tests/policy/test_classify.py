"""From client, sender and headers to a stream."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.address import Address
from gateway.decision import Basis, Classification, Stream
from gateway.policy import marks
from gateway.policy.classify import Traits, classify
from tests.policy.example import (
    CATEGORY,
    NEWS,
    ORGANISATION,
    OTHER_LIST,
    SETTINGS,
    SOURCE,
    TOPIC,
    organisation,
    with_stream,
)

FROM = Address.parse("info@voorbeeld.example")


def mail(client: str = "crm", recipients: Any = 1, **headers: Any) -> Classification:
    """Classify a mail; header names are given as `stream=` for `Briefgeheim-Stream`."""
    named = {_name(k): (v,) if isinstance(v, str) else v for k, v in headers.items()}
    return classify(ORGANISATION, Traits(client, FROM, FROM, recipients, named))


def _name(key: str) -> str:
    return "list-id" if key == "list_id" else f"{marks.PREFIX}{key.replace('_', '-')}"


NEWSLETTER = {"stream": "newsletter", "list": "nieuws", "basis": "consent"}


def test_a_marked_newsletter_is_one() -> None:
    made = mail(**NEWSLETTER)
    assert made == Classification(Stream.NEWSLETTER, entry="news", basis=Basis.CONSENT, source=SOURCE, list=NEWS)


def test_a_mail_without_a_kind_names_the_mark_and_the_kinds() -> None:
    made = mail()
    assert made.stream is Stream.UNCLASSIFIED
    assert made.why == (
        "stream_missing: Briefgeheim-Stream, expected newsletter, notification, participation, research"
    )


@pytest.mark.parametrize("kinds", [("newsletter", "participation"), ("newsletter", "newsletter")])
def test_two_kinds_are_none(kinds: tuple[str, ...]) -> None:
    made = mail(stream=kinds)
    assert made.stream is Stream.UNCLASSIFIED
    assert made.why.startswith("stream twice")


def test_two_kinds_are_refused_for_clients_that_need_no_mark_too() -> None:
    assert mail("winkel", stream=("webshop", "webshop")).stream is Stream.UNCLASSIFIED


@pytest.mark.parametrize("kind", ["spam", "newsletter, notification", "unclassified"])
def test_an_unknown_kind_is_refused(kind: str) -> None:
    made = mail(stream=kind)
    assert made.stream is Stream.UNCLASSIFIED
    assert "Briefgeheim-Stream: expected newsletter, " in made.why


def test_a_client_without_marks_is_told_by_its_entry() -> None:
    made = mail("winkel")
    assert (made.stream, made.entry, made.basis, made.source) == (Stream.WEBSHOP, "orders", Basis.CONTRACT, 6)


def test_a_kind_that_contradicts_the_entry_is_refused() -> None:
    made = mail("winkel", stream="newsletter")
    assert (made.stream, made.entry) == (Stream.UNCLASSIFIED, "orders")
    assert "Briefgeheim-Stream" in made.why


def test_no_entry_that_matches_is_refused() -> None:
    assert mail("kantoor", recipients=5).stream is Stream.PERSONAL
    made = mail("kantoor", recipients=6)
    assert made.stream is Stream.UNCLASSIFIED
    assert made.why == "no classify entry matches this client, sender and headers"


def test_a_client_of_another_organisation_is_refused() -> None:
    assert mail("vreemd").stream is Stream.UNCLASSIFIED


def test_the_first_matching_entry_counts() -> None:
    entries = [{"name": "first", "when": {}, "stream": "personal"}, *SETTINGS["classify"]]
    made = classify(organisation(classify=entries), Traits("winkel", FROM, FROM, 1, {}))
    assert made.entry == "first"


def test_basis_must_be_named_where_the_stream_says_so() -> None:
    missing = mail(stream="newsletter", list="nieuws")
    assert missing.why == "Briefgeheim-Basis missing, expected consent"
    wrong = mail(stream="newsletter", list="nieuws", basis="contract")
    assert wrong.why == "Briefgeheim-Basis: expected consent"
    assert missing.stream is wrong.stream is Stream.UNCLASSIFIED


def test_a_wrong_basis_is_refused_where_the_mark_is_not_needed_too() -> None:
    assert mail("winkel", basis="consent").stream is Stream.UNCLASSIFIED
    assert mail("winkel", basis="contract").basis is Basis.CONTRACT


def test_an_entry_narrows_the_basis() -> None:
    entries = [{"name": "offers", "when": {"client": "winkel"}, "stream": "notification", "basis": "soft_opt_in"}]
    narrowed = organisation(classify=entries)
    traits = Traits("winkel", FROM, FROM, 1, {})
    assert classify(narrowed, traits).basis is Basis.SOFT_OPT_IN
    contradicting = Traits("winkel", FROM, FROM, 1, {marks.BASIS: ("consent",)})
    assert classify(narrowed, contradicting).stream is Stream.UNCLASSIFIED


def test_a_list_is_told_by_mark_or_list_id_and_they_must_agree() -> None:
    assert mail(stream="newsletter", basis="consent", list_id="<agenda.voorbeeld.example>").list == OTHER_LIST
    assert mail(**NEWSLETTER, list_id="<nieuws.voorbeeld.example>").list == NEWS
    made = mail(**NEWSLETTER, list_id="<agenda.voorbeeld.example>")
    assert made.stream is Stream.UNCLASSIFIED
    assert "different lists" in made.why


def test_a_foreign_list_id_says_nothing() -> None:
    assert mail(**NEWSLETTER, list_id="<other.example>").list == NEWS


@pytest.mark.parametrize("marked", [{}, {"list": "onbekend"}, {"list": "oud"}, {"list_id": "<oud.voorbeeld.example>"}])
def test_a_newsletter_without_a_list_in_use_is_refused(marked: dict[str, str]) -> None:
    made = mail(stream="newsletter", basis="consent", **marked)
    assert made.stream is Stream.UNCLASSIFIED
    assert "List" in made.why


def test_a_notification_names_a_known_topic() -> None:
    assert mail(stream="notification", topic="yoga", ready="yes").topic == TOPIC
    for marked in ({}, {"topic": "schaken"}):
        made = mail(stream="notification", ready="yes", **marked)
        assert made.why.endswith("expected yoga, zang")


def test_entry_and_mark_must_name_one_topic() -> None:
    entries = [{"name": "yoga", "when": {"client": "crm"}, "stream": "notification", "topic": "yoga"}]
    narrowed = organisation(classify=entries)
    assert classify(narrowed, Traits("crm", FROM, FROM, 1, {})).topic == TOPIC
    other = Traits("crm", FROM, FROM, 1, {marks.TOPIC: ("zang",)})
    assert classify(narrowed, other).stream is Stream.UNCLASSIFIED


def test_an_offer_by_soft_opt_in_needs_no_topic() -> None:
    made = mail(stream="notification", basis="soft_opt_in", offer="similar boeken", ready="yes")
    assert (made.stream, made.topic, made.category) == (Stream.NOTIFICATION, 0, CATEGORY)


def test_an_offer_names_a_known_category() -> None:
    made = mail("winkel", offer="similar boeken")
    assert (made.offer, made.category) == ("similar", CATEGORY)
    assert mail("winkel", offer="similar fietsen").why == "Briefgeheim-Offer: expected boeken, cursussen"


def test_every_other_mark_is_read() -> None:
    made = mail(
        stream="participation",
        reference="K-1",
        contact="c9",
        campaign="k",
        about="a1",
        shared_with="aanbieder-3",
        publication="p1",
        segment="s",
        sensitive="yes",
        ready="no",
        identified="yes",
    )
    assert made == Classification(
        Stream.PARTICIPATION,
        entry="courses",
        basis=Basis.CONTRACT,
        source=SOURCE,
        reference="K-1",
        contact="c9",
        campaign="k",
        about="a1",
        shared_with="aanbieder-3",
        publication="p1",
        segment="s",
        sensitive=True,
        ready=False,
        identified=True,
    )


def test_a_contact_mark_is_for_one_recipient() -> None:
    assert mail("kantoor", recipients=2, contact="c9").stream is Stream.UNCLASSIFIED


def test_a_misspelt_mark_is_refused() -> None:
    made = mail("winkel", ofer="similar boeken")
    assert made.why.startswith("Briefgeheim-Ofer is not a known mark")


def test_a_stream_without_rules_is_refused() -> None:
    bare = organisation(streams={})
    assert classify(bare, Traits("winkel", FROM, FROM, 1, {})).stream is Stream.UNCLASSIFIED


def test_nothing_of_the_mail_is_repeated_in_the_reason() -> None:
    for name in sorted(marks.KNOWN):
        made = mail("winkel", **{name.removeprefix(marks.PREFIX): "jan@example.org"})
        assert made.stream is Stream.UNCLASSIFIED
        assert "jan" not in made.why


def test_a_stream_that_asks_no_list_takes_mail_without_one() -> None:
    free = with_stream("newsletter", needs=[], basis_mark=False)
    traits = Traits("crm", FROM, FROM, 1, {marks.STREAM: ("newsletter",)})
    assert classify(free, traits).stream is Stream.NEWSLETTER


values = st.lists(
    st.sampled_from(["newsletter", "nieuws", "yes", "consent", "similar boeken", "11"]) | st.text(max_size=20),
    max_size=2,
).map(tuple)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["crm", "winkel", "kantoor", ""]),
    st.integers(min_value=0, max_value=9),
    st.dictionaries(st.sampled_from([*sorted(marks.KNOWN), "list-id", "briefgeheim-x"]), values),
)
def test_every_header_has_a_classification(client: str, recipients: int, headers: dict[str, tuple[str, ...]]) -> None:
    made = classify(ORGANISATION, Traits(client, None, None, recipients, headers))
    assert bool(made.why) == (made.stream is Stream.UNCLASSIFIED)
    assert Classification.from_json(made.to_json()) == made


OBSERVED = frozenset({Stream.NEWSLETTER})


def observe(client: str = "crm", observed: frozenset[Stream] = OBSERVED, **marked: str) -> Classification:
    headers = {f"briefgeheim-{name}": (value,) for name, value in marked.items()}
    return classify(ORGANISATION, Traits(client, FROM, FROM, 1, headers), observed)


def test_on_an_observed_stream_a_missing_mark_is_noted_instead_of_refused() -> None:
    made = observe(stream="newsletter")
    assert (made.stream, made.list, made.basis) == (Stream.NEWSLETTER, 0, Basis.CONSENT)
    assert made.lacks.startswith("Briefgeheim-Basis missing, expected consent; Briefgeheim-List missing")
    assert observe(stream="newsletter", list="nieuws", basis="consent").lacks == ""


def test_a_mark_that_is_wrong_is_refused_on_an_observed_stream_too() -> None:
    for marked in ({"list": "onbekend"}, {"basis": "contract"}, {"stream": "nieuwsbrief"}, {"ofer": "similar boeken"}):
        assert observe(**{"stream": "newsletter", **marked}).stream is Stream.UNCLASSIFIED


def test_unmarked_mail_is_the_observed_stream_when_there_is_one() -> None:
    made = observe()
    assert (made.stream, made.entry, made.source) == (Stream.NEWSLETTER, "observed", SOURCE)
    assert made.lacks.startswith("stream_missing: Briefgeheim-Stream")
    both = observe(observed=frozenset({Stream.NEWSLETTER, Stream.NOTIFICATION}))
    assert both.stream is Stream.UNCLASSIFIED
    assert observe(observed=frozenset()).stream is Stream.UNCLASSIFIED


def test_marked_mail_of_another_stream_is_not_loosened() -> None:
    assert observe(stream="notification", ready="yes").stream is Stream.UNCLASSIFIED
    assert observe(stream="webshop").stream is Stream.UNCLASSIFIED


def test_observing_one_client_changes_nothing_where_an_entry_takes_the_mail() -> None:
    assert observe("winkel", frozenset({Stream.WEBSHOP})).entry == "orders"


def test_s13_a_third_party_is_one_of_the_settings() -> None:
    assert mail("winkel", shared_with="aanbieder-3").shared_with == "aanbieder-3"
    made = mail("winkel", shared_with="vreemde")
    assert (made.stream, made.why) == (Stream.UNCLASSIFIED, "Briefgeheim-Shared-With: expected aanbieder-3")


def test_s09_a_mail_may_name_several_publication_consents() -> None:
    assert mail("winkel", publication="P-1, P-2,P-1").publication == "P-1,P-2"
    assert [mail("winkel", publication=said).publication for said in ("yes", "no")] == ["yes", ""]
    for wrong in ("P-1,,P-2", "jan@example.org", "P 1", ",".join(f"P{n}" for n in range(51))):
        assert mail("winkel", publication=wrong).stream is Stream.UNCLASSIFIED
