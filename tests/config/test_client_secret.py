"""Secrets of clients."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.client_secret import check_secret, check_stored, digest, new_secret

SALT = bytes(range(16))


def test_a_new_secret_has_at_least_128_bits_and_is_new() -> None:
    secret, stored = new_secret()
    assert len(secret) * 6 >= 128
    assert new_secret()[0] != secret
    assert secret not in stored
    assert stored.startswith("sha256:")


def test_the_same_secret_is_stored_differently_each_time() -> None:
    assert digest("same", SALT) != digest("same", SALT[::-1])


def test_the_stored_form_is_fixed() -> None:
    """Files written by one version are read by the next."""
    assert digest("open sesame", SALT) == "sha256:AAECAwQFBgcICQoLDA0ODw:ECDe-E__fTDBTuky9mcqR_f1Er1bMKS3f-dWPokXVrQ"


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_the_secret_itself_is_right(secret: str, other: str) -> None:
    stored = digest(secret, SALT)
    assert check_secret(stored, secret)
    assert check_secret(stored, secret.encode())
    assert check_secret(stored, other) is (other == secret)


def test_a_chosen_password_is_checked_with_argon2() -> None:
    stored = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("chosen")
    check_stored(stored)
    assert check_secret(stored, b"chosen")
    assert not check_secret(stored, b"Chosen")


@pytest.mark.parametrize(
    "stored",
    ["", "plain", "sha256", "sha256::", "sha256:a:b", "md5:AAECAwQFBgcICQoLDA0ODw:AAAA", "sha256:!:!", "sha256:é:é"],
)
def test_a_malformed_digest_is_refused_and_matches_nothing(stored: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        check_stored(stored)
    assert not check_secret(stored, b"")


def test_a_salt_that_is_too_short_is_refused() -> None:
    stored = digest("secret", b"short")
    with pytest.raises(ValueError, match="neither"):
        check_stored(stored)
    assert not check_secret(stored, "secret")


def test_a_damaged_argon2_string_matches_nothing() -> None:
    assert not check_secret("$argon2id$v=19$m=8,t=1,p=1$broken", b"x")


def test_a_new_secret_is_no_option_of_a_command_line() -> None:
    assert all(new_secret()[0][0].isalnum() for _ in range(500))
