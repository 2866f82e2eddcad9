from __future__ import annotations

from ipaddress import ip_address

import pytest

from gateway.ingress.limits import MINIMUM_RATE, Budget, Occupancy, Pace, peer_address


@pytest.mark.parametrize(
    ("peername", "expected"),
    [
        (("192.0.2.1", 25), "192.0.2.1"),
        (("::ffff:192.0.2.1", 25, 0, 0), "192.0.2.1"),
        (("fe80::1%eth0", 25, 0, 2), "fe80::1"),
        (("2001:db8::1", 25, 0, 0), "2001:db8::1"),
    ],
)
def test_a_peer_name_becomes_its_address(peername: object, expected: str) -> None:
    assert peer_address(peername) == ip_address(expected)


@pytest.mark.parametrize("peername", [None, "", "/run/socket", (), ("not an address", 1)])
def test_what_is_no_address_is_nobody(peername: object) -> None:
    assert peer_address(peername) is None


def test_connections_are_limited_in_total_and_per_address() -> None:
    occupancy = Occupancy(total=3, per_address=2)
    one, two, three = (ip_address(f"192.0.2.{n}") for n in (1, 2, 3))
    assert [occupancy.enter(a) for a in (one, one, one, two, three)] == [True, True, False, True, False]
    occupancy.leave(one)
    assert occupancy.enter(three)
    assert occupancy.count == 3


def test_one_ipv6_network_counts_as_one_address() -> None:
    occupancy = Occupancy(total=9, per_address=1)
    assert occupancy.enter(ip_address("2001:db8::1"))
    assert not occupancy.enter(ip_address("2001:db8::2"))
    assert occupancy.enter(ip_address("2001:db8:0:1::1"))


def test_leaving_twice_is_an_error() -> None:
    occupancy = Occupancy(total=2, per_address=2)
    occupancy.enter(None)
    occupancy.leave(None)
    with pytest.raises(ValueError):
        occupancy.leave(None)


def test_the_budget_reserves_all_or_nothing() -> None:
    budget = Budget(100)
    assert budget.take(60)
    assert not budget.take(41)
    assert budget.used == 60
    assert budget.take(40)
    assert budget.exhausted
    budget.give_back(100)
    assert not budget.exhausted
    with pytest.raises(ValueError):
        budget.give_back(1)


def test_silence_ends_a_transfer_after_the_idle_time() -> None:
    assert Pace(start=100.0, idle=10.0).deadline(now=105.0, octets=10**6) == 115.0


def test_a_trickle_ends_a_transfer_however_often_octets_come() -> None:
    pace = Pace(start=0.0, idle=10.0)
    # One octet a second: each second is a sign of life, and still the end comes.
    assert all(pace.deadline(now=n, octets=n) > n for n in range(10))
    assert pace.deadline(now=11.0, octets=11) < 11.0
    assert pace.deadline(now=100.0, octets=100 * MINIMUM_RATE) > 100.0
