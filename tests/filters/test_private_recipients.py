"""One copy each, and nobody else in sight."""

from __future__ import annotations

import pytest

from gateway.filters.private_recipients import FILTER
from tests.filters.mail import CONTEXT, context, draft, left

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


def test_the_number_of_hidden_addresses_is_told_and_no_value() -> None:
    edited = draft(f"{FROM}To: anna@example.org, bert@example.org\nCc: carla@example.org\n{END}")
    (outcome,) = FILTER.apply(edited, CONTEXT)
    assert (outcome.kind, outcome.detail) == ("recipients-hidden", "3 in 2 fields")
    assert sorted(e.kind for e in edited.edits) == ["cc", "to"]
