"""Lists that an organisation brings: which column, and who."""

from __future__ import annotations

import io

import pytest

from gateway.registry.matching import address_column, open_list
from gateway.registry.rows import Dialect, ImportRefused
from tests.registry.conftest import KEYS, person


@pytest.mark.parametrize("name", ["E-mail", "email address", "E-mailadres", "MAIL", "Address"])
def test_the_column_is_found_by_its_usual_names(name):
    assert address_column(["Naam", name, "Plaats"], "") == name


@pytest.mark.parametrize(
    ("header", "column", "error"),
    [
        (["Naam", "Adres"], "", "no column that is called as addresses are"),
        (["E-mail", "Mail"], "", "several columns"),
        (["E-mail"], "contact", "no such column"),
        (["Naam", "naam"], "naam", "several columns"),
    ],
)
def test_a_column_is_never_guessed(header, column, error):
    with pytest.raises(ImportRefused, match=error):
        address_column(header, column)


def test_every_row_is_there_with_its_address_as_it_came():
    content = "Naam;Wie\nA; Anna@Example.NL \nB;nobody\nC\nD;dirk@example.nl\n".encode("latin-1")
    people = open_list(io.BytesIO(content), Dialect("latin-1"), "wie", KEYS)
    found = list(people)
    assert people.column == "Wie"
    assert [(e.number, e.address, e.person) for e in found] == [
        (2, " Anna@Example.NL ", person()),
        (3, "nobody", None),
        (4, "", None),
        (5, "dirk@example.nl", person("dirk")),
    ]
    assert [bool(e.problem) for e in found] == [False, True, True, False]
    assert "nobody" not in found[1].problem
