"""The table of docs/filters.md: what each filter removes, keeps and risks, with what was measured on mail of others.

usage:      python -m scripts.corpus_table [--check]
what:       writes the table between its two marks, from what `python -m bench.corpus --results FILE` found
knows not:  how it was measured
fails by:   exit 1 with --check when page and results differ; ValueError when a mark is missing
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "filters.md"
RESULTS = ROOT / "bench" / "corpus-results.json"
BEGIN = "<!-- figures: made by scripts/corpus_table.py from bench/corpus-results.json -->"
END = "<!-- figures: end -->"
_LINKS = ("recorder", "redirect", "parameter", "individual")
_HEAD = (
    "| filter | removes or writes | keeps | risk | right | missed | false alarms | judged by |",
    "|---|---|---|---|---|---|---|---|",
)
_ROWS: tuple[tuple[str, str, str, str, tuple[str, ...], tuple[str, ...], str], ...] = (
    (
        "header_hygiene, private_recipients, leak_check",
        "other people's addresses, wherever they stand",
        "who writes; contacts; the recipient",
        "an address in a form that no reader here decodes",
        ("others",),
        (),
        "addresses of To, Cc and the envelope, looked for in octets and decoded parts",
    ),
    (
        "receipts",
        "requests for receipts",
        "all other fields",
        "a request by a name that is not on the list",
        ("receipts",),
        (),
        "names of R-051 to R-054, written down again",
    ),
    (
        "trackers, images",
        "images and other loads that record opens",
        "pictures, fonts and spacers that are the same for everybody",
        "an individual picture of visible size that one copy does not give away",
        ("load tracker",),
        ("load common", "load spacer"),
        "`bench/truth/loads.tsv`",
    ),
    (
        "trackers, links of marketing",
        "parameters; redirectors whose target they carry; what hides its target is reported",
        "opt-out, account and payment links; plain ones",
        "an individual link that looks like any other",
        tuple(f"link {label}{said}" for label in _LINKS for said in ("", ", reported")),
        ("link exempt", "link plain"),
        "`bench/truth/links.tsv`",
    ),
    (
        "opt_out, text",
        "one visible opt-out in each alternative",
        "every word of the mail",
        "a place that a mail program hides",
        ("opt-out",),
        ("words",),
        "visible links and words, by the standard library's HTML reader",
    ),
    (
        "opt_out, header",
        "List-Unsubscribe and -Post, signed; foreign ones go",
        "-",
        "a provider that rewrites them",
        ("opt-out header",),
        (),
        "the address opens, h= names both",
    ),
    (
        "long_lines",
        "lines over 998 octets",
        "what they say",
        "-",
        ("lines",),
        (),
        "the octets that leave",
    ),
    (
        "all, attachments",
        "-",
        "every attachment, octet for octet",
        "-",
        (),
        ("attachments",),
        "SHA-256 of what stands there and of what it decodes to",
    ),
    (
        "all, signed and encrypted parts",
        "-",
        "every one, octet for octet",
        "-",
        (),
        ("sealed",),
        "the octets between their boundaries",
    ),
    (
        "all, structure",
        "-",
        "the tree of parts",
        "readers that disagree from the start",
        (),
        ("tree by standard library", "tree by fast-mail-parser", "tree by postal-mime"),
        "three parsers, before and after",
    ),
    (
        "signature",
        "-",
        "valid",
        "-",
        (),
        ("DKIM by dkimpy", "DKIM by mailauth"),
        "dkimpy and mailauth",
    ),
)


def lines(found: dict[str, Any]) -> list[str]:
    """The whole block between the marks."""
    made = [_sentence(found), "", *_HEAD]
    for name, removes, keeps, risk, hit, kept, by in _ROWS:
        ways = ("newsletter",) if name.endswith("marketing") else tuple(found["seen"])
        seen, wrong = _count(found, hit, ways)
        there, lost = _count(found, kept, ways)
        right = f"{seen - wrong} of {seen}" if hit else "-"
        alarms = f"{lost} of {there}" if kept else "-"
        made.append(f"| {name} | {removes} | {keeps} | {risk} | {right} | {wrong if hit else '-'} | {alarms} | {by} |")
    return made


def _sentence(found: dict[str, Any]) -> str:
    ways = {way: sum(outcomes.values()) for way, outcomes in found["outcomes"].items()}
    parts = [
        f"{found['outcomes'][way].get('delivered', 0)} of {number} left as {way} mail" for way, number in ways.items()
    ]
    crashed = sum(n for outcomes in found["outcomes"].values() for why, n in outcomes.items() if "crashed" in why)
    return (
        f"Measured on the open corpus ({found['mails']} mails and templates that nobody here wrote), each handed in as "
        f"a newsletter to one reader and as private mail to everybody it names: {'; '.join(parts)}; the others were "
        f"refused or held with a reason, {crashed} failed. Counts are over both ways; the labels and how they came "
        "about are in `bench/truth/README.md`."
    )


def _count(found: dict[str, Any], names: tuple[str, ...], ways: tuple[str, ...]) -> tuple[int, int]:
    seen = sum(found["seen"][way].get(name, 0) for way in ways for name in names)
    wrong = sum(found["wrong"].get(way, {}).get(name, 0) for way in ways for name in names)
    return seen, wrong


def written(page: str, found: dict[str, Any]) -> str:
    """The page with the block anew. Raises `ValueError` when a mark is missing."""
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return page[:start] + "\n\n" + "\n".join(lines(found)) + "\n\n" + page[end:]


def main() -> int:
    page = PAGE.read_text("utf-8")
    made = written(page, json.loads(RESULTS.read_text("utf-8")))
    if "--check" in sys.argv[1:]:
        return int(made != page)
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
