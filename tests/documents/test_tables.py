"""Which rows make a list of people: by headings, or by what repeats down a column."""

from __future__ import annotations

import pytest

from gateway.documents.heads import head_line, heads
from gateway.documents.inspect import inspect
from gateway.documents.protocol import Bounds, row
from gateway.documents.tables import Sight, Table
from gateway.inspection import MOST, Item, Kind


def sights(*rows: list[str]) -> list[Sight]:
    table, found = Table(), list[Sight]()
    for number, cells in enumerate(rows, 1):
        found += table.take(row(f"row {number}", cells))
    return [*found, *table.end()]


def listed(*rows: list[str]) -> set[Kind]:
    return {s.kind for s in sights(*rows) if s.listed}


NAMES = ["Anna de Vries", "Bert Bakker", "Cato van Dam"]


def test_s11_first_and_last_names_are_no_finding() -> None:
    assert sights(["Voornaam", "Achternaam"], *([n.split()[0], n.split()[-1]] for n in NAMES)) == []
    assert sights(["Nr", "Naam", "Groep"], *([str(i), n, "3"] for i, n in enumerate(NAMES))) == []


@pytest.mark.parametrize(
    ("heading", "cell", "kind"),
    [
        ("E-mail", "anna@people.example", Kind.EMAIL),
        ("Mailadres", "anna@people.example", Kind.EMAIL),
        ("Telefoon", "06-12345678", Kind.PHONE),
        ("Mobiel nummer", "612345678", Kind.PHONE),
        ("Tel.", "0201234567", Kind.PHONE),
        ("Postcode", "1234ab", Kind.POSTCODE),
        ("Adres", "Siergaarde 47", Kind.STREET),
        ("Straat en huisnummer", "Siergaarde 47", Kind.STREET),
        ("Geboortedatum", "12-03-1985", Kind.BIRTH_DATE),
        ("Geb. datum", "1985-03-12", Kind.BIRTH_DATE),
        ("BSN", "111222333", Kind.BSN),
        ("Phone", "+32 475 12 34 56", Kind.PHONE),
        ("Date of birth", "1985-03-12", Kind.BIRTH_DATE),
    ],
)
def test_s11_a_heading_makes_its_column_count_from_the_first_value_on(heading: str, cell: str, kind: Kind) -> None:
    (seen,) = [s for s in sights(["Naam", heading], ["Anna de Vries", cell]) if s.listed]
    assert (seen.kind, seen.where) == (kind, "row 2, column B")


def test_a_heading_after_a_title_row_counts_too() -> None:
    assert listed(["Deelnemers maart", ""], ["Naam", "Telefoon"], ["Anna", "06-12345678"]) == {Kind.PHONE}


def test_venues_and_shops_are_no_people() -> None:
    rows = [[f"De Hoeve {n}", f"Kerkstraat {n}", f"010-123456{n}"] for n in range(5)]
    assert listed(["Locatie", "Adres", "Telefoon"], *rows) == set()
    assert listed(["Locatie", "Contactpersoon", "Telefoon"], *rows) >= {Kind.PHONE}


def test_labels_beside_values_are_no_list() -> None:
    rows = [["Locatie", "De Hoeve"], ["Adres", "Dorpsstraat 1, 1234 AB Plaats"], ["Telefoon", "010-1234567"]]
    assert listed(*rows, ["Mobiel", "06-12345678"], ["E-mail", "hoeve@people.example"]) == set()


def test_s11_without_headings_two_people_with_numbers_are_a_list() -> None:
    assert listed([NAMES[0], "06-12345678"], [NAMES[1], "06-12345679"]) == {Kind.PHONE}
    assert listed([NAMES[0], "06-12345678"], [NAMES[1], ""]) == set()
    assert listed([NAMES[0], "06-12345678"], [NAMES[1], "06-12345678"]) == set(), "one number twice is one person's"


def test_rows_of_firms_do_not_repeat() -> None:
    assert (
        listed(["Kantoor Amsterdam", "020-6223344"], ["Kantoor Utrecht", "030-1234567"], ["Winkel", "010-1234567"])
        == set()
    )


def test_s11_nine_digits_down_a_column_are_service_numbers_only_when_nearly_all_pass() -> None:
    good = ["111222333", "123456782", "100000009", "999999990"]
    assert listed(*([name, number] for name, number in zip(NAMES, good, strict=False))) >= {Kind.BSN}
    orders = [[f"order {n}", str(111222333 + n)] for n in range(40)]
    assert listed(*orders) == set()
    assert Kind.BSN not in listed(["Naam", "Ordernummer"], *([n, g] for n, g in zip(NAMES, good, strict=False)))


def test_s11_days_long_ago_beside_names_are_birthdays() -> None:
    rows = [[n, d] for n, d in zip(NAMES, ["12-03-1985", "01-05-1999", "02-04-1960"], strict=True)]
    assert listed(*rows) == {Kind.BIRTH_DATE}
    assert listed(*([n, f"0{i}-05-2026"] for i, n in enumerate(NAMES, 1))) == set()
    assert listed(["Naam", "Lid sinds"], *rows) == set()


def test_laid_out_text_is_no_column_of_numbers() -> None:
    text = "Wij vertellen veel over de cursus en over alles wat daarbij komt. " * 5
    assert listed(*([f"{text} Bel 06-1234567{n}."] for n in range(4))) == set()
    close = ", ".join(f"Anna{n} de Vries 06-1234567{n}" for n in range(8))
    assert listed([close]) == {Kind.PHONE}


def test_another_table_begins_at_other_headings() -> None:
    found = sights(["Naam", "Telefoon"], ["Anna", "06-12345678"], ["Product", "Aantal"], ["Boek", "06-12345679"])
    assert [s.listed for s in found if s.kind is Kind.PHONE] == [True, True], (
        "no heading of ours: the first one's columns"
    )
    found = sights(["Naam", "Telefoon"], ["Anna", "06-12345678"], ["Locatie", "Telefoon"], ["Zaal", "010-1234567"])
    assert [s.listed for s in found if s.kind is Kind.PHONE] == [True, False]


@pytest.mark.parametrize("line", ["Naam Telefoon E-mail", "Nr.  Deelnemer  Geboortedatum", "Name;Phone;City"])
def test_a_line_of_headings_is_known(line: str) -> None:
    assert head_line(line)


@pytest.mark.parametrize(
    "line",
    ["Naam en telefoonnummer van de docent:", "Telefoon 010-1234567", "Naam", "E-mail Telefoon", "Wie belt er?", ""],
)
def test_a_sentence_is_no_line_of_headings(line: str) -> None:
    assert not head_line(line)


def test_a_row_of_data_is_no_row_of_headings() -> None:
    assert heads(["Telefoon", "010-1234567"]) is None
    assert heads(["anna@people.example", "E-mail"]) is None
    assert heads(["Telefoon", "De Hoeve"]) is None
    assert heads(["Naam", "Lid sinds"]) is None
    assert heads(["Naam", "Lid sinds"], first=True) is not None


def test_r050_a_table_without_end_keeps_a_bounded_number_of_values() -> None:
    rows = "\n".join(f"Naam Achternaam,n{n}@people.example" for n in range(30_000))
    found = inspect([Item("1", "a.csv", "text/csv", rows.encode())], Bounds())
    assert 1_000 < len(found.findings) <= 20_001


def test_r050_a_column_of_bare_numbers_without_end_is_judged_by_its_first_cells() -> None:
    table = Table()
    for number in range(MOST + 50):
        list(table.take(row(f"row {number}", ["Anna", "111222333", "12-03-1985"])))
    assert [len(cells) for cells in (*table.nines.values(), *table.days.values())] == [MOST, MOST]
