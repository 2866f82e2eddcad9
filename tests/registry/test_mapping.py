"""The mapping file: strict, with every mistake at its line."""

from __future__ import annotations

import pytest

from gateway.registry.mapping import MappingRefused, load_mapping, own_columns
from gateway.registry.rows import Dialect
from tests.registry.test_importing import organisation

GOOD = """\
encoding: windows-1252
delimiter: ";"
dates: ["%d-%m-%Y"]
address: E-mail
events:
  - name: news
    when: {column: Nieuws, equals: [ja, true, 1]}
    kind: consent
    scope: {column: Lijst, values: {Nieuws: list:nieuws, 1: list:nieuws}}
    at: {column: Sinds}
    wording: 3
"""


def load(text: str):
    return load_mapping("map.yaml", text.encode(), organisation())


def test_a_mapping_says_how_the_file_is_written_and_what_it_holds():
    mapping = load(GOOD)
    assert mapping.dialect == Dialect("windows-1252", ";")
    (event,) = mapping.events
    parts = event.parts()
    assert set(parts) == {"kind", "scope", "at", "wording"}
    assert (parts["wording"].constant, parts["wording"].empty) == (True, "3")
    assert (parts["scope"].column, parts["scope"].values["1"]) == ("Lijst", "list:nieuws")
    assert event.when[0].equals == ("ja", "yes", "1")


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ("kind: consent", "knd: consent", "map.yaml:8: events.news.knd: unknown key 'knd', expected perhaps 'kind'"),
        ("kind: consent", "kind: lifted", "map.yaml:8: events.news.kind: expected one of consent"),
        ("kind: consent", "kind: rectified", "map.yaml:8: events.news.kind: expected one of consent"),
        ("Nieuws: list:nieuws", "Nieuws: list:nws", "map.yaml:9: events.news.scope.values.Nieuws: no such list"),
        ("column: Lijst", "colum: Lijst", "map.yaml:9: events.news.scope.colum: unknown key"),
        ("%d-%m-%Y", "%d-%m-%y", "map.yaml:3: dates.0: is '%d-%m-%y', expected iso, unix, or a pattern"),
        ('["%d-%m-%Y"]', "[]", "map.yaml:3: dates: is empty, expected at least one"),
        ("windows-1252", "ebcdic", "map.yaml:1: encoding: is 'ebcdic', expected 'utf-8'"),
        ('";"', '";;"', "map.yaml:2: delimiter: is ';;', expected ','"),
        ("address: E-mail", 'address: ""', "map.yaml:4: address: is empty"),
        ("wording: 3", "proof: form of anna@example.nl", "map.yaml:11: events.news.proof: looks like an address"),
        ("at: {column: Sinds}", "at: tomorrow", "map.yaml:10: events.news.at: expected a date"),
        ("when: {column: Nieuws, equals: [ja, true, 1]}", "when: Nieuws", "map.yaml:7: events.news.when"),
    ],
)
def test_every_mistake_is_named_by_line_key_and_what_is_expected(before, after, error):
    assert before in GOOD
    with pytest.raises(MappingRefused) as refused:
        load(GOOD.replace(before, after))
    assert any(line.startswith(error) for line in refused.value.errors), refused.value.errors


@pytest.mark.parametrize(
    "text", ["", "[", "- a", "address: x\n", "address: x\nevents: 3\n", "address: x\nevents: []\n"]
)
def test_what_is_no_mapping_is_refused(text):
    with pytest.raises(MappingRefused) as refused:
        load(text)
    assert all(line.startswith("map.yaml:") for line in refused.value.errors)
    assert refused.value.errors


def test_our_own_columns_are_a_mapping_too():
    mapping = own_columns(["Address", "Kind", "AT"])
    assert mapping.address == "Address"
    assert {name: part.column for name, part in mapping.events[0].parts().items()} == {"kind": "Kind", "at": "AT"}
