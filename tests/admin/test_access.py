"""One token per client: the right one opens, everything else is the same refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.admin.house import SECRET, directory
from tests.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    found = House.open(tmp_path)
    yield found
    await found.close()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_names_its_client(house: House, scheme: str) -> None:
    caller = directory(house).caller(f"{scheme} crm.{SECRET}")
    assert caller is not None
    assert (caller.client.name, caller.house.organisation.name) == ("crm", "school")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic crm.{}", "Bearer {}", "Bearer office.{}", "Bearer crm.", "Bearer nobody.{}",
     "Bearer crm.{}x", "Bearer crm. {}"],
)  # fmt: skip
def test_anything_else_is_nobody(house: House, header: str) -> None:
    assert directory(house).caller(header.format(SECRET)) is None


def test_a_token_cut_short_is_nobody(house: House) -> None:
    assert directory(house).caller(f"Bearer crm.{SECRET[:-1]}") is None
