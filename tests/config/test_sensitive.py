"""Settings of sensitive mail: words that can be found, streams that exist."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.config.sensitive import ONE_TO_ONE, Sensitive
from gateway.decision import Stream


def test_words_count_in_mail_from_one_to_one_unless_more_is_said() -> None:
    made = Sensitive.model_validate({"words": ["medicatie*", "bijzondere noden"]})
    assert made.streams == ONE_TO_ONE
    assert Stream.NEWSLETTER not in made.streams
    assert (made.always, made.end_to_end) == ((), False)


@pytest.mark.parametrize("word", ["", "ab", " dieet", "dieet ", "x" * 70, "a\nb"])
def test_a_word_that_could_never_be_found_or_would_always_be_is_refused(word: str) -> None:
    with pytest.raises(ValidationError):
        Sensitive.model_validate({"words": [word]})
