"""A registry of its own in a temporary folder, and people to put in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import opening
from gateway.registry.opening import Owner
from gateway.registry.places import Places, places
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.sqlite import SQLiteRegistry

pytest.register_assert_rewrite("tests.registry.contract")

KEYS = Pseudonyms((b"k" * 32,), frozenset({"wide.example"}))
OTHER_KEYS = Pseudonyms((b"x" * 32,))
MARKETING = Scope(ScopeKind.MARKETING)
LIST = Scope(ScopeKind.LIST, 3)
OTHER_LIST = Scope(ScopeKind.LIST, 4)
SOURCE = Scope(ScopeKind.SOURCE, 1)

FORM = Evidence("person", "form", "v1", "form 7")
CONFIRMED = Evidence("person", "confirmed", "v1", "mail 9")
OPERATOR = Evidence("operator:jan", "phone", "", "asked by phone")
IMPORT = Evidence("import:old", "form", "v1", "old list")
LINK = Evidence("web")


def person(local: str = "anna", domain: str = "example.nl", keys: Pseudonyms = KEYS) -> Person:
    return keys.person(Address.parse(f"{local}@{domain}"))


def event(
    kind: EventKind,
    /,
    who: Person | None = None,
    scope: Scope | None = None,
    evidence: Evidence = FORM,
    at: int = 1_000,
    **detail: str | int | bool | None,
) -> Event:
    return Event(kind, who or person(), at, evidence, scope, detail)


@pytest.fixture
def where(tmp_path: Path) -> Places:
    return places(tmp_path, "school")


@pytest.fixture
def owner() -> Owner:
    return Owner(7, KEYS)


@pytest.fixture
def open_here(where: Places, owner: Owner) -> Iterator[Callable[..., SQLiteRegistry]]:
    """Opens the registry in the test's folder, as one more process would; closes them all at the end."""
    opened: list[SQLiteRegistry] = []

    def open_one(**changed: object) -> SQLiteRegistry:
        registry = SQLiteRegistry(
            changed.get("where", where),  # type: ignore[arg-type]
            changed.get("owner", owner),  # type: ignore[arg-type]
            changed.get("seen"),  # type: ignore[arg-type]
        )
        opened.append(registry)
        return registry

    yield open_one
    for registry in opened:
        registry.close()


@pytest.fixture
def registry(where: Places, owner: Owner, open_here: Callable[..., SQLiteRegistry]) -> SQLiteRegistry:
    opening.init(where, owner)
    return open_here()
