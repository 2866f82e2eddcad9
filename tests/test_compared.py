"""What filters are told of an address, however it is written."""

from __future__ import annotations

import pytest

from gateway.compared import NEVER, Compared, Sameness, Verdict, written

FOUND = Compared({"https://t.example/o.gif?u=1": Verdict(Sameness.INDIVIDUAL, "https://t.example/o.gif")})


@pytest.mark.parametrize(
    "address",
    ["https://t.example/o.gif?u=1", "  https://t.example/o.gif?u=1\r\n", "https://t.example/\n\to.gif?u=1"],
)
def test_r059_an_address_is_found_as_it_stands_in_the_mail(address: str) -> None:
    assert FOUND.of(address) == Verdict(Sameness.INDIVIDUAL, "https://t.example/o.gif")
    assert written(address) == "https://t.example/o.gif?u=1"


def test_what_was_never_compared_is_unknown() -> None:
    for compared in (FOUND, NEVER, Compared()):
        assert compared.of("https://t.example/other.gif") == Verdict(Sameness.UNKNOWN)


def test_counts_are_by_sameness() -> None:
    assert [FOUND.count(sameness) for sameness in Sameness] == [0, 0, 1]
