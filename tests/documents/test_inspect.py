"""Items in, kinds and places out, and never a value."""

from __future__ import annotations

from gateway.address import Address
from gateway.documents.inspect import inspect
from gateway.documents.kinds import mail_value
from gateway.documents.protocol import Bounds
from gateway.inspection import MOST, Inspection, Item, Kind, mark
from tests.documents.making import zipped

CSV = b"Naam;E-mail;Telefoon\nAnna;anna@people.example;06-12345678\nBert;bert@people.example;06-12345679\n"


def look(*contents: bytes, name: str = "lijst.csv", bounds: Bounds | None = None) -> Inspection:
    items = [Item(f"1.{n}", name, "text/csv", content) for n, content in enumerate(contents, 1)]
    return inspect(items, bounds or Bounds())


def test_s11_a_finding_says_kind_and_place() -> None:
    found = look(CSV)
    assert {(f.kind, f.where, f.listed) for f in found.findings} == {
        (Kind.EMAIL, "part 1.1, row 2, column B", True),
        (Kind.EMAIL, "part 1.1, row 3, column B", True),
        (Kind.PHONE, "part 1.1, row 2, column C", True),
        (Kind.PHONE, "part 1.1, row 3, column C", True),
    }
    assert {a.reveal(): places for a, places in found.addresses.items()} == {
        "anna@people.example": ("part 1.1, row 2, column B",),
        "bert@people.example": ("part 1.1, row 3, column B",),
    }


def test_i7_nothing_found_shows_a_value() -> None:
    found = look(CSV, b"Naam;BSN;Geboortedatum\nAnna;111222333;12-03-1985\n")
    shown = repr(found.findings) + repr(found.unread)
    for value in ("people", "anna", "1234", "111222333", "1985"):
        assert value not in shown.lower()


def test_equal_values_have_equal_marks_within_one_mail_and_others_in_the_next() -> None:
    found = look(CSV, CSV.replace(b"06-12345678", b"+31 6 12345678"))
    phones = [f.mark for f in found.findings if f.kind is Kind.PHONE]
    assert (len(phones), len(set(phones))) == (4, 2)
    assert not {f.mark for f in look(CSV).findings} & set(phones)


def test_who_holds_a_value_can_tell_it() -> None:
    found = look(CSV)
    value = mail_value(Address.parse("Anna@people.example"))
    assert mark(found.key, Kind.EMAIL, value) in {f.mark for f in found.findings}


def test_r050_what_cannot_be_read_is_said_with_what_was_found_before() -> None:
    found = look(CSV, b"\x00\x01\x02unknown" * 9, name="lijst.bin")
    assert [u.part for u in found.unread] == ["1.2"]
    small = look(CSV * 50, bounds=Bounds(texts=20))
    assert [u.part for u in small.unread] == ["1.1"]
    assert small.findings


def test_each_value_stands_once_and_in_its_list_where_it_is_in_one() -> None:
    text = b"Bel 06-12345678.\n" + b"x\n" * 9 + b"Anna 06-12345678\nBert 06-12345679\nCato 06-12345670\n"
    found = inspect([Item("1", "a.txt", "text/plain", text)], Bounds())
    assert [(f.where, f.listed) for f in found.findings] == [(f"part 1, line {n}", True) for n in (11, 12, 13)]


def numbered(count: int) -> bytes:
    return b"".join(b"n%d@people.example " % n + b"\n" * (n % 20 == 0) for n in range(count))


def test_s53_more_values_than_anybody_asks_for_are_said_and_not_counted() -> None:
    text = numbered(3 * MOST) + b"Cato 06-12345678\n"
    found = inspect([Item("1", "a.txt", "text/plain", text), Item("2", "b.csv", "text/csv", CSV)], Bounds())
    assert found.crowded == ["1"]
    assert len(found.findings) < 2 * MOST
    assert any(f.where.startswith("part 2") for f in found.findings), "the next part is looked at all the same"
    rows = b"Naam;E-mail\n" + b"".join(b"Anna;n%d@people.example\n" % n for n in range(2 * MOST))
    assert look(rows).crowded == ["1.1"]


def test_one_address_again_and_again_is_one_address() -> None:
    found = look((b"<p>" + b"a@people.example " * 60 + b"</p>\n") * (MOST // 20), name="a.html")
    assert (len(found.findings), len(found.addresses), found.crowded) == (1, 1, [])


def test_i1_a_second_address_in_a_cell_is_found_too() -> None:
    found = look(b"Naam;E-mail\nAnna;anna@people.example, ouders@people.example\n")
    assert sorted(a.reveal() for a in found.addresses) == ["anna@people.example", "ouders@people.example"]
    assert [f.listed for f in found.findings] == [True, True]


def worded(*items: Item) -> list[str]:
    return list(inspect(items, Bounds(), words=("medicatie*", "bijzondere noden")).worded)


def test_s25_parts_with_a_word_that_is_asked_for_are_named() -> None:
    plain = Item("1", "a.txt", "text/plain", b"bijzondere\r\nnoden")
    sheet = Item("2", "a.csv", "text/csv", b"Naam;Opmerking\nAnna;Medicatielijst volgt\n")
    packed = Item("3", "a.zip", "", zipped({"a.txt": "niets", "b/medicatie.txt": "x"}))
    named = Item("4", "medicatie.txt", "text/plain", b"x")
    assert worded(plain, sheet, packed, named) == ["1", "2", "3", "4"]
    assert worded(Item("1", "a.txt", "text/plain", b"demedicatie, noden")) == []
    assert inspect([plain], Bounds()).worded == []


def test_s25_a_word_behind_more_values_than_are_counted_is_found() -> None:
    text = numbered(3 * MOST) + b"medicatie\n"
    assert worded(Item("1", "a.txt", "text/plain", text)) == ["1"]
