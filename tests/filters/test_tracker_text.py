from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.filters.tracker_links import NOT_CLEANED, Rules
from gateway.filters.tracker_text import shown_cuts, text_cuts
from tests.filters.example import FACTS


def after(text: str, *, joins_lines: bool = False) -> str:
    content, kept, at = text.encode(), b"", 0
    for cut in text_cuts(content, Rules(FACTS), joins_lines=joins_lines):
        assert cut.start >= at
        kept, at = kept + content[at : cut.start] + cut.text, cut.end
    return (kept + content[at:]).decode()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("Zie https://e.example/?utm_source=x.\r\n", "Zie https://e.example/.\r\n"),
        ("(https://e.example/a?utm_source=x), en", "(https://e.example/a), en"),
        ("<https://e.example/a?b=1&utm_source=x>", "<https://e.example/a?b=1>"),
        ("> https://e.example/?gclid=1\r\n> tekst", "> https://e.example/\r\n> tekst"),
        ("https://e.example/?a=1&b=2", "https://e.example/?a=1&b=2"),
    ],
)
def test_addresses_in_text_lose_their_parameters_and_keep_what_stands_around(before: str, expected: str) -> None:
    assert after(before) == expected


def test_an_address_between_brackets_may_go_over_lines() -> None:
    text = "<https://e.example/a?b=1&utm_source=x\r\n&utm_medium=y&c=2> klaar"
    assert after(text) == "<https://e.example/a?b=1&c=2> klaar"
    same = "<https://e.example/a?b=1\r\n&c=2> klaar"
    assert after(same) == same


def test_an_address_that_seems_to_go_on_is_left_and_reported() -> None:
    text = "https://e.example/a?utm_source=x\r\n&utm_medium=y en verder"
    assert after(text) == text
    assert [cut.kind for cut in text_cuts(text.encode(), Rules(FACTS))] == [NOT_CLEANED]


def test_flowed_lines_are_joined_only_where_the_format_says_so() -> None:
    text = "https://e.example/a?utm_sou \r\nrce=x&b=1\r\nVolgende regel"
    assert after(text, joins_lines=True) == "https://e.example/a?b=1\r\nVolgende regel"
    assert after(text) == text
    plain = "https://e.example/a \r\nVolgende regel"
    assert after(plain, joins_lines=True) == plain


def test_text_of_html_is_cleaned_and_reports_nothing() -> None:
    content = b"<b>https://e.example/?utm_source=x</b> https://u1.ct.sendgrid.net/ls/click?upn=a"
    assert [cut.kind for cut in shown_cuts(content, 3, len(content), Rules(FACTS))] == ["link-parameter"]


@given(
    st.lists(
        st.sampled_from(["https://e.example/", "?utm_a=1", "&b=2", " \r\n", "\r\n", "<", ">", ".", "x"]), max_size=14
    ),
    st.booleans(),
)
def test_any_text_is_read_in_order_and_a_second_pass_finds_nothing(pieces: list[str], joins: bool) -> None:
    once = after("".join(pieces), joins_lines=joins)
    assert after(once, joins_lines=joins) == once
