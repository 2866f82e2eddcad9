"""Which ways of reaching a provider are encrypted to whom they should be (S-25)."""

from __future__ import annotations

import pytest

from gateway.config.provider import Provider


@pytest.mark.parametrize(
    ("tls", "authenticated"), [("verify", True), ("implicit", True), ("opportunistic", False), ("none", False)]
)
def test_s25_only_a_verified_certificate_counts(tls: str, authenticated: bool) -> None:
    settings = {"name": "p", "host": "smtp.example.org", "contract": "2024-01-01", "rights_clause": True, "tls": tls}
    assert Provider.model_validate(settings).authenticated is authenticated
