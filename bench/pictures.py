"""Pictures of mail before and after, taken by a real browser with every remote load blocked (`make render`).

what:       HTML parts of a folder of mails, as they came and as they leave, side by side with the share of pixels that
            differ above the opt-out
takes→gives: a folder of .eml and .html files → `build/pictures/index.html` and one line of figures
knows not:  what should look different
fails by:   `SystemExit` without a browser; a mail that is not delivered is counted and left out
standard:   R-041, R-059 (visible pictures stay); pain point: footers that break a layout
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, Route, sync_playwright

from bench.corpus.house import READER, House, Way
from gateway.cli.marked import edited, edits_of
from gateway.message.draft import Slot

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser")
WIDTH, TALLEST = 720, 12_000
_TOLD = 24  # of 255 per channel: less is the drawing of letters
_FOOT = "Math.min(...[...document.querySelectorAll('.briefgeheim')].map(e => e.getBoundingClientRect().top))"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_CSP = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'


@dataclass(frozen=True, slots=True)
class Pair:
    """One HTML part: its texts in UTF-8."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Shot:
    pair: Pair
    before: Image.Image
    after: Image.Image
    foot: int
    """Height above the opt-out, in pixels of the picture after."""

    @property
    def share(self) -> float:
        """Of the pixels above the opt-out: how many differ. What is only in one of the pictures differs."""
        height = max(min(self.foot, self.after.height), 1)
        first, second = (_cropped(image, height) for image in (self.before, self.after))
        told = ImageChops.difference(first, second).convert("L").point(lambda value: 255 if value > _TOLD else 0)
        return told.histogram()[255] / (WIDTH * height)


def _cropped(image: Image.Image, height: int) -> Image.Image:
    made = Image.new("RGB", (WIDTH, height), "white")
    made.paste(image.crop((0, 0, WIDTH, min(height, image.height))))
    return made


def pairs(folder: Path, house: House) -> Iterator[Pair]:
    """Each HTML part of each mail that would leave. A bare HTML file counts as a mail that has only that part."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".eml", ".html")):
        raw = path.read_bytes()
        answer = house.ask(raw if path.suffix == ".eml" else _as_mail(raw), [READER])
        made = answer.made
        if made is None or not answer.finished:
            continue
        rendition = next(r for r in made.renditions.values() if r.variant.strictest == r.variant)
        draft = rendition.draft
        slots = {Slot.OPT_OUT: "https://afmelden.example/", Slot.RECIPIENT: READER}
        for part in draft.message.text_parts():
            if part.content_type == "text/html" and not draft.why_not(part):
                content, codec = draft.content(part), draft.scan_charset(part)
                after = edited(content, edits_of(draft, part.path), slots).content
                name = f"{path.parent.name}/{path.name} {part.path}"
                yield Pair(name, content.decode(codec, "replace"), after.decode(codec, "replace"))


def _as_mail(html: bytes) -> bytes:
    head = "From: News <news@example.org>\nTo: reader@people.example\nSubject: Template\nMIME-Version: 1.0\n"
    kind = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    return (head + kind).encode() + html


def shoot(page: Page, pair: Pair) -> Shot:
    before, _ = _picture(page, pair.before)
    after, foot = _picture(page, pair.after)
    return Shot(pair, before, after, foot)


def _picture(page: Page, html: str) -> tuple[Image.Image, int]:
    page.set_content(_CSP + html, wait_until="load", timeout=15_000)
    foot = page.evaluate(_FOOT)
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    png = page.screenshot(
        full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height}, animations="disabled"
    )
    return Image.open(io.BytesIO(png)).convert("RGB"), int(min(foot if foot is not None else TALLEST, TALLEST))


def report(shots: list[Shot], folder: Path) -> str:
    """Writes the pictures and their page, the most different first; gives the figures in one line."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, shot in enumerate(sorted(shots, key=lambda s: -s.share)):
        for side, image in (("before", shot.before), ("after", shot.after)):
            image.save(folder / f"{number:04d}-{side}.png", optimize=True)
        rows.append(
            f"<h2>{escape(shot.pair.name)} <small>{shot.share:.2%} differ</small></h2><div>"
            f"<img loading=lazy src='{number:04d}-before.png'><img loading=lazy src='{number:04d}-after.png'></div>"
        )
    shares = sorted(shot.share for shot in shots) or [0.0]
    said = (
        f"{len(shots)} HTML parts: {sum(s == 0 for s in shares)} the same above the opt-out, "
        f"median {statistics.median(shares):.3%}, largest {shares[-1]:.2%}, over 1 %: {sum(s > 0.01 for s in shares)}"
    )
    style = "body{font:15px system-ui;margin:2rem}div{display:flex;gap:1rem}img{width:48%;border:1px solid #8888}"
    page = f"<!doctype html><meta charset=utf-8><title>Before and after</title><style>{style}</style><p>{said}</p>"
    (folder / "index.html").write_text(page + "".join(rows), "utf-8")
    return said


def _browser(executables: tuple[str, ...] = BROWSERS) -> str:
    found = next((path for path in executables if Path(path).exists()), "")
    if not found:
        sys.exit(f"no browser: expected one of {', '.join(executables)}")
    return found


def _page(browser: Browser) -> Page:
    # Scripts off for the mail; measuring still works, since it is ours.
    page = browser.new_context(viewport={"width": WIDTH, "height": 900}, java_script_enabled=False).new_page()

    def block(route: Route) -> None:
        route.abort()

    page.route(lambda url: not url.startswith(("data:", "about:")), block)
    return page


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parents[2] / "shared" / "corpus")
    parser.add_argument("--out", type=Path, default=Path("build") / "pictures")
    given = parser.parse_args()
    if not given.folder.is_dir():
        sys.exit(f"{given.folder}: no such folder; name one with .eml files")
    todo = list(pairs(given.folder, House.build(Way.NEWSLETTER)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser(), args=["--no-sandbox", "--disable-gpu"])
        page = _page(browser)
        shots = [shoot(page, pair) for pair in todo]
        browser.close()
    sys.stdout.write(f"{report(shots, given.out)}\nsee {given.out / 'index.html'}\n")


if __name__ == "__main__":
    main()
