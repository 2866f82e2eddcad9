"""The indexes beside the state rows follow from them and from nothing else."""

from __future__ import annotations

from gateway.facts import Consent
from gateway.registry.postings import Index, Posting, contact_key, moved, postings
from gateway.registry.state import EMPTY, Contact, State
from tests.registry.conftest import LIST

FULL = State(
    contacts=(Contact("crm", "1", 4), Contact("shop", "1", 5)),
    publications=frozenset({"p1"}),
    returns=(Consent(LIST, 10, 6),),
)
LINES = {
    Posting(Index.CONTACT, contact_key("crm", "1"), 4, 3),
    Posting(Index.CONTACT, contact_key("shop", "1"), 5, 3),
    Posting(Index.PUBLICATION, "p1", 0, 3),
    Posting(Index.RETURN, "", 6, 3),
}


def test_every_way_to_find_a_person_is_a_line():
    assert postings(3, FULL) == LINES
    assert postings(3, EMPTY) == frozenset()


def test_a_change_takes_out_what_went_and_puts_in_what_came():
    fewer = State(publications=frozenset({"p1", "p2"}))
    assert moved([(3, FULL)], [(3, fewer)]) == (
        {line for line in LINES if line.name is not Index.PUBLICATION},
        {Posting(Index.PUBLICATION, "p2", 0, 3)},
    )
    assert moved([], [(3, FULL)]) == (set(), LINES)


def test_another_person_number_moves_every_line():
    lost, gained = moved([(3, FULL)], [(8, FULL)])
    assert lost == LINES
    assert gained == {line._replace(person=8) for line in LINES}


def test_two_contacts_never_have_one_key():
    assert contact_key("a", "bc") != contact_key("ab", "c")
