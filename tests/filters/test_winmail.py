"""winmail.dat is a closed box."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from gateway.decision import Action
from gateway.filters.winmail import FILTER
from tests.filters.mail import context, draft, rule

ANNA = b"1e:anna@example.org"
TNEF = b"\x78\x9f\x3e\x22" + b"\x01\x00" * 300


def mail(kind: str, content: bytes = TNEF) -> str:
    body = base64.encodebytes(content).decode()
    return f"From: a@voorbeeld.example\nContent-Type: {kind}\nContent-Transfer-Encoding: base64\n\n{body}"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/ms-tnef", TNEF),
        ("Application/vnd.MS-TNEF; name=x", b"damaged"),
        ('application/octet-stream; name="WinMail.dat"', b"damaged"),
        ("application/octet-stream; name=att0001.bin", TNEF),
        ("image/png; name=logo.png", TNEF),
        ("text/plain; name=winmail.dat", TNEF),
    ],
)
def test_r029_it_is_known_by_type_name_or_signature(kind: str, content: bytes) -> None:
    (outcome,) = FILTER.apply(draft(mail(kind, content)), context())
    assert (outcome.action, outcome.kind, outcome.detail) == (Action.HOLD, "cannot-inspect", "part 1")


def test_r029_to_one_person_it_is_a_note_unless_the_stream_holds_it() -> None:
    text = mail("application/ms-tnef")
    (outcome,) = FILTER.apply(draft(text), context(recipient=ANNA))
    assert outcome.action is Action.DELIVER
    (outcome,) = FILTER.apply(draft(text), context(private=False))
    assert outcome.action is Action.DELIVER
    strict = replace(rule(winmail="hold"), recipient=ANNA)
    (outcome,) = FILTER.apply(draft(text), strict)
    assert outcome.action is Action.HOLD


@pytest.mark.parametrize("kind", ["image/png", "application/pdf; name=winmail.pdf", "text/plain"])
def test_other_files_are_none(kind: str) -> None:
    assert FILTER.apply(draft(mail(kind, b"something else")), context()) == ()
