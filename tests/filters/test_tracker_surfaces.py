from __future__ import annotations

import pytest

from gateway.filters.tracker_surfaces import OF_INTEREST, is_only, loads


@pytest.mark.parametrize(
    ("element", "name"),
    [
        ("img", "src"),
        ("img", "srcset"),
        ("source", "srcset"),
        ("td", "background"),
        ("v:fill", "src"),
        ("v:imagedata", "o:href"),
        ("object", "data"),
        ("param", "value"),
        ("applet", "code"),
        ("video", "poster"),
        ("use", "xlink:href"),
        ("feimage", "href"),
        ("filter", "xlink:href"),
        ("set", "to"),
        ("html", "manifest"),
    ],
)
def test_these_load(element: str, name: str) -> None:
    assert loads(element, name, None)
    assert name in OF_INTEREST or name == "href"


@pytest.mark.parametrize(("element", "name"), [("a", "href"), ("img", "alt"), ("form", "action"), ("q", "cite")])
def test_these_do_not(element: str, name: str) -> None:
    assert not loads(element, name, None)


@pytest.mark.parametrize(
    ("relation", "expected"), [("stylesheet", True), ("ICON", True), ("canonical", False), (None, False)]
)
def test_a_link_loads_by_its_relation(relation: str | None, expected: bool) -> None:
    assert loads("link", "href", relation) is expected


def test_an_element_goes_only_with_the_address_it_is_there_for() -> None:
    assert is_only("img", "src")
    assert not is_only("img", "srcset")
    assert not is_only("td", "background")
