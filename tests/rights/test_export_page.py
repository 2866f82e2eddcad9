"""The page: readable for people who see it and who hear it, whatever is in the data."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rights.dossier import Dossier
from gateway.rights.export_page import page
from gateway.rights.tables import TABLES, Recipient, Request, Row
from tests.rights.house import example, house

PAREL = example().organisation("kleine-parel")


def dossier(**rows: tuple[Row, ...]) -> Dossier:
    return Dossier(
        PAREL, 1_800_000_000, "nl", "anna@voorbeeld.example", True, {name: rows.get(name, ()) for name in TABLES}
    )


class Reader(HTMLParser):
    """Tags that were opened and not closed, ids, references to them."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.heads: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []  # type: ignore[list-item]
        self.named += [v.lstrip("#") for k, v in attrs if k in ("href", "aria-labelledby") and v]
        if tag in ("h1", "h2", "h3"):
            self.heads.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_sections_have_headings_and_every_reference_leads_somewhere() -> None:
    read = Reader(page(dossier(), "access", dossier().rows))
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert set(read.named) <= set(read.ids)
    assert read.heads == ["h1", *["h2"] * (len(TABLES) + 1)]


def test_columns_without_anything_are_left_out_and_wide_rows_become_cards() -> None:
    narrow = page(dossier(), "access", {"recipients": (Recipient("third party", "a", "A", "2020-01-01", "no"),)})
    assert '<th scope="col">Kreeg gegevens van u</th>' in narrow
    wide = page(
        dossier(), "access", {"requests": (Request(1, "access", "2027-01-01", "2027-02-01", "open", "letter", "x"),)}
    )
    assert '<ol class="cards">' in wide
    assert "<table>" not in wide
    assert "brief" in wide


@given(st.text(min_size=1, max_size=40))
@settings(deadline=None, max_examples=150)
def test_nothing_in_the_data_becomes_markup(value: str) -> None:
    rows = {"recipients": (Recipient(value, value, value, value, value),)}
    text = page(dossier(), "access", rows)
    tags = Reader(text)
    assert tags.open == []
    plain = page(dossier(), "access", {"recipients": (Recipient("a", "a", "a", "a", "a"),)})
    assert text.count("<") == plain.count("<")


@pytest.mark.needs("chromium")
async def test_it_opens_in_a_browser_without_asking_for_anything(tmp_path: Path) -> None:
    from playwright.async_api import async_playwright

    from gateway.rights.export import Profile, files, write
    from tests.rights.test_export import filled

    async with house(tmp_path / "house") as made:
        write(tmp_path / "out", files(await filled(made), Profile.ACCESS))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        shown = await browser.new_page(viewport={"width": 320, "height": 600})
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        complaints: list[str] = []
        shown.on("console", lambda message: complaints.append(message.text))
        await shown.goto(f"file://{tmp_path / 'out' / 'read-me.html'}")
        assert await shown.evaluate("document.documentElement.scrollWidth") <= 320, (
            "nothing to push sideways on a phone"
        )
        assert await shown.locator("h2").count() == len(TABLES) + 1
        assert await shown.locator("body").evaluate("e => getComputedStyle(e).fontSize") == "16px"
        await browser.close()
    assert len(asked) == 1
    assert complaints == []
