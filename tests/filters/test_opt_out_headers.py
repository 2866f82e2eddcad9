from __future__ import annotations

import pytest

from gateway.filters.opt_out import FILTER
from gateway.filters.opt_out_headers import FOREIGN
from tests.filters.example import URL, context, draft, render

LINK_ONLY = {"scope": "list", "header": "link", "text": "link"}
NONE = {"scope": None, "header": "none", "text": "how-to"}


def header(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_one_click_is_two_fields_of_exact_bytes() -> None:
    made = draft("<p>x</p>")
    assert FILTER.apply(made, context()) == ()
    lines = header(render(made))
    assert b"List-Unsubscribe: <" + URL + b">" in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_without_our_signature_over_it_there_is_no_post_field() -> None:
    made = draft("<p>x</p>")
    (note,) = FILTER.apply(made, context(one_click=False))
    assert note.kind == "one-click-unsigned"
    lines = header(render(made))
    assert b"List-Unsubscribe: <" + URL + b">" in lines
    assert not any(line.startswith(b"List-Unsubscribe-Post") for line in lines)


def test_a_link_stream_has_the_url_and_no_post_field() -> None:
    made = draft("<p>x</p>")
    assert FILTER.apply(made, context(opt_out=LINK_ONLY)) == ()
    out = render(made)
    assert b"List-Unsubscribe: <" + URL + b">\r\n" in out
    assert b"One-Click" not in out


def test_a_stream_without_header_has_none() -> None:
    made = draft("<p>x</p>")
    FILTER.apply(made, context(opt_out=NONE, mailing_list=0))
    assert b"\r\nList-" not in render(made)


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_list_fields_go_in_any_case_and_number(name: str) -> None:
    foreign = f"{name.upper()}: <https://elders.example/a>,\r\n <mailto:af@elders.example>\r\n{name.lower()}: <https://elders.example/b>\r\n"
    for rule in (None, LINK_ONLY, NONE):
        made = draft("<p>x</p>", head=foreign)
        FILTER.apply(made, context(opt_out=rule))
        out = render(made)
        assert b"elders.example" not in out
        for written in (b"list-unsubscribe:", b"list-unsubscribe-post:", b"list-id:"):
            assert sum(line.lower().startswith(written) for line in header(out)) <= 1


def test_list_id_is_on_list_mail_alone() -> None:
    for number, expected in ((11, True), (12, False), (0, False)):
        made = draft("<p>x</p>")
        FILTER.apply(made, context(mailing_list=number))
        assert (b"List-Id: <nieuws.voorbeeld.example>\r\n" in render(made)) is expected
        assert (b"List-Id" in render(made)) is expected


@pytest.mark.parametrize("length", [60, 200, 400])
def test_long_addresses_stay_on_one_line(length: int) -> None:
    from gateway.message.draft import Slot
    from gateway.message.template import compile

    made = draft("<p>x</p>")
    FILTER.apply(made, context())
    url = b"https://e.example/" + b"a" * (length - 18)
    out = compile(made, seven_bit=True).render({Slot.OPT_OUT: url})
    assert b"\r\nList-Unsubscribe: <" + url + b">\r\n" in out
    assert b"=?" not in out
