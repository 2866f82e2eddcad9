"""Keys do not tell fellow recipients of each other."""

from __future__ import annotations

import base64

import pytest

from gateway.decision import Action
from gateway.filters.context import Outcome
from gateway.filters.encrypted_to import FILTER
from tests.filters.mail import context, draft
from tests.filters.sealed import ENCRYPTED, armoured, enveloped, pkesk, signed

ANNA = b"1e:anna@example.org"
ONE, THREE = pkesk(b"A" * 8) + ENCRYPTED, b"".join(pkesk(k * 8) for k in (b"A", b"B", b"C")) + ENCRYPTED
HEAD = "From: info@voorbeeld.example\nMIME-Version: 1.0\n"
BASE64 = "Content-Transfer-Encoding: base64\n\n"


def smime(data: bytes, kind: str = "application/pkcs7-mime; smime-type=enveloped-data") -> str:
    return f"{HEAD}Content-Type: {kind}\n{BASE64}{base64.encodebytes(data).decode()}"


def pgp_mime(packets: bytes, *, binary: bool = False) -> str:
    body = f"{BASE64}{base64.encodebytes(packets).decode()}" if binary else "\n" + armoured(packets)
    control = "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
    data = f"--b\nContent-Type: application/octet-stream; name=encrypted.asc\n{body}"
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b'
    return f"{HEAD}Content-Type: {kind}\n\n{control}{data}\n--b--\n"


def judge(text: str, **changes: object) -> Outcome | None:
    return next(iter(FILTER.apply(draft(text), context(**changes))), None)


MANY = [
    smime(enveloped("anna", "bert", "carla")),
    smime(enveloped("anna", "bert"), "application/x-pkcs7-mime"),
    smime(enveloped("anna", "bert"), "application/octet-stream; name=smime.p7m"),
    pgp_mime(THREE),
    pgp_mime(THREE, binary=True),
    f"{HEAD}\nHallo,\n\n{armoured(THREE)}",
    f"{HEAD}Content-Type: application/octet-stream; name=brief.pdf.pgp\n{BASE64}{base64.encodebytes(THREE).decode()}",
    smime(signed(smime(enveloped("anna", "bert")).encode()), "application/pkcs7-mime; smime-type=signed-data"),
]


@pytest.mark.parametrize("text", MANY)
def test_r047_more_keys_than_one_hold_mail_to_several(text: str) -> None:
    outcome = judge(text)
    assert outcome is not None
    assert (outcome.action, outcome.kind) == (Action.HOLD, "encrypted-to-many")


@pytest.mark.parametrize("text", MANY)
def test_mail_to_one_person_may_be_for_several_keys(text: str) -> None:
    assert judge(text, recipient=ANNA) is None  # the sender's own, or those of two devices
    assert judge(text, private=False) is None


@pytest.mark.parametrize(
    "text",
    [
        smime(enveloped("anna")),
        pgp_mime(ONE),
        pgp_mime(ONE, binary=True),
        f"{HEAD}\n{armoured(ONE)}",
        f"{HEAD}\nniets geheims\n",
        f"{HEAD}\n-----BEGIN PGP SIGNED MESSAGE-----\n\nhallo\n-----BEGIN PGP SIGNATURE-----\n\nx\n",
        f"{HEAD}Content-Type: application/pgp-keys; name=key.asc\n\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxsBN\n",
        f"{HEAD}Content-Type: application/octet-stream; name=ring.gpg\n{BASE64}mQECeHg=\n",
        smime(signed(b"Content-Type: text/plain\r\n\r\nhallo\r\n"), "application/pkcs7-mime; smime-type=signed-data"),
    ],
)
def test_r047_one_key_or_none_passes(text: str) -> None:
    assert judge(text) is None


@pytest.mark.parametrize(
    "text",
    [
        smime(b"not BER at all"),
        smime(enveloped("anna", "bert")[:200]),
        pgp_mime(b"\x00\x01\x02"),
        pgp_mime(pkesk(b"A" * 8)),
        smime(
            bytes.fromhex("300f060b2a864886f70d0109100109a000"), "application/pkcs7-mime; smime-type=compressed-data"
        ),
    ],
)
def test_what_cannot_be_counted_is_held_as_well(text: str) -> None:
    outcome = judge(text)
    assert outcome is not None
    assert (outcome.action, outcome.kind) == (Action.HOLD, "cannot-inspect")
    assert judge(text, recipient=ANNA) is None


def test_a_large_message_is_read_from_its_beginning_only() -> None:
    packets = pkesk(b"A" * 8) + b"\xd2\xff\x00\x90\x00\x00" + b"\0" * 3_000_000
    edited = draft(pgp_mime(packets, binary=True))
    edited.content = None  # type: ignore[assignment]  # decoding it all would now fail
    assert FILTER.apply(edited, context()) == ()
