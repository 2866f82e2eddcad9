"""Where the probe connects to."""

from __future__ import annotations

import pytest

from gateway.config.check_probe import check_probe, place
from tests.config.samples import organisation


@pytest.mark.parametrize(
    ("text", "found"),
    [("127.0.0.1:443", ("127.0.0.1", 443)), ("[::1]:8025", ("::1", 8025)), ("proxy.example:1", ("proxy.example", 1)),
     ("127.0.0.1", None), ("host:0", None), ("host:65536", None), ("https://host:443", None), ("", None)],
)  # fmt: skip
def test_a_place_is_host_and_port(text: str, found: tuple[str, int] | None) -> None:
    assert place(text) == found


def test_l31_the_probe_as_it_comes_is_right() -> None:
    assert list(check_probe(organisation())) == []
    assert list(check_probe(organisation(probe={"connect_to": "127.0.0.1:8443", "ca_file": "ca.pem"}))) == []


def test_a_place_that_is_none_and_authorities_without_https_are_told() -> None:
    wrong = organisation(probe={"connect_to": "nowhere", "ca_file": "ca.pem"}, opt_out_url="http://127.0.0.1:8025")
    assert [loc for loc, _ in check_probe(wrong)] == [("probe", "connect_to"), ("probe", "ca_file")]
