"""What the header must not carry out."""

from __future__ import annotations

import pytest

from gateway.config.headers import Headers
from gateway.decision import Action
from gateway.filters.context import Context
from gateway.filters.header_hygiene import BLIND, ENVELOPE, FILTER, PRIVATE, PRIVATE_BEGINNINGS
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
        "Bcc\t :anna@example.org\n",
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


@pytest.mark.parametrize("beginning", PRIVATE_BEGINNINGS)
def test_r034_families_of_private_traces_stay_behind(beginning: bytes) -> None:
    name = beginning.decode()
    assert after(f"{name}AuthSource: mail1.intern.example\n{name.upper()}x: y\n") == REST


def with_headers(**settings: object) -> Context:
    headers = Headers.model_validate(settings)
    return context(organisation=CONTEXT.organisation.model_copy(update={"headers": headers}))


def test_r034_the_list_is_the_organisations_to_change() -> None:
    header = "X-Mailer: m\nX-Originating-IP: 192.0.2.1\nX-Kantoor: achterkamer\nX-MS-Exchange-Organization-SCL: 1\n"
    assert after(header) == f"X-Mailer: m\nX-Kantoor: achterkamer\n{REST}"
    assert after(header, with_headers(private=("x-mailer", "X-Kantoor"))) == REST
    kept = with_headers(keep=("x-originating-ip", "X-MS-Exchange-Organization-SCL"))
    assert after(header, kept) == header + REST


@pytest.mark.parametrize("keep", ["Bcc", "Delivered-To", "Return-Path", "Briefgeheim-Stream"])
def test_what_no_copy_may_carry_goes_whatever_the_settings_keep(keep: str) -> None:
    assert after(f"{keep}: anna@example.org\n", with_headers(keep=(keep,))) == REST


@pytest.mark.parametrize(
    "line", ["From jan@example.org Mon Jan  1 10:00:00 2024\n", ">From - Mon Jan  1 10:00:00 2024\n"]
)
def test_the_line_of_a_mailbox_file_is_no_part_of_the_mail(line: str) -> None:
    assert after(line) == REST
    edited = draft(line + REST)
    FILTER.apply(edited, CONTEXT)
    assert [(e.kind, e.start) for e in edited.edits] == [("mailbox-line", 0)]


def test_a_field_called_from_is_no_line_of_a_mailbox_file() -> None:
    assert after("", context(private=False)) == REST
    edited = draft("From : info@voorbeeld.example\nSubject: x\n\nhello\n")
    FILTER.apply(edited, CONTEXT)
    assert left(edited) == REST


def test_a_space_before_a_colon_goes_in_the_header_and_in_open_parts() -> None:
    text = (
        "From: info@voorbeeld.example\nSubject\t: x\nKeywords : y\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-ID : <a@voorbeeld.example>\n\nhello\n"
        "--b\nContent-Type: message/rfc822\nContent-Description : z\n\nSubject : y\n\nquoted\n"
        '--b\nContent-Type: multipart/signed; boundary="c"\n\n--c\nX-Y : z\n\nsigned\n--c\n\nx\n--c--\n--b--\n'
    )
    edited = draft(text)
    FILTER.apply(edited, CONTEXT)
    expected = text.replace("Subject\t:", "Subject:").replace("Keywords :", "Keywords:")
    assert left(edited) == expected.replace("ID :", "ID:").replace("Description :", "Description:")
    unedited = draft(text)
    FILTER.apply(unedited, context(private=False, rule=CONTEXT.rule.model_copy(update={"edit": False})))
    assert left(unedited) == text


def test_a_field_with_a_space_that_goes_anyway_goes_whole() -> None:
    edited = draft(f"Disposition-Notification-To : a@example.org\n{REST}")
    FILTER.apply(edited, CONTEXT)
    edited.remove_field(edited.message.fields("disposition-notification-to")[0], by="receipts", kind="read-receipt")
    assert left(edited) == REST
    assert [e.kind for e in edited.edits] == ["read-receipt"]


@pytest.mark.parametrize(
    ("header", "private", "refused"),
    [
        ("Reply-To: jan@kantoor\n", True, True),
        ("Sender: root@localhost\n", False, True),
        ("To: bob@host\n", False, True),
        ("To: bob@host\n", True, False),
        ("Cc: a@example.org, bob@host\n", False, True),
        ("Reply-To: jan@[192.0.2.1]\nSender: jan@example.org\n", False, False),
        ("Reply-To: undisclosed:;\n", False, False),
    ],
)
def test_r035_who_edits_answers_for_the_domains(header: str, private: bool, refused: bool) -> None:
    edited = draft(header + REST)
    outcomes = FILTER.apply(edited, context(private=private))
    assert [(o.kind, o.action) for o in outcomes] == ([("unqualified-domain", Action.REFUSE)] if refused else [])
    if refused:
        assert str(outcomes[0].reply).startswith("554 5.6.0 ")
        assert "@" not in outcomes[0].detail
    plain = CONTEXT.rule.model_copy(update={"edit": False})
    assert FILTER.apply(draft(header + REST), context(private=False, rule=plain)) == ()


@pytest.mark.parametrize("name", ["X-Zone-Forwarded-To", "x-zone-forwarded-for", "X-Gm-Original-To", "X-A-B-Rcpt-To"])
def test_r026_a_recipient_goes_under_the_name_a_forwarder_gives_it(name: str) -> None:
    assert after(f"{name}: anna@example.org\n") == REST


@pytest.mark.parametrize("name", ["X-Original-Message-ID", "X-Ticket-Forwarded-To-Team", "X-Reply-To"])
def test_fields_with_a_like_name_stay(name: str) -> None:
    assert after(f"{name}: 1\n") == f"{name}: 1\n{REST}"
