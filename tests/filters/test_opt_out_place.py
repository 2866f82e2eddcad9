from __future__ import annotations

import pytest

from gateway.filters.opt_out_place import MAX_CLOSED, after_text, html_place


@pytest.mark.parametrize(
    ("before", "behind", "lead"),
    [
        ("<body><p>x</p>", "</body></html>", "\n"),
        ("<body>x", "</html>\r\n", "\n"),
        ("<p>x</p></body></html>\r\n<p>y</p>\r\n", "", "\n"),
        ("<body>x</body>y", "</body> <!-- z --></html>", "\n"),
        ("<body>x</body><img src=a>", "", "\n"),
        ("x", "<!-- nooit dicht", "\n"),
        ("x", "<title>nooit dicht </body>", "\n"),
        ("x", "<a href='nooit dicht></body>", "\n"),
        ("<table><tr><td>x", "", "</table>\n"),
        ("<div><b><table><td>x", "</body>", "</table></b></div>\n"),
        ("<div><table></div>x", "</body>", "\n"),
        ("<p>x<br><img src=a>", "</body>", "\n"),
        ("<!--[if mso]><table><![endif]-->x", "</body>", "\n"),
        ("<title>a</title><style>b</style>x", "</body>", "\n"),
        ("<body><img src=a>", "</body>", "\n"),
        ("<body>x</body><script>y</script>z", "", "\n"),
    ],
)
def test_the_place_is_behind_what_is_seen_and_before_what_never_ends(before: str, behind: str, lead: str) -> None:
    place = html_place((before + behind).encode())
    assert (place.position, place.lead) == (len(before), lead.encode())


def test_closing_tags_are_bounded() -> None:
    assert html_place(b"<div>" * 200_000).lead.count(b"</div>") == MAX_CLOSED


@pytest.mark.parametrize(
    ("content", "position", "lead"),
    [
        (b"x\r\n", 3, b"\n"),
        (b"x", 1, b"\n\n"),
        (b" \r\n", 3, b""),
        (b"x\r\n\r\n\r\n \r\n", 3, b"\n"),
        (b"x \r\n\r\n", 4, b"\n"),
        (b"x\n-- \nJan\n", 10, b"\n"),
    ],
)
def test_a_text_gets_an_empty_line_between_and_ours_is_below_its_signature(
    content: bytes, position: int, lead: bytes
) -> None:
    place = after_text(content)
    assert (place.position, place.lead) == (position, lead)


@pytest.mark.parametrize(
    ("before", "behind", "lead"),
    [
        ("<!--[if !mso]><!--><div>x</div>", "</body><!--<![endif]-->", "<!--<![endif]-->\n"),
        ("<!--[if !mso]><!-- -->x", "", "<!--<![endif]-->\n"),
        ("<!--[if !mso]>-->x<!--<![endif]-->", "</body>", "\n"),
        ("<![if !mso]>x", "</body><![endif]>", "<!--<![endif]-->\n"),
        ("<![if !mso]>x<![endif]>y", "</body>", "\n"),
        ("x<!--[if gte mso 9]><p>y</p></body><![endif]-->", "</body>", "\n"),
    ],
)
def test_the_place_is_never_where_outlook_hides_it(before: str, behind: str, lead: str) -> None:
    place = html_place((before + behind).encode())
    assert (place.position, place.lead) == (len(before), lead.encode())


def test_watchers_see_every_node() -> None:
    class Count:
        nodes = 0

        def take(self, node: object) -> None:
            self.nodes += 1

    count = Count()
    html_place(b"<p>x</p>", count)
    assert count.nodes == 3
