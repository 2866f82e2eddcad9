from __future__ import annotations

import pytest

from gateway.config.trackers import Trackers
from gateway.config.weburl import Url, read
from gateway.filters.tracker_images import SIZELESS, Look, judge, look_of
from tests.filters.example import FACTS

PLAIN = "https://e.example/img/spacer.gif"
INDIVIDUAL = "https://e.example/o/AbC123xyz987"
SHOWN = Look()


def url(text: str) -> Url:
    found = read(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"width": "1", "height": "1"}, Look(tiny=True)),
        ({"width": "600", "height": "2"}, Look(tiny=True, line=True)),
        ({"width": "600", "height": "3"}, SHOWN),
        ({"width": "600", "style": "width:1px"}, Look(tiny=True)),
        ({"width": "1", "style": "width:600px"}, SHOWN),
        ({"alt": "foto"}, SHOWN),
        ({"alt": " "}, Look(bare=True)),
        ({"style": "color:red"}, Look(bare=True)),
        ({"style": "max-width:100%"}, SHOWN),
        ({"hidden": "", "width": "9"}, Look(hidden=True)),
        ({"style": "width:" + "\\a " * 5000, "width": "9"}, Look(hidden=True)),
    ],
)
def test_size_and_hiding_are_read_from_attributes_and_style(attributes: dict[str, str], expected: Look) -> None:
    assert look_of(attributes, within_hidden=False) == expected


def test_what_stands_in_something_hidden_is_hidden() -> None:
    assert look_of({"width": "9"}, within_hidden=True).hidden


@pytest.mark.parametrize(
    ("address", "look", "expected"),
    [
        (PLAIN, Look(tiny=True), ""),
        (PLAIN, Look(hidden=True), ""),
        (f"{PLAIN}?u=1", Look(tiny=True), "pixel"),
        (INDIVIDUAL, Look(tiny=True), "pixel"),
        (INDIVIDUAL, Look(hidden=True), "hidden"),
        (INDIVIDUAL, SHOWN, ""),
        (INDIVIDUAL, Look(bare=True), "individual"),
        (INDIVIDUAL, SIZELESS, "individual"),
        (f"{INDIVIDUAL}.png", Look(bare=True), ""),
        ("https://e.example/222222/666666", SIZELESS, ""),
        ("https://e.example/?m=jan@example.org", SHOWN, ""),
        ("https://e.example/open/spacer.gif", Look(tiny=True), "pixel"),
        ("https://www.google-analytics.com/a.png", SHOWN, "known-host"),
        ("https://x.list-manage.com/track/open.php?u=1", SHOWN, "known-path"),
        ("https://mcusercontent.com/a1b2c3d4e5f6/x", Look(tiny=True), ""),
        ("https://e.example/a1b2c3d4e5f6/x.png", Look(hidden=True), ""),
        ("https://e.example/a1b2c3d4e5f6/x.png", Look(hidden=True, bare=True), "hidden"),
    ],
)
def test_what_goes_and_what_stays(address: str, look: Look, expected: str) -> None:
    assert judge(address, url(address), look, FACTS).kind == expected


def test_without_facts_size_hiding_and_look_still_decide() -> None:
    assert judge(INDIVIDUAL, url(INDIVIDUAL), Look(tiny=True), Trackers.empty()).kind == "pixel"
    known = "https://www.google-analytics.com/a.png"
    assert judge(known, url(known), SHOWN, Trackers.empty()).kind == ""
