"""HTML at a glance: the same nodes as a whole reading, but only those that are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.html import Comment, Node, Style, Tag, Text, Unscannable, scan
from gateway.message.skim import Glance, Glimpse, Mark, Nesting, skim

PIECES = (
    *("<p>", "</p>", "<div class=a>", "</div>", "<b>", "</b>", "<br/>", "<a href='x'>", "</a>", "x", " ", "\r\n"),
    *("<!-- c -->", "<!-->", "<!--", "-->", "<!--[if mso]>", "<![endif]-->", "<![if !mso]>", "</>", "<?x?>", "<", "</"),
    *("<style>", "</style>", "<title>", "</title>", "<script>", "</script>", "<noscript>", "</noscript>", "<svg>"),
    *("</svg>", "<textarea>", "</textarea>", "<plaintext>", "&amp;", "<a ", '="', "\0", "<p a\0=1>", "<p b='\0'>"),
)
HTML = st.lists(st.sampled_from(PIECES), max_size=20).map(lambda pieces: "".join(pieces).encode())
ALL = Glance(frozenset(), closely=True, texts=True)


def read(content: bytes) -> list[Node] | None:
    try:
        return list(scan(content))
    except Unscannable:
        return None


def glimpsed(content: bytes, glance: Glance) -> list[Glimpse] | None:
    try:
        return list(skim(content, glance))
    except Unscannable:
        return None


def plain(node: Glimpse | Tag) -> Node:
    return node.tag() if isinstance(node, Mark) else node


@settings(deadline=None, max_examples=300)
@given(HTML)
def test_with_everything_asked_for_it_is_the_whole_reading(content: bytes) -> None:
    seen = glimpsed(content, ALL)
    assert (seen if seen is None else [plain(node) for node in seen]) == read(content)


@settings(deadline=None, max_examples=300)
@given(HTML)
def test_what_is_not_asked_for_changes_nothing_else(content: bytes) -> None:
    whole = read(content)
    seen = glimpsed(content, Glance(frozenset({"a", "svg"}), comments=False))
    if whole is None:
        assert seen is None
    elif b"<!--" not in content:  # without comments nothing in them is given either
        asked = [n for n in whole if isinstance(n, Style) or (isinstance(n, Tag) and n.name in ("a", "svg"))]
        kept = [plain(n) for n in seen or [] if not isinstance(n, Text | Comment)]
        assert kept == asked


def test_a_comment_without_end_is_always_given() -> None:
    assert list(skim(b"<p><!-- a --><!-- b", Glance(frozenset(), comments=False))) == [Comment(13, 19)]
    assert list(skim(b"<p><!-- a -->", Glance(frozenset(), comments=False))) == [Comment(3, 13)]
    assert list(skim(b"<!-- a --><p>", Glance(frozenset(), comments=False))) == []


def test_asking_for_more_on_the_way_counts_from_there_on() -> None:
    glance = Glance(frozenset({"a"}))
    seen = []
    for node in skim(b"one<b>two</b><a>three<i>four</a>five</i>", glance):
        seen.append(node)
        glance.texts = isinstance(node, Text) or not node.closing  # type: ignore[union-attr]
    assert [(type(n), n.start) for n in seen] == [(Mark, 13), (Text, 16), (Text, 24), (Mark, 28)]


@pytest.mark.parametrize(
    ("content", "still_open"),
    [
        (b"<div><b>x</b>", ["div"]),
        (b"<div><b><i>x</div>", []),
        (b"</b><i>", ["i"]),
        (b"<p><div/><span><p>", ["span"]),
        (b"<!--[if mso]><div><![endif]--><i><noscript><b></noscript>", ["i"]),
    ],
)
def test_what_is_open_at_the_end(content: bytes, still_open: list[str]) -> None:
    nesting = Nesting(frozenset({"p"}))
    assert not any(isinstance(node, Mark) for node in skim(content, Glance(frozenset(), nesting=nesting)))
    assert nesting.innermost(nesting.top, 9) == still_open


def test_a_number_keeps_what_was_open_at_a_place() -> None:
    nesting = Nesting(frozenset())
    tops = [nesting.top for _ in skim(b"<div><b><hr></b><hr></div><i><hr>", Glance(frozenset({"hr"}), nesting=nesting))]
    assert [nesting.innermost(top, 9) for top in tops] == [["b", "div"], ["div"], ["i"]]
    assert nesting.innermost(tops[0], 1) == ["b"]
