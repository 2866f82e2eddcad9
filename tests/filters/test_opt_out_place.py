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


def test_text_gets_an_empty_line_between() -> None:
    assert after_text(b"x\r\n", b"\r\n").lead == b"\n"
    assert after_text(b"x", b"\r\n").lead == b"\n\n"
    assert after_text(b" \r\n", b"\r\n").lead == b""
