"""Strict reading of the marks."""

from __future__ import annotations

import pytest

from gateway.policy import marks
from gateway.policy.marks import BadMark

IDS = {"nieuws": 11, "agenda": 12}


def test_an_absent_mark_reads_as_nothing() -> None:
    assert marks.one({}, marks.LIST) == ""
    assert marks.yes_no({}, marks.READY) is None
    assert marks.offer({}, IDS) == ("", 0)
    assert marks.numbered({}, marks.LIST, IDS) == 0


@pytest.mark.parametrize("values", [("a", "a"), ("a", "b"), ("", "a")])
def test_a_mark_given_twice_is_refused_even_with_equal_values(values: tuple[str, ...]) -> None:
    with pytest.raises(BadMark, match="Briefgeheim-List twice"):
        marks.one({marks.LIST: values}, marks.LIST)


def test_an_empty_mark_is_refused() -> None:
    with pytest.raises(BadMark, match="empty"):
        marks.one({marks.LIST: ("  ",)}, marks.LIST)


@pytest.mark.parametrize(("value", "number"), [("nieuws", 11), (" Nieuws ", 11), ("12", 12)])
def test_a_list_is_named_by_name_or_number(value: str, number: int) -> None:
    assert marks.numbered({marks.LIST: (value,)}, marks.LIST, IDS) == number


@pytest.mark.parametrize("value", ["13", "nieuw", "11,12", "-11", "1_1", "٣", "99999999999999999999"])
def test_an_unknown_list_names_the_mark_and_what_was_expected_and_not_the_value(value: str) -> None:
    with pytest.raises(BadMark) as error:
        marks.numbered({marks.LIST: (value,)}, marks.LIST, IDS)
    assert str(error.value) == "Briefgeheim-List: expected nieuws, agenda"


def test_a_retired_list_is_not_offered_and_not_taken() -> None:
    with pytest.raises(BadMark, match=r"expected agenda$"):
        marks.numbered({marks.LIST: ("nieuws",)}, marks.LIST, IDS, frozenset({11}))


@pytest.mark.parametrize("value", ["similar nieuws", "Similar; category=nieuws", "similar ;category = 11"])
def test_an_offer_has_a_kind_and_a_category(value: str) -> None:
    assert marks.offer({marks.OFFER: (value,)}, IDS) == ("similar", 11)


@pytest.mark.parametrize("value", ["similar", "nieuws", "other nieuws", "similar nieuws agenda", "similarnieuws"])
def test_an_offer_that_does_not_say_both_is_refused(value: str) -> None:
    with pytest.raises(BadMark, match="similar or related"):
        marks.offer({marks.OFFER: (value,)}, IDS)


@pytest.mark.parametrize("value", ["jan@example.org", "a b", "x" * 129, "a\x00b", "a\u200eb"])
def test_an_id_cannot_carry_an_address_or_more_than_an_id(value: str) -> None:
    with pytest.raises(BadMark):
        marks.opaque_id({marks.REFERENCE: (value,)}, marks.REFERENCE)


def test_an_id_keeps_its_spelling() -> None:
    assert marks.opaque_id({marks.REFERENCE: (" B-2026/17 ",)}, marks.REFERENCE) == "B-2026/17"


@pytest.mark.parametrize("value", ["ja", "1", "true", "yes no"])
def test_yes_and_no_are_the_only_answers(value: str) -> None:
    with pytest.raises(BadMark, match="expected yes, no"):
        marks.yes_no({marks.READY: (value,)}, marks.READY)


def test_a_misspelt_mark_is_found() -> None:
    assert marks.unknown({"briefgeheim-ofer": ("x",), "subject": ("x",)}) == "Briefgeheim-Ofer"
    assert marks.unknown(dict.fromkeys(marks.KNOWN, ("x",))) == ""


def test_a_mark_name_that_holds_an_address_is_not_repeated() -> None:
    assert "@" not in marks.unknown({"briefgeheim-jan@example.org": ("x",)})


@pytest.mark.parametrize(
    ("value", "found"),
    [("<nieuws.example.org>", "nieuws.example.org"), ("Ons <nieuws> <A.b>", "a.b"), ("a.b", "a.b")],
)
def test_a_list_id_is_what_stands_in_the_last_brackets(value: str, found: str) -> None:
    assert marks.list_id({"list-id": (value,)}) == found
    assert marks.list_id({"list-id": (value, value)}) == ""
