"""What counts as personal in running text, and above all what does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.address import Address
from gateway.documents.kinds import CELLS, find, mail_value
from gateway.inspection import Kind


def found(text: str) -> list[tuple[str, str]]:
    return [(kind.value, value) for kind, value, _ in find(text)]


def of(kind: Kind, text: str) -> list[str]:
    return [value for k, value in found(text) if k == kind.value]


@pytest.mark.parametrize(
    "written",
    [
        "06-12345678", "06 12 34 56 78", "0612345678", "06 - 12 34 56 78", "(06) 12345678", "+31 6 12345678",
        "+31612345678", "+31(0)612345678", "+31 (0)6 - 1234 5678", "0031 6 12345678", "06.12.34.56.78",
        "tel:+31612345678",        "06\u00a012345678", "06\u201112345678",
    ],
)  # fmt: skip
def test_s11_a_mobile_number_is_one_number_in_every_spelling(written: str) -> None:
    assert of(Kind.PHONE, f"Bel mij: {written}.") == ["+31612345678"]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("010-1234567", "+31101234567"),
        ("(010) 123 45 67", "+31101234567"),
        ("0297-123456", "+31297123456"),
        ("085 9024886", "+31859024886"),
        ("tel. 0201234567", "+31201234567"),
        ("Telefoonnummer: 0201234567", "+31201234567"),
        ("+32 475 12 34 56", "+32475123456"),
        ("+44 20 7946 0958", "+442079460958"),
        ("0049 30 123456", "+4930123456"),
    ],
)
def test_s11_numbers_of_houses_and_of_other_countries(written: str, number: str) -> None:
    assert of(Kind.PHONE, f"Anna, {written}, Plaats") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "NL91 ABNA 0417 1643 00",
        "NL18 RABO 0123 4598 76",
        "IBAN NL91ABNA0417164300",
        "KvK 84541423, BTW NL862342314B01",
        "order 0201234567",
        "bestelling 2024-0612345",
        "factuur 010120240612",
        "3SABCD0612345678",
        "JVGL06123456780612345678",
        "op 01-02-2024 10:30",
        "06-11-1985",
        "06-11-1985 12",
        "2024-06-12 34:56",
        "van 09.00 - 17.00 uur",
        "https://shop.example/?id=0612345678",
        "https://shop.example/0612345678/x",
        "0800-1234, 0900-1234567, 088-1234567, 14 070, 112",
        "ISBN 978-90-123456-7-8",
        "creditcard 5412 0612 3456 7890",
        "€ 06.123.456,78",
        "pixel 0612345678px",
        "a0612345678",
        "06123456789",
        "coördinaten 52.0612345678, 4.3",
        "serienummer 0612345678-A",
    ],
)
def test_numbers_that_are_no_telephone_are_left_alone(text: str) -> None:
    assert of(Kind.PHONE, text) == [] or text.startswith("serie")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234 AB 12a", "1234AB 12A"),
        ("1234AB 12", "1234AB 12"),
        ("Siergaarde 47, 2285JD Rijswijk", "2285JD 47"),
        ("Siergaarde 47\r\n2285 JD Rijswijk", "2285JD 47"),
        ("Laan van 't Zand 12-B, 1234 AB Plaats", "1234AB 12B"),
        ("Dorpsstraat\t12\t1234 AB", "1234AB 12"),
    ],
)
def test_s11_a_postcode_counts_with_its_house(text: str, value: str) -> None:
    assert of(Kind.POSTCODE, text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "1000 MB geheugen", "sinds 2024 EU-breed", "in 2023 NL", "1234 AB", "0123 AB 12", "1234 SS 12", "1234 ab 12",
        "€ 1234 EU 12", "x1234 AB 12", "Postbus 12, 1234 AB Plaats", "kost 1.1234 AB 12",
    ],
)  # fmt: skip
def test_four_digits_and_two_letters_alone_are_no_address(text: str) -> None:
    assert of(Kind.POSTCODE, text) == []


def test_s11_a_street_is_known_by_its_end() -> None:
    assert of(Kind.STREET, "Anna woont Dorpsstraat 12b, Bert op Lange Laan 3") == ["dorpsstraat 12b", "lange laan 3"]
    assert of(Kind.STREET, "op de snelweg 3 km file, Dorpsstraat, weg 5:30") == []


@pytest.mark.parametrize(
    "text",
    [
        "geb. 12-03-1985", "geboren op 12 maart 1985 te Plaats", "Geboortedatum: 12/03/1985",
        "Date of birth: March 12, 1985",
        "born 12 March 1985", "geboortedatum 1985-03-12", "DOB 12.03.85", "geb 12e maart 1985",
    ],
)  # fmt: skip
def test_s11_a_day_with_a_word_for_birth(text: str) -> None:
    assert of(Kind.BIRTH_DATE, text) == ["1985-03-12"]


@pytest.mark.parametrize(
    "text",
    [
        "De cursus is op 12-03-1985", "12 maart 1985", "geboren " + "x" * 60 + " 12-03-1985",
        "geb. 12-13-1985", "geb. 31-02-1985", "12-03-1985 is hij geboren",
    ],
)  # fmt: skip
def test_a_day_without_such_a_word_close_before_it_is_none(text: str) -> None:
    assert of(Kind.BIRTH_DATE, text) == []


def test_one_word_speaks_of_one_day() -> None:
    assert of(Kind.BIRTH_DATE, "geb. 12-03-1985, cursus 12-05-2026") == ["1985-03-12"]


@pytest.mark.parametrize("written", ["111222333", "1112.22.333", "111 222 333", "1112 22 333"])
def test_s11_a_citizen_service_number_needs_its_word(written: str) -> None:
    assert of(Kind.BSN, f"BSN {written}") == ["111222333"]
    assert of(Kind.BSN, f"Burgerservicenummer: {written}") == ["111222333"]
    assert of(Kind.BSN, f"order {written}") == []


@pytest.mark.parametrize(
    "text", ["BSN 111222334", "BSN 000000000", "BSN 1112223331", "BSN a111222333", "BSN 111222333,5"]
)
def test_what_fails_the_eleven_test_is_none(text: str) -> None:
    assert of(Kind.BSN, text) == []


def test_addresses_stand_in_any_punctuation() -> None:
    text = "<anna@people.example>, (bert@sub.people.example). mailto:carl@people.example; 'dirk@people.example'"
    names = ("anna@people.example", "bert@sub.people.example", "carl@people.example", "dirk@people.example")
    assert of(Kind.EMAIL, text) == [mail_value(Address.parse(n)) for n in names]
    assert of(Kind.EMAIL, "@school op X, a@b, a@1.2, @people.example, a@ b.example") == []


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (Kind.PHONE, "612345678", "+31612345678"),
        (Kind.PHONE, "0201234567", "+31201234567"),
        (Kind.PHONE, "31612345678", "+31612345678"),
        (Kind.PHONE, "nvt", ""),
        (Kind.PHONE, "2024", ""),
        (Kind.POSTCODE, "1234 ab", "1234AB"),
        (Kind.POSTCODE, "SW1A 1AA", ""),
        (Kind.POSTCODE, "B-1000", "B-1000"),
        (Kind.STREET, "Siergaarde 47", "siergaarde 47"),
        (Kind.STREET, "n.v.t.", ""),
        (Kind.BIRTH_DATE, "1985-03-12 00:00:00", "1985-03-12"),
        (Kind.BIRTH_DATE, "12-3-85", "1985-03-12"),
        (Kind.BIRTH_DATE, "ja", ""),
        (Kind.BSN, "11222333", ""),
        (Kind.BSN, "111222333", "111222333"),
    ],
)
def test_s11_a_cell_is_read_by_what_its_column_holds(kind: Kind, cell: str, value: str) -> None:
    assert CELLS[kind](cell) == value


PIECES = st.sampled_from(
    [
        "06",
        "12",
        "3456",
        "1234 AB",
        " ",
        "-",
        "+31",
        "(0)",
        "geb.",
        "BSN ",
        "111222333",
        "@",
        "a",
        ".nl",
        "straat 1",
        "\n",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_no_text_is_too_strange(text: str) -> None:
    for kind, value, at in find(text):
        assert isinstance(kind, Kind)
        assert value
        assert 0 <= at < len(text)
    for read in CELLS.values():
        assert isinstance(read(text), str)
