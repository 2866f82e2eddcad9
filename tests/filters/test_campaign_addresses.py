"""Which addresses are compared with other copies, in which slots, and what a copy is known by."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.campaign_addresses import (
    LONGEST_PART,
    MOST_PLACES,
    SKETCH,
    UNSEEN,
    Parameter,
    Seen,
    find,
    keys,
    parameters,
    picture,
    plain_page,
    without,
)
from gateway.message.parse import parse


def seen(html: str, subject: str = "Nieuws", kind: str = "text/html") -> Seen:
    head = (
        f"From: a@b.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n"
    )
    return find(parse((head + html.replace("\n", "\r\n") + "\r\n").encode()))


def addresses(html: str, *, link: bool | None = None) -> list[str]:
    return [p.address for p in seen(html).places if link is None or p.link is link]


def slot(address: str, attributes: str = "") -> str:
    (place,) = seen(f'<img src="{address}" {attributes}>').places
    return place.slot


U = "https://t.example/a.png"


@pytest.mark.parametrize(
    "html",
    [
        f"<img src='{U}'>",
        f"<img src={U}>",
        f'<IMG SRC=" {U}\n">',
        '<img src="https://t.example/&#97;.png">',
        f'<img srcset="{U} 2x">',
        f'<source srcset="{U} 600w">',
        f'<td background="{U}">x</td>',
        f"<div style=\"color: red; background-image: url( '{U}' )\">x</div>",
        f"<style>@import '{U}';</style>",
        f"<style>@font-face {{ src: url({U}) }}</style>",
        f'<link rel="stylesheet" href="{U}">',
        f'<video poster="{U}"></video>',
        f'<svg><image xlink:href="{U}"/></svg>',
        f'<!--[if mso]><v:fill src="{U}"/><![endif]-->',
        f'<noscript><img src="{U}"></noscript>',
        f'<meta http-equiv="refresh" content="0; url={U}">',
        f'<object data="{U}"></object>',
        f'<iframe src="{U}"></iframe>',
    ],
)
def test_r058_every_surface_is_compared(html: str) -> None:
    assert addresses(html, link=False) == [U]


@pytest.mark.parametrize(
    "html",
    [f'<a href="{U}">x</a>', f'<area href="{U}">', f"<p>Lees {U}.</p>", f'<form action="{U}"></form>'],
)
def test_links_are_told_from_loads(html: str) -> None:
    assert addresses(html, link=True) == [U]
    assert addresses(html, link=False) == []


def test_references_are_resolved_in_attributes_and_in_text() -> None:
    wanted = "https://t.example/?a=1&b=2"
    assert addresses('<a href="https://t.example/?a=1&amp;b=2">https://t.example/?a=1&amp;b=2</a>') == [wanted]


def test_r060_links_in_plain_text_too() -> None:
    found = seen("Lees (https://shop.example/les?x=1) of https://shop.example/b.\n", kind="text/plain")
    assert [p.address for p in found.places] == ["https://shop.example/les?x=1", "https://shop.example/b"]
    assert all(p.link for p in found.places)


@pytest.mark.parametrize(
    "html",
    [
        '<img src="cid:logo">',
        '<img src="data:image/png;base64,AAAA">',
        '<a href="mailto:a@b.example">x</a>',
        '<a href="#top">x</a>',
        '<html xmlns="https://www.w3.org/1999/xhtml" xmlns:v="https://example.org/v"><p>x</p></html>',
        '<p data-url="https://t.example/x">x</p>',
        '<img src="relative/a.png">',
        "<p>geen adres</p>",
    ],
)
def test_what_is_not_remote_is_not_compared(html: str) -> None:
    assert seen(html) == UNSEEN


def test_a_relative_address_below_a_remote_base_is_asked_for_as_it_stands() -> None:
    found = seen('<base href="https://t.example/n/x.html"><img src="o/abc.gif"><a href="/les">x</a>')
    assert [p.address for p in found.places] == ["o/abc.gif", "/les"]
    assert "t.example" in found.places[0].slot


def test_attachments_and_signed_parts_are_left_alone() -> None:
    raw = (
        "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f'--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment\r\n\r\n<img src="{U}">\r\n--b--\r\n'
    )
    assert find(parse(raw.encode())) == UNSEEN


def test_a_slot_says_nothing_of_what_differs_per_person() -> None:
    one, other = "0f1e2d3c4b5a6978", "a9b8c7d6e5f40312"
    assert slot(f"https://t.example/o/{one}.gif") == slot(f"https://t.example/o/{other}.gif")
    assert slot(f"https://{one}.t.example/x.gif") == slot(f"https://{other}.t.example/x.gif")
    assert slot(f"https://t.example/x.gif?u={one}&c=1") == slot(f"https://t.example/x.gif?c=2&u={other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://t.example/a/b.gif", "https://t.example/b.gif"),
        ("https://t.example/b.gif", "https://t.example/b.png"),
        ("https://t.example/b.gif", "https://cdn.example/b.gif"),
        ("https://t.example/b.gif?a=1", "https://t.example/b.gif?b=1"),
    ],
)
def test_other_kinds_of_address_have_other_slots(one: str, other: str) -> None:
    assert slot(one) != slot(other)


def test_size_and_kind_are_part_of_the_slot() -> None:
    assert slot(U, 'width="1" height="1"') != slot(U, 'width="600"')
    link, load = seen(f'<a href="{U}"><img src="{U}"></a>').places
    assert link.slot != load.slot


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://t.example/o/0f1e2d3c4b5a6978.gif", ("0f1e2d3c4b5a6978.gif",)),
        ("https://t.example/o/aB3-dE_f9Kz1.gif", ("aB3-dE_f9Kz1.gif",)),
        ("https://0f1e2d3c4b5a6978.t.example/o.gif", ("0f1e2d3c4b5a6978",)),
        ("https://t.example/o.gif?u=123456&c=7", ("u=123456",)),
        ("https://t.example/o.gif?to=anna%40people.example", ("to=anna%40people.example",)),
        ("https://t.example/anna@people.example/x", ("anna@people.example",)),
        ("https://t.example/" + "x" * 120, ("x" * 120,)),
        ("https://cdn.example/artikel/1234567.jpg", ()),
        ("https://cdn.example/zomer-2026/strand-en-bos-12345.jpg", ()),
        ("https://cdn.example/1200x600/hero_v2.jpg?v=1700000000&w=1200", ()),
        ("https://cdn.example/o.gif?id=1234", ()),
        ("cid:logo", ()),
    ],
)
def test_what_looks_made_for_one_person(address: str, found: tuple[str, ...]) -> None:
    assert keys(address) == found


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://cdn.example/0f1e2d3c4b5a6978/foto.jpg?e=1", "foto.jpg"),
        ("https://cdn.example/a/Rode-Schoen_9f8e7d6c5b4a.png", "Rode-Schoen_9f8e7d6c5b4a.png"),
        ("https://cdn.example/a/rode%20schoen.png", "rode schoen.png"),
        ("https://t.example/o/0f1e2d3c4b5a6978.gif", ""),
        ("https://t.example/o/cafe-beef-1234.gif", ""),
        ("https://t.example/o/12345.jpg", ""),
        ("https://t.example/open.php", ""),
        ("https://t.example/", ""),
    ],
)
def test_which_picture_an_address_names(address: str, name: str) -> None:
    assert picture(address) == name


def test_parameters_are_cut_as_they_are_written() -> None:
    address = "https://t.example/a?x=1&u=A%20b&y&u=2#deel"
    page, pairs = parameters(address)
    assert page == "https://t.example/a"
    assert pairs == (Parameter("x", "1"), Parameter("u", "A%20b"), Parameter("y", ""), Parameter("u", "2"))
    assert without(address, frozenset({Parameter("u", "A%20b")})) == "https://t.example/a?x=1&y&u=2#deel"
    assert without("https://t.example/a?u=1", frozenset({Parameter("u", "1")})) == "https://t.example/a"
    assert parameters("https://t.example/a#x?u=1") == ("https://t.example/a", ())


def test_a_plain_page_has_nothing_individual_in_its_path() -> None:
    assert plain_page("https://shop.example/cursus/rekenen")
    assert not plain_page("https://shop.example/r/0f1e2d3c4b5a6978")
    assert not plain_page("https://0f1e2d3c4b5a6978.shop.example/")


def test_addresses_and_digits_in_a_text_make_no_difference_but_words_do() -> None:
    one = "".join(f"<p>Alinea {n} https://t.example/{n} kost 1{n} euro</p>" for n in "abcdefghijklmno")
    other = one.replace("t.example/", "t.example/x").replace("kost 1", "kost 9")
    assert seen(one).content == seen(other).content
    assert seen(one).content != seen(one.replace("euro", "punten")).content
    assert 0 < len(seen(one).content) <= SKETCH


def test_numbers_of_orders_in_a_subject_make_no_difference_but_short_ones_do() -> None:
    def subject(text: str) -> frozenset[int]:
        return seen(f'<img src="{U}">', text).subject

    assert subject("Bestelling 1234567") == subject("bestelling 7654321")
    assert subject("Nieuws week 21") != subject("Nieuws week 22")


def test_a_mail_of_thousands_of_addresses_is_bounded() -> None:
    found = seen("".join(f'<img src="https://t.example/{n}.gif">' for n in range(3 * MOST_PLACES)))
    assert len(found.places) == MOST_PLACES


def test_what_lies_behind_the_longest_part_is_not_compared() -> None:
    found = seen(f'<img src="{U}"><p>' + "x " * (LONGEST_PART // 2) + '<img src="https://t.example/late.gif">')
    assert [p.address for p in found.places] == [U]


@given(st.text(alphabet=st.sampled_from("<>='\"/?&#;:. ahttpsimgrclur()@\n\x00-"), max_size=200))
@settings(deadline=None, max_examples=150)
def test_no_markup_raises(html: str) -> None:
    found = seen(html.replace("\x00", "") + f'<img src="{U}">')
    for place in found.places:
        keys(place.address)
        picture(place.address)
        parameters(place.address)


@given(st.lists(st.tuples(st.sampled_from("abuvw"), st.text(alphabet="x1%+.", max_size=4)), max_size=6), st.data())
@settings(deadline=None, max_examples=100)
def test_cutting_leaves_the_rest_as_it_was(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    address = f"https://t.example/a?{query}#f" if pairs else "https://t.example/a#f"
    written = [Parameter(*pair) for pair in pairs]
    gone = frozenset(data.draw(st.sets(st.sampled_from(written)))) if written else frozenset()
    left = [f"{p.name}={p.value}" for p in written if p not in gone]
    assert without(address, gone) == "https://t.example/a" + ("?" + "&".join(left) if left else "") + "#f"
