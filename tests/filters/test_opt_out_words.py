"""Our own texts say everything in every language."""

from __future__ import annotations

import pytest

from gateway.filters.opt_out_words import HOW_TO, LABEL, LINK


@pytest.mark.parametrize("language", sorted(LABEL))
def test_each_language_has_each_text_with_everything_in_it(language: str) -> None:
    for text, how in ((LINK[language], "{link}"), (HOW_TO[language], "{contact}")):
        assert [place for place in ("{name}", "{address}", "{policy}", how) if text.count(place) != 1] == []
    assert set(LABEL) == set(LINK) == set(HOW_TO)
