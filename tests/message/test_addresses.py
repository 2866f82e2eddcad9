"""Address lists as people see them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.addresses import addresses
from gateway.message.parse import parse
from tests.message.samples import own


def read(value: str | bytes) -> list[tuple[str, str]]:
    return [(m.display, m.address.reveal() if m.address else "") for m in addresses(value)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jan@school.example", [("", "jan@school.example")]),
        ("<jan@school.example>", [("", "jan@school.example")]),
        ("Jan Jansen <jan@school.example>", [("Jan Jansen", "jan@school.example")]),
        (
            '"Jansen, Jan" <jan@school.example>, b@school.example',
            [("Jansen, Jan", "jan@school.example"), ("", "b@school.example")],
        ),
        ("jan@school.example (Jan)", [("Jan", "jan@school.example")]),
        ("jan(a)@(b (c))school.example", [("b (c)", "jan@school.example")]),
        (
            "Groep: a@school.example, B <b@school.example>;, c@school.example",
            [("", "a@school.example"), ("B", "b@school.example"), ("", "c@school.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("", []),
        (" , ,", []),
        ("=?utf-8?Q?Ren=C3=A9e?= Vos <r@school.example>", [("Renée Vos", "r@school.example")]),
        ("=?utf-8?Q?Vos=2C_Ren=C3=A9e?= <r@school.example>", [("Vos, Renée", "r@school.example")]),
        ('"jan jansen"@school.example', [("", '"jan jansen"@school.example')]),
        ("<@relay.example:jan@school.example>", [("", "jan@school.example")]),
        ("Jan <jan@[IPv6:2001:db8::1]>", [("Jan", "jan@[IPv6:2001:db8::1]")]),
        ("Renée <renée@school.example>", [("Renée", "renée@school.example")]),
        ("jan @ school . example", [("", "jan@school.example")]),
        ('"Jan \\"de man\\"" <jan@school.example>', [('Jan "de man"', "jan@school.example")]),
        ("Jan\r\n <jan@school.example>", [("Jan", "jan@school.example")]),
    ],
)
def test_mailboxes_are_found(value: str, expected: list[tuple[str, str]]) -> None:
    assert read(value) == expected
    assert read(value.encode()) == expected


@pytest.mark.parametrize(
    "value",
    [
        "Jan",
        "jan@",
        "@school.example",
        "a@school.example)b@andere.example",
        "Jan <jan@school.example> <b@andere.example>",
        'a"@school.example',
        "Jan <jan@school.example",
        "alice@school.example <mallory@",
    ],
)
def test_odd_entries_come_back_without_an_address(value: str) -> None:
    (mailbox,) = addresses(value)
    assert mailbox.address is None
    assert mailbox.text == value


def test_a_bad_entry_does_not_take_the_next_one_with_it() -> None:
    assert read("Jan, b@school.example, @x, c@school.example") == [
        ("", ""),
        ("", "b@school.example"),
        ("", ""),
        ("", "c@school.example"),
    ]


def test_all_25_participants_of_the_course_mail() -> None:
    message = parse(own("course-mail"))
    found = [m for name in ("To", "Cc") for f in message.fields(name) for m in addresses(message.raw_value(f))]
    assert len({m.address for m in found if m.address}) == 25


def test_printing_a_mailbox_shows_nobody() -> None:
    (mailbox,) = addresses("Jan Jansen <jan@school.example>")
    assert "an" not in repr(mailbox).replace("Mailbox", "").replace("person", "")


@settings(deadline=None, max_examples=400)
@given(
    st.lists(
        st.sampled_from(
            [
                '"',
                "(",
                ")",
                "<",
                ">",
                ",",
                ";",
                ":",
                "\\",
                "@",
                "[",
                "]",
                "a",
                "b.example",
                " ",
                "\r\n ",
                "=?utf-8?q?x?=",
                "é",
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_any_text_is_read(value: str) -> None:
    for mailbox in addresses(value):
        assert mailbox.text


def test_hostile_lists_are_read_in_one_pass() -> None:
    for value in ("(" * 200_000, '"' * 200_001, "<" * 200_000, "\\" * 200_000, "a:" * 100_000, "a, " * 5_000):
        assert isinstance(addresses(value), list)
