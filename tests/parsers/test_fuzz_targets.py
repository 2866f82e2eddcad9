"""Every fuzz target holds for the seeds it starts from, and for the evasions."""

from __future__ import annotations

import pytest

from fuzz.targets import TARGETS
from tests.parsers.evasions import EVASIONS


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_its_seeds(name: str) -> None:
    seeds = list(TARGETS[name].seeds())
    assert seeds
    for seed in seeds:
        TARGETS[name].run(seed)


@pytest.mark.parametrize("name", ["message", "edit", "readable", "filters"])
def test_a_target_holds_for_the_evasions(name: str) -> None:
    for raw in EVASIONS.values():
        TARGETS[name].run(raw)
