from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.filters.tracker_sheets import NO_SHEET, sheet


def said(css: str, element: str = "img", classes: str = "", identity: str = "") -> dict[str, str]:
    return sheet(f"<style>{css}</style>".encode()).of(element, classes, identity)


@pytest.mark.parametrize(
    ("css", "classes", "identity"),
    [
        (".p{width:1px}", "p", ""),
        ("img.p { width : 1px }", "a p b", ""),
        (".a.p{width:1px}", "a p", ""),
        ("#p{width:1px}", "", "p"),
        ("img{width:1px}", "", ""),
        ("h1, .x ,.p{width:1px}", "p", ""),
        ("/* } */ .p{color:red;width:1px}", "p", ""),
        ("@import 'x'; .p{width:1px}", "p", ""),
        ("@media print{.q{height:3px}} .p{width:1px}", "p", ""),
    ],
)
def test_simple_selectors_speak_for_their_elements(css: str, classes: str, identity: str) -> None:
    assert said(css, "img", classes, identity)["width"] == "1px"


@pytest.mark.parametrize(
    "css",
    [
        "td .p{width:1px}",
        "td>.p{width:1px}",
        ".p:hover{width:1px}",
        "h1.p{width:1px}",
        ".q.p{width:1px}",
        "@media (max-width:600px){.p{width:1px}}",
        ".p{color:red}",
    ],
)
def test_what_depends_on_more_says_nothing(css: str) -> None:
    assert "width" not in said(css, "img", "p")


def test_an_id_outweighs_a_class_and_a_class_an_element() -> None:
    css = "#i{width:3px} .c{width:2px;height:2px} img{width:1px;height:1px;opacity:1}"
    assert said(css, "img", "c", "i") == {"width": "3px", "height": "2px", "opacity": "1"}


def test_what_hides_is_known_by_its_names() -> None:
    found = sheet(b"<STYLE type='text/css'>.a{display:none}.b{width:4px}</STYLE>")
    assert found.may_hide("p", "x a", "")
    assert not found.may_hide("p", "b", "")
    assert sheet(b"<p>no style</p>") is NO_SHEET
    assert not NO_SHEET.may_hide("p", "a", "a")


def test_only_so_much_is_read() -> None:
    many = "".join(f".c{n}{{width:1px}}" for n in range(5000))
    assert said(many, "img", "c10")
    assert said(many, "img", "c4999") == {}


@given(st.text("{}.#@a,:;/*-\\ img", max_size=80))
def test_any_sheet_is_read_without_failing(css: str) -> None:
    said(css, "img", "a", "a")
