"""Listeners: who can reach them, and under which protection."""

from __future__ import annotations

import pytest

from gateway.config.check_listeners import check_listeners, is_loopback
from tests.config.samples import gateway, organisation, raw

TLS = {"tls": "starttls", "certificate": "c", "key": "k"}


def wrong(*listeners: dict[str, object], networks: bool = True, **changes: object) -> list[tuple[str | int, ...]]:
    clients = raw()["clients"] if networks else [{"name": "a", "secret": "a"}]
    settings = gateway(listen=[{"name": f"l{i}", "port": 0, **one} for i, one in enumerate(listeners)], **changes)
    return [loc for loc, _ in check_listeners(settings, [organisation(clients=clients)])]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost.example", "mail.example", ""])
def test_everything_else_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_relay_that_others_reach_needs_clients_with_networks(address: str) -> None:
    assert wrong({"role": "relay", "address": address}, networks=False) == [("listen", 0, "address")]
    assert wrong({"role": "relay", "address": address}, networks=True) == []
    assert wrong({"role": "relay"}, networks=False) == []


def test_submission_needs_tls_on_every_address() -> None:
    assert wrong({"role": "submission"}) == [("listen", 0, "tls")]
    assert wrong({"role": "submission", "address": "0.0.0.0", **TLS}, networks=False) == []
    assert wrong({"role": "submission", **TLS, "tls": "implicit"}) == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_needs_certificate_and_key(tls: str) -> None:
    assert wrong({"role": "relay", "tls": tls}) == [("listen", 0, "certificate"), ("listen", 0, "key")]


def test_a_certificate_without_tls_is_a_mistake() -> None:
    assert wrong({"role": "relay", "certificate": "c"}) == [("listen", 0, "tls")]


def test_free_ports_do_not_collide() -> None:
    assert wrong({"role": "relay"}, {"role": "relay"}) == []
    assert wrong({"role": "relay", "port": 25}, {"role": "relay", "port": 25}) == [("listen", 1, "port")]
    assert wrong({"role": "relay", "port": 25}, {"role": "relay", "port": 25, "address": "::1"}) == []


def test_there_is_a_listener() -> None:
    assert wrong() == [("listen",)]


@pytest.mark.parametrize("name", ["", "a_b", "-a", "a..b", "x" * 64, "mail.example.org."])
def test_the_gateway_has_a_host_name(name: str) -> None:
    assert wrong({"role": "relay"}, name=name) == [("name",)]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"retry": []}, "retry"),
        ({"retry": ["5m", "0s"]}, "retry"),
        ({"give_up": "1h"}, "give_up"),
        ({"decision_age": "0s"}, "decision_age"),
    ],
)
def test_times_make_sense(changes: dict[str, object], key: str) -> None:
    assert wrong({"role": "relay"}, delivery=changes) == [("delivery", key)]


@pytest.mark.parametrize("part", ["web", "observe"])
def test_pages_listen_on_an_address(part: str) -> None:
    assert wrong({"role": "relay"}, **{part: {"address": "localhost"}}) == [(part, "address")]
    assert wrong({"role": "relay"}, **{part: {"address": "::1"}}) == []
