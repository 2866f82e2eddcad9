"""One copy each, and nobody else in sight."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.headerregistry import Group
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.private_recipients import FILTER, empty_group
from gateway.message.addresses import addresses
from tests.filters.mail import CONTEXT, context, draft, left, rule

FROM = "From: Info <info@voorbeeld.example>\n"
END = "Reply-To: klant@voorbeeld.example\nSubject: x\n\nhello\n"


def after(header: str, recipient: bytes = b"") -> str:
    edited = draft(FROM + header + END)
    FILTER.apply(edited, context(recipient=recipient))
    return left(edited)


@pytest.mark.parametrize(
    "header",
    [
        "To: bert@example.org\n",
        "To: Anna <anna@example.org>, Bert <bert@example.org>\n",
        "TO : course: anna@example.org,\n bert@example.org;\n",
        "To: undisclosed-recipients:;\n",
        "To: not an address at all <<\n",
        "To:\n",
    ],
)
def test_to_becomes_the_recipients_own_address_in_its_place(header: str) -> None:
    name = header.partition(":")[0]
    assert after(header) == f"{FROM}{name}: anna@example.org\n{END}"


def test_every_other_visible_field_goes() -> None:
    header = "Cc: bert@example.org,\n carla@example.org\nTo: bert@example.org\nResent-To: dirk@example.org\n"
    header += "Resent-Cc: eva@example.org\nresent-to: frits@example.org\n"
    assert after(header) == f"{FROM}To: anna@example.org\n{END}"


@pytest.mark.parametrize("header", ["Cc: bert@example.org\n", ""])
def test_mail_without_to_gets_one(header: str) -> None:
    end, _, body = END.partition("\n\n")
    assert after(header) == f"{FROM}{end}\nTo: anna@example.org\n\n{body}"


def test_mail_that_is_not_private_keeps_its_bytes() -> None:
    text = f"{FROM}To: anna@example.org, bert@example.org\n{END}"
    edited = draft(text)
    assert FILTER.apply(edited, context(private=False)) == ()
    assert left(edited) == text


ANNA = b"1e:anna@example.org"


def test_mail_to_one_that_shows_just_that_one_keeps_its_bytes() -> None:
    header = 'To:  "Anna A." <Anna@example.org>\n'
    assert after(header, ANNA) == FROM + header + END


@pytest.mark.parametrize(
    "header",
    [
        "To: anna@example.org, bert@example.org\n",
        "To: bert@example.org\n",
        "To: anna@example.org\nCc: bert@example.org\n",
        "To: anna@example.org\nCc: nobody:;\n",
        'To: "bert@example.org" <anna@example.org>\n',
        "To: bert <anna@example.org> carla@example.org\n",
        "To: list: anna@example.org;, bert@example.org\n",
    ],
)
def test_mail_to_one_that_shows_others_hides_them(header: str) -> None:
    assert "bert" not in after(header, ANNA)
    assert after(header, ANNA) == f"{FROM}To: anna@example.org\n{END}"


@pytest.mark.parametrize(
    "header",
    [
        "To: 'anna@example.org' <anna@example.org>\n",
        'To: "Anna (anna@example.org)" <Anna@Example.org>\n',
        "To: anna@example.org (Anna, thuis)\n",
        "To: =?utf-8?q?anna=40example.org?= <anna@example.org>\n",
    ],
)
def test_mail_to_one_may_spell_that_one_twice(header: str) -> None:
    assert after(header, ANNA) == FROM + header + END


@pytest.mark.parametrize(
    "header",
    [
        "To: Anna <anna@example.org> (bert@example.org)\n",
        "To: anna@example.org (=?utf-8?q?bert=40example.org?=)\n",
        "To: =?utf-8?b?YmVydEBleGFtcGxlLm9yZw==?= <anna@example.org>\n",
        'To: "bert%40example.org" <anna@example.org>\n',
    ],
)
def test_names_and_comments_that_hold_another_go(header: str) -> None:
    assert after(header, ANNA) == f"{FROM}To: anna@example.org\n{END}"


def test_r025_every_resent_block_is_hidden() -> None:
    block = "Resent-To: {0}@example.org\nResent-Cc: {0}2@example.org\nResent-Date: Sun, 1 Jan 2024 00:00:00 +0000\n"
    header = block.format("bert") + block.format("carla") + "To: anna@example.org, dirk@example.org\n"
    kept = "Resent-Date: Sun, 1 Jan 2024 00:00:00 +0000\n"
    assert after(header) == f"{FROM}{kept}{kept}To: anna@example.org\n{END}"


BCC = rule(mode="bcc")


def bcc(header: str, **changes: Any) -> str:
    edited = draft(FROM + header + END)
    FILTER.apply(edited, rule(mode="bcc", **changes))
    return left(edited)


@pytest.mark.parametrize("header", ["To: anna@example.org, bert@example.org\nCc: carla@example.org\n", "To:\n"])
def test_r027_in_bcc_mode_all_copies_show_the_same_empty_group(header: str) -> None:
    assert bcc(header) == f"{FROM}To: Voorbeeld:;\n{END}"


def test_r027_sensitive_mail_is_never_bcc() -> None:
    edited = draft(f"{FROM}To: bert@example.org\n{END}")
    FILTER.apply(edited, replace(BCC, classification=replace(BCC.classification, sensitive=True)))
    assert left(edited) == f"{FROM}To: anna@example.org\n{END}"


def strictly(group: bytes) -> Any:
    message = email.message_from_bytes(b"To: " + group + b"\r\n\r\n", policy=email.policy.default)
    return message["To"]


NAMES = [
    "De Kleine Parel",
    "Coöperatie Voorbeeld & Zonen",
    'A. "B" (c), d: e; <f>',
    "Één \\ twee",
    "日本" * 40,
    "",
    "x@y.example",
    "=?utf-8?q?a?=",
]


@pytest.mark.parametrize("name", NAMES)
def test_r027_the_group_is_valid_for_a_strict_parser(name: str) -> None:
    found = strictly(empty_group(name))
    assert not found.defects
    (group,) = found.groups
    assert group == Group(group.display_name, ())
    assert group.display_name is not None
    if name.isascii() and "@" not in name and name and "=?" not in name:
        assert group.display_name == name
    elif 0 < len(name) < 40 and "@" not in name:
        assert group.display_name.replace(" ", "") == name.replace(" ", "")


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=120))
def test_r027_any_name_makes_a_valid_group_without_an_address(name: str) -> None:
    group = empty_group(name)
    assert group.isascii()
    assert all(len(line) <= 78 for line in group.split(b"\r\n"))
    found = strictly(group)
    assert (len(found.groups), found.addresses) == (1, ())
    assert addresses(group) == []


def test_the_number_of_hidden_addresses_is_told_and_no_value() -> None:
    edited = draft(f"{FROM}To: anna@example.org, bert@example.org\nCc: carla@example.org\n{END}")
    (outcome,) = FILTER.apply(edited, CONTEXT)
    assert (outcome.kind, outcome.detail) == ("recipients-hidden", "3 in 2 fields")
    assert sorted(e.kind for e in edited.edits) == ["cc", "to"]
