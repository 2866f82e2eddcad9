"""The opt-out page as people meet it: in a real browser, by keyboard, on a small screen, in the dark, on paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gateway.facts import Scope, ScopeKind
from gateway.registry.journal import Journal
from tests.browser.conftest import PATIENCE
from tests.web.house import House, open_house

pytestmark = pytest.mark.needs("chromium")

LIST, SOURCE = Scope(ScopeKind.LIST, 7), Scope(ScopeKind.SOURCE, 1)
SMALL = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@dataclass
class Visit:
    """One visitor with a browser profile of their own, and all that their browser did."""

    context: BrowserContext
    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Visitor = Callable[..., Visit]


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    contexts: list[BrowserContext] = []

    def come(language: str = "nl-NL", *, scripts: bool = True, **settings: Any) -> Visit:
        context = browser.new_context(locale=language, java_script_enabled=scripts, **settings)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        visit = Visit(context, context.new_page())
        context.on("request", lambda request: visit.asked.append(request.url))
        visit.page.on("console", lambda message: visit.complaints.append(message.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        return visit

    yield come
    for context in contexts:
        context.close()


def scopes(house: House, before: int) -> list[Scope]:
    return [record.scope for record in house.records()[before:]]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_s05_r066_one_button_opts_out_and_shows_the_receipt(house: House, visitor: Visitor, scripts: bool) -> None:
    before, visit = len(house.records()), visitor(scripts=scripts)
    page = visit.page
    page.goto(house.link(scope=LIST))
    expect(page.get_by_role("button")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Wil je je afmelden?")
    assert len(house.records()) == before, "looking changes nothing"
    page.get_by_role("button", name="Ja, meld mij af").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Je bent afgemeld")
    assert scopes(house, before) == [LIST]
    journal = Journal.open(house.folder / "alfa.journal", write=False)
    receipt = f"{len(house.records())}-{journal.head.identity[:3].hex()}"
    journal.close()
    expect(page.get_by_role("definition").first).to_have_text(receipt)
    expect(page.get_by_role("time")).to_have_text("9 oktober 2025, 08:53 UTC")
    expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_s60_the_choice_for_all_marketing_is_visible_and_off_until_chosen(
    house: House, visitor: Visitor, scripts: bool
) -> None:
    before, page = len(house.records()), visitor("en-GB", scripts=scripts).page
    page.goto(house.link(scope=LIST))
    wider = page.get_by_role("checkbox", name="Also stop all other newsletters")
    expect(wider).to_be_visible()
    expect(wider).not_to_be_checked()
    page.get_by_text("Also stop all other newsletters").click()  # the words belong to the box
    expect(wider).to_be_checked()
    page.get_by_role("button").click()
    expect(page.get_by_role("main")).to_contain_text("newsletters, advertising or offers")
    assert scopes(house, before) == [Scope(ScopeKind.MARKETING)]


def test_s22_a_link_that_stops_everything_offers_no_second_choice(house: House, visitor: Visitor) -> None:
    page = visitor().page
    page.goto(house.link(scope=SOURCE))
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_role("main")).to_contain_text("ook geen informatie over deelname")


def test_the_other_language_is_one_press_away_and_stays(house: House, visitor: Visitor) -> None:
    page = visitor("nl-NL").page
    page.goto(house.link())
    assert page.locator("html").get_attribute("lang") == "nl"
    page.get_by_role("navigation", name="Taal").get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Do you want to unsubscribe?")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("button", name="Yes, unsubscribe me").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")


def test_s05_r068_nothing_is_asked_of_anyone_else_and_nothing_is_kept(house: House, visitor: Visitor) -> None:
    visit = visitor()
    page = visit.page
    page.goto(house.link())
    page.get_by_role("link", name="English").click()
    page.get_by_role("button").click()
    page.wait_for_load_state("networkidle")
    assert visit.asked
    assert [url for url in visit.asked if not url.startswith(house.url + "/")] == []
    assert visit.context.cookies() == []
    assert visit.context.storage_state() == {"cookies": [], "origins": []}
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.scripts.length]") == [0, 0, 0]
    assert visit.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_the_keyboard_alone_is_enough_and_shows_where_it_is(house: House, visitor: Visitor, scripts: bool) -> None:
    before, page = len(house.records()), visitor(scripts=scripts).page
    page.goto(house.link(scope=LIST))
    for role in ("link", "checkbox", "button"):
        page.keyboard.press("Tab")
        expect(page.get_by_role(role).first).to_be_focused()
        outline = page.locator(":focus").evaluate("e => getComputedStyle(e).outline")
        assert "3px" in outline, outline
        if role == "checkbox":
            page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Je bent afgemeld")
    assert scopes(house, before) == [Scope(ScopeKind.MARKETING)]


def press(page: Page) -> None:
    """Press the button and wait for the answer with its style."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button").click()


def walk(page: Page, house: House) -> Iterator[str]:
    """Every page there is, one after the other."""
    page.goto(house.link(scope=LIST))
    yield "ask"
    press(page)
    yield "done"
    page.goto(house.link(scope=SOURCE))
    yield "ask, all mail"
    page.goto(f"{house.url}/alfa/nonsense")
    yield "bad link"
    page.goto(f"{house.url}/nobody/nonsense")
    yield "bad link of nobody"


def test_landmarks_headings_and_titles_lead_the_way(house: House, visitor: Visitor) -> None:
    page, titles = visitor("en-GB").page, []
    for where in walk(page, house):
        expect(page.get_by_role("main")).to_have_count(1)
        expect(page.get_by_role("banner")).to_have_count(1)
        expect(page.get_by_role("heading")).to_have_count(1)
        if "nobody" not in where:
            expect(page.get_by_role("contentinfo")).to_contain_text("info@alfa.example")
        titles.append(page.title())
    assert titles == [
        "Unsubscribe – Stichting Alfa",
        "You are unsubscribed – Stichting Alfa",
        "Unsubscribe – Stichting Alfa",
        "This link does not work – Stichting Alfa",
        "This link does not work",
    ]


def test_a_small_screen_needs_no_sideways_scrolling_and_has_large_targets(house: House, visitor: Visitor) -> None:
    page = visitor(viewport=SMALL, has_touch=True, is_mobile=True).page
    for where in walk(page, house):
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"], where
        for target in page.locator("button, label, nav a, .button").all():
            box = target.bounding_box()
            assert box is not None
            assert box["height"] >= 44, (where, target.inner_text())


def test_larger_letters_and_long_words_stay_on_the_page(house: House, visitor: Visitor) -> None:
    page = visitor(viewport=SMALL).page
    page.goto(house.link(scope=LIST))
    page.locator("h1").evaluate("e => { e.textContent = 'Onderwijsvernieuwingssubsidieaanvraag'.repeat(2) }")
    page.locator("html").evaluate("e => { e.style.fontSize = '200%' }")
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]


_COLOURS = """() => {
  const shown = [...document.querySelectorAll('body *')].filter(e =>
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return shown.map(e => [e.textContent.trim().slice(0, 40), getComputedStyle(e).color, ground(e)]);
}"""


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def too_faint(page: Page, least: float) -> list[str]:
    found = page.evaluate(_COLOURS)
    assert found
    return [f"{text}: {ink} on {paper}" for text, ink, paper in found if contrast(ink, paper) < least]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_is_readable_by_day_and_in_the_dark(house: House, visitor: Visitor, scheme: str) -> None:
    page = visitor(color_scheme=scheme).page
    for where in walk(page, house):
        assert too_faint(page, 4.5) == [], where
    paper = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    assert (luminance(paper) < 0.1) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_receipt_prints_as_black_on_white(house: House, visitor: Visitor, tmp_path: Path, scheme: str) -> None:
    page = visitor(color_scheme=scheme).page
    page.goto(house.link())
    press(page)
    page.emulate_media(media="print")
    assert too_faint(page, 12) == []
    expect(page.get_by_role("navigation")).to_have_count(0)
    pages = page.pdf(path=tmp_path / "receipt.pdf", format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pages)) == 1


def test_what_could_not_be_stored_says_so_and_offers_another_try(
    house: House, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, page = len(house.records()), visitor("en-GB").page

    def full(*_: object) -> list[str]:
        raise OSError(28, "No space left on device")

    page.goto(house.link(scope=LIST))
    with monkeypatch.context() as broken:
        broken.setattr(Journal, "append_opt_outs", full)
        page.get_by_role("button").click()
        expect(page.get_by_role("main")).to_contain_text("you are not unsubscribed yet")
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert scopes(house, before) == [LIST]
