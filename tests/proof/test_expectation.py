"""What is written down about a copy before it is sealed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.proof.expectation import Expectation
from tests.proof.mail import edited


def test_it_names_the_parts_that_were_edited_and_counts_the_opt_outs() -> None:
    _, made = edited()
    assert (made.changed, made.edits, made.opt_outs, made.listed, made.private) == ((2, 3), 2, 2, True, True)


def test_it_comes_back_from_json_as_it_was() -> None:
    _, made = edited()
    for value in (made, replace(made, changed=None)):
        assert Expectation.from_json(json.loads(json.dumps(value.to_json()))) == value


@pytest.mark.parametrize("stored", [{}, {"nodes": 3}, {"nodes": [[1, 2]], "changed": []}])
def test_another_shape_is_an_error(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Expectation.from_json(stored)
