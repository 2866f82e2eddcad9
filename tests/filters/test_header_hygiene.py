"""What the header must not carry out."""

from __future__ import annotations

import pytest

from gateway.filters.context import Context
from gateway.filters.header_hygiene import BLIND, ENVELOPE, FILTER, PRIVATE
from tests.filters.mail import CONTEXT, context, draft, left

REST = "From: info@voorbeeld.example\nSubject: x\n\nhello\n"


def after(header: str, where: Context = CONTEXT) -> str:
    edited = draft(header + REST)
    FILTER.apply(edited, where)
    return left(edited)


@pytest.mark.parametrize(
    "header",
    [
        "Bcc: anna@example.org\n",
        "BCC:anna@example.org\n",
        "bcc : anna@example.org\n",
        "Bcc: anna@example.org,\n\tbert@example.org\n",
        "Resent-Bcc: anna@example.org\n",
        "Bcc: ånna@example.org\n",
        "Bcc: a@example.org\nbCC: b@example.org\n",
        "Bcc:\n",
    ],
)
def test_no_blind_copy_field_leaves_in_any_spelling(header: str) -> None:
    for private in (True, False):
        assert after(header, context(private=private)) == REST


@pytest.mark.parametrize("name", [*BLIND, *ENVELOPE, *PRIVATE, "Return-Path", "Briefgeheim-Stream", "Briefgeheim-New"])
def test_fields_that_stay_behind(name: str) -> None:
    assert after(f"{name}: anna@example.org\n{name.upper()}: x\n") == REST


@pytest.mark.parametrize("name", ["X-Originating", "X-Mailer", "Briefgeheim", "Delivered", "X-Briefgeheim-Stream"])
def test_fields_that_only_look_like_them_keep_their_bytes(name: str) -> None:
    assert after(f"{name}:   x\n") == f"{name}:   x\n{REST}"


@pytest.mark.parametrize(
    "value",
    [
        "gateway.voorbeeld.example; dkim=pass",
        "GATEWAY.voorbeeld.example 1; spf=pass",
        "(comment) gateway.voorbeeld.example\n ; spf=pass",
        '"gateway.voorbeeld.example"; none',
    ],
)
def test_results_that_claim_to_be_ours_are_removed(value: str) -> None:
    assert after(f"Authentication-Results: {value}\n") == REST


def test_results_of_others_are_kept() -> None:
    kept = "Authentication-Results: mx.voorbeeld.example; dkim=pass (gateway.voorbeeld.example)\n"
    assert after(kept) == kept + REST


@pytest.mark.parametrize("domain", ["voorbeeld.example", "Voorbeeld.EXAMPLE", "mail.voorbeeld.example"])
def test_own_signatures_are_removed(domain: str) -> None:
    assert after(f"DKIM-Signature: v=1; a=rsa-sha256;\n\td={domain}; s=x; b=AA\n") == REST


@pytest.mark.parametrize("domain", ["example.org", "eenvoorbeeld.example", "voorbeeld.example.org"])
def test_signatures_of_others_are_kept(domain: str) -> None:
    kept = f"DKIM-Signature: v=1; d={domain}; i=@voorbeeld.example; s=x; b=AA\n"
    assert after(kept) == kept + REST


TRACE = "from a.example (a.example [192.0.2.1])\n\tby b.example with ESMTP id abc@def.example"


@pytest.mark.parametrize(
    "value", [f"{TRACE}\n\tfor <bert@example.org>; x", f"{TRACE} (envelope-to bert@example.org); x"]
)
def test_a_trace_that_names_a_person_leaves_only_on_mail_that_is_not_private(value: str) -> None:
    header = f"Received: {value}\n"
    edited = draft(header + REST)
    outcomes = FILTER.apply(edited, CONTEXT)
    assert left(edited) == REST
    assert [(o.kind, o.detail) for o in outcomes] == [("received-names-person", "1 fields")]
    assert after(header, context(private=False)) == header + REST


@pytest.mark.parametrize(
    "value",
    [f"{TRACE}; x", f"{TRACE} (envelope-from <info@voorbeeld.example>); x", f"{TRACE} for klant@voorbeeld.example"],
)
def test_a_trace_that_names_nobody_else_keeps_its_bytes(value: str) -> None:
    assert after(f"Received: {value}\n") == f"Received: {value}\n{REST}"


def test_a_trace_may_name_the_only_recipient() -> None:
    header = f"Received: {TRACE} for <Anna@example.org>; x\n"
    assert after(header, context(recipient=b"1e:anna@example.org")) == header + REST
    assert after(header, context(recipient=b"1e:bert@example.org")) == REST


def test_a_sender_below_a_subdomain_is_nobody_else() -> None:
    trace = f"Received: {TRACE} (envelope-from info@mail.voorbeeld.example); x\n"
    rest = REST.replace("info@voorbeeld", "info@mail.voorbeeld")
    edited = draft(trace + rest)
    FILTER.apply(edited, CONTEXT)
    assert left(edited) == trace + rest


def test_twice_is_once() -> None:
    once = after("Bcc: a@example.org\nReceived: x for <b@example.org>\nX-Mailer: m\n")
    again = draft(once)
    assert FILTER.apply(again, CONTEXT) == ()
    assert left(again) == once
