"""The opt-out of one stream, and placeholders of templates."""

from __future__ import annotations

import pytest

from gateway.config.opt_out import Footer, OptOutRule


@pytest.mark.parametrize(
    "text", ["{{unsubscribe}}", "{{ unsubscribe }}", "*|UNSUB|*", "[[afmelden]]", "%unsubscribe_url%", "-unsubscribe-"]
)
def test_what_mailing_programs_write_is_a_placeholder(text: str) -> None:
    assert Footer(placeholders=(text,)).placeholders == (text,)


@pytest.mark.parametrize("text", ["afmelden", "{{}}", "<%x%>", '{{"x"}}', "{{é}}", " {{x}}", "{{x}} ", "{" * 70])
def test_what_could_be_a_word_or_markup_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected ASCII that begins and ends with a sign"):
        Footer(placeholders=(text,))


def test_marketing_without_a_place_is_refused_unless_a_setting_says_otherwise() -> None:
    assert (OptOutRule().when_sealed, OptOutRule().when_no_text) == ("header", "refuse")
