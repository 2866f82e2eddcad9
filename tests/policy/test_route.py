"""Each sender domain and stream goes to the provider named for it, and nowhere else."""

from __future__ import annotations

from gateway.decision import Stream
from gateway.policy.route import route
from tests.delivery.rig import organisation

RULES = organisation(
    {"name": "office", "port": 1},
    {"name": "shop", "port": 2},
    routes=[
        {"provider": "shop", "streams": ["webshop"]},
        {"provider": "office", "domains": ["school.example"], "streams": ["personal", "newsletter"]},
        {"provider": "shop", "domains": ["school.example"], "streams": ["newsletter"]},
    ],
)


def name(domain: str, stream: Stream) -> str | None:
    found = route(RULES, domain, stream)
    return found.name if found else None


def test_the_first_route_that_fits_counts() -> None:
    assert name("school.example", Stream.NEWSLETTER) == "office"


def test_a_stream_is_pinned_to_its_provider_for_every_domain() -> None:
    assert name("other.example", Stream.WEBSHOP) == "shop"


def test_an_unknown_mapping_has_no_default() -> None:
    assert name("school.example", Stream.RESEARCH) is None
    assert name("other.example", Stream.PERSONAL) is None
