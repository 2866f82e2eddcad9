from __future__ import annotations

import pytest

from gateway.compared import NEVER, Compared, Sameness, Verdict
from gateway.filters.tracker_html import MOST, SPACERS, Loads, TooMany, html_cuts
from gateway.filters.tracker_links import Rules
from tests.filters.example import FACTS

T = "https://t.example/o/AbC123xyz987"
KNOWN = "https://www.google-analytics.com/collect?v=1"


def after(body: str, *, links: bool = True, compared: Compared = NEVER, reader: str = "") -> str:
    content = body.encode()
    kept, at = b"", 0
    rules = Rules(FACTS, compared=compared) if links else None
    for cut in html_cuts(content, Loads(FACTS, compared, reader), rules):
        assert cut.start >= at
        kept, at = kept + content[at : cut.start] + cut.text, cut.end
    return (kept + content[at:]).decode()


LOADS = [
    f'<img src="{T}" width=1 height=1>',
    f"<IMG SRC='{T}' WIDTH=1>",
    f"<img height=0 src={T}>",
    '<img width="1" src="https&#58;//t.example/o/AbC123xyz987">',
    '<img width="1" src="\r\nhtt\tps://t.example/o/AbC123xyz987">',
    '<img width="1" src="//t.example/o/AbC123xyz987">',
    '<img width="1" src="https:\\\\t.example\\o\\AbC123xyz987">',
    f'<img style="width:1px;height:1px" src="{T}">',
    f'<img style="WIDTH: 0.5PX !important" src="{T}">',
    f'<img style="wid\\th:1px" src="{T}">',
    f'<img style="display:none" src="{T}">',
    f'<img style="visibility:hidden" src="{T}">',
    f'<img style="opacity:0" src="{T}">',
    f'<img style="max-height:0;overflow:hidden" src="{T}">',
    f'<img style="position:absolute;left:-9999px" src="{T}">',
    f'<img hidden src="{T}">',
    f'<div style="display:none"><p><img src="{T}"></p></div>',
    f'<div style="display:none"><div>x</div><br><img src="{T}" width="200"></div>',
    f'<div style="display:/**/none"><img src="{T}" width="200"></div>',
    f'<img src="{T}" alt="">',
    f'<img src="{KNOWN}" width="600" height="200" alt="foto">',
    '<img src="https://e.example/foto.jpg?e=jan%40example.org" width="600" alt="foto">',
    f'<img src="https://e.example/a.png" width=600 srcset="https://e.example/b.png 1x, {KNOWN} 2x">',
    f'<picture><source srcset="{KNOWN}"><img src="https://e.example/a.png" width=600></picture>',
    f'<input type="image" src="{KNOWN}">',
    f'<table background="{KNOWN}"><tr><td>',
    f'<body background="{KNOWN}">',
    f'<td style="background:url({KNOWN}) no-repeat">',
    f"<td style='background:u\\72l(\"{KNOWN}\")'>",
    f'<td style="background:url(&quot;{KNOWN}&quot;)">',
    f"<style>@import '{KNOWN}';</style>",
    f"<style>@im\\port url({KNOWN});</style>",
    f"<style>@font-face{{src:url({KNOWN})}}</style>",
    f"<style>p{{background:image-set('{KNOWN}' 1x)}}</style>",
    f'<link rel="stylesheet" href="{KNOWN}">',
    f'<link rel="preload" as="image" imagesrcset="{KNOWN} 2x" href="https://e.example/a.png">',
    f'<iframe src="{KNOWN}"></iframe>',
    f'<object data="{KNOWN}"></object>',
    f'<embed src="{KNOWN}">',
    f'<video poster="{KNOWN}"></video>',
    f'<audio src="{KNOWN}"></audio>',
    f'<bgsound src="{KNOWN}">',
    f'<svg><image href="{KNOWN}"/></svg>',
    f'<svg><image xlink:href="{KNOWN}"/></svg>',
    f"<svg><style>p{{background:url({KNOWN})}}</style></svg>",
    f'<!--[if mso]><v:fill src="{KNOWN}"/><![endif]-->',
    f'<!--[if gte mso 9]><img src="{KNOWN}"><![endif]-->',
    f'<noscript><img src="{KNOWN}"></noscript>',
    f'<iframe><img src="{KNOWN}"></iframe>',
    f'<meta http-equiv="refresh" content="0; url={KNOWN}">',
    '<base href="https://www.google-analytics.com/x/"><img src="collect?v=1" width=600>',
    f'<amp-img src="{T}" width="1" height="1">',
    '<img src="https://e.example/track/spacer.gif" width="1">',
]


@pytest.mark.parametrize("body", LOADS)
def test_nothing_that_tracks_is_loaded_any_more(body: str) -> None:
    found = after(body).replace("&#58;", ":")
    assert "AbC123xyz987" not in found
    assert "google-analytics.com/collect" not in found
    assert "collect?v" not in found
    assert "jan%40" not in found
    assert "/track/" not in found
    assert after(found) == found


KEPT = [
    '<img src="https://e.example/spacer.gif" width="1" height="1">',
    '<img src="https://e.example/2026/11/lijn.png?v=3" width="600" height="1">',
    '<img src="https://mcusercontent.com/27aac8a65e64c994c4416d6b8/images/spacer.gif" width="1">',
    '<img src="https://e.example/img/3f9a8b7c6d5e4f3a/foto.jpg" width="600" height="300" alt="foto">',
    '<img src="https://e.example/banner?id=81234567" width="600" height="300">',
    '<img src="cid:logo" width="1" height="1">',
    '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width="1" height="1">',
    '<img src="/o/AbC123xyz987" width="1" height="1">',
    '<div style="display:none"><img src="https://e.example/a1b2c3d4e5f6/telefoon.png" width="320"></div>',
    '<td style="background:url(https://e.example/222222/bg.png)">',
    "<style>p{background:url(cid:bg)} /* url(https://e.example/bg.png) */</style>",
    '<link rel="stylesheet" href="https://fonts.googleapis.com/css?family=Open+Sans:400,700">',
    '<link rel="canonical" href="https://www.google-analytics.com/collect?v=1">',
    "<!-- <img src=https://www.google-analytics.com/collect?v=1> -->",
    '<a href="mailto:a@e.example?utm_source=x">x</a><a href="#utm_source=x">y</a>',
    "<p>Kosten: 5 & 6 <b>euro</b> &copy; 2026</p>",
    "<textarea>https://e.example/?utm_source=x</textarea>",
]


@pytest.mark.parametrize("body", KEPT)
def test_what_tracks_nobody_keeps_its_bytes(body: str) -> None:
    assert after(body) == body


def test_the_hidden_end_is_seen() -> None:
    shown = '<img src="https://e.example/b?id=81234567" width="300">'
    assert (
        after(f'<div style="display:none"><div>x</div></div>{shown}')
        == f'<div style="display:none"><div>x</div></div>{shown}'
    )


def test_only_the_attribute_goes_where_the_element_has_content() -> None:
    assert after(f'<td width=5 background="{KNOWN}" valign=top>x</td>') == "<td width=5  valign=top>x</td>"
    assert (
        after(f'<td style="color:red;background:url({KNOWN}) top">')
        == '<td style="color:red;background:url(data:,) top">'
    )


def test_a_style_with_references_is_written_anew_and_stays_one_attribute() -> None:
    found = after(f'<td style="font-family:&quot;A B&quot;;background:url({KNOWN})" title="x">')
    assert found == '<td style="font-family:&quot;A B&quot;;background:url(data:,)" title="x">'


def test_links_areas_and_outlook_buttons_are_cleaned_and_pings_go() -> None:
    dirty = "https://e.example/?utm_source=x"
    body = '<a href="{0}" ping="https://t.example/">a</a><area href={0}><!--[if mso]><v:rect href="{0}"><![endif]-->{0}'
    expected = '<a href="{0}" >a</a><area href={0}><!--[if mso]><v:rect href="{0}"><![endif]-->{0}'
    body = body.format(dirty)
    assert after(body) == expected.format("https://e.example/")
    assert after(body, links=False) == body


def test_a_style_escaped_beyond_reason_goes_whole() -> None:
    deep = "\\a " * 20_000 + "url(https://t.example/AbC123xyz987)"
    assert after(f"<style>{deep}</style>") == "<style></style>"
    assert after(f'<p style="{deep}">x') == "<p >x"


def test_an_address_is_judged_again_once_the_base_is_known() -> None:
    image = '<img src="collect?v=1" width="600">'
    base = '<base href="https://www.google-analytics.com/">'
    assert after(image + base + image) == image + base


def test_what_is_found_twice_goes_once() -> None:
    body = "<svg><style>" + "\\a " * 3000 + f'<img src="{KNOWN}">' + "</style></svg>"
    assert after(body) == "<svg><style></style></svg>"


@pytest.mark.parametrize(
    "body",
    [
        f'<style>.p{{width:1px}}</style><img class="p" src="{T}">',
        f'<style>.p{{display:none}}</style><div class="x p"><img width=300 src="{T}"></div>',
        f'<style>#p{{max-height:0}}</style><div id=p><img width=300 src="{T}"></div>',
        f'<img class="p" width=300 src="{T}"><style>.p{{width:0!important}}</style>',
        f'<iframe width=0 height=0 src="{T}"></iframe>',
        f'<svg><rect filter="url({KNOWN})"/></svg>',
        f'<svg><feImage href="{KNOWN}"/><use xlink:href="{KNOWN}"/></svg>',
        f'<svg><image><set attributeName="href" to="{KNOWN}"/></image></svg>',
        f'<object><param name="movie" value="{KNOWN}"></object>',
        f'<applet code="{KNOWN}"></applet>',
        f'<!--[if mso]><v:imagedata o:href="{KNOWN}"/><![endif]-->',
        f"<div style=\"filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='{KNOWN}')\">",
        f"<style>p{{background:image-set(url({KNOWN}) 1x)}}</style>",
        f"<style>/* url({KNOWN}) */</style>",
        f'<p style="color:red;background:url({KNOWN}) no-repeat;margin:0">',
        '<img src="https://2915206401/o/AbC123xyz987" width=1>',
        '<img src="https://0xadc24a01/o/AbC123xyz987" width=1>',
        '<img src="https://[2001:db8::1]/o/AbC123xyz987" width=1>',
        '<img src="https://user:pw@t.example/o/AbC123xyz987" width=1>',
        '<img src="https://www.google-analytics.com./collect?v=1" width=600>',
        '<img src="https://www%2Egoogle-analytics.com/collect?v=1" width=600>',
        '<img src="https://www\uff0egoogle-analytics\u3002com/collect?v=1" width=600>',
        f'<img src="https://e.example/a.png" srcset=",,, {KNOWN} 2x">',
    ],
)
def test_r058_and_neither_is_anything_else(body: str) -> None:
    found = after(body)
    assert "AbC123xyz987" not in found
    assert "collect?v" not in found
    assert after(found) == found


@pytest.mark.parametrize(
    "body",
    [
        "<style>@media (max-width:600px){.d{display:none}}</style>"
        '<img class="d" src="https://e.example/a?id=81234567" width=600>',
        '<style>.m{display:none}</style><img class="m" src="https://e.example/a1b2c3d4e5f6/telefoon.png" width="320">',
        '<img src="https://e.example/foto.jpg" srcset="https://e.example/foto.jpg 1x, https://e.example/f,2x.jpg 2x">',
        '<svg><rect fill="url(#verloop)"/></svg>',
        '<img src="https://i0.wp.com/e.example/foto.jpg" width=600>',
    ],
)
def test_and_this_keeps_its_bytes_too(body: str) -> None:
    assert after(body) == body


def test_r059_what_differs_between_copies_is_made_common_or_goes() -> None:
    base = "https://e.example/foto.jpg"
    individual = Verdict(Sameness.INDIVIDUAL, base)
    compared = Compared(
        {f"{base}?k=1&m=2": individual, f"{base}?k=2": individual, "https://e.example/x": Verdict(Sameness.INDIVIDUAL)}
    )
    body = (
        '<img src="{0}?k=1&amp;m=2" width=300><td background={0}?k=2>'
        """<img srcset="{0}?k=2 2x, {0} 1x"><p style="background:url('{0}?k=2')">"""
    )
    expected = (
        '<img src="{0}" width=300><td background={0}>'
        """<img srcset="{0} 2x, {0} 1x"><p style="background:url('{0}')">"""
    )
    assert after(body.format(base), compared=compared) == expected.format(base)
    assert after('<img src="https://e.example/x" width=300>', compared=compared) == ""


def test_r059_what_is_the_same_in_all_copies_stays() -> None:
    body = '<td background="https://e.example/AbC123xyz987">'
    assert after(body) == "<td >"
    assert after(body, compared=Compared({"https://e.example/AbC123xyz987": Verdict(Sameness.COMMON)})) == body


def test_the_readers_own_address_in_a_picture_goes() -> None:
    body = '<img src="https://e.example/avatar?who=jan@example.org" width=40 alt="Jan">'
    assert after(body) == body
    assert after(body, reader="jan@example.org") == ""


def test_more_remote_loads_than_any_mail_has_are_too_many() -> None:
    many = "".join(f'<img src="https://e.example/a?{n}" width=9>' for n in range(MOST + 1))
    with pytest.raises(TooMany):
        after(many)
    files = "".join(f'<img src="https://e.example/{n}.png" width=9>' for n in range(MOST + 1))
    assert after(files) == files


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('<img src="https://e.example/b.gif" width=1 height=1>', 0),
        ('<img src="https://e.example/b.gif" width=1 height=1><img src="https://e.example/b.gif" width=1 height=9>', 2),
        ("<img src=https://e.example/b.gif width=1 height=1><img width=1 height=1 src='https://e.example/b.gif'>", 2),
        ('<img src="https://e.example/b.gif" width=1 height=1><a href="https://e.example/b.gifs">b</a>', 0),
        ('<img src="https://e.example/b.gif?u=1" width=1 height=1><img src="https://e.example/b.gif?u=1" width=1>', 0),
    ],
)
def test_a_point_that_is_loaded_twice_is_a_spacer(body: str, kept: int) -> None:
    assert after(body).count("<img") == kept


@pytest.mark.parametrize(
    "address",
    [
        "https://e.example/open/8fa7c612ab/bg.gif",
        "https://e.example/css/482134-991773.css",
        "https://e.example/m/8fa7c612ab/p.gif",
    ],
)
def test_a_file_that_shows_nothing_is_looked_at_where_no_size_is_given(address: str) -> None:
    assert address not in after(f'<td style="background:url({address})">')
    assert address not in after(f'<style>@import "{address}";</style>')


def test_only_so_many_points_are_searched_for() -> None:
    twice = "".join(
        f'<img src="https://e.example/{"ab"[n % 2]}{n:02}.gif" width=1 height=1>' for n in range(SPACERS + 5)
    )
    assert after(twice * 2).count("<img") == 2 * SPACERS
