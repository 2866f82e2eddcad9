"""CSV in: every wrong line is named, every good one becomes an event without its address."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.organisation import Organisation
from gateway.facts import Scope, ScopeKind
from gateway.registry.importing import COLUMNS, ImportRefused, Line, Terms, read
from gateway.registry.protocol import EventKind
from tests.registry.conftest import KEYS, LIST, person

NOW = 1_790_000_000


def organisation() -> Organisation:
    return Organisation.model_validate(
        {
            "id": 7,
            "name": "school",
            "controller": {
                "name": "School",
                "postal_address": "Straat 1",
                "contact": "info@example.nl",
                "policy_url": "https://example.nl/privacy",
                "policy_date": "2018-05-25",
            },
            "opt_out_url": "https://afmelden.example.nl",
            "postmaster": "postmaster@example.nl",
            "domains": [{"domain": "example.nl"}],
            "sources": [{"id": 1, "name": "crm"}],
            "lists": [{"id": 3, "name": "nieuws", "title": "Nieuws"}],
            "topics": [{"id": 5, "name": "yoga", "title": "Yoga"}],
            "categories": [{"id": 6, "name": "boeken", "title": "Boeken"}],
            "clients": [],
            "providers": [],
            "routes": [],
            "streams": {},
            "classify": [],
        }
    )


TERMS = Terms(organisation(), KEYS, "old", NOW)


def lines(content: str | bytes) -> list[Line]:
    return list(read(io.BytesIO(content.encode() if isinstance(content, str) else content), TERMS))


def only(content: str | bytes) -> Line:
    (line,) = lines(content)
    return line


def test_a_consent_comes_in_with_all_its_evidence():
    line = only(
        "address,kind,scope,at,actor,channel,wording,proof\n"
        "Anna@example.nl,consent,list:nieuws,2024-01-31,operator Jan,form,v1,form 7\n"
    )
    assert line.error == ""
    found = line.event
    assert (found.kind, found.person, found.scope) == (EventKind.CONSENT, person(), LIST)
    assert (found.evidence.actor, found.evidence.channel, found.evidence.wording, found.evidence.proof) == (
        "import:old",
        "form",
        "v1",
        "form 7",
    )
    assert found.detail == {"by": "operator Jan"}
    assert found.at == 1_706_655_600  # midnight in Amsterdam


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_forms_spreadsheets_write_are_all_read(delimiter, bom, end):
    rows = [["address", "Kind", "scope"], ["anna@example.nl", "opt-out", "marketing"], ["", "", ""]]
    content = bom + end.join(delimiter.join(row) for row in rows).encode()
    assert only(content).event.scope == Scope(ScopeKind.MARKETING)


def test_facts_come_in_with_names_from_the_settings():
    found = [
        line.event
        for line in lines(
            "address,kind,reference,category,declined,end,topic,minor,language,at,channel,wording,proof\n"
            "a@example.nl,enrolment,T1,,,,,,,,,,\n"
            "a@example.nl,fact-purchase,,boeken,ja,,,,,2025-01-01T10:00+01:00,,,\n"
            "a@example.nl,subscription,,6,,2027-01-01,,,,,,,\n"
            "a@example.nl,request,,,,,yoga,,,1700000000,form,v1,form 3\n"
            "a@example.nl,minor,,,,,,yes,,,,,\n"
            "a@example.nl,language,,,,,,,NL,,,,\n"
        )
    ]
    assert [(e.kind.value, dict(e.detail)) for e in found] == [
        ("fact-enrolment", {"reference": "T1"}),
        ("fact-purchase", {"category": 6, "declined": True}),
        ("fact-subscription", {"category": 6, "end": 1_798_758_000}),
        ("fact-request", {}),
        ("fact-minor", {"minor": True}),
        ("fact-language", {"language": "nl"}),
    ]
    assert found[3].scope == Scope(ScopeKind.TOPIC, 5)
    assert found[1].at == 1_735_722_000


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("no-address,opt-out,marketing,", "address"),
        (",opt-out,marketing,", "address"),
        ("a@example.nl,lifted,marketing,", "kind"),
        ("a@example.nl,restriction-lifted,,", "kind"),
        ("a@example.nl,nonsense,,", "kind"),
        ("a@example.nl,opt-out,list:other,", "expected one of: nieuws"),
        ("a@example.nl,opt-out,,", "scope"),
        ("a@example.nl,opt-out,planet:mars,", "expected everything"),
        ("a@example.nl,consent,list:nieuws,", "needs its time"),
        ("a@example.nl,consent,list:nieuws,31-01-2024", "expected a date"),
        ("a@example.nl,consent,list:nieuws,2199-01-01", "future"),
        ("a@example.nl,enrolment,,2024-01-01", "reference"),
        ("a@example.nl,opt-out,marketing", "3 columns, expected 4"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_reason_and_the_others_go_on(row, error):
    before, wrong, after = lines(
        f"address,kind,scope,at\nb@example.nl,opt-out,marketing,\n{row}\nc@example.nl,opt-out,marketing,\n"
    )
    assert before.event
    assert after.event
    assert wrong.number == 3
    assert wrong.event is None
    assert error in wrong.error
    assert "a@example.nl" not in wrong.error


def test_an_address_in_another_column_is_refused():
    line = only("address,kind,scope,proof\na@example.nl,opt-out,marketing,mail from a@example.nl\n")
    assert line.error.startswith("proof: looks like an address")


def test_latin_1_is_named_per_line_and_never_guessed():
    rows = "address,kind,scope,proof\na@example.nl,opt-out,marketing,ok\nb@example.nl,opt-out,marketing,priv\xe9\n"
    good, wrong = lines(rows.encode("latin-1"))
    assert good.event
    assert wrong.number == 3
    assert "UTF-8" in wrong.error


def test_quoted_cells_may_hold_delimiters_and_line_ends():
    first, second = lines(
        'address,kind,scope,proof\na@example.nl,opt-out,marketing,"said: no,\nno"\nb@example.nl,nonsense,,\n'
    )
    assert first.event.evidence.proof == "said: no,\nno"
    assert (first.number, second.number) == (2, 4)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", "line 1: the file is empty"),
        ("\n \n", "line 1: the file is empty|line 3: the file is empty"),
        ("name,mail\n", "unknown column"),
        ("address,scope\n", "no column 'kind'"),
        ("address,kind,kind\n", "twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(content, error):
    with pytest.raises(ImportRefused, match=error):
        lines(content)


def test_utf_16_is_known_by_its_mark():
    assert only("address,kind,scope\r\nann\u00e9@example.nl,opt-out,marketing\r\n".encode("utf-16")).event


def test_a_line_that_is_too_long_is_one_wrong_row():
    long = f"b@example.nl,opt-out,{'x' * 70_000}\n"
    before, wrong, after = lines(
        f"address,kind,scope\na@example.nl,opt-out,marketing\n{long}c@example.nl,opt-out,marketing\n"
    )
    assert (before.number, wrong.number, after.number) == (2, 3, 4)
    assert before.event
    assert after.event
    assert "more than 65536 characters" in wrong.error


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_no_content_raises_anything_but_its_own_error(content):
    for octets in (content, b"address,kind,scope,at\n" + content):
        try:
            found = lines(octets)
        except ImportRefused:
            continue
        assert all((line.event is None) != (line.error == "") for line in found)


def test_a_large_file_is_read_row_by_row():
    class Endless(io.RawIOBase):
        """More rows than fit in memory; reading must stop when nobody asks for more."""

        def __init__(self) -> None:
            self.given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += 1
            return (b"address,kind,scope\n" if self.given == 1 else b"") + b"a@example.nl,opt-out,marketing\n" * 100

    stream = Endless()
    rows = read(stream, TERMS)
    for _ in range(1000):
        assert next(rows).event
    assert stream.given <= 12


def test_the_shipped_documentation_names_every_column():
    page = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    assert [c for c in COLUMNS if f"`{c}`" not in page] == []
