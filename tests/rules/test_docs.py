"""What two places must agree on: pages and code, links and files, filters and their test and page."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.config.reference import _models
from gateway.config.trackers import Trackers
from gateway.filters import FILTERS
from gateway.observe.reference import declared

ROOT = Path(__file__).parents[2]
GENERATED = re.findall(r"^write (\S+) (.+)$", (ROOT / "scripts" / "generate-docs").read_text("utf-8"), re.MULTILINE)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])
CODE = {path: path.read_text("utf-8") for path in sorted((ROOT / "gateway").rglob("*.py"))}
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def test_the_list_of_generated_pages_is_complete() -> None:
    says = {p.name for p in (ROOT / "docs").glob("*.md") if "\nMade by `python -m" in p.read_text("utf-8")}
    listed = {page for page, _ in GENERATED}
    pages = ("settings", "metrics", "cli", "decisions", "decisions-full", "conformance")
    assert says == listed == {f"{name}.md" for name in pages}


@pytest.mark.parametrize(("page", "module"), GENERATED)
def test_a_generated_page_is_what_the_program_says(page: str, module: str) -> None:
    made = subprocess.run([sys.executable, "-m", *module.split()], cwd=ROOT, capture_output=True, check=True)
    assert (ROOT / "docs" / page).read_text("utf-8") == made.stdout.decode(), "run scripts/generate-docs"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = []
    for link in _LINK.findall(page.read_text("utf-8")):
        if link.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_name_only_files_that_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:gateway|tests|docs|config|scripts|systemd|bench)/[\w./-]+\.\w+)`", page.read_text("utf-8")
    )
    assert [n for n in named if not (ROOT / n).exists() and not (ROOT / "gateway" / n).exists()] == []


@pytest.mark.parametrize("name", [*(f.name for f in FILTERS), "leak_check"])
def test_a_filter_has_a_file_a_test_and_a_section(name: str) -> None:
    assert (ROOT / "gateway" / "filters" / f"{name}.py").exists()
    assert (ROOT / "tests" / "filters" / f"test_{name}.py").exists()
    assert f"\n## {name}\n" in (ROOT / "docs" / "filters.md").read_text("utf-8")


def test_every_filter_file_is_in_the_tuple_and_every_section_is_a_filter() -> None:
    declare = {
        p.stem for p, text in CODE.items() if p.parent.name == "filters" and re.search(r"^FILTER = ", text, re.M)
    }
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs" / "filters.md").read_text("utf-8"), re.MULTILINE)
    assert declare == {f.name for f in FILTERS}
    assert sections == [*(f.name for f in FILTERS), "leak_check"], "in the order in which they run"


def used(module: str, name: str) -> bool:
    """Whether a file of the program other than `module` itself reads `module.name` or imports it."""
    by_dot = re.compile(rf"\b{module}\.{name}\b")
    by_name = re.compile(rf"from gateway\.observe\.{module} import [^\n]*\b{name}\b")
    return any(by_dot.search(text) or by_name.search(text) for path, text in CODE.items() if path.stem != module)


def test_every_mail_event_is_logged_somewhere() -> None:
    tree = ast.parse(CODE[ROOT / "gateway" / "observe" / "maillog.py"])
    functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    inside = {"redact"}  # handed to structlog in the same file
    assert [name for name in functions if name not in inside and not used("maillog", name)] == []


def test_every_metric_is_counted_somewhere() -> None:
    assert [name for name in declared() if not used("metrics", name)] == []


def test_every_setting_is_on_the_page() -> None:
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    keys = {key for top in (Gateway, Organisation, Trackers) for m in _models(top, set()) for key in m.model_fields}
    assert [key for key in sorted(keys) if f"| `{key}` |" not in text] == []


def test_the_changelog_has_room_for_what_comes() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "\n## Unreleased\n" in text


def test_make_targets_and_commands_named_in_pages_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = {
        line[3:] for line in re.findall(r"^#+ briefgeheim .+$", (ROOT / "docs" / "cli.md").read_text("utf-8"), re.M)
    }
    known = {line.strip() for line in commands}
    wrong = []
    for page in PAGES:
        text = page.read_text("utf-8")
        wrong += [
            f"{page.name}: make {t}"
            for t in re.findall(r"^(?:`|)make ([a-z-]+)", text, re.M)
            if f"\n{t}:" not in makefile
        ]
        for words in re.findall(r"`briefgeheim ([a-z-]+(?: [a-z]+)?)", text):
            first = words.split()[0]
            if f"briefgeheim {words}" not in known and f"briefgeheim {first}" not in known:
                wrong.append(f"{page.name}: briefgeheim {words}")
    assert wrong == []
