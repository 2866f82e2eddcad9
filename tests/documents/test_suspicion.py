"""The look in passing never misses what the inspection finds, and lets ordinary mail through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.inspect import inspect
from gateway.documents.protocol import Bounds
from gateway.documents.suspicion import Known, suspicious
from gateway.inspection import Item, Kind

KNOWN = Known(frozenset({"school.example"}), frozenset({"701234567"}), frozenset({"1234AB"}))
NOBODY = Known(frozenset(), frozenset(), frozenset())

ORDINARY = """<style>p{color:#333333;margin:0 0 12px 0}</style><p style="color:#123456">Beste lezer, op 12-03-2026 van
09.00 tot 17.00 uur, € 125,00. <a href="https://school.example/c/123456789?utm=0612345678">Lees meer</a></p>
<p>School, Straatweg 1, 1234 AB Plaats, 070-1234567, info@school.example, KvK 84541423</p>"""


def test_ordinary_mail_passes() -> None:
    assert not suspicious(ORDINARY, 3, KNOWN, headed=True)
    assert not suspicious(ORDINARY, 50, KNOWN, headed=False)


@pytest.mark.parametrize(
    "text",
    [
        "06-12345678\n06-12345679\n06-12345670",
        "06-12345678, 06-12345679, 06-12345670",
        "06 12345678 06 12345679 06 12345670",
        "a@people.example b@people.example c@people.example",
        "Laan van 1 1234 AC\nLaan 2 1234 AD\n Laan 3 1234 AE",
        "Dorpsstraat 1, Kerklaan 2, Molenweg 3",
        "geb. 12-03-1985\ngeb. 13-03-1985\ngeb. 14-03-1985",
        "geb: 12-03-1985\ngeb: 13-03-1985\ngeb: 14-03-1985",
        "<table><tr><th>Naam<th>Telefoon<tr><td>Anna<td>0201234567</table>",
        "Naam Geboortedatum\nAnna 12-03-1985",
        "Naam;Geb.datum\nAnna;12-03-1985",
        "Naam Geb\nAnna 12-03-1985",
        "Uw BSN is 111222333",
        "a&#64;people.example b&#x40;people.example c&#64;people.example",
        "Naam, Telefoon: Anna &#48;6-12345678",
        "burgerservicenummer 1112.22.333",
    ],
)
def test_s11_what_could_be_a_list_is_inspected(text: str) -> None:
    assert suspicious(text, 3, NOBODY, headed=True)


def test_s53_many_are_needed_where_only_many_matter() -> None:
    many = "\n".join(f"n{n}@people.example" for n in range(50))
    assert suspicious(many, 50, NOBODY, headed=False)
    assert not suspicious(many.replace("n7@", "n7 "), 50, NOBODY, headed=False)


LINES = st.lists(
    st.sampled_from(
        [
            "Anna 06-12345678", "Bert +31 6 12345679", "Cato 010-1234567", "Naam Telefoon E-mail", "Naam Geboortedatum",
            "d@people.example", "e@people.example", "f@people.example", "Kerkstraat 1", "Lange Laan 2", "Molenweg 3",
            "Siergaarde 47, 2285JD Rijswijk", "1235 AB 3", "1236 AB 4", "geb. 12-03-1985", "geb. 13 maart 1985",
            "geb: 14-3-1985", "D.O.B. 15-3-1985",
            "BSN 111222333", "tekst", "", "02-04-1960",
        ]
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_s11_nothing_that_is_judged_gets_past_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = inspect([Item("1", "", "text/plain", text.encode())], Bounds()).findings
    if any(f.listed or f.kind is Kind.BSN for f in found):
        assert suspicious(text, 3, NOBODY, headed=True)
