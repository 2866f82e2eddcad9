"""Three independent parsers see the tree that we see, before every edit and after all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.filters import FILTERS
from gateway.message.draft import Draft, Slot
from gateway.message.lines import long_lines
from gateway.message.parse import MalformedMessage, Message, parse
from gateway.message.template import Uncompilable, compile
from tests.filters.example import URL, context
from tests.message.samples import CORPUS, CORPUS_FOLDER, OWN, normalised
from tests.parsers.differences import explained
from tests.parsers.tree import Node, NoTree, Postal, Reader, ours, rust, same, stdlib

FILES = [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in (*OWN, *CORPUS)]
SLOTS = {Slot.OPT_OUT: URL, Slot.RECIPIENT: b"jan@example.org"}


def parsed(path: Path) -> Message | None:
    try:
        return parse(normalised(path))
    except MalformedMessage:
        return None


def edited(message: Message, *, seven_bit: bool) -> bytes | None:
    """Through every filter, as a private newsletter whose reader agreed to no tracking; None when it may not leave."""
    draft = Draft(message)
    for item in FILTERS:
        item.apply(draft, context())
    try:
        return compile(draft, seven_bit=seven_bit).render(SLOTS)
    except Uncompilable:
        return None


def readers(javascript: Postal) -> dict[str, Reader]:
    return {"stdlib": stdlib, "rust": rust, "postal": javascript}


def seen(read: Reader, raw: bytes) -> Node | None:
    try:
        return read(raw)
    except NoTree:
        return None


def leaves(node: Node) -> Iterator[Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from leaves(child)


@pytest.mark.needs("node", "npm:postal-mime")
@pytest.mark.parametrize("path", FILES)
def test_r049_other_parsers_see_our_tree_or_are_known_not_to(path: Path, javascript: Postal) -> None:
    message = parsed(path)
    if message is None:
        return
    mine = ours(message.raw)
    for parser, read in readers(javascript).items():
        other = seen(read, message.raw)
        assert (other is not None and same(mine, other)) or explained(parser, message), (
            f"{parser}: {other}; ours {mine}"
        )


@pytest.mark.needs("node", "npm:postal-mime")
@pytest.mark.parametrize("path", FILES)
def test_r036_parsers_that_agreed_before_the_edits_agree_after_them(path: Path, javascript: Postal) -> None:
    message = parsed(path)
    written = edited(message, seven_bit=len(path.name) % 2 == 0) if message else None
    if message is None or written is None:
        return
    before, after = ours(message.raw), ours(written)
    for parser, read in readers(javascript).items():
        old, new = seen(read, message.raw), seen(read, written)
        if old is not None and same(before, old):
            assert new is not None, parser
            assert same(after, new), f"{parser}: {new}; ours: {after}"
    untouched = [leaf for leaf in leaves(before) if not leaf.type.startswith("text/")]
    kept = list(leaves(after))
    assert all(leaf in kept for leaf in untouched)


@pytest.mark.parametrize("path", FILES)
def test_r007_no_edit_leaves_a_line_over_998_octets(path: Path) -> None:
    message = parsed(path)
    written = edited(message, seven_bit=True) if message else None
    if message is None or written is None or long_lines(message):
        return  # long_lines refuses what it cannot mend; tests/filters shows that
    assert max(map(len, written.split(b"\r\n"))) <= 998
    assert written.isascii()


def test_the_open_corpus_is_there_or_said_to_be_absent() -> None:
    if not CORPUS_FOLDER.exists():
        pytest.skip("the open corpus is not beside the repository: trees compared on our own messages only")
    assert len(CORPUS) > 200
