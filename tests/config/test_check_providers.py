"""Providers and routes."""

from __future__ import annotations

import pytest

from gateway.config.check_providers import check_providers, check_routes
from tests.config.samples import organisation

BASE = {"name": "p", "host": "smtp.example.net", "contract": "2024-01-31", "rights_clause": True}


def wrong(**changes: object) -> list[str]:
    return [f"{loc[-1]}: {text}" for loc, text in check_providers(organisation(providers=[BASE | changes]))]


def routes(*items: dict[str, object]) -> list[tuple[str | int, ...]]:
    return [loc for loc, _ in check_routes(organisation(routes=list(items)))]


@pytest.mark.parametrize("tls", ["verify", "implicit", "opportunistic"])
def test_tls_to_other_machines_is_a_choice(tls: str) -> None:
    assert wrong(tls=tls) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_without_tls_only_to_this_machine(host: str) -> None:
    assert wrong(tls="none", host=host) == []
    assert len(wrong(tls="none", host="10.0.0.1")) == 1
    assert wrong(tls="none", host=host, username="u", secret="s") == []


def test_a_password_is_never_offered_where_tls_may_be_missing() -> None:
    assert "R-098" in wrong(tls="opportunistic", username="u", secret="s")[0]


@pytest.mark.parametrize("tls", ["none", "opportunistic"])
def test_authorities_need_verified_tls(tls: str) -> None:
    assert any(line.startswith("ca_file") for line in wrong(tls=tls, host="127.0.0.1", ca_file="ca.pem"))


@pytest.mark.parametrize("given", ["username", "secret"])
def test_user_and_secret_go_together(given: str) -> None:
    [line] = wrong(**{given: "x"})
    assert line.startswith(f"{given}: stands without")


@pytest.mark.parametrize("host", ["", " ", "a b"])
def test_a_host_is_one_word(host: str) -> None:
    assert any(line.startswith("host") for line in wrong(host=host))


def test_a_contract_without_rights_clause_names_the_routes() -> None:
    providers = [BASE | {"rights_clause": False}]
    settings = organisation(providers=providers, routes=[{"provider": "p", "streams": ["webshop"]}, {"provider": "p"}])
    [(_, text)] = check_providers(settings)
    assert text.endswith("without it route 1 and 2 to 'p' does not load")


def test_narrow_routes_before_wide_ones_are_fine() -> None:
    assert routes({"provider": "bulk", "streams": ["webshop"]}, {"provider": "local"}) == []
    assert (
        routes({"provider": "bulk", "domains": ["alpha.example"]}, {"provider": "local", "streams": ["webshop"]}) == []
    )


@pytest.mark.parametrize(
    "later",
    [
        {},
        {"streams": ["webshop"]},
        {"domains": ["alpha.example"]},
        {"domains": ["alpha.example"], "streams": ["webshop"]},
    ],
)
def test_nothing_comes_after_a_route_for_everything(later: dict[str, object]) -> None:
    assert routes({"provider": "bulk"}, {"provider": "local", **later}) == [("routes", 1)]


def test_a_part_of_an_earlier_route_is_never_taken() -> None:
    earlier = {"provider": "bulk", "streams": ["webshop", "newsletter"]}
    assert routes(earlier, {"provider": "local", "streams": ["webshop"], "domains": ["alpha.example"]}) == [
        ("routes", 1)
    ]
    assert routes(earlier, {"provider": "local", "streams": ["webshop", "notification"]}) == []
