"""HTML and XML as text: nothing that can be read is lost, nothing is expanded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.documents.reading import read


def test_a_table_of_a_page_has_rows_and_columns() -> None:
    page = "<html><body><p>Lijst<table><tr><th>Naam<th>Mail<tr><td>Jan<td>jan<b>@</b>example.org</table>na"
    found = read(page.encode(), "x.html", "text/html")
    assert found.place_of("jan@example.org") == "table row 2, column B"
    assert "Lijst" in found.at("")
    assert "na" in found.at("")


@pytest.mark.parametrize(
    "page",
    [
        "<html><!-- jan@example.org -->",
        "<html><a href='mailto:jan%40example.org?subject=x'>Jan</a>",
        "<html><script>var m='jan@example.org'</script>",
        "<html>jan&#64;example&period;org",
        "<html><p hidden>jan@<!-- x --><span>example.org</span>",
        "<html>3 < 4 jan@example.org > 2",
        "<html><img alt='jan@example.org' src=x>",
        "<html><input value='jan@example.org'>",
        "<html><p title='a>b'>jan@example.org",
        "<html><table><tr><td>x</td></tr></table>jan@example.org",
        "<html><table>jan@example.org<tr><td>x</table>",
    ],
)
def test_what_is_not_shown_is_read_too(page: str) -> None:
    found = read(page.encode(), "x.html")
    assert "jan@example.org" in found.all or ("jan@" in found.all and "example.org" in found.all)


def test_the_charset_of_a_page_is_the_one_it_declares() -> None:
    page = '<html><meta charset="iso-8859-2"><p>Łukasz</p>'
    assert "Łukasz" in read(page.encode("iso-8859-2")).all


def test_entities_are_shown_as_declared_and_never_expanded() -> None:
    bomb = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a0 'jan@example.org'>"
    bomb += "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)) + "]><a>&a9;</a>"
    found = read(bomb.encode(), "x.xml")
    assert "jan@example.org" in found.all
    assert len(found.all) < 2 * len(bomb)


def test_each_element_of_xml_is_a_line_and_names_of_people_in_attributes_count() -> None:
    found = read(b"<?xml version='1.0'?><a><b>een</b><c author='Els' id='9'>t&#119;ee</c><![CDATA[x@example.org]]></a>")
    assert "een\n" in found.all
    assert "twee" in found.all
    assert "x@example.org" in found.all
    assert "Els" in found.at("behind the text")


@pytest.mark.parametrize("piece", ["<a ", "<a>", "<tr><td>", "<!--", "<w:del>", "&amp;", "<![CDATA[", "<a b='"])
def test_deep_and_unclosed_markup_is_read_in_one_pass(piece: str) -> None:
    found = read(b"<?xml version='1.0'?>" + piece.encode() * 100_000 + b"jan@example.org", "x.xml")
    assert "jan@example.org" in found.all


@given(st.lists(st.sampled_from(["<", ">", "<tr>", "</tr>", "<td>", "<!--", "-->", "a", "&#6", "'", "\x1d", "\x1e"])))
@settings(deadline=None, max_examples=200)
def test_any_markup_can_be_read(parts: list[str]) -> None:
    assert read(b"<html>" + "".join(parts).encode(), "x.html").why == ""
