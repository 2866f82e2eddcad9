"""Frames between a worker and its inspector: what is sent arrives, and what is no answer is not believed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.address import Address
from gateway.app.inspector_frames import LENGTHS, Request, answer_in, answer_out, pack, request_in, request_out
from gateway.documents.protocol import Bounds, Meter
from gateway.inspection import Finding, Inspection, Item, Kind, Unread

FOUND = Inspection(
    (Finding(Kind.PHONE, "part 1.2, page 1", b"\x01\xff", True),),
    {Address.parse("jan@example.org"): ("part 1.2, page 1",)},
    (Unread("1.2", "damaged"),),
    b"k" * 32,
    ("1.2",),
    ("1.2",),
)


def test_a_request_arrives_as_it_was() -> None:
    item = Item("1.2", "lïjst \udc80.csv", "text/csv", b"\0\xff")
    request = Request(item, Bounds(1, 2, 3, 4, 5), (6, 7, 8), b"key", 9, ("dieet", "medicatie*"))
    header = json.loads(pack(request_out(request), 2)[LENGTHS.size :])
    assert request_in(header, b"\0\xff") == request
    assert request.meter() == Meter(Bounds(1, 2, 3, 4, 5), 6, 7, 8)


def test_an_answer_arrives_as_it_was() -> None:
    written = json.dumps(answer_out(FOUND, Meter(Bounds(), 1, 2, 3), 99)).encode()
    answer = answer_in(written, "1.2", b"k" * 32)
    assert (answer.inspection, answer.spent, answer.peak) == (FOUND, (1, 2, 3), 99)


GOOD = answer_out(FOUND, Meter(Bounds(), 1, 2, 3), 99)


@pytest.mark.parametrize(
    "wrong",
    [
        {"findings": [["phone", "part 1.2, jan@example.org", "00", True]]},
        {"findings": [["iris", "part 1.2", "00", True]]},
        {"findings": [["phone", "part 1.2"]]},
        {"addresses": [["not an address", []]]},
        {"addresses": [["@example.org", []]]},
        {"addresses": [["jan@", []]]},
        {"addresses": [["jan\ud800@example.org", []]]},
        {"addresses": [["jan@example.org\r\n", []]]},
        {"addresses": [["j" * 400 + "@example.org", []]]},
        {"addresses": {"a": 1}},
        {"unread": [["1.2", "see jan@example.org"]]},
        {"spent": [-1, 0, 0]},
        {"spent": [0]},
        {"peak": "much"},
        {"peak": 10**30},
    ],
)
def test_what_is_no_answer_is_not_believed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        answer_in(json.dumps({**GOOD, **wrong}).encode(), "1.2", b"")


def test_an_answer_is_about_the_part_that_was_asked_for() -> None:
    written = json.dumps({**GOOD, "unread": [["9.9", "damaged\nand more"]]}).encode()
    assert answer_in(written, "1.2", b"").inspection.unread == (Unread("1.2", "damaged and more"),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(list(GOOD)), inner, max_size=5),
    max_leaves=12,
)


@given(JSON.map(json.dumps).map(str.encode) | st.binary(max_size=50))
@settings(deadline=None, max_examples=200)
def test_anything_else_is_a_value_error(written: bytes) -> None:
    with pytest.raises(ValueError):
        answer_in(written, "1.2", b"")
