"""Errors in words an operator can act on."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.complaint import complaint, fields_at, unknown_key
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.config.source import Source, read
from tests.config.samples import raw


def complaints(text: str, model: type[Gateway] = Gateway) -> list[str]:
    source = read("f", text.encode())
    with pytest.raises(ValidationError) as caught:
        model.model_validate(source.data)
    found = [complaint(details, model, source) for details in caught.value.errors()]
    return [source.complain(loc, words) for loc, words in found]


GOOD = "name: mail.example.org\nstate: state\nlisten:\n  - {name: a, port: 0, role: relay}\n"


def test_the_nearest_key_is_suggested_at_every_depth() -> None:
    assert unknown_key("prot", ["port", "name"]) == "unknown key 'prot', expected perhaps 'port'"
    assert fields_at(Gateway, ("listen", 0))[:3] == ("name", "address", "port")
    assert "header" in fields_at(Organisation, ("streams", "webshop", "opt_out"))
    assert fields_at(Organisation, ("classify", 3, "when"))[0] == "client"
    assert fields_at(Organisation, ("contacts", 1)) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("workers: 65", "f:5: workers: is 65, expected 64 or less"),
        ("workers: 0", "f:5: workers: is 0, expected 1 or more"),
        ("workers: [1]", "f:5: workers: is a list, expected a whole number"),
        ("workers: 1.5", "f:5: workers: is 1.5, expected a whole number"),
        ("workers:", "f:5: workers: is empty, expected a whole number"),
        ("limits: 5", "f:5: limits: is 5, expected a mapping of settings"),
        ("observe: {level: loud}", "f:5: observe.level: is 'loud', expected 'debug', 'info', 'warning' or 'error'"),
        ("limits: {idle: 5}", "f:5: limits.idle: is 5, expected a duration such as 100ms, 30s, 5m, 2h or 5d"),
        ("trackers: 7", "f:5: trackers: is 7, expected a path"),
        ("credentials: {a: 1}", "f:5: credentials: is a mapping, expected a path"),
    ],
)
def test_every_kind_of_wrong_value_says_what_is_expected(text: str, expected: str) -> None:
    assert complaints(f"{GOOD}{text}\n") == [expected]


def test_no_message_is_left_in_the_words_of_the_library() -> None:
    """Put something impossible in every place of an organisation's file."""
    good = raw()
    for bad in ([], {}, 3.5, "\u00e9", None, True, {"zebra": 1}):
        for path in _places(good):
            data = copy.deepcopy(good)
            _put(data, path, bad)
            source = Source("f", data, dict.fromkeys([(), *_places(data)], 1))
            for details in _errors(data):
                _, words = complaint(details, Organisation, source)
                assert "expected otherwise" not in words, (path, bad, details)
                assert "Input should" not in words
                assert ", expected" in words


def test_a_long_value_is_cut_short() -> None:
    [line] = complaints(f"{GOOD}workers: {'x' * 500}\n")
    assert len(line) < 120


def _errors(data: dict[str, Any]) -> list[Any]:
    try:
        Organisation.model_validate(data)
    except ValidationError as error:
        return list(error.errors())
    return []


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in items for found in [(*path, key), *_places(value, (*path, key))]]


def _put(data: Any, path: tuple[Any, ...], value: Any) -> None:
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value
