"""No message is passed on in which another program sees another mail than we do (R-049)."""

from __future__ import annotations

import pytest

from gateway.message.draft import Draft
from gateway.message.parse import Message, parse
from gateway.message.template import compile
from tests.parsers.differences import explained
from tests.parsers.evasions import EVASIONS
from tests.parsers.tree import NoTree, Postal, ours, rust, same, stdlib

# Legal, and read by us and by postal-mime as the standard says. What the others see hides nothing: it is not decoded.
ALONE = {
    "a transfer encoding on a folded line",
    "base64 that stops short",
    "an attached message with a broken header",
}


def tidied(message: Message) -> bytes:
    """What the first filter makes of field names that some readers stumble on."""
    draft = Draft(message)
    for field in message.root.fields:
        draft.join_name(field, by="test", kind="spaced-name")
    return compile(draft, seven_bit=False).render({})


def test_r049_there_are_more_than_forty_evasions() -> None:
    assert len(EVASIONS) > 120
    assert len(set(EVASIONS.values())) == len(EVASIONS)


@pytest.mark.needs("node", "npm:postal-mime")
@pytest.mark.parametrize("name", EVASIONS)
def test_r049_an_evasion_is_refused_or_seen_the_same_by_all(name: str, javascript: Postal) -> None:
    raw = EVASIONS[name]
    try:
        ours(raw)
    except NoTree:
        return
    raw = tidied(parse(raw))
    mine, agreeing = ours(raw), 0
    for parser, read in (("stdlib", stdlib), ("rust", rust), ("postal", javascript)):
        try:
            other = read(raw)
        except NoTree:
            assert explained(parser, parse(raw)), f"{parser} does not read it"
            continue
        agreeing += same(mine, other)
        assert same(mine, other) or explained(parser, parse(raw)), f"{parser}: {other}; ours: {mine}"
    assert agreeing >= 2 or name in ALONE


MUST_PASS = [
    "a boundary only in the extended form",
    "a boundary in segments",
    "a misspelt identity",
    "a charset as transfer encoding",
    "base64 in capitals",
    "a multipart that says quoted-printable",
    "a boundary with a space before the equals sign",
    "two semicolons before the boundary",
    "no closing boundary",
    "the boundary as the first line of the body",
    "a digest whose parts have no type",
    "an attached message without a header",
]


@pytest.mark.parametrize("name", MUST_PASS)
def test_what_only_looks_odd_is_passed_on(name: str) -> None:
    assert ours(EVASIONS[name])
