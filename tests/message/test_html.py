"""HTML as spans: every span is the source, and what hides in raw text is found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.draft import Draft
from gateway.message.html import Comment, Node, Sighting, Style, Tag, Text, Unscannable, Watch, scan, sift, tags
from gateway.message.parse import parse
from tests.message.samples import CORPUS_FOLDER, OWN, own


def sources(content: bytes, name: str) -> list[bytes]:
    return [content[t.start : t.end] for t in tags(content) if t.name == name and not t.closing]


def test_tags_and_attributes_have_their_spans() -> None:
    content = b"<P>x<a  HREF = 'een\r\n twee' title=\"\" id=x hidden>y</A >"
    found = list(tags(content))
    assert [(t.name, t.closing, content[t.start : t.end]) for t in found] == [
        ("p", False, b"<P>"),
        ("a", False, content[4:-6]),
        ("a", True, b"</A >"),
    ]
    spans = [(a.name, content[a.start : a.end], content[a.value_start : a.value_end]) for a in found[1].attributes]
    assert spans == [
        ("href", b"HREF = 'een\r\n twee'", b"een\r\n twee"),
        ("title", b'title=""', b""),
        ("id", b"id=x", b"x"),
        ("hidden", b"hidden", b""),
    ]


def test_values_have_their_references_resolved() -> None:
    (tag,) = tags(b'<a href="https://x.example/?a=1&amp;b=2&copy=3&#x41;">')
    assert tag.attributes[0].value == "https://x.example/?a=1&b=2&copy=3A"


def test_the_first_of_a_doubled_attribute_counts() -> None:
    (tag,) = tags(b"<img src=een SRC=twee>")
    assert [a.value for a in tag.attributes] == ["een", "twee"]
    first = tag.get("src")
    assert first is not None
    assert first.value == "een"


def test_text_runs_include_their_references() -> None:
    content = b"<p>Jan &amp; Co</p>na"
    assert [content[t.start : t.end] for t in scan(content) if isinstance(t, Text)] == [b"Jan &amp; Co", b"na"]


def test_style_text_is_told_apart() -> None:
    content = b"<style>a{background:url(x)}</style><title><b></title>"
    (style,) = [n for n in scan(content) if isinstance(n, Style)]
    assert content[style.start : style.end] == b"a{background:url(x)}"
    (title,) = [n for n in scan(content) if isinstance(n, Text)]
    assert (title.element, content[title.start : title.end]) == ("title", b"<b>")


@pytest.mark.parametrize(
    "content",
    [
        b'<noscript>\r\n<img src="x"></noscript>',
        b'<!--[if mso]>\r\n<p><img src="x"></p><![endif]-->',
        b'<!--[if (gte mso 9)|(IE)]><noscript><img src="x"></noscript><![endif]-->',
        b'<!--[if mso]><img src="x">-->',
        b'<!--[if !mso]><!--><img src="x"><!--<![endif]-->',
        b'<iframe><img src="x"></iframe>',
        b'<svg><style><img src="x"></style></svg>',
        b'<math><title>\r\n<img src="x"></title></math>',
        b'<table><img src="x">',
        b'<p title="><!--"><img src="x">',
    ],
)
def test_an_image_is_found_wherever_a_reader_can_show_it(content: bytes) -> None:
    assert sources(content, "img") == [b'<img src="x">']


@pytest.mark.parametrize(
    "content",
    [
        b'<!-- <img src="x"> -->',
        b'<textarea><img src="x"></textarea>',
        b'<script>"<img src=x>"</script>',
        b'<img src="x',
    ],
)
def test_an_image_that_no_reader_shows_is_no_tag(content: bytes) -> None:
    assert sources(content, "img") == []


def test_a_conditional_comment_says_so() -> None:
    plain, conditional, inner = list(scan(b"<!-- x --><!--[if mso]><br><![endif]-->"))
    assert isinstance(plain, Comment)
    assert not plain.conditional
    assert isinstance(conditional, Comment)
    assert conditional.conditional
    assert isinstance(inner, Tag)
    assert inner.within == "conditional"


def samples() -> list[bytes]:
    found = []
    for path in OWN:
        draft = Draft(parse(path.read_bytes()))
        found += [draft.content(p) for p in draft.message.text_parts() if p.content_type == "text/html"]
    templates = sorted((CORPUS_FOLDER / "html-templates").glob("*.html")) if CORPUS_FOLDER.exists() else []
    return found + [t.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for t in templates]


def assert_spans(content: bytes, nodes: list[Node]) -> None:
    for node in nodes:
        assert 0 <= node.start < node.end <= len(content)
        if isinstance(node, Tag):
            source = content[node.start : node.end]
            assert source.startswith(b"<")
            assert source.endswith(b">")
            assert source[1 + node.closing :].lower().startswith(node.name.encode("latin-1").lower())
            for attribute in node.attributes:
                assert node.start < attribute.start <= attribute.value_start <= attribute.value_end <= attribute.end
                assert attribute.end < node.end


def test_the_outermost_tokens_cover_the_content_without_a_gap() -> None:
    for content in samples():
        position = 0
        for node in scan(content):
            if node.start >= position:
                assert node.start == position
                position = node.end
        assert position == len(content)
        assert_spans(content, list(scan(content)))


def test_the_newsletter_has_the_links_that_were_written() -> None:
    draft = Draft(parse(own("html")))
    content = draft.content(draft.message.root)
    assert len(sources(content, "a")) == 3
    assert len(sources(content, "img")) == 3


pieces = st.sampled_from(
    [
        *(
            b"<",
            b">",
            b"</",
            b"<a ",
            b"href=",
            b'"',
            b"'",
            b"x",
            b" ",
            b"\r\n",
            b"=",
            b"/",
            b"&amp;",
            b"&",
            b"<!--",
            b"-->",
        ),
        *(b"<![endif]", b"<!--[if mso]>", b"<noscript>", b"</noscript>", b"<style>", b"</style>", b"<svg>", b"<title>"),
        *(
            b"<script>",
            b"<img src=x>",
            b"<![CDATA[",
            b"]]>",
            b"\xc3\xa9",
            b"\x0c",
            b"<plaintext>",
            b"A",
            b"<br/>",
            b"\xc4\xb0",
        ),
    ]
)


@settings(deadline=None, max_examples=600)
@given(st.lists(pieces, max_size=30).map(b"".join))
def test_any_content_gives_proven_spans(content: bytes) -> None:
    assert_spans(content, list(scan(content)))


def test_unscannable_is_an_error_a_filter_can_name() -> None:
    assert issubclass(Unscannable, ValueError)


def _all(name: str, values: object) -> bool:
    return True


pieces = st.sampled_from(
    [
        "<p>",
        "<p a=1>",
        "</p>",
        "<style>",
        "</style>",
        "<svg>",
        "</svg>",
        "<title>",
        "</title>",
        "<!--[if mso]>",
        "<![endif]-->",
        "<!-- x -->",
        "<noscript>",
        "</noscript>",
        "a://b",
        "&amp;",
        "é",
        "<",
        ">",
        '"',
        "<img src='x' src=y>",
        "\r\n",
        "<br/>",
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(pieces, max_size=14).map("".join))
def test_sifting_for_everything_gives_what_scanning_gives(text: str) -> None:
    content = text.encode()
    try:
        scanned = [n for n in scan(content) if not isinstance(n, Tag) or n.attributes]
    except Unscannable:
        return
    expected = [n for n in scanned if not isinstance(n, Text) or b"://" in content[n.start : n.end]]
    sifted = [n.tag() if isinstance(n, Sighting) else n for n in sift(content, _all, Watch(), mark="://")]
    assert sifted == [n for n in expected if not isinstance(n, Comment) or n.conditional]


def test_sifting_gives_only_what_is_wanted_and_what_is_watched() -> None:
    content = b"<p a=1><div><p b=2></div><i><div></div>"
    watch = Watch("div")
    found = list(sift(content, lambda name, values: values[0][0] == "b", watch))
    assert [(n.name, n.closing) for n in found if isinstance(n, Sighting)] == [
        ("div", False),
        ("p", False),
        ("div", True),
        ("div", False),
        ("div", True),
    ]
    assert [(n.get("b"), n.get("a"), n.span()) for n in found if isinstance(n, Sighting) and n.values] == [
        ("2", None, (12, 19))
    ]
