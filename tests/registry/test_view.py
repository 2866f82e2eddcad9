"""Reading while others write: whatever the order in which journal and registry are seen, blocks are right."""

from __future__ import annotations

import pytest

from gateway.registry import identity as identities
from gateway.registry import opening
from gateway.registry.protocol import EventKind, RegistryMistrusted
from gateway.registry.tail import Tail
from gateway.registry.view import View
from tests.registry.conftest import CONFIRMED, LIST, event, person


@pytest.fixture
def writer(where, owner):
    opening.init(where, owner)
    made = opening.open_writer(where, owner)
    yield made
    made.close()


@pytest.fixture
def view(where, owner, writer):
    made = View(where, identities.read(writer.connection), owner.pseudonyms, None)
    yield made
    made.close()


def blocks(view: View) -> list:
    return [b.scope for b in view.read([person()])[0].blocks]


def test_a_record_that_the_registry_had_before_the_tail_is_not_kept_as_pending(view, writer, monkeypatch):
    monkeypatch.setattr(Tail, "refresh", lambda self: None)  # the record lands just after this reader looked
    writer.record([event(EventKind.OPT_OUT, scope=LIST)])
    with pytest.raises(RegistryMistrusted, match="behind"):
        blocks(view)
    monkeypatch.undo()
    assert blocks(view) == [LIST]
    writer.record([event(EventKind.LIFTED, scope=LIST, evidence=CONFIRMED)])
    assert blocks(view) == []


def test_a_record_between_the_two_looks_is_seen_once_and_goes_when_lifted(view, writer, monkeypatch):
    real, left = Tail.refresh, [1]

    def late(tail: Tail) -> None:
        if left:
            left.pop()  # the first look comes before the record, the second one after
            writer.record([event(EventKind.OPT_OUT, scope=LIST)])
        else:
            real(tail)

    monkeypatch.setattr(Tail, "refresh", late)
    assert blocks(view) == [LIST]
    assert blocks(view) == [LIST]
    writer.record([event(EventKind.LIFTED, scope=LIST, evidence=CONFIRMED)])
    assert blocks(view) == []


def test_looking_writes_nothing(view, where):
    before = where.registry.read_bytes()
    for _ in range(3):
        view.read([person()])
    assert where.registry.read_bytes() == before
