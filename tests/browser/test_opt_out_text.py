"""The opt-out in a mail as a browser shows it: last, seen, readable, by day and in the dark (R-041, R-077)."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gateway.filters.opt_out import FILTER
from gateway.filters.opt_out_colour import contrast, luminance
from gateway.message.draft import Draft
from gateway.message.parse import parse
from tests.browser.conftest import PATIENCE
from tests.filters.example import URL, context, draft, render

pytestmark = pytest.mark.needs("chromium")

TEXT = "<p>Beste lezer, dit is het nieuws van de maand.</p>"
MAILS = {
    "plain": f"<html><body>{TEXT}</body></html>",
    "fragment": TEXT,
    "no markup": "Beste lezer, dit is het nieuws van de maand.",
    "behind body": f"<html><body>x</body></html>{TEXT}",
    "dark page": f'<body bgcolor="#101010"><table bgcolor="#ffffff"><tr><td>{TEXT}</td></tr></table></body>',
    "white text": f'<body style="color:#fff"><table bgcolor="#000000"><tr><td>{TEXT}</td></tr></table></body>',
    "style sheet": f"<style>body{{background:#123456}} p,td{{color:#eee}} a{{text-decoration:none}}</style>{TEXT}",
    "dark mode of its own": "<style>@media (prefers-color-scheme: dark){body{background:#000;color:#fff}}</style>"
    + TEXT,
    "open tables": f"<body><table><tr><td><table><tr><td>{TEXT}",
    "open hidden block": f"<body>{TEXT}<div style='display:none'>verborgen",
    "open title": f"<body>{TEXT}<title>nooit dicht",
    "open comment": f"<body>{TEXT}<!-- nooit dicht </body>",
    "outlook": f"<body><!--[if mso]><table><td><![endif]-->{TEXT}<!--[if mso]></td></table><![endif]--></body>",
    "right to left": f"<html dir=rtl lang=ar><body>{TEXT}</body></html>",
    "nothing above": "<body style='font-size:0;line-height:0'></body>",
}
LOOK = """url => {
  const link = document.querySelector(`a[href="${url}"]`), box = link.getBoundingClientRect();
  const solid = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } return ''; };
  const block = link.closest('div[lang]');
  const after = [...document.querySelectorAll('body *')].filter(e => !block.contains(e) && !e.contains(block)
    && e.innerText && e.innerText.trim() && e.getBoundingClientRect().top > box.bottom);
  const style = getComputedStyle(link);
  return {links: document.querySelectorAll(`a[href="${url}"]`).length, width: box.width, height: box.height,
    color: style.color, size: parseFloat(style.fontSize), line: style.textDecorationLine, after: after.length,
    background: solid(link),
    hit: link.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2))};
}"""


def edited(html: str) -> str:
    made = draft(html)
    assert FILTER.apply(made, context()) == ()
    finished = Draft(parse(render(made)))
    return finished.content(finished.message.root).decode()


@pytest.mark.parametrize("name", MAILS)
def test_the_link_is_last_seen_and_readable_by_day_and_in_the_dark(browser: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / "mail.html"
    file.write_text(edited(MAILS[name]), "utf-8")
    for scheme in ("light", "dark"):
        with browser.new_context(color_scheme=scheme, offline=True) as tab:
            page = tab.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(file.as_uri())
            seen = page.evaluate(LOOK, URL.decode())
        assert (seen["links"], seen["after"], seen["hit"], seen["line"]) == (1, 0, True, "underline"), scheme
        assert seen["width"] > 40
        assert seen["height"] > 10
        assert seen["size"] >= 14
        page_colour = luminance(seen["background"]) if seen["background"] else 1.0
        text_colour = luminance(seen["color"])
        assert page_colour is not None
        assert text_colour is not None
        assert contrast(page_colour, text_colour) >= 4.5, (scheme, seen)
