"""Lists of people without a table, and the texts of ordinary mail that are none."""

from __future__ import annotations

import pytest

from gateway.documents.lines import sights
from gateway.documents.protocol import Text
from gateway.inspection import Kind


def listed(text: str) -> set[Kind]:
    return {s.kind for s in sights(Text("", text, line=1)) if s.listed}


def test_s11_three_lines_with_numbers_are_a_list() -> None:
    text = "Deelnemers:\nAnna 06-12345678\nBert 06-12345679\n\nCato 06-12345670\n"
    assert listed(text) == {Kind.PHONE}
    places = [s.where for s in sights(Text("page 2", text, line=1))]
    assert places == ["page 2, line 2", "page 2, line 3", "page 2, line 5"]


def test_two_lines_are_none_and_one_number_thrice_is_none() -> None:
    assert listed("Anna 06-12345678\nBert 06-12345679\n") == set()
    assert listed("bel 06-12345678\nof app 06-12345678\nnogmaals 06-12345678\n") == set()


def test_s11_address_labels_are_a_list() -> None:
    text = "".join(f"Anna{n}\nDorpsstraat {n}\n{1234 + n} AB Plaats\n\n" for n in range(1, 4))
    assert listed(text) == {Kind.STREET, Kind.POSTCODE}


def test_s11_a_line_of_headings_makes_what_is_below_it_a_list() -> None:
    assert listed("Lijst\nNaam Telefoon E-mail\nAnna 06-12345678 anna@people.example\n") == {Kind.PHONE, Kind.EMAIL}
    assert listed("Anna 06-12345678 anna@people.example\nNaam Telefoon E-mail\n") == set()


def test_s11_below_headings_bare_numbers_and_days_are_what_the_headings_say() -> None:
    text = "Naam  Telefoon  Geboortedatum  BSN  Postcode\nAnna  0201234567  12-03-1985  111222333  1234 AB\n"
    assert listed(text) == {Kind.PHONE, Kind.BIRTH_DATE, Kind.BSN, Kind.POSTCODE}
    assert listed(text.partition("\n")[2]) == set()


def test_s11_cards_below_each_other_are_a_list() -> None:
    assert listed("".join(f"Naam: Anna\nTel: 06-1234567{n}\n\n" for n in range(3))) == {Kind.PHONE}


SIGNATURE = """Met vriendelijke groet,
Anna de Vries
T: 010-1234567
M: 06-12345678
F: 010-1234568
E: anna@people.example
Siergaarde 47
2285JD Rijswijk
"""
BRANCHES = "Kantoor Amsterdam 020-6223344\nKantoor Utrecht 030-1234567\nWinkel Den Haag 070-1234567\n"
FAR_APART = "\n".join(
    ["Vragen? 06-12345678"] + ["tekst"] * 9 + ["Docent 06-12345679"] + ["tekst"] * 9 + ["06-12345670"]
)
QUOTED = "> Van: a@people.example\n> Aan: b@people.example\n> Cc: c@people.example\n> Cc: d@people.example\n"


@pytest.mark.parametrize(
    "text", [SIGNATURE, BRANCHES, FAR_APART, QUOTED], ids=["signature", "branches", "far", "quoted"]
)
def test_ordinary_texts_are_no_list(text: str) -> None:
    assert listed(text) == set()
    assert list(sights(Text("", text, line=1))), "it is found all the same"


def test_addresses_behind_links_are_found_and_no_list() -> None:
    text = "\n".join(f"mailto:n{n}@people.example" for n in range(5))
    assert [s.listed for s in sights(Text("behind the text", text))] == [False] * 5


def test_r050_one_endless_line_of_values_ends() -> None:
    assert len(list(sights(Text("", "1234 AB 12, " * 30_000)))) <= 20_000
