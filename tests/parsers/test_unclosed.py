"""Multiparts that nothing closes: what we edit in them is seen alike by all, before and after (R-049)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.draft import Draft
from gateway.message.parse import Message, parse
from gateway.message.template import compile
from tests.parsers.evasions import EVASIONS
from tests.parsers.tree import Node, NoTree, Postal, Reader, ours, rust, same, stdlib

HEAD = b"From: cursus@school.example\r\nTo: jan@thuis.example\r\nMIME-Version: 1.0\r\n"
MARK = "<!-- hier stond één woord -->".encode()
LEAVES = st.sampled_from(
    [
        b"Content-Type: text/plain\r\n\r\nDag\r\n",
        b"Content-Type: text/plain\r\n\r\nDag\r\n\r\n-- \r\nJan",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>D=C3=A1g</p>\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nRMOhZw==\r\n",
        b"Content-Type: text/plain\r\n",
        b"Content-Type: text/html",
        b"\r\nzonder kop",
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJDRA==",
        b"Content-Type: message/rfc822\r\n\r\nSubject: mee\r\n\r\nbrief\r\n",
    ]
)
BETWEEN = st.sampled_from([b"\r\n", b"\r\n\r\n"])


@st.composite
def multiparts(draw: st.DrawFn, depth: int = 0, path: str = "b") -> bytes:
    """A header and body of a multipart, closed or not, three deep at most; no boundary begins with another."""
    boundary = f"--{path}".encode()
    pieces = []
    for number in range(draw(st.integers(1, 3))):
        nested = depth < 2 and draw(st.booleans())
        inner = multiparts(depth + 1, f"{number}y{path}") if nested else LEAVES
        pieces.append(b"--" + boundary + b"\r\n" + draw(inner) + draw(BETWEEN))
    kind = draw(st.sampled_from([b"mixed", b"alternative", b"related"]))
    end = b"--" + boundary + b"--" + draw(BETWEEN) if draw(st.booleans()) else b""
    return b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind, boundary) + b"".join(pieces) + end


def edited(message: Message) -> Iterator[tuple[str, bytes]]:
    """The message with one text changed, for each text that may be."""
    for part in message.text_parts():
        draft = Draft(message)
        if not draft.why_not(part):
            draft.splice(part, 0, 0, (MARK,), by="test", kind="edit")
            yield part.path, compile(draft, seven_bit=False).render({})


def seen(read: Reader, raw: bytes) -> Node | None:
    try:
        return read(raw)
    except NoTree:
        return None


def leaves(node: Node) -> list[tuple[str, str]]:
    return [leaf for child in node.children for leaf in leaves(child)] if node.children else [(node.type, node.digest)]


def holds(raw: bytes, readers: list[Reader]) -> None:
    message = parse(raw)
    mine = ours(raw)
    for path, written in edited(message):
        after = ours(written)
        for read in readers:
            before = seen(read, raw)
            assert before is not None, path
            assert same(before, mine), path
            other = seen(read, written)
            assert other is not None, path
            assert same(other, after), (path, str(other), str(after))
        changed = [old for old, new in zip(leaves(mine), leaves(after), strict=True) if old != new]
        assert len(changed) == 1
        opened = {p.path for p in parse(written).walk() if p.unclosed}
        assert not any(path.startswith(f"{p}.") for p in opened)


@given(multiparts())
@settings(deadline=None, max_examples=150)
def test_r049_texts_in_unclosed_multiparts_are_edited_where_two_parsers_agree(body: bytes) -> None:
    holds(HEAD + body, [stdlib, rust])


@pytest.mark.needs("node", "npm:postal-mime")
def test_r049_texts_in_unclosed_multiparts_are_edited_where_a_third_parser_agrees(javascript: Postal) -> None:
    @given(multiparts())
    @settings(deadline=None, max_examples=60)
    def holds_there(body: bytes) -> None:
        holds(HEAD + body, [javascript])

    holds_there()


@pytest.mark.parametrize("name", EVASIONS)
def test_r049_no_edit_makes_an_evasion(name: str) -> None:
    """Who saw what we saw before an edit sees what we see after it."""
    try:
        mine = ours(EVASIONS[name])
    except NoTree:
        return
    for path, written in edited(parse(EVASIONS[name])):
        for read in (stdlib, rust):
            before = seen(read, EVASIONS[name])
            if before is not None and same(before, mine):
                other = seen(read, written)
                assert other is not None, path
                assert same(other, ours(written)), path
