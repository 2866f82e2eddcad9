"""Prints docs/conformance.md: every promise, what makes it true, and the tests that carry its number.

The tests are found by their names below tests/conformance/, so that page and tests cannot differ.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gateway.config.promises import Promise, load_promises  # noqa: E402 the path above comes first

_HEAD = """# Conformance

Made by `python -m scripts.conformance_page`; a test compares this page with the files it is made from.

What the two published policies promise, in our own words, row by row. `briefgeheim conformance --organisation NAME`
prints the same for a running gateway, with its own counts. Status: *enforced*: a rule decides; *supported*: a command
or page does it; *measured*: a number shows it; *later*: not in this version; *outside*: not the gateway's to do.
"""


def tests() -> dict[str, list[str]]:
    """`S-18` → tests named for it, as `file::name`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests" / "conformance").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_s"):
                for word in node.name.removeprefix("test_").split("_"):
                    if len(word) == 3 and word[0] == "s" and word[1:].isdigit():
                        found[f"S-{word[1:]}"].append(f"{path.name}::{node.name}")
    return found


def page() -> str:
    """The whole page."""
    named, lines = tests(), [_HEAD]
    for file in sorted((ROOT / "config" / "promises").glob("*.yaml")):
        promises = load_promises(file)
        lines += [f"## {promises.organisation}, policy of {promises.policy_date.isoformat()}\n"]
        lines += ["| | promise | what makes it true | where | test | status |", "|---|---|---|---|---|---|"]
        lines += [_row(promise, named[promise.id]) for promise in promises.promises]
        lines += [""]
    return "\n".join(lines)


def _row(promise: Promise, named: list[str]) -> str:
    where = "<br>".join(f"`gateway/{name}`" for name in promise.where)
    status = f"{promise.status}: {promise.why}" if promise.why else promise.status
    cells = (promise.id, promise.promise, promise.rule, where, "<br>".join(f"`{n}`" for n in named), status)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
