"""No line over 998 octets leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decision import Action
from gateway.filters import private_recipients
from gateway.filters.context import Outcome
from gateway.filters.long_lines import FILTER
from gateway.message.draft import Draft
from tests.filters.mail import CONTEXT, draft, left

HEAD = "From: info@voorbeeld.example\nMIME-Version: 1.0\n"


def run(text: str) -> tuple[Draft, tuple[Outcome, ...]]:
    edited = draft(text)
    return edited, FILTER.apply(edited, CONTEXT)


def longest(text: str) -> int:
    return max(len(line.encode("utf-8", "surrogateescape")) for line in text.split("\n"))


def test_998_octets_pass_untouched() -> None:
    text = f"{HEAD}Content-Type: text/plain\n\n{'x' * 998}\n"
    edited, outcomes = run(text)
    assert (outcomes, edited.edits) == ((), [])
    assert left(edited) == text


@pytest.mark.parametrize("length", [999, 40_000])
@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8", "application/json"])
def test_a_longer_line_is_encoded_again_and_says_the_same(length: int, kind: str) -> None:
    edited, outcomes = run(f"{HEAD}Content-Type: {kind}\n\n{'x' * length}\nend\n")
    assert outcomes == ()
    made = left(edited)
    assert longest(made) <= 998
    again = draft(made)
    assert again.content(again.message.root) == b"x" * length + b"\r\nend\r\n"


def test_a_signed_part_is_refused_with_its_place() -> None:
    text = (
        f'{HEAD}Content-Type: multipart/signed; boundary="b"; protocol="application/pgp-signature"\n\n'
        f"--b\nContent-Type: text/plain\n\n{'x' * 999}\n--b\nContent-Type: application/pgp-signature\n\ny\n--b--\n"
    )
    edited, outcomes = run(text)
    assert edited.edits == []
    (outcome,) = outcomes
    assert (outcome.action, outcome.kind) == (Action.REFUSE, "line-too-long")
    assert outcome.reply is not None
    assert str(outcome.reply).startswith("550 5.6.0 Message format: line over 998 octets in part 1.1, body: signed")


def test_a_long_field_is_folded_at_white_space() -> None:
    ids = " ".join(f"<{n}@example.org>" for n in range(200))
    edited, outcomes = run(f"{HEAD}References: {ids}\nSubject: x\n\nhello\n")
    assert outcomes == ()
    made = left(edited)
    assert longest(made) <= 998
    field = draft(made).message.fields("references")[0]
    assert draft(made).message.text_value(field) == ids


@pytest.mark.parametrize(
    ("name", "between", "item"), [("References", "", "<%d@example.org>"), ("Cc", ",", "persoon%d@example.org")]
)
def test_a_list_without_blanks_is_folded_between_its_items(name: str, between: str, item: str) -> None:
    items = [item % n for n in range(300)]
    edited, outcomes = run(f"{HEAD}{name}: {between.join(items)}\nSubject: x\n\nhello\n")
    assert outcomes == ()
    made = left(edited)
    assert longest(made) <= 998
    field = draft(made).message.fields(name)[0]
    assert draft(made).message.text_value(field).replace(" ", "") == between.join(items)


def test_a_comma_in_a_quoted_name_is_not_between_items() -> None:
    name = '"' + "x," * 600 + '"'
    _, outcomes = run(f"{HEAD}Cc: {name}<a@example.org>\n\nhello\n")
    assert [o.action for o in outcomes] == [Action.REFUSE]


def test_a_long_field_of_a_part_is_folded_but_not_under_a_signature_or_in_an_attached_message() -> None:
    words = "x " * 600
    part = f"--b\nX-Words: {words}x\n\nhello\n"
    for around, refused in (
        (f'Content-Type: multipart/mixed; boundary="b"\n\n{part}--b--\n', False),
        (f'Content-Type: multipart/signed; boundary="b"\n\n{part}{part}--b--\n', True),
        (f"Content-Type: message/rfc822\n\nX-Words: {words}x\n\nhello\n", True),
    ):
        edited, outcomes = run(HEAD + around)
        assert ([o.action for o in outcomes][:1] == [Action.REFUSE]) is refused
        assert refused or longest(left(edited)) <= 998


def test_a_word_too_long_to_fold_is_refused() -> None:
    _, outcomes = run(f"{HEAD}X-Data: {'x' * 999}\n\nhello\n")
    assert [o.action for o in outcomes] == [Action.REFUSE]


def test_a_field_that_goes_anyway_is_no_reason_to_refuse() -> None:
    people = ",".join(f"person{n}@example.org" for n in range(100))
    edited = draft(f"{HEAD}To: {people}\nCc: {people}\nSubject: x\n\nhello\n")
    private_recipients.FILTER.apply(edited, CONTEXT)
    assert FILTER.apply(edited, CONTEXT) == ()
    assert longest(left(edited)) <= 998


def test_text_between_parts_has_no_place_to_fold() -> None:
    text = f'{HEAD}Content-Type: multipart/mixed; boundary="b"\n\n{"x" * 999}\n--b\n\nhello\n--b--\n'
    _, outcomes = run(text)
    assert [(o.action, o.detail) for o in outcomes] == [
        (Action.REFUSE, "line over 998 octets in part 1, between: no place to fold")
    ]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("x \t", max_size=1500), max_size=3), st.integers(0, 1500))
def test_either_refused_or_short(words: list[str], body: int) -> None:
    header = "".join(f"X-Word: {w}x\n" for w in words)
    edited, outcomes = run(f"{HEAD}{header}\n{'y' * body}\n")
    if not outcomes:
        assert longest(left(edited)) <= 998
