"""Nobody reports back that a person read the mail."""

from __future__ import annotations

import base64

import pytest

from gateway.decision import Action
from gateway.filters.receipts import ALWAYS, FILTER, OTHER, READ, X400
from tests.filters.mail import CONTEXT, draft, left, rule

REST = "From: info@voorbeeld.example\nSubject: x\n\nhello\n"
NAMES = [*READ, *OTHER, *X400, *ALWAYS]


@pytest.mark.parametrize("name", NAMES)
def test_each_request_leaves_in_any_case_folded_and_doubled(name: str) -> None:
    header = f"{name.upper()}: info@voorbeeld.example\n{name.lower()}:\n info@voorbeeld.example\n"
    edited = draft(header + REST)
    assert FILTER.apply(edited, CONTEXT) == ()
    assert left(edited) == REST


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_may_keep_requests_but_never_the_original_recipient(name: str) -> None:
    header = f"{name}: info@voorbeeld.example\n"
    edited = draft(header + REST)
    FILTER.apply(edited, rule(receipts="keep"))
    assert left(edited) == (REST if name in ALWAYS else header + REST)


def test_other_fields_keep_their_bytes() -> None:
    text = f"X-Acknowledge:  x\nDisposition: y\n{REST}"
    edited = draft(text)
    FILTER.apply(edited, CONTEXT)
    assert left(edited) == text


OID = bytes.fromhex("060b2a864886f70d0109100201")


def smime(der: bytes, kind: str = "application/pkcs7-signature", name: str = "smime.p7s") -> str:
    body = base64.encodebytes(b"\x30\x80" + bytes(500) + der + bytes(500)).decode()
    return (
        'From: info@voorbeeld.example\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nhello\n"
        f'--b\nContent-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n\n{body}\n--b--\n'
    )


@pytest.mark.parametrize(
    "kind", ["application/pkcs7-signature", "application/x-pkcs7-signature", "application/octet-stream"]
)
def test_a_request_inside_a_signature_holds_the_mail(kind: str) -> None:
    edited = draft(smime(OID, kind))
    outcomes = FILTER.apply(edited, CONTEXT)
    assert [(o.kind, o.action) for o in outcomes] == [("signed-receipt-request", Action.HOLD)]
    assert outcomes[0].detail == "inside the signature of part 1.2"
    assert edited.edits == []


def test_a_request_inside_an_opaque_signature_holds_the_mail() -> None:
    body = base64.encodebytes(OID).decode()
    text = (
        "From: info@voorbeeld.example\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n"
        f"Content-Transfer-Encoding: base64\n\n{body}"
    )
    assert [o.action for o in FILTER.apply(draft(text), CONTEXT)] == [Action.HOLD]


def test_a_signature_without_a_request_passes() -> None:
    assert FILTER.apply(draft(smime(b"\x06\x0b\x2a")), CONTEXT) == ()


def test_a_stream_that_keeps_requests_passes_signed_ones_too() -> None:
    assert FILTER.apply(draft(smime(OID)), rule(receipts="keep")) == ()


def test_the_same_octets_in_another_attachment_mean_nothing() -> None:
    assert FILTER.apply(draft(smime(OID, "application/pdf", "a.pdf")), CONTEXT) == ()
