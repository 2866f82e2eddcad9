"""Who the own postmaster is."""

from __future__ import annotations

import pytest

from gateway.address import Address
from gateway.envelope import Envelope, Peer, Recipient
from gateway.policy import postmaster
from tests.policy.example import organisation

RULES = organisation(internal_domains=["binnen.example"])


def envelope(*to: str) -> Envelope:
    return Envelope("crm", None, tuple(Recipient(Address.parse(a)) for a in to), Peer("127.0.0.1", "x"))


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("postmaster", True),
        ("POSTmaster", True),
        ("Postmaster@VOORBEELD.example", True),
        ("postmaster@binnen.example", True),
        ("postmaster@elders.example", False),
        ("postmaster2@voorbeeld.example", False),
        ("beheer@voorbeeld.example", False),
    ],
)
def test_r022_any_case_with_and_without_a_domain_of_ours(text: str, own: bool) -> None:
    (found,) = postmaster.marked(RULES, envelope(text)).recipients
    assert found.postmaster is own


def test_r022_without_a_domain_it_is_the_address_the_settings_name() -> None:
    (found,) = postmaster.marked(RULES, envelope("Postmaster")).recipients
    assert found.address == Address.parse("beheer@voorbeeld.example")


def test_others_stay_as_they_are() -> None:
    both = postmaster.marked(RULES, envelope("postmaster", "a@b.example"))
    assert both.recipients[1] == envelope("a@b.example").recipients[0]
    assert (postmaster.among(both), postmaster.alone(both)) == (True, False)
    assert postmaster.alone(postmaster.marked(RULES, envelope("postmaster")))
