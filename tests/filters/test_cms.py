"""Recipients of CMS messages are counted, signed content is unwrapped."""

from __future__ import annotations

import pytest
from asn1crypto import cms as asn1
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters import cms
from gateway.filters.ber import Unreadable
from tests.filters.sealed import enveloped, signed


@pytest.mark.parametrize("names", [("anna",), ("anna", "bert"), ("anna", "bert", "carla")])
def test_r047_recipient_infos_are_counted(names: tuple[str, ...]) -> None:
    data = enveloped(*names)
    assert len(asn1.ContentInfo.load(data)["content"]["recipient_infos"]) == len(names)
    assert cms.keys(data, most=9) == len(names)
    assert cms.keys(data, most=2) == min(2, len(names))


def test_a_prefix_is_enough_to_count() -> None:
    data = enveloped("anna", "bert")
    assert cms.keys(data[:-2000], most=9) == 2
    assert cms.keys(data[:600], most=2) == 2


def test_infos_that_go_on_beyond_what_is_there_are_not_taken_for_all() -> None:
    with pytest.raises(Unreadable):
        cms.keys(enveloped("anna", "bert")[:300], most=2)


def with_infos(infos: asn1.RecipientInfos) -> bytes:
    plain = asn1.ContentInfo.load(enveloped("anna"))["content"]
    plain["recipient_infos"] = infos
    made: bytes = asn1.ContentInfo({"content_type": "enveloped_data", "content": plain}).dump(force=True)
    return made


def agreed(*serials: int) -> asn1.RecipientInfo:
    """One KeyAgreeRecipientInfo for several keys (RFC 5652 6.2.2)."""
    keys = [
        {"rid": asn1.KeyAgreementRecipientIdentifier("issuer_and_serial_number", {"issuer": NAME, "serial_number": n}),
         "encrypted_key": b"k" * 40}
        for n in serials
    ]  # fmt: skip
    info = {
        "version": "v3",
        "originator": asn1.OriginatorIdentifierOrKey("subject_key_identifier", b"o" * 20),
        "key_encryption_algorithm": {"algorithm": "aes256_wrap"},
        "recipient_encrypted_keys": keys,
    }
    return asn1.RecipientInfo("kari", info)


NAME = asn1.Name.build({"common_name": "x"})


def test_recipients_of_one_key_agreement_count_each() -> None:
    assert cms.keys(with_infos(asn1.RecipientInfos([agreed(1)])), most=9) == 1
    assert cms.keys(with_infos(asn1.RecipientInfos([agreed(1, 2, 3)])), most=9) == 3


def test_a_password_is_nobodys_key() -> None:
    password = asn1.RecipientInfo(
        "pwri", {"version": "v0", "key_encryption_algorithm": {"algorithm": "aes256_wrap"}, "encrypted_key": b"k" * 40}
    )
    infos = [*asn1.ContentInfo.load(enveloped("anna"))["content"]["recipient_infos"], password]
    assert cms.keys(with_infos(asn1.RecipientInfos(infos)), most=9) == 1


def test_indefinite_lengths_as_streaming_writers_use_them() -> None:
    infos = asn1.ContentInfo.load(enveloped("anna", "bert"))["content"]["recipient_infos"].dump()
    content = b"\x30\x80\x02\x01\x00" + infos + b"\x30\x80\x00\x00\x00\x00"
    data = b"\x30\x80" + bytes.fromhex("06092a864886f70d010703") + b"\xa0\x80" + content + b"\0\0\0\0"
    assert cms.keys(data, most=9) == 2


def test_r046_signed_content_is_unwrapped() -> None:
    entity = b"Content-Type: text/plain\r\n\r\nhello\r\n"
    assert cms.signed_content(signed(entity)) == entity
    assert cms.signed_content(signed(entity, detached=True)) == b""
    assert cms.kind(signed(entity)) == cms.SIGNED


def test_signed_content_in_pieces_is_joined() -> None:
    pieces = b"\xa0\x80\x24\x80\x04\x05To: a\x04\x04nna@\0\0\0\0"
    wrapped = b"\x30\x80" + bytes.fromhex("06092a864886f70d010701") + pieces + b"\0\0"
    content = b"\x30\x80\x02\x01\x01\x31\x00" + wrapped + b"\x31\x00\0\0"
    data = b"\x30\x80" + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80" + content + b"\0\0\0\0"
    assert cms.signed_content(data) == b"To: anna@"


@pytest.mark.parametrize("data", [b"", b"x", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x31\x03\x02\x01\x00"])
def test_anything_else_is_unreadable(data: bytes) -> None:
    for read in (cms.kind, cms.signed_content, lambda d: cms.keys(d, most=2)):
        with pytest.raises(Unreadable):
            read(data)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 1200), st.integers(0, 255))
def test_a_damaged_message_is_read_or_said_to_be_unreadable(at: int, octet: int) -> None:
    data = bytearray(enveloped("anna", "bert"))
    data[at % len(data)] = octet
    try:
        assert 0 <= cms.keys(bytes(data), most=5) <= 5
    except Unreadable:
        pass
