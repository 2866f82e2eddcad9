from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from gateway.ingress.clients import Ambiguous, ClientDirectory, ClientEntry


def entry(name: str, *networks: str, secret: str | None = None) -> ClientEntry:
    return ClientEntry(name, "school", tuple(ip_network(n) for n in networks), secret)


def test_the_most_specific_network_wins() -> None:
    clients = ClientDirectory(
        [entry("wide", "10.0.0.0/8"), entry("narrow", "10.1.0.0/16"), entry("six", "2001:db8::/32")]
    )
    found = {a: clients.by_network(ip_address(a)) for a in ("10.1.2.3", "10.2.0.1", "2001:db8::5", "192.0.2.1")}
    assert {a: c.name if c else None for a, c in found.items()} == {
        "10.1.2.3": "narrow",
        "10.2.0.1": "wide",
        "2001:db8::5": "six",
        "192.0.2.1": None,
    }


def test_two_equal_claims_are_nobodys() -> None:
    clients = ClientDirectory([entry("one", "10.0.0.0/8"), entry("two", "10.0.0.0/8", "10.1.0.0/16")])
    with pytest.raises(Ambiguous):
        clients.by_network(ip_address("10.9.9.9"))
    assert clients.by_network(ip_address("10.1.0.1")) is clients["two"]


def test_without_networks_or_without_an_address_nobody_is_recognised() -> None:
    clients = ClientDirectory([entry("crm", secret="sha256:a:b"), entry("both", "10.0.0.0/8", secret="sha256:a:b")])
    assert clients.by_network(ip_address("192.0.2.1")) is None
    assert clients.by_network(None) is None
    assert clients.by_network(ip_address("10.0.0.1")) is clients["both"]


def test_networks_bound_where_a_client_may_come_from() -> None:
    assert entry("crm", secret="x").may_come_from(ip_address("192.0.2.1"))
    assert entry("crm", "10.0.0.0/8", secret="x").may_come_from(ip_address("10.3.2.1"))
    assert not entry("crm", "10.0.0.0/8", secret="x").may_come_from(ip_address("192.0.2.1"))
    assert not entry("crm", "10.0.0.0/8", secret="x").may_come_from(None)


def test_a_name_is_taken_once_over_all_organisations() -> None:
    with pytest.raises(ValueError, match="crm"):
        ClientDirectory([entry("crm", "10.0.0.0/8"), entry("crm", "10.1.0.0/16")])


def test_a_client_needs_a_secret_or_a_network() -> None:
    with pytest.raises(ValueError, match="crm"):
        entry("crm")


def test_it_is_a_mapping_of_names() -> None:
    clients = ClientDirectory([entry("a", "10.0.0.0/8"), entry("b", secret="s")])
    assert (list(clients), len(clients), list(clients.secrets())) == (["a", "b"], 2, ["s"])
