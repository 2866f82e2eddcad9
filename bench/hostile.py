"""1 MB of HTML made to be slow, in thirty shapes, through all filters: milliseconds of CPU each.

usage:      python -m bench.hostile [--megabytes N] [--shape NAME]
what:       all filters and compile; beside it the whole path: parse, look inside, classify, decide, filters, compile,
            leak check, render, sign; the least of three
takes→gives: nothing → a table on standard output; exit 1 when a shape is over the aim
knows not:  what the filters do with it
standard:   DESIGN §6: 1 MB of hostile HTML under 200 ms
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable

from bench.corpus.house import READER, House, Way
from gateway.app.links import GARBAGE
from gateway.filters import FILTERS
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.template import compile as compile_template
from tests.filters.example import context

AIM = 200.0
_HEAD = (
    b"From: Example <info@example.org>\r\nTo: reader@people.example\r\nSubject: Example\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
)


def _of(piece: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """`piece` as often as it fits, in lines that a mail may have."""
    lines = piece if "\n" in piece else piece * max(1, 900 // len(piece)) + "\r\n"
    return lambda size: before + lines * (size // len(lines)) + after


SHAPES: dict[str, Callable[[int], str]] = {
    "open comments": _of("<!--"),
    "conditional comments": _of("<!--[if mso]><p>x<![endif]-->"),
    "conditional comments in each other": _of("<!--[if mso]>"),
    "open tags": _of("<a "),
    "open attributes": _of('<a href="'),
    "declarations": _of("<?<!"),
    "deep elements": _of("<div>"),
    "deep tables": _of("<table><tr><td>"),
    "unclosed emphasis": _of("<b><i>"),
    "many attributes": _of(" a=1", "<p", ">"),
    "small images": _of('<img src="https://t.example.com/o?u=9f8e7d6c5b4a" width=1 height=1>'),
    "links": _of('<a href="https://example.com/?utm_source=a&amp;mc_eid=9f8e7d6c5b4a">x</a>'),
    "addresses in text": _of("https://example.com/a?utm_source=b "),
    "mail addresses": _of("a@b.example "),
    "at signs": _of("@."),
    "references": _of("&amp;&#64;&lt;"),
    "style with addresses": _of("a{background:url(https://example.com/x.png)}", "<style>", "</style>"),
    "style with open addresses": _of("url(", "<style>", "</style>"),
    "style with braces": _of("{", "<style>", "</style>"),
    "style attributes": _of('<p style="background:url(https://example.com/x.png)">'),
    "candidates": _of("https://example.com/x.png 1x, ", '<img srcset="', '">'),
    "noscript": _of("<noscript>"),
    "plaintext in the middle": _of("<p>x</p>\r\n<plaintext>"),
    "spaces": _of(" "),
    "empty lines": _of("\r\n"),
    "one line": lambda size: "x" * size,
    "nul-like entities": _of("&#0;&#xD;&#10;"),
    "percent signs": _of("%40%2E%25"),
    "quoted replies": _of("<blockquote>"),
    "opt-out words": _of("<p>unsubscribe afmelden</p>"),
}


def measure(house: House, shape: Callable[[int], str], size: int) -> tuple[float, float, str]:
    """Milliseconds of CPU of the filters and of the whole, the least of three each, and the outcome."""
    raw = _HEAD + shape(size).encode("ascii")
    least, outcome = [float("inf"), float("inf")], ""
    for _ in range(3):
        draft, began = Draft(parse(raw)), time.process_time()
        for item in FILTERS:
            item.apply(draft, context())
        compile_template(draft, seven_bit=True)
        least[0] = min(least[0], time.process_time() - began)
        began = time.process_time()
        answer = house.ask(raw, [READER])
        least[1] = min(least[1], time.process_time() - began)
        made = answer.made
        outcome = str(answer.account.get("refused", "")) if made is None else "delivered"
        if made is not None and made.stop is not None:
            outcome = f"{made.stop.action.value}: {made.stop.filter} {made.stop.kind}"
    return least[0] * 1000, least[1] * 1000, outcome


def main() -> int:
    options = _options()
    house = House.build(Way.NEWSLETTER)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)  # as the workers run
    chosen = {name: made for name, made in SHAPES.items() if options.shape in (None, name)}
    worst = 0.0
    sys.stdout.write(
        f"| shape, {options.megabytes:g} MB | filters, ms of CPU | whole path | outcome |\n|---|---|---|---|\n"
    )
    for name, shape in chosen.items():
        taken, whole, outcome = measure(house, shape, int(options.megabytes * 1e6))
        worst = max(worst, taken)
        sys.stdout.write(f"| {name} | {taken:.0f} | {whole:.0f} | {outcome[:90]} |\n")
        sys.stdout.flush()
    sys.stdout.write(f"worst of the filters {worst:.0f} ms, aim {AIM * options.megabytes:.0f} ms\n")
    return int(worst > AIM * options.megabytes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--shape", choices=sorted(SHAPES), default=None)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
