from __future__ import annotations

import pytest

from gateway.filters import opt_out_text
from gateway.filters.context import Context
from gateway.filters.opt_out_text import Block, fits, wording
from gateway.message.draft import Slot
from tests.filters.example import SETTINGS, context, organisation


def html_block(made: Context, *, charset: str, line_end: bytes) -> Block:
    return opt_out_text.html_block(made, wording(made), charset=charset, line_end=line_end)


def text_block(made: Context, *, charset: str, line_end: bytes) -> Block:
    return opt_out_text.text_block(made, wording(made), charset=charset, line_end=line_end)


def whole(block: Block) -> str:
    return "".join("{url}" if isinstance(piece, Slot) else piece.decode() for piece in block.replacement)


@pytest.mark.parametrize("language", ["nl", "en", "de", "fr"])
@pytest.mark.parametrize("text", ["link", "how-to"])
def test_our_own_texts_name_sender_address_and_policy(language: str, text: str) -> None:
    made = context(language=language, opt_out={"scope": "list", "header": "none", "text": text})
    for written in (text_block, html_block):
        found = whole(written(made, charset="utf-8", line_end=b"\r\n"))
        assert "Straat 1, 1000 AA Plaats, Nederland" in found
        assert "https://voorbeeld.example/privacy" in found
        assert ("{url}" in found) is (text == "link")
        assert ("info@voorbeeld.example" in found) is (text == "how-to")


def test_values_of_the_organisation_are_escaped_in_html() -> None:
    controller = {**SETTINGS["controller"], "name": "<b>A & B</b> {link}"}
    found = whole(
        html_block(context(organisation=organisation(controller=controller)), charset="utf-8", line_end=b"\n")
    )
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in found
    assert found.count("{url}") == found.count("<a\n") == 1
    assert "\0" not in found


@pytest.mark.parametrize(
    ("charset", "expected"), [("ascii", "Cooperatie"), ("iso8859-1", "Coöperatie"), ("koi8-r", "Cooperatie")]
)
def test_what_a_charset_lacks_is_written_in_ascii(charset: str, expected: str) -> None:
    block = text_block(context(), charset=charset, line_end=b"\r\n")
    assert fits(context(), wording(context()), charset) is ("ö" in expected)
    assert expected in (block.before + block.after).decode(charset)


def test_lines_are_short_but_names_and_addresses_stay_whole() -> None:
    found = whole(text_block(context(), charset="utf-8", line_end=b"\n"))
    assert all(len(line) <= 78 for line in found.split("\n"))
    assert "Coöperatie Voorbeeld & Zonen" in found


def test_line_ends_are_those_of_the_part() -> None:
    for written in (text_block, html_block):
        assert "\r" not in whole(written(context(), charset="utf-8", line_end=b"\n"))
        found = whole(written(context(), charset="utf-8", line_end=b"\r\n"))
        assert found.count("\n") == found.count("\r\n")


def test_a_long_policy_address_is_not_broken() -> None:
    address = "https://voorbeeld.example/" + "privacy/" * 20
    own = organisation(controller={**SETTINGS["controller"], "policy_url": address})
    assert address in whole(text_block(context(organisation=own), charset="utf-8", line_end=b"\n"))
