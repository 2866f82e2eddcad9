from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.tracker_styles import UnreadableStyle, declarations, hides, loads, may_hide, pixels

U = "https://t.example/a"


@pytest.mark.parametrize(
    "style",
    [
        f"a{{background:url({U}) no-repeat}}",
        f"a{{background:URL( '{U}' )}}",
        f'@import "{U}";',
        f'@im\\port "{U}" screen;',
        f"x:u\\72l({U})",
        f'b:-webkit-image-set("{U}" 1x)',
        f'b:src("{U}")',
        f"@media print{{#a{{b{{background:url({U})}}}}}}",
        "c:url(\r\nhttps://t.example/a\r\n)",
        f"a:url({U}",
        f'a:url("{U}',
        "a:url(https\\3a //t.example/a)",
    ],
)
def test_addresses_are_found_with_a_span_whose_replacement_loads_nothing(style: str) -> None:
    (found,) = loads(style)
    assert found.address.strip() == U
    changed = style[: found.start] + found.instead + style[found.end :]
    assert all("t.example" not in load.address for load in loads(changed))
    assert loads(changed)[0].address == "data:,"


@pytest.mark.parametrize("style", [f'content:"{U}"', "color:red", f'@charset "{U}";'])
def test_other_strings_load_nothing(style: str) -> None:
    assert loads(style) == []


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(["url(", "'", '"', ")", "a:b;", "\\", "\r\n", "{", "}", "/*", "*/", "@import ", U, "src("]),
        max_size=14,
    )
)
def test_spans_lie_within_the_style_and_do_not_overlap(pieces: list[str]) -> None:
    style = "".join(pieces)
    at = 0
    for found in loads(style):
        assert at <= found.start < found.end <= len(style)
        at = found.end


def test_an_escaped_control_character_stands_for_itself() -> None:
    assert loads("\\\x1c url(https://meten.example/p.gif)")[0].address == "https://meten.example/p.gif"


def test_escapes_beyond_reason_are_refused() -> None:
    with pytest.raises(UnreadableStyle):
        loads("url(x)" + "\\a " * 20_000)


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "DISPLAY : NONE !important",
        "display:/**/none",
        "disp\\lay:none",
        "visibility:hidden",
        "opacity:0",
        "opacity:.01",
        "max-height:0",
        "height:0;overflow:hidden",
        "position:absolute;left:-9999px",
        "text-indent:-5000px",
        "transform:scale(0)",
    ],
)
def test_styles_that_hide_are_known(style: str) -> None:
    assert may_hide(style)
    assert hides(declarations(style))


@pytest.mark.parametrize(
    "style", ["", "display:block", "opacity:1", "height:0", "max-height:100px", "left:-10px", "color:#000;margin:0"]
)
def test_styles_that_show_are_known(style: str) -> None:
    assert not hides(declarations(style))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", 1.0),
        ("1px", 1.0),
        (" 0 ", 0.0),
        ("0%", 0.0),
        ("50%", None),
        ("auto", None),
        ("0.1em", 1.6),
        ("1PX !important", 1.0),
        ("", None),
    ],
)
def test_lengths_are_read_in_pixels(value: str, expected: float | None) -> None:
    assert pixels(value) == pytest.approx(expected)
