"""What `check-config` says of `content:`."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.check_content import check_content
from tests.house import organisation


def said(**content: Any) -> list[str]:
    return [f"{'.'.join(map(str, loc))}: {text}" for loc, text in check_content(organisation(content=content))]


def test_defaults_and_what_names_something_there_pass() -> None:
    assert said() == []
    assert (
        said(name_list={"streams": ["personal"]}, own=["070-1234567"], exceptions=[{"client": "crm", "bsn": 1}]) == []
    )
    assert said(exceptions=[{"client": "crm", "bsn": 1}, {"bsn": 2}, ]) == []  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"name_list": {"streams": ["webshop"]}}, "content.name_list.streams.0: stream 'webshop' has no rule"),
        (
            {"exceptions": [{"client": "nobody", "bsn": 1}]},
            "content.exceptions.0.client: no client 'nobody', expected one",
        ),
        ({"exceptions": [{"streams": ["webshop"], "bsn": 1}]}, "content.exceptions.0.streams.0: stream 'webshop'"),
        ({"exceptions": [{"client": "crm"}]}, "content.exceptions.0: changes nothing, expected one of"),
        ({"exceptions": [{"bsn": 1}, {"client": "crm", "bsn": 2}]}, "content.exceptions.1: is never reached"),
        (
            {"exceptions": [{"streams": ["personal"], "bsn": 1}, {"streams": ["personal"], "client": "crm", "bsn": 2}]},
            "content.exceptions.1: is never reached",
        ),
        ({"own": ["De Hoeve"]}, "content.own.0: holds no number or address"),
    ],
)
def test_a_mistake_is_told_with_its_place(content: dict[str, Any], expected: str) -> None:
    (found,) = said(**content)
    assert found.startswith(expected)
    assert ", expected" in found
