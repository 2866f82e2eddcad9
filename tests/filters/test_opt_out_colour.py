"""The text is seen on the page it stands on."""

from __future__ import annotations

import pytest

from gateway.filters.opt_out_colour import DARK, LIGHT, Page, contrast, luminance
from gateway.message.html import scan


def colour(html: str) -> str:
    page = Page(html.encode())
    for node in scan(html.encode()):
        page.take(node)
    return page.colour


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<body><p>x</p></body>", ""),
        ("<p>x</p>", ""),
        ('<body bgcolor="#ffffff">', ""),
        ('<body bgcolor="#222222">', LIGHT),
        ('<body bgcolor="222222">', LIGHT),
        ("<body bgcolor=black text=white>", ""),
        ("<body text=white>", DARK),
        ('<body style="background:#000 url(a.png); color: #EEE">', ""),
        ('<body style="background-color:rgb(10, 10, 10)">', LIGHT),
        ('<body style="color:#fff">', DARK),
        ("<style>body{background-color:#111}</style><body>", LIGHT),
        ("<style>body, td { background : navy; } </style><body>", LIGHT),
        ("<style>.body{background:#111}</style><body>", ""),
        ("<style>@media (prefers-color-scheme: dark){body{background:#000}}</style><body>", ""),
        ("<style>body{background:#fff}@media print{body{background:#000}}</style><body>", ""),
        ("<style>body{background:#000}</style><body bgcolor=white>", ""),
        ("<!--[if mso]><body bgcolor=black><![endif]--><body>", ""),
        ("<body style='background:var(--x);color:inherit'>", ""),
    ],
)
def test_only_where_it_would_not_be_seen_the_text_has_a_colour_of_its_own(html: str, expected: str) -> None:
    assert colour(html) == expected


@pytest.mark.parametrize("background", ["#000000", "#808080", "#ffffff", "#ff0000", "#0000ff", "#b0b0b0"])
def test_the_colour_chosen_can_be_read(background: str) -> None:
    chosen = luminance(colour(f"<body bgcolor='{background}' text='{background}'>"))
    page = luminance(background)
    assert page is not None
    assert chosen is not None
    assert contrast(page, chosen) >= 3.9


def test_known_values() -> None:
    assert luminance("white") == pytest.approx(1.0)
    assert luminance("#000") == 0.0
    assert luminance("transparent") is None
    assert contrast(1.0, 0.0) == pytest.approx(21)
