"""One person, however their address is spelled; two people, however alike (L-36). Both ways, through the registry.

The pseudonyms are frozen: a registry is made of them, and a change here would forget every block ever written.
"""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.address import Address, InvalidAddress
from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.protocol import EventKind
from tests.registry.conftest import CONFIRMED, KEYS, LIST, event

EVERYTHING = Scope(ScopeKind.EVERYTHING)
# KEYS blocks wide at wide.example only.
ONE_PERSON = [
    ("case of the local part", "jan@example.nl", ["JAN@example.nl", "Jan@example.nl", "jAn@EXAMPLE.nl"]),
    ("case of the domain", "jan@example.nl", ["jan@EXAMPLE.NL", "jan@Example.Nl"]),
    ("trailing dot", "jan@example.nl", ["jan@example.nl."]),
    ("quoted local part", "jan@example.nl", ['"jan"@example.nl', '"JAN"@example.nl', '"j\\an"@example.nl']),
    ("space inside quotes at the ends", "jan@example.nl", ['" jan"@example.nl', '"jan "@example.nl']),
    (
        "NFC and NFD, local",
        "caf\u00e9@example.nl",
        ["cafe\u0301@example.nl", "CAF\u00c9@example.nl", "CAFE\u0301@example.nl"],
    ),
    ("NFC and NFD, domain", "jan@m\u00fcnchen.example", ["jan@mu\u0308nchen.example", "jan@MU\u0308NCHEN.example"]),
    ("punycode", "jan@m\u00fcnchen.example", ["jan@xn--mnchen-3ya.example", "jan@XN--MNCHEN-3YA.EXAMPLE"]),
    ("dots of other scripts", "jan@example.nl", ["jan@example\u3002nl", "jan@example\uff61nl"]),
    ("full-width domain", "jan@example.nl", ["jan@\uff45\uff58ample.nl"]),
    ("ligature in a domain", "jan@fin.example", ["jan@\ufb01n.example"]),
    ("Kelvin sign", "kim@example.nl", ["\u212aim@example.nl"]),
    (
        "\u00c5ngstr\u00f6m sign",
        "\u00e5sa@example.nl",
        ["\u212bsa@example.nl", "a\u030asa@example.nl", "A\u030aSA@example.nl"],
    ),
    ("Ohm sign", "\u03c9@example.nl", ["\u2126@example.nl", "\u03a9@example.nl"]),
    ("capital sharp s", "wei\u00df@example.nl", ["WEI\u1e9e@example.nl"]),
    ("final sigma", "\u03bf\u03b4\u03bf\u03c2@example.nl", ["\u039f\u0394\u039f\u03a3@example.nl"]),
    ("IPv6 literal", "jan@[IPv6:2001:db8::1]", ["jan@[IPv6:2001:DB8:0:0::1]", "jan@[ipv6:2001:0db8::0001]"]),
    (
        "plus-tag, by setting",
        "jan@wide.example",
        ["jan+shop@wide.example", "JAN+a+b@wide.example", '"jan+x"@wide.example'],
    ),
    ("dots, by setting", "jan@wide.example", ["j.an@wide.example", "j.a.n@WIDE.EXAMPLE", "j.a.n+x@wide.example"]),
]
TWO_PEOPLE = [
    ("sharp s and ss", "wei\u00df@example.nl", "weiss@example.nl"),
    ("sharp s and ss in a domain", "jan@stra\u00dfe.example", "jan@strasse.example"),
    ("i and dotless i", "ian@example.nl", "\u0131an@example.nl"),
    ("i and dotted capital I", "ian@example.nl", "\u0130an@example.nl"),
    ("dotless i and dotted capital I", "\u0131an@example.nl", "\u0130an@example.nl"),
    ("ligature in a local part", "fin@example.nl", "\ufb01n@example.nl"),
    ("full-width letters in a local part", "anna@example.nl", "\uff41nna@example.nl"),
    ("long s", "sam@example.nl", "\u017fam@example.nl"),
    ("Latin and Cyrillic a", "anna@example.nl", "\u0430nna@example.nl"),
    ("micro sign and mu", "\u00b5@example.nl", "\u03bc@example.nl"),
    ("with and without an accent", "ren\u00e9@example.nl", "rene@example.nl"),
    ("plus-tag, without the setting", "jan@example.nl", "jan+shop@example.nl"),
    ("dots, without the setting", "jan.jansen@example.nl", "janjansen@example.nl"),
    ("sub-domain", "jan@example.nl", "jan@mail.example.nl"),
    ("tag alone, by setting", "+a@wide.example", "+b@wide.example"),
    ("other domain, by setting", "jan@wide.example", "jan@wide.example.nl"),
    ("a dot at the end of the name", "jan@example.nl", "jan@example.nl.example"),
]
# Pseudonyms (exact, wide) under the key of 32 times "k": hex, first 16 octets.
FROZEN = [
    ("jan@example.nl", "c8694cf8cc41aec7b2ee1be1ee813e14", "7af71c1581ed9ef9384e43bad198d6d5"),
    ("Jan.Jansen+les@Wide.Example", "1f6e2d93add2443d3a219332f642d78e", "473e48d06713dd92631111b3f56f6e51"),
    ("CAFE\u0301@M\u00dcNCHEN.example.", "af8a40b47b081d23edb928fc545d2a96", "6267b9ab71889749bc3d126591a6f6db"),
    ("\u039f\u0394\u039f\u03a3@example.nl", "5d88edcb7988e6474f91c22ba8e11596", "064b9fe5f7059342706dbd9c9aa85f5b"),
]


def who(text: str, keys: Pseudonyms = KEYS) -> Person:
    return keys.person(Address.parse(text))


def spellings() -> list[tuple[str, str]]:
    pairs = []
    for name, first, others in ONE_PERSON:
        pairs += [pytest.param(first, other, id=f"{name} {n}") for n, other in enumerate(others)]
    return pairs


PAIRS = [pytest.param(first, second, id=name) for name, first, second in TWO_PEOPLE]


@pytest.mark.parametrize(("first", "second"), spellings())
async def test_l36_no_spelling_slips_past_a_block(registry, first, second):
    for blocked, other in ((first, second), (second, first)):
        await registry.record([event(EventKind.OPT_OUT, who(blocked), LIST)])
        assert (await registry.facts([who(other)]))[0].blocks
        await registry.record([event(EventKind.CONSENT, who(other), LIST, CONFIRMED)])
        assert not (await registry.facts([who(blocked)]))[0].blocks


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_l36_no_two_people_become_one(registry, first, second):
    for known, other in ((first, second), (second, first)):
        await registry.record(
            [event(EventKind.OPT_OUT, who(known), LIST), event(EventKind.ENROLMENT, who(known), reference="t")]
        )
        found = (await registry.facts([who(other)]))[0]
        assert not found.blocks
        assert not found.enrolments
        await registry.erase(who(known), 0, CONFIRMED)
        await registry.record([event(EventKind.LIFTED, who(known), EVERYTHING, CONFIRMED)])


@pytest.mark.parametrize(
    "text", [" jan@example.nl", "jan@example.nl ", "jan @example.nl", "j\u200ban@example.nl", "jan@exa\u00admple.nl"]
)
def test_l36_what_would_hide_in_a_spelling_is_no_address(text):
    with pytest.raises(InvalidAddress):
        Address.parse(text)


@pytest.mark.parametrize(("text", "exact", "wide"), FROZEN)
def test_l36_pseudonyms_never_change(text, exact, wide):
    person = who(text)
    assert (person.exact.hex()[:32], person.wide.hex()[:32]) == (exact, wide)


LETTERS = st.sampled_from("abjnzABJNZ\u00e9\u00c9e\u0301\u00df\u1e9e\u0130\u0131\u03a3\u03c3\u03c2\u212a\ufb01")


@settings(deadline=None, max_examples=300)
@given(st.text(LETTERS, min_size=1, max_size=8))
def test_l36_neither_case_nor_normal_form_makes_another_person(local):
    try:
        first = Address.parse(f"{local}@example.nl")
        others = [Address.parse(f"{unicodedata.normalize(form, local)}@example.nl") for form in ("NFC", "NFD")]
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in unicodedata.normalize("NFC", local))
        others.append(Address.parse(f"{lower}@example.nl"))
    except InvalidAddress:
        return  # a mark without its letter
    for other in others:
        assert (other.exact(), other.wide()) == (first.exact(), first.wide())
