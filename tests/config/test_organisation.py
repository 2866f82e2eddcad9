"""Both shipped organisations say what their published policies say (the seeds' rows; differences D-01..D-18)."""

from __future__ import annotations

import pytest

from gateway.config.check_domains import is_public_suffix
from gateway.config.organisation import Organisation, StreamRule
from gateway.decision import Basis, Stream
from tests.config.samples import shipped

LOADED = shipped()
PAREL = LOADED.organisation("kleine-parel")
REZULTO = LOADED.organisation("rezulto")
DATABASE = (Stream.NEWSLETTER, Stream.NOTIFICATION, Stream.PARTICIPATION, Stream.POLICY_CHANGE)


def rule(organisation: Organisation, stream: Stream) -> StreamRule:
    return organisation.streams[stream]


def streams_of(organisation: Organisation, client: str) -> set[Stream]:
    return {entry.stream for entry in organisation.classify if entry.when.client == client}


@pytest.mark.parametrize("organisation", [PAREL, REZULTO])
def test_no_stream_keeps_receipt_requests(organisation: Organisation) -> None:
    assert {r.receipts for r in organisation.streams.values()} == {"strip"}


@pytest.mark.parametrize("organisation", [PAREL, REZULTO])
def test_every_entry_names_its_client_so_that_a_refusal_at_rcpt_can_be_known(organisation: Organisation) -> None:
    assert all(entry.when.client is not None for entry in organisation.classify)


@pytest.mark.parametrize("organisation", [PAREL, REZULTO])
def test_course_mail_of_people_is_private_from_two_recipients_on(organisation: Organisation) -> None:
    """S-10: whatever its stream; mail to one person stays as it is."""
    office = organisation.by_client[f"{organisation.name}-office"]
    assert (office.kind, office.private_from) == ("people", 2)
    personal = rule(organisation, Stream.PERSONAL)
    assert (personal.private, personal.edit) == (False, False)


@pytest.mark.parametrize("organisation", [PAREL, REZULTO])
def test_a_shop_sends_shop_mail_only(organisation: Organisation) -> None:
    assert streams_of(organisation, f"{organisation.name}-webshop") == {Stream.WEBSHOP}


@pytest.mark.parametrize("organisation", [PAREL, REZULTO])
def test_every_provider_has_its_contract(organisation: Organisation) -> None:
    assert all(p.rights_clause and p.contract for p in organisation.providers)
    assert {p.tls for p in organisation.providers} <= {"verify", "implicit"}


@pytest.mark.parametrize("organisation", [PAREL, REZULTO])
def test_every_stream_has_a_route(organisation: Organisation) -> None:
    routed = {stream for route in organisation.routes for stream in route.streams}
    assert routed == set(organisation.streams)


@pytest.mark.parametrize("organisation", [PAREL, REZULTO])
def test_footers_name_the_sender_in_dutch_and_english(organisation: Organisation) -> None:
    assert set(organisation.footer.link) == {"nl", "en"}
    assert organisation.controller.register_number in organisation.footer.link["nl"]


# --- the training institute


def test_the_institute_is_who_its_policy_says() -> None:
    assert (PAREL.id, PAREL.controller.name) == (1, "Opleidingsinstituut De Kleine Parel")
    assert PAREL.controller.postal_address.startswith("Siergaarde 47, 2285JD Rijswijk")
    assert (PAREL.controller.contact, str(PAREL.controller.policy_date)) == ("info@dekleineparel.nl", "2018-05-25")


def test_its_eight_sites_are_its_domains_and_five_can_be_signed() -> None:
    """S-02."""
    assert len(PAREL.domains) == 8
    assert {d.domain for d in PAREL.domains if not d.dkim} == {
        "blomberg-rmt-nederland.123website.nl",
        "bal-a-vis-x-nederland.123website.nl",
        "mijnwebwinkel.nl",
    }
    assert is_public_suffix("123website.nl"), "why the load refuses a key there even without shared_parent"


def test_the_database_says_which_of_its_kinds_a_mail_is() -> None:
    """S-17; rights and confirmation are not among them, or nobody could be refused at RCPT."""
    crm = [entry for entry in PAREL.classify if entry.when.client == "kleine-parel-crm"]
    assert [entry.stream for entry in crm] == list(DATABASE)
    assert all(entry.when.stream_mark is entry.stream for entry in crm)
    client = PAREL.by_client["kleine-parel-crm"]
    assert (client.source, client.refuse) == ("perfectview", "rcpt")
    assert client.secret
    assert client.networks


@pytest.mark.parametrize("stream", DATABASE)
def test_one_opt_out_stops_everything_from_the_database(stream: Stream) -> None:
    """S-21, S-22: a link in every automated mail, and its scope is the source."""
    found = rule(PAREL, stream)
    assert (found.opt_out.scope, found.opt_out.text) == ("source", "link")
    assert "source" in found.blocked_by


@pytest.mark.parametrize("stream", sorted(set(PAREL.streams) - set(DATABASE)))
def test_it_does_not_stop_what_is_not_from_the_database(stream: Stream) -> None:
    """S-23."""
    assert rule(PAREL, stream).blocked_by == ("everything",)
    assert rule(PAREL, stream).opt_out.scope is None


def test_one_click_stands_on_newsletters_and_notifications_only() -> None:
    """1c-2."""
    assert {s: rule(PAREL, s).opt_out.header for s in DATABASE} == {
        Stream.NEWSLETTER: "one-click",
        Stream.NOTIFICATION: "one-click",
        Stream.PARTICIPATION: "link",
        Stream.POLICY_CHANGE: "link",
    }


def test_what_each_kind_needs() -> None:
    """S-18, S-19, S-20."""
    assert rule(PAREL, Stream.NEWSLETTER).needs == ("list-consent",)
    assert rule(PAREL, Stream.NOTIFICATION).needs == ("topic-request", "ready")
    assert rule(PAREL, Stream.PARTICIPATION).needs == ("enrolment",)


def test_nothing_is_ever_tracked() -> None:
    """D-09."""
    assert {r.tracking for r in PAREL.streams.values()} == {"never"}


def test_shop_mail_goes_by_the_shop_platform_and_nothing_else_does() -> None:
    """S-12, S-14."""
    pinned = [route for route in PAREL.routes if Stream.WEBSHOP in route.streams or not route.streams]
    assert [route.provider for route in pinned] == ["myonlinestore"]
    assert pinned[0].streams == (Stream.WEBSHOP,)
    assert len(PAREL.providers) >= 3


# --- the publisher


def test_the_publisher_is_who_its_statement_says() -> None:
    assert (REZULTO.id, REZULTO.controller.name) == (2, "Rezulto B.V.")
    assert REZULTO.controller.postal_address.startswith("Sarphatipark 25, 1073 CP Amsterdam")
    assert (REZULTO.controller.register_number, REZULTO.controller.contact) == ("84541423", "info@rezulto.nl")


def test_a_link_in_a_newsletter_stops_that_newsletter() -> None:
    """S-45, S-60."""
    found = rule(REZULTO, Stream.NEWSLETTER)
    assert (found.opt_out.scope, found.opt_out.header, found.opt_out.text) == ("list", "one-click", "link")
    assert found.needs == ("list-consent",)
    assert set(found.blocked_by) == {"everything", "marketing", "list"}
    assert len({item.list_id for item in REZULTO.lists}) == 2


def test_click_tracking_is_for_newsletters_with_consent() -> None:
    """S-46, 1c-8."""
    assert [s for s, r in REZULTO.streams.items() if r.tracking == "consent"] == [Stream.NEWSLETTER]
    assert REZULTO.strict_tracking


def test_offers_follow_a_purchase_and_stop_by_category() -> None:
    """S-49, S-50."""
    found = rule(REZULTO, Stream.NOTIFICATION)
    assert found.basis[0] is Basis.SOFT_OPT_IN
    assert found.needs == ("soft-opt-in",)
    assert (found.opt_out.scope, found.opt_out.header) == ("category", "one-click")


def test_informational_mail_cannot_be_stopped_and_carries_no_offer() -> None:
    """S-43, S-61, 1c-3."""
    found = rule(REZULTO, Stream.INFORMATIONAL)
    assert found.unstoppable
    assert found.refuses_offers
    assert found.needs == ("reference",)
    assert (found.opt_out.scope, found.opt_out.header, found.opt_out.text) == (None, "none", "how-to")


def test_every_automated_message_says_how_to_stop() -> None:
    """S-51."""
    silent = {s for s, r in REZULTO.streams.items() if r.opt_out.text == "none"}
    assert silent == {Stream.PERSONAL}
    assert set(REZULTO.footer.how_to) == {"nl", "en"}
    assert "{link}" not in "".join(REZULTO.footer.how_to.values())


def test_mail_of_the_database_says_its_basis_and_all_other_streams_have_one_only() -> None:
    """S-41, D-16."""
    for stream in streams_of(REZULTO, "rezulto-crm"):
        assert rule(REZULTO, stream).basis_mark
    for stream, found in REZULTO.streams.items():
        assert found.basis_mark or len(found.basis) == 1, stream


def test_research_rests_on_consent() -> None:
    """S-48."""
    assert rule(REZULTO, Stream.RESEARCH).needs == ("research-consent",)
    assert rule(REZULTO, Stream.RESEARCH).basis == (Basis.CONSENT,)


def test_no_policy_change_is_mailed_and_no_source_stops_everything() -> None:
    """D-01, D-12."""
    assert Stream.POLICY_CHANGE not in REZULTO.streams
    assert not any("source" in r.blocked_by for r in REZULTO.streams.values())
