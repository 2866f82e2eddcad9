"""Blocks between journal and registry: there from the first octet on, gone only when the registry has them."""

from __future__ import annotations

import pytest

from gateway.facts import BlockKind, Scope
from gateway.registry.journal import Journal
from gateway.registry.record import Actor, JournalDamaged, Mark, Record
from gateway.registry.tail import Tail
from tests.registry.conftest import KEYS, LIST, MARKETING, OTHER_LIST

ANNA, BERT = b"a" * 32, b"b" * 32


def record(scope: Scope, pseudonym: bytes = ANNA) -> Record:
    return Record(BlockKind.OPT_OUT, scope, 5.0, pseudonym, 0, Actor.WEB)


@pytest.fixture
def journal(tmp_path):
    made = Journal.create(tmp_path / "web.journal", organisation=7)
    yield made
    made.close()


@pytest.fixture
def tail(journal):
    reader = Journal.open(journal.path, write=False)
    yield Tail(reader, reader.head.start, KEYS, None)
    reader.close()


def scopes(tail: Tail, pseudonym: bytes = ANNA) -> list[Scope]:
    return [b.scope for b in tail.blocks(pseudonym)]


def test_what_the_registry_took_in_is_dropped_and_nothing_else(journal, tail):
    journal.append([record(LIST), record(OTHER_LIST)])
    tail.refresh()
    journal.append([record(MARKETING), record(LIST, BERT)])
    tail.refresh()
    tail.forget(2)
    assert scopes(tail) == [MARKETING]
    assert scopes(tail, BERT) == [LIST]
    tail.forget(4)
    assert len(tail) == 0


def test_it_starts_behind_what_the_registry_has(journal):
    taken = journal.append([record(LIST)])
    journal.append([record(MARKETING)])
    reader = Journal.open(journal.path, write=False)
    tail = Tail(reader, taken, KEYS, None)
    tail.refresh()
    assert scopes(tail) == [MARKETING]
    with pytest.raises(JournalDamaged):
        Tail(reader, Mark(1, b"x" * 32), KEYS, None)
    reader.close()


def test_a_write_still_going_on_is_waited_for(journal, tail):
    whole = journal.path.read_bytes()
    journal.append([record(LIST)])
    octets = journal.path.read_bytes()
    journal.path.write_bytes(whole + octets[len(whole) : -10])
    tail.refresh()
    assert scopes(tail) == []
    with journal.path.open("ab") as file:
        file.write(octets[-10:])
    tail.refresh()
    assert scopes(tail) == [LIST]
