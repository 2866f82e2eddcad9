"""Key pairs and the record that publishes one."""

from __future__ import annotations

import re

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from gateway.signing.keys import dns_record, generate

PEM = generate()


def test_a_new_key_is_rsa_of_2048_bits() -> None:
    key = load_pem_private_key(PEM, password=None)
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 2048
    assert generate() != PEM


def test_the_record_stands_under_the_selector() -> None:
    name, _ = dns_record(PEM, "example.org", "bg1")
    assert name == "bg1._domainkey.example.org"


def test_the_record_is_split_in_strings_that_dns_can_hold() -> None:
    _, data = dns_record(PEM, "example.org", "bg1")
    strings = re.findall(r'"([^"]*)"', data)
    assert " ".join(f'"{s}"' for s in strings) == data
    assert len(strings) > 1
    assert all(len(s) <= 255 for s in strings)


def test_the_oracle_reads_the_key_from_the_record() -> None:
    _, data = dns_record(PEM, "example.org", "bg1")
    text = "".join(re.findall(r'"([^"]*)"', data)).encode()
    _, bits, kind, _ = dkim.evaluate_pk("bg1._domainkey.example.org.", text)[:4]
    assert (bits, kind) == (2048, b"rsa")


def test_a_key_of_another_kind_has_no_record() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="RSA"):
        dns_record(pem, "example.org", "bg1")
