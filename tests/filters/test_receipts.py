"""Nobody reports back that a person read the mail."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gateway.config.headers import Headers
from gateway.decision import Action
from gateway.filters.context import Context
from gateway.filters.receipts import ALWAYS, FILTER, OTHER, READ, X400
from tests.filters.mail import CONTEXT, context, draft, left, rule

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


SMIME = Path(__file__).parent / "smime"
OID = bytes.fromhex("060b2a864886f70d0109100201")


def signed(name: str) -> str:
    return (SMIME / f"{name}.eml").read_text("latin-1")


def asks(text: str) -> list[tuple[str, Action, str]]:
    edited = draft(text.encode("latin-1"))
    found = [(o.kind, o.action, o.detail) for o in FILTER.apply(edited, CONTEXT)]
    assert edited.edits == []
    return found


@pytest.mark.parametrize(
    "kind", ["application/pkcs7-signature", "application/x-pkcs7-signature", "application/octet-stream"]
)
def test_a_request_inside_a_signature_holds_the_mail(kind: str) -> None:
    text = signed("asks").replace("application/pkcs7-signature; name", f"{kind}; name")
    assert asks(text) == [("signed-receipt-request", Action.HOLD, "inside the signature of part 1.2")]


@pytest.mark.parametrize("name", ["opaque-asks", "opaque-stream-asks", "wrapped-asks"])
def test_r055_a_request_inside_an_opaque_signature_holds_the_mail(name: str) -> None:
    assert asks(signed(name)) == [("signed-receipt-request", Action.HOLD, "inside the signature of part 1")]


def test_a_signature_without_a_request_passes() -> None:
    assert asks(signed("plain")) == []


def test_the_same_octets_among_what_is_signed_mean_nothing() -> None:
    assert asks(signed("only-octets")) == []


def damaged(octets: bytes) -> str:
    body = base64.encodebytes(b"\x30\x80" + bytes(500) + octets + bytes(500)).decode()
    return (
        'From: info@voorbeeld.example\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nhello\n"
        '--b\nContent-Type: application/pkcs7-signature; name="smime.p7s"\nContent-Transfer-Encoding: base64\n\n'
        f"{body}\n--b--\n"
    )


def test_a_damaged_signature_holds_the_mail_when_it_may_ask() -> None:
    assert asks(damaged(b"")) == []
    assert asks(damaged(OID)) == [
        ("unreadable-signature", Action.HOLD, "a request may stand in the damaged signature of part 1.2")
    ]


def test_a_stream_that_keeps_requests_passes_signed_ones_too() -> None:
    assert FILTER.apply(draft(signed("asks")), rule(receipts="keep")) == ()


def test_the_same_octets_in_another_attachment_mean_nothing() -> None:
    text = damaged(OID).replace("application/pkcs7-signature", "application/pdf").replace("smime.p7s", "a.pdf")
    assert FILTER.apply(draft(text), CONTEXT) == ()


def with_headers(**settings: object) -> Context:
    headers = Headers.model_validate(settings)
    return context(organisation=CONTEXT.organisation.model_copy(update={"headers": headers}))


def test_r052_an_organisation_adds_names_of_its_own() -> None:
    edited = draft(f"X-Terugmelding: info@voorbeeld.example\n{REST}")
    FILTER.apply(edited, with_headers(receipts=("x-terugmelding",)))
    assert left(edited) == REST


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "DR, RN, NRN"),
        ("X-Auto-Response-Suppress: OOF, dr\nx-auto-response-suppress: AutoReply\n", "OOF, DR, AutoReply, RN, NRN"),
        ("X-Auto-Response-Suppress: All\n", "All"),
        ("X-Auto-Response-Suppress: None\n", "DR, RN, NRN"),
        ("X-Auto-Response-Suppress: =?utf-8?q?=C3=A9?=\n", "DR, RN, NRN"),
    ],
)
def test_r056_exchange_is_asked_for_silence_once(before: str, after: str) -> None:
    edited = draft(before + REST)
    FILTER.apply(edited, with_headers(suppress_automatic_replies=True))
    head, _, body = REST.partition("\n\n")
    assert left(edited) == f"{head}\nX-Auto-Response-Suppress: {after}\n\n{body}"
    again = draft(left(edited))
    FILTER.apply(again, with_headers(suppress_automatic_replies=True))
    assert left(again) == left(edited)


def test_an_attached_message_keeps_its_bytes() -> None:
    text = (
        'From: info@voorbeeld.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
        "--b\n\nhello\n--b\nContent-Type: message/rfc822\n\n"
        "From: a@example.org\nDisposition-Notification-To: a@example.org\nSubject : y\n\nquoted\n--b--\n"
    )
    edited = draft(text)
    FILTER.apply(edited, CONTEXT)
    assert left(edited) == text
