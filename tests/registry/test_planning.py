"""One row, several events, prepared once: the same as if each row were read by itself."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Scope, ScopeKind
from gateway.registry.events import check
from gateway.registry.importing import ImportRefused, Line, read
from gateway.registry.mapping import load_mapping
from gateway.registry.protocol import EventKind
from tests.registry.test_importing import TERMS, organisation

MAPPING = """\
dates: ["%d-%m-%Y"]
address: E-mail
events:
  - name: news
    when: {column: Nieuws, differs: [nee, ""]}
    kind: consent
    scope: {column: nieuws, values: {ja: list:nieuws}}
    at: {column: Sinds}
    channel: form
    wording: v1
    proof: {column: Bewijs}
  - name: stopped
    when: {column: Afgemeld}
    kind: opt-out
    scope: marketing
    at: {column: Afgemeld}
  - name: course
    when: [{column: Cursus}, {column: Status, equals: [lopend, Afgerond]}]
    kind: enrolment
    reference: {column: Cursus}
    active: {column: Status, values: {lopend: yes, afgerond: no}}
"""
HEADER = "Naam;E-mail;Nieuws;Sinds;Bewijs;Afgemeld;Cursus;Status\n"


def lines(*rows: str, mapping: str = MAPPING, header: str = HEADER) -> list[Line]:
    terms = replace(TERMS, mapping=load_mapping("map.yaml", mapping.encode(), organisation()))
    return list(read(io.BytesIO((header + "".join(f"{row}\n" for row in rows)).encode()), terms))


def test_a_row_gives_each_event_whose_conditions_hold():
    found = lines(
        "Anna;anna@example.nl;ja;01-02-2024;f1;;C1;lopend",
        "Bert;bert@example.nl;nee;;;;C1;wacht",
        ";c@example.nl;;;;;;",
    )
    assert [(line.number, line.event.kind) for line in found] == [(2, EventKind.CONSENT), (2, EventKind.ENROLMENT)]
    consent, enrolment = (line.event for line in found)
    assert (consent.scope, consent.evidence.proof) == (Scope(ScopeKind.LIST, 3), "f1")
    assert dict(enrolment.detail) == {"reference": "C1", "active": True}


def test_events_of_one_row_come_in_the_order_of_their_times():
    late, early = "ja;01-02-2024;f;01-01-2024", "ja;01-02-2023;f;01-01-2024"
    order = [[line.event.kind for line in lines(f"x;a@example.nl;{row};;")] for row in (late, early)]
    assert order == [[EventKind.OPT_OUT, EventKind.CONSENT], [EventKind.CONSENT, EventKind.OPT_OUT]]


def test_a_row_with_one_wrong_part_gives_only_its_blocks():
    stopped = lines("x;a@example.nl;ja;31-02-2024;f;01-01-2024;C1;lopend")
    assert [(line.event and line.event.kind, line.column) for line in stopped] == [
        (EventKind.OPT_OUT, ""),
        (None, "Sinds"),
    ]
    unread = lines("x;a@example.nl;ja;01-02-2024;f;someday;;")
    assert [(line.event, line.column) for line in unread] == [(None, "Afgemeld")]


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [
        ("x;nobody;ja;01-02-2024;f;;;", "E-mail", "expected name@domain"),
        ("x;a@example.nl;misschien;01-02-2024;f;;;", "Nieuws", "expected one of: ja"),
        ("x;a@example.nl;ja;2024-02-01;f;;;", "Sinds", "expected a date as %d-%m-%Y"),
        ("x;a@example.nl;ja;;f;;;", "Sinds", "consent needs its time"),
        ("x;a@example.nl;ja;01-02-2199;f;;;", "Sinds", "in the future"),
        ("x;a@example.nl;ja;01-02-1965;f;;;", "Sinds", "expected Unix seconds"),
        ("x;a@example.nl;ja;01-02-2024;from a@example.nl;;;", "Bewijs", "looks like an address"),
        ("x;a@example.nl;ja;01-02-2024;" + "f" * 501 + ";;;", "Bewijs", "longer than"),
        ("x;a@example.nl;ja;01-02-2024;f;;" + "é@b" * 1 + ";lopend", "Cursus", "looks like an address"),
    ],
)
def test_a_wrong_cell_is_named_by_the_files_own_column_and_never_repeated(row, column, what):
    wrong = [line for line in lines("y;ok@example.nl;ja;01-02-2024;f;;;", row) if line.event is None]
    assert [(line.number, line.column) for line in wrong] == [(3, column)]
    assert what in wrong[0].what
    assert "a@example.nl" not in wrong[0].error


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (HEADER.replace("Sinds", "Since"), "no column 'Sinds'"),
        (HEADER.replace("Naam", "Sinds"), "'Sinds' is named twice"),
    ],
)
def test_a_header_that_lacks_or_doubles_a_mapped_column_is_refused(header, error):
    with pytest.raises(ImportRefused, match=error):
        lines("x;a@example.nl;ja;01-02-2024;f;;;", header=header)


def test_a_column_that_is_not_mapped_may_be_doubled():
    assert lines(";;a@example.nl;ja;01-02-2024;f;;;", header="Naam;" + HEADER)[0].event


def test_nobody_attests_by_an_import():
    (wrong,) = lines("x;a@example.nl;ja;01-02-2024;f;;;", mapping=MAPPING.replace("channel: form", "channel: attested"))
    assert (wrong.column, "named operator" in wrong.what) == ("news.channel", True)


def test_a_detail_that_the_kind_does_not_have_is_an_error():
    (wrong,) = read(io.BytesIO(b"address,kind,scope,reference\na@example.nl,opt-out,marketing,R1\n"), TERMS)
    assert (wrong.column, wrong.what) == ("reference", "opt-out has none, expected an empty cell")


@pytest.mark.parametrize("kind", ["consent", "request", "purchase", "shared", "receipt"])
def test_what_would_be_as_new_as_the_import_needs_its_time(kind):
    columns = {
        "consent": "scope",
        "request": "topic",
        "purchase": "category",
        "shared": "purpose",
        "receipt": "receipt",
    }
    values = {"consent": "list:nieuws", "request": "yoga", "purchase": "boeken", "shared": "order", "receipt": "read"}
    more = {"shared": (",message,third_party", ",7,x"), "receipt": (",message", ",7")}.get(kind, ("", ""))
    content = f"address,kind,{columns[kind]}{more[0]}\na@example.nl,{kind},{values[kind]}{more[1]}\n"
    (wrong,) = read(io.BytesIO(content.encode()), TERMS)
    assert wrong.column in ("at", "third_party")  # the school of these tests has no third parties


_cell = st.sampled_from(["ja", "nee", "", "01-02-2024", "C1", "lopend", "a@example.nl", "b@example.nl", "0"]) | st.text(
    max_size=6
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(_cell, min_size=8, max_size=8), max_size=6))
def test_what_is_remembered_between_rows_changes_nothing_and_every_event_can_be_kept(rows):
    quoted = [";".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    alone = [line for row in quoted for line in lines(row)]
    together = lines(*quoted)
    assert [(line.event, line.column, line.what) for line in together] == [(a.event, a.column, a.what) for a in alone]
    for line in together:
        if line.event is not None:
            check(line.event)
