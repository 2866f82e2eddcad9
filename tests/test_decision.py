"""Classifications and decisions as values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import Action, Basis, Classification, Decision, Stream, Variant
from gateway.reply import BLOCKED

texts = st.text(max_size=5)
numbers = st.integers(0, 2**32 - 1)
classifications = st.builds(
    Classification,
    stream=st.sampled_from(Stream),
    entry=texts,
    basis=st.none() | st.sampled_from(Basis),
    source=numbers,
    list=numbers,
    topic=numbers,
    category=numbers,
    offer=st.sampled_from(["", "similar", "related"]),
    reference=texts,
    contact=texts,
    campaign=texts,
    about=texts,
    shared_with=texts,
    publication=texts,
    segment=texts,
    sensitive=st.booleans(),
    ready=st.sampled_from([None, True, False]),
    identified=st.booleans(),
    why=texts,
)


@given(classifications)
def test_a_classification_survives_storage(made: Classification) -> None:
    assert Classification.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_only_what_was_said_is_stored() -> None:
    assert Classification(Stream.PERSONAL).to_json() == {"stream": "personal"}
    assert Classification(Stream.NOTIFICATION, ready=False).to_json() == {"stream": "notification", "ready": False}


def test_a_mark_this_version_does_not_know_is_an_error() -> None:
    with pytest.raises(TypeError):
        Classification.from_json({"stream": "personal", "mood": "good"})


def test_a_refusal_and_only_a_refusal_carries_a_reply() -> None:
    variant = Variant("nl")
    Decision(Action.REFUSE, "erasure", "x", variant, reply=BLOCKED)
    with pytest.raises(ValueError, match="reply"):
        Decision(Action.REFUSE, "erasure", "x", variant)
    for action in (Action.DELIVER, Action.HOLD):
        with pytest.raises(ValueError, match="reply"):
            Decision(action, "basis", "x", variant, reply=BLOCKED)


def test_the_strictest_variant_keeps_the_language_and_drops_tracking() -> None:
    assert Variant("nl", tracking=True).strictest == Variant("nl")
    assert (str(Variant("nl")), str(Variant("en", tracking=True))) == ("nl/untracked", "en/tracked")
    assert Variant("nl") < Variant("nl", tracking=True)
