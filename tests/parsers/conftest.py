"""One node process per test worker for everything that postal-mime reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parsers.tree import Postal, postal


@pytest.fixture(scope="session")
def javascript() -> Iterator[Postal]:
    with postal() as process:
        yield process
