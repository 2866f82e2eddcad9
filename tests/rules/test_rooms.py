"""Who may import whom (DESIGN: rooms), which library lives where, and how large things may get."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GATEWAY = ROOT / "gateway"
FILES = sorted(GATEWAY.rglob("*.py"))

WORDS = {"envelope", "reply", "address", "token", "decision", "facts", "pseudonym", "config", "observe"}
WORDS |= {"inspection", "compared", "base64_lines", "private_file"}
PROTOCOLS = {"registry.protocol", "spool.protocol", "audit.protocol", "cases.protocol", "campaigns.protocol"}
THOUGHT = {"message", "policy", "filters", "signing", "documents", "proof"}
CONDUCTORS = {"tenant", "plan", "lookup", "ledger", "explanation", "exposure", "stored", "pipeline", "outbox", "rights"}
CONDUCTORS |= {"trace_fields", "leaks", "content", "campaign", "copies", "agreement"}

MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(WORDS, WORDS),
    "message": WORDS,
    "policy": WORDS,
    "filters": WORDS | {"message"},
    "signing": WORDS,
    "documents": WORDS | {"message"},
    "proof": WORDS | {"message", "signing"},
    "registry": WORDS,
    "audit": WORDS,
    "cases": WORDS,
    "campaigns": WORDS | {"registry.redis_primary"},  # the way to the organisation's Redis
    "spool": WORDS | {"audit.protocol"},
    "backup": WORDS | {"registry", "audit", "cases"},
    **dict.fromkeys(CONDUCTORS, WORDS | THOUGHT | PROTOCOLS | CONDUCTORS),
    "rights": WORDS | THOUGHT | PROTOCOLS | CONDUCTORS | {"registry.intervals"},  # a pure function over a history
    "ingress": WORDS,
    "delivery": WORDS | PROTOCOLS | {"policy", "signing", "message.template", "proof"},
    "web": WORDS | PROTOCOLS | {"rights", "policy.explain"},
    "admin": WORDS | PROTOCOLS | {"rights", "policy.explain", "policy.reach", "registry.scopes"},
}
ROOT_ROOMS = {"app", "cli", "__main__", "__init__", "demo"}

LIVES_IN: dict[str, set[str]] = {
    "aiosmtpd": {"ingress", "demo"},
    "aiosmtplib": {"delivery.relay"},
    "dkim": {"signing", "demo"},
    "turbohtml": {"message.html", "message.skim"},
    "sqlite3": {"registry", "spool", "audit", "cases", "campaigns"},
    "redis": {"registry", "campaigns"},
    "prometheus_client": {"observe"},
    "httpx": {"app"},
    "email_validator": {"address"},
    "fastapi": {"admin"},
    "starlette": {"web", "admin"},
    "uvicorn": {"web"},
    "jinja2": {"web", "cli"},
    "ruamel": {"config", "demo"},
    "typer": {"cli"},
    "rich": {"cli", "demo"},
    "pypdfium2": {"documents"},
    "python_calamine": {"documents"},
    "phonenumbers": {"documents"},
    "stdnum": {"documents"},
    "asn1crypto": {"filters", "message"},
    "holidays": {"rights", "config.check_rights"},
}
IMPURE = {"asyncio", "logging", "time", "random", "socket", "sqlite3", "redis", "os", "subprocess", "threading"}
PURE_ROOMS = ("message", "policy", "filters", "documents", "proof")
BANNED_NAMES = {
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "engine",
    "processor",
    "service",
    "core",
    "misc",
}


def room_of(path: Path) -> str:
    return ".".join(path.relative_to(GATEWAY).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.lineno, node.module))
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def inside(name: str, allowed: set[str]) -> bool:
    return any(name == item or name.startswith(item + ".") for item in allowed)


@pytest.mark.parametrize("path", FILES, ids=room_of)
def test_a_room_imports_only_what_the_design_lets_it(path: Path) -> None:
    room = room_of(path)
    top = room.split(".")[0]
    if top in ROOT_ROOMS or not top:
        return
    assert top in MAY_IMPORT, f"{path} is in no room of the design"
    allowed = MAY_IMPORT[top] | {top}
    ours = [(line, name.removeprefix("gateway.")) for line, name in imports(path) if name.startswith("gateway.")]
    wrong = [f"{path}:{line}: {name}" for line, name in ours if not inside(name, allowed)]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=room_of)
def test_a_library_lives_in_its_room(path: Path) -> None:
    room = room_of(path)
    wrong = [
        f"{path}:{line}: {name}"
        for line, name in imports(path)
        if (home := LIVES_IN.get(name.split(".")[0])) is not None and not inside(room, home)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p).split(".")[0] in PURE_ROOMS], ids=room_of)
def test_thinking_rooms_have_no_clock_no_files_no_waiting(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert [name for _, name in imports(path) if name.split(".")[0] in IMPURE] == []
    assert [n.lineno for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.Await)] == []
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    assert [n.lineno for n in calls if n.func.id in ("open", "print")] == []


@pytest.mark.parametrize("path", FILES, ids=room_of)
def test_files_and_functions_stay_readable(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 600
    assert path.stem not in BANNED_NAMES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{path}:{node.lineno} {node.name}"


def test_only_the_settings_room_reads_the_environment() -> None:
    found = [
        str(p)
        for p in FILES
        if re.search(r"os\.environ|getenv", p.read_text("utf-8")) and room_of(p).split(".")[0] != "config"
    ]
    assert found == []


BOUNDARIES = {"pipeline", "delivery", "ingress", "web"}


@pytest.mark.parametrize("path", FILES, ids=room_of)
def test_broad_excepts_stand_only_at_the_boundaries(path: Path) -> None:
    broad = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    assert broad == [] or room_of(path).split(".")[0] in BOUNDARIES


@pytest.mark.parametrize("path", FILES, ids=room_of)
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{path} has no head"


def test_no_organisation_is_named_in_code() -> None:
    found = [
        str(p)
        for p in FILES
        if any(word in p.read_text("utf-8").lower() for word in ("kleine-parel", "kleineparel", "rezulto"))
        and room_of(p).split(".")[0] != "demo"
    ]
    assert found == []
