"""The contract of registries on SQLite. The suite itself is in `contract.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from gateway.registry import opening
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner
from gateway.registry.places import Places, places
from gateway.registry.sqlite import SQLiteRegistry
from tests.registry.conftest import KEYS
from tests.registry.contract import *  # noqa: F403 - every test of the suite


@pytest.fixture
def opened() -> Iterator[dict[SQLiteRegistry, Places]]:
    """What was opened, and where; closed at the end."""
    found: dict[SQLiteRegistry, Places] = {}
    yield found
    for registry in found:
        registry.close()


@pytest.fixture
def make_registry(tmp_path: Path, opened: dict[SQLiteRegistry, Places]) -> Callable[..., SQLiteRegistry]:
    numbers = count()

    def make(*, like: SQLiteRegistry | None = None) -> SQLiteRegistry:
        owner = Owner(7, KEYS)
        if like is None:
            where = places(tmp_path / str(next(numbers)), "school")
            opening.init(where, owner)
        else:
            where = opened[like]
        registry = SQLiteRegistry(where, owner)
        opened[registry] = where
        return registry

    return make


@pytest.fixture
def web_journal(opened: dict[SQLiteRegistry, Places]) -> Iterator[Callable[[SQLiteRegistry], Journal]]:
    journals: list[Journal] = []

    def of(registry: SQLiteRegistry) -> Journal:
        journals.append(Journal.ensure(opened[registry].web, organisation=7))
        return journals[-1]

    yield of
    for journal in journals:
        journal.close()
