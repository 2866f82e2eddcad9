"""The page of `explain --html` in a real browser: frames are drawn, and nothing is asked of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from gateway.cli import run
from tests.browser.conftest import ARGS, PATIENCE

pytestmark = pytest.mark.needs("chromium")

ROOT = Path(__file__).parents[2]
ASK = (
    "--client",
    "kleine-parel-crm",
    "--assume-consent",
    "--any-sender",
    "--config",
    str(ROOT / "config/gateway.yaml"),
)
AS = ("--mark", "Stream=newsletter", "--mark", "List=nieuwsbrief")


def test_before_and_after_are_drawn_and_nothing_loads(tmp_path: Path) -> None:
    page_file = tmp_path / "page.html"
    mail = ROOT / "tests" / "messages" / "course-mail.eml"
    assert run(["explain", str(mail), *ASK, *AS, "--html", str(page_file)]) == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS, timeout=PATIENCE)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        frames = page.frames[1:]
        texts = [frame.locator("body").inner_text() for frame in frames]
        browser.close()
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert len(texts) == 2
    assert all("Beste Jan" in text for text in texts)
    assert ["Dit bericht is verzonden door" in text for text in texts] == [False, True]
